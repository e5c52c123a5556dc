//! Quotas of the decision API: how many evaluations a month each tier has (document 003).

use model::Timestamp;

model::words! {
    /// What a key, or a tenant, has booked.
    ServiceTier {
        /// To try it.
        Free = "free",
        /// A team.
        Pro = "pro",
        /// A company.
        Premium = "premium",
        /// Without a limit.
        Enterprise = "enterprise",
    }
}

impl ServiceTier {
    /// Evaluations a calendar month, in UTC; `None` is without a limit.
    #[must_use]
    pub const fn evaluations_a_month(self) -> Option<u32> {
        match self {
            Self::Free => Some(1_000),
            Self::Pro => Some(10_000),
            Self::Premium => Some(50_000),
            Self::Enterprise => None,
        }
    }
}

/// How much of a limit is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// How many a month.
    pub limit: u32,
    /// How many so far.
    pub used: u64,
}

impl Used {
    /// How many are left.
    #[must_use]
    pub fn remaining(self) -> u64 {
        u64::from(self.limit).saturating_sub(self.used)
    }
}

/// Where a caller stands this month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The limit that is reached first; `None` when nothing limits the caller.
    pub tightest: Option<Used>,
    /// When the month is over.
    pub resets_at: Timestamp,
    /// What the database's clock says.
    pub now: Timestamp,
}

impl Standing {
    /// Where somebody stands to whom all of `limits` apply.
    #[must_use]
    pub fn of(
        limits: impl IntoIterator<Item = Used>,
        resets_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        Self { tightest: limits.into_iter().min_by_key(|used| used.remaining()), resets_at, now }
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn exhausted(&self) -> bool {
        self.tightest.is_some_and(|used| used.remaining() == 0)
    }

    /// Whole seconds until the month is over, at least one.
    #[must_use]
    pub fn seconds_left(&self) -> u64 {
        let left = self.resets_at.duration_since(self.now).as_millis();
        u64::try_from(left).unwrap_or_default().div_ceil(1000).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tiers_have_the_numbers_of_the_document() {
        let of = |tier: &ServiceTier| (tier.word(), tier.evaluations_a_month());
        let table: Vec<_> = ServiceTier::ALL.iter().map(of).collect();
        assert_eq!(
            table,
            [
                ("free", Some(1_000)),
                ("pro", Some(10_000)),
                ("premium", Some(50_000)),
                ("enterprise", None),
            ]
        );
    }

    #[test]
    fn the_limit_reached_first_counts_and_waiting_is_never_nothing() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (now, end) = (at("2026-11-30T23:59:58.5Z"), at("2026-12-01T00:00:00Z"));
        let limits = [Used { limit: 1_000, used: 10 }, Used { limit: 10_000, used: 9_990 }];
        let standing = Standing::of(limits, end, now);
        assert_eq!(standing.tightest, Some(limits[1]));
        assert_eq!((standing.exhausted(), standing.seconds_left()), (false, 2));
        let over = Standing::of([Used { limit: 5, used: 7 }], end, end);
        assert_eq!((over.exhausted(), over.seconds_left()), (true, 1));
        assert!(!Standing::of([], end, now).exhausted());
    }
}
