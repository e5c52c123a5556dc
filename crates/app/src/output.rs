//! What people and scripts read: tables by default, JSON on request, notes on standard error.

use std::io::Write as _;

use clap::ValueEnum;
use serde::Serialize;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Format {
    /// Tables and sentences
    #[default]
    Human,
    /// One JSON document
    Json,
}

/// A line for people, beside the result.
pub fn note(line: &str) {
    // Nobody listens any more: nothing is lost.
    let _written = writeln!(std::io::stderr().lock(), "{line}");
}

/// A result.
pub fn result(text: &str) {
    // `… | head` closes the pipe when it has seen enough.
    let _written = writeln!(std::io::stdout().lock(), "{text}");
}

/// A result as JSON.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    result(&inert(&serde_json::to_string_pretty(value)?));
    Ok(())
}

/// The same JSON with nothing in it that a terminal acts on: what a host printed may be a text with
/// control characters (which JSON allows above U+007F) or ones that turn others around.
#[must_use]
pub fn inert(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '\u{7f}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}' => text.push_str(&format!("\\u{:04x}", u32::from(letter))),
            plain => text.push(plain),
        }
    }
    text
}

/// A table of rows under headings.
#[must_use]
pub fn table(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn p9_json_says_the_same_without_what_a_terminal_acts_on() {
        let value = json!({"\u{9b}2J": "\u{1b}]0;x\u{7} \u{7f}\u{202e}gpj.exe \\u ünïcode"});
        let shown = inert(&value.to_string());
        assert!(
            !shown.chars().any(|letter| letter.is_control() || letter == '\u{202e}'),
            "{shown}"
        );
        assert!(shown.contains("\\u009b2J") && shown.contains("ünïcode"), "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}
