//! What administrators set: channels tried out over real HTTP, credentials destroyed, sources of
//! alerts switched off, the connections of all resources.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use model::actor::Role;
use model::secret::Secret;
use reqwest::Method;
use sense::alert::signature::{SIGNATURE_HEADER, sign};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::harness::{Caller, Site, text};
use super::stage::{Stage, alert, group};

/// What a webhook was sent.
type Sent = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A webhook on loopback that answers with the status its path names, and with what it was sent.
async fn webhook() -> (String, Sent) {
    async fn take(
        State(sent): State<Sent>,
        Path(status): Path<u16>,
        headers: HeaderMap,
        body: Bytes,
    ) -> (StatusCode, String) {
        let said = format!("{headers:?} {body:?}");
        sent.lock().unwrap_or_else(PoisonError::into_inner).push((headers, body));
        (StatusCode::from_u16(status).unwrap(), said)
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sent = Sent::default();
    let routes = Router::new().route("/{status}", post(take)).with_state(Arc::clone(&sent));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, sent)
}

struct Channel<'a> {
    site: &'a Site,
    admin: &'a Caller,
    id: String,
}

impl<'a> Channel<'a> {
    /// A webhook, used with a credential of this kind.
    async fn webhook(site: &'a Site, admin: &'a Caller, kind: &str, secret: &str) -> Self {
        let credential = json!({"name": format!("of {kind}"), "kind": kind, "secret": secret});
        let credential = admin.post("/credentials", &credential).await.expect(201);
        let channel = json!({
            "name": format!("on call {kind}"), "channel_type": "webhook",
            "configuration": {"url": "https://example.com/hook"}, "credential_id": credential["id"],
        });
        let channel = admin.post("/notification-channels", &channel).await.expect(201);
        Self { site, admin, id: text(&channel, "id") }
    }

    /// Leads it there: what is not TLS cannot be said over the API.
    async fn leads(&self, url: &str) {
        sqlx::query(
            "UPDATE countersign.notification_channels SET configuration = $1 WHERE id = $2",
        )
        .bind(json!({"url": url}))
        .bind(self.id.parse::<model::id::ChannelId>().unwrap().uuid())
        .execute(self.site.test.admin())
        .await
        .unwrap();
    }

