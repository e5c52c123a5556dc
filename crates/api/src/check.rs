//! What the types of a body alone let pass: lengths, characters, numbers of entries.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::Value;

use crate::problem::{Answer, Problem};

/// The most tags one thing may have.
const MAX_TAGS: usize = 100;

/// Refuses a text whose number of characters is out of range.
///
/// # Errors
/// 400 with `path`.
pub fn sized(path: &str, text: &str, range: RangeInclusive<usize>) -> Answer<()> {
    if range.contains(&text.chars().count()) {
        return Ok(());
    }
    let message = format!("must have {} to {} characters", range.start(), range.end());
    Err(Problem::invalid(path, "length", message))
}

/// Refuses a text that is empty, too long, or has characters outside `extra`, letters and digits:
/// host names, paths and login names end up in places where others would mean something.
///
/// # Errors
/// 400 with `path`.
pub fn plain(path: &str, text: &str, longest: usize, extra: &str) -> Answer<()> {
    sized(path, text, 1..=longest)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
    if text.starts_with('-') || !text.chars().all(fits) {
        let message = format!("may have letters, digits and {extra}, and no dash in front");
        return Err(Problem::invalid(path, "characters", message));
    }
    Ok(())
}

/// Refuses too many, empty or too long texts.
///
/// # Errors
/// 400 with the path of the one at fault.
pub fn texts(path: &str, texts: &[String], longest: usize) -> Answer<()> {
    if texts.len() > MAX_TAGS {
        let message = format!("may have at most {MAX_TAGS} entries");
        return Err(Problem::invalid(path, "length", message));
    }
    for (at, text) in texts.iter().enumerate() {
        sized(&format!("{path}/{at}"), text, 1..=longest)?;
    }
    Ok(())
}

/// Refuses too many or too long tags.
///
/// # Errors
/// 400 with `path`.
pub fn tags(path: &str, tags: &BTreeMap<String, String>) -> Answer<()> {
    if tags.len() > MAX_TAGS {
        let message = format!("may have at most {MAX_TAGS} entries");
        return Err(Problem::invalid(path, "length", message));
    }
    for (name, value) in tags {
        sized(path, name, 1..=100)?;
        sized(path, value, 0..=1000)?;
    }
    Ok(())
}

/// Refuses JSON that is no object, or a very large one.
///
/// # Errors
/// 400 with `path`.
pub fn object(path: &str, value: &Value) -> Answer<()> {
    if !value.is_object() {
        return Err(Problem::invalid(path, "shape", "must be an object"));
    }
    document(path, value)
}

/// The largest document one field may hold, in bytes.
const LARGEST_DOCUMENT: usize = 256 * 1024;

/// Refuses a very large document.
///
/// # Errors
/// 400 with `path`.
pub fn document(path: &str, value: &Value) -> Answer<()> {
    let size = value.to_string().len();
    if size <= LARGEST_DOCUMENT {
        return Ok(());
    }
    let message = format!("has {size} bytes of JSON, at most {LARGEST_DOCUMENT} are kept");
    Err(Problem::invalid(path, "length", message))
}

/// Refuses a number outside 0 to 1: probabilities, scores, shares.
///
/// # Errors
/// 400 with `path`.
pub fn share(path: &str, value: Option<f64>) -> Answer<()> {
    if value.is_none_or(|value| (0.0..=1.0).contains(&value)) {
        return Ok(());
    }
    Err(Problem::invalid(path, "out_of_range", "must be from 0 to 1"))
}

/// The most digits of an amount, before and after the point.
const DIGITS: (usize, usize) = (15, 6);

/// Refuses what is no exact decimal number: `12`, `-3.50`.
///
/// # Errors
/// 400 with `path`.
pub fn decimal(path: &str, text: &str) -> Answer<()> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if digits(whole, DIGITS.0) && digits(part, DIGITS.1) {
        return Ok(());
    }
    let message = "must be a decimal number in a string, such as \"12.50\"";
    Err(Problem::invalid(path, "shape", message))
}

#[cfg(test)]
mod tests;
