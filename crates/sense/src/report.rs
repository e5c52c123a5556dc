//! Findings that others report: violations, drift, cost, exposure. Alerts come through hooks.

use std::collections::BTreeMap;

use model::Timestamp;
use model::id::{DeclaredId, EnvironmentId, ProviderPolicyId, RepositoryId, ResourceId, ScanId};
use model::level::Severity;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// A finding as it was reported.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// What tells it from other problems of its kind.
    pub fingerprint: String,
    /// When it began; that of the open finding it repeats, or now, when absent.
    pub began_at: Option<Timestamp>,
    /// One line.
    pub title: String,
    /// Why it is one.
    pub reason: String,
    /// How bad it is.
    pub severity: Severity,
    /// The same as a number, 0 to 1.
    pub severity_score: Option<f64>,
    /// How sure that is, 0 to 1.
    pub confidence_score: Option<f64>,
    /// The resource it is about.
    pub resource_id: Option<ResourceId>,
    /// The environment it is about.
    pub environment_id: Option<EnvironmentId>,
    /// What its kind adds.
    pub detail: Detail,
}

/// What a kind of finding adds to the header all share.
#[derive(Debug, Clone, PartialEq)]
pub enum Detail {
    /// A policy is broken.
    Violation {
        /// The policy, when the catalogue has it.
        policy_id: Option<ProviderPolicyId>,
    },
    /// Code and cloud differ.
    Drift(Box<Drift>),
    /// Something costs more than it should.
    Cost,
    /// Something can be reached that should not be.
    Exposure,
}

/// Which look for drift found something, and in which source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBy {
    /// The source.
    pub repository: RepositoryId,
    /// The scan.
    pub scan: ScanId,
    /// What the declaration calls the resource.
    pub address: String,
    /// What the provider calls it.
    pub external_id: Option<String>,
}

/// How code and cloud differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The scan that found it; `None` when somebody reported it by itself.
    pub found_by: Option<FoundBy>,
    /// The declaration it differs from, when it is known.
    pub iac_resource_id: Option<DeclaredId>,
    /// `modified`, `deleted`, `added` or `moved`.
    pub drift_type: &'static str,
    /// What is there.
    pub actual_state: Option<Value>,
    /// What is declared.
    pub declared_state: Option<Value>,
    /// What it means for security, performance, cost, compliance.
    pub risk_assessment: Value,
    /// Free words about it, by name.
    pub tags: BTreeMap<String, String>,
    /// What else its reporter knows: an object.
    pub metadata: Value,
    /// The properties that differ.
    pub changes: Vec<Change>,
}

/// A property that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where.
    pub property_path: String,
    /// What is declared.
    pub declared_value: Option<Value>,
    /// What is there.
    pub actual_value: Option<Value>,
    /// `modified`, `added` or `removed`.
    pub change_type: &'static str,
    /// Whether it matters to security.
    pub is_security_critical: bool,
}

impl Detail {
    /// The kind of the finding.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Violation { .. } => "violation",
            Self::Drift(_) => "drift",
            Self::Cost => "cost",
            Self::Exposure => "exposure",
        }
    }
}

/// A finding with how often one batch reported it.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// As it was reported last.
    pub reported: Reported,
    /// How often.
    pub times: i64,
}

/// One of each finding of a batch: what was reported last counts, and how often is kept.
#[must_use]
pub fn fold(batch: Vec<Reported>) -> Vec<Counted> {
    let mut folded: BTreeMap<(&'static str, String, Option<Timestamp>), Counted> = BTreeMap::new();
    for reported in batch {
        let key = (reported.detail.kind(), reported.fingerprint.clone(), reported.began_at);
        let times = folded.get(&key).map_or(0, |counted| counted.times) + 1;
        folded.insert(key, Counted { reported, times });
    }
    folded.into_values().collect()
}
