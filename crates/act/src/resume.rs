//! The resume table: what to do about an intent that was left open.
//!
//! | semantics | action |
//! |---|---|
//! | `read` | a new attempt |
//! | `idempotent` | the same token again |
//! | `at_most_once` | fence: won means it never starts; lost means adopt what the target holds |
//!
//! What cannot be known is `unknown`, never guessed and never run again.

use model::connector::{Ended, Fence, Guard};
use model::plan::Semantics;

use crate::outcome::Observed;

#[cfg(test)]
mod tests;

/// The first move towards an open intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approach {
    /// Close it; a new attempt may follow.
    NewAttempt,
    /// Run it again under the same token.
    SameToken,
    /// Fence it off, or learn what became of it.
    Fence,
}

/// The first move for these semantics.
#[must_use]
pub const fn approach(semantics: Semantics) -> Approach {
    match semantics {
        Semantics::Read => Approach::NewAttempt,
        Semantics::Idempotent => Approach::SameToken,
        Semantics::AtMostOnce => Approach::Fence,
    }
}

/// What follows from an answer of the target's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It is settled.
    Close(Observed),
    /// It runs or ran: follow it to its end and take its output.
    Follow,
}

/// What follows from a fence. `seen_started` is whether a start had been observed before.
#[must_use]
pub fn after_fence(fence: &Fence, seen_started: bool) -> Next {
    match fence {
        // A guard that was there and is gone: the target was restored or its disk was lost.
        Fence::Won if seen_started => Next::Close(Observed::Unknown {
            reason: "the target no longer knows of a start that was seen before".to_owned(),
        }),
        Fence::Won => Next::Close(Observed::Fenced),
        Fence::Lost(guard) => after_lost(guard, Semantics::AtMostOnce),
    }
}

/// What follows from finding the token taken.
#[must_use]
pub fn after_lost(guard: &Guard, semantics: Semantics) -> Next {
    match guard {
        // Of one whose process is gone, following still gives what it printed until then.
        Guard::Started { .. } | Guard::Exited { .. } | Guard::TimedOut => Next::Follow,
        Guard::Fenced { .. } => Next::Close(Observed::Fenced),
        Guard::Absent => {
            Next::Close(interrupted(semantics, "the target lost its record of the start"))
        }
    }
}

/// What following an effect to its end showed.
#[must_use]
pub fn after_follow(ended: &Ended, semantics: Semantics) -> Observed {
    match ended {
        Ended::Exited { code, .. } => Observed::Exited { code: *code },
        Ended::TimedOut { .. } => Observed::TimedOut,
        Ended::Lost(Guard::Exited { code }) => Observed::Exited { code: *code },
        Ended::Lost(Guard::TimedOut) => Observed::TimedOut,
        Ended::Lost(Guard::Fenced { .. }) => Observed::Fenced,
        Ended::Lost(Guard::Started { .. } | Guard::Absent) => {
            interrupted(semantics, "it was started, and its process is gone without a result")
        }
    }
}

/// What to make of a target that gave no answer until the deadline.
#[must_use]
pub fn overdue(semantics: Semantics, reason: &str) -> Observed {
    let reason = format!("no answer from the target in time: {reason}");
    match semantics {
        Semantics::Read | Semantics::Idempotent => Observed::GaveUp { reason },
        Semantics::AtMostOnce => Observed::Unknown { reason },
    }
}

fn interrupted(semantics: Semantics, reason: &str) -> Observed {
    let reason = reason.to_owned();
    match semantics {
        Semantics::Read | Semantics::Idempotent => Observed::Repeatable { reason },
        Semantics::AtMostOnce => Observed::Unknown { reason },
    }
}
