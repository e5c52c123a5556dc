//! Steps: names, order, commands, conditions, parameters, references to other steps.

use std::collections::{BTreeMap, BTreeSet};

use model::plan::{EvidenceKind, Semantics, Stage};

use super::Found;
use super::document::{self, MAX_SECONDS};
use crate::runbook::context::{
    self, ALERT_FIELDS, EXECUTION_FIELDS, ROOTS, RUNBOOK_FIELDS, SERVER_FIELDS, STEP_FIELDS,
};
use crate::runbook::expression::{self, FILTERS, Reference};
use crate::runbook::position::escape;
use crate::runbook::status::TargetOs;
use crate::runbook::template::{self, Piece, value};
use crate::runbook::{Runbook, Step, condition, shell};

pub(super) fn check(runbook: &Runbook) -> Vec<Found> {
    let mut found = Vec::new();
    names(&mut found, runbook);
    let mut verify_seen = false;
    for (index, step) in runbook.steps.iter().enumerate() {
        let path = format!("/steps/{index}");
        numbers(&mut found, &path, step);
        semantics(&mut found, &path, step);
        if step.stage == Stage::Act && verify_seen {
            found.push(Found::error(
                format!("{path}/name"),
                "act_after_verify",
                "a step that acts stands after one that verifies",
            ));
        }
        verify_seen |= step.stage == Stage::Verify;
        commands(&mut found, runbook, index, step);
        conditions(&mut found, runbook, index, step);
    }
    found
}

fn names(found: &mut Vec<Found>, runbook: &Runbook) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (index, step) in runbook.steps.iter().enumerate() {
        let path = format!("/steps/{index}/name");
        document::name(found, &path, &step.name, 200);
        if let Some(other) = seen.insert(context::alias(&step.name), &step.name) {
            found.push(Found::error(
                path,
                "name_twice",
                format!("{:?} and {other:?} are the same name in templates", step.name),
            ));
        }
    }
}

fn numbers(found: &mut Vec<Found>, path: &str, step: &Step) {
    document::range(
        found,
        &format!("{path}/timeout_seconds"),
        step.timeout_seconds,
        1,
        MAX_SECONDS,
    );
    document::range(found, &format!("{path}/retry_count"), step.retry_count, 0, 10);
    let delay = format!("{path}/retry_delay_seconds");
    document::range(found, &delay, step.retry_delay_seconds, 0, MAX_SECONDS);
    let codes = &step.expected_exit_codes;
    if codes.is_empty() || codes.iter().any(|code| !(0..=255).contains(code)) {
        found.push(Found::error(
            format!("{path}/expected_exit_codes"),
            "exit_codes",
            "at least one exit code between 0 and 255 must mean success",
        ));
    }
    if step.command.trim().is_empty() {
        found.push(Found::error(format!("{path}/command"), "empty", "a command is needed"));
    }
    let word =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    if step.action.is_empty() || step.action.len() > 100 || !step.action.chars().all(word) {
        found.push(Found::error(
            format!("{path}/action"),
            "action",
            "an action is dotted lower-case words, as host.service.restart",
        ));
    }
    for (name, param) in &step.params {
        let path = format!("{path}/params/{}", escape(name));
        if let Err(message) = value::pattern(&param.pattern) {
            found.push(Found::error(format!("{path}/pattern"), "pattern", message));
        }
    }
    for (index, evidence) in step.evidence.iter().enumerate() {
        let stream = matches!(evidence.query.as_str(), "stdout" | "stderr" | "both");
        if evidence.kind == EvidenceKind::Log && !stream {
            found.push(Found::error(
                format!("{path}/evidence/{index}/query"),
                "evidence",
                "the query of a log is stdout, stderr or both",
            ));
        }
    }
}

fn semantics(found: &mut Vec<Found>, path: &str, step: &Step) {
    let at_most_once = step.semantics == Semantics::AtMostOnce;
    if step.stage == Stage::Act && at_most_once && step.rollback_command.is_none() {
        found.push(Found::warning(
            format!("{path}/command"),
            "no_rollback",
            "this step cannot be undone: it has no rollback_command",
        ));
    }
    if at_most_once && step.retry_count > 0 {
        found.push(
            Found::warning(
                format!("{path}/retry_count"),
                "retry_at_most_once",
                "a step that must never run twice asks for retries",
            )
            .hint("declare semantics: idempotent or read"),
        );
    }
}

