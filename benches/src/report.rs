//! The report: goals first, then each part with its tables.

use std::fmt::Write as _;

use crate::machine::{Facts, Load, load};
use crate::setting::Setting;

/// Why goals are not met: for a person to write anew when the figures change.
const GAPS: &str = include_str!("gaps.md");

/// A goal and what was measured.
#[derive(Debug)]
struct Goal {
    part: &'static str,
    goal: String,
    measured: String,
    met: bool,
}

/// What was measured so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    goals: Vec<Goal>,
    body: String,
}

impl Report {
    /// A goal, with the number it is held against.
    pub(crate) fn goal(&mut self, part: &'static str, goal: &str, measured: String, met: bool) {
        self.goals.push(Goal { part, goal: goal.to_owned(), measured, met });
    }

    /// A heading with what was done.
    pub(crate) fn heading(&mut self, title: &str, how: &str) {
        self.line(&format!("\n## {title}\n\n{how}\n"));
    }

    /// A table.
    pub(crate) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.line(&format!("| {} |", head.join(" | ")));
        self.line(&format!("|{}", "---|".repeat(head.len())));
        for row in rows {
            self.line(&format!("| {} |", row.join(" | ")));
        }
        self.line("");
    }

    /// A paragraph.
    pub(crate) fn text_line(&mut self, text: &str) {
        self.line(&format!("{text}\n"));
    }

    /// A part that could not be measured.
    pub(crate) fn failed(&mut self, part: &str, why: &str) {
        self.line(&format!("\n## {part}: not measured\n\n{why}\n"));
    }

    fn line(&mut self, text: &str) {
        self.body.push_str(text);
        self.body.push('\n');
    }

    /// The whole report.
    pub(crate) fn text(&self, setting: &Setting, facts: &Facts, before: &Load) -> String {
        let mut out = String::from("# Measurements\n\n");
        out.push_str(
            "Written by `make bench`; every number is from one run of it, comparisons included.\n",
        );
        if setting.quick {
            out.push_str("\n**A smoke run: too short for any conclusion.**\n");
        }
        out.push_str("\n| goal | measured | |\n|---|---|---|\n");
        for Goal { part, goal, measured, met } in &self.goals {
            let word = if *met { "met" } else { "**not met**" };
            // Writing to a string does not fail.
            let _written = writeln!(out, "| {part}: {goal} | {measured} | {word} |");
        }
        if self.goals.iter().any(|goal| !goal.met) {
            out.push('\n');
            out.push_str(GAPS);
        }
        out.push_str("\n## Machine\n\n");
        for (what, value) in facts {
            let _written = writeln!(out, "- {what}: {value}");
        }
        let after = load();
        let _written = writeln!(
            out,
            "- load averages (1, 5, 15 minutes): {before} before, {after} after; the measurements \
             themselves are part of the latter"
        );
        let _written = writeln!(
            out,
            "- every figure is the median of {} runs with (least–most), unless said otherwise; \
             the systems take turns within a round; load generator, peers, PostgreSQL and sshd \
             share the same cores",
            setting.runs()
        );
        out.push_str(&self.body);
        out
    }
}
