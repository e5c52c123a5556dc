//! Constant sets: every number of the risk engine, as named and versioned data.

use std::sync::LazyLock;

use model::level::Tier;
use serde::{Deserialize, Serialize};

use crate::action::Category;
use crate::beta::Beta;
use crate::exact::Exact;

const ARF_1: &str = include_str!("../constants/arf-1.yaml");

/// A named set of constants. A changed number is a new set with a new name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConstantSet {
    /// Its name: `arf-1`.
    pub name: String,
    /// What is believed about a category before any outcome.
    pub priors: Priors,
    /// Weights of the expected losses.
    pub losses: Losses,
    /// What the posterior mean is multiplied with in production.
    pub production_factor: Exact,
    /// Mass of the highest-density interval.
    pub interval_mass: Exact,
    /// An interval wider than this needs a person.
    pub interval_width_limit: Exact,
    /// Epistemic uncertainty; 0 until forecasts exist.
    pub psi: Exact,
    /// How far similar past changes correct the posterior.
    pub memory: MemoryConstants,
    /// When autonomy is earned.
    pub autonomy: AutonomyConstants,
}

/// Beta priors per category; alpha counts failures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Priors {
    /// Databases.
    pub database: Prior,
    /// Networks.
    pub network: Prior,
    /// Hosts and workloads.
    pub compute: Prior,
    /// Access, secrets, firewalls.
    pub security: Prior,
    /// Everything else.
    pub default: Prior,
}

/// One prior.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prior {
    /// Pseudo-count of failures.
    pub alpha: Exact,
    /// Pseudo-count of successes.
    pub beta: Exact,
}

/// Weights of the expected losses, in points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Losses {
    /// Approving what fails (`COST_FP`).
    pub false_approval: Exact,
    /// Denying what would have worked (`COST_FN`).
    pub false_denial: Exact,
    /// Business impact (`COST_IMPACT`).
    pub impact: Exact,
    /// Forecast risk (`COST_PREDICTIVE`).
    pub predictive: Exact,
    /// Variance of the posterior (`COST_VARIANCE`).
    pub variance: Exact,
    /// Lost opportunity (`COST_OPP`).
    pub opportunity: Exact,
    /// A person's review (`COST_REVIEW`).
    pub review: Exact,
    /// Uncertainty a review has to deal with (`COST_UNCERTAINTY`).
    pub uncertainty: Exact,
}

/// Weight of similar past changes: `min(weight_limit, n / (n + half_weight_at))`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryConstants {
    /// The most they may weigh.
    pub weight_limit: Exact,
    /// How many of them would weigh one half without the limit.
    pub half_weight_at: Exact,
}

/// When autonomy is earned. See [`crate::autonomy`] for the choice of the prior.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutonomyConstants {
    /// Pseudo-count of failures.
    pub prior_alpha: Exact,
    /// Pseudo-count of successes.
    pub prior_beta: Exact,
    /// Mass below the upper credible bound.
    pub bound_mass: Exact,
    /// Verified successes needed at least.
    pub min_successes: u32,
    /// The upper credible bound of the failure rate must not exceed this.
    pub max_failure_bound: Exact,
    /// The highest tier autonomy can be earned for.
    pub max_tier: Tier,
}

impl ConstantSet {
    /// The set this binary ships: `arf-1`.
    #[must_use]
    pub fn arf_1() -> &'static Self {
        static SET: LazyLock<ConstantSet> = LazyLock::new(|| {
            serde_saphyr::from_str(ARF_1).expect("the shipped constants parse: a test reads them")
        });
        &SET
    }

    /// The prior of a category; `None` when its numbers are no distribution.
    #[must_use]
    pub fn prior(&self, category: Category) -> Option<Beta> {
        let prior = match category {
            Category::Database => self.priors.database,
            Category::Network => self.priors.network,
            Category::Compute => self.priors.compute,
            Category::Security => self.priors.security,
            Category::Default => self.priors.default,
        };
        Beta::new(prior.alpha.0, prior.beta.0)
    }

    /// Whether every number is one the formulas can work with.
    #[must_use]
    pub fn usable(&self) -> bool {
        let losses = &self.losses;
        let weights = [
            losses.false_approval,
            losses.false_denial,
            losses.impact,
            losses.predictive,
            losses.variance,
            losses.opportunity,
            losses.review,
            losses.uncertainty,
        ];
        let shares = [
            self.interval_mass,
            self.interval_width_limit,
            self.psi,
            self.memory.weight_limit,
            self.autonomy.bound_mass,
            self.autonomy.max_failure_bound,
        ];
        weights.iter().all(|weight| (0.0..=1e6).contains(&weight.0))
            && shares.iter().all(|share| (0.0..=1.0).contains(&share.0))
            && (1.0..=1e6).contains(&self.production_factor.0)
            && (1e-6..=1e9).contains(&self.memory.half_weight_at.0)
            && Category::ALL.iter().all(|category| self.prior(*category).is_some())
            && Beta::new(self.autonomy.prior_alpha.0, self.autonomy.prior_beta.0).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_constants_are_the_published_ones() {
        let set = ConstantSet::arf_1();
        assert!(set.usable());
        assert_eq!(set.name, "arf-1");
        let prior = |category| {
            let beta = set.prior(category).unwrap();
            (beta.alpha(), beta.beta())
        };
        assert_eq!(prior(Category::Database), (1.5, 8.0));
        assert_eq!(prior(Category::Network), (1.2, 10.0));
        assert_eq!(prior(Category::Compute), (1.0, 12.0));
        assert_eq!(prior(Category::Security), (2.0, 10.0));
        assert_eq!(prior(Category::Default), (1.0, 10.0));
    }

    #[test]
    fn the_constants_survive_the_record() {
        let set = ConstantSet::arf_1();
        let text = serde_json::to_string(set).unwrap();
        assert_eq!(serde_json::from_str::<ConstantSet>(&text).unwrap(), *set);
        assert!(model::Digest::of_canonical(set).is_ok());
    }
}
