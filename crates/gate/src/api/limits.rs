//! Rate limits.

use api::permission::{ReadPolicy, WritePolicy};
use api::problem::Answer;
use api::{App, Body, Can, Change, PageOut, Paging, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::id::RateLimitId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rate::{Quota, RateScope};
use crate::store::rates::{self, Enabled, StoredLimit};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_limits, save_limit)).routes(routes!(delete_limit))
}

/// A limit to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitIn {
    /// `runbook`, `resource`, `tenant` or `global`.
    #[schema(value_type = String, example = "runbook")]
    scope: RateScope,
    /// The runbook's or resource's id, `*` for each by itself, else the scope's own name.
    #[schema(max_length = 64, example = "*")]
    scope_id: String,
    /// How many starts.
    #[schema(minimum = 1, example = 5)]
    count: u32,
    /// In how many seconds.
    #[schema(minimum = 1, example = 3600)]
    window_seconds: u32,
    /// Whether it counts; true when absent.
    #[serde(default = "enabled")]
    enabled: bool,
}

const fn enabled() -> bool {
    true
}

/// A limit.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LimitOut {
    /// Its id.
    #[schema(value_type = String, example = "rat_0190a6c2-7b5e-7000-8000-000000000001")]
    id: RateLimitId,
    /// `runbook`, `resource`, `tenant` or `global`.
    #[schema(value_type = String)]
    scope: RateScope,
    /// Of which.
    scope_id: String,
    /// How many starts.
    count: u32,
    /// In how many seconds.
    window_seconds: u32,
    /// Whether it counts.
    enabled: bool,
}

fn out(stored: StoredLimit) -> LimitOut {
    LimitOut {
        id: stored.id,
        scope: stored.quota.scope,
        scope_id: stored.quota.scope_id,
        count: stored.quota.count,
        window_seconds: stored.quota.window_s,
        enabled: stored.enabled,
    }
}

/// List limits, newest first.
#[utoipa::path(get, path = "/rate-limits", tag = "guards", params(api::page::PagingIn),
    responses((status = 200, body = PageOut<LimitOut>), (status = "4XX", body = Problem)))]
async fn list_limits(
    State(app): State<App>,
    caller: Can<ReadPolicy>,
    Paging(page): Paging,
) -> Answer<Json<PageOut<LimitOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(PageOut::of(rates::list(&mut tx, &page).await?, out)))
}

/// Set the limit of a scope; there is one each.
#[utoipa::path(put, path = "/rate-limits", tag = "guards", request_body = LimitIn,
    responses((status = 200, body = LimitOut), (status = "4XX", body = Problem)))]
async fn save_limit(
    State(app): State<App>,
    caller: Can<WritePolicy>,
    Body(wanted): Body<LimitIn>,
) -> Answer<Json<LimitOut>> {
    let quota = Quota {
        scope: wanted.scope,
        scope_id: wanted.scope_id,
        count: wanted.count,
        window_s: wanted.window_seconds,
    };
    let counts = if wanted.enabled { Enabled::Yes } else { Enabled::No };
    let mut change = Change::begin(&app, &caller).await?;
    let id = rates::save(&mut change, &quota, counts).await?;
    let event = change
        .event("rate_limit.set", "rate_limit", &id)
        .with("scope", quota.scope.word())
        .with("scope_id", quota.scope_id.clone())
        .with("count", quota.count)
        .with("window_seconds", quota.window_s)
        .with("enabled", wanted.enabled);
    change.commit(event).await?;
    Ok(Json(out(StoredLimit { id, quota, enabled: wanted.enabled })))
}

/// Remove a limit.
#[utoipa::path(delete, path = "/rate-limits/{id}", tag = "guards",
    params(("id" = String, Path, description = "The limit")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn delete_limit(
    State(app): State<App>,
    caller: Can<WritePolicy>,
    Path(id): Path<RateLimitId>,
) -> Answer<StatusCode> {
    let mut change = Change::begin(&app, &caller).await?;
    rates::remove(&mut change, id).await?;
    let event = change.event("rate_limit.removed", "rate_limit", &id);
    change.commit(event).await?;
    Ok(StatusCode::NO_CONTENT)
}
