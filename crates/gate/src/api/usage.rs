//! Use of the decision API over HTTP, and what each key may use.

use api::permission::{ManageIdentity, ReadUsage};
use api::problem::Answer;
use api::{App, Body, Can, Change, Problem};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use model::Timestamp;
use model::id::ApiKeyId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::quota::ServiceTier;
use crate::store::usage::{self, Line};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_usage)).routes(routes!(set_tier))
}

/// Which month is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PeriodIn {
    /// The month, in UTC; the present one when absent.
    #[param(example = "2026-11", pattern = "^[0-9]{4}-[0-9]{2}$")]
    period: Option<String>,
}

/// What was used in a month.
#[derive(Debug, Serialize, ToSchema)]
struct UsageOut {
    /// The month, in UTC.
    #[schema(example = "2026-11")]
    period: String,
    /// When it is over, and counting begins anew.
    #[schema(value_type = String, format = DateTime)]
    resets_at: Timestamp,
    /// The tenant's tier: `free`, `pro`, `premium`, `enterprise`.
    #[schema(example = "pro")]
    tier: String,
    /// Evaluations a month for all keys together; `null` is without a limit.
    limit: Option<u32>,
    /// Evaluations of all keys together.
    used: u64,
    /// How many are left.
    remaining: Option<u64>,
    /// By key and endpoint, the most used first.
    items: Vec<UseOut>,
}

/// What one key used of one endpoint.
#[derive(Debug, Serialize, ToSchema)]
struct UseOut {
    /// The key; `null` for people's sessions.
    #[schema(value_type = Option<String>)]
    api_key_id: Option<ApiKeyId>,
    /// What people call it.
    name: Option<String>,
    /// Its tier.
    tier: Option<String>,
    /// Its own limit a month; `null` is without one.
    limit: Option<u32>,
    /// What was used.
    #[schema(example = "decisions.evaluate")]
    endpoint: String,
    /// How often.
    units: u64,
    /// The last time.
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
}

impl From<Line> for UseOut {
    fn from(line: Line) -> Self {
        let tier = line.tier.as_deref().and_then(|tier| tier.parse::<ServiceTier>().ok());
        Self {
            api_key_id: line.api_key_id.map(ApiKeyId::from),
            name: line.name,
            tier: line.tier,
            limit: tier.and_then(ServiceTier::evaluations_a_month),
            endpoint: line.endpoint,
            units: u64::try_from(line.units).unwrap_or_default(),
            last_at: line.last_at.to_jiff(),
        }
    }
}

/// `2026-11`: a year and one of its months.
fn month(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(year, month)| {
        (year.len(), month.len()) == (4, 2)
            && digits(year)
            && digits(month)
            && year.parse::<u16>().is_ok_and(|year| (1..=9998).contains(&year))
            && month.parse::<u8>().is_ok_and(|month| (1..=12).contains(&month))
    })
}

/// Show what was used in a month, by key and endpoint.
#[utoipa::path(get, path = "/usage", tag = "gate", params(PeriodIn),
    responses((status = 200, body = UsageOut), (status = "4XX", body = Problem)))]
async fn show_usage(
    State(app): State<App>,
    caller: Can<ReadUsage>,
    query: Result<Query<PeriodIn>, QueryRejection>,
) -> Answer<Json<UsageOut>> {
    let Query(wanted) =
        query.map_err(|error| Problem::invalid("query", "shape", error.body_text()))?;
    if wanted.period.as_deref().is_some_and(|period| !month(period)) {
        return Err(Problem::invalid("query.period", "shape", "must be a month, as 2026-11"));
    }
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let report = usage::report(&mut tx, wanted.period.as_deref()).await?;
    let limit = report.tier.evaluations_a_month();
    let items: Vec<UseOut> = report.lines.into_iter().map(UseOut::from).collect();
    let used = items.iter().map(|item| item.units).sum();
    Ok(Json(UsageOut {
        period: report.period.chars().take(7).collect(),
        resets_at: report.resets_at,
        tier: report.tier.word().to_owned(),
        limit,
        used,
        remaining: limit.map(|limit| u64::from(limit).saturating_sub(used)),
        items,
    }))
}

/// A tier for a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TierIn {
    /// `free`, `pro`, `premium`, `enterprise`.
    #[schema(value_type = String, example = "pro")]
    tier: ServiceTier,
}

/// A key's tier.
#[derive(Debug, Serialize, ToSchema)]
struct TierOut {
    /// The key.
    #[schema(value_type = String)]
    id: ApiKeyId,
    /// Its tier.
    #[schema(example = "pro")]
    tier: String,
    /// Evaluations a month; `null` is without a limit of its own.
    limit: Option<u32>,
}

/// Set how many evaluations a month an API key has.
///
/// All keys of a tenant together never have more than the tenant's own tier.
#[utoipa::path(put, path = "/api-keys/{id}/tier", tag = "identity", request_body = TierIn,
    params(("id" = String, Path, description = "The key")),
    responses((status = 200, body = TierOut), (status = "4XX", body = Problem)))]
async fn set_tier(
    State(app): State<App>,
    caller: Can<ManageIdentity>,
    Path(id): Path<ApiKeyId>,
    Body(wanted): Body<TierIn>,
) -> Answer<Json<TierOut>> {
    let mut change = Change::begin(&app, &caller).await?;
    let before = usage::set_tier(&mut change, id, wanted.tier).await?;
    let before = before.ok_or_else(|| Problem::not_found("API key"))?;
    let event = change
        .event("api_key.tier_set", "api_key", &id)
        .with("from", before)
        .with("to", wanted.tier.word());
    change.commit(event).await?;
    let limit = wanted.tier.evaluations_a_month();
    Ok(Json(TierOut { id, tier: wanted.tier.word().to_owned(), limit }))
}
