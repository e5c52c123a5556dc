//! How likely a change fails: the seam behind which models are exchanged.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::{Belief, PastOutcome, RiskInput, Similar};
use crate::beta::{Beta, Interval};
use crate::constants::MemoryConstants;
use crate::decimal::Decimal;
use crate::exact::Exact;

/// A belief of more outcomes than this is scaled down to it: the interval gets no narrower, and
/// the incomplete beta function keeps its accuracy.
const MOST_OUTCOMES: f64 = 1e6;
/// Places of the posterior's mean, of what memory says, and of the factor. With these the score has
/// at most 15, which a double holds: the parts give exactly the score that is decided by.
const MEAN_PLACES: u32 = 10;
const MEMORY_PLACES: u32 = 3;
const FACTOR_PLACES: u32 = 2;

/// A model of the failure probability: pure, without a clock, without chance.
pub trait Model: Debug + Send + Sync {
    /// Its name, in every record it made; another behaviour is another name.
    fn name(&self) -> &'static str;

    /// The failure probability, or `None` when the model cannot say.
    fn estimate(&self, input: &RiskInput) -> Option<Estimate>;
}

/// The model with this name, to recompute what it once said.
#[must_use]
pub fn model_named(name: &str) -> Option<&'static dyn Model> {
    const KNOWN: [&dyn Model; 2] = [&BetaModel, &BinaryBeta];
    KNOWN.into_iter().find(|model| model.name() == name)
}

/// The failure probability and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Prior or posterior the estimate stands on: failures.
    pub alpha: Exact,
    /// Prior or posterior the estimate stands on: successes.
    pub beta: Exact,
    /// Outcomes seen.
    pub n: u32,
    /// Its mean.
    pub posterior: Exact,
    /// What similar changes of the past say.
    pub memory: Option<Memory>,
    /// The two together: `(1 - w) * posterior + w * (1 - success rate)`.
    pub mean: Exact,
    /// What the environment multiplies it with.
    pub context_factor: Exact,
    /// What is cut off the product so that it is at most 1; absent where the model cut the factor
    /// instead and calculated in doubles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Exact>,
    /// Variance of the posterior.
    pub variance: Exact,
    /// Highest-density interval of the posterior.
    pub interval: Interval,
}

/// What similar changes of the past say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The share of them that worked, weighted by similarity.
    pub success_rate: Exact,
    /// What they weigh against the posterior.
    pub weight: Exact,
}

impl Estimate {
    /// What counts when nothing else can: it fails.
    #[must_use]
    pub fn certain_failure() -> Self {
        Self {
            alpha: Exact(1.0),
            beta: Exact(1.0),
            n: 0,
            posterior: Exact(1.0),
            memory: None,
            mean: Exact(1.0),
            context_factor: Exact(1.0),
            cut: None,
            variance: Exact(0.25),
            interval: Interval::WHOLE,
        }
    }

    /// The risk score: `mean * context_factor - cut`, exactly; NaN when the parts have no such
    /// product.
    #[must_use]
    pub fn score(&self) -> f64 {
        let Some(cut) = self.cut else { return self.mean.0 * self.context_factor.0 };
        let exact = || {
            let mean = Decimal::of(self.mean.0)?;
            mean.times(Decimal::of(self.context_factor.0)?)?.minus(Decimal::of(cut.0)?)
        };
        exact().map_or(f64::NAN, Decimal::to_f64)
    }

    /// Whether every number is what it says it is.
    #[must_use]
    pub fn usable(&self) -> bool {
        let share = |value: Exact| (0.0..=1.0).contains(&value.0);
        share(self.posterior)
            && share(self.mean)
            && share(Exact(self.score()))
            && self.context_factor.0 >= 0.0
            && share(self.variance)
            && share(self.interval.low)
            && share(self.interval.high)
            && self.interval.low.0 <= self.interval.high.0
            && self.alpha.usable()
            && self.beta.usable()
            && self.memory.is_none_or(|memory| share(memory.success_rate) && share(memory.weight))
    }
}

/// The Beta posterior of (tenant, category), corrected by memory, times the production factor; in
/// decimals, so that the parts add and multiply exactly to the score.
#[derive(Debug, Clone, Copy)]
pub struct BetaModel;

impl Model for BetaModel {
    fn name(&self) -> &'static str {
        "beta-2"
    }

    fn estimate(&self, input: &RiskInput) -> Option<Estimate> {
        estimate_with(input, |posterior| posterior.highest_density(input.constants.interval_mass.0))
    }
}

/// The same in doubles, which round after every step: kept for the records it made.
#[derive(Debug, Clone, Copy)]
struct BinaryBeta;

impl Model for BinaryBeta {
    fn name(&self) -> &'static str {
        "beta-1"
    }

    fn estimate(&self, input: &RiskInput) -> Option<Estimate> {
        let (belief, posterior) = believed(input)?;
        let memory = remembered(&input.similar, &input.constants.memory);
        let alone = posterior.mean();
        let mean = memory.map_or(alone, |memory| {
            (1.0 - memory.weight.0) * alone + memory.weight.0 * (1.0 - memory.success_rate.0)
        });
        Some(Estimate {
            alpha: belief.alpha,
            beta: belief.beta,
            n: belief.n,
            posterior: Exact(alone),
            memory,
            mean: Exact(mean),
            context_factor: Exact(cut(mean, wanted_factor(input))),
            cut: None,
            variance: Exact(posterior.variance()),
            interval: posterior.highest_density(input.constants.interval_mass.0),
        })
    }
}

