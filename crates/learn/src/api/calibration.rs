//! Whether what was predicted came true.

use ::api::permission::ReadPlans;
use ::api::problem::Answer;
use ::api::{App, Can, Problem};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::ToSpan as _;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::calibration::{self, Bin, Share};
use crate::store;

/// Days that are looked at when nobody says.
const DAYS: u16 = 90;
/// Days that are looked at at most.
const MOST_DAYS: u16 = 366;

/// How far back is looked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PeriodIn {
    /// Outcomes of how many days, until now; 90 when absent.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u16>,
}

/// What was predicted against what was seen.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CalibrationOut {
    /// Since when outcomes are counted.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Verified outcomes.
    n: u64,
    /// The mean squared difference between prediction and outcome: 0 is perfect, 0.25 is what one
    /// half always gets. Absent without an outcome.
    brier: Option<f64>,
    /// Ten bins of equal width, by what was predicted.
    bins: Vec<BinOut>,
    /// The same by category.
    categories: Vec<CategoryShareOut>,
}

/// Changes of which about the same was predicted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BinOut {
    /// From this probability of failure on.
    #[schema(example = 0.1)]
    from: f64,
    /// Up to this one, which belongs to the next bin; 1 belongs to the last.
    #[schema(example = 0.2)]
    to: f64,
    /// How many.
    n: u64,
    /// The mean probability of failure that was predicted; absent when there are none.
    predicted: Option<f64>,
    /// The share that failed.
    observed: Option<f64>,
    /// The lower end of the 90 % interval of that share (Wilson's).
    lower: Option<f64>,
    /// Its upper end.
    upper: Option<f64>,
}

impl From<Bin> for BinOut {
    fn from(bin: Bin) -> Self {
        Self {
            from: bin.from,
            to: bin.to,
            n: bin.share.map_or(0, |share| share.n),
            predicted: bin.share.map(|share| share.predicted),
            observed: bin.share.map(|share| share.observed),
            lower: bin.interval.map(|ends| ends.0),
            upper: bin.interval.map(|ends| ends.1),
        }
    }
}

/// Changes of one category.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CategoryShareOut {
    /// The category.
    #[schema(example = "compute")]
    category: String,
    /// How many.
    n: u64,
    /// The mean probability of failure that was predicted.
    predicted: f64,
    /// The share that failed.
    observed: f64,
}

impl From<(String, Share)> for CategoryShareOut {
    fn from((category, share): (String, Share)) -> Self {
        Self { category, n: share.n, predicted: share.predicted, observed: share.observed }
    }
}

/// Seconds of a day in UTC.
const DAY_S: i64 = 86_400;

/// Compare predicted probabilities of failure with verified outcomes.
///
/// A prediction is the mean probability of failure that the decision rested on, before the factor
/// of its environment. Only what somebody else than whoever acted has verified counts.
#[utoipa::path(get, path = "/calibration", tag = "learning", params(PeriodIn),
    responses((status = 200, body = CalibrationOut), (status = "4XX", body = Problem)))]
pub(super) async fn show_calibration(
    State(app): State<App>,
    caller: Can<ReadPlans>,
    wanted: Result<Query<PeriodIn>, QueryRejection>,
) -> Answer<Json<CalibrationOut>> {
    let Query(wanted) =
        wanted.map_err(|error| Problem::invalid("query", "shape", error.body_text()))?;
    let days = wanted.days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        let message = format!("must be 1 to {MOST_DAYS}");
        return Err(Problem::invalid("query.days", "out_of_range", message));
    }
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let now = tx.now().await?;
    let since = now.checked_sub((i64::from(days) * 24).hours()).unwrap_or(now);
    // From the beginning of a day in UTC, as the trends: asked twice, it is the same.
    let since =
        Timestamp::from_second(since.as_second().div_euclid(DAY_S) * DAY_S).unwrap_or(since);
    let seen = store::calibration::seen(&mut tx, since).await?;
    let told = calibration::compare(&seen);
    Ok(Json(CalibrationOut {
        since,
        n: told.n,
        brier: told.brier,
        bins: told.bins.into_iter().map(BinOut::from).collect(),
        categories: told.categories.into_iter().map(CategoryShareOut::from).collect(),
    }))
}
