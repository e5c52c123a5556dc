//! Events that belong to a drift, as facts about it.

use super::{Commit, Facts, Near, Reach, Ticket};
use crate::drift::correlate::{Correlation, EventKind, Field};

impl Facts {
    /// Takes over the events that belong to the drift.
    ///
    /// `looked` names the kinds of events somebody keeps: of those, none is a fact; of the others
    /// nothing is known. Audit events and maintenance are no facts of their own: they say who, when
    /// and what the calendar was.
    pub fn observe(&mut self, looked: &[EventKind], found: &[Correlation<'_>]) {
        let near = |kind: EventKind| {
            looked.contains(&kind).then(|| of(kind, found).map(Near::of).collect::<Vec<_>>())
        };
        self.incidents = near(EventKind::Incident);
        self.alerts = near(EventKind::MonitoringAlert);
        self.security = near(EventKind::SecurityEvent);
        self.deployments = near(EventKind::Deployment);
        self.commits = looked
            .contains(&EventKind::GitCommit)
            .then(|| of(EventKind::GitCommit, found).map(Commit::of).collect());
        self.tickets = looked.contains(&EventKind::IncidentTicket).then(|| {
            of(EventKind::IncidentTicket, found)
                .map(|one| Ticket {
                    id: one.event.id.clone(),
                    minutes: one.minutes(),
                    words: one.event.words,
                })
                .collect()
        });
    }
}

fn of<'a, 'e>(
    kind: EventKind,
    found: &'a [Correlation<'e>],
) -> impl Iterator<Item = &'a Correlation<'e>> {
    found.iter().filter(move |one| one.event.kind == kind)
}

impl Near {
    fn of(one: &Correlation<'_>) -> Self {
        let same = [Field::Resource, Field::Address, Field::Service];
        let reach = if same.iter().any(|field| one.matched.has(*field)) {
            Reach::Same
        } else if one.matched.only(Field::Environment) {
            Reach::Environment
        } else {
            Reach::Near
        };
        Self {
            id: one.event.id.clone(),
            minutes: one.minutes(),
            reach,
            severity: one.event.severity,
            open: one.during,
        }
    }
}

impl Commit {
    fn of(one: &Correlation<'_>) -> Self {
        let overlap = if one.matched.has(Field::Path) || one.matched.has(Field::Address) {
            1.0
        } else if one.matched.has(Field::Directory) {
            0.5
        } else {
            0.0
        };
        Self {
            id: one.event.id.clone(),
            minutes: one.minutes(),
            overlap,
            author_matches: one.matched.has(Field::Actor),
            words: one.event.words,
        }
    }
}
