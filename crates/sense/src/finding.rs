//! Findings as lists and pages show them: the header every kind shares, and the alert behind it.

use std::collections::BTreeMap;

use model::Timestamp;
use model::finding::{RuleAction, SourceStatus};
use model::id::{AlertRuleId, EnvironmentId, FindingId, QuarantineId, ResourceId};
use model::level::Severity;
use serde_json::Value;

model::words! {
    /// What became of a finding.
    FindingStatus {
        /// It is there.
        Open = "open",
        /// Kept, but nobody is to be bothered with it.
        Suppressed = "suppressed",
        /// It is gone.
        Fixed = "fixed",
        /// It is there and may stay.
        Accepted = "accepted",
        /// It was handed to somebody.
        Escalated = "escalated",
    }
}

/// Severities by their ranks, from 1.
pub const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// An alert with its header.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// `alert`; others come with their stages.
    pub kind: String,
    /// One line: what, and where.
    pub title: String,
    /// Our reading of its severity.
    pub severity: Severity,
    /// The sender's word for it.
    pub severity_raw: String,
    /// What became of it.
    pub status: FindingStatus,
    /// What tells it from other problems.
    pub fingerprint: String,
    /// When the problem began, by the sender.
    pub began_at: Timestamp,
    /// How many notices of it came.
    pub seen_count: i64,
    /// When the first came.
    pub first_seen: Timestamp,
    /// When the last came.
    pub last_seen: Timestamp,
    /// When we learned that it is gone.
    pub resolved_at: Option<Timestamp>,
    /// The resource it is about, when known.
    pub resource_id: Option<ResourceId>,
    /// The environment it is about, when known.
    pub environment_id: Option<EnvironmentId>,
    /// The alert behind it.
    pub alert: AlertPart,
}

/// What an alert adds to its finding.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertPart {
    /// `labels.alertname`.
    pub name: String,
    /// `labels.instance`, or empty.
    pub instance: String,
    /// `labels.job`, or empty.
    pub job: String,
    /// The name of the source that sent it.
    pub source: String,
    /// Whether the sender says it is still there.
    pub source_status: SourceStatus,
    /// When it ended, by the sender.
    pub ends_at: Option<Timestamp>,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// All annotations.
    pub annotations: BTreeMap<String, String>,
    /// What the rules said to do with it.
    pub action: RuleAction,
    /// The rule that said it; `None` when none matched.
    pub matched_rule: Option<AlertRuleId>,
    /// Whether its runbooks were looked for.
    pub analyzed: bool,
    /// When.
    pub analyzed_at: Option<Timestamp>,
    /// Why each trigger of each runbook matched or did not.
    pub trigger_report: Option<Value>,
    /// When the first notice of it came here.
    pub received_at: Timestamp,
}

/// An alert that could not be read, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedAlert {
    /// Its id.
    pub id: QuarantineId,
    /// The name of the source that sent it.
    pub source: String,
    /// Its place in the body, from 0.
    pub position: i32,
    /// Where in the body the fault is.
    pub path: String,
    /// What is wrong.
    pub reason: String,
    /// As it was sent.
    pub raw: String,
    /// When it came.
    pub received_at: Timestamp,
}
