//! When a stream ends.

use std::time::Duration;

use api::testing;
use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode, header};
use axum::middleware::from_fn_with_state;
use db::testing::{TestDb, database};
use futures::StreamExt as _;
use model::actor::Role;
use tower::ServiceExt as _;

use super::*;

/// Longer than any stream may outlive its caller.
const SOON: Duration = Duration::from_secs(5);

fn router(test: &TestDb, stop: &CancellationToken) -> Router {
    let app = testing::app(&test.db);
    let (router, _) = routes().split_for_parts();
    router
        .layer(Extension(Stopping(stop.clone())))
        .layer(from_fn_with_state(app.clone(), api::caller::authenticate))
        .with_state(app)
}

async fn watch(router: &Router, token: &str) -> axum::response::Response {
    let request = Request::get("/events?after=-1")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn stream(router: &Router, token: &str) -> BodyDataStream {
    let response = watch(router, token).await;
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().into_data_stream()
}

async fn ends(stream: BodyDataStream) -> bool {
    ends_within(SOON, stream).await
}

async fn ends_within(at_most: Duration, mut stream: BodyDataStream) -> bool {
    let over = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(at_most, over).await.is_ok()
}

#[tokio::test]
async fn a_stream_ends_when_its_key_session_actor_or_role_is_gone() {
    let test = database().await;
    let router = router(&test, &CancellationToken::new());
    let mut streams = Vec::new();
    for sql in [
        "UPDATE countersign.api_keys SET is_active = false WHERE tenant_id = $1 AND actor_id = $2",
        "UPDATE countersign.user_sessions SET is_active = false
         WHERE tenant_id = $1 AND user_id IN (
           SELECT id FROM countersign.users WHERE tenant_id = $1 AND actor_id = $2)",
        "UPDATE countersign.actors SET is_active = false WHERE tenant_id = $1 AND id = $2",
        "UPDATE countersign.actors SET roles = '{}' WHERE tenant_id = $1 AND id = $2",
    ] {
        let actor = test.another_actor(test.tenant, "Watcher", &[Role::Viewer]).await;
        let (_, session) = testing::session(&test.db, &actor).await;
        let (_, key) = testing::key(&test.db, &actor).await;
        let token = if sql.contains("api_keys") { key } else { session };
        let watched = stream(&router, &token).await;
        sqlx::query(sql)
            .bind(test.tenant.uuid())
            .bind(actor.id.uuid())
            .execute(test.admin())
            .await
            .unwrap();
        streams.push(tokio::spawn(ends(watched)));
    }
    let stays = test.another_actor(test.tenant, "Watcher", &[Role::Viewer]).await;
    let (_, key) = testing::key(&test.db, &stays).await;
    let other = tokio::spawn(ends(stream(&router, &key).await));
    for stream in streams {
        assert!(stream.await.unwrap());
    }
    assert!(!other.await.unwrap(), "a caller who still may watch goes on watching");
}

#[tokio::test]
async fn all_streams_end_when_the_process_stops() {
    let test = database().await;
    let stop = CancellationToken::new();
    let router = router(&test, &stop);
    let actor = test.another_actor(test.tenant, "Ada", Role::ALL).await;
    let (_, key) = testing::key(&test.db, &actor).await;
    let mut watched = stream(&router, &key).await;
    assert!(futures::poll!(watched.next()).is_pending());
    stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(2), watched.next()).await;
    assert!(ended.expect("sooner than the next look").is_none());
}

#[tokio::test]
async fn an_actor_has_twenty_streams_at_most_and_others_have_theirs() {
    let test = database().await;
    let router = router(&test, &CancellationToken::new());
    let actor = test.another_actor(test.tenant, "Ada", Role::ALL).await;
    let (_, key) = testing::key(&test.db, &actor).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(stream(&router, &key).await);
    }
    let refused = watch(&router, &key).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    let other = test.another_actor(test.tenant, "Other", &[Role::Viewer]).await;
    let (_, others) = testing::key(&test.db, &other).await;
    drop(stream(&router, &others).await);
    open.pop();
    drop(stream(&router, &key).await);
}

/// Nobody but a superuser gets into this database any more.
async fn take_away(test: &TestDb) {
    for sql in [
        format!("ALTER DATABASE {} CONNECTION LIMIT 0", test.name()),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND usename <> current_user"
            .to_owned(),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(test.admin()).await.unwrap();
    }
}

#[tokio::test]
async fn a_stream_ends_when_the_database_is_away_for_some_seconds() {
    let test = database().await;
    let router = router(&test, &CancellationToken::new());
    let actor = test.another_actor(test.tenant, "Ada", Role::ALL).await;
    let (_, key) = testing::key(&test.db, &actor).await;
    let watched = stream(&router, &key).await;
    take_away(&test).await;
    let began = Instant::now();
    // The trust in a watcher, and then the time the database may be away; keep-alives come later.
    assert!(ends_within(TRUSTED + AWAY + SOON, watched).await, "it says nothing, and goes on");
    assert!(began.elapsed() >= AWAY, "a short absence ends nothing");
}
