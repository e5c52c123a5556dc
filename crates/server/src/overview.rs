//! What spans the stages: search across kinds, and the figures of a dashboard.

mod dashboard;
mod search;
mod store;

use api::App;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(search::routes()).merge(dashboard::routes())
}
