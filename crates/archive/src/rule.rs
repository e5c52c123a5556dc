//! How long what is kept: classes of things, the defaults, what a tenant may set instead.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

model::words! {
    /// A class of things that are kept equally long.
    Class {
        /// Findings of every kind, after their end, with everything said about them.
        Findings = "findings",
        /// What else happened around findings.
        Correlations = "correlations",
        /// What learned models said.
        Predictions = "predictions",
        /// What people said to the assistant.
        Conversations = "conversations",
        /// What people were told.
        Notifications = "notifications",
        /// What quotas are counted from.
        Usage = "usage",
        /// What things cost.
        Costs = "costs",
        /// Changes: intents, plans, decisions, approvals, executions and their evidence.
        Evidence = "evidence",
        /// The signed log.
        Audit = "audit",
        /// Learned models, version by version.
        Models = "models",
    }
}

/// What a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Days after the end of a thing.
    Days,
    /// The newest versions of each model.
    Versions,
}

impl Unit {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Days => "days",
            Self::Versions => "versions",
        }
    }
}

/// The longest a rule may keep anything: a hundred years.
pub const MOST: u32 = 36_525;

impl Class {
    /// What its rule counts.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Models => Unit::Versions,
            Self::Findings
            | Self::Correlations
            | Self::Predictions
            | Self::Conversations
            | Self::Notifications
            | Self::Usage
            | Self::Costs
            | Self::Evidence
            | Self::Audit => Unit::Days,
        }
    }

    /// How long when a tenant says nothing: 90 days hot, three years of evidence, seven years of
    /// the log, the last five versions of a model, thirteen months of usage.
    #[must_use]
    pub const fn default_keep(self) -> u32 {
        match self {
            Self::Findings
            | Self::Correlations
            | Self::Predictions
            | Self::Conversations
            | Self::Notifications => 90,
            Self::Usage => 396,
            Self::Costs | Self::Evidence => 1_096,
            Self::Audit => 2_557,
            Self::Models => 5,
        }
    }

    /// The least a tenant may set. Nobody shortens the log to less than a year, or what proves a
    /// change to less than a quarter: that would be a way to make traces disappear.
    #[must_use]
    pub const fn least(self) -> u32 {
        match self {
            Self::Audit => 365,
            Self::Evidence => 90,
            Self::Usage => 31,
            Self::Findings
            | Self::Correlations
            | Self::Predictions
            | Self::Conversations
            | Self::Notifications
            | Self::Costs
            | Self::Models => 1,
        }
    }

    /// Whether a tenant may set this.
    #[must_use]
    pub const fn allows(self, keep: u32) -> bool {
        self.least() <= keep && keep <= MOST
    }
}

/// The rules of a tenant: its own, and the defaults for the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    own: BTreeMap<Class, u32>,
}

impl Rules {
    /// The rules of a tenant that set these.
    #[must_use]
    pub const fn of(own: BTreeMap<Class, u32>) -> Self {
        Self { own }
    }

    /// How long things of a class are kept, in its unit.
    #[must_use]
    pub fn keep(&self, class: Class) -> u32 {
        self.own.get(&class).copied().unwrap_or_else(|| class.default_keep())
    }

    /// Whether the tenant set it.
    #[must_use]
    pub fn is_own(&self, class: Class) -> bool {
        self.own.contains_key(&class)
    }

    /// What ended before this moment may go. For classes that are counted in days.
    #[must_use]
    pub fn cutoff(&self, class: Class, now: Timestamp) -> Timestamp {
        let days = i64::from(self.keep(class));
        now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN)
    }
}

/// What must be kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holds {
    /// Of these classes; `None` is everything.
    in_force: Vec<Option<Class>>,
}

impl Holds {
    /// The holds in force.
    #[must_use]
    pub const fn of(in_force: Vec<Option<Class>>) -> Self {
        Self { in_force }
    }

    /// Whether there is any.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.in_force.is_empty()
    }

    /// Whether one of them keeps things of this class.
    #[must_use]
    pub fn keep(&self, class: Class) -> bool {
        self.in_force.iter().any(|held| held.is_none_or(|held| held == class))
    }
}

#[cfg(test)]
mod tests;
