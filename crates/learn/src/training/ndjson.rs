//! Labelled rows as lines of JSON.
//!
//! `{"features":{"hour_sin":0.5,"commits":null},"label":"emergency_fix"}`, with `time` (RFC 3339),
//! `group`, `weight` and `stated` (a probability per class) where they are known. `null` is a value
//! that is missing; every line names the same features. Features and classes are in alphabetical
//! order, so that the order of keys and lines says nothing of them.

use std::collections::{BTreeMap, BTreeSet};

use ::api::strict::{self, Limits};
use serde::Deserialize;

use super::dataset::{Dataset, DatasetError, Row};

/// The longest line, in bytes.
const MAX_LINE: usize = 256 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    features: BTreeMap<String, Option<f64>>,
    label: String,
    #[serde(default)]
    time: Option<jiff::Timestamp>,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    weight: Option<f64>,
    #[serde(default)]
    stated: Option<BTreeMap<String, f64>>,
}

/// Reads a data set.
///
/// # Errors
/// With the first line that cannot be used.
pub fn read(text: &str) -> Result<Dataset, DatasetError> {
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fault = |problem: String| DatasetError::Row { row: at + 1, problem };
        let limits = Limits { bytes: MAX_LINE, ..Limits::REQUEST };
        let value =
            strict::read(line.as_bytes(), &limits).map_err(|error| fault(error.to_string()))?;
        let line: Line = serde_json::from_value(value).map_err(|error| fault(error.to_string()))?;
        lines.push((at + 1, line));
    }
    let Some((_, first)) = lines.first() else { return Err(DatasetError::Size(0)) };
    let features: Vec<String> = first.features.keys().cloned().collect();
    let mut classes = BTreeSet::new();
    for (_, line) in &lines {
        classes.insert(line.label.clone());
        classes.extend(line.stated.iter().flat_map(|stated| stated.keys().cloned()));
    }
    let classes: Vec<String> = classes.into_iter().collect();
    let mut rows = Vec::with_capacity(lines.len());
    for (at, line) in lines {
        if !line.features.keys().eq(features.iter()) {
            let problem = "names other features than the first line".to_owned();
            return Err(DatasetError::Row { row: at, problem });
        }
        rows.push(row(line, &classes));
    }
    Dataset::new(features, classes, rows)
}

fn row(line: Line, classes: &[String]) -> Row {
    let stated = line.stated.map(|stated| {
        classes.iter().map(|class| stated.get(class).copied().unwrap_or_default()).collect()
    });
    Row {
        values: line.features.into_values().map(|value| value.unwrap_or(f64::NAN)).collect(),
        label: classes.binary_search(&line.label).unwrap_or(usize::MAX),
        weight: line.weight.unwrap_or(1.0),
        time: line.time.map(jiff::Timestamp::as_second),
        group: line.group,
        stated,
    }
}
