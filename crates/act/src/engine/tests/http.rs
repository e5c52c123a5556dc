//! Executions over HTTP.

use api::App;
use api::caller::authenticate;
use api::identity::new_key;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::middleware::from_fn_with_state;
use model::actor::{Actor, Role};
use model::id::ApiKeyId;
use model::vault::NoVault;
use model::{Clock, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::people::in_doubt;
use super::*;
use crate::store::read;

/// What these routes never use.
#[derive(Debug)]
struct Nothing;

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

/// A request as this actor, with a key of theirs.
async fn post(estate: &Estate, actor: &Actor, path: &str, body: &Value) -> (u16, Value) {
    let app = App {
        db: estate.test.db.clone(),
        clock: Arc::new(Nothing),
        objects: estate.objects.clone(),
        vault: Arc::new(NoVault),
        body_limit: 1 << 20,
        proxies: ::api::peer::Proxies::default(),
    };
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
    .execute(estate.test.admin())
    .await
    .unwrap();
    let (router, _) = crate::api::routes().split_for_parts();
    let router = router.layer(from_fn_with_state(app.clone(), authenticate)).with_state(app);
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", token.text))
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 1 << 24).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a4_settling_ones_own_step_over_http_is_403_and_leaves_an_event() {
    let estate = Estate::new().await;
    let roles = [Role::Operator, Role::Approver];
    let rita = estate.test.another_actor(estate.test.tenant, "Rita", &roles).await;
    let ann = estate.test.another_actor(estate.test.tenant, "Ann", &roles).await;
    let id = in_doubt(&estate).await;
    fixture::asked_by(&estate.test, id, rita.id).await;
    let mut tx = estate.test.db.tenant(estate.test.tenant).await.unwrap();
    let run = model::id::StepRunId::from(read::steps(&mut tx, id).await.unwrap()[0].id);
    drop(tx);
    let path = format!("/executions/{id}/steps/{run}/resolve");
    let wanted = json!({"choice": "mark_succeeded"});
    let (status, problem) = post(&estate, &rita, &path, &wanted).await;
    assert_eq!((status, &problem["code"]), (403, &json!("separation_of_duties")), "{problem}");
    let log = fixture::audit(&estate.test, id).await;
    let last = log.last().unwrap();
    assert!(last.0 == "step.resolve_refused" && last.1.contains("own_request"), "{last:?}");
    let (status, settled) = post(&estate, &ann, &path, &wanted).await;
    assert_eq!((status, settled), (200, json!({"state": "in_progress"})));
}

#[tokio::test]
async fn an_execution_cancelled_over_http_takes_its_approval_and_its_intent_along() {
    let estate = Estate::new().await;
    let requester = estate.test.system_actor(estate.test.tenant).await;
    let id = estate.approved(&crate::decide::tests::plan(1, 1)).await;
    fixture::approval(&estate.test, id).await;
    let path = format!("/executions/{id}/cancel");
    let (status, state) = post(&estate, &requester, &path, &Value::Null).await;
    assert_eq!((status, state), (202, json!({"state": "cancelled"})));
    let after = fixture::gate_states(&estate.test, id).await;
    assert_eq!(after, ("void".to_owned(), "closed".to_owned()));
}
