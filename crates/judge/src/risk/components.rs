//! The parts of a score as people check them: with pencil and paper.

use serde::{Deserialize, Serialize};

use super::Assessment;
use crate::decimal::Decimal;

/// What a score is made of, in exact decimals.
///
/// `mean = (1 - memory_weight) * posterior + memory_weight * (1 - memory_success_rate)`, without a
/// memory the posterior alone; `score = mean * context_factor - cut`; and the three terms add up
/// to the score. Nothing is rounded between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Components {
    /// Mean of the Beta posterior.
    pub posterior: Decimal,
    /// Success rate among similar verified changes.
    pub memory_success_rate: Option<Decimal>,
    /// What they weigh.
    pub memory_weight: Option<Decimal>,
    /// Posterior and memory together.
    pub mean: Decimal,
    /// What the environment multiplies with.
    pub context_factor: Decimal,
    /// What is cut off beyond 1.
    pub cut: Decimal,
    /// The risk score.
    pub score: Decimal,
    /// The same as a sum.
    pub terms: Terms,
}

/// What each part adds to the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The posterior.
    pub posterior: Decimal,
    /// What memory moves it by.
    pub memory: Decimal,
    /// What the environment adds.
    pub context: Decimal,
}

impl Components {
    /// The parts of an assessment; `None` when they do not give its score exactly, as those of the
    /// model that calculated in doubles.
    #[must_use]
    pub fn of(assessment: &Assessment) -> Option<Self> {
        let estimate = &assessment.estimate;
        let posterior = Decimal::of(estimate.posterior.0)?;
        let mean = Decimal::of(estimate.mean.0)?;
        let context_factor = Decimal::of(estimate.context_factor.0)?;
        let cut = estimate.cut.map_or(Some(Decimal::ZERO), |cut| Decimal::of(cut.0))?;
        let score = Decimal::of(assessment.score.0)?;
        let (memory_success_rate, memory_weight) = match estimate.memory {
            None => (None, None),
            Some(memory) => {
                (Some(Decimal::of(memory.success_rate.0)?), Some(Decimal::of(memory.weight.0)?))
            }
        };
        let believed = match (memory_success_rate, memory_weight) {
            (Some(rate), Some(weight)) => Decimal::ONE
                .minus(weight)?
                .times(posterior)?
                .plus(weight.times(Decimal::ONE.minus(rate)?)?)?,
            _ => posterior,
        };
        let exact = believed == mean && mean.times(context_factor)?.minus(cut)? == score;
        exact.then_some(())?;
        Some(Self {
            posterior,
            memory_success_rate,
            memory_weight,
            mean,
            context_factor,
            cut,
            score,
            terms: Terms { posterior, memory: mean.minus(posterior)?, context: score.minus(mean)? },
        })
    }
}
