//! Rate limits: so many starts in so many seconds.

use jiff::SignedDuration;
use model::Timestamp;
use model::verdict::Verdict;

use crate::guard::{Guard, GuardResult};

model::words! {
    /// What a limit counts.
    RateScope {
        /// Starts of one runbook.
        Runbook = "runbook",
        /// Starts that touch one resource.
        Resource = "resource",
        /// All starts of the tenant.
        Tenant = "tenant",
        /// All starts too: a tenant can neither see nor be slowed by another's.
        Global = "global",
    }
}

/// A limit, applied to one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// What it counts.
    pub scope: RateScope,
    /// The runbook's or resource's id; `tenant` or `global` for the other two.
    pub scope_id: String,
    /// How many starts.
    pub count: u32,
    /// In how many seconds.
    pub window_s: u32,
}

/// A limit and how much of it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The limit.
    pub quota: Quota,
    /// When the `count`-th newest start was, however long ago; `None` if there were fewer.
    pub filled_at: Option<Timestamp>,
}

impl Usage {
    /// What the limit says to one more start at `at`.
    #[must_use]
    pub fn judge(&self, at: Timestamp) -> GuardResult {
        let Quota { scope, scope_id, count, window_s } = &self.quota;
        let window = SignedDuration::from_secs(i64::from(*window_s));
        // A window too long to be added never ends.
        let frees_at = self.filled_at.map(|filled| filled.checked_add(window).ok());
        match frees_at {
            _ if *count == 0 => self.full(format!("{scope} {scope_id} may not start at all"), None),
            None => GuardResult::allow(Guard::RateLimit, "within_limit"),
            Some(Some(until)) if until <= at => {
                GuardResult::allow(Guard::RateLimit, "within_limit")
            }
            Some(until) => self.full(
                format!("{scope} {scope_id} has had its {count} starts in {window_s} s"),
                until,
            ),
        }
    }

    fn full(&self, message: String, until: Option<Timestamp>) -> GuardResult {
        GuardResult {
            guard: Guard::RateLimit,
            verdict: Verdict::Deny,
            code: format!("rate_limit_{}", self.quota.scope),
            message,
            until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: i64) -> Timestamp {
        Timestamp::from_second(n).unwrap()
    }

    fn usage(count: u32, filled_at: Option<i64>) -> Usage {
        let scope_id = "rbk_x".into();
        let quota = Quota { scope: RateScope::Runbook, scope_id, count, window_s: 60 };
        Usage { quota, filled_at: filled_at.map(second) }
    }

    #[test]
    fn a_full_limit_frees_when_its_oldest_start_leaves_the_window() {
        let full = usage(2, Some(1000));
        assert_eq!(full.judge(second(1059)).verdict, Verdict::Deny);
        assert_eq!(full.judge(second(1059)).until, Some(second(1060)));
        assert_eq!(full.judge(second(1060)).verdict, Verdict::Allow);
        assert_eq!(usage(2, None).judge(second(1000)).verdict, Verdict::Allow);
    }

    #[test]
    fn a_limit_of_none_never_frees() {
        let none = usage(0, None).judge(second(1000));
        assert_eq!((none.verdict, none.until), (Verdict::Deny, None));
    }
}
