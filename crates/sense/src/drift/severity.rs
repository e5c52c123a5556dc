//! How bad a drift is: on four axes, from what ships in `content/drift/severity.yaml`.
//!
//! The score is the largest of the four, each axis the largest of the rows that fit: one more change
//! never makes a drift less severe.

use std::sync::LazyLock;

use model::level::Severity;
use serde::{Deserialize, Serialize};

use super::path::{BadPattern, Pattern, fits};
use super::{Axes, ChangeType, Drift, DriftType};

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
            let rows = self.properties.iter().filter(|(row, patterns)| {
                row.types.iter().any(|like| fits(like, &drift.kind))
                    && (row.change.is_empty() || row.change.contains(&change.change))
                    && holds(&row.declared, change.declared.as_ref())
                    && holds(&row.actual, change.actual.as_ref())
                    && patterns.iter().any(|pattern| pattern.matches(&change.steps))
            });
            for (row, _) in rows {
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

/// Whether one of these texts is somewhere in a value; any value when there are none.
fn holds(texts: &[String], value: Option<&serde_json::Value>) -> bool {
    texts.is_empty() || value.is_some_and(|value| any_leaf(value, texts))
}

fn any_leaf(value: &serde_json::Value, texts: &[String]) -> bool {
    match value {
        serde_json::Value::Array(items) => items.iter().any(|item| any_leaf(item, texts)),
        serde_json::Value::Object(members) => members.values().any(|value| any_leaf(value, texts)),
        serde_json::Value::String(text) => texts.contains(text),
        serde_json::Value::Number(number) => texts.contains(&number.to_string()),
        serde_json::Value::Bool(flag) => texts.contains(&flag.to_string()),
        serde_json::Value::Null => false,
    }
}
