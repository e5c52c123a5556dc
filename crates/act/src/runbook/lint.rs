//! Judges what a runbook says: refuses what is unsafe or cannot work, with its place in the text.

use super::emit;
use super::parse;
use super::position::Positions;
use super::problem::{Fault, Problem, Weight};
use super::status::Status;
use super::{Runbook, shell};

mod document;
mod steps;
mod triggers;

/// A finding of lint before it has a place: the text it is about and the offset in it.
#[derive(Debug)]
pub(crate) struct Found {
    weight: Weight,
    path: String,
    /// In a scalar, at this byte; otherwise the node as a whole.
    offset: Option<usize>,
    code: &'static str,
    message: String,
    hint: Option<String>,
}

impl Found {
    fn error(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            weight: Weight::Error,
            path: path.into(),
            offset: None,
            code,
            message: message.into(),
            hint: None,
        }
    }

    fn warning(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, ..Self::error(path, code, message) }
    }

    fn hint(self, hint: &str) -> Self {
        Self { hint: Some(hint.to_owned()), ..self }
    }

    fn fault(path: &str, fault: Fault) -> Self {
        Self {
            offset: Some(fault.offset),
            hint: fault.hint.map(str::to_owned),
            ..Self::error(path, fault.code, fault.message)
        }
    }
}

/// Reads a runbook and judges it: the runbook with its warnings.
///
/// # Errors
/// With every error and warning, when there is an error.
pub fn of_yaml(text: &str) -> Result<(Runbook, Vec<Problem>), Vec<Problem>> {
    let runbook = parse::from_yaml(text)?;
    let problems = placed(text, found(&runbook));
    if problems.iter().any(Problem::refuses) { Err(problems) } else { Ok((runbook, problems)) }
}

/// Judges a runbook that is not at hand as text; places are those in its own export.
#[must_use]
pub fn check(runbook: &Runbook) -> Vec<Problem> {
    let found = found(runbook);
    if found.is_empty() {
        return Vec::new();
    }
    // Without a text the places are unknown, the problems are not.
    let text = emit::to_yaml(runbook).unwrap_or_default();
    placed(&text, found)
}

/// What stands in the way of the runbook as it is; places cost nothing when there is nothing.
#[must_use]
pub fn refusals(runbook: &Runbook) -> Vec<Problem> {
    if found(runbook).iter().all(|found| found.weight == Weight::Warning) {
        return Vec::new();
    }
    check(runbook).into_iter().filter(Problem::refuses).collect()
}

/// What stands in the way of `active`, beside what [`check`] finds.
#[must_use]
pub fn activation(runbook: &Runbook) -> Vec<Problem> {
    let active = Runbook { status: Status::Active, ..runbook.clone() };
    refusals(&active)
}

fn found(runbook: &Runbook) -> Vec<Found> {
    let mut found = document::check(runbook);
    found.extend(steps::check(runbook));
    found.extend(triggers::check(runbook));
    found
}

fn placed(text: &str, found: Vec<Found>) -> Vec<Problem> {
    let positions = Positions::of(text);
    let mut problems: Vec<Problem> = found
        .into_iter()
        .map(|found| {
            let place = match found.offset {
                Some(offset) => positions.inside(&found.path, offset),
                None => positions.node(&found.path),
            };
            Problem {
                weight: found.weight,
                path: found.path,
                line: place.line,
                column: place.column,
                code: found.code,
                message: found.message,
                hint: found.hint,
            }
        })
        .collect();
    problems
        .sort_by_key(|problem| (problem.weight == Weight::Warning, problem.line, problem.column));
    problems
}

/// Whether a variable's name may be exported with a value from outside.
fn steers_shell(name: &str) -> bool {
    shell::steers(name)
}

#[cfg(test)]
mod tests;
