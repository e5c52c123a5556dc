//! What the gate says to an intent, and why.

use serde::{Deserialize, Serialize};

use crate::actor::Role;
use crate::level::Tier;
use crate::words::words;

words! {
    /// The answer of one judge, ordered from the mildest to the most restrictive.
    Verdict {
        /// May run.
        Allow = "allow",
        /// May run once approved.
        RequireApproval = "require_approval",
        /// May not run.
        Deny = "deny",
    }
}

words! {
    /// Who gave a reason.
    Judge {
        /// The Rego bundle.
        Policy = "policy",
        /// A guard.
        Guard = "guard",
        /// The risk engine.
        Risk = "risk",
        /// A flag of the runbook's, which may only tighten.
        Runbook = "runbook",
        /// Whether autonomy has been earned.
        Autonomy = "autonomy",
    }
}

/// One reason of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Who gave it.
    pub judge: Judge,
    /// A stable word for it: `prod_requires_approval`, `blackout`.
    pub code: String,
    /// What it alone would have decided.
    pub verdict: Verdict,
    /// In words a person can act on.
    pub message: String,
}

/// Who must approve before an intent may run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequirement {
    /// The tier that asked for it.
    pub tier: Tier,
    /// Holders of any of these may vote.
    pub roles: Vec<Role>,
    /// How many approving votes are needed; at least one.
    pub min_votes: u32,
    /// How long it may be voted on, in seconds.
    pub ttl_s: u32,
}

impl ApprovalRequirement {
    /// The stricter of two: higher tier, more votes, shorter time, only roles both accept.
    ///
    /// When no role is accepted by both, this side's roles stay: an unmeetable requirement would
    /// be a denial in disguise.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.tier = self.tier.max(other.tier);
        self.min_votes = self.min_votes.max(other.min_votes);
        self.ttl_s = self.ttl_s.min(other.ttl_s);
        let both: Vec<Role> =
            self.roles.iter().copied().filter(|role| other.roles.contains(role)).collect();
        if !both.is_empty() {
            self.roles = both;
        }
        self
    }
}
