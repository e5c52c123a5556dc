//! How bad a drift is: on four axes, from what ships in `content/drift/severity.yaml`.
//!
//! The score is the largest of the four, each axis the largest of the rows that fit: one more change
//! never makes a drift less severe.

use std::cmp::Ordering;
use std::sync::LazyLock;

pub use model::drift::Direction;
use model::level::Severity;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::path::{BadPattern, Pattern, Step, fits};
use super::{Axes, Change, ChangeType, Drift, DriftType};

#[cfg(test)]
mod tests;

const SHIPPED: &str = include_str!("../../../../content/drift/severity.yaml");

static OURS: LazyLock<Weights> = LazyLock::new(|| {
    Weights::read(SHIPPED)
        .unwrap_or_else(|error| unreachable!("content/drift/severity.yaml: {error}"))
});

/// A row that counted, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Because {
    /// The property; empty for the resource as a whole.
    pub path: String,
    /// In words.
    pub why: String,
    /// What it weighs.
    #[serde(flatten)]
    pub axes: Axes,
}

/// How bad a drift is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// In a word.
    pub severity: Severity,
    /// The largest axis.
    pub score: f64,
    /// All of them.
    pub axes: Axes,
    /// What it follows from, the weightiest first.
    pub reasons: Vec<Because>,
    /// The properties that matter to security, by their paths.
    pub critical: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for whoever reads the file")]
    version: u32,
    resources: Vec<ResourceRow>,
    properties: Vec<PropertyRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceRow {
    types: Vec<String>,
    drift: Vec<DriftType>,
    #[serde(default)]
    security: f64,
    #[serde(default)]
    performance: f64,
    #[serde(default)]
    cost: f64,
    #[serde(default)]
    compliance: f64,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PropertyRow {
    types: Vec<String>,
    paths: Vec<String>,
    #[serde(default)]
    change: Vec<ChangeType>,
    #[serde(default)]
    declared: Vec<String>,
    #[serde(default)]
    actual: Vec<String>,
    #[serde(default)]
    security: f64,
    #[serde(default)]
    performance: f64,
    #[serde(default)]
    cost: f64,
    #[serde(default)]
    compliance: f64,
    #[serde(default)]
    critical: bool,
    why: String,
}

/// What weighs how much.
#[derive(Debug)]
pub struct Weights {
    resources: Vec<ResourceRow>,
    properties: Vec<(PropertyRow, Vec<Pattern>)>,
}

/// The rows about properties of one type that matter to security.
#[derive(Debug, Clone)]
pub struct Ways<'w>(Vec<&'w (PropertyRow, Vec<Pattern>)>);

impl Ways<'_> {
    /// Which way a property went: a row that looks at values weighs the way that opens, so what weighs
    /// more than the same change made the other way loosened something, and what weighs less
    /// tightened it. Of what matters to security and weighs the same either way nothing is known.
    #[must_use]
    pub fn direction(&self, change: &Change) -> Option<Direction> {
        let named: Vec<&PropertyRow> = self
            .0
            .iter()
            .filter(|(_, patterns)| patterns.iter().any(|like| like.matches(&change.steps)))
            .map(|(row, _)| row)
            .collect();
        let weight = |side: &Side<'_>| {
            let fitting = named.iter().filter(|row| row.holds(side));
            fitting.map(|row| row.security).fold(0.0, f64::max)
        };
        let side = Side::of(change);
        let (here, back) = (weight(&side), weight(&side.reversed()));
        match here.total_cmp(&back) {
            Ordering::Greater => Some(Direction::Loosened),
            Ordering::Less => Some(Direction::Tightened),
            Ordering::Equal if here > 0.0 => None,
            Ordering::Equal => Some(Direction::Neutral),
        }
    }
}

impl PropertyRow {
    /// Whether what it asks of a change and its values holds.
    fn holds(&self, side: &Side<'_>) -> bool {
        (self.change.is_empty() || self.change.contains(&side.change))
            && holds(&self.declared, side.declared)
            && holds(&self.actual, side.actual)
    }
}

/// Why weights cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadWeights {
    /// The text is none.
    #[error("the text cannot be read: {0}")]
    Text(String),
    /// A path is none.
    #[error(transparent)]
    Path(#[from] BadPattern),
}

