//! What the events of an execution mean to somebody who watches.

use std::collections::BTreeMap;

use model::execution::{ExecutionState, StepState};
use serde_json::Value;

use crate::cli::{End, view};

/// Something to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The execution moved on.
    State {
        /// Where to, when it is a state of ours.
        to: Option<ExecutionState>,
        /// In words.
        line: String,
    },
    /// A step began on a target, or its undo did.
    Began {
        /// The step run.
        id: String,
        /// `Restart on web-1`.
        label: String,
        /// In words.
        line: String,
    },
    /// A step ended on a target, or will be tried again.
    Ended {
        /// The step run.
        id: String,
        /// Whether it went well.
        well: bool,
        /// In words.
        line: String,
    },
    /// Something else about a step.
    Note(String),
    /// What a step printed.
    Printed(String),
}

/// Names the step runs it has heard of.
#[derive(Debug, Default)]
pub struct Progress {
    labels: BTreeMap<String, String>,
}

impl Progress {
    /// What an event, as the API gives it, means.
    pub fn take(&mut self, event: &Value) -> Seen {
        let message = view::clean(view::raw(event, "/data/message"));
        let details = &event["data"]["details"];
        let id = view::raw(event, "/data/step_run_id").to_owned();
        match view::raw(event, "/event") {
            "output" => self.printed(&id, view::raw(details, "/stream"), &message),
            "step" => self.step(id, view::raw(details, "/state"), message),
            "state" | "execution.ended" => {
                let word = ["/to", "/state"].map(|pointer| view::raw(details, pointer));
                let word = word.into_iter().find(|word| !word.is_empty());
                let word = word.unwrap_or_else(|| view::raw(event, "/data/state"));
                let line = if message.is_empty() { word.replace('_', " ") } else { message };
                Seen::State { to: word.parse().ok(), line }
            }
            _ => Seen::Note(message),
        }
    }

    fn printed(&self, id: &str, stream: &str, text: &str) -> Seen {
        let label = self.labels.get(id).map_or("", String::as_str);
        let mark = if stream == "stderr" { "!" } else { "|" };
        let lines =
            text.trim_end_matches('\n').split('\n').map(|line| format!("{label} {mark} {line}"));
        Seen::Printed(lines.collect::<Vec<_>>().join("\n"))
    }

    fn step(&mut self, id: String, state: &str, line: String) -> Seen {
        let Ok(state) = state.parse::<StepState>() else { return Seen::Note(line) };
        match state {
            StepState::Running => {
                let label =
                    ["undo started", "started"].iter().find_map(|what| line.strip_suffix(what));
                let label = label.unwrap_or(&line).trim_end_matches([':', ' ']).to_owned();
                self.labels.insert(id.clone(), label.clone());
                Seen::Began { id, label, line }
            }
            StepState::Succeeded | StepState::Skipped | StepState::Undone => {
                Seen::Ended { id, well: true, line }
            }
            StepState::Pending
            | StepState::Failed
            | StepState::TimedOut
            | StepState::Cancelled
            | StepState::Unknown
            | StepState::UndoFailed => Seen::Ended { id, well: false, line },
        }
    }
}

/// How a command ends that waited for an execution.
#[must_use]
pub fn end_of(state: ExecutionState) -> End {
    match state {
        ExecutionState::Completed => End::Good,
        ExecutionState::NeedsHuman => End::CannotTell,
        ExecutionState::Queued
        | ExecutionState::Preflight
        | ExecutionState::AwaitingApproval
        | ExecutionState::Approved
        | ExecutionState::InProgress
        | ExecutionState::Verifying
        | ExecutionState::Blocked
        | ExecutionState::Denied
        | ExecutionState::Expired
        | ExecutionState::Cancelled
        | ExecutionState::Failed
        | ExecutionState::TimedOut
        | ExecutionState::RollingBack
        | ExecutionState::RolledBack
        | ExecutionState::PartiallyRolledBack
        | ExecutionState::RollbackFailed => End::Failed,
    }
}

#[cfg(test)]
mod tests;
