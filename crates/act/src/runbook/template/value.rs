//! Values on their way into a shell: what they must look like, and how they are quoted.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use crate::runbook::Param;

/// The compiled size of a user's regular expression, at most. Its engine takes time proportional to
/// this and to the text, whatever the pattern: there is no backtracking.
const REGEX_BYTES: usize = 1 << 20;

/// The longest pattern a user may write, in bytes.
const PATTERN_BYTES: usize = 500;

/// Names of groups by which a slot's pattern carries what its parameter allows.
const LEADING_DASH: &str = "leading_dash";
const MULTILINE: &str = "multiline";

/// The default pattern, compiled once: nearly every value is checked against it.
static STRICT: LazyLock<Option<(String, Regex)>> = LazyLock::new(|| {
    let pattern = Param::default().pattern;
    whole(&pattern).ok().map(|regex| (pattern, regex))
});

/// Why a value may not reach a shell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueFault {
    #[error("the value holds a NUL character")]
    Nul,
    #[error("the value holds a line break; declare multiline in params to allow it")]
    LineBreak,
    #[error("the value begins with '-' and would be read as an option")]
    LeadingDash,
    #[error("the value does not match {0}")]
    Pattern(String),
    #[error("the pattern {0} is no regular expression")]
    BadPattern(String),
}

impl ValueFault {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Nul => "value_nul",
            Self::LineBreak => "value_line_break",
            Self::LeadingDash => "value_leading_dash",
            Self::Pattern(_) => "value_pattern",
            Self::BadPattern(_) => "pattern",
        }
    }
}

/// A text as one word of any POSIX shell: within single quotes nothing is special but the quote
/// itself (Shell Command Language, 2.2.2).
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Checks a value against its parameter; only values from outside must match the pattern.
pub(crate) fn check(text: &str, tainted: bool, param: &Param) -> Result<(), ValueFault> {
    if text.contains('\0') {
        return Err(ValueFault::Nul);
    }
    if !param.multiline && text.contains(['\n', '\r']) {
        return Err(ValueFault::LineBreak);
    }
    if !tainted {
        return Ok(());
    }
    if !param.allow_leading_dash && text.starts_with('-') {
        return Err(ValueFault::LeadingDash);
    }
    let bad = || ValueFault::BadPattern(param.pattern.clone());
    let matches = match &*STRICT {
        Some((pattern, regex)) if *pattern == param.pattern => regex.is_match(text),
        _ => whole(&param.pattern).map_err(|_| bad())?.is_match(text),
    };
    if matches { Ok(()) } else { Err(ValueFault::Pattern(param.pattern.clone())) }
}

/// Refuses a pattern that is too long, before anything is made of it.
pub(crate) fn short(pattern: &str) -> Result<(), String> {
    if pattern.len() <= PATTERN_BYTES {
        return Ok(());
    }
    Err(format!("the pattern has {} bytes; at most {PATTERN_BYTES} are taken", pattern.len()))
}

/// A regular expression as a user wrote it; what is wrong with it, in words.
pub(crate) fn pattern(text: &str) -> Result<Regex, String> {
    short(text)?;
    whole(text).map_err(|error| {
        let shown = error.to_string();
        let last = shown.lines().last().unwrap_or_default();
        format!("no regular expression: {}", last.trim_start_matches("error: "))
    })
}

/// A regular expression that must match all of a text.
pub(crate) fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    // Compiled alone first: a pattern must not be able to close the group around it.
    RegexBuilder::new(pattern).size_limit(REGEX_BYTES).build()?;
    RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).size_limit(REGEX_BYTES).build()
}

/// The pattern of a slot. A slot has no other field for it, so what its parameter allows beside
/// the pattern is said by named groups around it, inside the bytes people approve.
pub(crate) fn slot_pattern(param: &Param) -> String {
    let mut pattern = param.pattern.clone();
    if param.allow_leading_dash {
        pattern = format!("(?<{LEADING_DASH}>{pattern})");
    }
    if param.multiline {
        pattern = format!("(?<{MULTILINE}>{pattern})");
    }
    pattern
}

/// The parameter a slot's pattern carries.
pub(crate) fn slot_param(pattern: &str) -> Result<Param, ValueFault> {
    let regex = whole(pattern).map_err(|_| ValueFault::BadPattern(pattern.to_owned()))?;
    let names: Vec<&str> = regex.capture_names().flatten().collect();
    Ok(Param {
        pattern: pattern.to_owned(),
        allow_leading_dash: names.contains(&LEADING_DASH),
        multiline: names.contains(&MULTILINE),
    })
}
