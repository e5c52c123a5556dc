//! Risk of an intent: a pure function from recorded inputs to tier, score, losses and a verdict.
//!
//! The assessment can only tighten: whatever the model believes, the tier is at least that of the
//! action, of its environment and of its blast radius, and the gate takes the most restrictive of
//! all judges. Inputs the formulas cannot work with are maximum risk, never an error somebody
//! could take for a yes (check A9).

use model::level::{EnvironmentClass, Tier};
use model::plan::{BlastRadius, Plan};
use model::verdict::{Reason, Verdict};
use serde::{Deserialize, Serialize};

use crate::action::{self, Category, Classified, Kind, Table};
use crate::beta::Interval;
use crate::constants::ConstantSet;
use crate::exact::Exact;

mod components;
mod estimate;
mod losses;
mod record;
mod tier;

pub use components::{Components, Terms};
pub(crate) use estimate::Variant;
pub use estimate::{BetaModel, Estimate, Memory, Model, model_named};
pub use losses::ExpectedLosses;
pub use record::{Mismatch, Record};
pub use tier::Tiers;

/// Everything an assessment depends on. It is recorded whole, so that anybody can recompute it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RiskInput {
    /// What the action table says about every action of the plan.
    pub actions: Vec<Classified>,
    /// The version of that table.
    pub table_version: u32,
    /// How far the plan reaches, environments included.
    pub blast: BlastRadius,
    /// Which posterior speaks.
    pub category: Category,
    /// The posterior of (tenant, category); without one the category's prior speaks.
    pub belief: Option<Belief>,
    /// Business impact, 0 to 1.
    pub impact: Exact,
    /// Value of the opportunity, 0 to 1.
    pub opportunity: Exact,
    /// Risk forecast, 0 to 1; 0 until forecasts exist.
    pub predictive: Exact,
    /// Similar changes of the past with a verified outcome.
    pub similar: Vec<Similar>,
    /// Every number of the formulas.
    pub constants: ConstantSet,
}

/// What is believed about the failures of a category. `alpha` counts failures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Belief {
    /// Prior plus failures.
    pub alpha: Exact,
    /// Prior plus successes.
    pub beta: Exact,
    /// Outcomes seen.
    pub n: u32,
}

/// A similar change of the past whose outcome was verified.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Similar {
    /// How similar, 0 to 1.
    pub similarity: Exact,
    /// How it went.
    pub outcome: PastOutcome,
}

model::words! {
    /// How a change of the past went.
    PastOutcome {
        /// It worked.
        Succeeded = "succeeded",
        /// It did not.
        Failed = "failed",
    }
}

impl RiskInput {
    /// The input for a plan, with no impact, opportunity, forecast or memory known.
    #[must_use]
    pub fn of_plan(
        plan: &Plan,
        table: &Table,
        belief: Option<Belief>,
        constants: &ConstantSet,
    ) -> Self {
        let mut keys: Vec<&str> = plan.steps.iter().map(|step| step.action.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        let actions: Vec<_> = keys.into_iter().map(|key| table.classify(key)).collect();
        Self {
            category: action::category(&actions),
            actions,
            table_version: table.version,
            blast: crate::blast::radius(plan, table),
            belief,
            impact: Exact(0.0),
            opportunity: Exact(0.0),
            predictive: Exact(0.0),
            similar: Vec::new(),
            constants: constants.clone(),
        }
    }

    /// Whether any action changes something. No action at all counts as one that does.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.actions.is_empty() || self.actions.iter().any(|action| action.kind == Kind::Write)
    }

    /// Whether production is touched. No environment at all counts as production.
    #[must_use]
    pub fn production(&self) -> bool {
        self.blast.environments.is_empty()
            || self.blast.environments.contains(&EnvironmentClass::Prod)
    }
}

