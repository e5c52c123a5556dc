//! Logging in over HTTP, secrets that are shown once, and the first start.

use std::io;

use api::testing;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use db::testing::{TestDb, database};
use model::actor::{Actor, Role};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{password, setup, store};

struct Http {
    test: TestDb,
    router: Router,
}

async fn http() -> Http {
    let test = database().await;
    let app = testing::app(&test.db);
    let (router, _) = super::routes().split_for_parts();
    let router = router
        .layer(from_fn_with_state(app.clone(), api::idempotency::layer))
        .layer(from_fn_with_state(app.clone(), api::caller::authenticate))
        .with_state(app);
    Http { test, router }
}

struct Reply {
    status: StatusCode,
    retry_after: Option<String>,
    body: Value,
}

impl Http {
    async fn post(&self, path: &str, from: &str, token: Option<&str>, body: &Value) -> Reply {
        let mut request = Request::post(path)
            .header("content-type", "application/json")
            .header(api::idempotency::HEADER, path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let router = self.router.clone().layer(Extension(api::caller::Peer(from.to_owned())));
        let answer = router.oneshot(request).await.unwrap();
        let retry_after =
            answer.headers().get(header::RETRY_AFTER).map(|at| at.to_str().unwrap().to_owned());
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Reply { status, retry_after, body }
    }

    /// A user with this password who may do everything.
    async fn user(&self, password: &str) -> (Actor, String) {
        let actor = self.test.another_actor(self.test.tenant, "Ada", Role::ALL).await;
        let (_, session) = testing::session(&self.test.db, &actor).await;
        let hash = password::hash(password.to_owned()).await.unwrap();
        sqlx::query(
            "UPDATE countersign.users SET username = 'ada', password_hash = $2 WHERE tenant_id = $1",
        )
        .bind(self.test.tenant.uuid())
        .bind(hash)
        .execute(self.test.admin())
        .await
        .unwrap();
        (actor, session)
    }

    async fn slug(&self) -> String {
        sqlx::query_scalar("SELECT slug FROM countersign.tenants WHERE id = $1")
            .bind(self.test.tenant.uuid())
            .fetch_one(self.test.admin())
            .await
            .unwrap()
    }
}

const RIGHT: &str = "correct horse battery staple";

#[tokio::test]
async fn guessing_is_stopped_for_the_one_who_guesses_only() {
    let http = http().await;
    http.user(RIGHT).await;
    let slug = http.slug().await;
    let login = |password: &str| json!({"tenant": slug, "username": "ada", "password": password});
    for _ in 0..5 {
        let wrong = http.post("/login", "192.0.2.1", None, &login("wrong")).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    }
    let refused = http.post("/login", "192.0.2.1", None, &login(RIGHT)).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.retry_after.is_some_and(|s| s.parse::<u64>().is_ok_and(|s| s > 0)));
    for _ in 0..6 {
        let owner = http.post("/login", "192.0.2.2", None, &login(RIGHT)).await;
        assert_eq!(owner.status, StatusCode::OK, "right passwords are not counted");
    }
}

#[tokio::test]
async fn the_present_password_cannot_be_guessed_with_a_session() {
    let http = http().await;
    let (_, session) = http.user(RIGHT).await;
    let path = "/account/password";
    for n in 0..6 {
        let body = json!({"current_password": format!("wrong {n}"), "new_password": RIGHT});
        // Another request each time: a used key would be told so.
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {session}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        let answer = http.router.clone().oneshot(request).await.unwrap();
        let expected = if n < 5 { StatusCode::BAD_REQUEST } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(answer.status(), expected, "{n}");
    }
}

