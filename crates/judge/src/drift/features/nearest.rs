//! Of several events the one that counts: the nearest by time and by reach.
//!
//! Whatever order they come in: of two that are as near, the one whose id comes first.

use model::level::Severity;

use crate::drift::facts::{Commit, Near, Reach, Ticket};

/// Minutes after which an incident or an alert is e times less near.
const INCIDENT_MINUTES: f64 = 60.0;
/// The same of events of security and of deployments.
const SECURITY_MINUTES: f64 = 120.0;
/// The same of commits and tickets: a day.
const COMMIT_MINUTES: f64 = 1440.0;

/// `e^(-|minutes| / tau)`: 1 at the same moment, .37 after tau, 0 for what is no number.
fn closeness(minutes: f64, tau: f64) -> f64 {
    if minutes.is_finite() { libm::exp(-minutes.abs() / tau) } else { 0.0 }
}

/// How near an event of this reach is: 1, ½ or ¼, half for each step (`2^-hops`).
pub(crate) const fn reach(reach: Reach) -> f64 {
    match reach {
        Reach::Same => 1.0,
        Reach::Near => 0.5,
        Reach::Environment => 0.25,
    }
}

/// Quarters: low ¼, critical 1; what has none counts as medium.
pub(super) const fn severity(severity: Option<Severity>) -> f64 {
    match severity {
        Some(Severity::Low) => 0.25,
        Some(Severity::Medium) | None => 0.5,
        Some(Severity::High) => 0.75,
        Some(Severity::Critical) => 1.0,
    }
}

fn near_in_time(near: &Near, tau: f64) -> f64 {
    if near.open { 1.0 } else { closeness(near.minutes, tau) }
}

/// The one with the largest key, one number after the other; of equals the one whose id comes first.
fn nearest<T>(
    all: &[T],
    key: impl Fn(&T) -> [f64; 3],
    id: impl for<'a> Fn(&'a T) -> &'a str,
) -> Option<&T> {
    all.iter().max_by(|one, other| {
        let numbers = key(one).into_iter().zip(key(other));
        let differ = numbers.map(|(one, other)| one.total_cmp(&other)).find(|order| order.is_ne());
        differ.unwrap_or_else(|| id(other).cmp(id(one)))
    })
}

fn nearest_by(all: &[Near], tau: f64) -> Option<&Near> {
    let key = |near: &Near| {
        [near_in_time(near, tau) * reach(near.reach), severity(near.severity), near.minutes]
    };
    nearest(all, key, |near| &near.id)
}

/// The incident or the alert that counts.
pub(crate) fn incident(all: &[Near]) -> Option<&Near> {
    nearest_by(all, INCIDENT_MINUTES)
}

/// The event of security or the deployment that counts.
pub(crate) fn security(all: &[Near]) -> Option<&Near> {
    nearest_by(all, SECURITY_MINUTES)
}

/// How near in time an incident or an alert is.
pub(super) fn incident_closeness(near: &Near) -> f64 {
    near_in_time(near, INCIDENT_MINUTES)
}

/// How near in time an event of security or a deployment is.
pub(super) fn security_closeness(near: &Near) -> f64 {
    near_in_time(near, SECURITY_MINUTES)
}

fn relation(commit: &Commit) -> f64 {
    let overlap = if commit.overlap.is_finite() { commit.overlap.clamp(0.0, 1.0) } else { 0.0 };
    overlap + if commit.author_matches { 0.5 } else { 0.0 }
}

/// The commit that counts: the nearest of those that touch the declaration or are the actor's.
pub(crate) fn commit(all: &[Commit]) -> Option<&Commit> {
    let key = |commit: &Commit| {
        [relation(commit) * commit_closeness(commit), relation(commit), commit.minutes]
    };
    nearest(all, key, |commit| &commit.id).filter(|commit| relation(commit) > 0.0)
}

/// A later commit to the same files that speaks of a fix: what was done by hand is put into code.
pub(crate) fn follow_up(all: &[Commit]) -> Option<&Commit> {
    let follows =
        |commit: &&Commit| commit.minutes > 0.0 && commit.overlap > 0.0 && commit.words.debug > 0;
    all.iter().filter(follows).min_by(|one, other| {
        one.minutes.total_cmp(&other.minutes).then_with(|| one.id.cmp(&other.id))
    })
}

/// How near in time a commit is.
pub(super) fn commit_closeness(commit: &Commit) -> f64 {
    closeness(commit.minutes, COMMIT_MINUTES)
}

/// The ticket that counts.
pub(crate) fn ticket(all: &[Ticket]) -> Option<&Ticket> {
    nearest(all, |ticket| [ticket_closeness(ticket), ticket.minutes, 0.0], |ticket| &ticket.id)
}

/// How near in time a ticket is.
pub(super) fn ticket_closeness(ticket: &Ticket) -> f64 {
    closeness(ticket.minutes, COMMIT_MINUTES)
}

/// How soon something was put back: 1 at once, .37 after an hour.
pub(super) fn undone_closeness(minutes: f64) -> f64 {
    closeness(minutes, INCIDENT_MINUTES)
}

/// How lately something ended: 1 just now, .37 a day ago.
pub(super) fn day_closeness(hours: f64) -> f64 {
    closeness(hours * 60.0, COMMIT_MINUTES)
}
