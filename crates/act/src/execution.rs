//! The life of an execution: which event leads from which state to which.

use model::execution::ExecutionState;
use model::time::Timestamp;

#[cfg(test)]
mod tests;

/// What can happen to an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Planning and judging begins.
    Judge,
    /// The gate wants votes.
    Ask,
    /// Nothing more is in the way.
    Approve,
    /// A guard says no, at the decision or at the start.
    Block,
    /// Policy or a person says no, at the decision or at the start.
    Deny,
    /// Nobody approved in time.
    Expire {
        /// When the time was up; earlier than that nothing expires.
        due: Timestamp,
    },
    /// A worker with a clearance starts acting.
    Start,
    /// All acting is done; checking begins.
    Verify,
    /// Checked, with all evidence.
    Complete,
    /// It did not work and nothing acted.
    Fail,
    /// It took too long and nothing acted.
    TimeOut,
    /// A person stopped it and nothing acted.
    Cancel,
    /// It did not work, or was stopped, and something acted.
    RollBack,
    /// Everything that acted was undone.
    Undone,
    /// Everything that can be undone was.
    UndoneInPart,
    /// An undo failed.
    UndoFailed,
    /// What happened cannot be known.
    Doubt,
    /// A person said what happened; acting goes on.
    ResumeActing,
    /// A person said what happened; checking goes on.
    ResumeVerifying,
    /// A person said what happened; undoing goes on.
    ResumeUndoing,
}

/// An event that does not fit the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an execution that is {state} cannot take {event:?}")]
pub struct Refused {
    /// Where it stands.
    pub state: ExecutionState,
    /// What was to happen.
    pub event: Event,
}

/// Where `event` at `at` leads from `state`.
///
/// # Errors
/// When the event does not fit the state, or is an expiry before its time.
pub fn on(state: ExecutionState, event: Event, at: Timestamp) -> Result<ExecutionState, Refused> {
    let refused = Refused { state, event };
    if let Event::Expire { due } = event
        && at < due
    {
        return Err(refused);
    }
    let edge = edges(event).iter().find(|(from, _)| *from == state);
    edge.map(|(_, to)| *to).ok_or(refused)
}

/// Every edge of one event. The whole table is a snapshot in the tests.
const fn edges(event: Event) -> &'static [(ExecutionState, ExecutionState)] {
    use ExecutionState as S;
    match event {
        Event::Judge => &[(S::Queued, S::Preflight)],
        Event::Ask => &[(S::Preflight, S::AwaitingApproval)],
        Event::Approve => &[(S::Preflight, S::Approved), (S::AwaitingApproval, S::Approved)],
        Event::Block => &[(S::Preflight, S::Blocked), (S::Approved, S::Blocked)],
        Event::Deny => {
            &[(S::Preflight, S::Denied), (S::AwaitingApproval, S::Denied), (S::Approved, S::Denied)]
        }
        // An approval can also run out between the last vote and the start.
        Event::Expire { .. } => &[(S::AwaitingApproval, S::Expired), (S::Approved, S::Expired)],
        Event::Start => &[(S::Approved, S::InProgress)],
        Event::Verify => &[(S::InProgress, S::Verifying)],
        Event::Complete => &[(S::Verifying, S::Completed)],
        Event::Fail => &[(S::InProgress, S::Failed), (S::Verifying, S::Failed)],
        Event::TimeOut => &[(S::InProgress, S::TimedOut), (S::Verifying, S::TimedOut)],
        Event::Cancel => &[
            (S::Queued, S::Cancelled),
            (S::Preflight, S::Cancelled),
            (S::AwaitingApproval, S::Cancelled),
            (S::Approved, S::Cancelled),
            (S::InProgress, S::Cancelled),
            (S::Verifying, S::Cancelled),
        ],
        Event::RollBack => &[(S::InProgress, S::RollingBack), (S::Verifying, S::RollingBack)],
        Event::Undone => &[(S::RollingBack, S::RolledBack)],
        Event::UndoneInPart => &[(S::RollingBack, S::PartiallyRolledBack)],
        Event::UndoFailed => &[(S::RollingBack, S::RollbackFailed)],
        Event::Doubt => &[
            (S::InProgress, S::NeedsHuman),
            (S::Verifying, S::NeedsHuman),
            (S::RollingBack, S::NeedsHuman),
        ],
        Event::ResumeActing => &[(S::NeedsHuman, S::InProgress)],
        Event::ResumeVerifying => &[(S::NeedsHuman, S::Verifying)],
        Event::ResumeUndoing => &[(S::NeedsHuman, S::RollingBack)],
    }
}
