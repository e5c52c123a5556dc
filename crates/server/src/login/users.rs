//! Users over HTTP, for administrators.

use api::etag::{Seen, Tagged};
use api::idempotency::Secret;
use api::identity::random_text;
use api::object::Wanted;
use api::permission::{ManageIdentity, beyond};
use api::problem::Answer;
use api::{App, Body, Caller, Can, Change, PageOut, Problem, listed};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use db::object::hold;
use model::actor::Role;
use model::id::{ActorId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store::{NewUser, UserRow};
use super::{password, store};

/// The routes of this room.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(show_user, change_user, delete_user))
        .routes(routes!(erase_user))
}

/// A user.
#[derive(Serialize, ToSchema)]
pub(super) struct UserOut {
    /// The user.
    #[schema(value_type = String)]
    id: UserId,
    /// As events name it.
    #[schema(value_type = String)]
    actor_id: ActorId,
    /// The login name.
    #[schema(example = "ada")]
    username: String,
    /// The address.
    email: Option<String>,
    /// What people call it.
    full_name: String,
    /// The roles.
    roles: Vec<String>,
    /// Whether it may log in.
    is_active: bool,
    /// When it last did.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_login: Option<model::Timestamp>,
    /// Since when it is.
    #[schema(value_type = String, format = DateTime)]
    created_at: model::Timestamp,
}

impl From<UserRow> for UserOut {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id.into(),
            actor_id: row.actor_id.into(),
            username: row.username,
            email: row.email,
            full_name: row.full_name,
            roles: row.roles,
            is_active: row.is_active,
            last_login: row.last_login.map(jiff_sqlx::Timestamp::to_jiff),
            created_at: row.created_at.to_jiff(),
        }
    }
}

listed! {
    /// Which users are wanted.
    Users: store::USERS, "roles": Role,
}

/// List users, newest first unless sorted.
#[utoipa::path(get, path = "/users", tag = "identity", params(Users),
    responses((status = 200, body = PageOut<UserOut>), (status = "4XX", body = Problem)))]
async fn list_users(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Wanted(wanted, _): Wanted<Users>,
) -> Answer<Json<PageOut<UserOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(PageOut::of(store::users(&mut tx, &wanted).await?, UserOut::from)))
}

/// Show a user.
#[utoipa::path(get, path = "/users/{id}", tag = "identity",
    params(("id" = String, Path, description = "The user")),
    responses((status = 200, body = UserOut), (status = "4XX", body = Problem)))]
async fn show_user(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Path(id): Path<UserId>,
) -> Answer<Tagged<UserOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    store::user(&mut tx, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    let row = store::user_row(&mut tx, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    Ok(Tagged(row.into()))
}

/// A user to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserIn {
    /// The login name: lower case letters, digits and `._@+-`.
    #[schema(example = "ada", pattern = "^[a-z0-9][a-z0-9._@+-]{0,49}$")]
    username: String,
    /// What people call it.
    #[serde(default)]
    #[schema(max_length = 100)]
    full_name: String,
    /// The address.
    #[schema(max_length = 255)]
    email: Option<String>,
    /// The roles: viewer, operator, approver, admin, auditor; `engineer`, `user`, `editor` are
    /// read as what they stand for.
    #[schema(example = json!(["operator"]))]
    roles: Vec<String>,
}

/// A user just made, with its one-time password.
#[derive(Serialize, ToSchema)]
struct UserMade {
    /// The user.
    user: UserOut,
    /// Shown once; to be changed at the first login.
    one_time_password: String,
}

model::lacks!(UserMade: std::fmt::Debug, Clone);

/// Roles from their words.
pub(super) fn parse_roles(words: &[String]) -> Answer<Vec<Role>> {
    let mut roles = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let meant = Role::from_alias(word).ok_or_else(|| {
            Problem::invalid(
                &format!("/roles/{at}"),
                "unknown_role",
                "must be one of viewer, operator, approver, admin, auditor",
            )
        })?;
        for role in meant {
            if !roles.contains(role) {
                roles.push(*role);
            }
        }
    }
    Ok(roles)
}

/// Refuses to give away what the caller does not have.
pub(super) fn no_wider(caller: &Caller, roles: &[Role]) -> Answer<()> {
    let beyond = beyond(caller, roles);
    if beyond.is_empty() {
        return Ok(());
    }
    let detail = format!("these roles may do what you may not: {}", beyond.join(", "));
    Err(Problem::forbidden("wider_than_own", detail))
}

/// Make a user with a one-time password.
#[utoipa::path(post, path = "/users", tag = "identity", request_body = UserIn,
    responses((status = 201, body = UserMade), (status = "4XX", body = Problem)))]