    async fn test(&self) -> Value {
        let path = format!("/notification-channels/{}/test", self.id);
        self.admin.post(&path, &Value::Null).await.expect(200)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_is_tested_by_a_message_that_arrives_and_no_secret_comes_back() {
    let site = Site::start().await;
    let admin = &site.caller("ada", &[Role::Admin]).await;
    let (url, sent) = webhook().await;
    let last = || sent.lock().unwrap().last().cloned().unwrap();
    let secret = "sixteen bytes at least";

    let signed = Channel::webhook(&site, admin, "hmac", secret).await;
    signed.leads(&format!("{url}/204")).await;
    let told = signed.test().await;
    assert_eq!(told["delivered"], true, "{told:#}");
    assert!((0..13_000).contains(&told["took_ms"].as_i64().unwrap()));
    let (headers, body) = last();
    let expected = sign(&body, &Secret::from(secret.to_owned()));
    assert_eq!(headers[SIGNATURE_HEADER].to_str().unwrap(), expected);
    let message: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(message["type"], "test");
    assert!(text(&message, "message").contains("on call hmac"), "{message:#}");

    // With a token; what the channel repeats of it is not told.
    let by_token = Channel::webhook(&site, admin, "password", secret).await;
    by_token.leads(&format!("{url}/403")).await;
    let refused = by_token.test().await;
    let why = json!("it was answered with HTTP status 403");
    assert_eq!((&refused["delivered"], &refused["detail"]), (&json!(false), &why));
    assert_eq!(last().0["authorization"].to_str().unwrap(), format!("Bearer {secret}"));
    // Nobody there, and nowhere to go to.
    by_token.leads("http://127.0.0.1:1/").await;
    assert_eq!(by_token.test().await["delivered"], false);
    by_token.leads("https://10.0.0.1/").await;
    let nowhere = by_token.test().await;
    assert!(text(&nowhere, "detail").contains("cannot be reached, or may not be"), "{nowhere:#}");
    assert_eq!(sent.lock().unwrap().len(), 2, "each was sent once");

    let operator = site.caller("bob", &[Role::Operator]).await;
    let path = format!("/notification-channels/{}/test", signed.id);
    operator.post(&path, &Value::Null).await.expect(403);
    let mail = json!({
        "name": "mail", "channel_type": "email", "configuration": {"to": ["ops@example.com"]},
    });
    let mail = admin.post("/notification-channels", &mail).await.expect(201);
    let path = format!("/notification-channels/{}/test", text(&mail, "id"));
    let unsent = admin.post(&path, &Value::Null).await.expect(200);
    assert!(text(&unsent, "detail").contains("sends no mail"), "{unsent:#}");

    site.verified(admin.actor.tenant_id).await;
    let events = admin.get("/audit/events?action=channel.tested").await.expect(200);
    assert_eq!(events["items"].as_array().unwrap().len(), 5);
    let all = format!("{events} {told} {refused}");
    assert!(!all.contains(secret), "{all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_is_destroyed_when_nothing_uses_it_any_more() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let admin = &stage.admin;
    let path = format!("/resources/{}/connections", stage.resource);
    let connection = admin.get(&path).await.expect(200)[0].clone();
    let credential = text(&connection, "credential_id");
    let path = format!("/credentials/{credential}");
    let channel = json!({
        "name": "on call", "channel_type": "pagerduty", "configuration": {},
        "credential_id": credential,
    });
    let channel = admin.post("/notification-channels", &channel).await.expect(201);
    let used = admin.send(Method::DELETE, &path, &Value::Null).await;
    assert_eq!((used.status.as_u16(), used.code()), (409, "credential_in_use"));
    let detail = text(&used.body, "detail");
    for name in ["the connection to web-1", "the channel on call"] {
        assert!(detail.contains(name), "{detail}");
    }
    let operator = site.caller("bob", &[Role::Operator]).await;
    operator.send(Method::DELETE, &path, &Value::Null).await.expect(403);

    let other = json!({"host": "10.0.0.1", "username": "ops"});
    let connection = format!("/connections/{}", text(&connection, "id"));
    admin.send(Method::PUT, &connection, &other).await.expect(200);
    let channel = format!("/notification-channels/{}", text(&channel, "id"));
    admin.send(Method::DELETE, &channel, &Value::Null).await.expect(204);
    admin.send(Method::DELETE, &path, &Value::Null).await.expect(204);
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM countersign.credentials WHERE id = $1")
            .bind(credential.parse::<model::id::CredentialId>().unwrap().uuid())
            .fetch_one(site.test.admin())
            .await
            .unwrap();
    assert_eq!(left, 0, "its secret is nowhere");
    let again = admin.send(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(again.status.as_u16(), 404);
    site.verified(stage.tenant).await;
    let events = admin.get("/audit/events?action=credential.destroyed").await.expect(200);
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_is_switched_off_sends_nothing_and_what_it_sent_stays() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let admin = &stage.admin;
    let finding = stage.fire(alert("Broken", "web-1", 1, "x")).await;
    let sources = admin.get("/alert-sources").await.expect(200);
    let path = format!("/alert-sources/{}", text(&sources[0], "name"));
    let off = admin.send(Method::PATCH, &path, &json!({"is_active": false})).await.expect(200);
    assert_eq!(off["is_active"], false);
    let body = group(&[alert("Later", "web-1", 2, "x")]);
    let refused = stage.source.post("/hooks/alertmanager", &body).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "not_this_source"));
    let kept = admin.get(&format!("/alerts/{finding}")).await.expect(200);
    assert_eq!(kept["source"], sources[0]["name"]);

    // Saying it again changes nothing; switched on again it sends.
    admin.send(Method::PATCH, &path, &json!({"is_active": false})).await.expect(200);
    admin.send(Method::PATCH, &path, &json!({"is_active": true})).await.expect(200);
    stage.source.post("/hooks/alertmanager", &body).await.expect(200);
    let viewer = site.caller("eve", &[Role::Viewer]).await;
    viewer.send(Method::PATCH, &path, &json!({"is_active": false})).await.expect(403);
    site.verified(stage.tenant).await;
    for (action, times) in [("switched_off", 1), ("switched_on", 1)] {
        let path = format!("/audit/events?action=alert_source.{action}");
        let events = admin.get(&path).await.expect(200);
        assert_eq!(events["items"].as_array().unwrap().len(), times, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_all_resources_are_one_list() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let admin = &stage.admin;
    let first = admin.get("/connections").await.expect(200)["items"][0].clone();
    assert_eq!((&first["resource_name"], &first["host_keys"]), (&json!("web-1"), &json!(1)));
    let resource = admin.get(&format!("/resources/{}", stage.resource)).await.expect(200);
    for number in 0..3 {
        let name = format!("db-{number}");
        let made = json!({"name": name, "environment_id": resource["environment_id"]});
        let made = admin.post("/resources", &made).await.expect(201);
        let wanted = json!({
            "host": format!("{name}.example.com"), "username": "ops", "is_active": number != 1,
        });
        let path = format!("/resources/{}/connections", text(&made, "id"));
        admin.post(&path, &wanted).await.expect(201);
    }
    let names = async |query: &str| {
        let page = admin.get(&format!("/connections{query}")).await.expect(200);
        let items = page["items"].as_array().unwrap().clone();
        items.iter().map(|one| text(one, "resource_name")).collect::<Vec<_>>()
    };
    assert_eq!(names("?sort=resource_name").await, ["db-0", "db-1", "db-2", "web-1"]);
    assert_eq!(names("?sort=-resource_name&q=DB-").await, ["db-2", "db-1", "db-0"]);
    assert_eq!(names("?q=db-2.example").await, ["db-2"]);
    assert_eq!(names("?is_active=false").await, ["db-1"]);
    assert_eq!(names(&format!("?resource_id={}", stage.resource)).await, ["web-1"]);
    let page = admin.get("/connections?sort=resource_name&limit=3").await.expect(200);
    let next = text(&page, "next_cursor");
    let next = format!("?sort=resource_name&limit=3&cursor={next}");
    assert_eq!(names(&next).await, ["web-1"]);
    let shown = admin.get(&format!("/connections/{}", text(&first, "id"))).await.expect(200);
    for (field, value) in shown.as_object().unwrap() {
        assert_eq!(first[field], *value, "{field}");
    }
}
