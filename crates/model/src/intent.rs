//! An intent: somebody or something wants to change a running system.

use crate::words::words;

words! {
    /// What set an intent off.
    TriggerKind {
        /// A person asked.
        Manual = "manual",
        /// An alert matched a runbook.
        Alert = "alert",
        /// Another system asked through the API.
        Webhook = "webhook",
        /// The clock.
        Scheduled = "scheduled",
    }
}

words! {
    /// What an intent is for.
    Purpose {
        /// To be carried out here, once the gate lets it.
        Change = "change",
        /// To be judged only: whoever asked acts, or does not. Nothing is ever started for it.
        Advice = "advice",
    }
}

words! {
    /// How much of a runbook runs by itself.
    ExecutionMode {
        /// Whatever the gate allows.
        Auto = "auto",
        /// Always with approval.
        SemiAuto = "semi_auto",
        /// Only when a person asks.
        Manual = "manual",
    }
}

words! {
    /// Where an intent stands.
    IntentState {
        /// Judged, waiting for approval or for its execution.
        Open = "open",
        /// Said no to.
        Denied = "denied",
        /// Verified to have worked.
        Succeeded = "succeeded",
        /// Verified to have failed, or undone.
        Failed = "failed",
        /// Nothing was done.
        Closed = "closed",
    }
}

words! {
    /// Where a request for approval stands. All but the first are final.
    ApprovalState {
        /// Votes are taken.
        Pending = "pending",
        /// Quorum reached.
        Approved = "approved",
        /// Somebody said no.
        Denied = "denied",
        /// Time ran out.
        Expired = "expired",
        /// What it was bound to changed underneath.
        Void = "void",
    }
}
