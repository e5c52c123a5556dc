//! Whether this process lives, and whether it should be sent work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::{App, Problem};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Whether this process is stopping.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<AtomicBool>);

impl Health {
    /// From now on this process wants no more work.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn stopping(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// `/healthz` and `/readyz`: open to everybody, saying nothing but yes or no.
pub(crate) fn health_routes(health: Health) -> Router<App> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move |State(app): State<App>| ready(app, health.clone())))
}

async fn ready(app: App, health: Health) -> Response {
    if health.stopping() {
        return Problem::unavailable("stopping").into_response();
    }
    match app.db.across().await {
        Ok(_) => (StatusCode::OK, "ready\n").into_response(),
        Err(_) => Problem::unavailable("the database cannot be reached").into_response(),
    }
}
