//! Findings of every kind over HTTP: listed, reported one by one or by the line.

use std::collections::BTreeMap;

use api::check::{document, object as an_object, share, tags};
use api::lines::ImportOut;
use api::permission::{ReadFindings, WriteFindings};
use api::problem::Answer;
use api::{App, Body, Can, Change, Problem, object};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use model::Timestamp;
use model::id::{ActorId, DeclaredId, EnvironmentId, FindingId, ProviderPolicyId, ResourceId};
use model::level::Severity;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::import::{Importer, import};
use super::{answer, sized};
use crate::finding::SEVERITIES;
use crate::report::{Change as Differs, Detail, Drift, Reported, fold};
use crate::store::report::place;

/// Properties one drift may have.
const MOST_CHANGES: usize = 1_000;

/// The kinds of findings there are.
const KINDS: [&str; 5] = ["alert", "drift", "violation", "cost", "exposure"];

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    object::routes::<AnyFinding>().routes(routes!(report_finding)).routes(routes!(import_findings))
}

object! {
    /// A finding: what every kind of them shares.
    AnyFinding (AnyFindingIn, AnyFindingOut) {
        word: "finding", plural: "findings", path: "/findings",
        table: "countersign.findings", tag: "findings", verbs: Read,
        id: FindingId, read: ReadFindings, write: WriteFindings,
        example: {}
    }
    given {}
    kept {
        /// `alert`, `drift`, `violation`, `cost` or `exposure`.
        kind: String => Text.filter();
        /// One line: what, and where. A search looks here.
        title: String => Text.search_index("countersign.findings_like");
        /// Why it is one.
        reason: String => Text;
        /// `low`, `medium`, `high` or `critical`.
        severity: String => Text.ranked("severity_rank", &SEVERITIES);
        /// The same as a number that can be sorted by: 1 to 4.
        severity_rank: i32 => Integer.sort();
        /// The same from 0 to 1, where it was measured.
        severity_score: Option<f64> => Number.filter();
        /// The sender's word for it.
        severity_raw: String => Text.filter();
        /// How sure it is, 0 to 1.
        confidence_score: Option<f64> => Number.filter();
        /// `open`, `suppressed`, `fixed`, `accepted` or `escalated`.
        status: String => Text.filter();
        /// What tells it from other problems of its kind.
        fingerprint: String => Text.behind("kind", &KINDS);
        /// The resource it is about, when known.
        #[schema(value_type = Option<String>)]
        resource_id: Option<ResourceId> => Id.filter();
        /// What that resource is called.
        resource_name: Option<String> => Text.looked_up(
            "SELECT r.name FROM countersign.resources r
             WHERE r.tenant_id = o.tenant_id AND r.id = o.resource_id"
        );
        /// The environment it is about, when known.
        #[schema(value_type = Option<String>)]
        environment_id: Option<EnvironmentId> => Id.filter();
        /// How many notices of it came.
        seen_count: i64 => Integer;
        /// When the problem began.
        began_at: Timestamp => Time.filter();
        /// When the first notice came.
        first_seen: Timestamp => Time.filter().age();
        /// When the last came.
        last_seen: Timestamp => Time.filter();
        /// When we learned that it is gone.
        resolved_at: Option<Timestamp> => Time.filter();
        /// How it was put right; `ignored` where a rule says that it does not count.
        resolution_type: Option<String> => Text.filter();
        /// Who escalated it last, if somebody did.
        #[schema(value_type = Option<String>)]
        escalated_by: Option<ActorId> => Id;
        /// When that was.
        escalated_at: Option<Timestamp> => Time;
        /// Why, in their words.
        escalation_reason: Option<String> => Text;
    }
    check(_wanted) { Ok(()) }
}

/// What is reported. Alerts come through the hooks.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReportKind {
    /// A policy is broken.
    Violation,
    /// Code and cloud differ.
    Drift,
    /// Something costs more than it should.
    Cost,
    /// Something can be reached that should not be.
    Exposure,
}

/// What a violation adds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ViolationIn {
    /// The policy of the catalogue that is broken.
    #[schema(value_type = Option<String>)]
    policy_id: Option<ProviderPolicyId>,
}

/// How a resource differs.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DriftTypeIn {
    /// Some of its properties do.
    Modified,
    /// It is declared, and gone.
    Deleted,
    /// It is there, and not declared.
    Added,
    /// It is elsewhere.
    Moved,
}

