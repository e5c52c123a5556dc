//! Circuit breakers: where they stand, their settings, and the hand that opens or closes one.

use api::permission::{ReadPolicy, WritePolicy};
use api::problem::Answer;
use api::{App, Body, Can, Change, PageOut, Paging, Problem};
use axum::Json;
use axum::extract::{Path, State};
use model::Timestamp;
use model::id::{ResourceId, RunbookId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::breaker::{
    BreakerScope, Event, FAILURE_THRESHOLD, Key, RESET_TIMEOUT_S, SUCCESS_THRESHOLD, Settings,
    State as Stand,
};
use crate::store::breakers::{self, Hold, StoredBreaker};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_breakers))
        .routes(routes!(configure_breaker))
        .routes(routes!(open_breaker))
        .routes(routes!(close_breaker))
}

/// A circuit breaker.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BreakerOut {
    /// Its id.
    id: String,
    /// `runbook`, `resource`, `tool` or `global`.
    #[schema(value_type = String, example = "runbook")]
    scope: BreakerScope,
    /// The runbook's or resource's id, the action's name, or `global`.
    scope_id: String,
    /// `closed`, `open` or `half_open`.
    #[schema(example = "closed")]
    state: String,
    /// Why a person opened it.
    manual_reason: Option<String>,
    /// When it may be tried again, if time alone brings that about.
    #[schema(value_type = Option<String>, format = DateTime)]
    retry_at: Option<Timestamp>,
    /// Consecutive failures that open it.
    failure_threshold: u32,
    /// Successes in `half_open` that close it.
    success_threshold: u32,
    /// Seconds it stays open the first time.
    reset_timeout_seconds: u32,
    /// Failures it counted since the last success.
    failure_count: u32,
    /// Successes it counted on trial.
    success_count: u32,
    /// The last failure it was told of.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_failure_at: Option<Timestamp>,
    /// When it last opened.
    #[schema(value_type = Option<String>, format = DateTime)]
    opened_at: Option<Timestamp>,
    /// When it was last put on trial.
    #[schema(value_type = Option<String>, format = DateTime)]
    half_open_at: Option<Timestamp>,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

fn out(stored: StoredBreaker) -> BreakerOut {
    let breaker = stored.breaker;
    BreakerOut {
        id: stored.id.to_string(),
        state: breaker.state.word().to_owned(),
        retry_at: breaker.state.retry_at(),
        scope: breaker.key.scope,
        scope_id: breaker.key.scope_id,
        manual_reason: match breaker.state {
            Stand::Held { reason, .. } => Some(reason),
            Stand::Closed { .. } | Stand::Open { .. } | Stand::HalfOpen { .. } => None,
        },
        failure_threshold: breaker.settings.failure_threshold,
        success_threshold: breaker.settings.success_threshold,
        reset_timeout_seconds: breaker.settings.reset_timeout_s,
        failure_count: stored.failure_count,
        success_count: stored.success_count,
        last_failure_at: stored.last_failure_at,
        opened_at: stored.opened_at,
        half_open_at: stored.half_open_at,
        updated_at: stored.updated_at,
    }
}

/// List breakers, newest first.
#[utoipa::path(get, path = "/circuit-breakers", tag = "guards", params(api::page::PagingIn),
    responses((status = 200, body = PageOut<BreakerOut>), (status = "4XX", body = Problem)))]
async fn list_breakers(
    State(app): State<App>,
    caller: Can<ReadPolicy>,
    Paging(page): Paging,
) -> Answer<Json<PageOut<BreakerOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(PageOut::of(breakers::list(&mut tx, &page).await?, out)))
}

/// When a breaker opens, closes and tries again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BreakerSettingsIn {
    /// Consecutive failures that open it; 5 when absent.
    #[serde(default = "failures")]
    #[schema(minimum = 1)]
    failure_threshold: u32,
    /// Successes in `half_open` that close it; 3 when absent.
    #[serde(default = "successes")]
    #[schema(minimum = 1)]
    success_threshold: u32,
    /// Seconds it stays open the first time; 300 when absent.
    #[serde(default = "reset")]
    #[schema(minimum = 1)]
    reset_timeout_seconds: u32,
}

const fn failures() -> u32 {
    FAILURE_THRESHOLD
}

const fn successes() -> u32 {
    SUCCESS_THRESHOLD
}

const fn reset() -> u32 {
    RESET_TIMEOUT_S
}

/// Set up a breaker, or change when it opens and closes.
#[utoipa::path(put, path = "/circuit-breakers/{scope}/{scope_id}", tag = "guards",
    request_body = BreakerSettingsIn, params(
        ("scope" = String, Path, description = "`runbook`, `resource`, `tool` or `global`"),
        ("scope_id" = String, Path, description = "Id, action, or `global`")),
    responses((status = 200, body = BreakerOut), (status = "4XX", body = Problem)))]
