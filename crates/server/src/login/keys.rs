//! API keys over HTTP: shown once, bounded by scopes and by their holder's roles, revoked for good.

mod own;
mod service;
mod store;

use api::check::sized;
use api::idempotency::Secret;
use api::identity::{self, Token};
use api::permission::{ManageIdentity, TABLE};
use api::problem::Answer;
use api::{App, Body, Can, Change, PageOut, Problem, listed, object};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::actor::{ActorKind, Role};
use model::id::{ActorId, ApiKeyId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store::new_actor;
use super::users::{no_wider, parse_roles};

/// The routes of this room.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_keys, create_key))
        .routes(routes!(revoke_key))
        .merge(own::routes())
        .merge(service::routes())
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
    /// `service`, `agent`, or `user` for a person's own.
    #[serde(rename = "type")]
    kind: String,
    /// What people call it.
    name: String,
    /// The part that may be shown.
    key_prefix: String,
    /// The permissions it is for; all its holder has when there are none.
    scopes: Vec<String>,
    /// What its quota is counted by: `free`, `pro`, `premium` or `enterprise`.
    tier: String,
    /// What the holder may do at most.
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

impl From<store::KeyRow> for KeyOut {
    fn from(row: store::KeyRow) -> Self {
        Self {
            id: row.id.into(),
            actor_id: row.actor_id.into(),
            kind: row.r#type,
            name: row.name,
            key_prefix: row.key_prefix,
            scopes: row.scopes,
            tier: row.tier,
            roles: row.roles,
            is_active: row.is_active,
            created_at: row.created_at.to_jiff(),
            last_used_at: row.last_used_at.map(jiff_sqlx::Timestamp::to_jiff),
            expires_at: row.expires_at.map(jiff_sqlx::Timestamp::to_jiff),
        }
    }
}

listed! {
    /// Which keys are wanted.
    Keys: store::KEYS, "type": ActorKind, "roles": Role,
}

/// List API keys, newest first unless sorted.
#[utoipa::path(get, path = "/api-keys", tag = "identity", params(Keys),
    responses((status = 200, body = PageOut<KeyOut>), (status = "4XX", body = Problem)))]
async fn list_keys(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    object::Wanted(wanted, _): object::Wanted<Keys>,
) -> Answer<Json<PageOut<KeyOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(PageOut::of(store::list(&mut tx, None, wanted).await?, KeyOut::from)))
}

/// An API key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyIn {
    /// What people call it.
    #[schema(example = "alertmanager-eu", min_length = 1, max_length = 100)]
    name: String,
    /// The service or agent that holds it; a new one when absent.
    #[schema(value_type = Option<String>)]
    actor_id: Option<ActorId>,
    /// Whether a program or an AI agent holds it, of a new holder.
    #[serde(rename = "type", default)]
    kind: HolderIn,
    /// What a new holder may do.
    #[serde(default)]
    #[schema(example = json!(["operator"]))]
    roles: Vec<String>,
    /// The permissions it is for, by name; all its holder has when there are none.
    #[serde(default)]
    #[schema(example = json!(["alerts.send"]))]
    scopes: Vec<String>,
    /// What its quota is counted by: `free`, `pro`, `premium` or `enterprise`.
    #[serde(default)]
    tier: Tier,
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

impl HolderIn {
    const fn kind(self) -> ActorKind {
        match self {
            Self::Service => ActorKind::Service,
            Self::Agent => ActorKind::Agent,
        }
    }
}

/// What a quota is counted by.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Tier {
    /// The smallest.
    Free,
    /// More.
    Pro,
    /// Much more.
    Premium,
    /// The largest.
    #[default]
    Enterprise,
}

impl Tier {
    const fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Pro => "pro",
            Self::Premium => "premium",
            Self::Enterprise => "enterprise",
        }
    }
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

model::lacks!(KeyMade: std::fmt::Debug, Clone);

/// What a key is, whoever holds it.
struct Wanted<'a> {
    name: &'a str,
    scopes: &'a [String],
    tier: Tier,
    expires_at: Option<model::Timestamp>,
}

