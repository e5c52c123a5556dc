//! Whether this process lives, and whether it should be sent work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::problem::Answer;
use api::{App, Problem};
use axum::Extension;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
pub(crate) fn health_routes(health: Health) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_life))
        .routes(routes!(show_readiness))
        .layer(Extension(health))
}

/// Say that this process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
async fn show_life() -> &'static str {
    "ok\n"
}

/// Say whether this process should be sent work.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = String, content_type = "text/plain"),
              (status = 503, body = Problem)))]
async fn show_readiness(
    State(app): State<App>,
    Extension(health): Extension<Health>,
) -> Answer<&'static str> {
    if health.stopping() {
        return Err(Problem::unavailable("stopping"));
    }
    match app.db.across().await {
        Ok(_) => Ok("ready\n"),
        Err(_) => Err(Problem::unavailable("the database cannot be reached")),
    }
}
