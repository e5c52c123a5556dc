//! Whether this process lives, and whether it should be sent work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use api::problem::Answer;
use api::{App, Problem};
use axum::Extension;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::standing::Summary;

/// Whether this process is stopping, and how the audit log stands.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stopping: AtomicBool,
    audit: Mutex<Summary>,
}

impl Health {
    /// From now on this process wants no more work.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::SeqCst);
    }

    fn stopping(&self) -> bool {
        self.0.stopping.load(Ordering::SeqCst)
    }

    /// How the audit log stands, as it was looked at last.
    #[must_use]
    pub fn audit(&self) -> Summary {
        self.0.audit.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_audit(&self, summary: Summary) {
        *self.0.audit.lock().unwrap_or_else(PoisonError::into_inner) = summary;
    }
}

/// `/healthz`, `/readyz` and `/metrics`: open to everybody, saying nothing of any tenant.
pub(crate) fn health_routes(health: Health) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_life))
        .routes(routes!(show_readiness))
        .routes(routes!(show_metrics))
        .layer(Extension(health))
}

/// Say that this process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
async fn show_life() -> &'static str {
    "ok\n"
}

/// Say whether this process should be sent work.
///
/// Below `ready` stands what is wrong although requests are answered: the audit log is behind.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = String, content_type = "text/plain"),
              (status = 503, body = Problem)))]
async fn show_readiness(
    State(app): State<App>,
    Extension(health): Extension<Health>,
) -> Answer<String> {
    if health.stopping() {
        return Err(Problem::unavailable("stopping"));
    }
    match app.db.across().await {
        Ok(_) => Ok(format!("ready\n{}", health.audit().remarks())),
        Err(_) => Err(Problem::unavailable("the database cannot be reached")),
    }
}

/// Show figures of this process for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
async fn show_metrics(Extension(health): Extension<Health>) -> String {
    health.audit().figures()
}
