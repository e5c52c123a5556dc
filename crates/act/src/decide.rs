//! The planner: what is to be done next, from what is known. No clock, no I/O, no chance.
//!
//! Steps run in order; one step is over on all targets before the next begins. A failure stops
//! the plan and undoes what acted, in the reverse order of ending, one at a time, the failing step
//! included. Cancelling is like a failure: what has acted is undone, and only an execution that
//! has not acted ends `cancelled`. A step whose end is not known stops everything for a person,
//! unless something else failed or a person cancelled: then it is undone with the rest.

use std::fmt::Debug;

use model::execution::{AttemptState, Direction, ExecutionState, StepState};
use model::id::{AttemptId, StepRunId};
use model::plan::{EvidenceKind, EvidenceRequirement, Plan, Script};
use model::time::Timestamp;
use serde_json::Value;

use crate::execution::Event;
use crate::runbook::condition;
use crate::runbook::template::{self, LateValues};
use crate::snapshot::{Because, Snapshot};

mod back;
mod forward;
#[cfg(test)]
pub(crate) mod tests;
mod values;

pub(crate) use values::late;

/// How conditions and late-bound slots are read. Pure: the same input, the same answer.
pub trait Terms: Send + Sync + Debug {
    /// Whether `condition` holds for a target's variables and what became known since.
    ///
    /// # Errors
    /// In words, when it cannot be evaluated.
    fn holds(&self, condition: &str, variables: &Value, late: &LateValues) -> Result<bool, String>;

    /// The complete script, every slot filled as one quoted word.
    ///
    /// # Errors
    /// In words, when a value is missing or does not match its slot's pattern.
    fn fill(&self, script: &Script, late: &LateValues) -> Result<String, String>;
}

/// The language of runbooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunbookTerms;

impl Terms for RunbookTerms {
    fn holds(&self, condition: &str, variables: &Value, late: &LateValues) -> Result<bool, String> {
        condition::holds(condition, variables, late).map_err(|error| error.to_string())
    }

    fn fill(&self, script: &Script, late: &LateValues) -> Result<String, String> {
        template::fill(script, late).map_err(|error| error.to_string())
    }
}

/// An attempt to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The step run.
    pub run: StepRunId,
    /// Forwards or back.
    pub direction: Direction,
    /// Its number among those of this run and direction.
    pub no: u32,
    /// The script, complete.
    pub script: String,
    /// How long it may take, in seconds; never longer than what is left of the plan's time.
    pub timeout_s: u32,
    /// A forward attempt of unknown end: it is fenced or killed before its undo starts.
    pub stop_first: Option<AttemptId>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Write one pending step run for each step and target.
    Prepare,
    /// Find out what became of an attempt that was left open.
    Resolve {
        /// Which.
        attempt: AttemptId,
        /// Whether its time is up, so that no answer means unknown.
        overdue: bool,
    },
    /// The step's condition is false on this target.
    Skip {
        /// Which.
        run: StepRunId,
    },
    /// It cannot even be started.
    Fail {
        /// Which.
        run: StepRunId,
        /// `failed`, or `undo_failed` when it is the undo that cannot start.
        state: StepState,
        /// Why.
        error: String,
    },
    /// Open an attempt.
    Open(Open),
    /// Store evidence.
    Collect {
        /// The step run that left it.
        run: StepRunId,
        /// What is required.
        requirement: EvidenceRequirement,
    },
    /// Move the execution.
    Advance {
        /// The event.
        event: Event,
        /// Why it stops going forwards, if it does.
        because: Option<Because>,
        /// What went wrong, for people.
        error: Option<String>,
        /// Step runs that will not run any more.
        stopped: Vec<(StepRunId, StepState)>,
    },
    /// Nothing to do before this, unless something in flight ends.
    Wait(Timestamp),
}

/// What to do next, given what is known at `now`. Nothing means: wait for what is in flight.
#[must_use]
pub fn decide(snapshot: &Snapshot, terms: &dyn Terms, now: Timestamp) -> Vec<Command> {
    let empty = snapshot.plan.steps.is_empty() || snapshot.plan.targets.is_empty();
    if snapshot.state.workable() && snapshot.runs.is_empty() && !empty {
        let mut commands = vec![Command::Prepare];
        if snapshot.state == ExecutionState::Approved {
            commands.push(advance(Event::Start));
        }
        return commands;
    }
    match snapshot.state {
        ExecutionState::Approved => vec![advance(Event::Start)],
        ExecutionState::InProgress | ExecutionState::Verifying => {
            forward::decide(snapshot, terms, now)
        }
        ExecutionState::RollingBack => back::decide(snapshot, terms, now),
        ExecutionState::Queued
        | ExecutionState::Preflight
        | ExecutionState::AwaitingApproval
        | ExecutionState::Completed
        | ExecutionState::Blocked
        | ExecutionState::Denied
        | ExecutionState::Expired
        | ExecutionState::Cancelled
        | ExecutionState::Failed
        | ExecutionState::TimedOut
        | ExecutionState::RolledBack
        | ExecutionState::PartiallyRolledBack
        | ExecutionState::RollbackFailed
        | ExecutionState::NeedsHuman => Vec::new(),
    }
}

/// The first evidence this version cannot collect, and the step that asks for it.
///
/// A plan that asks for such evidence can never be completed, so it is stopped before it acts.
#[must_use]
pub fn uncollectable(plan: &Plan) -> Option<(&str, EvidenceKind)> {
    plan.steps
        .iter()
        .flat_map(|step| step.evidence.iter().map(move |wanted| (step.name.as_str(), wanted.kind)))
        .find(|(_, kind)| *kind != EvidenceKind::Log)
}

fn advance(event: Event) -> Command {
    Command::Advance { event, because: None, error: None, stopped: Vec::new() }
}

/// Resolves what was left open, and says when to ask again about what gave no answer.
fn resolve(snapshot: &Snapshot, now: Timestamp) -> (Vec<Command>, Option<Timestamp>) {
    let mut commands = Vec::new();
    let mut ask_at: Option<Timestamp> = None;
    for attempt in snapshot.open().filter(|one| !snapshot.in_flight.contains(&one.id)) {
        let overdue = attempt.deadline <= now;
        match snapshot.ask_at.get(&attempt.id) {
            Some(at) if *at > now && !overdue => {
                ask_at = Some(ask_at.map_or(*at, |earlier| earlier.min(*at)));
            }
            Some(_) | None => commands.push(Command::Resolve { attempt: attempt.id, overdue }),
        }
    }
    (commands, ask_at)
}

/// The number the next attempt of this run gets.
fn next_no(snapshot: &Snapshot, run: StepRunId, direction: Direction) -> u32 {
    snapshot.tries(run, direction).map(|one| one.no).max().unwrap_or(0).saturating_add(1)
}

/// The newest attempt of this run whose end nobody knows, in one direction.
fn unresolved(snapshot: &Snapshot, run: StepRunId, direction: Direction) -> Option<AttemptId> {
    snapshot
        .tries(run, direction)
        .last()
        .filter(|one| one.state == AttemptState::Unknown && one.resolution.is_none())
        .map(|one| one.id)
}