async fn create_user(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Body(wanted): Body<UserIn>,
) -> Answer<(StatusCode, Extension<Secret>, Json<UserMade>)> {
    let roles = parse_roles(&wanted.roles)?;
    no_wider(&caller, &roles)?;
    if wanted.full_name.chars().count() > 100 {
        return Err(Problem::invalid("/full_name", "length", "may have 100 characters"));
    }
    if wanted.email.as_ref().is_some_and(|email| email.chars().count() > 255) {
        return Err(Problem::invalid("/email", "length", "may have 255 characters"));
    }
    let one_time_password = random_text(18)?;
    let hash = password::hash(one_time_password.clone()).await?;
    let full_name = if wanted.full_name.is_empty() { &wanted.username } else { &wanted.full_name };
    let new = NewUser {
        username: &wanted.username,
        full_name,
        email: wanted.email.as_deref(),
        password_hash: Some(&hash),
        must_change_password: true,
        roles: &roles,
    };
    let mut change = Change::begin(&app, &caller).await?;
    let (id, _) = store::new_user(&mut change, &new).await.map_err(taken)?;
    let row = store::user_row(&mut change, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    let event = change
        .event("user.created", "user", &id)
        // Who it is by name stands with the account alone, where it can be erased.
        .with("actor_id", ActorId::from(row.actor_id).to_string())
        .with("roles", row.roles.clone());
    change.commit(event).await?;
    let made = UserMade { user: row.into(), one_time_password };
    Ok((StatusCode::CREATED, Extension(Secret), Json(made)))
}

pub(super) fn taken(error: db::Error) -> Problem {
    match error.constraint() {
        Some("users_username_key") => {
            Problem::conflict("username_taken", "another user has this name")
        }
        Some("users_email_key") => {
            Problem::conflict("email_taken", "another user has this address")
        }
        Some("users_username_shape") => Problem::invalid(
            "/username",
            "shape",
            "must be lower case letters, digits and ._@+- , at most 50, starting with a letter or digit",
        ),
        _ => error.into(),
    }
}

/// What to change of a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserChange {
    /// Its roles from now on.
    roles: Option<Vec<String>>,
    /// Whether it may log in from now on.
    is_active: Option<bool>,
}

/// Change a user's roles or status; its sessions end.
#[utoipa::path(patch, path = "/users/{id}", tag = "identity", request_body = UserChange,
    params(("id" = String, Path, description = "The user"), Seen),
    responses((status = 200, body = UserOut), (status = "4XX", body = Problem)))]
async fn change_user(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Path(id): Path<UserId>,
    seen: Seen,
    Body(wanted): Body<UserChange>,
) -> Answer<Tagged<UserOut>> {
    let roles = wanted.roles.as_deref().map(parse_roles).transpose()?;
    no_wider(&caller, roles.as_deref().unwrap_or_default())?;
    let mut change = Change::begin(&app, &caller).await?;
    hold(&mut change, "countersign.users", id.uuid()).await.map_err(no_such)?;
    store::user(&mut change, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    let row = store::user_row(&mut change, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    seen.is(&UserOut::from(row))?;
    let stays = roles.as_ref().is_none_or(|roles| roles.contains(&Role::Admin));
    if !(stays && wanted.is_active != Some(false)) {
        not_the_last(&mut change, id).await?;
    }
    store::change_user(&mut change, id, roles.as_deref(), wanted.is_active).await?;
    let ended = store::end_sessions(&mut change, id).await?;
    let row = store::user_row(&mut change, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    let event = change
        .event("user.changed", "user", &id)
        .with("roles", row.roles.clone())
        .with("is_active", row.is_active)
        .with("sessions_ended", ended);
    change.commit(event).await?;
    Ok(Tagged(row.into()))
}

fn no_such(error: db::Error) -> Problem {
    match error.kind() {
        db::Kind::NotFound => Problem::not_found("user"),
        _ => error.into(),
    }
}

/// Why a person is erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EraseIn {
    /// Why; without naming them.
    #[schema(min_length = 1, max_length = 1000, example = "Request 2026-118")]
    reason: String,
}

/// Erase a person: nothing says any more who this user was.
///
/// Name, address and login go, sessions end, keys are revoked, conversations are deleted, and of the
/// log what names the person. The log itself stays as it was signed: it verifies, and so does every
/// proof given out before. A legal hold on the log or on evidence refuses it.
#[utoipa::path(post, path = "/users/{id}/erase", tag = "identity", request_body = EraseIn,
    params(("id" = String, Path, description = "The user")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn erase_user(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Path(id): Path<UserId>,
    Body(wanted): Body<EraseIn>,
) -> Answer<StatusCode> {
    api::check::sized("/reason", &wanted.reason, 1..=1_000)?;
    let mut change = Change::begin(&app, &caller).await?;
    let row = store::user_row(&mut change, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    if row.actor_id == caller.actor.id.uuid() {
        return Err(Problem::conflict("own_account", "somebody else must erase this account"));
    }
    not_the_last(&mut change, id).await?;
    let events = store::erase_user(&mut change, id, row.actor_id).await.map_err(held)?;
    super::factor::remove(&mut change, id).await?;
    let event = change
        .event("user.erased", "user", &id)
        .with("reason", wanted.reason)
        .with("events", events);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn held(error: db::Error) -> Problem {
    match error.constraint() {
        Some("legal_hold") => {
            Problem::conflict("legal_hold", "a legal hold keeps what names this person")
        }
        _ => error.into(),
    }
}

/// Whoever is left could not be let in again by anybody.
async fn not_the_last(change: &mut Change<'_>, id: UserId) -> Answer<()> {
    if store::last_admin(change, id).await? {
        let detail = "this is the last administrator who can log in: make another first";
        return Err(Problem::conflict("last_admin", detail));
    }
    Ok(())
}

/// Delete a user for good: sessions, keys and second factor go; the log keeps the name.
#[utoipa::path(delete, path = "/users/{id}", tag = "identity",
    params(("id" = String, Path, description = "The user")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn delete_user(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Path(id): Path<UserId>,
) -> Answer<StatusCode> {
    let mut change = Change::begin(&app, &caller).await?;
    store::user(&mut change, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    not_the_last(&mut change, id).await?;
    store::delete_user(&mut change, id).await?;
    super::factor::remove(&mut change, id).await?;
    let ended = store::end_sessions(&mut change, id).await?;
    let event = change.event("user.deleted", "user", &id).with("sessions_ended", ended);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}
