//! The tier: the highest that action, environment, blast radius and score ask for.

use model::level::Tier;
use model::plan::BlastScope;
use model::verdict::{Reason, Verdict};
use serde::{Deserialize, Serialize};

use super::RiskInput;
use super::losses::reason;

/// More targets than this ask for tier medium.
const MEDIUM_TARGETS: u32 = 10;
/// More targets than this ask for tier high.
const HIGH_TARGETS: u32 = 50;

/// What each side of an intent asks for. Reads stay at `read` whatever they touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiers {
    /// The heaviest action, by the action table.
    pub action: Tier,
    /// That, one step up in production.
    pub environment: Tier,
    /// Number of targets, scope and whether it can be undone.
    pub blast: Tier,
    /// The risk score.
    pub score: Tier,
}

impl Tiers {
    pub(super) fn of(input: &RiskInput, score: f64) -> Self {
        if !input.writes() {
            return Self {
                action: Tier::Read,
                environment: Tier::Read,
                blast: Tier::Read,
                score: Tier::Read,
            };
        }
        let action = input.actions.iter().map(|action| action.tier).max().unwrap_or(Tier::High);
        Self {
            action,
            environment: if input.production() { action.raised() } else { action },
            blast: blast(input),
            score: Tier::from_score(score),
        }
    }

    /// The tier of the intent.
    #[must_use]
    pub fn highest(&self) -> Tier {
        self.action.max(self.environment).max(self.blast).max(self.score)
    }

    /// Reasons that explain the tier; they decide nothing, the policy decides by tier.
    pub(super) fn reasons(&self, input: &RiskInput) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut say = |code, message| reasons.push(reason(code, Verdict::Allow, message));
        for action in input.actions.iter().filter(|action| !action.known) {
            let key = &action.action;
            say("unknown_action", format!("action {key:?} is not in the table: tier high"));
        }
        if self.environment > self.action {
            let tier = self.environment;
            say(
                "production_raises_tier",
                format!("a write in production raises the tier to {tier}"),
            );
        }
        if input.writes() && input.blast.irreversible {
            say("irreversible", "a step cannot be undone: tier high".to_owned());
        }
        if input.writes() && input.blast.targets > MEDIUM_TARGETS {
            let (targets, tier) = (input.blast.targets, self.blast);
            say("many_targets", format!("{targets} targets ask for tier {tier}"));
        }
        reasons
    }
}

fn blast(input: &RiskInput) -> Tier {
    let blast = &input.blast;
    if blast.irreversible || blast.targets > HIGH_TARGETS || blast.scope == BlastScope::Account {
        Tier::High
    } else if blast.targets > MEDIUM_TARGETS {
        Tier::Medium
    } else {
        Tier::Low
    }
}
