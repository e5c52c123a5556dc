//! Second factors: set up, shown, taken away.
//!
//! A factor is asked for where a vote needs one (`gate::step_up`). Whoever shows theirs gets a new
//! session, and in it one vote on exactly what they named. No code counts twice.

mod store;

pub(in crate::login) use store::remove;

use api::caller::Proof;
use api::idempotency::Secret as ShownOnce;
use api::identity::{new_session, random_text};
use api::permission::{ManageIdentity, OwnAccount};
use api::problem::Answer;
use api::{App, Body, Caller, Can, Change, Problem};
use aws_lc_rs::rand;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use model::Digest;
use model::id::{SessionId, UserId};
use model::secret::Secret;
use model::vault::Purpose;
use sense::sealing;
use sense::store::tenant_key;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::account::{LoginOut, with_cookie};
use super::throttle::Throttle;
use super::{password, totp};

/// Recovery codes somebody gets.
const CODES: usize = 10;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_factor, set_up_factor))
        .routes(routes!(confirm_factor))
        .routes(routes!(remove_factor))
        .routes(routes!(step_up))
        .routes(routes!(reset_factor))
}

/// The person behind a session, and the session.
fn person(caller: &Caller) -> Answer<(UserId, SessionId)> {
    match caller.proof {
        Proof::Session { user, id, .. } => Ok((user, id)),
        Proof::Key { .. } => Err(Problem::conflict(
            "no_session",
            "a second factor belongs to a person: log in, an API key has none",
        )),
    }
}

/// What is known of one's second factor.
#[derive(Serialize, ToSchema)]
struct FactorOut {
    /// `none`, `unconfirmed` or `confirmed`.
    #[schema(example = "confirmed")]
    state: &'static str,
    /// Since when it counts.
    #[schema(value_type = Option<String>, format = DateTime)]
    confirmed_at: Option<model::Timestamp>,
    /// Recovery codes that were not used.
    recovery_codes_left: i64,
}

/// Show whether one has a second factor.
#[utoipa::path(get, path = "/account/second-factor", tag = "identity",
    responses((status = 200, body = FactorOut), (status = "4XX", body = Problem)))]
async fn show_factor(State(app): State<App>, caller: Can<OwnAccount>) -> Answer<Json<FactorOut>> {
    let Ok((user, _)) = person(&caller) else {
        let none = FactorOut { state: "none", confirmed_at: None, recovery_codes_left: 0 };
        return Ok(Json(none));
    };
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let factor = store::of(&mut tx, user).await?;
    let confirmed_at = factor.as_ref().and_then(|factor| factor.confirmed_at);
    let state = match (&factor, confirmed_at) {
        (None, _) => "none",
        (Some(_), None) => "unconfirmed",
        (Some(_), Some(_)) => "confirmed",
    };
    let recovery_codes_left = store::codes_left(&mut tx, user).await?;
    Ok(Json(FactorOut { state, confirmed_at, recovery_codes_left }))
}

/// Setting up a second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FactorIn {
    /// One's password. Whoever has none, because they come through an identity provider, must have
    /// logged in within the last ten minutes.
    #[schema(write_only, max_length = 1024)]
    current_password: Option<String>,
}

model::lacks!(FactorIn: std::fmt::Debug, serde::Serialize, Clone);

/// A second factor that is to be confirmed.
#[derive(Serialize, ToSchema)]
struct FactorMade {
    /// What the generator is given, in base 32. Shown once.
    secret: String,
    /// The same for a picture. Shown once.
    uri: String,
}

model::lacks!(FactorMade: std::fmt::Debug, Clone);

/// Set up a one-time password generator; it counts once it is confirmed.
#[utoipa::path(post, path = "/account/second-factor", tag = "identity", request_body = FactorIn,
    responses((status = 201, body = FactorMade), (status = "4XX", body = Problem)))]
