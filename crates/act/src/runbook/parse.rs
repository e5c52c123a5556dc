//! Reads a runbook from YAML, strictly: unknown keys, duplicate keys, loose booleans, merge keys,
//! unknown tags, alias bombs and oversized texts are refused with their place.

use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};

use super::Runbook;
use super::position::{Place, Positions};
use super::problem::{Problem, Weight};

/// The longest text taken, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// Reads a runbook.
///
/// # Errors
/// When the text is too long, is no YAML, or is no runbook. What the runbook says is judged by
/// [`super::lint`].
pub fn from_yaml(text: &str) -> Result<Runbook, Vec<Problem>> {
    if text.len() > MAX_BYTES {
        return Err(vec![Problem {
            weight: Weight::Error,
            path: String::new(),
            line: 1,
            column: 1,
            code: "too_large",
            message: format!("the text has {} bytes; at most {MAX_BYTES} are taken", text.len()),
            hint: None,
        }]);
    }
    serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| vec![problem(text, &error)])
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 1,
            max_depth: 24,
            max_nodes: 20_000,
            max_events: 60_000,
            max_aliases: 200,
            max_anchors: 100,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 8,
        },
        strict_booleans: true,
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn problem(text: &str, error: &serde_saphyr::Error) -> Problem {
    let positions = Positions::of(text);
    let place = error.location().map_or(Place { line: 1, column: 1 }, |location| Place {
        line: u32::try_from(location.line()).unwrap_or(u32::MAX).max(1),
        column: u32::try_from(location.column()).unwrap_or(u32::MAX).max(1),
    });
    let shown = error.to_string();
    // The place is told apart from the words.
    let message = shown.lines().next().unwrap_or("this cannot be read");
    let message = message.split(" at line ").next().unwrap_or(message).to_owned();
    Problem {
        weight: Weight::Error,
        path: positions.path_at(place),
        line: place.line,
        column: place.column,
        code: code(error),
        message,
        hint: None,
    }
}

fn code(error: &serde_saphyr::Error) -> &'static str {
    use serde_saphyr::Error;
    match error {
        Error::AliasError { error, .. } | Error::WithSnippet { error, .. } => code(error),
        Error::DuplicateMappingKey { .. } => "duplicate_key",
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. } => "too_large",
        Error::InvalidBooleanStrict { .. } => "not_a_boolean",
        Error::MergeKeyNotAllowed { .. } => "merge_key",
        Error::UnsupportedTag { .. } => "tag",
        Error::SerdeUnknownField { .. } => "unknown_key",
        Error::SerdeMissingField { .. } => "missing_key",
        _ => "not_a_runbook",
    }
}

#[cfg(test)]
pub(crate) mod tests;
