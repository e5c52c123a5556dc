//! What is wrong with a runbook document, and where.

use serde::Serialize;

/// Whether a problem stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The document is refused.
    Error,
    /// The document is kept; somebody should look.
    Warning,
}

/// A problem of a runbook document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Error or warning.
    pub weight: Weight,
    /// Where in the document, as a JSON pointer.
    pub path: String,
    /// The line, from 1; 0 when the document has no text.
    pub line: u32,
    /// The column, from 1, counted in characters; 0 when the document has no text.
    pub column: u32,
    /// A stable word for it.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Problem {
    /// Whether it stands in the way.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.weight == Weight::Error
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {} [{}]", self.line, self.column, self.message, self.code)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// A fault at a byte offset of one text of the document: a command, a pattern, a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) offset: usize,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<&'static str>,
}

impl Fault {
    pub(crate) fn new(offset: usize, code: &'static str, message: impl Into<String>) -> Self {
        Self { offset, code, message: message.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}