async fn configure_breaker(
    State(app): State<App>,
    caller: Can<WritePolicy>,
    Path((scope, scope_id)): Path<(String, String)>,
    Body(wanted): Body<BreakerSettingsIn>,
) -> Answer<Json<BreakerOut>> {
    let key = key(&scope, &scope_id)?;
    let settings = Settings {
        failure_threshold: wanted.failure_threshold,
        success_threshold: wanted.success_threshold,
        reset_timeout_s: wanted.reset_timeout_seconds,
    };
    let mut change = Change::begin(&app, &caller).await?;
    breakers::configure(&mut change, &key, settings).await?;
    let stored = one(&mut change, &key).await?;
    let event = change
        .event("breaker.configured", "breaker", &stored.id)
        .with("scope", key.scope.word())
        .with("scope_id", key.scope_id.clone())
        .with("failure_threshold", settings.failure_threshold)
        .with("success_threshold", settings.success_threshold)
        .with("reset_timeout_seconds", settings.reset_timeout_s);
    change.commit(event).await?;
    Ok(Json(out(stored)))
}

/// Why a breaker is opened or closed by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OverrideIn {
    /// In words.
    #[schema(min_length = 1, max_length = 500, example = "release freeze")]
    reason: String,
}

/// Open a breaker by hand: nothing it is about starts until somebody closes it.
#[utoipa::path(post, path = "/circuit-breakers/{scope}/{scope_id}/open", tag = "guards",
    request_body = OverrideIn, params(
        ("scope" = String, Path, description = "`runbook`, `resource`, `tool` or `global`"),
        ("scope_id" = String, Path, description = "Id, action, or `global`")),
    responses((status = 200, body = BreakerOut), (status = "4XX", body = Problem)))]
async fn open_breaker(
    State(app): State<App>,
    caller: Can<WritePolicy>,
    Path((scope, scope_id)): Path<(String, String)>,
    Body(wanted): Body<OverrideIn>,
) -> Answer<Json<BreakerOut>> {
    let event = Event::Opened { reason: wanted.reason.clone() };
    by_hand(&app, &caller, &key(&scope, &scope_id)?, &event, &wanted.reason).await
}

/// Close a breaker by hand, whatever opened it.
#[utoipa::path(post, path = "/circuit-breakers/{scope}/{scope_id}/close", tag = "guards",
    request_body = OverrideIn, params(
        ("scope" = String, Path, description = "`runbook`, `resource`, `tool` or `global`"),
        ("scope_id" = String, Path, description = "Id, action, or `global`")),
    responses((status = 200, body = BreakerOut), (status = "4XX", body = Problem)))]
async fn close_breaker(
    State(app): State<App>,
    caller: Can<WritePolicy>,
    Path((scope, scope_id)): Path<(String, String)>,
    Body(wanted): Body<OverrideIn>,
) -> Answer<Json<BreakerOut>> {
    by_hand(&app, &caller, &key(&scope, &scope_id)?, &Event::Closed, &wanted.reason).await
}

async fn by_hand(
    app: &App,
    caller: &Can<WritePolicy>,
    key: &Key,
    event: &Event,
    reason: &str,
) -> Answer<Json<BreakerOut>> {
    if !(1..=500).contains(&reason.trim().chars().count()) {
        return Err(Problem::invalid("/reason", "length", "must have 1 to 500 characters"));
    }
    let mut change = Change::begin(app, caller).await?;
    breakers::override_by_hand(&mut change, key, event, &(&caller.actor).into()).await?;
    let stored = one(&mut change, key).await?;
    let told = change
        .event("breaker.overridden", "breaker", &stored.id)
        .with("scope", key.scope.word())
        .with("scope_id", key.scope_id.clone())
        .with("state", stored.breaker.state.word())
        .with("reason", reason);
    change.commit(told).await?;
    Ok(Json(out(stored)))
}

async fn one(tx: &mut db::TenantTx, key: &Key) -> Answer<StoredBreaker> {
    let found = breakers::load(tx, std::slice::from_ref(key), Hold::Read).await?;
    found.into_iter().next().ok_or_else(|| Problem::not_found("circuit breaker"))
}

/// Ids are written one way, or the breaker would never be asked.
fn key(scope: &str, scope_id: &str) -> Answer<Key> {
    let scope: BreakerScope = scope
        .parse()
        .map_err(|error| Problem::invalid("path.scope", "unknown_word", format!("{error}")))?;
    let bad = |message: String| Problem::invalid("path.scope_id", "shape", message);
    let scope_id = match scope {
        BreakerScope::Runbook => {
            scope_id.parse::<RunbookId>().map_err(|error| bad(error.to_string()))?.to_string()
        }
        BreakerScope::Resource => {
            scope_id.parse::<ResourceId>().map_err(|error| bad(error.to_string()))?.to_string()
        }
        BreakerScope::Tool => {
            let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if scope_id.len() > 200 || !scope_id.chars().all(fits) {
                return Err(bad("must be the name of an action: host.shell".to_owned()));
            }
            scope_id.to_owned()
        }
        BreakerScope::Global if scope_id == "global" => scope_id.to_owned(),
        BreakerScope::Global => return Err(bad("must be `global`".to_owned())),
    };
    Ok(Key { scope, scope_id })
}
