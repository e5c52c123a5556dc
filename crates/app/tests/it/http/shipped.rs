//! What ships with the server, to be read before anybody made anything: the policy, runbooks, and
//! the table of permissions.

use model::actor::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Site, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_that_ships_is_read_and_decides_until_another_does() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let viewer = site.caller("vic", &[Role::Viewer]).await;
    let shipped = viewer.get("/policies/shipped").await.expect(200);
    assert_eq!((&shipped["name"], &shipped["decides"]), (&json!("shipped"), &json!(true)));
    let bundle = judge::policy::shipped();
    assert_eq!(shipped["hash"], bundle.hash().to_string());
    assert_eq!(shipped["files"], serde_json::to_value(bundle.files()).unwrap());
    assert_eq!(viewer.get("/policies").await.expect(200), json!([]), "it is nobody's own");
    let tests = viewer.post("/policies/shipped/test", &Value::Null).await.expect(200);
    let tests = tests.as_array().unwrap();
    assert!(tests.len() > 5 && tests.iter().all(|test| test["passed"] == true), "{tests:#?}");

    let own = json!({"name": "own", "files": shipped["files"]});
    let own = admin.post("/policies", &own).await.expect(201);
    assert_eq!(own["hash"], shipped["hash"], "the same files are the same policy");
    assert_eq!(viewer.get("/policies/shipped").await.expect(200)["decides"], true);
    let path = format!("/policies/{}/activate", text(&own, "id"));
    admin.post(&path, &Value::Null).await.expect(200);
    assert_eq!(viewer.get("/policies/shipped").await.expect(200)["decides"], false);
    let other = site.another_tenant().await;
    let other = site.caller_of(other, "eve", &[Role::Viewer]).await;
    assert_eq!(other.get("/policies/shipped").await.expect(200)["decides"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runbooks_that_ship_are_there_to_begin_from() {
    let site = Site::start().await;
    let operator = site.caller("ola", &[Role::Operator]).await;
    let viewer = site.caller("vic", &[Role::Viewer]).await;
    let shipped = viewer.get("/runbooks/shipped").await.expect(200);
    let shipped = shipped.as_array().unwrap();
    let names: Vec<String> = shipped.iter().map(|one| text(one, "name")).collect();
    assert_eq!(
        names,
        ["clear-stale-lock", "disk-cleanup", "restart-service", "restart-supervised-service"]
    );
    assert_eq!(viewer.get("/runbooks").await.expect(200)["items"], json!([]), "none is imported");
    for one in shipped {
        assert!(!text(one, "description").is_empty(), "{one:#}");
        let body = json!({"yaml": one["yaml"], "base_version": 0});
        let made = operator.post("/runbooks", &body).await.expect(201);
        let stored = operator.get(&format!("/runbooks/{}", text(&made, "id"))).await.expect(200);
        assert_eq!(stored["document"]["name"], one["name"]);
        assert_eq!(stored["document"]["description"], one["description"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_do_what_is_told_to_everybody_as_it_is_asked_for() {
    let site = Site::start().await;
    let table: Vec<Value> = api::permission::TABLE
        .iter()
        .map(|row| json!({"name": row.name, "roles": row.roles}))
        .collect();
    for role in Role::ALL {
        let caller = site.caller(role.word(), &[*role]).await;
        assert_eq!(caller.get("/permissions").await.expect(200), json!(table), "{role}");
    }
    let admin = site.caller("ada", &[Role::Admin]).await;
    let refused = admin.send(Method::POST, "/permissions", &json!({})).await;
    assert_eq!(refused.status.as_u16(), 405, "it is not for changing");
}
