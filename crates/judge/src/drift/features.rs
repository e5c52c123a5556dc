//! What is known around a drift as numbers: one fixed list, for the stated rules and for models.
//!
//! The names and the order of version 1 never change: a model is trained on them. Something new
//! is another version. Each feature says its unit and its range; what is not known is 0, and the
//! flag `missing_…` of its source is 1.

mod list;
pub(crate) mod nearest;
mod reading;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::facts::{Facts, Source};

pub use list::{FEATURES, VERSION};

/// How many there are.
pub const COUNT: usize = FEATURES.len();

/// One number.
#[derive(Debug, Clone, Copy)]
pub struct Feature {
    /// Its name, for good.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: &'static str,
    /// The least it can be.
    pub low: f64,
    /// The most it can be.
    pub high: f64,
    /// Where it is from; nowhere for what is always known.
    pub source: Option<Source>,
    /// What it says.
    pub what: &'static str,
    value: fn(&Facts) -> Option<f64>,
}

/// The numbers of one drift, in the order of [`FEATURES`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vector {
    values: [f64; COUNT],
    known: [bool; COUNT],
}

impl Vector {
    /// Turns facts into numbers. Whatever the facts are, each is within its range.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let mut vector = Self { values: [0.0; COUNT], known: [false; COUNT] };
        let places = vector.values.iter_mut().zip(&mut vector.known);
        for (feature, (value, known)) in FEATURES.iter().zip(places) {
            if let Some(number) = (feature.value)(facts).filter(|number| number.is_finite()) {
                *value = number.clamp(feature.low, feature.high);
                *known = true;
            }
        }
        vector
    }

    /// All of them, unknown ones 0: what a model takes.
    #[must_use]
    pub const fn values(&self) -> &[f64; COUNT] {
        &self.values
    }

    /// The one at a place of [`FEATURES`], when it is known.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<f64> {
        let known = self.known.get(place).copied().unwrap_or_default();
        self.values.get(place).copied().filter(|_| known)
    }

    /// The one of a name, when it is known.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        place(name).and_then(|place| self.at(place))
    }

    /// Which share of the sources of facts is missing, 0 to 1.
    #[must_use]
    pub fn missing(&self) -> f64 {
        let flags = FEATURES.iter().zip(&self.values);
        let (mut missing, mut sources) = (0.0, 0.0);
        for (_, value) in flags.filter(|(feature, _)| feature.name.starts_with(MISSING)) {
            missing += value;
            sources += 1.0;
        }
        missing / sources
    }
}

/// How the flags of missing sources begin.
const MISSING: &str = "missing_";

/// The names, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    FEATURES.iter().map(|feature| feature.name)
}

/// Where the feature of a name stands in [`FEATURES`].
#[must_use]
pub fn place(name: &str) -> Option<usize> {
    static PLACES: LazyLock<BTreeMap<&str, usize>> =
        LazyLock::new(|| names().enumerate().map(|(place, name)| (name, place)).collect());
    PLACES.get(name).copied()
}

#[cfg(test)]
mod tests;
