//! What went wrong: one line with the whole chain, the fields at fault, and what to do.

use anyhow::Error;
use serde_json::json;

use super::End;
use super::view::clean;
use crate::client;
use crate::output::{self, Format};

/// Tells a failure on standard error.
pub fn tell(error: &Error, format: Format) {
    output::note(&match format {
        Format::Human => in_words(error),
        Format::Json => as_json(error),
    });
}

/// How a command that failed so ends.
#[must_use]
pub fn end(error: &Error) -> End {
    if error.downcast_ref::<Unknowable>().is_some() { End::CannotTell } else { End::Failed }
}

/// A question that could not be answered at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot tell")]
pub struct Unknowable;

/// An error and what caused it, on one line; who repeats its cause is not told twice.
#[must_use]
pub fn chain(error: &Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

fn hint(error: &Error) -> Option<&'static str> {
    error.chain().find_map(|cause| cause.downcast_ref::<client::Error>()?.hint())
}

fn in_words(error: &Error) -> String {
    let mut text = format!("error: {}", clean(&chain(error)));
    let problem = error.chain().find_map(|cause| cause.downcast_ref::<client::Error>()?.problem());
    if let Some(problem) = problem {
        text = format!("{text} [{}]", clean(&problem.code));
        // One fault is told whole by the detail; several need their places.
        if problem.errors.len() > 1
            || problem.errors.iter().any(|f| !problem.detail.contains(&f.message))
        {
            for fault in &problem.errors {
                text.push_str(&format!("\n  {}: {}", clean(&fault.path), clean(&fault.message)));
            }
        }
        if let Some(id) = problem.request_id.as_ref().filter(|_| problem.status >= 500) {
            text.push_str(&format!("\n  request {}", clean(id)));
        }
    }
    if let Some(hint) = hint(error) {
        text.push_str(&format!("\nhint: {hint}"));
    }
    text
}

fn as_json(error: &Error) -> String {
    let problem = error.chain().find_map(|cause| cause.downcast_ref::<client::Error>()?.problem());
    match problem {
        Some(problem) => json!(problem).to_string(),
        None => json!({ "error": chain(error), "hint": hint(error) }).to_string(),
    }
}

#[cfg(test)]
mod tests;
