//! The XML of test reports, which every CI system shows as tests.

use std::fmt::Write as _;

use super::{Report, line};
use crate::cli::view;

impl Report {
    /// A suite with a failed case each resource that drifted, and one that passed for the rest.
    pub(in crate::cli::drift) fn junit(&self) -> String {
        let drifted = self.comparison.drifts.len();
        let skipped = self.comparison.not_checked.len();
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        // Writing to a text cannot fail.
        let _written = writeln!(
            text,
            "<testsuites><testsuite name=\"drift {}\" tests=\"{}\" failures=\"{drifted}\" \
             skipped=\"{skipped}\">",
            escaped(&self.source),
            drifted + skipped + 1,
        );
        let _written = writeln!(
            text,
            "<testcase classname=\"drift\" name=\"{} resources are as declared\"/>",
            self.comparison.in_sync
        );
        for (drift, judged) in self.worst_first() {
            let lines: Vec<_> = drift.changes.iter().map(line).collect();
            let _written = writeln!(
                text,
                "<testcase classname=\"{}\" name=\"{}\"><failure type=\"{}\" message=\"{} ({})\">{}\
                 </failure></testcase>",
                escaped(&drift.kind),
                escaped(&drift.address),
                drift.drift,
                drift.drift,
                judged.severity,
                escaped(&lines.join("\n")),
            );
        }
        for not in &self.comparison.not_checked {
            let _written = writeln!(
                text,
                "<testcase classname=\"{}\" name=\"{}\"><skipped message=\"{}\"/></testcase>",
                escaped(&not.kind),
                escaped(not.id.as_deref().unwrap_or("all")),
                escaped(&not.why),
            );
        }
        text.push_str("</testsuite></testsuites>");
        text
    }
}

/// A text as XML holds it; control characters, which XML 1.0 has none of, as question marks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in view::clean(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('?');
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}