async fn set_up_factor(
    State(app): State<App>,
    Extension(throttle): Extension<Throttle>,
    caller: Can<OwnAccount>,
    Body(wanted): Body<FactorIn>,
) -> Answer<(StatusCode, Extension<ShownOnce>, Json<FactorMade>)> {
    let (user, session) = person(&caller)?;
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let row = super::store::user(&mut tx, user).await?.ok_or_else(|| Problem::not_found("user"))?;
    let recent = store::logged_in_just_now(&mut tx, session).await?;
    drop(tx);
    if let Some(stored) = row.password_hash {
        let guess = throttle.enter(caller.origin.ip.as_deref(), &[&user.to_string()]).await?;
        let given = wanted.current_password.unwrap_or_default();
        if !password::matches(given, Some(stored)).await? {
            let message = "is not the present password";
            return Err(Problem::invalid("/current_password", "wrong", message));
        }
        guess.right();
    } else if !recent {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "login_too_old",
            "Log in again first",
            "a second factor is set up right after logging in: do that again",
        ));
    }
    let mut secret = vec![0; totp::SECRET_BYTES];
    rand::fill(&mut secret)
        .map_err(|_| Problem::unavailable("the system has no randomness to give; try again"))?;
    let made = FactorMade {
        secret: totp::base32(&secret),
        uri: totp::uri(&secret, &caller.tenant().to_string(), &caller.actor.display_name),
    };
    let id = Uuid::now_v7();
    let place = store::place(caller.tenant(), id);
    let mut change = Change::begin(&app, &caller).await?;
    let key = sealing::key(&mut change, &app.vault, Purpose::Request).await;
    let key = key.map_err(|error| Problem::internal(&error))?;
    let sealed = app.vault.seal(&key, &place, &Secret::new(secret));
    let sealed = sealed.map_err(|error| Problem::internal(&error))?;
    store::enrol(&mut change, id, user, &sealed).await.map_err(|error| {
        match error.constraint() {
            Some("second_factors_user_key") => Problem::conflict(
                "factor_confirmed",
                "there is a second factor already: remove it with one of its codes first",
            ),
            _ => error.into(),
        }
    })?;
    let event = change.event("second_factor.enrolled", "user", &user);
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Extension(ShownOnce), Json(made)))
}

/// A code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CodeIn {
    /// What the generator shows, or a recovery code where one may be given.
    #[schema(write_only, example = "287082", max_length = 64)]
    code: String,
}

/// How a factor was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Totp,
    RecoveryCode,
}

impl Shown {
    const fn word(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

fn code_refused() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "code_refused",
        "The code was not taken",
        "the code is wrong, was used before, or is of another time: wait for the next one",
    )
}

/// Takes a code of this factor's. The caller commits, or the code was not taken.
async fn take(
    app: &App,
    change: &mut Change<'_>,
    factor: &store::Factor,
    user: UserId,
    code: &str,
) -> Answer<Option<Shown>> {
    if code.len() != totp::DIGITS {
        let hash = Digest::of(code.trim().as_bytes());
        let taken =
            factor.confirmed_at.is_some() && store::take_recovery(change, user, &hash).await?;
        return Ok(taken.then_some(Shown::RecoveryCode));
    }
    let place = store::place(change.tenant(), factor.id);
    // What wraps it is named where it is sealed.
    let key = factor.sealed.kek_id.parse().map_err(|error| Problem::internal(&error))?;
    let key = tenant_key::get(change, key).await?;
    let secret = match app.vault.open(Some(&key), place, &factor.sealed).await {
        Ok(secret) => secret,
        Err(error) => {
            let event = change.event("second_factor.not_opened", "user", &user);
            let event = event.failed(error.to_string());
            change.note(app, &event).await?;
            return Err(Problem::internal(&error));
        }
    };
    let now = change.now().await?;
    let Some(step) = totp::step_of(secret.expose(), code, now.as_second()) else {
        return Ok(None);
    };
    Ok(store::take_step(change, factor.id, step).await?.then_some(Shown::Totp))
}

/// Takes a code of the caller's, or writes down that it was wrong and says so.
async fn taken<'a>(
    app: &App,
    throttle: &Throttle,
    caller: &'a Caller,
    mut change: Change<'a>,
    code: &str,
) -> Answer<(Shown, store::Factor, Change<'a>)> {
    let (user, _) = person(caller)?;
    let guess = throttle.factor(&user.to_string())?;
    let factor = store::of(&mut change, user).await?.ok_or_else(|| {
        Problem::conflict("no_factor", "there is no second factor: set one up first")
    })?;
    let Some(shown) = take(app, &mut change, &factor, user, code).await? else {
        drop(change);
        let change = Change::begin(app, caller).await?;
        let event = change.event("second_factor.refused", "user", &user).failed("wrong code");
        change.commit(event).await?;
        return Err(code_refused());
    };
    guess.right();
    Ok((shown, factor, change))
}

/// A second factor that counts, with what helps when it is lost.
#[derive(Serialize, ToSchema)]
struct FactorConfirmed {
    /// Each counts once in place of a code. Shown once.
    #[schema(example = json!(["yJ3v0aTgB1c2Qw"]))]
    recovery_codes: Vec<String>,
    /// The session that takes the present one's place.
    #[schema(inline)]
    session: LoginOut,
}

model::lacks!(FactorConfirmed: std::fmt::Debug, Clone);

/// Confirm a second factor with its first code; a new session is opened.
#[utoipa::path(post, path = "/account/second-factor/confirm", tag = "identity",
    request_body = CodeIn,
    responses((status = 200, body = FactorConfirmed), (status = "4XX", body = Problem)))]
