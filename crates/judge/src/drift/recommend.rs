//! What to do about a drift: the analyser's rules, one table, first match.
//!
//! Advice, no action: whatever is recommended becomes an intent and passes the gate.

mod rules;

use std::collections::BTreeMap;

use model::level::{EnvironmentClass, Severity};
use serde::{Deserialize, Serialize};

use super::cause::Decider;
use super::{Axes, Cause, DriftType, shown};

pub use rules::{BadRecommendations, Recommendations};

model::words! {
    /// What is recommended; the words of the column `recommendation_type`.
    Kind {
        /// Make it as it is declared.
        AutoRevert = "auto_revert",
        /// Declare it as it is.
        CodifyIac = "codify_iac",
        /// Have those decide who answer for it.
        EscalateReview = "escalate_review",
        /// Leave it, for a while.
        AcceptException = "accept_exception",
        /// Have somebody look.
        ManualReview = "manual_review",
    }
}

model::words! {
    /// How long it takes.
    Effort {
        /// Minutes.
        Minutes = "minutes",
        /// Hours.
        Hours = "hours",
        /// Days.
        Days = "days",
    }
}

model::words! {
    /// Who recommends.
    Author {
        /// A learned model, that found the cause.
        Model = "ml_model",
        /// A person, that named the cause or approved the exception.
        Human = "human",
        /// The stated rules alone.
        Rule = "rule",
    }
}

impl Author {
    const fn of(decider: &Decider) -> Self {
        match decider {
            Decider::Rules { .. } => Self::Rule,
            Decider::Model { .. } => Self::Model,
            Decider::Person { .. } | Decider::Exception { .. } => Self::Human,
        }
    }
}

/// What is known when something is to be recommended.
#[derive(Debug, Clone, PartialEq)]
pub struct Situation<'a> {
    /// The resource, as its declaration or else its provider calls it.
    pub subject: &'a str,
    /// How it differs.
    pub drift: DriftType,
    /// Why.
    pub cause: Cause,
    /// How likely that is, 0 to 1.
    pub confidence: f64,
    /// Who says so.
    pub decided_by: &'a Decider,
    /// How bad it is.
    pub axes: Axes,
    /// Where it is; where nobody knows, production.
    pub environment: Option<EnvironmentClass>,
    /// What else is going on.
    pub around: Around,
}

/// What is going on around a drift that matters to what is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Around {
    /// A security incident belongs to it.
    pub security_incident: bool,
    /// An incident is open, or changes are frozen.
    pub held: bool,
    /// An exception for it was approved.
    pub exception: bool,
}

/// How recommendations of a kind turned out, from verified scans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// After how many the drift was gone.
    pub succeeded: u32,
    /// After how many it was not.
    pub failed: u32,
}

impl Outcomes {
    /// The chance of the next one by the rule of succession, `(s + 1) / (s + f + 2)`; nothing
    /// without an outcome.
    #[must_use]
    pub fn probability(self) -> Option<f64> {
        let (good, bad) = (f64::from(self.succeeded), f64::from(self.failed));
        (good + bad > 0.0).then(|| (good + 1.0) / (good + bad + 2.0))
    }
}

/// One thing to do, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which one it is, from 1.
    pub order: usize,
    /// What, in a word.
    pub action: String,
    /// What, in words.
    pub description: String,
}

/// What the advice risks: the column `risk_assessment`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Risk {
    /// What the drift means while it stays.
    pub axes: Axes,
    /// What may come of following the advice, in words.
    pub potential_impacts: Vec<String>,
    /// How likely it helps, from recorded outcomes alone; absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_probability: Option<f64>,
    /// The outcomes that says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<Outcomes>,
}

/// What to do, in the columns of `recommendations`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommendation {
    /// The rule that fits.
    pub rule: String,
    /// What.
    pub recommendation_type: Kind,
    /// How soon it matters.
    pub priority: Severity,
    /// How sure the advice is, 0 to 1.
    pub confidence: f64,
    /// `(weight of the priority, 1 to 4) / 4 * confidence`.
    pub urgency: f64,
    /// Why, in words.
    pub rationale: String,
    /// How, in order.
    pub implementation_steps: Vec<Step>,
    /// How long that takes.
    pub estimated_effort: Effort,
    /// What it risks.
    pub risk_assessment: Risk,
    /// After how many hours it says nothing any more.
    pub expires_after_hours: u32,
    /// Who recommends.
    pub recommended_by: Author,
}

/// Recommends by the rules that ship. `outcomes` are those of the tenant, by what was recommended.
#[must_use]
pub fn recommend(situation: &Situation<'_>, outcomes: &BTreeMap<Kind, Outcomes>) -> Recommendation {
    Recommendations::shipped().recommend(situation, outcomes)
}

/// How urgent advice is: the weight of its priority, 1 to 4, by 4, times how sure it is.
#[must_use]
pub fn urgency(priority: Severity, confidence: f64) -> f64 {
    let weight = match priority {
        Severity::Low => 1.0,
        Severity::Medium => 2.0,
        Severity::High => 3.0,
        Severity::Critical => 4.0,
    };
    weight / 4.0 * confidence
}

/// Fills the places of a rule's words. What is filled in is not filled again.
fn filled(words: &str, situation: &Situation<'_>) -> String {
    let mut filled = String::new();
    let mut rest = words;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(&match place {
            "cause" => situation.cause.word().replace('_', " "),
            "confidence" => format!("{:.0} %", probability(situation.confidence) * 100.0),
            "environment" => match situation.environment {
                Some(class) => class.word().to_owned(),
                None => "an environment of no known class".to_owned(),
            },
            "security" => format!("{:.2}", situation.axes.within().security),
            "score" => format!("{:.2}", situation.axes.within().largest()),
            _ => shown(situation.subject),
        });
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// What is no probability is none.
fn probability(number: f64) -> f64 {
    if number.is_finite() { number.clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests;
