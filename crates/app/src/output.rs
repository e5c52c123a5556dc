//! What people and scripts read: tables by default, JSON on request, notes on standard error.

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
#[expect(clippy::print_stderr, reason = "notes go to standard error, results to standard output")]
pub fn note(line: &str) {
    eprintln!("{line}");
}

/// A result.
#[expect(clippy::print_stdout, reason = "results go to standard output")]
pub fn result(text: &str) {
    println!("{text}");
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
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
