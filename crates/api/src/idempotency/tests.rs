//! Tests over a router with counting handlers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::http::{Request, Response, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Extension, Json};
use db::testing::{TestDb, database};
use model::actor::{Actor, Role};
use tokio::sync::Notify;
use tower::ServiceExt;

use super::{Secret, layer};
use crate::body::OwnLimit;
use crate::problem::Problem;
use crate::testing;

struct Http {
    test: TestDb,
    actor: Actor,
    token: String,
    router: Router,
    calls: Arc<AtomicUsize>,
    go_on: Arc<Notify>,
    done: Arc<Notify>,
}

async fn http() -> Http {
    let test = database().await;
    let actor = test.another_actor(test.tenant, "Ada", Role::ALL).await;
    let (_, token) = testing::key(&test.db, &actor).await;
    let app = testing::app(&test.db);
    let calls = Arc::new(AtomicUsize::new(0));
    let (go_on, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let status = {
        let calls = calls.clone();
        move |Path(status): Path<u16>| async move {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            (StatusCode::from_u16(status).unwrap(), format!("call {call}"))
        }
    };
    let secret = || async { (StatusCode::CREATED, Extension(Secret), Json("cs_hidden")) };
    let unknown = || async { Problem::outcome_unknown("the test says so").into_response() };
    let slow = {
        let (go_on, done, calls) = (go_on.clone(), done.clone(), calls.clone());
        move || async move {
            calls.fetch_add(1, Ordering::SeqCst);
            done.notify_one();
            go_on.notified().await;
            done.notify_one();
            "slow"
        }
    };
    let router = Router::new()
        .route("/status/{status}", post(status))
        .route("/secret", post(secret))
        .route("/unknown", post(unknown))
        .route("/slow", post(slow))
        .layer(from_fn_with_state(app.clone(), layer))
        .layer(from_fn_with_state(app, crate::caller::authenticate));
    Http { test, actor, token, router, calls, go_on, done }
}

impl Http {
    fn request(&self, path: &str, body: impl Into<Body>) -> Request<Body> {
        Request::post(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header(super::HEADER, "one key")
            .body(body.into())
            .unwrap()
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, String) {
        let answer: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn post(&self, path: &str) -> (StatusCode, String) {
        self.send(self.request(path, "{}")).await
    }

    async fn rows(&self) -> Vec<(Vec<u8>, Option<i16>, Option<Vec<u8>>)> {
        sqlx::query_as(
            "SELECT request_hash, status, response FROM countersign.idempotency_keys
             WHERE tenant_id = $1 AND actor_id = $2",
        )
        .bind(self.actor.tenant_id.uuid())
        .bind(self.actor.id.uuid())
        .fetch_all(self.test.admin())
        .await
        .unwrap()
    }

    /// Makes the key look older.
    async fn age(&self, by: &str) {
        sqlx::query(
            "UPDATE countersign.idempotency_keys SET created_at = created_at - $2::interval
             WHERE tenant_id = $1",
        )
        .bind(self.actor.tenant_id.uuid())
        .bind(by)
        .execute(self.test.admin())
        .await
        .unwrap();
    }
}

fn is_problem(answer: &(StatusCode, String), status: u16, code: &str) -> bool {
    let problem: Problem = serde_json::from_str(&answer.1).unwrap();
    answer.0 == status && problem.code == code
}

#[tokio::test]
async fn what_was_done_or_cannot_be_read_is_replayed() {
    for status in [200, 202, 400, 422] {
        let http = http().await;
        let path = format!("/status/{status}");
        let first = http.post(&path).await;
        assert_eq!(first.0, status);
        assert_eq!(http.post(&path).await, first);
        assert_eq!(http.calls.load(Ordering::SeqCst), 1, "{status}");
    }
}

#[tokio::test]
async fn a_refusal_or_a_failure_frees_the_key() {
    for status in [401, 403, 404, 409, 413, 429, 500, 503] {
        let http = http().await;
        let path = format!("/status/{status}");
        assert_eq!(http.post(&path).await.1, "call 0");
        assert_eq!(http.post(&path).await.1, "call 1");
        assert_eq!(http.rows().await, [], "{status}");
    }
}

#[tokio::test]
async fn a_secret_answer_is_not_stored_and_a_repetition_is_told_so() {
    let http = http().await;
    assert_eq!(http.post("/secret").await, (StatusCode::CREATED, "\"cs_hidden\"".to_owned()));
    let rows = http.rows().await;
    assert_eq!((rows[0].1, &rows[0].2), (Some(201), &None));
    let again = http.post("/secret").await;
    assert!(is_problem(&again, 409, "idempotency_secret_answer"), "{again:?}");
}

#[tokio::test]
async fn the_stored_hash_is_none_that_can_be_made_from_the_request_alone() {
    let http = http().await;
    http.post("/status/200").await;
    let rows = http.rows().await;
    let guess = model::Digest::of(b"POST /status/200\n{}");
    let head = format!("{}\none key\nPOST /status/200\n{{}}", http.actor.id);
    assert_ne!(rows[0].0, guess.as_bytes());
    assert_ne!(rows[0].0, model::Digest::of(head.as_bytes()).as_bytes());
    let other = db::AuditKey::new(&[1; 32]);
    let nil = model::id::EventId::from(uuid::Uuid::nil());
    assert_ne!(rows[0].0, other.mac(http.actor.tenant_id, nil, head.as_bytes()));
    let ours = http.test.db.audit_key().mac(http.actor.tenant_id, nil, head.as_bytes());
    assert_eq!(rows[0].0, ours, "the same in every process");
}

#[tokio::test]
async fn w10_another_request_with_the_key_is_422() {
    let http = http().await;
    http.post("/status/200").await;
    let other = http.send(http.request("/status/200", "{\"a\":1}")).await;
    assert!(is_problem(&other, 422, "idempotency_mismatch"), "{other:?}");
}

#[tokio::test]
async fn an_unknown_outcome_keeps_the_key_for_a_day() {
    let http = http().await;
    assert!(is_problem(&http.post("/unknown").await, 503, "outcome_unknown"));
    assert!(is_problem(&http.post("/unknown").await, 409, "idempotency_running"));
    http.age("23 hours").await;
    assert!(is_problem(&http.post("/unknown").await, 409, "idempotency_running"));
    http.age("61 minutes").await;
    assert!(is_problem(&http.post("/unknown").await, 503, "outcome_unknown"));
}

#[tokio::test]
async fn a_caller_who_hangs_up_gets_the_answer_by_asking_again() {
    let http = http().await;
    let first = tokio::spawn(http.router.clone().oneshot(http.request("/slow", "{}")));
    http.done.notified().await;
    assert!(is_problem(&http.post("/slow").await, 409, "idempotency_running"));
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    http.go_on.notify_one();
    let done = tokio::time::timeout(Duration::from_secs(10), http.done.notified()).await;
    assert_eq!(done, Ok(()), "it runs on without its caller");
    // The handler has ended; its answer is noted right after.
    let answered = async {
        loop {
            let answer = http.post("/slow").await;
            if answer.0 != StatusCode::CONFLICT {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(10), answered).await;
    assert_eq!(answer, Ok((StatusCode::OK, "slow".to_owned())));
    assert_eq!(http.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_path_with_a_limit_of_its_own_has_it_with_a_key_too() {
    let http = http().await;
    let large = "x".repeat(testing::BODY_LIMIT + 1);
    let refused = http.send(http.request("/status/200", large.clone())).await;
    assert!(is_problem(&refused, 413, "too_large"));
    let mut request = http.request("/status/200", large);
    request.extensions_mut().insert(OwnLimit(testing::BODY_LIMIT + 1));
    assert_eq!(http.send(request).await.0, StatusCode::OK);
}
