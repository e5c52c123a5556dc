//! Alerts that could not be read, over HTTP.

use api::permission::ReadFindings;
use api::problem::Answer;
use api::{App, Can, PageOut, Paging, Problem};
use axum::Json;
use axum::extract::{Path, State};
use model::id::QuarantineId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer;
use crate::finding::QuarantinedAlert;
use crate::store::quarantine;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_quarantined)).routes(routes!(get_quarantined))
}

/// An alert that could not be read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuarantinedOut {
    /// Its id.
    #[schema(value_type = String)]
    id: QuarantineId,
    /// The name of the source that sent it.
    source: String,
    /// Its place in the body, from 0.
    position: i32,
    /// Where in the body the fault is.
    #[schema(example = "/alerts/3/labels/severity")]
    path: String,
    /// What is wrong.
    reason: String,
    /// The alert as it was sent, as text.
    raw: String,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    received_at: model::Timestamp,
}

fn out(alert: QuarantinedAlert) -> QuarantinedOut {
    QuarantinedOut {
        id: alert.id,
        source: alert.source,
        position: alert.position,
        path: alert.path,
        reason: alert.reason,
        raw: alert.raw,
        received_at: alert.received_at,
    }
}

/// List alerts that could not be read, newest first.
#[utoipa::path(get, path = "/quarantined-alerts", tag = "findings",
    params(api::page::PagingIn),
    responses((status = 200, body = PageOut<QuarantinedOut>), (status = "4XX", body = Problem)))]
async fn list_quarantined(
    State(app): State<App>,
    caller: Can<ReadFindings>,
    Paging(page): Paging,
) -> Answer<Json<PageOut<QuarantinedOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(PageOut::of(quarantine::list(&mut tx, &page).await?, out)))
}

/// Show an alert that could not be read.
#[utoipa::path(get, path = "/quarantined-alerts/{id}", tag = "findings",
    params(("id" = String, Path, description = "The quarantined alert")),
    responses((status = 200, body = QuarantinedOut), (status = "4XX", body = Problem)))]
async fn get_quarantined(
    State(app): State<App>,
    caller: Can<ReadFindings>,
    Path(id): Path<QuarantineId>,
) -> Answer<Json<QuarantinedOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(out(answer("quarantined alert", quarantine::get(&mut tx, id).await)?)))
}
