//! What a runbook's triggers would have made of the alerts there were.

use ::api::permission::ReadRunbooks;
use ::api::problem::Answer;
use ::api::{App, Body, Can, Problem};
use act::runbook::lint;
use act::runbook::store::Error as Refused;
use act::runbook::trigger::{self, Armed, Past, Report};
use axum::Json;
use axum::extract::State;
use jiff::ToSpan as _;
use model::Timestamp;
use model::id::{FindingId, RunbookId, TriggerId};
use sense::store::finding::{self, Received};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Days that are looked at when nobody says, and at most.
const DAYS: u16 = 7;
const MOST_DAYS: u16 = 30;
/// Alerts that are looked at when nobody says, and at most.
const LIMIT: usize = 100;
const MOST_ALERTS: usize = 500;
/// Reports that one answer has at most: of a runbook with many triggers fewer alerts are looked at.
const MOST_REPORTS: usize = 5_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(match_runbook))
}

/// A document whose triggers are to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "yaml": "name: restart\nsteps:\n  - name: Look\n    command: uptime\ntriggers:\n  - name: Down\n    alert_name_pattern: ServiceDown*\n",
    "days": 7
}))]
struct MatchIn {
    /// The runbook as YAML.
    yaml: String,
    /// Alerts of how many days, until now; 7 when absent.
    #[schema(minimum = 1, maximum = 30)]
    days: Option<u16>,
    /// How many alerts at most, the newest; 100 when absent.
    #[schema(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// What the triggers would have made of the alerts there were.
#[derive(Debug, Serialize, ToSchema)]
struct MatchOut {
    /// How many alerts were looked at.
    seen: usize,
    /// Whether there were more.
    more: bool,
    /// Each of them, newest first.
    alerts: Vec<MatchedAlertOut>,
}

/// What the triggers would have made of one alert.
#[derive(Debug, Serialize, ToSchema)]
struct MatchedAlertOut {
    /// Its finding.
    #[schema(value_type = String)]
    finding_id: FindingId,
    /// One line: what, and where. It comes from outside: escape it wherever it is shown.
    title: String,
    /// `low`, `medium`, `high` or `critical`.
    severity: String,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// Whether one of the triggers would have started the runbook.
    matched: bool,
    /// Each trigger with its verdicts, as in the `triggers` of an alert's `trigger_report`.
    #[schema(value_type = Vec<Object>)]
    report: Vec<Report>,
}

fn alert_out(received: Received, report: Vec<Report>) -> MatchedAlertOut {
    MatchedAlertOut {
        finding_id: received.alert.id,
        title: received.title,
        severity: received.alert.severity.to_string(),
        received_at: received.at,
        matched: report.iter().any(|report| report.chosen),
        report,
    }
}

/// Try a runbook's triggers on the alerts there were, without importing it.
///
/// As if it had been active when each of them came: the time of day is that of the alert, and a
/// cooldown runs from what an earlier one of those looked at would have started. Whether the rules
/// of alerts would have let it be looked at is not asked.
#[utoipa::path(post, path = "/runbooks/match", tag = "runbooks", request_body = MatchIn,
    responses((status = 200, body = MatchOut), (status = "4XX", body = Problem)))]
async fn match_runbook(
    State(app): State<App>,
    caller: Can<ReadRunbooks>,
    Body(wanted): Body<MatchIn>,
) -> Answer<Json<MatchOut>> {
    let days = within("/days", wanted.days.unwrap_or(DAYS), MOST_DAYS)?;
    let limit = within("/limit", wanted.limit.unwrap_or(LIMIT), MOST_ALERTS)?;
    let (runbook, _) = lint::of_yaml(&wanted.yaml).map_err(Refused::Invalid)?;
    let triggers: Vec<TriggerId> = runbook.triggers.iter().map(|_| TriggerId::generate()).collect();
    let most = limit.min(MOST_REPORTS / triggers.len().max(1)).max(1);
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let now = tx.now().await?;
    let since = now.checked_sub((i64::from(days) * 24).hours()).unwrap_or(now);
    let mut received = finding::received(&mut tx, since, most + 1).await?;
    drop(tx);
    let more = received.len() > most;
    received.truncate(most);
    let past: Vec<Past> =
        received.iter().map(|one| Past { alert: one.as_it_came(), at: one.at }).collect();
    let armed = Armed { id: RunbookId::generate(), version: 0, runbook, triggers };
    let reports = trigger::rehearse(&past, &armed);
    let alerts: Vec<MatchedAlertOut> =
        received.into_iter().zip(reports).map(|(one, report)| alert_out(one, report)).collect();
    Ok(Json(MatchOut { seen: alerts.len(), more, alerts }))
}

/// A number from 1 to `most`.
fn within<N: Copy + PartialOrd + From<u8> + std::fmt::Display>(
    path: &str,
    number: N,
    most: N,
) -> Answer<N> {
    if number < N::from(1) || number > most {
        return Err(Problem::invalid(path, "out_of_range", format!("must be 1 to {most}")));
    }
    Ok(number)
}
