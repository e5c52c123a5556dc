//! The API's JSON as people read it: cells, tables, facts.
//!
//! Names, labels and output come from outside. Whatever could steer a terminal is shown, not sent.

use api::suspicious::escaped;
use serde_json::Value;

use crate::output;

/// What stands in a cell that has nothing to say.
const NOTHING: &str = "-";

/// A text without anything a terminal would act on, and in which nothing is hidden: characters that
/// are not what they seem are written as their numbers. Line breaks and tabs stay.
#[must_use]
pub fn clean(text: &str) -> String {
    escaped(text)
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

/// What of a plan or a request for approval is not what it seems, for whoever approves; empty when
/// nothing is.
#[must_use]
pub fn warning(value: &Value) -> String {
    let suspicious = items(&value["suspicious"]);
    if suspicious.is_empty() {
        return String::new();
    }
    let lines = suspicious.iter().map(|one| {
        let why = words(&one["tricks"]).replace('_', " ");
        let (path, what) = (line(raw(one, "/path")), words(&one["code_points"]));
        format!("\n  {path}: {what} ({why})\n    {}", line(raw(one, "/shown")))
    });
    let count = suspicious.len();
    format!("LOOK CLOSELY: {count} text(s) not what they seem{}", lines.collect::<String>())
}

/// A text with every line moved to the right.
#[must_use]
pub fn indent(text: &str, by: &str) -> String {
    text.lines().map(|line| format!("{by}{line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
