//! The demo's story as it is told: stages, commands, what came of them, each with its time.

use std::io::IsTerminal as _;
use std::time::Instant;

use crate::cli::view::clean;
use crate::output;

/// Where the text of a line begins, below the time.
const INDENT: &str = "          ";

/// Tells what happens, with the time since the beginning.
#[derive(Debug)]
pub(super) struct Timeline {
    began: Instant,
    colours: bool,
    stages: u32,
}

impl Timeline {
    /// A story that begins now.
    pub(super) fn begin() -> Self {
        Self { began: Instant::now(), colours: std::io::stdout().is_terminal(), stages: 0 }
    }

    /// The seconds so far.
    pub(super) fn elapsed_s(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    fn styled(&self, style: &str, text: &str) -> String {
        let text = clean(text);
        if self.colours { format!("\x1b[{style}m{text}\x1b[0m") } else { text }
    }

    fn timed(&self, text: &str) {
        output::result(&format!("[{:6.1} s] {text}", self.elapsed_s()));
    }

    /// A new stage.
    pub(super) fn stage(&mut self, title: &str) {
        self.stages += 1;
        let title = self.styled("1", &format!("{}. {title}", self.stages));
        output::result("");
        self.timed(&title);
    }

    /// What happened just now.
    pub(super) fn event(&self, text: &str) {
        self.timed(&format!("  {}", clean(text)));
    }

    /// What turned out as it must.
    pub(super) fn good(&self, text: &str) {
        self.timed(&format!("  {}", self.styled("32", text)));
    }

    /// What was refused or failed, as it must.
    pub(super) fn bad(&self, text: &str) {
        self.timed(&format!("  {}", self.styled("31", text)));
    }

    /// What was typed, or could be.
    pub(super) fn command(&self, text: &str) {
        for (at, line) in text.lines().enumerate() {
            let prompt = if at == 0 { "$" } else { " " };
            output::result(&format!(
                "{INDENT}    {}",
                self.styled("36", &format!("{prompt} {line}"))
            ));
        }
    }

    /// More about the line before.
    pub(super) fn detail(&self, text: &str) {
        for line in text.lines() {
            output::result(&format!("{INDENT}    {}", self.styled("2", line)));
        }
    }
}

/// A line outside the story.
pub(super) fn plain(text: &str) {
    output::result(&clean(text));
}