async fn confirm_factor(
    State(app): State<App>,
    Extension(throttle): Extension<Throttle>,
    caller: Can<OwnAccount>,
    Body(wanted): Body<CodeIn>,
) -> Answer<Response> {
    let (user, session) = person(&caller)?;
    let change = Change::begin(&app, &caller).await?;
    let (_, factor, mut change) = taken(&app, &throttle, &caller, change, &wanted.code).await?;
    if factor.confirmed_at.is_some() {
        return Err(Problem::conflict("factor_confirmed", "it was confirmed before"));
    }
    let recovery_codes: Vec<String> = (0..CODES).map(|_| random_text(12)).collect::<Answer<_>>()?;
    let hashes: Vec<Digest> =
        recovery_codes.iter().map(|code| Digest::of(code.as_bytes())).collect();
    store::confirm(&mut change, factor.id, user, &hashes).await?;
    let session = renewed(&mut change, session, user).await?;
    let event = change.event("second_factor.confirmed", "user", &user);
    change.commit(event).await?;
    let token = session.token.clone();
    Ok(with_cookie(Json(FactorConfirmed { recovery_codes, session }).into_response(), &token))
}

/// Puts a new session in the place of one; the old one is dead.
async fn renewed(change: &mut Change<'_>, old: SessionId, user: UserId) -> Answer<LoginOut> {
    let token = new_session()?;
    let renewed = super::store::renew_session(change, old, &token.hash).await?;
    let (session_id, expires_at) = renewed.ok_or_else(|| {
        Problem::unauthenticated("this session ended in the meantime: log in again")
    })?;
    Ok(LoginOut {
        token: token.text,
        session_id,
        user_id: user,
        expires_at,
        must_change_password: false,
    })
}

/// Remove one's second factor, with one of its codes or a recovery code.
#[utoipa::path(post, path = "/account/second-factor/remove", tag = "identity",
    request_body = CodeIn,
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn remove_factor(
    State(app): State<App>,
    Extension(throttle): Extension<Throttle>,
    caller: Can<OwnAccount>,
    Body(wanted): Body<CodeIn>,
) -> Answer<StatusCode> {
    let (user, _) = person(&caller)?;
    let change = Change::begin(&app, &caller).await?;
    let (shown, _, mut change) = taken(&app, &throttle, &caller, change, &wanted.code).await?;
    store::remove(&mut change, user).await?;
    let event = change.event("second_factor.removed", "user", &user).with("factor", shown.word());
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Showing one's second factor for one thing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StepUpIn {
    /// What the generator shows, or a recovery code.
    #[schema(write_only, example = "287082", max_length = 64)]
    code: String,
    /// What is to be approved, to the letter: the approval's `bound_hash`.
    #[schema(value_type = String)]
    bound_hash: Digest,
}

/// A second factor that was shown.
#[derive(Serialize, ToSchema)]
struct SteppedUp {
    /// Until when it counts, for one vote.
    #[schema(value_type = String, format = DateTime)]
    fresh_until: model::Timestamp,
    /// The session that takes the present one's place, and that it counts in.
    #[schema(inline)]
    session: LoginOut,
}

/// Show one's second factor for one approval; a new session is opened.
///
/// It counts for five minutes, in the new session alone, for one approving vote on exactly what
/// `bound_hash` names.
#[utoipa::path(post, path = "/account/step-up", tag = "identity", request_body = StepUpIn,
    responses((status = 200, body = SteppedUp), (status = "4XX", body = Problem)))]
async fn step_up(
    State(app): State<App>,
    Extension(throttle): Extension<Throttle>,
    caller: Can<OwnAccount>,
    Body(wanted): Body<StepUpIn>,
) -> Answer<Response> {
    let (user, session) = person(&caller)?;
    let change = Change::begin(&app, &caller).await?;
    let (shown, factor, mut change) = taken(&app, &throttle, &caller, change, &wanted.code).await?;
    if factor.confirmed_at.is_none() {
        return Err(Problem::conflict("no_factor", "the second factor was never confirmed"));
    }
    let session = renewed(&mut change, session, user).await?;
    let fresh_until =
        store::step_up(&mut change, session.session_id, &wanted.bound_hash, shown.word()).await?;
    let event = change
        .event("second_factor.shown", "session", &session.session_id)
        .with("factor", shown.word())
        .with("bound_hash", wanted.bound_hash.to_string());
    change.commit(event).await?;
    let token = session.token.clone();
    Ok(with_cookie(Json(SteppedUp { fresh_until, session }).into_response(), &token))
}

/// Take a user's second factor away, for whoever lost it; their sessions end.
#[utoipa::path(delete, path = "/users/{id}/second-factor", tag = "identity",
    params(("id" = String, Path, description = "The user")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn reset_factor(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Path(id): Path<UserId>,
) -> Answer<StatusCode> {
    if person(&caller).is_ok_and(|(own, _)| own == id) {
        return Err(Problem::forbidden(
            "own_factor",
            "remove your own with one of its codes; if it is lost, somebody else must reset it",
        ));
    }
    let mut change = Change::begin(&app, &caller).await?;
    super::store::user(&mut change, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    if !store::remove(&mut change, id).await? {
        return Err(Problem::not_found("second factor"));
    }
    let ended = super::store::end_sessions(&mut change, id).await?;
    let event = change.event("second_factor.reset", "user", &id).with("sessions_ended", ended);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}
