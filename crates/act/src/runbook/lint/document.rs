//! The keys of the runbook itself: lengths, ranges, variables, activation.

use model::plan::Stage;
use serde_json::Value;

use super::Found;
use crate::runbook::Runbook;
use crate::runbook::context::ROOTS;
use crate::runbook::glob::Pattern;
use crate::runbook::position::escape;
use crate::runbook::status::{Status, TargetOs};
use crate::runbook::template::{self, Piece};

/// A day: nothing a runbook does may take longer.
pub(super) const MAX_SECONDS: u32 = 86_400;

/// Steps of one runbook, at most.
const MAX_STEPS: usize = 100;

/// Triggers of one runbook, at most.
const MAX_TRIGGERS: usize = 50;

/// Variables of one runbook, at most.
const MAX_VARIABLES: usize = 50;

/// The most patterns, or demands for evidence, in one place: each costs something every time.
const MAX_PATTERNS: usize = 50;

pub(super) fn check(runbook: &Runbook) -> Vec<Found> {
    let mut found = Vec::new();
    name(&mut found, "/name", &runbook.name, 200);
    if let Some(category) = runbook.category.as_ref().filter(|text| text.chars().count() > 100) {
        let length = category.chars().count();
        found.push(Found::error(
            "/category",
            "too_long",
            format!("{length} characters; at most 100"),
        ));
    }
    range(&mut found, "/timeout_seconds", runbook.timeout_seconds, 1, MAX_SECONDS);
    range(&mut found, "/max_retries", runbook.max_retries, 0, 10);
    range(&mut found, "/retry_delay_seconds", runbook.retry_delay_seconds, 0, MAX_SECONDS);
    if let Some(count) = runbook.rate_limit_count {
        range(&mut found, "/rate_limit_count", count, 1, 1_000_000);
    }
    if let Some(window) = runbook.rate_limit_window_seconds {
        range(&mut found, "/rate_limit_window_seconds", window, 1, 31 * MAX_SECONDS);
    }
    if runbook.rate_limit_count.is_some() != runbook.rate_limit_window_seconds.is_some() {
        found.push(Found::error(
            "/rate_limit_count",
            "rate_limit_half",
            "rate_limit_count and rate_limit_window_seconds go together",
        ));
    }
    counts(&mut found, runbook);
    selectors(&mut found, runbook);
    config(&mut found, runbook);
    variables(&mut found, runbook);
    activation(&mut found, runbook);
    if let Ok(document) = serde_json::to_value(runbook) {
        nul(&mut found, "", &document);
    }
    found
}

/// NUL has no place in any text: neither a database nor a shell takes it.
fn nul(found: &mut Vec<Found>, path: &str, value: &Value) {
    let refused = || Found::error(path, "nul_character", "a text holds a NUL character");
    match value {
        Value::String(text) if text.contains('\0') => found.push(refused()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                nul(found, &format!("{path}/{index}"), item);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                if key.contains('\0') {
                    found.push(refused());
                }
                nul(found, &format!("{path}/{}", escape(key)), item);
            }
        }
        _ => {}
    }
}

pub(super) fn name(found: &mut Vec<Found>, path: &str, name: &str, most: usize) {
    let length = name.chars().count();
    if name.trim().is_empty() {
        found.push(Found::error(path, "empty", "a name is needed"));
    } else if length > most {
        found.push(Found::error(path, "too_long", format!("{length} characters; at most {most}")));
    } else if name.chars().any(char::is_control) {
        found.push(Found::error(path, "control_character", "a name is one line of text"));
    }
}

pub(super) fn range(found: &mut Vec<Found>, path: &str, value: u32, least: u32, most: u32) {
    if !(least..=most).contains(&value) {
        found.push(Found::error(
            path,
            "out_of_range",
            format!("{value} is not between {least} and {most}"),
        ));
    }
}

