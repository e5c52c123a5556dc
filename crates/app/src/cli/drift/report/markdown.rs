//! Markdown, for a comment on a pull request.

use std::fmt::Write as _;

use super::{Report, value};
use crate::cli::view;

/// The most resources that are told: code hosts cut longer comments.
const MOST_TOLD: usize = 100;

impl Report {
    /// A heading with the sum, and a section each resource that drifted.
    pub(in crate::cli::drift) fn markdown(&self) -> String {
        let mut text = format!("### Drift: {}\n", self.sentence());
        let all = self.worst_first();
        // Writing to a text cannot fail.
        for (drift, judged) in all.iter().take(MOST_TOLD) {
            let _written = write!(
                text,
                "\n**{}** · {} · {}\n",
                judged.severity,
                drift.drift,
                code(&drift.address)
            );
            if let Some(because) = judged.reasons.first() {
                let _written = writeln!(text, "\n{}", plain(&because.why));
            }
            if !drift.changes.is_empty() {
                text.push_str("\n| property | declared | there |\n|---|---|---|\n");
            }
            for change in &drift.changes {
                let _written = writeln!(
                    text,
                    "| {}{} | {} | {} |",
                    code(&change.path),
                    if judged.critical.contains(&change.path) { " ⚠" } else { "" },
                    code(&value(change.declared.as_ref())),
                    code(&value(change.actual.as_ref())),
                );
            }
        }
        if all.len() > MOST_TOLD {
            let _written = writeln!(text, "\n…and {} more.", all.len() - MOST_TOLD);
        }
        for not in &self.comparison.not_checked {
            let what = not.id.as_deref().unwrap_or(&not.kind);
            let _written = writeln!(text, "\nNot checked: {}: {}", code(what), plain(&not.why));
        }
        text.trim_end().to_owned()
    }
}

/// A text of somebody else's as code, which Markdown reads nothing into.
fn code(text: &str) -> String {
    let text = view::line(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", text.replace('|', "\\|"))
}

/// A text of ours.
fn plain(text: &str) -> String {
    view::line(text).replace('|', "\\|").replace('<', "&lt;")
}
