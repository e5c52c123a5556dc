//! Figures: how things stand, and how they went.

use api::permission::ReadFindings;
use api::problem::Answer;
use api::{App, Can, Problem};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store;

/// Days looked back when nobody says.
const USUAL_DAYS: i32 = 30;
/// Days looked back at most.
const MOST_DAYS: i32 = 366;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(dashboard)).routes(routes!(trends))
}

/// How many of one sort.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpenOut {
    /// `alert`, `drift`, `violation`, `cost` or `exposure`.
    #[schema(example = "alert")]
    pub(super) kind: String,
    /// `low`, `medium`, `high` or `critical`.
    #[schema(example = "high")]
    pub(super) severity: String,
    /// How many are open.
    #[schema(example = 12)]
    pub(super) count: i64,
}

/// Drift that is open in one environment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DriftOut {
    /// Which; none where the finding names none.
    #[schema(value_type = Option<String>)]
    pub(super) environment_id: Option<model::id::EnvironmentId>,
    /// `low`, `medium`, `high` or `critical`.
    #[schema(example = "high")]
    pub(super) severity: String,
    /// How many are open.
    pub(super) count: i64,
}

/// What waits for people.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WaitingOut {
    /// Approvals that are pending.
    pub(super) approvals: i64,
    /// Executions that need a person.
    pub(super) needs_human: i64,
    /// Executions whose way back failed, in the last 30 days.
    pub(super) rollback_failed: i64,
    /// Breakers that are open.
    pub(super) open_breakers: i64,
    /// Exceptions nobody has decided.
    pub(super) pending_exceptions: i64,
}

/// How things stand.
#[derive(Debug, Serialize, ToSchema)]
struct DashboardOut {
    /// Open findings by kind and severity.
    open_findings: Vec<OpenOut>,
    /// Open drift by environment and severity.
    open_drift: Vec<DriftOut>,
    /// What waits for people.
    waiting: WaitingOut,
}

/// `?days=`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DaysIn {
    /// How many days back, today included: 1 to 366, 30 when absent.
    #[param(minimum = 1, maximum = 366, example = 90)]
    days: Option<i32>,
}

/// How many days, checked.
struct Days(i32);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Days {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(given) = Query::<DaysIn>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::invalid("query", "shape", error.body_text()))?;
        let days = given.days.unwrap_or(USUAL_DAYS);
        if (1..=MOST_DAYS).contains(&days) {
            return Ok(Self(days));
        }
        Err(Problem::invalid("query.days", "out_of_range", format!("must be 1 to {MOST_DAYS}")))
    }
}

/// A day's findings of one severity.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DayOut {
    /// The day, in UTC.
    #[schema(value_type = String, format = Date, example = "2026-03-01")]
    pub(super) day: Date,
    /// `low`, `medium`, `high` or `critical`.
    #[schema(example = "high")]
    pub(super) severity: String,
    /// How many came up.
    pub(super) opened: i64,
    /// How many of these are over by now.
    pub(super) resolved: i64,
    /// From the first notice to the end, on average over these, in seconds.
    pub(super) mean_time_to_resolve_s: Option<f64>,
}

/// What became of executions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangesOut {
    /// How the gate let them start: `allow` by itself, `require_approval` after people agreed.
    #[schema(example = "require_approval")]
    pub(super) verdict: String,
    /// How much ran by itself: `auto`, `semi_auto` after somebody's yes, `manual` where a person asked
    /// for it.
    #[schema(example = "semi_auto")]
    pub(super) mode: String,
    /// How they ended.
    #[schema(example = "completed")]
    pub(super) state: String,
    /// How many.
    pub(super) count: i64,
}

/// What became of recommendations.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AdviceOut {
    /// How many were made.
    pub(super) made: i64,
    /// How many of these were carried out.
    pub(super) implemented: i64,
}

/// How things went.
#[derive(Debug, Serialize, ToSchema)]
struct TrendsOut {
    /// Findings by the day they came up.
    findings: Vec<DayOut>,
    /// Executions that ended.
    changes: Vec<ChangesOut>,
    /// The share of executions that ended which did not do what they should; none when none ended.
    change_failure_rate: Option<f64>,
    /// Recommendations made.
    recommendations: AdviceOut,
}

