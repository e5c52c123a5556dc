//! What may go and what stays, with the reason: facts in, a plan out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::rule::{Holds, Rules, Unit};
use crate::subject::Subject;

model::words! {
    /// Why something stays.
    Reason {
        /// A legal hold keeps it.
        Held = "legal_hold",
        /// It is not over.
        NotOver = "not_over",
        /// Its time has not come.
        TooYoung = "too_young",
        /// Something that stays refers to it.
        ReferredTo = "referred_to",
        /// It is in use.
        InUse = "in_use",
    }
}

/// What is known of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Which thing.
    pub id: Uuid,
    /// Since when it is over; none while it is not.
    pub over_at: Option<Timestamp>,
    /// Whether something else that stays refers to it.
    pub referred_to: bool,
    /// Of versions: how many newer ones there are.
    pub newer: u32,
    /// Of versions: whether it is the one in use.
    pub in_use: bool,
}

/// What to do with the things of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// These go.
    pub go: Vec<Uuid>,
    /// So many stay, for these reasons.
    pub stay: BTreeMap<Reason, u64>,
}

impl Plan {
    /// Decides about every candidate.
    #[must_use]
    pub fn of(
        subject: &Subject,
        rules: &Rules,
        holds: &Holds,
        now: Timestamp,
        candidates: &[Candidate],
    ) -> Self {
        let mut plan = Self::default();
        for candidate in candidates {
            match stays(subject, rules, holds, now, candidate) {
                None => plan.go.push(candidate.id),
                Some(reason) => *plan.stay.entry(reason).or_default() += 1,
            }
        }
        plan
    }

    /// Adds what another part of the same kind gives.
    pub fn add(&mut self, other: Self) {
        self.go.extend(other.go);
        for (reason, count) in other.stay {
            *self.stay.entry(reason).or_default() += count;
        }
    }
}

/// Why a thing stays; none when it may go. The strongest reason counts: a hold before everything.
#[must_use]
pub fn stays(
    subject: &Subject,
    rules: &Rules,
    holds: &Holds,
    now: Timestamp,
    candidate: &Candidate,
) -> Option<Reason> {
    if holds.keep(subject.class) {
        return Some(Reason::Held);
    }
    match subject.class.unit() {
        Unit::Versions if candidate.in_use => return Some(Reason::InUse),
        Unit::Versions if candidate.newer < rules.keep(subject.class) => {
            return Some(Reason::TooYoung);
        }
        Unit::Versions => {}
        Unit::Days => match candidate.over_at {
            None => return Some(Reason::NotOver),
            Some(at) if at >= rules.cutoff(subject.class, now) => return Some(Reason::TooYoung),
            Some(_) => {}
        },
    }
    candidate.referred_to.then_some(Reason::ReferredTo)
}

/// The months of a table that may go end here, at the start of the month the cutoff lies in: a
/// month goes when the last row of it may.
#[must_use]
pub fn end_of_months(subject: &Subject, rules: &Rules, now: Timestamp) -> Timestamp {
    start_of_month(rules.cutoff(subject.class, now))
}

/// The start of the month a moment lies in, in UTC.
#[must_use]
pub fn start_of_month(at: Timestamp) -> Timestamp {
    let day = at.to_zoned(jiff::tz::TimeZone::UTC).date().first_of_month();
    day.to_zoned(jiff::tz::TimeZone::UTC).map_or(at, |start| start.timestamp())
}

/// The start of the month after the one a moment lies in, in UTC.
#[must_use]
pub fn end_of_month(at: Timestamp) -> Timestamp {
    let start = start_of_month(at).to_zoned(jiff::tz::TimeZone::UTC);
    start.checked_add(jiff::Span::new().months(1)).map_or(at, |next| next.timestamp())
}

#[cfg(test)]
mod tests;
