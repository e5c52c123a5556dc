//! The named points at which the engine can be killed in tests.

use model::execution::Direction;
use model::execution::ExecutionState;

/// Every point the engine passes: before and after each transaction, each effect, each state.
pub const POINTS: &[&str] = &[
    "act.claim.after",
    "act.t1.before",
    "act.t1.after",
    "act.effect.after",
    "act.t2.before",
    "act.t2.after",
    "act.undo.t1.before",
    "act.undo.t1.after",
    "act.undo.effect.after",
    "act.undo.t2.before",
    "act.undo.t2.after",
    "act.state.in_progress.before",
    "act.state.in_progress.after",
    "act.state.verifying.before",
    "act.state.verifying.after",
    "act.state.rolling_back.before",
    "act.state.rolling_back.after",
    "act.evidence.before",
    "act.evidence.after",
    "act.finish.before",
    "act.finish.after",
];

/// A place in the step protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    BeforeT1,
    AfterT1,
    AfterEffect,
    BeforeT2,
    AfterT2,
}

/// The point of a place in the step protocol.
pub(super) const fn step(direction: Direction, place: Place) -> &'static str {
    match (direction, place) {
        (Direction::Do, Place::BeforeT1) => "act.t1.before",
        (Direction::Do, Place::AfterT1) => "act.t1.after",
        (Direction::Do, Place::AfterEffect) => "act.effect.after",
        (Direction::Do, Place::BeforeT2) => "act.t2.before",
        (Direction::Do, Place::AfterT2) => "act.t2.after",
        (Direction::Undo, Place::BeforeT1) => "act.undo.t1.before",
        (Direction::Undo, Place::AfterT1) => "act.undo.t1.after",
        (Direction::Undo, Place::AfterEffect) => "act.undo.effect.after",
        (Direction::Undo, Place::BeforeT2) => "act.undo.t2.before",
        (Direction::Undo, Place::AfterT2) => "act.undo.t2.after",
    }
}

/// The points before and after a move to `state`.
pub(super) const fn state(state: ExecutionState) -> (&'static str, &'static str) {
    match state {
        ExecutionState::InProgress => {
            ("act.state.in_progress.before", "act.state.in_progress.after")
        }
        ExecutionState::Verifying => ("act.state.verifying.before", "act.state.verifying.after"),
        ExecutionState::RollingBack => {
            ("act.state.rolling_back.before", "act.state.rolling_back.after")
        }
        ExecutionState::Queued
        | ExecutionState::Preflight
        | ExecutionState::AwaitingApproval
        | ExecutionState::Approved
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
        | ExecutionState::NeedsHuman => ("act.finish.before", "act.finish.after"),
    }
}
