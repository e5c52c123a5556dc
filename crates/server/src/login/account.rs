//! Logging in and out, and one's own account.

use api::caller::{Caller, From, Proof};
use api::idempotency::Secret;
use api::identity::{COOKIE, new_session};
use api::permission::{self, OwnAccount};
use api::problem::Answer;
use api::{App, Body, Can, Change, Problem};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use model::actor::{Actor, ActorKind};
use model::audit::Event;
use model::id::{ActorId, SessionId, TenantId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::throttle::Throttle;
use super::{password, store};

/// The routes of this room.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(log_in))
        .routes(routes!(log_out))
        .routes(routes!(get_account))
        .routes(routes!(change_password))
}

/// A login.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoginIn {
    /// The tenant's slug; `default` when absent.
    #[serde(default = "default_tenant")]
    #[schema(example = "default", max_length = 63)]
    tenant: String,
    /// The login name.
    #[schema(example = "admin", max_length = 50)]
    username: String,
    /// The password.
    #[schema(example = "correct horse battery staple", max_length = 1024)]
    password: String,
}

model::lacks!(LoginIn: std::fmt::Debug, serde::Serialize, Clone);

pub(super) fn default_tenant() -> String {
    "default".to_owned()
}

/// An open session.
#[derive(Serialize, ToSchema)]
pub(super) struct LoginOut {
    /// Send it as `Authorization: Bearer …`. Shown once.
    pub(super) token: String,
    /// The session.
    #[schema(value_type = String)]
    pub(super) session_id: SessionId,
    /// The user.
    #[schema(value_type = String)]
    pub(super) user_id: UserId,
    /// When the session ends.
    #[schema(value_type = String, format = DateTime)]
    pub(super) expires_at: model::Timestamp,
    /// Whether the password must be changed before anything else.
    pub(super) must_change_password: bool,
}

model::lacks!(LoginOut: std::fmt::Debug, Clone);

/// Log in with a password.
///
/// Whoever is logged in already gets a new session; the old one ends. Wrong passwords are
/// limited by address, and by account and address: 429 says in `Retry-After` how long to wait.
#[utoipa::path(post, path = "/login", tag = "identity", request_body = LoginIn,
    responses((status = 200, body = LoginOut), (status = "4XX", body = Problem)))]
async fn log_in(
    State(app): State<App>,
    Extension(throttle): Extension<Throttle>,
    From(origin): From,
    old: Result<Caller, Problem>,
    Body(login): Body<LoginIn>,
) -> Answer<Response> {
    let wrong = || Problem::unauthenticated("tenant, user name or password is wrong");
    let guess = throttle.enter(origin.ip.as_deref(), &[&login.tenant, &login.username]).await?;
    let tenant = store::tenant_by_slug(&app.db, &login.tenant).await?;
    let user = match tenant {
        Some(tenant) => {
            let mut tx = app.db.tenant(tenant).await?;
            store::user_by_name(&mut tx, &login.username).await?
        }
        None => None,
    };
    let known = match (tenant, &user, &origin.ip) {
        (Some(tenant), Some(user), Some(address)) => {
            let mut tx = app.db.tenant(tenant).await?;
            store::address_known(&mut tx, user.id.into(), address).await?
        }
        _ => false,
    };
    let strange =
        if known { None } else { Some(throttle.stranger(&[&login.tenant, &login.username])?) };
    let stored = user.as_ref().and_then(|user| user.password_hash.clone());
    let right = password::matches(login.password, stored.clone()).await?;
    let (Some(tenant), Some(user)) = (tenant, user) else { return Err(wrong()) };
    let actor = self_actor(tenant, user.actor_id.into(), &login.username);
    if !right || !user.is_active {
        let mut tx = app.db.tenant(tenant).await?;
        let event = Event::new(&actor, "login.failed", "user", &UserId::from(user.id))
            .failed("wrong password or inactive user")
            .from_origin(origin);
        tx.audit(&event).await?;
        tx.commit().await?;
        return Err(wrong());
    }
    guess.right();
    if let Some(strange) = strange {
        strange.right();
    }
    let token = new_session()?;
    let mut tx = app.db.tenant(tenant).await?;
    // It took a while: the password may be another one by now.
    if !store::password_stands(&mut tx, user.id.into(), stored.as_deref()).await? {
        return Err(wrong());
    }
    if let Ok(Caller { proof: Proof::Session { id, .. }, actor: old, .. }) = &old
        && old.tenant_id == tenant
    {
        store::end_session(&mut tx, *id).await?;
    }
    let (session_id, expires_at) =
        store::open_session(&mut tx, user.id.into(), &token.hash, &origin).await?;
    let event = Event::new(&actor, "login.succeeded", "session", &session_id).from_origin(origin);
    tx.audit(&event).await?;
    tx.commit().await?;
    let out = LoginOut {
        token: token.text.clone(),
        session_id,
        user_id: user.id.into(),
        expires_at,
        must_change_password: user.must_change_password,
    };
    Ok(with_cookie(Json(out).into_response(), &token.text))
}

