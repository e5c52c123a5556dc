//! Which events belong to a drift, and how surely.
//!
//! An event belongs to a drift when the two are near in time and have something in common: a
//! resource, an address, a service, a file, somebody, an id. The score and its numbers are those of
//! `content/drift/correlation.yaml`. Events of another environment never belong; what names no
//! environment may belong to any. Callers hand in the events of one tenant.
//!
//! The best [`Rules::most`] are kept, best first; of equals the nearest in time, then by kind,
//! system and id. The order of the events says nothing, nor does an event that comes twice.

pub mod context;
pub mod index;
mod rules;

use model::Timestamp;
use model::level::Severity;
use serde::{Serialize, Serializer};

use super::lexicon::Words;

pub use index::Index;
pub use rules::{BadRules, Rules};

model::words! {
    /// What an event is; the words of the column `correlation_type`.
    EventKind {
        /// A commit of what declares the resource.
        GitCommit = "git_commit",
        /// An alert.
        MonitoringAlert = "monitoring_alert",
        /// A deployment.
        Deployment = "deployment",
        /// A call a cloud recorded.
        AuditEvent = "audit_event",
        /// A ticket.
        IncidentTicket = "incident_ticket",
        /// An incident.
        Incident = "incident",
        /// A maintenance.
        Maintenance = "maintenance",
        /// A finding or an event of security.
        SecurityEvent = "security_event",
    }
}

model::words! {
    /// What a drift and an event may have in common.
    Field {
        /// An id both carry: a trace, a change, a ticket's number in a commit.
        Shared = "shared",
        /// The resource, as the provider calls it.
        Resource = "resource",
        /// The resource, as its declaration calls it.
        Address = "address",
        /// A file.
        Path = "path",
        /// The directory of a file, and no file.
        Directory = "directory",
        /// The service.
        Service = "service",
        /// Somebody.
        Actor = "actor",
        /// The environment; only of events that name nothing narrower.
        Environment = "environment",
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// Where it is from: `github`, `pagerduty`.
    pub system: String,
    /// What it is called there.
    pub id: String,
    /// When it happened or began.
    pub at: Timestamp,
    /// When it ended; the present while it lasts; nothing for what has no duration.
    pub until: Option<Timestamp>,
    /// Where it happened.
    pub place: Place,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// The words of its texts.
    pub words: Words,
}

/// What a drift or an event is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The environment.
    pub environment: Option<String>,
    /// The service.
    pub service: Option<String>,
    /// The resources, as the provider calls them. The first 1,000 by name count.
    pub resources: Vec<String>,
    /// The resources, as their declarations call them.
    pub addresses: Vec<String>,
    /// The files it is declared in, or that were touched. The first 1,000 by name count.
    pub paths: Vec<String>,
    /// The names of whoever did it: login, e-mail address, the session's name. Their case says
    /// nothing.
    pub actors: Vec<String>,
    /// Ids that may be found elsewhere.
    pub shared: Vec<String>,
}

impl Place {
    /// Whether it names nothing narrower than an environment.
    const fn is_environment(&self) -> bool {
        self.environment.is_some()
            && self.service.is_none()
            && self.resources.is_empty()
            && self.addresses.is_empty()
            && self.paths.is_empty()
    }
}

/// A drift as events are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// When it was changed; when it was noticed where nobody knows.
    pub at: Timestamp,
    /// What it is about.
    pub place: Place,
}

/// What a drift and an event have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matched(u8);

impl Matched {
    const fn bit(field: Field) -> u8 {
        1 << field as u8
    }

    const fn with(self, field: Field, matches: bool) -> Self {
        if matches { Self(self.0 | Self::bit(field)) } else { self }
    }

    const fn without(self, field: Field) -> Self {
        Self(self.0 & !Self::bit(field))
    }

    /// Whether they have this in common.
    #[must_use]
    pub const fn has(self, field: Field) -> bool {
        self.0 & Self::bit(field) != 0
    }

    /// Whether they have this in common and nothing else.
    #[must_use]
    pub const fn only(self, field: Field) -> bool {
        self.0 == Self::bit(field)
    }

    /// All they have in common.
    pub fn fields(self) -> impl Iterator<Item = Field> {
        Field::ALL.iter().copied().filter(move |field| self.has(*field))
    }
}

impl Serialize for Matched {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.fields())
    }
}

/// An event that belongs to a drift.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlation<'e> {
    /// Which.
    pub event: &'e Event,
    /// How surely, 0 to 1.
    pub score: f64,
    /// From the drift to the event's beginning, in microseconds; negative is before it.
    pub offset_micros: i64,
    /// Whether it lasted at the moment of the drift.
    pub during: bool,
    /// What they have in common.
    pub matched: Matched,
}

impl Correlation<'_> {
    /// From the drift to the event's beginning, in minutes; negative is before it.
    #[must_use]
    pub fn minutes(&self) -> f64 {
        seconds(self.offset_micros) / 60.0
    }
}

/// The events that belong to each drift, in the order of the drifts.
#[must_use]
pub fn correlate<'e>(
    rules: &Rules,
    subjects: &[Subject],
    events: &'e [Event],
) -> Vec<Vec<Correlation<'e>>> {
    let index = Index::new(rules, events);
    subjects.iter().map(|subject| index.of(subject)).collect()
}

fn seconds(micros: i64) -> f64 {
    jiff::SignedDuration::from_micros(micros).as_secs_f64()
}

#[cfg(test)]
mod tests;