/// What an intent could cost, and what the risk engine alone says about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The model that estimated the failure probability.
    pub model: String,
    /// The scrutiny needed: the highest of `tiers`.
    pub tier: Tier,
    /// Where the tier comes from.
    pub tiers: Tiers,
    /// The risk in 0..=1: exactly `estimate.mean * estimate.context_factor - estimate.cut`.
    pub score: Exact,
    /// The failure probability and its parts.
    pub estimate: Estimate,
    /// What approving, denying and escalating are expected to cost.
    pub losses: ExpectedLosses,
    /// Epistemic uncertainty used in the losses.
    pub psi: Exact,
    /// The verdict of the risk engine alone.
    pub verdict: Verdict,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl Assessment {
    /// Success rate among similar past changes, if any were given.
    #[must_use]
    pub fn memory_success_rate(&self) -> Option<Exact> {
        self.estimate.memory.map(|memory| memory.success_rate)
    }

    /// What similar past changes weighed.
    #[must_use]
    pub fn memory_weight(&self) -> Option<Exact> {
        self.estimate.memory.map(|memory| memory.weight)
    }

    /// The 90 % highest-density interval.
    #[must_use]
    pub fn interval(&self) -> Interval {
        self.estimate.interval
    }
}

/// Assesses with the Beta posterior, the model of this release.
#[must_use]
pub fn assess(input: &RiskInput) -> Assessment {
    assess_with(&BetaModel, input)
}

/// Assesses with another model of the failure probability. What a model says can only be one
/// reason more for scrutiny: tiers, losses and limits are the same for all of them.
#[must_use]
pub fn assess_with(model: &dyn Model, input: &RiskInput) -> Assessment {
    match usable(model, input) {
        Ok(estimate) => weigh(model, input, estimate),
        Err(why) => maximum(model, input, why),
    }
}

/// The estimate, if the input and the estimate are something to calculate with.
fn usable(model: &dyn Model, input: &RiskInput) -> Result<Estimate, &'static str> {
    let share = |value: Exact| (0.0..=1.0).contains(&value.0);
    if input.actions.is_empty() {
        return Err("the plan names no action");
    }
    if !input.constants.usable() {
        return Err("the constant set holds a number no formula can use");
    }
    if !share(input.impact) || !share(input.opportunity) || !share(input.predictive) {
        return Err("impact, opportunity and forecast must be numbers from 0 to 1");
    }
    if !input.similar.iter().all(|past| share(past.similarity)) {
        return Err("a similarity must be a number from 0 to 1");
    }
    let estimate = model.estimate(input).ok_or("the model has no estimate for this input")?;
    if estimate.usable() { Ok(estimate) } else { Err("the model's estimate is no probability") }
}

fn weigh(model: &dyn Model, input: &RiskInput, estimate: Estimate) -> Assessment {
    let score = estimate.score();
    // Good memories must not lower what the posterior alone demands.
    let demanding = score.max((estimate.posterior.0 * estimate.context_factor.0).min(1.0));
    let tiers = Tiers::of(input, demanding);
    let losses = ExpectedLosses::of(input, score, estimate.variance.0);
    let demanded = ExpectedLosses::of(input, demanding, estimate.variance.0);
    let mut reasons = tiers.reasons(input);
    if input.writes() {
        reasons.extend(demanded.reason());
        reasons.extend(losses::width_reason(input, estimate.interval));
    }
    let verdict = reasons.iter().map(|reason| reason.verdict).max().unwrap_or(Verdict::Allow);
    Assessment {
        model: model.name().to_owned(),
        tier: tiers.highest(),
        tiers,
        score: Exact(score),
        estimate,
        losses,
        psi: input.constants.psi,
        verdict,
        reasons,
    }
}

/// What is said when nothing can be calculated: certain failure, the highest tier, no.
fn maximum(model: &dyn Model, input: &RiskInput, why: &'static str) -> Assessment {
    let estimate = Estimate::certain_failure();
    let mut worst = input.clone();
    worst.constants = ConstantSet::arf_1().clone();
    (worst.impact, worst.predictive, worst.opportunity) = (Exact(1.0), Exact(1.0), Exact(0.0));
    Assessment {
        model: model.name().to_owned(),
        tier: Tier::Critical,
        tiers: Tiers { score: Tier::Critical, ..Tiers::of(&worst, 1.0) },
        score: Exact(1.0),
        losses: ExpectedLosses::of(&worst, 1.0, estimate.variance.0),
        psi: worst.constants.psi,
        verdict: Verdict::Deny,
        reasons: vec![losses::reason(
            "input_unusable",
            Verdict::Deny,
            format!("the risk cannot be calculated and counts as the highest: {why}"),
        )],
        estimate,
    }
}

#[cfg(test)]
pub(crate) mod tests;