fn commands(found: &mut Vec<Found>, runbook: &Runbook, index: usize, step: &Step) {
    let mut used = BTreeSet::new();
    let texts =
        [("command", Some(&step.command)), ("rollback_command", step.rollback_command.as_ref())];
    for (key, text) in texts {
        let Some(text) = text else { continue };
        let path = format!("/steps/{index}/{key}");
        let pieces = match template::parse(text) {
            Ok(pieces) => pieces,
            Err(faults) => {
                found.extend(faults.into_iter().map(|fault| Found::fault(&path, fault)));
                continue;
            }
        };
        if let Some(offset) = text.find(['\0', '\r']) {
            let fault = Found::error(&path, "control_character", "a command holds NUL or CR");
            found.push(Found { offset: Some(offset), ..fault });
        }
        for piece in &pieces {
            let place = Place { runbook, path: &path, undo: key == "rollback_command", index };
            used.extend(placeholder(found, place, piece));
        }
        // Another shell has other rules; what does not run is not judged by the wrong ones.
        if runbook.target_os == TargetOs::Linux {
            let outside = outside_variables(runbook);
            let faults = shell::check(&pieces, &outside);
            found.extend(faults.into_iter().map(|fault| Found::fault(&path, fault)));
        }
    }
    for name in step.params.keys() {
        if !used.contains(name) && !runbook.environment_vars.contains_key(name) {
            found.push(Found::error(
                format!("/steps/{index}/params/{}", escape(name)),
                "unknown_param",
                format!("no placeholder of this step reads {name}"),
            ));
        }
    }
}

/// The runbook's variables whose values come from outside.
fn outside_variables(runbook: &Runbook) -> Vec<&str> {
    let templated = runbook.environment_vars.iter().filter(|(_, source)| source.contains("{{"));
    templated.map(|(name, _)| name.as_str()).collect()
}

/// The command a placeholder is in.
#[derive(Clone, Copy)]
struct Place<'a> {
    runbook: &'a Runbook,
    path: &'a str,
    undo: bool,
    index: usize,
}

/// Judges a placeholder; gives the variables it reads.
fn placeholder(found: &mut Vec<Found>, place: Place<'_>, piece: &Piece) -> BTreeSet<String> {
    let Place { runbook, path, undo, index } = place;
    let Piece::Placeholder { inner, expression, offset, .. } = piece else {
        return BTreeSet::new();
    };
    let mut used: BTreeSet<String> = expression.references.iter().map(Reference::path).collect();
    for reference in &expression.references {
        if let Err((code, message)) = resolve(runbook, index, undo, reference) {
            let offset = Some(inner + reference.offset);
            found.push(Found { offset, ..Found::error(path, code, message) });
        }
        if let [root, name, field] = reference.parts.as_slice()
            && root == "steps"
        {
            let names: Vec<&str> = runbook.steps.iter().map(|step| step.name.as_str()).collect();
            used.extend(
                context::step_named(&names, name).map(|name| format!("steps.{name}.{field}")),
            );
        }
    }
    if template::late(expression) && !expression.bare {
        found.push(
            Found {
                offset: Some(*offset),
                ..Found::error(
                    path,
                    "late_expression",
                    "a value known only while the plan runs can stand for itself only",
                )
            }
            .hint("leave out filters and operators"),
        );
    }
    used
}

