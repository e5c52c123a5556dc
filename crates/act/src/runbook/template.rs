//! Command templates: text with placeholders, rendered into a script of quoted words.
//!
//! A template is literal text and `{{ expression }}`, nothing else: no statements, no whitespace
//! control, no includes. Each placeholder becomes exactly one single-quoted word; its value is
//! never read as a template again. What is known only while a plan runs stays a typed slot.

use model::plan::{Script, Segment, Slot};

use super::Param;
use super::context::{self, Context};
use super::expression::{self, Expression, FILTERS, Reference};
use super::problem::Fault;

mod engine;
mod fill;
pub(crate) mod value;

pub(crate) use engine::Engine;
pub use fill::{FillError, LateValues, StepOutput, fill};

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Literal text.
    Text { offset: usize, text: String },
    /// A placeholder.
    Placeholder {
        /// Where its `{{` is.
        offset: usize,
        /// What stands between the braces.
        source: String,
        /// Where that begins.
        inner: usize,
        expression: Expression,
    },
}

/// Roots whose values are known only while a plan runs (decision 3).
pub(crate) const LATE: &[&str] = &["steps", "execution"];

/// Splits a template into its parts.
pub(crate) fn parse(text: &str) -> Result<Vec<Piece>, Vec<Fault>> {
    let mut pieces = Vec::new();
    let mut faults = Vec::new();
    let mut literal = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("{{") {
            push_text(&mut pieces, text, literal, at);
            match placeholder(text, at) {
                Ok((piece, end)) => {
                    pieces.push(piece);
                    at = end;
                }
                Err(fault) => {
                    faults.push(fault);
                    at += rest.find("}}").map_or(rest.len(), |end| end + 2);
                }
            }
            literal = at;
        } else {
            if rest.starts_with("{%") {
                faults.push(statement(at, rest));
            } else if rest.starts_with("{#") && !text.get(..at).is_some_and(|t| t.ends_with('$')) {
                faults.push(
                    Fault::new(at, "template_comment", "template comments are not supported")
                        .hint("write a YAML comment or a shell comment"),
                );
            }
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    push_text(&mut pieces, text, literal, text.len());
    if faults.is_empty() { Ok(pieces) } else { Err(faults) }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str, from: usize, to: usize) {
    if let Some(text) = text.get(from..to).filter(|text| !text.is_empty()) {
        pieces.push(Piece::Text { offset: from, text: text.to_owned() });
    }
}

/// Reads the placeholder at `at`; gives the piece and where it ends.
fn placeholder(text: &str, at: usize) -> Result<(Piece, usize), Fault> {
    let inner = at + 2;
    let rest = text.get(inner..).unwrap_or_default();
    let mut quote = None;
    let mut escaped = false;
    let end = rest.char_indices().find_map(|(index, character)| {
        if escaped {
            escaped = false;
        } else if let Some(open) = quote {
            escaped = character == '\\';
            if character == open {
                quote = None;
            }
        } else if character == '"' || character == '\'' {
            quote = Some(character);
        } else if rest.get(index..).is_some_and(|rest| rest.starts_with("}}")) {
            return Some(index);
        }
        None
    });
    let Some(source) = end.and_then(|end| rest.get(..end)) else {
        return Err(Fault::new(at, "placeholder_open", "a placeholder has no closing }}"));
    };
    if source.starts_with(['-', '+']) || source.ends_with(['-', '+']) {
        return Err(Fault::new(at, "whitespace_control", "{{- and -}} are not supported")
            .hint("write {{ and }}"));
    }
    let expression = expression::read(source).map_err(|fault| {
        let go_template = source.trim_start().starts_with('.');
        let fault = Fault { offset: inner + fault.offset, ..fault };
        if go_template {
            fault.hint("to write braces for another program: {{ \"{{.Name}}\" }}")
        } else {
            fault
        }
    })?;
    for (offset, filter) in &expression.filters {
        if !FILTERS.contains(&filter.as_str()) {
            return Err(Fault::new(
                inner + offset,
                "filter",
                format!("the filter {filter} is not available"),
            )
            .hint("safe and raw filters are refused: every value is quoted"));
        }
    }
    let piece = Piece::Placeholder { offset: at, source: source.to_owned(), inner, expression };
    Ok((piece, inner + source.len() + 2))
}

fn statement(at: usize, rest: &str) -> Fault {
    let word: String = rest
        .chars()
        .skip(2)
        .skip_while(|character| character.is_whitespace() || *character == '-')
        .take_while(|character| character.is_alphanumeric())
        .collect();
    match word.as_str() {
        "include" | "extends" | "import" | "from" | "macro" | "block" | "call" => Fault::new(
            at,
            "template_include",
            format!("{{% {word} %}} is refused: a runbook holds all it does"),
        ),
        _ => Fault::new(at, "template_statement", format!("{{% {word} %}} is not supported"))
            .hint("use the step's condition, or {{ a if b else c }}"),
    }
}

/// Why a template could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RenderError {
    /// The byte offset in the template.
    pub offset: usize,
    /// A stable word for it.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

impl RenderError {
    fn new(offset: usize, code: &'static str, message: impl Into<String>) -> Self {
        Self { offset, code, message: message.into() }
    }
}

/// Renders a command: fixed values as quoted words, late ones as slots.
pub(crate) fn script(
    pieces: &[Piece],
    context: &Context,
    steps: &[&str],
    param: impl Fn(&str) -> Param,
) -> Result<Script, RenderError> {
    let mut segments: Vec<Segment> = Vec::new();
    let engine = Engine::new();
    for piece in pieces {
        let text = match piece {
            Piece::Text { text, .. } => text.clone(),
            Piece::Placeholder { offset, source, expression, .. } => {
                let param = placeholder_param(expression, steps, &param);
                if late(expression) {
                    let slot = slot(*offset, expression, steps, &param)?;
                    segments.push(Segment::Slot(slot));
                    continue;
                }
                let text = evaluate(&engine, *offset, source, expression, context)?;
                let tainted = context.tainted(expression);
                value::check(&text, tainted, &param).map_err(|fault| {
                    RenderError::new(*offset, fault.code(), format!("{{{{{source}}}}}: {fault}"))
                })?;
                engine.word(&text).map_err(|error| {
                    RenderError::new(*offset, "render", expression::detail(&error))
                })?
            }
        };
        match segments.last_mut() {
            Some(Segment::Text(before)) => before.push_str(&text),
            _ => segments.push(Segment::Text(text)),
        }
    }
    Ok(Script(segments))
}

/// Renders the value of a variable: plain text, nothing quoted, nothing late.
pub(crate) fn plain(pieces: &[Piece], context: &Context) -> Result<String, RenderError> {
    let engine = Engine::new();
    pieces.iter().try_fold(String::new(), |mut plain, piece| {
        match piece {
            Piece::Text { text, .. } => plain.push_str(text),
            Piece::Placeholder { offset, source, expression, .. } => {
                plain.push_str(&evaluate(&engine, *offset, source, expression, context)?);
            }
        }
        Ok(plain)
    })
}

fn evaluate(
    engine: &Engine,
    offset: usize,
    source: &str,
    expression: &Expression,
    context: &Context,
) -> Result<String, RenderError> {
    engine.text(source, &context.values()).map_err(|error| {
        let names: Vec<String> = expression.references.iter().map(Reference::path).collect();
        RenderError::new(offset, error.code(), format!("{}: {error}", names.join(", ")))
    })
}

/// Whether an expression reads something known only while the plan runs.
pub(crate) fn late(expression: &Expression) -> bool {
    expression.references.iter().any(|reference| LATE.contains(&reference.root()))
}

/// The schema of a placeholder: that of its variable, or the strict default when it reads several.
fn placeholder_param(
    expression: &Expression,
    steps: &[&str],
    param: &impl Fn(&str) -> Param,
) -> Param {
    let mut params = expression.references.iter().map(|reference| {
        let written = param(&reference.path());
        if written != Param::default() || reference.root() != "steps" {
            return written;
        }
        slot_name(&reference.parts, steps).map_or(written, |name| param(&name))
    });
    match (params.next(), params.next()) {
        (Some(only), None) => only,
        _ => Param::default(),
    }
}

/// The slot's name with the step as the runbook names it.
fn slot_name(parts: &[String], steps: &[&str]) -> Option<String> {
    match parts {
        [root, name, field] if root == "steps" => {
            let step = context::step_named(steps, name)?;
            context::STEP_FIELDS.contains(&field.as_str()).then(|| format!("steps.{step}.{field}"))
        }
        [root, field] if root == "execution" => context::EXECUTION_FIELDS
            .contains(&field.as_str())
            .then(|| format!("execution.{field}")),
        _ => None,
    }
}

fn slot(
    offset: usize,
    expression: &Expression,
    steps: &[&str],
    param: &Param,
) -> Result<Slot, RenderError> {
    let parts = match expression.references.as_slice() {
        [reference] if expression.bare => &reference.parts,
        _ => {
            return Err(RenderError::new(
                offset,
                "late_expression",
                "a value known only while the plan runs can stand for itself only",
            ));
        }
    };
    let Some(name) = slot_name(parts, steps) else {
        return Err(RenderError::new(
            offset,
            "unknown_variable",
            format!("{} is unknown", parts.join(".")),
        ));
    };
    let (pattern, tainted) = match parts.last().map(String::as_str) {
        Some("exit_code") => ("^-?[0-9]{1,10}$".to_owned(), false),
        Some("success") => ("^(true|false)$".to_owned(), false),
        Some("stdout" | "stderr") => (value::slot_pattern(param), true),
        _ => (value::slot_pattern(&Param::default()), false),
    };
    Ok(Slot { name, pattern, tainted })
}

#[cfg(test)]
mod tests;
