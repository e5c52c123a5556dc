//! The words of a running plan's life; the rules are in `act`.

use crate::words::words;

words! {
    /// Where an execution stands.
    ExecutionState {
        /// Asked for.
        Queued = "queued",
        /// Being planned and judged.
        Preflight = "preflight",
        /// Waiting for votes.
        AwaitingApproval = "awaiting_approval",
        /// Free to start; workers claim these.
        Approved = "approved",
        /// Acting.
        InProgress = "in_progress",
        /// Checking whether it worked.
        Verifying = "verifying",
        /// Verified, with all evidence.
        Completed = "completed",
        /// A guard said no.
        Blocked = "blocked",
        /// Policy or a person said no.
        Denied = "denied",
        /// Nobody approved in time.
        Expired = "expired",
        /// Stopped by a person.
        Cancelled = "cancelled",
        /// Did not work, and nothing needed undoing.
        Failed = "failed",
        /// Took too long, and nothing needed undoing.
        TimedOut = "timed_out",
        /// Undoing.
        RollingBack = "rolling_back",
        /// Undone.
        RolledBack = "rolled_back",
        /// Undone in part; some steps cannot be undone.
        PartiallyRolledBack = "partially_rolled_back",
        /// An undo failed: a person must act.
        RollbackFailed = "rollback_failed",
        /// What happened cannot be known: a person must say.
        NeedsHuman = "needs_human",
    }
}

impl ExecutionState {
    /// Whether nothing more happens by itself.
    #[must_use]
    pub const fn terminal(self) -> bool {
        matches!(
            self,
            Self::Completed
                | Self::Blocked
                | Self::Denied
                | Self::Expired
                | Self::Cancelled
                | Self::Failed
                | Self::TimedOut
                | Self::RolledBack
                | Self::PartiallyRolledBack
                | Self::RollbackFailed
        )
    }

    /// Whether a worker holds or may claim it.
    #[must_use]
    pub const fn workable(self) -> bool {
        matches!(self, Self::Approved | Self::InProgress | Self::Verifying | Self::RollingBack)
    }
}

words! {
    /// Where one step on one target stands.
    StepState {
        /// Not yet.
        Pending = "pending",
        /// An attempt is open.
        Running = "running",
        /// Exit code as expected.
        Succeeded = "succeeded",
        /// Exit code not as expected, or it could not be started.
        Failed = "failed",
        /// Its condition was false, or the plan stopped before it.
        Skipped = "skipped",
        /// Took too long.
        TimedOut = "timed_out",
        /// The plan was cancelled before it.
        Cancelled = "cancelled",
        /// What happened cannot be known.
        Unknown = "unknown",
        /// Was undone.
        Undone = "undone",
        /// Its undo failed.
        UndoFailed = "undo_failed",
    }
}

words! {
    /// Where one try stands.
    AttemptState {
        /// Written before the effect: it may be happening.
        Intent = "intent",
        /// Exit code as expected.
        Succeeded = "succeeded",
        /// Exit code not as expected.
        Failed = "failed",
        /// Fenced off: it never started and never can.
        Fenced = "fenced",
        /// What happened cannot be known.
        Unknown = "unknown",
    }
}

words! {
    /// Forwards or back.
    Direction {
        /// The step itself.
        Do = "do",
        /// Its undo.
        Undo = "undo",
    }
}
