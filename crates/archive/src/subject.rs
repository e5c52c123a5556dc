//! What can be retired: each kind of thing with its class, and what becomes of it.

use crate::rule::Class;

/// What becomes of things whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposal {
    /// They go to the archive.
    Archive,
    /// They go. What people wrote to each other is theirs: no copy outlives it.
    Delete,
}

/// How things of a kind are counted off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One by one, each with everything that belongs to it.
    Roots,
    /// By whole months of a table that only grows.
    Months {
        /// The table.
        table: &'static str,
    },
}

/// A kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// What it is called, also in `countersign.retired_with`.
    pub name: &'static str,
    /// How long it is kept.
    pub class: Class,
    /// How it is counted off.
    pub reach: Reach,
    /// What becomes of it.
    pub disposal: Disposal,
}

const fn roots(name: &'static str, class: Class, disposal: Disposal) -> Subject {
    Subject { name, class, reach: Reach::Roots, disposal }
}

const fn months(name: &'static str, class: Class, table: &'static str) -> Subject {
    Subject { name, class, reach: Reach::Months { table }, disposal: Disposal::Archive }
}

/// The log's own kind, which goes by the log's own rules.
pub const AUDIT: Subject = roots("audit_events", Class::Audit, Disposal::Archive);

/// Everything that can be retired, in the order in which it is: who refers to others goes first.
pub const ALL: &[Subject] = &[
    months("correlations", Class::Correlations, "correlations"),
    months("operational_context", Class::Correlations, "operational_context"),
    months("predictions", Class::Predictions, "ml_predictions"),
    months("usage", Class::Usage, "usage_logs"),
    roots("notifications", Class::Notifications, Disposal::Delete),
    roots("conversations", Class::Conversations, Disposal::Delete),
    roots("context_snapshots", Class::Correlations, Disposal::Archive),
    roots("quarantined_alerts", Class::Findings, Disposal::Archive),
    roots("recommendations", Class::Findings, Disposal::Archive),
    roots("exceptions", Class::Evidence, Disposal::Archive),
    roots("terminal_sessions", Class::Evidence, Disposal::Archive),
    roots("changes", Class::Evidence, Disposal::Archive),
    roots("findings", Class::Findings, Disposal::Archive),
    roots("costs", Class::Costs, Disposal::Archive),
    roots("models", Class::Models, Disposal::Archive),
];

/// The tables whose months are dropped once they are archived or empty.
pub const BY_MONTH: &[&str] = &[
    "correlations",
    "operational_context",
    "ml_predictions",
    "usage_logs",
    "drift_changes",
    "chat_messages",
];

impl Subject {
    /// The table its things are in.
    #[must_use]
    pub fn table(&self) -> &'static str {
        match (self.reach, self.name) {
            (Reach::Months { table }, _) => table,
            (Reach::Roots, "changes") => "intents",
            (Reach::Roots, "conversations") => "chat_sessions",
            (Reach::Roots, "costs") => "cost_timeseries",
            (Reach::Roots, "models") => "ml_models",
            (Reach::Roots, name) => name,
        }
    }
}

/// The kind of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Subject> {
    if name == AUDIT.name {
        return Some(&AUDIT);
    }
    ALL.iter().find(|subject| subject.name == name)
}