impl Weights {
    /// What ships.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &OURS
    }

    fn read(text: &str) -> Result<Self, BadWeights> {
        let file: File =
            serde_saphyr::from_str(text).map_err(|error| BadWeights::Text(error.to_string()))?;
        let properties = file.properties.into_iter().map(|row| {
            let patterns: Result<Vec<_>, _> =
                row.paths.iter().map(|path| Pattern::parse(path)).collect();
            Ok((row, patterns?))
        });
        Ok(Self {
            resources: file.resources,
            properties: properties.collect::<Result<_, BadPattern>>()?,
        })
    }

    /// The rows about properties that fit a change of a type.
    fn fitting<'s>(
        &'s self,
        kind: &'s str,
        side: &'s Side<'_>,
    ) -> impl Iterator<Item = &'s PropertyRow> {
        let fitting = self.properties.iter().filter(move |(row, patterns)| {
            row.types.iter().any(|like| fits(like, kind))
                && row.holds(side)
                && patterns.iter().any(|pattern| pattern.matches(side.steps))
        });
        fitting.map(|(row, _)| row)
    }

    /// The rows that say which way properties of a type went.
    #[must_use]
    pub fn ways(&self, kind: &str) -> Ways<'_> {
        let rows = self
            .properties
            .iter()
            .filter(|(row, _)| row.critical && row.types.iter().any(|like| fits(like, kind)));
        Ways(rows.collect())
    }

    /// How bad a drift is.
    #[must_use]
    pub fn judge(&self, drift: &Drift) -> Judged {
        let mut reasons = Vec::new();
        let row = self.resources.iter().rev().find(|row| {
            row.drift.contains(&drift.drift) && row.types.iter().any(|like| fits(like, &drift.kind))
        });
        if let Some(row) = row {
            let axes = Axes {
                security: row.security,
                performance: row.performance,
                cost: row.cost,
                compliance: row.compliance,
            };
            reasons.push(Because { path: String::new(), why: row.why.clone(), axes });
        }
        let mut critical = Vec::new();
        for change in &drift.changes {
            for row in self.fitting(&drift.kind, &Side::of(change)) {
                if row.critical && critical.last() != Some(&change.path) {
                    critical.push(change.path.clone());
                }
                let axes = Axes {
                    security: row.security,
                    performance: row.performance,
                    cost: row.cost,
                    compliance: row.compliance,
                };
                reasons.push(Because { path: change.path.clone(), why: row.why.clone(), axes });
            }
        }
        let axes = reasons.iter().fold(Axes::default(), |axes, because| axes.and(because.axes));
        reasons.sort_by(|one, other| other.axes.largest().total_cmp(&one.axes.largest()));
        let score = axes.largest();
        Judged { severity: Severity::from_score(score), score, axes, reasons, critical }
    }
}

/// A change as rows look at it.
#[derive(Debug, Clone, Copy)]
struct Side<'a> {
    steps: &'a [Step],
    change: ChangeType,
    declared: Option<&'a Value>,
    actual: Option<&'a Value>,
}

impl<'a> Side<'a> {
    fn of(change: &'a Change) -> Self {
        Self {
            steps: &change.steps,
            change: change.change,
            declared: change.declared.as_ref(),
            actual: change.actual.as_ref(),
        }
    }

    /// The same change made the other way.
    const fn reversed(self) -> Self {
        let change = match self.change {
            ChangeType::Added => ChangeType::Removed,
            ChangeType::Removed => ChangeType::Added,
            ChangeType::Modified => ChangeType::Modified,
        };
        Self { change, declared: self.actual, actual: self.declared, ..self }
    }
}

/// Whether one of these texts is somewhere in a value; any value when there are none.
fn holds(texts: &[String], value: Option<&Value>) -> bool {
    texts.is_empty() || value.is_some_and(|value| any_leaf(value, texts))
}

fn any_leaf(value: &Value, texts: &[String]) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| any_leaf(item, texts)),
        Value::Object(members) => members.values().any(|value| any_leaf(value, texts)),
        Value::String(text) => texts.contains(text),
        Value::Number(number) => texts.contains(&number.to_string()),
        Value::Bool(flag) => texts.contains(&flag.to_string()),
        Value::Null => false,
    }
}
