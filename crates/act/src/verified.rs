//! Whether anybody saw how an execution ended: only what was seen teaches.
//!
//! A success is seen by a check that ran and passed. A failure is seen by a check that ran and
//! failed, or by an acting step whose end on its target was seen, also when it was undone
//! afterwards. A cancellation, a target that could not be reached, an end a person filled in, and
//! a plan in which no check ran say nothing about the change.

use model::execution::{AttemptState, Direction, ExecutionState};
use model::plan::Stage;

use crate::snapshot::{Attempt, Because, Resolution, Snapshot, StepRun};

/// Whether the end of an execution that is over was seen.
#[must_use]
pub fn verified(snapshot: &Snapshot) -> bool {
    if snapshot.because == Some(Because::Cancelled) {
        return false;
    }
    match snapshot.state {
        ExecutionState::Completed => snapshot.runs.iter().any(|run| passed(snapshot, run)),
        ExecutionState::Failed
        | ExecutionState::TimedOut
        | ExecutionState::RolledBack
        | ExecutionState::PartiallyRolledBack
        | ExecutionState::RollbackFailed => snapshot.runs.iter().any(|run| failed(snapshot, run)),
        ExecutionState::Queued
        | ExecutionState::Preflight
        | ExecutionState::AwaitingApproval
        | ExecutionState::Approved
        | ExecutionState::InProgress
        | ExecutionState::Verifying
        | ExecutionState::RollingBack
        | ExecutionState::Blocked
        | ExecutionState::Denied
        | ExecutionState::Expired
        | ExecutionState::Cancelled
        | ExecutionState::NeedsHuman => false,
    }
}

/// A check that ran and passed.
fn passed(snapshot: &Snapshot, run: &StepRun) -> bool {
    snapshot.step(run).is_some_and(|step| step.stage == Stage::Verify)
        && snapshot.tries(run.id, Direction::Do).any(worked)
}

/// A step that ran, was seen to fail, and did not work at another try. An acting step that may
/// fail does not fail the plan.
fn failed(snapshot: &Snapshot, run: &StepRun) -> bool {
    let counts =
        |step: &model::plan::PlanStep| step.stage == Stage::Verify || !step.continue_on_failure;
    let mended = |one: &Attempt| worked(one) || one.resolution == Some(Resolution::MarkSucceeded);
    let seen = |one: &Attempt| one.state == AttemptState::Failed && one.end_seen;
    snapshot.step(run).is_some_and(counts)
        && snapshot.tries(run.id, Direction::Do).any(seen)
        && !snapshot.tries(run.id, Direction::Do).any(mended)
}

fn worked(attempt: &Attempt) -> bool {
    attempt.state == AttemptState::Succeeded && attempt.end_seen
}

#[cfg(test)]
mod tests;
