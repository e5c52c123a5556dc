//! Progress at a terminal: a line for each step that runs, what happened above them.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::progress::Seen;
use crate::output;

/// How often a line moves.
const TICK: Duration = Duration::from_millis(120);

/// A terminal view of an execution.
#[derive(Debug)]
pub struct Live {
    lines: MultiProgress,
    state: ProgressBar,
    running: BTreeMap<String, ProgressBar>,
}

impl Default for Live {
    fn default() -> Self {
        let lines = MultiProgress::new();
        let state = lines.add(spinner());
        Self { lines, state, running: BTreeMap::new() }
    }
}

impl Live {
    /// Shows what was seen.
    pub fn show(&mut self, seen: &Seen) {
        match seen {
            Seen::State { line, .. } => {
                self.state.set_message(line.clone());
                self.above(&format!("● {line}"));
            }
            Seen::Began { id, label, .. } => {
                let bar = self.lines.add(spinner());
                bar.set_message(label.clone());
                if let Some(before) = self.running.insert(id.clone(), bar) {
                    before.finish_and_clear();
                }
            }
            Seen::Ended { id, well, line } => {
                if let Some(bar) = self.running.remove(id) {
                    bar.finish_and_clear();
                }
                self.above(&format!("{} {line}", if *well { "✔" } else { "✘" }));
            }
            Seen::Note(line) => self.above(&format!("  {line}")),
            Seen::Printed(text) => self.above(text),
        }
    }

    /// A line above those that move.
    pub fn above(&self, text: &str) {
        // A terminal that is gone cannot be told so.
        let _shown = self.lines.println(text);
    }

    /// Takes the moving lines away.
    pub fn finish(&mut self) {
        for (_, bar) in std::mem::take(&mut self.running) {
            bar.finish_and_clear();
        }
        self.state.finish_and_clear();
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

/// A view of plain lines, for logs and pipes.
pub fn plain(at: &str, seen: &Seen) {
    let line = match seen {
        Seen::State { line, .. } => format!("{at}  state  {line}"),
        Seen::Began { line, .. } | Seen::Ended { line, .. } | Seen::Note(line) => {
            format!("{at}  step   {line}")
        }
        Seen::Printed(text) => {
            text.lines().map(|line| format!("{at}  out    {line}")).collect::<Vec<_>>().join("\n")
        }
    };
    output::result(&line);
}