#[tokio::test]
async fn no_secret_is_stored_under_an_idempotency_key() {
    let http = http().await;
    let (_, session) = http.user(RIGHT).await;
    let slug = http.slug().await;
    let new = "a new password of mine";
    // The change of password ends the session: it comes last.
    for (path, body, secret) in [
        ("/api-keys", json!({"name": "ci", "roles": ["operator"]}), "/key"),
        ("/users", json!({"username": "bob", "roles": []}), "/one_time_password"),
        ("/account/password", json!({"current_password": RIGHT, "new_password": new}), "/token"),
    ] {
        let made = http.post(path, "192.0.2.1", Some(&session), &body).await;
        assert!(made.status.is_success(), "{path}: {}", made.body);
        let secret = made.body.pointer(secret).unwrap().as_str().unwrap();
        let stored: (Option<i16>, Option<Vec<u8>>) = sqlx::query_as(
            "SELECT status, response FROM countersign.idempotency_keys WHERE key = $1",
        )
        .bind(path)
        .fetch_one(http.test.admin())
        .await
        .unwrap();
        assert_eq!(stored, (Some(i16::try_from(made.status.as_u16()).unwrap()), None), "{path}");
        let token = if path == "/account/password" { secret } else { &session };
        let again = http.post(path, "192.0.2.1", Some(token), &body).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{path}");
        assert_eq!(again.body["code"], "idempotency_secret_answer", "{path}");
        if path == "/account/password" {
            let body = json!({"tenant": slug, "username": "ada", "password": new});
            let login = http.post("/login", "192.0.2.1", Some(token), &body).await;
            assert_eq!(login.status, StatusCode::OK);
            let kept: Option<Vec<u8>> = sqlx::query_scalar(
                "SELECT response FROM countersign.idempotency_keys WHERE key = '/login'",
            )
            .fetch_one(http.test.admin())
            .await
            .unwrap();
            assert_eq!(kept, None, "/login");
        }
    }
}

#[tokio::test]
async fn sessions_are_forgotten_thirty_days_after_their_end() {
    let http = http().await;
    http.user(RIGHT).await;
    let sessions = async |days: i32| {
        sqlx::query(
            "UPDATE countersign.user_sessions
             SET expires_at = clock_timestamp() - make_interval(days => $2) WHERE tenant_id = $1",
        )
        .bind(http.test.tenant.uuid())
        .bind(days)
        .execute(http.test.admin())
        .await
        .unwrap();
        let mut tx = http.test.db.tenant(http.test.tenant).await.unwrap();
        let pruned = store::prune_sessions(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        pruned
    };
    assert_eq!((sessions(-1).await, sessions(29).await, sessions(31).await), (0, 0, 1));
}

#[tokio::test]
async fn a_user_who_is_shut_out_is_no_actor_any_more() {
    let http = http().await;
    let (actor, _) = http.user(RIGHT).await;
    let (tenant, db) = (http.test.tenant, &http.test.db);
    let mut tx = db.tenant(tenant).await.unwrap();
    let user = store::user_by_name(&mut tx, "ada").await.unwrap().unwrap();
    for open in [false, true] {
        store::change_user(&mut tx, user.id.into(), None, Some(open)).await.unwrap();
        let active: bool = sqlx::query_scalar(
            "SELECT is_active FROM countersign.actors WHERE tenant_id = $1 AND id = $2",
        )
        .bind(tenant.uuid())
        .bind(actor.id.uuid())
        .fetch_one(tx.conn())
        .await
        .unwrap();
        assert_eq!(active, open);
    }
}

#[tokio::test]
async fn there_is_no_administrator_whose_first_password_could_not_be_kept() {
    let test = database().await;
    let failed = setup::first_start(&test.db, |_| Err(io::Error::other("the disk is full"))).await;
    assert!(failed.unwrap_err().detail.contains("the disk is full"));
    let users: i64 = sqlx::query_scalar("SELECT count(*) FROM countersign.users")
        .fetch_one(test.admin())
        .await
        .unwrap();
    assert_eq!(users, 0);
    let mut kept = None;
    let keep = |password: &str| {
        kept = Some(password.to_owned());
        Ok(())
    };
    let first = setup::first_start(&test.db, keep).await.unwrap();
    assert!(first.one_time_password.is_some());
    assert_eq!(first.one_time_password, kept);
    let again = setup::first_start(&test.db, |_| Err(io::Error::other("never called"))).await;
    assert_eq!(again.unwrap().one_time_password, None);
}