/// What an assessment is known to stand on, to judge variants of its input without working out the
/// interval again. Where the belief is another, the interval of equal tails is tried first: it is
/// never the shorter one, so if it is short enough, so is the other.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) belief: Option<Belief>,
    pub(crate) estimate: Estimate,
}

impl Model for Variant {
    fn name(&self) -> &'static str {
        "beta-2-variant"
    }

    fn estimate(&self, input: &RiskInput) -> Option<Estimate> {
        if input.belief == self.belief {
            let (context_factor, cut) = in_context(Decimal::of(self.estimate.mean.0)?, input)?;
            return Some(Estimate { context_factor, cut: Some(cut), ..self.estimate });
        }
        estimate_with(input, |posterior| {
            let rough = posterior.equal_tails(input.constants.interval_mass.0);
            if rough.width() <= input.constants.interval_width_limit.0 {
                rough
            } else {
                posterior.highest_density(input.constants.interval_mass.0)
            }
        })
    }
}

fn estimate_with(input: &RiskInput, interval: impl Fn(&Beta) -> Interval) -> Option<Estimate> {
    let (belief, posterior) = believed(input)?;
    let alone = Decimal::rounded(posterior.mean(), MEAN_PLACES)?;
    let (mean, memory) = match remembered(&input.similar, &input.constants.memory) {
        None => (alone, None),
        Some(memory) => {
            let rate = Decimal::rounded(memory.success_rate.0, MEMORY_PLACES)?;
            let weight = Decimal::rounded(memory.weight.0, MEMORY_PLACES)?;
            let kept = Decimal::ONE.minus(weight)?.times(alone)?;
            let mean = kept.plus(weight.times(Decimal::ONE.minus(rate)?)?)?;
            let memory =
                Memory { success_rate: Exact(rate.to_f64()), weight: Exact(weight.to_f64()) };
            (mean, Some(memory))
        }
    };
    let (context_factor, cut) = in_context(mean, input)?;
    Some(Estimate {
        alpha: belief.alpha,
        beta: belief.beta,
        n: belief.n,
        posterior: Exact(alone.to_f64()),
        memory,
        mean: Exact(mean.to_f64()),
        context_factor,
        cut: Some(cut),
        variance: Exact(posterior.variance()),
        interval: interval(&posterior),
    })
}

/// What is believed, and the distribution it makes.
fn believed(input: &RiskInput) -> Option<(Belief, Beta)> {
    let prior = input.constants.prior(input.category)?;
    let unseen = Belief { alpha: Exact(prior.alpha()), beta: Exact(prior.beta()), n: 0 };
    let belief = input.belief.unwrap_or(unseen);
    Some((belief, scaled(belief.alpha.0, belief.beta.0)?))
}

fn wanted_factor(input: &RiskInput) -> f64 {
    if input.production() { input.constants.production_factor.0 } else { 1.0 }
}

/// The factor of the environment, and what is cut off the product beyond 1.
fn in_context(mean: Decimal, input: &RiskInput) -> Option<(Exact, Exact)> {
    let factor = Decimal::rounded(wanted_factor(input), FACTOR_PLACES)?;
    let beyond = mean.times(factor)?.minus(Decimal::ONE)?;
    let cut = if beyond.compare(Decimal::ZERO)?.is_gt() { beyond } else { Decimal::ZERO };
    Some((Exact(factor.to_f64()), Exact(cut.to_f64())))
}

fn scaled(alpha: f64, beta: f64) -> Option<Beta> {
    let usable = |value: f64| value.is_finite() && value > 0.0;
    if !usable(alpha) || !usable(beta) {
        return None;
    }
    let total = alpha + beta;
    if total <= MOST_OUTCOMES {
        return Beta::new(alpha, beta);
    }
    let shrink = MOST_OUTCOMES / total;
    Beta::new((alpha * shrink).max(1e-6), (beta * shrink).max(1e-6))
}

/// The factor up to `wanted` whose product with `mean` does not exceed 1.
fn cut(mean: f64, wanted: f64) -> f64 {
    // `x * (1 / x)` rounds to 1 or to the double before it, never above (both steps are correctly
    // rounded, so the error stays below half a step at 1).
    if mean * wanted <= 1.0 { wanted } else { 1.0 / mean }
}

/// Similarity-weighted success rate; its weight grows with the evidence up to a limit.
fn remembered(similar: &[Similar], constants: &MemoryConstants) -> Option<Memory> {
    let evidence: f64 = similar.iter().map(|past| past.similarity.0).sum();
    if evidence <= 0.0 {
        return None;
    }
    let worked: f64 = similar
        .iter()
        .filter(|past| past.outcome == PastOutcome::Succeeded)
        .map(|past| past.similarity.0)
        .sum();
    let weight = evidence / (evidence + constants.half_weight_at.0);
    Some(Memory {
        success_rate: Exact(worked / evidence),
        weight: Exact(weight.min(constants.weight_limit.0)),
    })
}
