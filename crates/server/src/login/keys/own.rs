//! People's own API keys: for what they name, and never more than they may themselves.

use api::caller::Proof;
use api::idempotency::Secret;
use api::permission::OwnAccount;
use api::problem::Answer;
use api::{App, Body, Caller, Can, Change, PageOut, Problem, object};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::actor::ActorKind;
use model::id::ApiKeyId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{KeyMade, KeyOut, Keys, Tier, Wanted, revoke, store};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_own_keys, create_own_key))
        .routes(routes!(revoke_own_key))
}

/// A key of one's own to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnKeyIn {
    /// What one calls it.
    #[schema(example = "laptop", min_length = 1, max_length = 100)]
    name: String,
    /// The permissions it is for, by name: at least one.
    #[schema(example = json!(["findings.read"]))]
    scopes: Vec<String>,
    /// When it ends.
    #[schema(value_type = String, format = DateTime, example = "2027-06-01T00:00:00Z")]
    expires_at: model::Timestamp,
}

/// List one's own API keys, newest first unless sorted.
#[utoipa::path(get, path = "/account/api-keys", tag = "identity", params(Keys),
    responses((status = 200, body = PageOut<KeyOut>), (status = "4XX", body = Problem)))]
async fn list_own_keys(
    State(app): State<App>,
    caller: Can<OwnAccount>,
    object::Wanted(wanted, _): object::Wanted<Keys>,
) -> Answer<Json<PageOut<KeyOut>>> {
    not_by_key(&caller)?;
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let own = Some(caller.actor.id);
    Ok(Json(PageOut::of(store::list(&mut tx, own, wanted).await?, KeyOut::from)))
}

/// Make an API key of one's own, in a login session.
///
/// It stands for its owner, so it can do less only: it cannot show a second factor, and ends when
/// its owner is switched off.
#[utoipa::path(post, path = "/account/api-keys", tag = "identity", request_body = OwnKeyIn,
    responses((status = 201, body = KeyMade), (status = "4XX", body = Problem)))]
async fn create_own_key(
    State(app): State<App>,
    caller: Can<OwnAccount>,
    Body(wanted): Body<OwnKeyIn>,
) -> Answer<(StatusCode, Extension<Secret>, Json<KeyMade>)> {
    not_by_key(&caller)?;
    if matches!(caller.proof, Proof::Session { must_change_password: true, .. }) {
        return Err(Problem::forbidden(
            "password_change_required",
            "change the one-time password first: POST /api/v1/account/password",
        ));
    }
    if wanted.scopes.is_empty() {
        return Err(Problem::invalid("/scopes", "length", "must name at least one permission"));
    }
    let key = Wanted {
        name: &wanted.name,
        scopes: &wanted.scopes,
        tier: Tier::default(),
        expires_at: Some(wanted.expires_at),
    };
    key.check()?;
    let actor = caller.actor.id;
    let mut change = Change::begin(&app, &caller).await?;
    let (id, token, event) = key.make(&mut change, actor, actor, ActorKind::User).await?;
    change.commit(event).await?;
    let made = KeyMade { id, actor_id: actor, key: token.text };
    Ok((StatusCode::CREATED, Extension(Secret), Json(made)))
}

/// Revoke an API key of one's own, for good.
#[utoipa::path(delete, path = "/account/api-keys/{id}", tag = "identity",
    params(("id" = String, Path, description = "The key")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn revoke_own_key(
    State(app): State<App>,
    caller: Can<OwnAccount>,
    Path(id): Path<ApiKeyId>,
) -> Answer<StatusCode> {
    // A key that leaked ends itself, and no other.
    if let Proof::Key { id: own, .. } = &caller.proof
        && *own != id
    {
        return Err(Problem::not_found("api_key"));
    }
    revoke(&app, &caller, id, Some(caller.actor.id)).await
}

/// A key is for what its scopes say: it neither makes nor lists others.
fn not_by_key(caller: &Caller) -> Answer<()> {
    match caller.proof {
        Proof::Key { .. } => Err(Problem::conflict("no_session", "a key has no keys: log in")),
        Proof::Session { .. } => Ok(()),
    }
}
