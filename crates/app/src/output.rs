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
    result(&serde_json::to_string_pretty(value)?);
    Ok(())
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