/// How a property differs.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChangeTypeIn {
    /// It has another value.
    Modified,
    /// It is not declared.
    Added,
    /// It is declared, and not there.
    Removed,
}

/// A property that differs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeIn {
    /// Where: a JSON path.
    #[schema(min_length = 1, max_length = 500)]
    property_path: String,
    /// What is declared.
    declared_value: Option<Value>,
    /// What is there.
    actual_value: Option<Value>,
    /// How it differs.
    change_type: ChangeTypeIn,
    /// Whether it matters to security.
    #[serde(default)]
    is_security_critical: bool,
}

/// What a drift adds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DriftIn {
    /// The declaration it differs from; none for what nobody declared.
    #[schema(value_type = Option<String>)]
    iac_resource_id: Option<DeclaredId>,
    /// How the resource differs.
    drift_type: DriftTypeIn,
    /// What is there.
    #[schema(value_type = Option<Object>)]
    actual_state: Option<Value>,
    /// What is declared.
    #[schema(value_type = Option<Object>)]
    declared_state: Option<Value>,
    /// What it means for security, performance, cost and compliance.
    #[serde(default = "nothing")]
    #[schema(value_type = Object)]
    risk_assessment: Value,
    /// Free words about it, by name.
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// What else the reporter knows.
    #[serde(default = "nothing")]
    #[schema(value_type = Object)]
    metadata: Value,
    /// The properties that differ.
    #[serde(default)]
    changes: Vec<ChangeIn>,
}

fn nothing() -> Value {
    json!({})
}

/// A finding to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "violation", "fingerprint": "tls12/shop-db", "title": "shop-db accepts TLS 1.0",
    "reason": "the policy asks for TLS 1.2 or newer", "severity": "high",
    "violation": {}
}))]
pub(super) struct FindingReportIn {
    /// What it is.
    kind: ReportKind,
    /// What tells it from other problems of its kind: the same again is the same finding.
    #[schema(min_length = 1, max_length = 255)]
    fingerprint: String,
    /// When it began; when absent, that of the open finding it repeats, or now.
    #[schema(value_type = Option<String>, format = DateTime)]
    began_at: Option<Timestamp>,
    /// One line: what, and where.
    #[schema(min_length = 1, max_length = 500)]
    title: String,
    /// Why it is one.
    #[serde(default)]
    #[schema(max_length = 5000)]
    reason: String,
    /// How bad it is.
    #[schema(value_type = String, example = "high")]
    severity: Severity,
    /// The same, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    severity_score: Option<f64>,
    /// How sure it is, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    confidence_score: Option<f64>,
    /// The resource it is about.
    #[schema(value_type = Option<String>)]
    resource_id: Option<ResourceId>,
    /// The environment it is about; that of the resource when absent.
    #[schema(value_type = Option<String>)]
    environment_id: Option<EnvironmentId>,
    /// For a violation alone.
    violation: Option<ViolationIn>,
    /// For a drift, and needed there.
    drift: Option<DriftIn>,
}

impl FindingReportIn {
    fn reported(self) -> Answer<Reported> {
        sized("/fingerprint", &self.fingerprint, 1..=255)?;
        sized("/title", &self.title, 1..=500)?;
        sized("/reason", &self.reason, 0..=5000)?;
        share("/severity_score", self.severity_score)?;
        share("/confidence_score", self.confidence_score)?;
        let misplaced = |path: &str| {
            Err(Problem::invalid(path, "shape", "belongs to a finding of another kind"))
        };
        let detail = match (self.kind, self.violation, self.drift) {
            (ReportKind::Violation, violation, None) => {
                Detail::Violation { policy_id: violation.and_then(|one| one.policy_id) }
            }
            (ReportKind::Drift, None, Some(drift)) => Detail::Drift(Box::new(drift.drift()?)),
            (ReportKind::Drift, None, None) => {
                return Err(Problem::invalid("/drift", "missing", "a drift says how it differs"));
            }
            (ReportKind::Cost, None, None) => Detail::Cost,
            (ReportKind::Exposure, None, None) => Detail::Exposure,
            (_, Some(_), _) => return misplaced("/violation"),
            (_, None, Some(_)) => return misplaced("/drift"),
        };
        Ok(Reported {
            fingerprint: self.fingerprint,
            began_at: self.began_at,
            title: self.title,
            reason: self.reason,
            severity: self.severity,
            severity_score: self.severity_score,
            confidence_score: self.confidence_score,
            resource_id: self.resource_id,
            environment_id: self.environment_id,
            detail,
        })
    }
}

