//! What is known about a problem, and what one more notice of it changes.
//!
//! A problem is one fingerprint with one beginning. Notices of it come repeated, late and in any
//! order; what is known in the end does not depend on the order. Resolved is final: a sender that
//! sees the problem again names a new beginning.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use model::Timestamp;
use model::finding::SourceStatus;

use super::Notice;

/// What is known about a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Resolved once any notice said so.
    pub status: SourceStatus,
    /// The latest end any resolving notice named.
    pub ends_at: Option<Timestamp>,
    /// How many notices came.
    pub seen: u64,
}

/// What a notice changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Nothing was known before.
    New,
    /// The problem was known and is now resolved.
    Resolved,
    /// Nothing but the count.
    Repeated,
}

/// Takes one more notice into what is known.
#[must_use]
pub fn merge(
    known: Option<Known>,
    status: SourceStatus,
    ends_at: Option<Timestamp>,
) -> (Known, Change) {
    let ends_at = match status {
        SourceStatus::Firing => None,
        SourceStatus::Resolved => ends_at,
    };
    let Some(known) = known else {
        return (Known { status, ends_at, seen: 1 }, Change::New);
    };
    let change = match (known.status, status) {
        (SourceStatus::Firing, SourceStatus::Resolved) => Change::Resolved,
        (SourceStatus::Firing | SourceStatus::Resolved, SourceStatus::Firing)
        | (SourceStatus::Resolved, SourceStatus::Resolved) => Change::Repeated,
    };
    let merged = Known {
        status: known.status.max(status),
        ends_at: known.ends_at.max(ends_at),
        seen: known.seen.saturating_add(1),
    };
    (merged, change)
}

/// The notices of one problem in one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The notice whose text is kept: the last of those that say what holds in the end.
    pub notice: Notice,
    /// What the notices come to together.
    pub known: Known,
}

/// Brings the notices of a batch together by problem, in the order of fingerprint and beginning:
/// batches that take their row locks in one order cannot lock each other out.
#[must_use]
pub fn fold(notices: Vec<Notice>) -> Vec<Problem> {
    let mut problems: BTreeMap<(String, Timestamp), Problem> = BTreeMap::new();
    for notice in notices {
        let key = (notice.fingerprint.clone(), notice.starts_at);
        let before = problems.get(&key).map(|problem| problem.known);
        let (known, _) = merge(before, notice.status, notice.ends_at);
        let problem = match problems.remove(&key) {
            // A firing notice that comes after the resolving one has nothing to say any more.
            Some(problem) if notice.status < known.status => Problem { known, ..problem },
            _ => Problem { notice, known },
        };
        problems.insert(key, problem);
    }
    problems.into_values().collect()
}
