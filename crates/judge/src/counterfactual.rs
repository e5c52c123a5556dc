//! What would have had to differ for the answer to be `allow`.
//!
//! Each candidate is one change of the question, judged again by the same functions; only those
//! that really flip the answer are given. There is no table of supposed effects.

use model::level::{EnvironmentClass, Tier};
use model::verdict::Verdict;
use serde::{Deserialize, Serialize};

use crate::action::Kind;
use crate::autonomy::{self, Evidence};
use crate::blast;
use crate::evaluate::{self, Judgement, Question};
use crate::exact::Exact;
use crate::policy::Bundle;
use crate::risk::{self, Belief, Variant};

/// More verified successes than this are not proposed.
const MOST_SUCCESSES: u32 = 1_000;

/// One change that would have led to `allow`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Run it in an environment of this class.
    Environment {
        /// The class.
        class: EnvironmentClass,
    },
    /// Run it on at most this many targets.
    FewerTargets {
        /// How many.
        targets: u32,
    },
    /// First let this many more changes of the kind succeed, verified.
    MoreSuccesses {
        /// How many.
        successes: u32,
    },
    /// Use actions of at most this tier.
    LowerTier {
        /// The tier.
        tier: Tier,
    },
    /// Make every step reversible.
    Reversible,
}

/// The single changes that turn the verdict into `allow`, from the cheapest kind to the dearest;
/// empty when it is `allow` already or no single change suffices.
///
/// Candidates are looked for with what is already known about the risk and without confirming the
/// policy's answers; what is given has been judged like a question of its own.
#[must_use]
pub fn search(question: &Question, judgement: &Judgement, bundle: Option<&Bundle>) -> Vec<Change> {
    let Some(bundle) = bundle.filter(|_| !alone(question, judgement)) else {
        return Vec::new();
    };
    let known = Variant { belief: question.risk.belief, estimate: judgement.assessment.estimate };
    let assess = |changed: &Question| risk::assess_with(&known, &changed.risk);
    let seems = |changed: &Question| {
        let judged =
            evaluate::judge_assessed(changed, assess(changed), |input| bundle.sketch(input));
        alone(changed, &judged)
    };
    let candidates = [
        reversible(question, seems),
        fewer_targets(question, seems),
        lower_tier(question, seems),
        environment(question, seems),
        more_successes(question, seems),
    ];
    let surely = |changed: &Question| {
        let assessment = if changed.risk.belief == question.risk.belief {
            assess(changed)
        } else {
            risk::assess(&changed.risk)
        };
        let judged = evaluate::judge_assessed(changed, assessment, |input| bundle.evaluate(input));
        alone(changed, &judged)
    };
    let confirmed = candidates.into_iter().flatten().filter(|(_, changed)| surely(changed));
    confirmed.map(|(change, _)| change).collect()
}

/// Whether the gate would let it run unasked: for a write, autonomy must be earned as well.
fn alone(question: &Question, judgement: &Judgement) -> bool {
    judgement.verdict == Verdict::Allow && (!question.risk.writes() || judgement.autonomy.earned)
}

/// A change and the question after it.
type Candidate = (Change, Question);

fn reversible(question: &Question, allowed: impl Fn(&Question) -> bool) -> Option<Candidate> {
    let mut changed = question.clone();
    changed.risk.blast.irreversible = false;
    (question.risk.blast.irreversible && allowed(&changed)).then_some((Change::Reversible, changed))
}

/// The most targets that are allowed. Fewer targets never ask for more scrutiny, so bisection
/// finds the border; a policy for which that is not so is still only told what was judged.
fn fewer_targets(question: &Question, allowed: impl Fn(&Question) -> bool) -> Option<Candidate> {
    let with = |targets: u32| {
        let mut changed = question.clone();
        changed.risk.blast.targets = targets;
        changed.risk.blast.scope = blast::scope(targets);
        changed.targets.truncate(usize::try_from(targets).unwrap_or(usize::MAX));
        changed
    };
    let present = question.risk.blast.targets;
    if present <= 1 || !allowed(&with(1)) {
        return None;
    }
    let targets = last(1, present, |targets| allowed(&with(targets)));
    Some((Change::FewerTargets { targets }, with(targets)))
}

/// The highest tier of its actions that is allowed.
fn lower_tier(question: &Question, allowed: impl Fn(&Question) -> bool) -> Option<Candidate> {
    let highest = question.risk.actions.iter().map(|action| action.tier).max()?;
    [Tier::High, Tier::Medium, Tier::Low].into_iter().filter(|tier| *tier < highest).find_map(
        |tier| {
            let mut changed = question.clone();
            for action in &mut changed.risk.actions {
                action.tier = action.tier.min(tier);
            }
            allowed(&changed).then_some((Change::LowerTier { tier }, changed))
        },
    )
}

/// The class nearest to production that is allowed.
fn environment(question: &Question, allowed: impl Fn(&Question) -> bool) -> Option<Candidate> {
    let present = &question.risk.blast.environments;
    [EnvironmentClass::Staging, EnvironmentClass::Test, EnvironmentClass::Dev].into_iter().find_map(
        |class| {
            let mut changed = question.clone();
            changed.environments = vec![class.to_string()];
            changed.risk.blast.environments = vec![class];
            for target in &mut changed.targets {
                target.environment = class;
            }
            let differs =
                present.as_slice() != [class] || question.environments != changed.environments;
            (differs && allowed(&changed)).then_some((Change::Environment { class }, changed))
        },
    )
}

/// The fewest further successes that are enough. Successes only lower the risk and only add to
/// earned autonomy, so bisection finds the border.
fn more_successes(question: &Question, allowed: impl Fn(&Question) -> bool) -> Option<Candidate> {
    let writes = question.risk.actions.iter().any(|action| action.kind == Kind::Write);
    if !writes || !allowed(&with_successes(question, MOST_SUCCESSES)?) {
        return None;
    }
    let too_few = |more| with_successes(question, more).is_some_and(|changed| !allowed(&changed));
    let successes = last(0, MOST_SUCCESSES, too_few) + 1;
    Some((Change::MoreSuccesses { successes }, with_successes(question, successes)?))
}

/// The question after `more` verified successes of exactly this plan.
fn with_successes(question: &Question, more: u32) -> Option<Question> {
    let mut changed = question.clone();
    let risk = &mut changed.risk;
    let belief = match risk.belief {
        Some(belief) => belief,
        None => {
            let prior = risk.constants.prior(risk.category)?;
            Belief { alpha: Exact(prior.alpha()), beta: Exact(prior.beta()), n: 0 }
        }
    };
    risk.belief = Some(Belief {
        beta: Exact(belief.beta.0 + f64::from(more)),
        n: belief.n.saturating_add(more),
        ..belief
    });
    let keys = autonomy::keys(risk);
    changed.evidence.extend(keys.into_iter().map(|key| Evidence {
        key,
        successes: more,
        failures: 0,
    }));
    Some(changed)
}

/// The last number of `low..high` for which `holds`, given that it holds for `low`, does not hold
/// for `high`, and turns once.
fn last(mut low: u32, mut high: u32, holds: impl Fn(u32) -> bool) -> u32 {
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests;
