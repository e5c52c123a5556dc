//! Services and AI agents: whoever acts and is no person.

use api::check::sized;
use api::etag::{Seen, Tagged};
use api::object::Wanted;
use api::permission::ManageIdentity;
use api::problem::Answer;
use api::{App, Body, Can, Change, PageOut, Problem, listed};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::actor::{ActorKind, Role};
use model::id::ActorId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{HolderIn, store};
use crate::login::store::new_actor;
use crate::login::users::{no_wider, parse_roles};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_service_accounts, create_service_account))
        .routes(routes!(show_service_account, change_service_account))
}

/// A service or an AI agent.
#[derive(Serialize, ToSchema)]
struct ServiceAccountOut {
    /// As events name it.
    #[schema(value_type = String)]
    id: ActorId,
    /// `service` or `agent`.
    #[serde(rename = "type")]
    #[schema(example = "service")]
    kind: String,
    /// What people call it.
    #[schema(example = "deploy pipeline")]
    name: String,
    /// What it may do at most.
    roles: Vec<String>,
    /// Whether it may act at all.
    is_active: bool,
    /// Keys of its that work.
    keys: i64,
    /// Since when it is.
    #[schema(value_type = String, format = DateTime)]
    created_at: model::Timestamp,
}

impl From<store::HolderRow> for ServiceAccountOut {
    fn from(row: store::HolderRow) -> Self {
        Self {
            id: row.id.into(),
            kind: row.r#type,
            name: row.display_name,
            roles: row.roles,
            is_active: row.is_active,
            keys: row.keys,
            created_at: row.created_at.to_jiff(),
        }
    }
}

fn not_found() -> Problem {
    Problem::not_found("service account")
}

listed! {
    /// Which services and agents are wanted.
    ServiceAccounts: store::HOLDERS, "roles": Role, "type": ActorKind,
}

/// List services and AI agents, newest first unless sorted.
#[utoipa::path(get, path = "/service-accounts", tag = "identity", params(ServiceAccounts),
    responses((status = 200, body = PageOut<ServiceAccountOut>), (status = "4XX", body = Problem)))]
async fn list_service_accounts(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Wanted(wanted, _): Wanted<ServiceAccounts>,
) -> Answer<Json<PageOut<ServiceAccountOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let page = store::holders(&mut tx, &wanted).await?;
    Ok(Json(PageOut::of(page, ServiceAccountOut::from)))
}

/// Show a service or an AI agent.
#[utoipa::path(get, path = "/service-accounts/{id}", tag = "identity",
    params(("id" = String, Path, description = "The service or agent")),
    responses((status = 200, body = ServiceAccountOut), (status = "4XX", body = Problem)))]
async fn show_service_account(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Path(id): Path<ActorId>,
) -> Answer<Tagged<ServiceAccountOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let row = store::holder(&mut tx, id).await?.ok_or_else(not_found)?;
    Ok(Tagged(row.into()))
}

/// A service or an AI agent to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ServiceAccountIn {
    /// What people call it.
    #[schema(example = "deploy pipeline", min_length = 1, max_length = 100)]
    name: String,
    /// Whether it is a program or an AI agent.
    #[serde(rename = "type", default)]
    kind: HolderIn,
    /// What it may do: nothing that whoever makes it may not.
    #[schema(example = json!(["operator"]))]
    roles: Vec<String>,
}

/// Make a service or an AI agent; its keys are made afterwards.
#[utoipa::path(post, path = "/service-accounts", tag = "identity", request_body = ServiceAccountIn,
    responses((status = 201, body = ServiceAccountOut), (status = "4XX", body = Problem)))]
async fn create_service_account(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Body(wanted): Body<ServiceAccountIn>,
) -> Answer<(StatusCode, Json<ServiceAccountOut>)> {
    sized("/name", &wanted.name, 1..=100)?;
    let roles = parse_roles(&wanted.roles)?;
    no_wider(&caller, &roles)?;
    let mut change = Change::begin(&app, &caller).await?;
    let id = new_actor(&mut change, wanted.kind.kind(), &wanted.name, &roles).await?;
    let row = store::holder(&mut change, id).await?.ok_or_else(not_found)?;
    let event = change
        .event("service_account.created", "actor", &id)
        .with("name", wanted.name)
        .with("type", row.r#type.clone())
        .with("roles", row.roles.clone());
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// What to change of a service or an AI agent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ServiceAccountChange {
    /// What it may do from now on.
    roles: Option<Vec<String>>,
    /// Whether it may act from now on; its keys are dead while it may not.
    is_active: Option<bool>,
}

/// Change what a service or an AI agent may do, or switch it off.
#[utoipa::path(patch, path = "/service-accounts/{id}", tag = "identity",
    request_body = ServiceAccountChange,
    params(("id" = String, Path, description = "The service or agent"), Seen),
    responses((status = 200, body = ServiceAccountOut), (status = "4XX", body = Problem)))]
async fn change_service_account(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Path(id): Path<ActorId>,
    seen: Seen,
    Body(wanted): Body<ServiceAccountChange>,
) -> Answer<Tagged<ServiceAccountOut>> {
    let roles = wanted.roles.as_deref().map(parse_roles).transpose()?;
    no_wider(&caller, roles.as_deref().unwrap_or_default())?;
    let mut change = Change::begin(&app, &caller).await?;
    let row = store::holder(&mut change, id).await?.ok_or_else(not_found)?;
    seen.is(&ServiceAccountOut::from(row))?;
    store::change_holder(&mut change, id, roles.as_deref(), wanted.is_active).await?;
    let row = store::holder(&mut change, id).await?.ok_or_else(not_found)?;
    let event = change
        .event("service_account.changed", "actor", &id)
        .with("roles", row.roles.clone())
        .with("is_active", row.is_active);
    change.commit(event).await?;
    Ok(Tagged(row.into()))
}