impl Wanted<'_> {
    fn check(&self) -> Answer<()> {
        sized("/name", self.name, 1..=100)?;
        for (at, scope) in self.scopes.iter().enumerate() {
            if !TABLE.iter().any(|row| row.name == scope) {
                let message = "is no permission; `countersign doctor --permissions` lists them";
                return Err(Problem::invalid(&format!("/scopes/{at}"), "unknown_scope", message));
            }
        }
        Ok(())
    }

    /// Makes the key in a change, and tells of it.
    async fn make(
        &self,
        change: &mut Change<'_>,
        by: ActorId,
        actor: ActorId,
        holder: ActorKind,
    ) -> Answer<(ApiKeyId, Token, model::audit::Event)> {
        if let Some(end) = self.expires_at
            && end <= change.now().await?
        {
            return Err(Problem::invalid("/expires_at", "past", "must be in the future"));
        }
        let token = identity::new_key()?;
        let new = store::NewKey {
            actor,
            name: self.name,
            public_id: &token.public_id,
            hash: &token.hash,
            scopes: self.scopes,
            tier: self.tier.word(),
            created_by: by,
            expires_at: self.expires_at,
        };
        let id = store::insert(change, &new).await?;
        let event = change
            .event("api_key.created", "api_key", &id)
            .with("prefix", token.public_id.clone())
            .with("scopes", self.scopes)
            .with("tier", self.tier.word())
            .with("actor_id", actor.to_string())
            .with("holder", holder.word());
        Ok((id, token, event))
    }
}

/// Make an API key, of a service or agent that is there or of a new one.
///
/// It may do what both its scopes and its holder's roles say, and nothing that whoever makes it
/// may not.
#[utoipa::path(post, path = "/api-keys", tag = "identity", request_body = KeyIn,
    responses((status = 201, body = KeyMade), (status = "4XX", body = Problem)))]
async fn create_key(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Body(wanted): Body<KeyIn>,
) -> Answer<(StatusCode, Extension<Secret>, Json<KeyMade>)> {
    let key = Wanted {
        name: &wanted.name,
        scopes: &wanted.scopes,
        tier: wanted.tier,
        expires_at: wanted.expires_at,
    };
    key.check()?;
    let roles = parse_roles(&wanted.roles)?;
    let mut change = Change::begin(&app, &caller).await?;
    let (actor, kind) = match wanted.actor_id {
        None => {
            no_wider(&caller, &roles)?;
            let kind = wanted.kind.kind();
            (new_actor(&mut change, kind, &wanted.name, &roles).await?, kind)
        }
        Some(id) => {
            if !roles.is_empty() {
                let message = "are those of the holder: change them there";
                return Err(Problem::invalid("/roles", "not_allowed", message));
            }
            let holder = store::holder(&mut change, id).await?;
            let message = "is no service or agent here";
            let missing = || Problem::invalid("/actor_id", "no_such_reference", message);
            let holder = holder.ok_or_else(missing)?;
            no_wider(&caller, &words(&holder.roles)?)?;
            (id, holder.r#type.parse().map_err(db::Error::internal)?)
        }
    };
    let (id, token, event) = key.make(&mut change, caller.actor.id, actor, kind).await?;
    change.commit(event).await?;
    let made = KeyMade { id, actor_id: actor, key: token.text };
    Ok((StatusCode::CREATED, Extension(Secret), Json(made)))
}

/// Roles as the database has them.
fn words(words: &[String]) -> Answer<Vec<Role>> {
    let roles: Result<_, _> = words.iter().map(|word| word.parse::<Role>()).collect();
    Ok(roles.map_err(db::Error::internal)?)
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
    revoke(&app, &caller, id, None).await
}

async fn revoke(
    app: &App,
    caller: &api::Caller,
    id: ApiKeyId,
    of: Option<ActorId>,
) -> Answer<StatusCode> {
    let mut change = Change::begin(app, caller).await?;
    if !store::revoke(&mut change, id, of).await? {
        return Err(Problem::not_found("API key"));
    }
    let event = change.event("api_key.revoked", "api_key", &id);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}
