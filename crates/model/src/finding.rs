//! An alert, as the rest of the loop sees it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::FindingId;
use crate::level::Severity;
use crate::time::Timestamp;
use crate::words::words;

words! {
    /// Whether the sender says the problem is there.
    SourceStatus {
        /// It is.
        Firing = "firing",
        /// It is gone.
        Resolved = "resolved",
    }
}

words! {
    /// What an alert rule says to do with an alert.
    RuleAction {
        /// Match runbooks, plan, judge.
        AutoAnalyze = "auto_analyze",
        /// Keep it, do nothing.
        Ignore = "ignore",
        /// Keep it for a person.
        Manual = "manual",
    }
}

/// An alert. Everything in it comes from outside and is untrusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its finding.
    pub id: FindingId,
    /// The sender's fingerprint.
    pub fingerprint: String,
    /// `labels.alertname`.
    pub name: String,
    /// Our reading of its severity.
    pub severity: Severity,
    /// The sender's word for it.
    pub severity_raw: String,
    /// `labels.instance`, or empty.
    pub instance: String,
    /// `labels.job`, or empty.
    pub job: String,
    /// The name of the source that sent it.
    pub source: String,
    /// Firing or resolved.
    pub status: SourceStatus,
    /// When the problem began, by the sender.
    pub starts_at: Timestamp,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// All annotations.
    pub annotations: BTreeMap<String, String>,
}
