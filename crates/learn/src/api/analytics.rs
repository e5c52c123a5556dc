//! Drift over a period, summed up from its days.

use ::api::permission::ReadFindings;
use ::api::problem::Answer;
use ::api::{App, Can, Problem};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Unit};
use model::id::EnvironmentId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::store::drift_day;

/// Days that are summed up when nobody says which.
const DAYS: i64 = 30;
/// Days that are summed up at most: two years.
const MOST_DAYS: i32 = 731;

/// Which drift is summed up.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PeriodOfDrift {
    /// Of which environment; of all when absent.
    #[param(value_type = Option<String>)]
    environment_id: Option<EnvironmentId>,
    /// The first day, in UTC; 30 days before the last when absent.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last day, in UTC; today when absent.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
}

/// Drift over a period.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DriftSummaryOut {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    to: Date,
    /// Found.
    total_drifts: i64,
    /// Put right.
    resolved_drifts: i64,
    /// How long that took on average, in seconds.
    avg_resolution_time: Option<f64>,
    /// How many of each cause.
    #[schema(value_type = Object)]
    top_cause_categories: Value,
    /// How many of each severity.
    #[schema(value_type = Object)]
    severity_distribution: Value,
    /// Share of recommendations that were followed.
    recommendation_adoption_rate: Option<f64>,
    /// Day by day: `date`, `total_drifts`, `resolved_drifts`. Days without drift are left out.
    #[schema(value_type = Vec<Object>)]
    items: Value,
}

/// Sum up drift over a period, from its days.
///
/// The days are counted every few minutes, so the last figures are that old.
#[utoipa::path(get, path = "/analytics/drifts/summary", tag = "findings", params(PeriodOfDrift),
    responses((status = 200, body = DriftSummaryOut), (status = "4XX", body = Problem)))]
pub(super) async fn show_drift_summary(
    State(app): State<App>,
    caller: Can<ReadFindings>,
    wanted: Result<Query<PeriodOfDrift>, QueryRejection>,
) -> Answer<Json<DriftSummaryOut>> {
    let Query(wanted) =
        wanted.map_err(|error| Problem::invalid("query", "shape", error.body_text()))?;
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let to = match wanted.to {
        Some(to) => to,
        None => tx.now().await?.to_zoned(TimeZone::UTC).date(),
    };
    let from = match wanted.from {
        Some(from) => from,
        None => to.saturating_sub((DAYS - 1).days()),
    };
    let days = from.until((Unit::Day, to)).map_or(i32::MAX, |span| span.get_days());
    if !(0..MOST_DAYS).contains(&days) {
        let message = format!("must be 0 to {} days before `to`", MOST_DAYS - 1);
        return Err(Problem::invalid("query.from", "out_of_range", message));
    }
    let summed = drift_day::summary(&mut tx, wanted.environment_id, (from, to)).await?;
    Ok(Json(DriftSummaryOut {
        from,
        to,
        total_drifts: summed.total_drifts,
        resolved_drifts: summed.resolved_drifts,
        avg_resolution_time: summed.avg_resolution_time,
        top_cause_categories: summed.top_cause_categories,
        severity_distribution: summed.severity_distribution,
        recommendation_adoption_rate: summed.recommendation_adoption_rate,
        items: summed.days,
    }))
}