impl DriftIn {
    fn drift(self) -> Answer<Drift> {
        let states = [
            ("/drift/actual_state", &self.actual_state),
            ("/drift/declared_state", &self.declared_state),
        ];
        for (path, state) in states {
            state.as_ref().map_or(Ok(()), |state| an_object(path, state))?;
        }
        an_object("/drift/risk_assessment", &self.risk_assessment)?;
        tags("/drift/tags", &self.tags)?;
        an_object("/drift/metadata", &self.metadata)?;
        if self.changes.len() > MOST_CHANGES {
            let message = format!("may have at most {MOST_CHANGES} entries");
            return Err(Problem::invalid("/drift/changes", "length", message));
        }
        let changes = self.changes.into_iter().enumerate().map(|(at, change)| change.differs(at));
        Ok(Drift {
            found_by: None,
            iac_resource_id: self.iac_resource_id,
            drift_type: match self.drift_type {
                DriftTypeIn::Modified => "modified",
                DriftTypeIn::Deleted => "deleted",
                DriftTypeIn::Added => "added",
                DriftTypeIn::Moved => "moved",
            },
            actual_state: self.actual_state,
            declared_state: self.declared_state,
            risk_assessment: self.risk_assessment,
            tags: self.tags,
            metadata: self.metadata,
            changes: changes.collect::<Answer<_>>()?,
        })
    }
}

impl ChangeIn {
    fn differs(self, at: usize) -> Answer<Differs> {
        let path = format!("/drift/changes/{at}");
        sized(&format!("{path}/property_path"), &self.property_path, 1..=500)?;
        for (name, value) in
            [("declared_value", &self.declared_value), ("actual_value", &self.actual_value)]
        {
            value.as_ref().map_or(Ok(()), |value| document(&format!("{path}/{name}"), value))?;
        }
        Ok(Differs {
            property_path: self.property_path,
            declared_value: self.declared_value,
            actual_value: self.actual_value,
            change_type: match self.change_type {
                ChangeTypeIn::Modified => "modified",
                ChangeTypeIn::Added => "added",
                ChangeTypeIn::Removed => "removed",
            },
            is_security_critical: self.is_security_critical,
        })
    }
}

/// What came of a report.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReportedOut {
    /// The finding.
    #[schema(value_type = String)]
    id: FindingId,
    /// Whether it was not known before.
    new: bool,
}

/// Report a finding; the same fingerprint again is the same finding.
#[utoipa::path(post, path = "/findings", tag = "findings", request_body = FindingReportIn,
    responses((status = 200, body = ReportedOut), (status = "4XX", body = Problem)))]
async fn report_finding(
    State(app): State<App>,
    caller: Can<WriteFindings>,
    Body(wanted): Body<FindingReportIn>,
) -> Answer<(StatusCode, Json<ReportedOut>)> {
    let batch = fold(vec![wanted.reported()?]);
    let mut change = Change::begin(&app, &caller).await?;
    let placed = answer("finding", place(&mut change, &batch).await)?;
    let id = *placed.ids.first().ok_or_else(|| db::Error::internal("a finding was placed"))?;
    let new = placed.new > 0;
    let event = change.event("finding.reported", "finding", &id).with("new", new);
    change.commit(event).await?;
    Ok((StatusCode::OK, Json(ReportedOut { id, new })))
}

/// Report many findings, a line of JSON each (NDJSON, up to 100,000 lines).
///
/// Read as it comes in and kept in batches of a thousand, each with its audit event: a line that is
/// refused keeps no other from being kept, and what was kept stays when the sender breaks off.
/// Repeating an import is safe.
#[utoipa::path(post, path = "/findings/import", tag = "findings",
    request_body(content = FindingReportIn, content_type = "application/x-ndjson",
        description = "One of these in each line"),
    responses((status = 200, body = ImportOut), (status = "4XX", body = Problem)))]
async fn import_findings(
    State(app): State<App>,
    caller: Can<WriteFindings>,
    request: Request,
) -> Answer<Json<ImportOut>> {
    let read = |report: FindingReportIn| report.reported().map(Some);
    Box::pin(import(&Importer::new(&app, &caller, None), request, read)).await.map(Json)
}
