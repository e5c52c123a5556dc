//! Alerts as they come in: from a sender's body to notices that can be stored.

pub mod alertmanager;
mod field;
pub mod generic;
pub mod rule;
pub mod signature;
pub mod state;

use std::collections::BTreeMap;

use model::finding::SourceStatus;
use model::level::Severity;
use model::{Digest, Timestamp};

pub use field::{MAX_LABELS, MAX_NAME_BYTES};

/// The most alerts one body may carry.
pub const MAX_ALERTS: usize = 1_000;

/// The largest body of alerts that is read: a thousand alerts of 8 KiB each.
pub const MAX_BODY_BYTES: usize = 8 << 20;

/// How much of a body of alerts is read.
pub const LIMITS: api::strict::Limits =
    api::strict::Limits { bytes: MAX_BODY_BYTES, depth: 64, values: 500_000 };

/// What a sender said about one problem. All text in it is untrusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The sender's fingerprint, or one computed from the labels.
    pub fingerprint: String,
    /// `labels.alertname`, or empty.
    pub name: String,
    /// Our reading of its severity.
    pub severity: Severity,
    /// The sender's word for it, or empty.
    pub severity_raw: String,
    /// `labels.instance`, or empty.
    pub instance: String,
    /// `labels.job`, or empty.
    pub job: String,
    /// Firing or resolved.
    pub status: SourceStatus,
    /// When the problem began, in whole microseconds, as the database keeps it.
    pub starts_at: Timestamp,
    /// When it ended or is taken to end; `None` when the sender named no sensible time.
    pub ends_at: Option<Timestamp>,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// All annotations.
    pub annotations: BTreeMap<String, String>,
    /// The alert as it was sent.
    pub raw: String,
}

impl Notice {
    /// One line for lists: what, and where.
    #[must_use]
    pub fn title(&self) -> String {
        let name = if self.name.is_empty() { "unnamed alert" } else { &self.name };
        if self.instance.is_empty() {
            name.to_owned()
        } else {
            format!("{name} on {}", self.instance)
        }
    }
}

/// An alert that could not be read: kept with the reason, so that nothing is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Its place in the body, from 0.
    pub index: usize,
    /// A JSON pointer to the fault, from the top of the body.
    pub path: String,
    /// What is wrong, in words.
    pub reason: String,
    /// The alert as it was sent. It is JSON source text, so U+0000 can only be in it as `\u0000`.
    pub raw: String,
}

/// Everything one body held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The alerts that could be read, in their order.
    pub notices: Vec<Notice>,
    /// Those that could not.
    pub quarantined: Vec<Quarantined>,
    /// How many alerts the sender says it left out.
    pub truncated: u64,
    /// SHA-256 of the body, byte for byte.
    pub digest: Digest,
}
