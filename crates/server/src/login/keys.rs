//! API keys over HTTP: shown once, revoked for good.

use api::idempotency::Secret;
use api::identity;
use api::permission::ManageIdentity;
use api::problem::Answer;
use api::{App, Body, Can, Change, PageOut, Paging, Problem};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::actor::ActorKind;
use model::id::{ActorId, ApiKeyId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store;
use super::users::parse_roles;

/// The routes of this room.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_keys, create_key)).routes(routes!(revoke_key))
}

/// An API key: never its secret.
#[derive(Serialize, ToSchema)]
struct KeyOut {
    /// The key.
    #[schema(value_type = String)]
    id: ApiKeyId,
    /// Whose it is, as events name it.
    #[schema(value_type = String)]
    actor_id: ActorId,
    /// `service` or `agent`.
    #[serde(rename = "type")]
    kind: String,
    /// What people call it.
    name: String,
    /// The part that may be shown.
    key_prefix: String,
    /// What the holder may do.
    roles: Vec<String>,
    /// Whether it works.
    is_active: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: model::Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<model::Timestamp>,
    /// When it ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<model::Timestamp>,
}

/// List API keys, newest first.
#[utoipa::path(get, path = "/api-keys", tag = "identity", params(api::page::PagingIn),
    responses((status = 200, body = PageOut<KeyOut>), (status = "4XX", body = Problem)))]
async fn list_keys(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Paging(page): Paging,
) -> Answer<Json<PageOut<KeyOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(PageOut::of(store::keys(&mut tx, &page).await?, |row| KeyOut {
        id: row.id.into(),
        actor_id: row.actor_id.into(),
        kind: row.r#type,
        name: row.name,
        key_prefix: row.key_prefix,
        roles: row.roles,
        is_active: row.is_active,
        created_at: row.created_at.to_jiff(),
        last_used_at: row.last_used_at.map(jiff_sqlx::Timestamp::to_jiff),
        expires_at: row.expires_at.map(jiff_sqlx::Timestamp::to_jiff),
    })))
}

/// An API key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyIn {
    /// What people call it.
    #[schema(example = "alertmanager-eu", min_length = 1, max_length = 100)]
    name: String,
    /// Whether a program or an AI agent holds it.
    #[serde(rename = "type", default)]
    kind: HolderIn,
    /// What the holder may do.
    #[schema(example = json!(["operator"]))]
    roles: Vec<String>,
    /// When it ends; never when absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<model::Timestamp>,
}

/// Who holds a key.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HolderIn {
    /// A program.
    #[default]
    Service,
    /// An AI agent.
    Agent,
}

/// An API key just made.
#[derive(Serialize, ToSchema)]
struct KeyMade {
    /// The key.
    #[schema(value_type = String)]
    id: ApiKeyId,
    /// As events name its holder.
    #[schema(value_type = String)]
    actor_id: ActorId,
    /// What the holder sends. Shown once.
    #[schema(example = "cs_4mZ0aB1c_…")]
    key: String,
}

/// Make an API key with an actor of its own.
#[utoipa::path(post, path = "/api-keys", tag = "identity", request_body = KeyIn,
    responses((status = 201, body = KeyMade), (status = "4XX", body = Problem)))]
async fn create_key(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Body(wanted): Body<KeyIn>,
) -> Answer<(StatusCode, Extension<Secret>, Json<KeyMade>)> {
    if !(1..=100).contains(&wanted.name.chars().count()) {
        return Err(Problem::invalid("/name", "length", "must have 1 to 100 characters"));
    }
    let roles = parse_roles(&wanted.roles)?;
    let kind = match wanted.kind {
        HolderIn::Service => ActorKind::Service,
        HolderIn::Agent => ActorKind::Agent,
    };
    let token = identity::new_key()?;
    let mut change = Change::begin(&app, &caller).await?;
    let actor = store::new_actor(&mut change, kind, &wanted.name, &roles).await?;
    let new = store::NewKey {
        actor,
        name: &wanted.name,
        public_id: &token.public_id,
        hash: &token.hash,
        created_by: Some(caller.actor.id),
        expires_at: wanted.expires_at,
    };
    let id = store::new_key(&mut change, &new).await?;
    let event = change
        .event("api_key.created", "api_key", &id)
        .with("name", wanted.name)
        .with("prefix", token.public_id)
        .with("holder", kind.word());
    change.commit(event).await?;
    let made = KeyMade { id, actor_id: actor, key: token.text };
    Ok((StatusCode::CREATED, Extension(Secret), Json(made)))
}

/// Revoke an API key, for good.
#[utoipa::path(delete, path = "/api-keys/{id}", tag = "identity",
    params(("id" = String, Path, description = "The key")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn revoke_key(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Path(id): Path<ApiKeyId>,
) -> Answer<StatusCode> {
    let mut change = Change::begin(&app, &caller).await?;
    if !store::revoke_key(&mut change, id).await? {
        return Err(Problem::not_found("API key"));
    }
    let event = change.event("api_key.revoked", "api_key", &id);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}
