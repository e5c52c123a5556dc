//! The estate over HTTP.

use super::*;
use crate::inventory::Selector;
use crate::store::{credential, target};

const HOST_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

#[tokio::test]
async fn an_estate_made_over_http_gives_targets_that_can_be_reached() {
    let site = site().await;
    let environment = json!({"name": "Shop", "slug": "shop-live", "class": "production"});
    let environment = site.make("/environments", &environment).await;
    assert_eq!(environment["class"], "prod");
    let secret = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n";
    let key = json!({"name": "ops", "kind": "ssh_key", "secret": secret});
    let key = site.make("/credentials", &key).await;
    assert!(!key.to_string().contains("PRIVATE"));
    let server = json!({
        "environment_id": environment["id"],
        "name": "web-1",
        "hostname": "web-1.example.com",
        "os_type": "linux",
        "tags": {"role": "web"},
    });
    let server = site.make("/resources", &server).await;
    let path = format!("/resources/{}/connections", server["id"].as_str().unwrap());
    let connection = json!({"host": "127.0.0.1", "port": 2201, "username": "ops",
        "credential_id": key["id"], "guard_dir": "/run/guard"});
    let connection = site.make(&path, &connection).await;
    let path = format!("/connections/{}/host-keys", connection["id"].as_str().unwrap());
    let (status, _) = site.ask(Method::POST, &path, &json!({"public_key": HOST_KEY})).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (_, keys) = site.ask(Method::GET, &path, &Value::Null).await;
    assert_eq!(keys[0]["public_key"], HOST_KEY);

    let mut tx = site.test.db.tenant(site.test.tenant).await.unwrap();
    let found = target::targets(&mut tx, &Selector::of_instance("web-1:9100")).await.unwrap();
    assert_eq!(found[0].target.host_keys, [HOST_KEY]);
    let id = found[0].target.credential_id.unwrap();
    let stored = credential::get(&mut tx, id).await.unwrap();
    let opened = PaperVault
        .open(stored.key.as_ref(), credential::place(tx.tenant(), id, 1), &stored.sealed)
        .await
        .expect("sealed for its place");
    assert_eq!(opened.expose_str(), Some(secret));
    drop(tx);

    let path = format!("/credentials/{}/secret", key["id"].as_str().unwrap());
    let (status, replaced) = site.ask(Method::PUT, &path, &json!({"secret": secret})).await;
    assert_eq!((status, &replaced["version"]), (StatusCode::OK, &json!(2)));
    let path = format!("/resources/{}", server["id"].as_str().unwrap());
    let retired =
        json!({"environment_id": environment["id"], "name": "web-1", "status": "retired"});
    let (status, _) = site.ask(Method::PUT, &path, &retired).await;
    assert_eq!(status, StatusCode::OK);
    let (_, list) = site.ask(Method::GET, "/resources", &Value::Null).await;
    assert_eq!(list["items"][0]["status"], "retired");
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_with_its_path() {
    let site = site().await;
    let environment =
        site.make("/environments", &json!({"name": "E", "slug": "e", "class": "dev"})).await;
    let server = json!({"environment_id": environment["id"], "name": "web-1"});
    let server = site.make("/resources", &server).await;
    let connections = format!("/resources/{}/connections", server["id"].as_str().unwrap());
    let nobody = "env_0190a6c2-7b5e-7000-8000-000000000001";
    let connection = |field: &str, value: Value| {
        let mut connection = json!({"host": "h", "username": "u"});
        connection[field] = value;
        connection
    };
    for (path, body, expected) in [
        ("/environments", json!({"name": "E", "slug": "f", "class": "moon"}), (400, "/class")),
        ("/environments", json!({"name": "E", "slug": "-f", "class": "dev"}), (400, "/slug")),
        ("/environments", json!({"name": "E", "slug": "e", "class": "dev"}), (409, "")),
        ("/resources", json!({"environment_id": nobody, "name": "x"}), (400, "/environment_id")),
        ("/resources", json!({"environment_id": nobody, "name": "x;y"}), (400, "/name")),
        (&connections, connection("host", json!("-oProxy")), (400, "/host")),
        (&connections, connection("username", json!("u u")), (400, "/username")),
        (&connections, connection("port", json!(0)), (400, "/port")),
        (&connections, connection("port", json!(65_536)), (400, "/port")),
        (&connections, connection("guard_dir", json!("x")), (400, "/guard_dir")),
        (&connections, connection("guard_dir", json!("/$(id)")), (400, "/guard_dir")),
        ("/credentials", json!({"name": "k", "kind": "ssh_key", "secret": "x"}), (400, "/secret")),
        (
            "/alert-sources",
            json!({"name": "g", "kind": "generic", "actor_id": nobody}),
            (400, "/actor_id"),
        ),
    ] {
        let (status, at) = site.refused(Method::POST, path, &body).await;
        assert_eq!((status, at.as_str()), expected, "{path} {body}");
    }
}

#[tokio::test]
async fn t1_the_estate_of_another_tenant_is_not_found() {
    let site = site().await;
    let environment =
        site.make("/environments", &json!({"name": "E", "slug": "e", "class": "dev"})).await;
    let server = json!({"environment_id": environment["id"], "name": "web-1"});
    let server = site.make("/resources", &server).await;
    let other = site.test.another_tenant().await;
    let stranger = key_of(&site.test, &site.test.system_actor(other).await).await;
    let bearer = format!("Bearer {stranger}");
    let server = server["id"].as_str().unwrap();
    let environment = environment["id"].as_str().unwrap();
    for path in [
        format!("/resources/{server}"),
        format!("/resources/{server}/connections"),
        format!("/environments/{environment}"),
    ] {
        let headers = [("authorization", bearer.as_str())];
        let (status, _) = site.call(Method::GET, &path, &headers, Vec::new()).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
}
