//! How what is there differs from what is declared, in words and on axes.

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// How a resource differs from its declaration.
    DriftType {
        /// Some of its properties are others.
        Modified = "modified",
        /// It is declared, and not there.
        Deleted = "deleted",
        /// It is there, and not declared.
        Added = "added",
        /// It is there under another address.
        Moved = "moved",
    }
}

words! {
    /// How a property differs from its declaration.
    ChangeType {
        /// It has another value.
        Modified = "modified",
        /// It is there, and not declared.
        Added = "added",
        /// It is declared, and not there.
        Removed = "removed",
    }
}

words! {
    /// Which way a property went.
    Direction {
        /// Less is allowed than declared.
        Tightened = "tightened",
        /// More is allowed than declared.
        Loosened = "loosened",
        /// Neither.
        Neutral = "neutral",
    }
}

impl ChangeType {
    /// How a property differs that is declared or not, and there or not.
    #[must_use]
    pub const fn between(declared: bool, there: bool) -> Self {
        match (declared, there) {
            (false, _) => Self::Added,
            (true, false) => Self::Removed,
            (true, true) => Self::Modified,
        }
    }
}

/// What a drift means, 0 to 1 on each axis. Its severity is the largest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Axes {
    /// Who can reach or do what they should not.
    pub security: f64,
    /// What becomes slow or fails.
    pub performance: f64,
    /// What becomes dearer.
    pub cost: f64,
    /// What an auditor objects to.
    pub compliance: f64,
}

impl Axes {
    /// The same within 0 to 1; what is no number is as bad as it gets.
    #[must_use]
    pub const fn within(self) -> Self {
        const fn within(number: f64) -> f64 {
            if number.is_nan() { 1.0 } else { number.clamp(0.0, 1.0) }
        }
        Self {
            security: within(self.security),
            performance: within(self.performance),
            cost: within(self.cost),
            compliance: within(self.compliance),
        }
    }

    /// On each axis the larger of two.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            security: self.security.max(other.security),
            performance: self.performance.max(other.performance),
            cost: self.cost.max(other.cost),
            compliance: self.compliance.max(other.compliance),
        }
    }

    /// The largest of the four.
    #[must_use]
    pub const fn largest(self) -> f64 {
        self.security.max(self.performance).max(self.cost).max(self.compliance)
    }
}
