//! What an attempt's end makes of the attempt and of its step.

use jiff::SignedDuration;
use model::execution::{AttemptState, Direction, StepState};
use model::plan::{PlanStep, Semantics};
use model::time::Timestamp;

use crate::snapshot::{Attempt, Closing, Resolution, Snapshot};

#[cfg(test)]
mod tests;

/// How often an interrupted attempt that may run again does so by itself. Each takes a crash or a
/// killed process; more than this is not bad luck.
pub const MAX_REPEATS: usize = 5;

/// What was learned about an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// It exited.
    Exited {
        /// With this code.
        code: i32,
    },
    /// It was stopped at its timeout.
    TimedOut,
    /// It certainly never started.
    NotStarted {
        /// Why.
        reason: String,
    },
    /// The target promised that it never starts.
    Fenced,
    /// It was interrupted, and running it again does no harm.
    Repeatable {
        /// What interrupted it.
        reason: String,
    },
    /// The target is gone and running it again would do no harm, but does no good either.
    GaveUp {
        /// Why.
        reason: String,
    },
    /// What happened cannot be known.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// The semantics an attempt follows. An undo of a read or of an idempotent step is idempotent.
#[must_use]
pub const fn semantics(step: &PlanStep, direction: Direction) -> Semantics {
    match (direction, step.semantics) {
        (Direction::Do, semantics) => semantics,
        (Direction::Undo, Semantics::Read | Semantics::Idempotent) => Semantics::Idempotent,
        (Direction::Undo, Semantics::AtMostOnce) => Semantics::AtMostOnce,
    }
}

/// The closing of `attempt` after `observed` at `now`.
#[must_use]
pub fn close(
    snapshot: &Snapshot,
    step: &PlanStep,
    attempt: &Attempt,
    observed: Observed,
    now: Timestamp,
) -> Closing {
    let retry = Retry::of(snapshot, step, attempt, now);
    let repeats = snapshot
        .tries(attempt.run, attempt.direction)
        .filter(|one| one.resolution == Some(Resolution::Retry))
        .count();
    let base = Closing {
        state: AttemptState::Failed,
        started: Some(true),
        resolution: None,
        exit_code: None,
        end_seen: false,
        error: None,
        run: None,
        next_at: None,
    };
    match observed {
        Observed::Exited { code } => exited(base, step, attempt, code, retry),
        Observed::TimedOut => {
            let base = Closing { end_seen: true, ..base };
            let error = format!("took longer than {} s and was stopped", step.timeout_s);
            failed(&base, attempt.direction, error, StepState::TimedOut, retry)
        }
        Observed::NotStarted { reason } => {
            let base = Closing { started: Some(false), ..base };
            failed_before_starting(&base, attempt.direction, reason, retry)
        }
        Observed::GaveUp { reason } => {
            let base = Closing { started: attempt.started, ..base };
            failed(&base, attempt.direction, reason, StepState::Failed, retry)
        }
        Observed::Repeatable { reason } if repeats >= MAX_REPEATS => {
            let base = Closing { started: attempt.started, ..base };
            let reason = format!("interrupted {repeats} times: {reason}");
            failed(&base, attempt.direction, reason, StepState::Failed, Retry::No)
        }
        Observed::Repeatable { reason } => Closing {
            state: AttemptState::Unknown,
            started: attempt.started,
            resolution: Some(Resolution::Retry),
            error: Some(reason),
            run: forwards(attempt, StepState::Pending),
            ..base
        },
        Observed::Fenced => Closing {
            state: AttemptState::Fenced,
            started: Some(false),
            run: forwards(attempt, StepState::Pending),
            ..base
        },
        Observed::Unknown { reason } => Closing {
            state: AttemptState::Unknown,
            started: attempt.started,
            error: Some(reason),
            run: forwards(attempt, StepState::Unknown),
            ..base
        },
    }
}

/// Whether a failed try gets another.
#[derive(Debug, Clone, Copy)]
enum Retry {
    No,
    At(Timestamp),
}

impl Retry {
    fn of(snapshot: &Snapshot, step: &PlanStep, attempt: &Attempt, now: Timestamp) -> Self {
        let failed = snapshot
            .tries(attempt.run, attempt.direction)
            .filter(|one| one.state == AttemptState::Failed)
            .count();
        let left = usize::try_from(step.retry_count).is_ok_and(|allowed| failed < allowed);
        let delay = SignedDuration::from_secs(i64::from(step.retry_delay_s));
        match now.checked_add(delay) {
            Ok(at) if left => Self::At(at),
            Ok(_) | Err(_) => Self::No,
        }
    }
}

/// A state for the step run, unless this is an undo: that leaves the run alone until it is over.
fn forwards(attempt: &Attempt, state: StepState) -> Option<StepState> {
    match attempt.direction {
        Direction::Do => Some(state),
        Direction::Undo => None,
    }
}

fn exited(base: Closing, step: &PlanStep, attempt: &Attempt, code: i32, retry: Retry) -> Closing {
    // The step's expected codes are those of its own script; an undo says it worked with 0.
    let (expected, done) = match attempt.direction {
        Direction::Do => (step.expected_exit_codes.contains(&code), StepState::Succeeded),
        Direction::Undo => (code == 0, StepState::Undone),
    };
    let base = Closing { exit_code: Some(code), end_seen: true, ..base };
    if expected {
        return Closing { state: AttemptState::Succeeded, run: Some(done), ..base };
    }
    failed(&base, attempt.direction, format!("exit code {code}"), StepState::Failed, retry)
}

/// A try that ran and failed. Going forwards it may be retried; an undo that failed is not.
fn failed(
    base: &Closing,
    direction: Direction,
    error: String,
    last: StepState,
    retry: Retry,
) -> Closing {
    let base = Closing { error: Some(error), ..base.clone() };
    match (direction, retry) {
        (Direction::Do, Retry::At(at)) => {
            Closing { run: Some(StepState::Pending), next_at: Some(at), ..base }
        }
        (Direction::Do, Retry::No) => Closing { run: Some(last), ..base },
        (Direction::Undo, Retry::At(_) | Retry::No) => {
            Closing { run: Some(StepState::UndoFailed), ..base }
        }
    }
}

/// A try that never started. An undo may be retried too, for nothing has happened yet.
fn failed_before_starting(
    base: &Closing,
    direction: Direction,
    error: String,
    retry: Retry,
) -> Closing {
    match (direction, retry) {
        (Direction::Undo, Retry::At(at)) => {
            Closing { error: Some(error), next_at: Some(at), ..base.clone() }
        }
        (Direction::Do, Retry::At(_) | Retry::No) | (Direction::Undo, Retry::No) => {
            failed(base, direction, error, StepState::Failed, retry)
        }
    }
}
