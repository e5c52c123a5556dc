//! Invitations: a link that makes one user, once, with no more than its inviter may do.

mod store;

use api::caller::From;
use api::check::sized;
use api::idempotency::Secret;
use api::identity::{self, random_text};
use api::permission::{ManageIdentity, beyond_roles};
use api::problem::Answer;
use api::{App, Body, Can, Change, Problem, object};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::actor::Role;
use model::audit::Event;
use model::id::{ActorId, InvitationId, TenantId, UserId};
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::account::self_actor;
use super::password;
use super::store::{NewUser, new_user, user_row};
use super::throttle::Throttle;
use super::users::{UserOut, no_wider, parse_roles, taken};

/// Prefix of what an invited person is sent.
const PREFIX: &str = "csi_";
/// How long an invitation counts when nothing else is said, in hours.
const HOURS: u32 = 72;
/// How long it may count, in hours.
const MOST_HOURS: u32 = 336;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    object::routes::<Invitation>()
        .routes(routes!(invite))
        .routes(routes!(revoke_invitation))
        .routes(routes!(accept_invitation))
}

object! {
    /// An invitation; what was sent with it is nowhere.
    Invitation (InvitationRow, InvitationOut) {
        word: "invitation", plural: "invitations", path: "/invitations",
        table: "countersign.invitations", tag: "identity", verbs: Read,
        id: InvitationId, read: ManageIdentity, write: ManageIdentity,
        example: {}
    }
    given {}
    kept {
        /// Whom it was sent to.
        email: String => Text.filter().search();
        /// What they may do.
        roles: Vec<String> => Texts;
        /// By whom.
        #[schema(value_type = String)]
        invited_by: ActorId => Id.filter();
        /// When it was made.
        created_at: Timestamp => Time.filter().age();
        /// Until when it counts.
        expires_at: Timestamp => Time.filter().sort();
        /// When somebody took it up.
        accepted_at: Option<Timestamp> => Time;
        /// When it was taken back.
        revoked_at: Option<Timestamp> => Time;
        /// Who they are now.
        #[schema(value_type = Option<String>)]
        user_id: Option<UserId> => Id.filter();
    }
    check(_wanted) { Ok(()) }
}

/// An invitation to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationIn {
    /// Whom it is sent to; it becomes their address.
    #[schema(example = "ada@example.com", min_length = 3, max_length = 255)]
    email: String,
    /// What they may do: nothing that whoever invites may not.
    #[schema(example = json!(["operator"]))]
    roles: Vec<String>,
    /// How long it counts.
    #[serde(default = "hours")]
    #[schema(minimum = 1, maximum = 336, example = 72)]
    hours: u32,
}

const fn hours() -> u32 {
    HOURS
}

/// An invitation just made.
#[derive(Serialize, ToSchema)]
struct InvitationMade {
    /// The invitation.
    #[schema(value_type = String)]
    id: InvitationId,
    /// What the invited person is to send. Shown once.
    #[schema(example = "csi_0190a6c27b5e70008000000000000001_…")]
    token: String,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

model::lacks!(InvitationMade: std::fmt::Debug, Clone);

/// Invite somebody to become a user.
#[utoipa::path(post, path = "/invitations", tag = "identity", request_body = InvitationIn,
    responses((status = 201, body = InvitationMade), (status = "4XX", body = Problem)))]
async fn invite(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Body(wanted): Body<InvitationIn>,
) -> Answer<(StatusCode, Extension<Secret>, Json<InvitationMade>)> {
    sized("/email", &wanted.email, 3..=255)?;
    if !wanted.email.contains('@') || wanted.email.chars().any(char::is_whitespace) {
        return Err(Problem::invalid("/email", "shape", "must be an address"));
    }
    if !(1..=MOST_HOURS).contains(&wanted.hours) {
        return Err(Problem::invalid("/hours", "range", format!("must be 1 to {MOST_HOURS}")));
    }
    let roles = parse_roles(&wanted.roles)?;
    no_wider(&caller, &roles)?;
    let token = format!("{PREFIX}{}_{}", caller.tenant().uuid().simple(), random_text(32)?);
    let mut change = Change::begin(&app, &caller).await?;
    let new = store::New {
        email: &wanted.email,
        roles: &roles,
        token: Digest::of(token.as_bytes()),
        by: caller.actor.id,
        hours: wanted.hours,
    };
    let (id, expires_at) = store::insert(&mut change, &new).await?;
    let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
    // Whom it went to stands with the invitation alone: nobody could take it out of the log again.
    let event = change.event("invitation.created", "invitation", &id).with("roles", words);
    change.commit(event).await?;
    let made = InvitationMade { id, token, expires_at };
    Ok((StatusCode::CREATED, Extension(Secret), Json(made)))
}

