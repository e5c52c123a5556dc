//! What came of a scan, as people and other programs read it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::level::Severity;
use sense::drift::compare::Comparison;
use sense::drift::path::Step;
use sense::drift::rules::Family;
use sense::drift::severity::Judged;
use sense::drift::{Change, Drift};
use serde_json::{Value, json};

use crate::cli::view;

mod junit;
mod markdown;
mod sarif;

#[cfg(test)]
mod tests;

/// The most properties that one sentence names.
const MOST_TOLD: usize = 3;
/// The most characters of one value that people are shown.
const MOST_SHOWN: usize = 120;

/// What came of a scan.
#[derive(Debug)]
pub(super) struct Report {
    /// What declares.
    pub(super) source: String,
    /// What it was compared with, when that is something else.
    pub(super) against: Option<String>,
    /// What differs.
    pub(super) comparison: Comparison,
    /// How bad that is, drift by drift.
    pub(super) judged: Vec<Judged>,
}

impl Report {
    /// What drifted with how bad that is, the most severe first.
    fn worst_first(&self) -> Vec<(&Drift, &Judged)> {
        let mut all: Vec<_> = self.comparison.drifts.iter().zip(&self.judged).collect();
        all.sort_by(|one, other| other.1.score.total_cmp(&one.1.score));
        all
    }

    /// How many there are of each severity.
    fn counts(&self) -> BTreeMap<Severity, usize> {
        let mut counts = BTreeMap::new();
        for judged in &self.judged {
            *counts.entry(judged.severity).or_insert(0) += 1;
        }
        counts
    }

    /// One sentence: how many of what.
    fn sentence(&self) -> String {
        let of = |severity: &Severity, count: &usize| format!("{count} {severity}");
        let counts: Vec<_> =
            self.counts().iter().rev().map(|(severity, count)| of(severity, count)).collect();
        let drifted = match self.comparison.drifts.len() {
            0 => "nothing drifted".to_owned(),
            1 => format!("1 resource drifted ({})", counts.join(", ")),
            many => format!("{many} resources drifted ({})", counts.join(", ")),
        };
        let mut text = format!("{drifted}, {} as declared", self.comparison.in_sync);
        match self.comparison.not_checked.len() {
            0 => (),
            // Writing to a text cannot fail.
            count => text.push_str(&format!(", {count} not checked")),
        }
        text
    }

    /// For people at a terminal.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        for (drift, judged) in self.worst_first() {
            let id = drift.id.as_deref().filter(|id| *id != drift.address);
            let id = id.map_or_else(String::new, |id| format!(" ({})", view::line(id)));
            let head = format!(
                "{:<8}  {:<8}  {}{id}",
                judged.severity,
                drift.drift,
                view::line(&drift.address)
            );
            let _written = writeln!(text, "{}", head.trim_end());
            for change in &drift.changes {
                let mark = if judged.critical.contains(&change.path) { "!" } else { " " };
                let _written = writeln!(text, "        {mark} {}", line(change));
            }
            if let Some(because) = judged.reasons.first() {
                let _written = writeln!(text, "          {}", view::line(&because.why));
            }
            text.push('\n');
        }
        for not in &self.comparison.not_checked {
            let what = not.id.as_deref().unwrap_or(&not.kind);
            let _written =
                writeln!(text, "not checked: {}: {}", view::line(what), view::line(&not.why));
        }
        text.push_str(&self.sentence());
        text
    }

    /// Everything, for programs.
    pub(super) fn json(&self) -> Value {
        let drifts: Vec<Value> = self
            .worst_first()
            .into_iter()
            .map(|(drift, judged)| {
                json!({
                    "address": drift.address, "type": drift.kind, "id": drift.id,
                    "drift_type": drift.drift, "severity": judged.severity,
                    "severity_score": judged.score, "risk_assessment": judged.axes,
                    "actual_state": whole(drift),
                    "reasons": judged.reasons, "changes": drift.changes.iter().map(|change| {
                        json!({
                            "property_path": change.path, "change_type": change.change,
                            "declared_value": change.declared, "actual_value": change.actual,
                            "is_security_critical": judged.critical.contains(&change.path),
                        })
                    }).collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({
            "source": self.source, "against": self.against,
            "summary": {
                "drifted": drifts.len(), "in_sync": self.comparison.in_sync,
                "not_checked": self.comparison.not_checked.len(),
                "severity": self.counts().iter()
                    .map(|(severity, count)| (severity.to_string(), json!(count)))
                    .collect::<serde_json::Map<_, _>>(),
            },
            "drifts": drifts,
            "not_checked": self.comparison.not_checked,
        })
    }
}

/// What differs as it is in full, since a change tells a policy piece by piece and without its case.
fn whole(drift: &Drift) -> Option<Value> {
    if Family::of(&drift.kind) == Family::Kubernetes {
        return None;
    }
    let named = |name: &str| {
        let first =
            |change: &Change| matches!(change.steps.first(), Some(Step::Name(own)) if own == name);
        drift.changes.iter().any(first)
    };
    let state = drift.actual.as_ref()?.as_object()?.iter().filter(|(name, _)| named(name));
    Some(Value::Object(state.map(|(name, value)| (name.clone(), value.clone())).collect()))
}

/// A property that differs, on one line: `path: declared -> there`.
fn line(change: &Change) -> String {
    format!(
        "{}: {} -> {}",
        view::line(&change.path),
        value(change.declared.as_ref()),
        value(change.actual.as_ref())
    )
}

/// A value on one line; a secret says that it is one.
fn value(value: Option<&Value>) -> String {
    let text = match value {
        None => return "(nothing)".to_owned(),
        Some(value) if sense::drift::seal::Seal::from_json(value).is_some() => {
            return "(secret)".to_owned();
        }
        Some(value) => view::line(&value.to_string()),
    };
    if text.chars().count() <= MOST_SHOWN {
        return text;
    }
    let cut: String = text.chars().take(MOST_SHOWN).collect();
    format!("{cut}…")
}

/// One sentence about a drift, for where there is room for one.
fn sentence(drift: &Drift) -> String {
    if drift.changes.is_empty() {
        return format!("{} was {}", drift.address, drift.drift);
    }
    let told: Vec<_> = drift.changes.iter().take(MOST_TOLD).map(line).collect();
    let more = drift.changes.len().saturating_sub(MOST_TOLD);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    format!("{}: {}{more}", drift.address, told.join(", "))
}
