//! Strict JSON: what lenient readers let through silently is a fault with a path here.
//!
//! `serde_json` keeps the last of two equal keys, accepts U+0000 in strings (which PostgreSQL can
//! hold neither in `text` nor in `jsonb`) and turns 2^64 silently into a float. Two readers that
//! disagree about one body are how a check is passed by one value and the other is acted upon, so
//! every body that comes from outside goes through here.

mod reader;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use serde_json::Value;

/// Why a body, or a part of it, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// It is no JSON.
    Syntax,
    /// It holds bytes that are no UTF-8, or half of a surrogate pair.
    Encoding,
    /// It is longer, or holds more values, than is read.
    TooLarge,
    /// Its values are nested deeper than is read.
    TooDeep,
    /// An object names one key twice.
    DuplicateKey,
    /// A string holds U+0000.
    Nul,
    /// A number no 64-bit integer or float holds.
    Number,
    /// It is JSON, but not of the expected form.
    Shape,
}

impl Code {
    /// The stable word for it, as problems show it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Encoding => "encoding",
            Self::TooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::DuplicateKey => "duplicate_key",
            Self::Nul => "nul",
            Self::Number => "number_out_of_range",
            Self::Shape => "shape",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A fault of a body, with the place it is at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", if path.is_empty() { "body" } else { path.as_str() })]
pub struct BadInput {
    /// A JSON pointer (RFC 6901); empty for the whole body. Control characters in keys are shown
    /// as `\uXXXX`, long keys are cut, so that it can be stored and shown.
    pub path: String,
    /// What kind of fault.
    pub code: Code,
    /// What is wrong, in words.
    pub message: String,
}

impl BadInput {
    /// A fault at `path`.
    #[must_use]
    pub fn new(path: impl Into<String>, code: Code, message: impl Into<String>) -> Self {
        Self { path: path.into(), code, message: message.into() }
    }

    /// A body that is JSON but not of the expected form.
    #[must_use]
    pub fn shape(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(path, Code::Shape, message)
    }
}

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the body.
    pub bytes: usize,
    /// Arrays and objects inside one another.
    pub depth: usize,
    /// Values in all: an empty array of two bytes takes sixteen times as much memory.
    pub values: usize,
}

impl Limits {
    /// What an ordinary request may be: 1 MiB, 64 levels, 100,000 values.
    pub const REQUEST: Self = Self { bytes: 1 << 20, depth: 64, values: 100_000 };
}

/// A body whose form is sound, with the faults of single values in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The value. Where a fault is, there is `null`, the text with U+FFFD, or the first of two.
    pub value: Value,
    /// Repeated keys, U+0000 and numbers out of range, in the order they were met.
    pub faults: Vec<BadInput>,
    /// The bytes of each element of the array that was asked for.
    pub items: Vec<Range<usize>>,
}

/// Reads a body that must be without any fault.
///
/// # Errors
/// The first fault, with its path.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Value, BadInput> {
    let document = read_reporting(bytes, limits, None)?;
    document.faults.into_iter().next().map_or(Ok(document.value), Err)
}

/// Reads a body and reports the faults that leave its form intact.
///
/// The caller can set the affected part aside and keep the rest. `items` is the JSON pointer of the array whose elements'
/// places are wanted.
///
/// # Errors
/// When the form itself is broken: no JSON, wrong encoding, too large or too deep.
pub fn read_reporting(
    bytes: &[u8],
    limits: &Limits,
    items: Option<&str>,
) -> Result<Document, BadInput> {
    reader::Reader::new(bytes, limits, items).document()
}