/// The actor of somebody who is only just logging in.
pub(super) fn self_actor(tenant_id: TenantId, id: ActorId, username: &str) -> Actor {
    Actor {
        id,
        tenant_id,
        kind: ActorKind::User,
        display_name: username.to_owned(),
        roles: std::collections::BTreeSet::new(),
    }
}

/// Answers with a session's token, which is shown once.
pub(super) fn with_cookie(mut response: Response, token: &str) -> Response {
    response.extensions_mut().insert(Secret);
    let cookie = format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// Log out: this session ends.
#[utoipa::path(post, path = "/logout", tag = "identity",
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn log_out(State(app): State<App>, caller: Can<OwnAccount>) -> Answer<StatusCode> {
    let Proof::Session { id, .. } = &caller.proof else {
        return Err(Problem::conflict("no_session", "an API key has no session to end: revoke it"));
    };
    let mut change = Change::begin(&app, &caller).await?;
    store::end_session(&mut change, *id).await?;
    let event = change.event("session.ended", "session", id);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is asking.
#[derive(Serialize, ToSchema)]
struct AccountOut {
    /// The actor, as events name it.
    #[schema(value_type = String)]
    actor_id: ActorId,
    /// The tenant.
    #[schema(value_type = String)]
    tenant_id: TenantId,
    /// `user`, `service` or `agent`.
    #[serde(rename = "type")]
    #[schema(example = "user")]
    kind: String,
    /// What people call it.
    display_name: String,
    /// Its roles.
    #[schema(example = json!(["operator", "approver"]))]
    roles: Vec<String>,
    /// What it may do, by the names of permissions. While the password must be changed it may do
    /// nothing of this but change it.
    #[schema(value_type = Vec<String>, example = json!(["findings.read", "approvals.vote"]))]
    permissions: Vec<&'static str>,
    /// Whether the password must be changed before anything else.
    must_change_password: bool,
}

/// Show who one is.
#[utoipa::path(get, path = "/account", tag = "identity",
    responses((status = 200, body = AccountOut), (status = "4XX", body = Problem)))]
async fn get_account(caller: Can<OwnAccount>) -> Json<AccountOut> {
    Json(AccountOut {
        actor_id: caller.actor.id,
        tenant_id: caller.tenant(),
        kind: caller.actor.kind.word().to_owned(),
        display_name: caller.actor.display_name.clone(),
        roles: caller.actor.roles.iter().map(|role| role.word().to_owned()).collect(),
        permissions: permission::of(&caller),
        must_change_password: matches!(
            caller.proof,
            Proof::Session { must_change_password: true, .. }
        ),
    })
}

/// A change of one's password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordIn {
    /// The present one.
    #[schema(max_length = 1024)]
    current_password: String,
    /// The new one: 15 characters or more.
    #[schema(min_length = 15, max_length = 1024)]
    new_password: String,
}

model::lacks!(PasswordIn: std::fmt::Debug, serde::Serialize, Clone);

/// Change one's password; every session ends, and a new one is opened.
#[utoipa::path(post, path = "/account/password", tag = "identity", request_body = PasswordIn,
    responses((status = 200, body = LoginOut), (status = "4XX", body = Problem)))]
async fn change_password(
    State(app): State<App>,
    Extension(throttle): Extension<Throttle>,
    caller: Can<OwnAccount>,
    Body(wanted): Body<PasswordIn>,
) -> Answer<Response> {
    let Proof::Session { user, .. } = &caller.proof else {
        return Err(Problem::conflict("no_password", "an API key has no password to change"));
    };
    password::check_strength("/new_password", &wanted.new_password)?;
    let guess = throttle.enter(caller.origin.ip.as_deref(), &[&user.to_string()]).await?;
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let row = store::user(&mut tx, *user).await?.ok_or_else(|| Problem::not_found("user"))?;
    drop(tx);
    let wrong = || Problem::invalid("/current_password", "wrong", "is not the present password");
    if !password::matches(wanted.current_password, row.password_hash.clone()).await? {
        return Err(wrong());
    }
    guess.right();
    let hash = password::hash(wanted.new_password).await?;
    let token = new_session()?;
    let mut change = Change::begin(&app, &caller).await?;
    if !store::password_stands(&mut change, *user, row.password_hash.as_deref()).await? {
        return Err(wrong());
    }
    store::set_password(&mut change, *user, &hash, false).await?;
    store::end_sessions(&mut change, *user).await?;
    let (session_id, expires_at) =
        store::open_session(&mut change, *user, &token.hash, &caller.origin).await?;
    let event = change.event("password.changed", "user", user);
    change.commit(event).await?;
    let out = LoginOut {
        token: token.text.clone(),
        session_id,
        user_id: *user,
        expires_at,
        must_change_password: false,
    };
    Ok(with_cookie(Json(out).into_response(), &token.text))
}
