//! Quorum: how many of the votes cast count, and whether they suffice.

use crate::approval::{Choice, Request, able, eligible};

/// What the votes add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tally {
    /// Somebody eligible said no; that is final.
    Denied,
    /// Enough said yes.
    Reached,
    /// So many are missing.
    Missing(u32),
}

/// Counts the votes of those who are eligible now: each person once.
#[must_use]
pub fn tally(request: &Request) -> Tally {
    let counted = |choice: Choice| {
        let mut persons: Vec<&str> = request
            .votes
            .iter()
            .filter(|vote| vote.choice == choice && eligible(request, &vote.voter).is_ok())
            .map(|vote| vote.voter.person.as_str())
            .collect();
        persons.sort_unstable();
        persons.dedup();
        u32::try_from(persons.len()).unwrap_or(u32::MAX)
    };
    if counted(Choice::Deny) > 0 {
        return Tally::Denied;
    }
    // One person's emergency authority, as long as that person could vote at all.
    let alone = request.votes.iter().any(|vote| {
        request.alone == Some(vote.voter.actor.id)
            && vote.choice == Choice::Approve
            && able(request, &vote.voter).is_ok()
    });
    if alone {
        return Tally::Reached;
    }
    match request.requirement.min_votes.max(1).saturating_sub(counted(Choice::Approve)) {
        0 => Tally::Reached,
        missing => Tally::Missing(missing),
    }
}
