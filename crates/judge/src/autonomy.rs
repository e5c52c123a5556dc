//! Earned autonomy: when a change that needed approval may run without.
//!
//! It is earned per (tenant, category, environment class, action), from verified outcomes alone.
//! Two things must hold: enough verified successes, and an upper credible bound of the failure
//! rate below a limit. The bound is the 95 % quantile of Beta(1 + failures, 1 + successes): the
//! flat prior, because autonomy is to be earned by evidence and not granted by what is believed
//! about other tenants. It asks for more than the 20 successes named first: with no failure 58 are
//! needed for a bound of 0.05, with one failure 91, with two 121.

use model::level::{EnvironmentClass, Tier};
use serde::{Deserialize, Serialize};

use crate::action::{Category, Kind};
use crate::beta::Beta;
use crate::constants::AutonomyConstants;
use crate::exact::Exact;
use crate::risk::RiskInput;

/// What autonomy is earned for, within a tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Which posterior learns from the action.
    pub category: Category,
    /// The class of the environment.
    pub environment: EnvironmentClass,
    /// The typed action.
    pub action: String,
}

/// Verified outcomes of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What they are about.
    pub key: Key,
    /// Verified successes.
    pub successes: u32,
    /// Verified failures.
    pub failures: u32,
}

/// Limits a policy sets; the stricter of these and the constants hold.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Verified successes needed at least.
    pub min_successes: Option<u32>,
    /// The upper credible bound of the failure rate must not exceed this.
    pub max_failure_bound: Option<Exact>,
    /// The highest tier autonomy can be earned for.
    pub max_tier: Option<Tier>,
}

/// Whether autonomy has been earned, with what it was judged by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Autonomy {
    /// Whether every write of the plan has earned it everywhere it would run.
    pub earned: bool,
    /// Fewest verified successes among the keys.
    pub successes: u32,
    /// Most verified failures among the keys.
    pub failures: u32,
    /// Highest upper credible bound of the failure rate among the keys.
    pub failure_bound: Exact,
}

impl Autonomy {
    /// What holds where nothing is known.
    #[must_use]
    pub fn none() -> Self {
        Self { earned: false, successes: 0, failures: 0, failure_bound: Exact(1.0) }
    }
}

impl AutonomyConstants {
    /// These, tightened by what a policy says; a policy cannot loosen them.
    #[must_use]
    pub fn tightened(&self, limits: &Limits) -> Self {
        let mut tightened = self.clone();
        if let Some(successes) = limits.min_successes {
            tightened.min_successes = self.min_successes.max(successes);
        }
        if let Some(bound) = limits.max_failure_bound {
            // `min` would prefer the constant to a NaN; a limit that cannot be read closes the door.
            let bound = if bound.usable() { bound.0 } else { 0.0 };
            tightened.max_failure_bound = Exact(self.max_failure_bound.0.min(bound));
        }
        if let Some(tier) = limits.max_tier {
            tightened.max_tier = self.max_tier.min(tier);
        }
        tightened
    }
}

/// The keys a plan must have earned: each write in each environment it touches.
#[must_use]
pub fn keys(input: &RiskInput) -> Vec<Key> {
    let writes = input.actions.iter().filter(|action| action.kind == Kind::Write);
    writes
        .flat_map(|action| {
            input.blast.environments.iter().map(|environment| Key {
                category: action.category,
                environment: *environment,
                action: action.action.clone(),
            })
        })
        .collect()
}

/// The upper credible bound of the failure rate after these outcomes; 1 where it has none.
#[must_use]
pub fn failure_bound(successes: u32, failures: u32, constants: &AutonomyConstants) -> f64 {
    let alpha = constants.prior_alpha.0 + f64::from(failures);
    let beta = constants.prior_beta.0 + f64::from(successes);
    Beta::new(alpha, beta).map_or(1.0, |belief| belief.quantile(constants.bound_mass.0))
}

/// Judges whether `evidence` earns autonomy for a plan of `tier` that needs `keys`.
#[must_use]
pub fn judge(
    keys: &[Key],
    evidence: &[Evidence],
    tier: Tier,
    constants: &AutonomyConstants,
) -> Autonomy {
    let judged = keys.iter().map(|key| {
        let of_key = evidence.iter().filter(|evidence| evidence.key == *key);
        let (successes, failures) = of_key.fold((0_u32, 0_u32), |(good, bad), evidence| {
            (good.saturating_add(evidence.successes), bad.saturating_add(evidence.failures))
        });
        Autonomy {
            earned: false,
            successes,
            failures,
            failure_bound: Exact(failure_bound(successes, failures, constants)),
        }
    });
    let Some(weakest) = judged.reduce(|a, b| Autonomy {
        earned: false,
        successes: a.successes.min(b.successes),
        failures: a.failures.max(b.failures),
        failure_bound: if b.failure_bound > a.failure_bound {
            b.failure_bound
        } else {
            a.failure_bound
        },
    }) else {
        return Autonomy::none();
    };
    let earned = tier <= constants.max_tier
        && weakest.successes >= constants.min_successes
        && weakest.failure_bound.0 <= constants.max_failure_bound.0;
    Autonomy { earned, ..weakest }
}

#[cfg(test)]
mod tests;
