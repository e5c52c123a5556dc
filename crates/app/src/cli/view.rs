//! The API's JSON as people read it: cells, tables, facts.
//!
//! Names, labels and output come from outside. Whatever could steer a terminal is shown, not sent.

use serde_json::Value;

use crate::output;

/// What stands in a cell that has nothing to say.
const NOTHING: &str = "-";

/// A text without anything a terminal would act on; line breaks and tabs stay.
#[must_use]
pub fn clean(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            // Bidirectional overrides make a text look like another.
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    if !text.contains(steers) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut clean, c| {
        if steers(c) {
            clean.extend(c.escape_unicode());
        } else {
            clean.push(c);
        }
        clean
    })
}

/// [`clean`], on one line.
#[must_use]
pub fn line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}

/// A value in words; nothing is `-`.
#[must_use]
pub fn words(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => NOTHING.to_owned(),
        Value::String(text) => moment(text).unwrap_or_else(|| line(text)),
        Value::Array(items) if items.is_empty() => NOTHING.to_owned(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(fields) if fields.is_empty() => NOTHING.to_owned(),
        Value::Object(fields) => {
            let pairs =
                fields.iter().map(|(name, value)| format!("{}={}", line(name), words(value)));
            pairs.collect::<Vec<_>>().join(" ")
        }
    }
}

/// A point in time, to the second.
fn moment(text: &str) -> Option<String> {
    if text.len() < 20 || !text.ends_with('Z') {
        return None;
    }
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// The value at a JSON pointer, in words.
#[must_use]
pub fn at(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).map_or_else(|| NOTHING.to_owned(), words)
}

/// The text at a JSON pointer as it is; empty when there is none.
#[must_use]
pub fn raw<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a page, or of a list without pages.
#[must_use]
pub fn items(value: &Value) -> &[Value] {
    value.as_array().or_else(|| value["items"].as_array()).map_or(&[], Vec::as_slice)
}

/// A column: its heading, and where its cells are.
pub type Column = (&'static str, &'static str);

/// A table of items.
#[must_use]
pub fn table(items: &[Value], columns: &[Column]) -> String {
    let headings: Vec<&str> = columns.iter().map(|(heading, _)| *heading).collect();
    let rows =
        items.iter().map(|item| columns.iter().map(|(_, pointer)| at(item, pointer)).collect());
    output::table(&headings, rows.collect())
}

/// What is known of one thing, a line each; what is absent is left out.
#[must_use]
pub fn facts(value: &Value, facts: &[Column]) -> String {
    let known: Vec<(&str, String)> = facts
        .iter()
        .map(|(name, pointer)| (*name, at(value, pointer)))
        .filter(|(_, fact)| fact != NOTHING)
        .collect();
    let width = known.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines = known.iter().map(|(name, fact)| format!("{name:width$}  {fact}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// A text with every line moved to the right.
#[must_use]
pub fn indent(text: &str, by: &str) -> String {
    text.lines().map(|line| format!("{by}{line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