/// Take an invitation back that nobody took up.
#[utoipa::path(delete, path = "/invitations/{id}", tag = "identity",
    params(("id" = String, Path, description = "The invitation")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn revoke_invitation(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Path(id): Path<InvitationId>,
) -> Answer<StatusCode> {
    let mut change = Change::begin(&app, &caller).await?;
    match store::revoke(&mut change, id).await? {
        None => return Err(Problem::not_found("invitation")),
        Some(store::Revoked::TakenUp) => {
            let detail = "somebody took it up: disable or delete the user instead";
            return Err(Problem::conflict("invitation_taken_up", detail));
        }
        Some(store::Revoked::Now) => {}
    }
    let event = change.event("invitation.revoked", "invitation", &id);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Taking up an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptIn {
    /// What one was sent.
    #[schema(write_only, max_length = 200)]
    token: String,
    /// The login name: lower case letters, digits and `._@+-`.
    #[schema(example = "ada", pattern = "^[a-z0-9][a-z0-9._@+-]{0,49}$")]
    username: String,
    /// What people call one.
    #[serde(default)]
    #[schema(max_length = 100)]
    full_name: String,
    /// One's password: 15 characters or more.
    #[schema(write_only, min_length = 15, max_length = 1024)]
    password: String,
}

model::lacks!(AcceptIn: std::fmt::Debug, serde::Serialize, Clone);

/// Who took an invitation up.
#[derive(Serialize, ToSchema)]
struct InvitationAcceptedOut {
    /// The user.
    #[serde(flatten)]
    user: UserOut,
    /// The tenant's slug, which the user logs in with.
    #[schema(example = "default")]
    tenant: String,
}

/// Take up an invitation: a user is made, who then logs in.
#[utoipa::path(post, path = "/invitations/accept", tag = "identity", request_body = AcceptIn,
    security(()),
    responses((status = 201, body = InvitationAcceptedOut), (status = "4XX", body = Problem)))]
async fn accept_invitation(
    State(app): State<App>,
    Extension(throttle): Extension<Throttle>,
    From(origin): From,
    Body(wanted): Body<AcceptIn>,
) -> Answer<(StatusCode, Json<InvitationAcceptedOut>)> {
    let refused = || {
        let detail = "this invitation is not, or no longer, good: ask for another";
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "invitation_refused",
            "The invitation was not accepted",
            detail,
        )
    };
    throttle.begin(origin.ip.as_deref())?;
    password::check_strength("/password", &wanted.password)?;
    sized("/full_name", &wanted.full_name, 0..=100)?;
    sized("/username", &wanted.username, 1..=50)?;
    let tenant = tenant_of(&wanted.token).ok_or_else(refused)?;
    let token = Digest::of(wanted.token.as_bytes());
    let mut tx = app.db.tenant(tenant).await?;
    // Asked first, so that hashing passwords is for people who were invited.
    store::open(&mut tx, &token).await?.ok_or_else(refused)?;
    drop(tx);
    let hash = password::hash(wanted.password).await?;
    let mut tx = app.db.tenant(tenant).await?;
    let invitation = store::open(&mut tx, &token).await?.ok_or_else(refused)?;
    let inviter = identity::store::load_actor(&mut tx, invitation.by).await?.ok_or_else(refused)?;
    let roles = invitation.roles.iter().map(|word| word.parse::<Role>());
    let roles: Vec<Role> = roles.collect::<Result<_, _>>().map_err(db::Error::internal)?;
    // Whoever invited may have lost since what they gave away.
    if !beyond_roles(&inviter, &roles).is_empty() {
        return Err(refused());
    }
    let full_name = if wanted.full_name.is_empty() { &wanted.username } else { &wanted.full_name };
    let new = NewUser {
        username: &wanted.username,
        full_name,
        email: Some(&invitation.email),
        password_hash: Some(&hash),
        must_change_password: false,
        roles: &roles,
    };
    let (user, actor) = new_user(&mut tx, &new).await.map_err(taken)?;
    store::accept(&mut tx, invitation.id, user).await?;
    let row = user_row(&mut tx, user).await?.ok_or_else(|| Problem::not_found("user"))?;
    let event =
        Event::new(&self_actor(tenant, actor, &wanted.username), "user.created", "user", &user)
            .with("actor_id", actor.to_string())
            .with("roles", row.roles.clone())
            .with("invitation_id", invitation.id.to_string())
            .with("invited_by", invitation.by.to_string())
            .from_origin(origin);
    tx.audit(&event).await?;
    tx.commit().await?;
    let accepted = InvitationAcceptedOut { user: row.into(), tenant: invitation.tenant };
    Ok((StatusCode::CREATED, Json(accepted)))
}

/// The tenant an invitation is of: what was sent names it.
fn tenant_of(token: &str) -> Option<TenantId> {
    let (tenant, _) = token.strip_prefix(PREFIX)?.split_once('_')?;
    Uuid::try_parse(tenant).ok().map(TenantId::from)
}