fn counts(found: &mut Vec<Found>, runbook: &Runbook) {
    if runbook.steps.is_empty() {
        found.push(Found::error("/steps", "no_steps", "a runbook needs at least one step"));
    }
    let mut counts = vec![
        ("/steps".to_owned(), runbook.steps.len(), MAX_STEPS),
        ("/triggers".to_owned(), runbook.triggers.len(), MAX_TRIGGERS),
        ("/environment_vars".to_owned(), runbook.environment_vars.len(), MAX_VARIABLES),
        ("/allowed_servers/names".to_owned(), runbook.allowed_servers.names.len(), MAX_PATTERNS),
    ];
    for (at, trigger) in runbook.triggers.iter().enumerate() {
        let path = format!("/triggers/{at}/labels_match");
        counts.push((path, trigger.labels_match.len(), MAX_PATTERNS));
    }
    for (at, step) in runbook.steps.iter().enumerate() {
        counts.push((format!("/steps/{at}/params"), step.params.len(), MAX_PATTERNS));
        counts.push((format!("/steps/{at}/evidence"), step.evidence.len(), MAX_PATTERNS));
    }
    for (path, count, most) in counts {
        if count > most {
            found.push(Found::error(path, "too_many", format!("{count} entries; at most {most}")));
        }
    }
    if runbook.approval_roles.is_empty() {
        found.push(Found::error("/approval_roles", "empty", "without a role nobody could approve"));
    }
}

fn selectors(found: &mut Vec<Found>, runbook: &Runbook) {
    for (index, name) in runbook.allowed_servers.names.iter().enumerate() {
        if let Err(reason) = Pattern::read(name) {
            found.push(Found::error(format!("/allowed_servers/names/{index}"), "pattern", reason));
        }
    }
}

fn config(found: &mut Vec<Found>, runbook: &Runbook) {
    if runbook.config.get("target_label").is_some_and(|label| !label.is_string()) {
        found.push(Found::error("/config/target_label", "not_text", "the name of a label is text"));
    }
    if let Some(number) = runbook.config.get("max_parallel")
        && !number.as_u64().is_some_and(|number| (1..=1_000).contains(&number))
    {
        found.push(Found::error(
            "/config/max_parallel",
            "out_of_range",
            format!("{number} is no whole number between 1 and 1000"),
        ));
    }
}

fn variables(found: &mut Vec<Found>, runbook: &Runbook) {
    for (name, source) in &runbook.environment_vars {
        let path = format!("/environment_vars/{}", escape(name));
        let plain = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || ROOTS.contains(&name.as_str()) {
            found.push(Found::error(
                &path,
                "variable_name",
                format!("{name:?} cannot name a variable"),
            ));
        }
        match template::parse(source) {
            Err(faults) => found.extend(faults.into_iter().map(|fault| Found::fault(&path, fault))),
            Ok(pieces) => {
                for piece in &pieces {
                    variable_piece(found, &path, name, piece);
                }
            }
        }
    }
}

fn variable_piece(found: &mut Vec<Found>, path: &str, name: &str, piece: &Piece) {
    let Piece::Placeholder { offset, inner, expression, .. } = piece else { return };
    let at = |code: &'static str, offset: usize, message: String| Found {
        offset: Some(offset),
        ..Found::error(path, code, message)
    };
    if super::steers_shell(name) {
        found.push(at(
            "placeholder_steers_shell",
            *offset,
            format!("{name} changes what the shell itself does"),
        ));
    }
    for reference in &expression.references {
        let here = inner + reference.offset;
        match reference.root() {
            "alert" | "server" => {
                if let Some(message) = super::steps::unknown_field(reference) {
                    found.push(at("unknown_variable", here, message));
                }
            }
            root => found.push(
                at("unknown_variable", here, format!("{root} is not available here"))
                    .hint("variables are made of alert and server only"),
            ),
        }
    }
}

fn activation(found: &mut Vec<Found>, runbook: &Runbook) {
    if !runbook.steps.iter().any(|step| step.stage == Stage::Verify) {
        let message = "no step verifies that the change worked (stage: verify)";
        if runbook.status == Status::Active {
            found.push(Found::error("/status", "no_verify_step", message));
        } else {
            found.push(Found::warning("/steps", "no_verify_step", message));
        }
    }
    if runbook.target_os == TargetOs::Windows {
        let message = "runbooks for Windows can be kept but not run yet";
        if runbook.status == Status::Active {
            found.push(Found::error("/target_os", "os_not_supported", message));
        } else {
            found.push(Found::warning("/target_os", "os_not_supported", message));
        }
    }
}