/// Show how things stand: what is open, and what waits for people.
#[utoipa::path(get, path = "/dashboard", tag = "overview",
    responses((status = 200, body = DashboardOut), (status = "4XX", body = Problem)))]
async fn dashboard(
    State(app): State<App>,
    caller: Can<ReadFindings>,
) -> Answer<Json<DashboardOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let open = store::open_findings(&mut tx).await?;
    Ok(Json(DashboardOut {
        open_findings: by_kind(&open),
        open_drift: open.iter().filter(|one| one.kind == "drift").map(drift).collect(),
        waiting: store::waiting(&mut tx).await?,
    }))
}

/// Open findings of all environments together; they come in order of severity and kind.
fn by_kind(open: &[store::Open]) -> Vec<OpenOut> {
    let alike =
        |a: &store::Open, b: &store::Open| (a.severity_rank, &a.kind) == (b.severity_rank, &b.kind);
    let one = |same: &[store::Open]| -> Option<OpenOut> {
        let first = same.first()?;
        Some(OpenOut {
            kind: first.kind.clone(),
            severity: severity(first.severity_rank).to_owned(),
            count: same.iter().map(|one| one.count).sum(),
        })
    };
    open.chunk_by(alike).filter_map(one).collect()
}

fn drift(open: &store::Open) -> DriftOut {
    DriftOut {
        environment_id: open.environment_id.map(Into::into),
        severity: severity(open.severity_rank).to_owned(),
        count: open.count,
    }
}

/// The word of a severity's rank, 1 to 4, as the database keeps it.
pub(super) const fn severity(rank: i16) -> &'static str {
    match rank {
        4 => "critical",
        3 => "high",
        2 => "medium",
        _ => "low",
    }
}

/// Show how things went: findings, changes and advice of the last days.
#[utoipa::path(get, path = "/dashboard/trends", tag = "overview", params(DaysIn),
    responses((status = 200, body = TrendsOut), (status = "4XX", body = Problem)))]
async fn trends(
    State(app): State<App>,
    caller: Can<ReadFindings>,
    Days(days): Days,
) -> Answer<Json<TrendsOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let changes = store::changes(&mut tx, days).await?;
    Ok(Json(TrendsOut {
        findings: store::days(&mut tx, days).await?,
        change_failure_rate: failure_rate(&changes),
        changes,
        recommendations: store::advice(&mut tx, days).await?,
    }))
}

/// Failed and rolled back, of all that ran to an end. What was cancelled or expired did not run.
fn failure_rate(changes: &[ChangesOut]) -> Option<f64> {
    let of = |states: &[&str]| -> i64 {
        let counted = changes.iter().filter(|one| states.contains(&one.state.as_str()));
        counted.map(|one| one.count).sum()
    };
    let failed = of(&["failed", "rolled_back", "rollback_failed"]);
    let all = failed + of(&["completed"]);
    #[expect(clippy::cast_precision_loss, reason = "counts of executions are far below 2^53")]
    let rate = |failed: i64, all: i64| failed as f64 / all as f64;
    (all > 0).then(|| rate(failed, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_added_up_for_each_severity_and_kind() {
        let open = |kind: &str, severity_rank: i16, count: i64| store::Open {
            kind: kind.to_owned(),
            severity_rank,
            environment_id: None,
            count,
        };
        let all =
            [open("alert", 4, 1), open("drift", 4, 2), open("drift", 4, 3), open("drift", 1, 4)];
        let sums: Vec<(String, String, i64)> =
            by_kind(&all).into_iter().map(|one| (one.severity, one.kind, one.count)).collect();
        let expected = [("critical", "alert", 1), ("critical", "drift", 5), ("low", "drift", 4)];
        assert_eq!(sums, expected.map(|(severity, kind, n)| (severity.into(), kind.into(), n)));
    }

    #[test]
    fn what_never_ran_neither_succeeded_nor_failed() {
        let ended = |state: &str, count: i64| ChangesOut {
            verdict: "allow".to_owned(),
            mode: "auto".to_owned(),
            state: state.to_owned(),
            count,
        };
        assert_eq!(failure_rate(&[ended("cancelled", 3), ended("expired", 1)]), None);
        let changes = [
            ended("completed", 5),
            ended("failed", 1),
            ended("rolled_back", 1),
            ended("rollback_failed", 1),
            ended("cancelled", 8),
        ];
        assert_eq!(failure_rate(&changes), Some(0.375));
    }
}
