//! Who an actor is, by name, for whoever meets its id.

mod store;

use api::permission::ReadPlans;
use api::problem::Answer;
use api::{App, Can, Problem};
use axum::Json;
use axum::extract::{Path, State};
use model::actor::ActorKind;
use model::id::ActorId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_actor))
}

/// An actor, by what people call it.
#[derive(Serialize, ToSchema)]
pub(super) struct ActorOut {
    /// Its id, as events, plans and executions name it.
    #[schema(value_type = String, example = "act_0190a6c2-7b5e-7000-8000-000000000001")]
    id: ActorId,
    /// `user`, `service` or `agent`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "user")]
    kind: ActorKind,
    /// What people call it; `erased` once a person was erased.
    #[schema(example = "ada")]
    display_name: String,
}

/// Show who an actor is: its kind and its name, and nothing else of it.
///
/// Ids of actors stand in plans, approvals and executions. So this needs what reading those needs,
/// which every role has; it says no more than what a vote or a signed decision shows there anyway.
/// Accounts, addresses, roles and keys stay with whoever manages people.
#[utoipa::path(get, path = "/actors/{id}", tag = "identity",
    params(("id" = String, Path, description = "The actor")),
    responses((status = 200, body = ActorOut), (status = "4XX", body = Problem)))]
async fn show_actor(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    Path(id): Path<ActorId>,
) -> Answer<Json<ActorOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let found = store::named(&mut tx, id).await?;
    let (kind, display_name) = found.ok_or_else(|| Problem::not_found("actor"))?;
    Ok(Json(ActorOut { id, kind, display_name }))
}
