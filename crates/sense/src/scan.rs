//! A look for drift: what a scan found, as findings.

use std::collections::BTreeMap;

use model::Digest;
use model::id::{EnvironmentId, RepositoryId, ScanId};
use serde_json::json;

use crate::change_event::Happened;
use crate::drift::compare::NotChecked;
use crate::drift::severity::Weights;
use crate::drift::{Drift, DriftType};
use crate::report::{self, Detail, FoundBy, Reported};

#[cfg(test)]
mod tests;

/// The most characters of a title.
const LONGEST_TITLE: usize = 500;
/// The most characters of a property's path: document 004 has as many.
const LONGEST_PATH: usize = 500;

model::words! {
    /// What declarations are compared with.
    Against {
        /// The tool's own word: its providers read what is there.
        Provider = "provider",
        /// What our own calls to the cloud's API gave.
        Api = "api",
        /// What the cluster says an apply would change.
        DryRun = "dry_run",
        /// A document that somebody read earlier.
        Document = "document",
    }
}

impl Against {
    /// How sure a difference is, 0 to 1, by how it was read: providers and dry runs know defaults and
    /// their own formats, our calls read what we know of a type, a document is as old as it is.
    /// Set by judgement, not measured; `judgement.md`, 3b.
    #[must_use]
    pub const fn confidence(self) -> f64 {
        match self {
            Self::Provider | Self::DryRun => 0.99,
            Self::Api => 0.95,
            Self::Document => 0.8,
        }
    }
}

/// The scan something was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scan {
    /// Its id.
    pub id: ScanId,
    /// The source it is of.
    pub repository: RepositoryId,
    /// The environment that declares.
    pub environment: EnvironmentId,
    /// What the declarations are compared with.
    pub against: Against,
}

/// Everything a scan on another host has to say.
#[derive(Debug)]
pub struct Told {
    /// What the declarations were compared with.
    pub against: Against,
    /// What differs.
    pub drifts: Vec<Drift>,
    /// How many resources are as declared.
    pub in_sync: u32,
    /// What could not be looked at.
    pub not_checked: Vec<NotChecked>,
    /// The types of which what nothing declares was looked for.
    pub undeclared: Vec<String>,
    /// Calls that may have made it differ, as the cloud recorded them.
    pub happened: Vec<Happened>,
    /// What else there is to say.
    pub remark: Option<String>,
}

/// A drift as a finding of this scan. Same resource, same finding, however it differs.
#[must_use]
pub fn finding(scan: &Scan, drift: &Drift) -> Reported {
    let judged = Weights::shipped().judge(drift);
    let known = Digest::of(
        json!([scan.repository, drift.kind, drift.address, undeclared(drift)])
            .to_string()
            .as_bytes(),
    );
    let reason = judged.reasons.first().map(|because| because.why.clone()).unwrap_or_default();
    let changes = drift.changes.iter().map(|change| report::Change {
        property_path: cut(&change.path, LONGEST_PATH),
        declared_value: change.declared.clone(),
        actual_value: change.actual.clone(),
        change_type: change.change.word(),
        is_security_critical: judged.critical.contains(&change.path),
    });
    Reported {
        fingerprint: format!("drift/{known}"),
        began_at: None,
        title: cut(&title(drift), LONGEST_TITLE),
        reason,
        severity: judged.severity,
        severity_score: Some(judged.score),
        confidence_score: Some(scan.against.confidence()),
        resource_id: None,
        environment_id: Some(scan.environment),
        detail: Detail::Drift(Box::new(report::Drift {
            found_by: Some(FoundBy {
                repository: scan.repository,
                scan: scan.id,
                address: drift.address.clone(),
                external_id: drift.id.clone(),
            }),
            iac_resource_id: None,
            drift_type: drift.drift.word(),
            actual_state: drift.actual.clone(),
            declared_state: drift.declared.clone(),
            risk_assessment: json!({
                "security": judged.axes.security, "performance": judged.axes.performance,
                "cost": judged.axes.cost, "compliance": judged.axes.compliance,
                "reasons": judged.reasons,
            }),
            tags: BTreeMap::new(),
            metadata: json!({"address": drift.address, "type": drift.kind, "id": drift.id}),
            changes: changes.collect(),
        })),
    }
}

/// What tells two resources apart that nothing declares.
fn undeclared(drift: &Drift) -> Option<&str> {
    if drift.drift == DriftType::Added { drift.id.as_deref() } else { None }
}

fn title(drift: &Drift) -> String {
    match (drift.drift, drift.changes.as_slice()) {
        (DriftType::Deleted, _) => format!("{} is gone", drift.address),
        (DriftType::Added, _) => format!("{} {} is not declared", drift.kind, drift.address),
        (DriftType::Moved, _) => format!("{} is elsewhere", drift.address),
        (DriftType::Modified, [one]) => format!("{}: {} differs", drift.address, one.path),
        (DriftType::Modified, changes) => {
            format!("{}: {} properties differ", drift.address, changes.len())
        }
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
