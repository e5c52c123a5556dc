//! What is known about a problem, and what one more notice of it changes.
//!
//! A problem is one fingerprint with one beginning. Notices of it come repeated, late and in any
//! order; what is known in the end does not depend on the order. Resolved is final: a sender that
//! sees the problem again names a new beginning.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

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

/// The notices of one problem in deliveries that are written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem<'a> {
    /// The notice whose text is kept: the last of those that say what holds in the end.
    pub notice: &'a Notice,
    /// What the notices come to together.
    pub known: Known,
    /// What each delivery said, in their order; those that said nothing of it are left out.
    pub said: Vec<Said>,
}

/// What one delivery said of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Which delivery.
    pub delivery: usize,
    /// Resolved once any of its notices said so.
    pub status: SourceStatus,
}

impl<'a> Problem<'a> {
    fn new(delivery: usize, notice: &'a Notice) -> Self {
        let (known, _) = merge(None, notice.status, notice.ends_at);
        let said = vec![Said { delivery, status: notice.status }];
        Self { notice, known, said }
    }

    fn add(&mut self, delivery: usize, notice: &'a Notice) {
        (self.known, _) = merge(Some(self.known), notice.status, notice.ends_at);
        match self.said.last_mut().filter(|said| said.delivery == delivery) {
            Some(said) => said.status = said.status.max(notice.status),
            None => self.said.push(Said { delivery, status: notice.status }),
        }
        // A firing notice that comes after the resolving one has nothing to say any more.
        if notice.status == self.known.status {
            self.notice = notice;
        }
    }

    /// What each delivery changed, given what was known before the first.
    pub fn changes(&self, before: Option<SourceStatus>) -> impl Iterator<Item = (usize, Change)> {
        let mut known = before.map(|status| Known { status, ends_at: None, seen: 1 });
        self.said.iter().map(move |said| {
            let (merged, change) = merge(known, said.status, None);
            known = Some(merged);
            (said.delivery, change)
        })
    }
}

/// Brings the notices of deliveries together by problem, in the order of fingerprint and
/// beginning: writers that take their row locks in one order cannot lock each other out.
#[must_use]
pub fn fold<'a>(deliveries: impl IntoIterator<Item = &'a [Notice]>) -> Vec<Problem<'a>> {
    let mut problems: BTreeMap<(&str, Timestamp), Problem<'a>> = BTreeMap::new();
    for (delivery, notices) in deliveries.into_iter().enumerate() {
        for notice in notices {
            let key = (notice.fingerprint.as_str(), notice.starts_at);
            match problems.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(Problem::new(delivery, notice));
                }
                Entry::Occupied(entry) => entry.into_mut().add(delivery, notice),
            }
        }
    }
    problems.into_values().collect()
}
