//! Why a drift happened, what belongs to it and what to do about it.
//!
//! Pure: a drift and what is known around it come in as values, what follows goes out. [`correlate`]
//! finds the events that belong to it, [`facts`] holds what is known of it, [`features`] turns that
//! into numbers, [`cause`] says why it happened and [`recommend`] what to do. The numbers are data:
//! `content/drift/{causes,correlation,lexicon,recommendations}.yaml`.

pub mod cause;
pub mod correlate;
pub mod facts;
pub mod features;
pub mod lexicon;
pub mod recommend;
pub mod who;

pub use model::drift::{Axes, ChangeType, DriftType};
use serde::Serialize;

model::words! {
    /// Why something was changed beside its declaration.
    Cause {
        /// To end an outage.
        EmergencyFix = "emergency_fix",
        /// By somebody who looked for a fault.
        ManualTroubleshooting = "manual_troubleshooting",
        /// Against an attack or a hole.
        SecurityResponse = "security_response",
        /// By mistake, or past the declaration out of habit.
        ConfigurationError = "configuration_error",
        /// By a program that does so on its own.
        AutomatedResponse = "automated_response",
        /// On purpose and to stay. Said by a person or by an approved exception, never inferred.
        IntentionalOverride = "intentional_override",
        /// Nothing is likely enough: an abstention, no cause.
        Unknown = "unknown",
    }
}

impl Cause {
    /// What evidence can speak for, in the order of [`Posteriors`].
    pub const INFERRED: [Self; 5] = [
        Self::EmergencyFix,
        Self::ManualTroubleshooting,
        Self::SecurityResponse,
        Self::ConfigurationError,
        Self::AutomatedResponse,
    ];
}

/// How likely each of [`Cause::INFERRED`] is, in that order; they sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posteriors([f64; 5]);

/// Why numbers are no distribution over the causes.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("a probability for each of five causes that sum to 1 is asked for, given is {given:?}")]
pub struct NoDistribution {
    /// What was given.
    pub given: [f64; 5],
}

impl Posteriors {
    /// Takes what a model says.
    ///
    /// # Errors
    /// [`NoDistribution`] unless all are within 0..=1 and sum to 1, rounding to six digits apart.
    pub fn new(given: [f64; 5]) -> Result<Self, NoDistribution> {
        let sum: f64 = given.iter().sum();
        let usable = given.iter().all(|p| (0.0..=1.0).contains(p)) && (sum - 1.0).abs() <= 1e-6;
        if usable { Ok(Self(given.map(|p| p / sum))) } else { Err(NoDistribution { given }) }
    }

    /// The softmax of log-odds divided by a temperature.
    fn softmax(logits: [f64; 5], temperature: f64) -> Self {
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let powers = logits.map(|logit| libm::exp((logit - most) / temperature));
        let sum: f64 = powers.iter().sum();
        Self(powers.map(|power| power / sum))
    }

    /// How likely a cause is; 0 for what evidence cannot speak for.
    #[must_use]
    pub fn of(&self, cause: Cause) -> f64 {
        self.iter().find(|(known, _)| *known == cause).map_or(0.0, |(_, p)| p)
    }

    /// Each cause with how likely it is.
    pub fn iter(&self) -> impl Iterator<Item = (Cause, f64)> {
        Cause::INFERRED.into_iter().zip(self.0)
    }

    /// The two likeliest, the likelier first; of equals the one named first in [`Cause::INFERRED`].
    #[must_use]
    pub fn first_two(&self) -> [(Cause, f64); 2] {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_by(|one, other| other.1.total_cmp(&one.1));
        let unknown = (Cause::Unknown, 0.0);
        [all.first().copied().unwrap_or(unknown), all.get(1).copied().unwrap_or(unknown)]
    }
}

impl Serialize for Posteriors {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

/// Most characters shown of a text of somebody else's.
const LONGEST_SHOWN: usize = 128;

/// An id or name of somebody else's, fit to stand in a sentence: one line, bounded, no characters
/// that hide or turn the text around them.
#[must_use]
pub fn shown(text: &str) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut shown: String =
        text.chars().take(LONGEST_SHOWN).map(|c| if hides(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
