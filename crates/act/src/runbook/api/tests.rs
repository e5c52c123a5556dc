//! Runbooks over HTTP, on a real database.

use std::sync::Arc;

use api::App;
use api::caller::authenticate;
use api::identity::new_key;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use axum::middleware::from_fn_with_state;
use db::testing::{TestDb, database};
use model::actor::{Actor, Role};
use model::canonical::Digest;
use model::connector::Pending;
use model::id::ApiKeyId;
use model::objects::{ObjectError, Objects};
use model::vault::NoVault;
use model::{Clock, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::routes;
use crate::runbook::parse::tests::SEED;

#[derive(Debug)]
struct Nothing;

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        "2026-03-01T10:05:00Z".parse().unwrap()
    }
}

impl Objects for Nothing {
    fn put<'a>(&'a self, key: &'a str, _: Vec<u8>) -> Pending<'a, Result<Digest, ObjectError>> {
        Box::pin(async move { Err(ObjectError::NotFound { key: key.to_owned() }) })
    }

    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Vec<u8>, ObjectError>> {
        Box::pin(async move { Err(ObjectError::NotFound { key: key.to_owned() }) })
    }
}

struct Site {
    test: TestDb,
    router: Router,
    key: String,
}

async fn site() -> Site {
    let test = database().await;
    let app = App {
        db: test.db.clone(),
        clock: Arc::new(Nothing),
        objects: Arc::new(Nothing),
        vault: Arc::new(NoVault),
        body_limit: 1 << 20,
        proxies: ::api::peer::Proxies::default(),
    };
    let (router, _) = routes().split_for_parts();
    let router = router.layer(from_fn_with_state(app.clone(), authenticate)).with_state(app);
    let key = key_of(&test, &test.system_actor(test.tenant).await).await;
    Site { test, router, key }
}

async fn key_of(test: &TestDb, actor: &Actor) -> String {
    let token = new_key().unwrap();
    sqlx::query(
        "INSERT INTO countersign.api_keys (tenant_id, id, actor_id, name, key_prefix, key_hash)
         VALUES ($1, $2, $3, 'test', $4, $5)",
    )
    .bind(actor.tenant_id.uuid())
    .bind(ApiKeyId::generate().uuid())
    .bind(actor.id.uuid())
    .bind(&token.public_id)
    .bind(&token.hash.as_bytes()[..])
    .execute(test.admin())
    .await
    .unwrap();
    token.text
}

impl Site {
    async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        self.ask_as(&self.key, method, path, body).await
    }

    async fn ask_as(&self, key: &str, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let bytes = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {key}"))
            .body(Body::from(bytes))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 24).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        (status.as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

#[tokio::test]
async fn a_runbook_is_imported_shown_exported_and_switched() {
    let site = site().await;
    let body = json!({"yaml": SEED, "change_summary": "first"});
    let (status, made) = site.ask(Method::POST, "/runbooks", &body).await;
    assert_eq!((status, &made["change"], &made["version"]), (201, &json!("created"), &json!(1)));
    assert_eq!(made["warnings"][0]["code"], "no_verify_step");
    let (status, same) = site.ask(Method::POST, "/runbooks", &body).await;
    assert_eq!((status, &same["change"]), (200, &json!("unchanged")));
    let path = format!("/runbooks/{}", made["id"].as_str().unwrap());
    let (_, shown) = site.ask(Method::GET, &path, &Value::Null).await;
    assert_eq!(shown["document"]["steps"][1]["name"], "Restart service");
    let (_, yaml) = site.ask(Method::GET, &format!("{path}/yaml"), &Value::Null).await;
    assert_eq!(yaml, json!(SEED));
    let (_, version) = site.ask(Method::GET, &format!("{path}/versions/1"), &Value::Null).await;
    assert_eq!(version["change_summary"], "first");
    let status_path = format!("{path}/status");
    let (status, problem) = site.ask(Method::PUT, &status_path, &json!({"status": "active"})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("not_ready")));
    assert_eq!(problem["errors"][0]["code"], "no_verify_step");
    let (status, now) = site.ask(Method::PUT, &status_path, &json!({"status": "disabled"})).await;
    assert_eq!((status, &now["document"]["status"]), (200, &json!("disabled")));
    let (_, list) = site.ask(Method::GET, "/runbooks?status=disabled&limit=1", &Value::Null).await;
    assert_eq!(list["items"][0]["name"], "restart-service");
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM countersign.audit_outbox")
        .fetch_one(site.test.admin())
        .await
        .unwrap();
    assert_eq!(events, 2);
}

