//! Alerts over HTTP.

use std::collections::BTreeMap;

use api::object::Wanted;
use api::permission::ReadFindings;
use api::problem::Answer;
use api::{App, Can, PageOut, Problem, listed};
use axum::Json;
use axum::extract::{Path, State};
use model::Timestamp;
use model::finding::{RuleAction, SourceStatus};
use model::id::{AlertRuleId, EnvironmentId, FindingId, ResourceId};
use model::level::Severity;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer;
use crate::finding::{Finding, FindingStatus};
use crate::store;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_alerts)).routes(routes!(get_alert))
}

listed! {
    /// Which alerts are wanted.
    Alerts: store::finding::LISTED, "severity": Severity, "status": FindingStatus,
    "source_status": SourceStatus, "action_taken": RuleAction,
}

/// The finding of an alert.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FindingOut {
    /// Its id.
    #[schema(value_type = String, example = "fnd_0190a6c2-7b5e-7000-8000-000000000001")]
    id: FindingId,
    /// `alert`.
    kind: String,
    /// One line: what, and where.
    title: String,
    /// Our reading of its severity.
    severity: String,
    /// The sender's word for it.
    severity_raw: String,
    /// `open`, `suppressed`, `fixed`, `accepted` or `escalated`.
    status: String,
    /// What tells it from other problems.
    fingerprint: String,
    /// When the problem began, by the sender.
    #[schema(value_type = String, format = DateTime)]
    began_at: Timestamp,
    /// How many notices of it came.
    seen_count: i64,
    /// When the first came.
    #[schema(value_type = String, format = DateTime)]
    first_seen: Timestamp,
    /// When the last came.
    #[schema(value_type = String, format = DateTime)]
    last_seen: Timestamp,
    /// When we learned that it is gone.
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Timestamp>,
    /// The resource it is about, when known.
    #[schema(value_type = Option<String>)]
    resource_id: Option<ResourceId>,
    /// The environment it is about, when known.
    #[schema(value_type = Option<String>)]
    environment_id: Option<EnvironmentId>,
}

/// An alert with its finding.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertOut {
    /// What every kind of finding shares.
    #[serde(flatten)]
    finding: FindingOut,
    /// `labels.alertname`.
    alert_name: String,
    /// `labels.instance`, or empty.
    instance: String,
    /// `labels.job`, or empty.
    job: String,
    /// The name of the source that sent it.
    source: String,
    /// `firing` or `resolved`, by the sender.
    source_status: String,
    /// When it ended, by the sender.
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    /// All labels. They come from outside: escape them wherever they are shown.
    labels: BTreeMap<String, String>,
    /// All annotations. They come from outside: escape them wherever they are shown.
    annotations: BTreeMap<String, String>,
    /// What the rules said: `auto_analyze`, `ignore` or `manual`.
    action_taken: String,
    /// The rule that said it; absent when none matched.
    #[schema(value_type = Option<String>)]
    matched_rule_id: Option<AlertRuleId>,
    /// Whether its runbooks were looked for.
    analyzed: bool,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    analyzed_at: Option<Timestamp>,
    /// Why each trigger of each runbook matched or did not.
    #[schema(value_type = Option<Object>)]
    trigger_report: Option<serde_json::Value>,
    /// When it came here.
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
}

fn finding_out(finding: &Finding) -> FindingOut {
    FindingOut {
        id: finding.id,
        kind: finding.kind.clone(),
        title: finding.title.clone(),
        severity: finding.severity.to_string(),
        severity_raw: finding.severity_raw.clone(),
        status: finding.status.to_string(),
        fingerprint: finding.fingerprint.clone(),
        began_at: finding.began_at,
        seen_count: finding.seen_count,
        first_seen: finding.first_seen,
        last_seen: finding.last_seen,
        resolved_at: finding.resolved_at,
        resource_id: finding.resource_id,
        environment_id: finding.environment_id,
    }
}

fn alert_out(finding: Finding) -> AlertOut {
    AlertOut {
        finding: finding_out(&finding),
        alert_name: finding.alert.name,
        instance: finding.alert.instance,
        job: finding.alert.job,
        source: finding.alert.source,
        source_status: finding.alert.source_status.to_string(),
        ends_at: finding.alert.ends_at,
        labels: finding.alert.labels,
        annotations: finding.alert.annotations,
        action_taken: finding.alert.action.to_string(),
        matched_rule_id: finding.alert.matched_rule,
        analyzed: finding.alert.analyzed,
        analyzed_at: finding.alert.analyzed_at,
        trigger_report: finding.alert.trigger_report,
        received_at: finding.alert.received_at,
    }
}

/// List alerts, newest first unless sorted.
#[utoipa::path(get, path = "/alerts", tag = "findings",
    params(Alerts),
    responses((status = 200, body = PageOut<AlertOut>), (status = "4XX", body = Problem)))]
async fn list_alerts(
    State(app): State<App>,
    caller: Can<ReadFindings>,
    Wanted(wanted, _): Wanted<Alerts>,
) -> Answer<Json<PageOut<AlertOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let findings = store::finding::list(&mut tx, &wanted).await?;
    Ok(Json(PageOut::of(findings, alert_out)))
}

/// Show an alert, with why each runbook's triggers matched or did not.
#[utoipa::path(get, path = "/alerts/{id}", tag = "findings",
    params(("id" = String, Path, description = "The finding of the alert")),
    responses((status = 200, body = AlertOut), (status = "4XX", body = Problem)))]
async fn get_alert(
    State(app): State<App>,
    caller: Can<ReadFindings>,
    Path(id): Path<FindingId>,
) -> Answer<Json<AlertOut>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    Ok(Json(alert_out(answer("alert", store::finding::get(&mut tx, id).await)?)))
}
