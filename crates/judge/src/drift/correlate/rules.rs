//! The windows and weights of correlation, as data.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::SignedDuration;
use serde::Deserialize;

use super::{EventKind, Field, Matched, seconds};

const SHIPPED: &str = include_str!("../../../../../content/drift/correlation.yaml");

/// Minutes of a window at most: a quarter of a year.
const LONGEST: u32 = 131_400;
const MICROS_OF_MINUTE: i64 = 60_000_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    at_least: f64,
    most: usize,
    weights: BTreeMap<Field, f64>,
    windows: BTreeMap<EventKind, FileWindow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileWindow {
    before: u32,
    after: u32,
    tau: u32,
    environment: bool,
}

/// How far from a drift an event of a kind may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    /// How long before the drift it may have ended, in microseconds.
    pub(super) before: i64,
    /// How long after the drift it may begin, in microseconds.
    pub(super) after: i64,
    /// After how many seconds it is e times less sure.
    tau: f64,
    /// Whether it may speak of a whole environment.
    pub(super) environment: bool,
}

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadRules {
    /// The text is none.
    #[error("the text cannot be read: {0}")]
    Text(String),
    /// A number is out of range, or one is missing.
    #[error("{0} cannot be worked with")]
    Number(String),
}

/// What belongs together.
#[derive(Debug)]
pub struct Rules {
    /// Raised with every change of a number.
    pub version: u32,
    /// What scores less does not belong.
    pub at_least: f64,
    /// Events kept for a drift.
    pub most: usize,
    /// `1 - product of (1 - weight)`, by what matches.
    sure: Vec<f64>,
    windows: Vec<Window>,
}

impl Rules {
    /// What ships.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static RULES: LazyLock<Rules> = LazyLock::new(|| {
            Rules::read(SHIPPED).expect("the shipped rules parse: a test reads them")
        });
        &RULES
    }

    /// Reads rules.
    ///
    /// # Errors
    /// [`BadRules`] names the number that is missing or that the formula cannot take.
    pub fn read(text: &str) -> Result<Self, BadRules> {
        let file: File =
            serde_saphyr::from_str(text).map_err(|error| BadRules::Text(error.to_string()))?;
        let bad = |what: &dyn std::fmt::Display| BadRules::Number(what.to_string());
        // At least something, or every event would belong to every drift.
        if !(file.at_least > 0.0 && file.at_least <= 1.0) || file.most == 0 {
            return Err(bad(&"at_least or most"));
        }
        let mut weights = Vec::new();
        for field in Field::ALL {
            let weight = file.weights.get(field).filter(|weight| (0.0..=1.0).contains(*weight));
            weights.push((*field, *weight.ok_or_else(|| bad(field))?));
        }
        let mut windows = Vec::new();
        for kind in EventKind::ALL {
            let window = file.windows.get(kind).ok_or_else(|| bad(kind))?;
            let FileWindow { before, after, tau, environment } = *window;
            if before > LONGEST || after > LONGEST || tau == 0 || tau > LONGEST {
                return Err(bad(kind));
            }
            windows.push(Window {
                before: i64::from(before) * MICROS_OF_MINUTE,
                after: i64::from(after) * MICROS_OF_MINUTE,
                tau: f64::from(tau) * 60.0,
                environment,
            });
        }
        let sure = (0..=u8::MAX).map(|bits| {
            let matches = weights.iter().filter(|(field, _)| Matched(bits).has(*field));
            1.0 - matches.fold(1.0, |apart, (_, weight)| apart * (1.0 - weight))
        });
        let File { version, at_least, most, .. } = file;
        Ok(Self { version, at_least, most, sure: sure.collect(), windows })
    }

    /// The longest any event may be away from a drift, before it and after it.
    #[must_use]
    pub fn longest(&self) -> (SignedDuration, SignedDuration) {
        let most = |side: fn(&Window) -> i64| {
            SignedDuration::from_micros(self.windows.iter().map(side).max().unwrap_or_default())
        };
        (most(|window| window.before), most(|window| window.after))
    }

    pub(super) fn window(&self, kind: EventKind) -> Window {
        let nothing = Window { before: 0, after: 0, tau: 1.0, environment: false };
        self.windows.get(kind as usize).copied().unwrap_or(nothing)
    }

    /// `e^(-distance/tau) * (1 - product of (1 - weight))`: 0 without a match, never above 1.
    pub(super) fn score(&self, window: Window, distance_micros: i64, matched: Matched) -> f64 {
        let sure = self.sure.get(usize::from(matched.0)).copied().unwrap_or_default();
        libm::exp(-seconds(distance_micros) / window.tau) * sure
    }
}