#[tokio::test]
async fn j2_an_unsafe_runbook_is_refused_with_line_and_column() {
    let site = site().await;
    let yaml =
        SEED.replace("systemctl is-active {{ SERVICE_NAME }}", "sh -c \"x {{ SERVICE_NAME }}\"");
    let (status, problem) = site.ask(Method::POST, "/runbooks", &json!({"yaml": yaml})).await;
    assert_eq!(status, 400);
    let error = &problem["errors"][0];
    assert_eq!(error["path"], "/yaml#/steps/2/command");
    assert_eq!(error["code"], "placeholder_in_quotes");
    assert!(error["message"].as_str().unwrap().starts_with("26:23: "), "{error}");
    let (status, lint) = site.ask(Method::POST, "/runbooks/lint", &json!({"yaml": yaml})).await;
    assert_eq!((status, &lint["accepted"]), (200, &json!(false)));
    assert_eq!(lint["problems"][0]["line"], 26);
}

#[tokio::test]
async fn who_may_only_read_may_not_import() {
    let site = site().await;
    let viewer = site.test.another_actor(site.test.tenant, "reader", &[Role::Viewer]).await;
    let key = key_of(&site.test, &viewer).await;
    let body = json!({"yaml": SEED});
    let (status, _) = site.ask_as(&key, Method::POST, "/runbooks", &body).await;
    assert_eq!(status, StatusCode::FORBIDDEN.as_u16());
    let (status, _) = site.ask_as(&key, Method::GET, "/runbooks", &Value::Null).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn bad_input_is_never_a_server_error() {
    let site = site().await;
    let id = model::id::RunbookId::generate();
    for (method, path, body, expected) in [
        (Method::POST, "/runbooks".to_owned(), json!({"yaml": ""}), 400),
        (
            Method::POST,
            "/runbooks".to_owned(),
            json!({"yaml": "name: \"a\\0b\"\nsteps:\n  - {name: a, command: ls}\n"}),
            400,
        ),
        (
            Method::POST,
            "/runbooks".to_owned(),
            json!({"yaml": "name: a\ndescription: \"a\\0b\"\nsteps:\n  - {name: a, command: ls}\n"}),
            400,
        ),
        (
            Method::POST,
            "/runbooks".to_owned(),
            json!({"yaml": "name: a\nconfig: {\"a\\0\": 1}\nsteps:\n  - {name: a, command: ls}\n"}),
            400,
        ),
        (Method::POST, "/runbooks".to_owned(), json!({"yaml": SEED, "tenant_id": "x"}), 400),
        (
            Method::POST,
            "/runbooks".to_owned(),
            json!({"yaml": SEED, "change_summary": "x".repeat(1001)}),
            400,
        ),
        (Method::GET, format!("/runbooks/{id}"), Value::Null, 404),
        (Method::GET, format!("/runbooks/{id}/yaml"), Value::Null, 404),
        (Method::GET, format!("/runbooks/{id}/versions"), Value::Null, 404),
        (Method::GET, format!("/runbooks/{id}/versions/4294967295"), Value::Null, 404),
        (Method::GET, "/runbooks/nonsense".to_owned(), Value::Null, 400),
        (Method::GET, "/runbooks?status=open".to_owned(), Value::Null, 400),
        (Method::GET, "/runbooks?limit=0".to_owned(), Value::Null, 400),
        (Method::PUT, format!("/runbooks/{id}/status"), json!({"status": "active"}), 404),
        (Method::PUT, format!("/runbooks/{id}/status"), json!({"status": "on"}), 400),
    ] {
        let (status, answer) = site.ask(method, &path, &body).await;
        assert_eq!(status, expected, "{path} {body}: {answer}");
    }
}
