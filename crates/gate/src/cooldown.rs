//! Cooldowns: how long a trigger or a runbook leaves a target alone after a run.

use jiff::SignedDuration;
use model::Timestamp;
use model::id::ResourceId;
use model::verdict::Verdict;

use crate::guard::{Guard, GuardResult};
use crate::proposal::Proposal;

model::words! {
    /// What cools down, on one target.
    CooldownScope {
        /// A trigger's runs.
        Trigger = "trigger_target",
        /// A runbook's runs.
        Runbook = "runbook_target",
    }
}

/// A rule that applies to what is proposed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cooldown {
    /// What cools down.
    pub scope: CooldownScope,
    /// `<trigger or runbook>/<resource>`.
    pub scope_id: String,
    /// How long, in seconds; 0 is not at all.
    pub seconds: u32,
    /// What people call the target.
    pub target: String,
}

impl Cooldown {
    /// Every cooldown that has a say in what is proposed, also those of no length: their runs are
    /// recorded, so that a cooldown set later knows them.
    #[must_use]
    pub fn all(proposal: &Proposal) -> Vec<Self> {
        let rule = |scope, id: &dyn ToString, resource: ResourceId, seconds, target: &str| Self {
            scope,
            scope_id: format!("{}/{resource}", id.to_string()),
            seconds,
            target: target.to_owned(),
        };
        let of_place = |place: &crate::proposal::Place| {
            let trigger = proposal.trigger.map(|trigger| {
                let seconds = proposal.trigger_cooldown_s;
                rule(CooldownScope::Trigger, &trigger, place.resource, seconds, &place.name)
            });
            let seconds = proposal.runbook_cooldown_s;
            let runbook = &proposal.runbook;
            let runbook =
                rule(CooldownScope::Runbook, runbook, place.resource, seconds, &place.name);
            trigger.into_iter().chain([runbook])
        };
        let mut all: Vec<_> = proposal.places.iter().flat_map(of_place).collect();
        all.sort();
        all.dedup();
        all
    }

    /// What it says to a run at `at`, the last one having been at `last`.
    #[must_use]
    pub fn judge(&self, last: Option<Timestamp>, at: Timestamp) -> GuardResult {
        let length = SignedDuration::from_secs(i64::from(self.seconds));
        let until = last.map(|last| last.checked_add(length).ok());
        match until {
            // What has no length is over whatever the clock says, one that was put back included.
            _ if length.is_zero() => GuardResult::allow(Guard::Cooldown, "cool"),
            None => GuardResult::allow(Guard::Cooldown, "cool"),
            Some(Some(until)) if until <= at => GuardResult::allow(Guard::Cooldown, "cool"),
            Some(until) => GuardResult {
                guard: Guard::Cooldown,
                verdict: Verdict::Deny,
                code: "cooldown".into(),
                message: format!("{} was acted on less than {} s ago", self.target, self.seconds),
                until,
            },
        }
    }
}