fn conditions(found: &mut Vec<Found>, runbook: &Runbook, index: usize, step: &Step) {
    let Some(text) = &step.condition else { return };
    let path = format!("/steps/{index}/condition");
    let source = condition::expression(text);
    // The expression may stand in braces: offsets are those of the whole text.
    let before = text.find(source).unwrap_or(0);
    let at = |code: &'static str, offset: usize, message: String| Found {
        offset: Some(before + offset),
        ..Found::error(&path, code, message)
    };
    let read = match expression::read(source) {
        Ok(read) => read,
        Err(fault) => {
            found.push(at(fault.code, fault.offset, fault.message));
            return;
        }
    };
    for (offset, filter) in &read.filters {
        if !FILTERS.contains(&filter.as_str()) {
            found.push(at("filter", *offset, format!("the filter {filter} is not available")));
        }
    }
    for reference in &read.references {
        if let Err((code, message)) = resolve(runbook, index, false, reference) {
            found.push(at(code, reference.offset, message));
        }
    }
}

/// Whether a reference in step `index` can have a value when it is needed.
fn resolve(
    runbook: &Runbook,
    index: usize,
    undo: bool,
    reference: &Reference,
) -> Result<(), (&'static str, String)> {
    let unknown = |message: String| Err(("unknown_variable", message));
    match reference.root() {
        "steps" => step_output(runbook, index, undo, reference),
        "env" => match reference.parts.get(1) {
            Some(name) if runbook.environment_vars.contains_key(name) => Ok(()),
            Some(name) => unknown(format!("the runbook has no variable {name}")),
            None => unknown("env needs the name of a variable".to_owned()),
        },
        root if ROOTS.contains(&root) => match unknown_field(reference) {
            Some(message) => unknown(message),
            None => Ok(()),
        },
        root if runbook.environment_vars.contains_key(root) => match reference.parts.get(1) {
            Some(_) => unknown(format!("{root} is a text without fields")),
            None => Ok(()),
        },
        root => unknown(format!("{root} is unknown")),
    }
}

/// What is wrong with a field of `alert`, `server`, `runbook` or `execution`.
pub(super) fn unknown_field(reference: &Reference) -> Option<String> {
    let (fields, deep): (&[&str], &[&str]) = match reference.root() {
        "alert" => (ALERT_FIELDS, &["labels", "annotations"]),
        "server" => (SERVER_FIELDS, &[]),
        "runbook" => (RUNBOOK_FIELDS, &[]),
        "execution" => (EXECUTION_FIELDS, &[]),
        _ => return None,
    };
    let root = reference.root();
    match reference.parts.get(1..).unwrap_or_default() {
        [] => Some(format!("{root} is no value; it has {}", fields.join(", "))),
        [field, ..] if !fields.contains(&field.as_str()) => {
            Some(format!("{root} has no {field}; it has {}", fields.join(", ")))
        }
        [field] if deep.contains(&field.as_str()) && !reference.open => {
            Some(format!("{root}.{field} needs the name of one"))
        }
        [field, _] if !deep.contains(&field.as_str()) => {
            Some(format!("{root}.{field} has no fields"))
        }
        [_, _, _, ..] => Some(format!("{} is unknown", reference.path())),
        _ => None,
    }
}

fn step_output(
    runbook: &Runbook,
    index: usize,
    undo: bool,
    reference: &Reference,
) -> Result<(), (&'static str, String)> {
    let [_, name, field] = reference.parts.as_slice() else {
        let message = format!("{}: write steps.<name>.stdout", reference.path());
        return Err(("unknown_variable", message));
    };
    if reference.open || !STEP_FIELDS.contains(&field.as_str()) {
        let message = format!("a step has {}, not {field}", STEP_FIELDS.join(", "));
        return Err(("unknown_variable", message));
    }
    let names: Vec<&str> = runbook.steps.iter().map(|step| step.name.as_str()).collect();
    let Some(found) = context::step_named(&names, name) else {
        return Err(("unknown_variable", format!("there is no step {name}")));
    };
    let position = names.iter().position(|other| *other == found).unwrap_or(usize::MAX);
    // An undo runs after its step, so it may use that step's own output.
    if position > index || (position == index && !undo) {
        return Err(("later_step", format!("{found:?} has not run by then")));
    }
    let captures = runbook.steps.get(position).is_some_and(|step| step.capture_output);
    if !captures && matches!(field.as_str(), "stdout" | "stderr") {
        return Err(("not_captured", format!("{found:?} does not capture its output")));
    }
    Ok(())
}
