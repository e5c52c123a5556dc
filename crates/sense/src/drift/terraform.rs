//! What Terraform and OpenTofu write: states, and plans as JSON.
//!
//! Formats: the state's version 4, as in Terraform's `internal/states/statefile`, is the tool's own
//! and read leniently; `terraform show -json` ("JSON Output Format", format versions 0.x and 1.x) is
//! made for others. Nothing is decoded by the schema of a provider.

mod plan;
mod state;
mod unlike;

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::compare::Resource;
use super::path::{Path, Step};
use super::value::Value;

pub use plan::{Plan, Planned};
pub use unlike::{Unlike, unlike};

#[cfg(test)]
mod tests;

/// A document of Terraform's, read.
#[derive(Debug)]
pub enum Document<'a> {
    /// A state: what was applied last.
    State(Vec<Resource<'a>>),
    /// A plan, with what changed outside of it.
    Plan(Plan<'a>),
}

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadDocument {
    /// It is no JSON, or cut off.
    #[error("{}", said(.0))]
    Json(#[source] serde_json::Error),
    /// It is JSON, and neither a state nor a plan.
    #[error(
        "it is neither a state nor a plan of Terraform's: a state has `version` 4, and what \
         `terraform show -json` prints has a `format_version`"
    )]
    Other,
    /// It is a state of another version.
    #[error(
        "it is a state of version {0}; version 4 is read: `terraform show -json` gives one that can be"
    )]
    Version(u64),
    /// It is of another format.
    #[error("its format is {0:?}; 0.x and 1.x are read")]
    Format(String),
}

fn said(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    let text = error.to_string();
    if error.is_eof() {
        format!("it is cut off: the text ends at {place}")
    } else if text.starts_with("recursion limit") {
        format!("its values are nested deeper than 128 at {place}")
    } else {
        // The place is told once.
        let what = text.split(" at line ").next().unwrap_or_default();
        format!("{what} at {place}")
    }
}

#[derive(Deserialize)]
struct Peek<'a> {
    #[serde(default)]
    version: Option<u64>,
    #[serde(borrow, default)]
    format_version: Option<Cow<'a, str>>,
    #[serde(default)]
    resource_changes: Option<IgnoredAny>,
    #[serde(default)]
    resource_drift: Option<IgnoredAny>,
    #[serde(default)]
    planned_values: Option<IgnoredAny>,
}

/// All that counts in either, so that a good document is gone through once.
#[derive(Deserialize)]
struct Whole<'a> {
    #[serde(default)]
    version: Option<u64>,
    #[serde(borrow, default)]
    format_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    resources: Option<Vec<state::Block<'a>>>,
    #[serde(borrow, default)]
    values: Option<state::Values<'a>>,
    #[serde(borrow, default)]
    resource_changes: Option<Vec<plan::ChangeOf<'a>>>,
    #[serde(borrow, default)]
    resource_drift: Option<Vec<plan::ChangeOf<'a>>>,
    #[serde(borrow, default)]
    prior_state: Option<plan::Prior<'a>>,
    #[serde(default)]
    planned_values: Option<IgnoredAny>,
}

impl<'a> Whole<'a> {
    /// The document, when nothing is wrong with it.
    fn document(self) -> Option<Document<'a>> {
        let format = match (self.version, self.format_version, self.resources) {
            (Some(4), None, Some(blocks)) => {
                return state::resources(blocks).ok().map(Document::State);
            }
            (_, Some(format), _) => format,
            _ => return None,
        };
        if !readable(&format) {
            return None;
        }
        let plan = self.resource_changes.is_some()
            || self.resource_drift.is_some()
            || self.planned_values.is_some();
        if plan {
            let file = plan::PlanFile {
                resource_drift: self.resource_drift.unwrap_or_default(),
                resource_changes: self.resource_changes.unwrap_or_default(),
                prior_state: self.prior_state,
            };
            return plan::of(file).ok().map(Document::Plan);
        }
        let resources = self.values.map_or_else(|| Ok(Vec::new()), state::Values::resources);
        resources.ok().map(Document::State)
    }
}

/// Whether a format of `terraform show -json` is one that is read.
fn readable(format: &str) -> bool {
    format.starts_with("0.") || format.starts_with("1.")
}

impl<'a> Document<'a> {
    /// Reads a state, or a state or plan as `terraform show -json` prints it.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn read(text: &'a str) -> Result<Self, BadDocument> {
        if text.trim_start().starts_with(|first| first != '{') {
            return Err(BadDocument::Other);
        }
        let whole: Result<Whole<'_>, _> = serde_json::from_str(text);
        match whole.ok().and_then(Whole::document) {
            Some(document) => Ok(document),
            None => Self::explained(text),
        }
    }

    /// Reads a document part by part, so that what is wrong with it can be told.
    fn explained(text: &'a str) -> Result<Self, BadDocument> {
        let peek: Peek<'_> = serde_json::from_str(text).map_err(BadDocument::Json)?;
        match (peek.version, peek.format_version) {
            (Some(4), None) => state::read(text).map(Self::State).map_err(BadDocument::Json),
            (Some(version), None) => Err(BadDocument::Version(version)),
            (_, Some(format)) => {
                if !readable(&format) {
                    return Err(BadDocument::Format(format.chars().take(40).collect()));
                }
                let plan = peek.resource_changes.is_some()
                    || peek.resource_drift.is_some()
                    || peek.planned_values.is_some();
                if plan {
                    plan::read(text).map(Self::Plan).map_err(BadDocument::Json)
                } else {
                    state::read_shown(text).map(Self::State).map_err(BadDocument::Json)
                }
            }
            (None, None) => Err(BadDocument::Other),
        }
    }
}

/// The places that are `true` in a tree of marks, as `sensitive_values` has them.
fn marked(marks: &Value<'_>) -> Vec<Path> {
    let (mut found, mut path) = (Vec::new(), Path::new());
    collect(marks, &mut path, &mut found);
    found
}

fn collect(marks: &Value<'_>, path: &mut Path, found: &mut Vec<Path>) {
    match marks {
        Value::Bool(true) => found.push(path.clone()),
        Value::Map(members) => {
            for (name, inside) in members {
                path.push(Step::Name(name.to_string()));
                collect(inside, path, found);
                path.pop();
            }
        }
        Value::List(items) => {
            for (place, inside) in items.iter().enumerate() {
                path.push(Step::Index(place));
                collect(inside, path, found);
                path.pop();
            }
        }
        Value::Null
        | Value::Bool(false)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Sealed(_)
        | Value::Unknown => (),
    }
}
