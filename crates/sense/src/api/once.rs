//! Secrets told once: whoever has the token hears it, the first time, in time, in this tenant.
//!
//! Nothing else here shows a secret. That a token is presented a second time means that two people
//! have it, so it is a finding.

use api::idempotency::Secret as ShownOnce;
use api::identity::random_text;
use api::permission::{OwnAccount, ShareSecrets};
use api::problem::Answer;
use api::{App, Body, Can, Change, Problem};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::SignedDuration;
use model::Digest;
use model::id::OnceId;
use model::level::Severity;
use model::secret::Secret;
use model::vault::Purpose;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer;
use super::credential::no_secret;
use crate::report::{Detail, Reported, fold};
use crate::sealing;
use crate::store::once::{self, NewOnce, Presented};
use crate::store::{report, tenant_key};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(wrap_one_time_secret))
        .routes(routes!(unwrap_one_time_secret))
}

/// A secret to be told once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OnceIn {
    /// The secret.
    #[schema(write_only, min_length = 1, max_length = 65536)]
    secret: String,
    /// For how long it is told, in seconds: a minute to a week, an hour when absent.
    #[schema(minimum = 60, maximum = 604_800, example = 3600)]
    ttl_s: Option<u32>,
}

/// A wrapped secret.
#[derive(Serialize, ToSchema)]
pub(super) struct OnceOut {
    /// Its id.
    #[schema(value_type = String)]
    id: OnceId,
    /// What unwraps it, shown once: give it to whoever is to have the secret.
    token: String,
    /// Until when it is told.
    #[schema(value_type = String, format = DateTime)]
    expires_at: model::Timestamp,
}

/// What unwraps a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenIn {
    /// The token.
    #[schema(write_only, max_length = 200)]
    token: String,
}

/// A secret, told.
#[derive(Serialize, ToSchema)]
pub(super) struct ToldOut {
    /// The secret. Nobody can ask for it again.
    secret: String,
}

/// Wrap a secret to be told once.
#[utoipa::path(post, path = "/one-time-secrets", tag = "keys", request_body = OnceIn,
    responses((status = 201, body = OnceOut), (status = "4XX", body = Problem)))]
async fn wrap_one_time_secret(
    State(app): State<App>,
    caller: Can<ShareSecrets>,
    Body(wanted): Body<OnceIn>,
) -> Answer<(StatusCode, Extension<ShownOnce>, Json<OnceOut>)> {
    if !(1..=65_536).contains(&wanted.secret.len()) {
        return Err(Problem::invalid("/secret", "length", "must have 1 to 65536 bytes"));
    }
    let ttl_s = wanted.ttl_s.unwrap_or(3_600);
    if !(60..=604_800).contains(&ttl_s) {
        return Err(Problem::invalid("/ttl_s", "out_of_range", "must be 60 to 604800"));
    }
    let (id, token) = (OnceId::generate(), random_text(32)?);
    let mut change = Change::begin(&app, &caller).await?;
    let key = sealing::key(&mut change, &app.vault, Purpose::Request).await.map_err(no_secret)?;
    let place = once::place(change.tenant(), id);
    let sealed = app
        .vault
        .seal(&key, &place, &Secret::from(wanted.secret))
        .map_err(|error| no_secret(error.into()))?;
    let expires_at = change.now().await? + SignedDuration::from_secs(ttl_s.into());
    let hash = Digest::of(token.as_bytes());
    let by = caller.actor.id;
    let new = NewOnce { id, token: hash, key: key.id, sealed: &sealed, expires_at, by };
    once::insert(&mut change, &new).await?;
    let event = change
        .event("one_time_secret.wrapped", "one_time_secret", &id)
        .with("expires_at", expires_at.to_string());
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Extension(ShownOnce), Json(OnceOut { id, token, expires_at })))
}

/// Unwrap a secret: the first time, and in time.
///
/// A token presented again is a finding: somebody else had it.
#[utoipa::path(post, path = "/one-time-secrets/unwrap", tag = "keys", request_body = TokenIn,
    responses((status = 200, body = ToldOut), (status = "4XX", body = Problem)))]
async fn unwrap_one_time_secret(
    State(app): State<App>,
    caller: Can<OwnAccount>,
    Body(given): Body<TokenIn>,
) -> Answer<(Extension<ShownOnce>, Json<ToldOut>)> {
    let mut change = Change::begin(&app, &caller).await?;
    let hash = Digest::of(given.token.as_bytes());
    let taken = once::take(&mut change, hash, caller.actor.id).await;
    match answer("one-time secret", taken)? {
        Presented::Now(id, key, sealed) => {
            let key = tenant_key::get(&mut change, key).await?;
            let place = once::place(change.tenant(), id);
            let secret = match app.vault.open(Some(&key), place, &sealed).await {
                Ok(secret) => secret,
                Err(error) => {
                    let event = change.event("one_time_secret.not_opened", "one_time_secret", &id);
                    // It is not told, so it stays as it was: the event alone is written.
                    change.note(&app, &event.failed(error.to_string())).await?;
                    return Err(no_secret(error.into()));
                }
            };
            let event = change.event("one_time_secret.unwrapped", "one_time_secret", &id);
            // Told only once it is certain that nobody else will be.
            change.commit(event).await?;
            let secret = String::from_utf8_lossy(secret.expose()).into_owned();
            Ok((Extension(ShownOnce), Json(ToldOut { secret })))
        }
        Presented::Before(id) => Err(told_before(change, id).await?),
        Presented::Late(id) => {
            let event = change
                .event("one_time_secret.refused", "one_time_secret", &id)
                .failed("it was not asked for in time");
            change.commit(event).await?;
            let detail = "this secret was not asked for in time; have it wrapped again";
            Err(Problem::conflict("told_no_more", detail))
        }
    }
}

/// Two people have the token: an event, and a finding for somebody to look into.
async fn told_before(mut change: Change<'_>, id: OnceId) -> Answer<Problem> {
    tracing::error!(one_time_secret = %id, "the token of a one-time secret was presented again");
    let finding = Reported {
        fingerprint: format!("one-time-secret/{id}"),
        began_at: None,
        title: "The token of a one-time secret was presented again".to_owned(),
        reason: format!(
            "{id} was told before: its token is in more than one pair of hands, so whoever it was \
             for may not be who heard it. Replace the secret."
        ),
        severity: Severity::High,
        severity_score: None,
        confidence_score: None,
        resource_id: None,
        environment_id: None,
        detail: Detail::Exposure,
    };
    report::place(&mut change, &fold(vec![finding])).await?;
    let event = change
        .event("one_time_secret.presented_again", "one_time_secret", &id)
        .failed("it was told before");
    change.commit(event).await?;
    let detail = "this secret was told before; if it was not to you, have it replaced";
    Ok(Problem::conflict("told_before", detail))
}
