//! Why an execution is not cleared, and what is to be done about it.

use model::Timestamp;
use model::execution::ExecutionState;
use model::intent::ApprovalState;
use model::verdict::{Reason, Verdict};

use crate::gist::joined;
use crate::guard::{Guard, GuardResult};

/// Why nothing may run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The lease is none.
    #[error("lease epoch {epoch} is no lease")]
    NoLease {
        /// What was given.
        epoch: i64,
    },
    /// The execution is somewhere else in its life.
    #[error("an execution that is {state} cannot be {wanted}")]
    WrongState {
        /// Where it stands.
        state: ExecutionState,
        /// `started` or `resumed`.
        wanted: &'static str,
    },
    /// The stored plan is not the one that was decided on.
    #[error("the plan changed after the decision")]
    PlanChanged,
    /// Policy bundle, tier or blast radius are not those decided on.
    #[error("policy, tier or blast radius changed after the decision")]
    BoundChanged,
    /// The gate says no by now.
    #[error("denied: {}", messages(.0))]
    Denied(Vec<Reason>),
    /// A guard says no.
    #[error("blocked: {}", joined(.0.iter().map(|one| one.message.as_str())))]
    Blocked(Vec<GuardResult>),
    /// A guard was not asked.
    #[error("the guard {0} was not asked")]
    GuardMissing(Guard),
    /// Approval is needed and was never asked for.
    #[error("approval is needed")]
    ApprovalMissing,
    /// The approval does not stand.
    #[error("the approval is {0}")]
    NotApproved(ApprovalState),
    /// The approval is for something else.
    #[error("the approval is bound to something else")]
    OtherApproval,
    /// The approval's time is over.
    #[error("the approval was good until {at}")]
    ApprovalExpired {
        /// Until when.
        at: Timestamp,
    },
    /// Some who voted may no longer vote.
    #[error("{missing} more votes are needed: some who voted may no longer vote")]
    QuorumLost {
        /// How many.
        missing: u32,
    },
}

/// What is to be done about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The approval is void; ask anew.
    AskAgain,
    /// The execution is denied.
    Deny,
    /// The execution is blocked, or waits until the guards open.
    Block,
    /// The execution expires.
    Expire,
    /// Somebody else has it: leave it alone.
    Leave,
}

impl Refused {
    /// What is to be done about it.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::PlanChanged
            | Self::BoundChanged
            | Self::ApprovalMissing
            | Self::NotApproved(ApprovalState::Pending | ApprovalState::Void)
            | Self::OtherApproval
            | Self::QuorumLost { .. } => Remedy::AskAgain,
            Self::Denied(_)
            | Self::NotApproved(ApprovalState::Denied | ApprovalState::Approved) => Remedy::Deny,
            Self::Blocked(_) | Self::GuardMissing(_) => Remedy::Block,
            Self::ApprovalExpired { .. } | Self::NotApproved(ApprovalState::Expired) => {
                Remedy::Expire
            }
            Self::NoLease { .. } | Self::WrongState { .. } => Remedy::Leave,
        }
    }

    /// A stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoLease { .. } => "no_lease",
            Self::WrongState { .. } => "wrong_state",
            Self::PlanChanged => "plan_changed",
            Self::BoundChanged => "bound_changed",
            Self::Denied(_) => "denied",
            Self::Blocked(_) => "blocked",
            Self::GuardMissing(_) => "guard_missing",
            Self::ApprovalMissing => "approval_missing",
            Self::NotApproved(_) => "not_approved",
            Self::OtherApproval => "other_approval",
            Self::ApprovalExpired { .. } => "approval_expired",
            Self::QuorumLost { .. } => "quorum_lost",
        }
    }

    /// When the guards that block would open, if time alone brings that about.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            // Every one of them must have an end; the last counts.
            Self::Blocked(results) => results
                .iter()
                .map(|result| result.until)
                .try_fold(None, |last: Option<Timestamp>, until| until.map(|at| last.max(Some(at))))
                .flatten(),
            Self::NoLease { .. }
            | Self::WrongState { .. }
            | Self::PlanChanged
            | Self::BoundChanged
            | Self::Denied(_)
            | Self::GuardMissing(_)
            | Self::ApprovalMissing
            | Self::NotApproved(_)
            | Self::OtherApproval
            | Self::ApprovalExpired { .. }
            | Self::QuorumLost { .. } => None,
        }
    }
}

fn messages(reasons: &[Reason]) -> String {
    let denying = reasons.iter().filter(|reason| reason.verdict == Verdict::Deny);
    joined(denying.map(|reason| reason.message.as_str()))
}
