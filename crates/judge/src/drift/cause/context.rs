//! What is kept beside a cause: what happened when, and who it was.

use serde::Serialize;

use crate::drift::facts::{ActorKind, Facts, Near, Source, Tool};
use crate::drift::features::nearest;
use crate::drift::shown;

/// Commits named with an attribution.
const MOST_COMMITS: usize = 5;

/// What happened when: the column `temporal_context`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Temporal {
    /// Hour and minute on the clock of those who work there: `07:30`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_time: Option<String>,
    /// Days since Monday.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekday: Option<u8>,
    /// Whether that is when it was changed, and not when it was noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<bool>,
    /// Whether a change window was open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside_change_window: Option<bool>,
    /// Whether changes were frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze: Option<bool>,
    /// What counted of what happened around it.
    pub nearest: Vec<Moment>,
    /// Minutes until it was put back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reverted_after_minutes: Option<f64>,
    /// The sources nobody has.
    pub missing: Vec<Source>,
}

/// Something that happened around a drift.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moment {
    /// Which source knows it.
    pub source: Source,
    /// Its id, fit to be shown.
    pub id: String,
    /// In minutes from the drift; negative is before. Absent when it is no number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_minutes: Option<f64>,
}

impl Moment {
    fn of(source: Source, id: &str, minutes: f64) -> Self {
        Self { source, id: shown(id), offset_minutes: usable(minutes) }
    }
}

fn usable(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

impl Temporal {
    pub(super) fn of(facts: &Facts) -> Self {
        let near = |source: Source, all: Option<&[Near]>, which: fn(&[Near]) -> Option<&Near>| {
            let near = all.and_then(which)?;
            Some(Moment::of(source, &near.id, near.minutes))
        };
        let commit = facts.commits.as_deref().and_then(nearest::commit);
        let ticket = facts.tickets.as_deref().and_then(nearest::ticket);
        let moments = [
            near(Source::Incidents, facts.incidents.as_deref(), nearest::incident),
            near(Source::Alerts, facts.alerts.as_deref(), nearest::incident),
            near(Source::Security, facts.security.as_deref(), nearest::security),
            near(Source::Deployments, facts.deployments.as_deref(), nearest::security),
            commit.map(|commit| Moment::of(Source::Commits, &commit.id, commit.minutes)),
            ticket.map(|ticket| Moment::of(Source::Tickets, &ticket.id, ticket.minutes)),
        ];
        let history = facts.history.and_then(|history| history.reverted_after_minutes);
        Self {
            local_time: facts
                .time
                .map(|time| format!("{:02}:{:02}", time.minute / 60 % 24, time.minute % 60)),
            weekday: facts.time.map(|time| time.weekday % 7),
            exact: facts.time.map(|time| time.exact),
            inside_change_window: facts.calendar.map(|calendar| calendar.inside_change_window),
            freeze: facts.calendar.map(|calendar| calendar.freeze),
            nearest: moments.into_iter().flatten().collect(),
            reverted_after_minutes: history.and_then(usable),
            missing: Source::ALL.iter().copied().filter(|source| !facts.has(*source)).collect(),
        }
    }
}

/// Who it was: the column `user_attribution`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Attribution {
    /// What they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ActorKind>,
    /// What the provider calls them, fit to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// What they used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<Tool>,
    /// Whether they were logged in with a second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa: Option<bool>,
    /// Whether they were logged in with a role kept for emergencies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<bool>,
    /// Commits of theirs around it, the nearest first.
    pub commits: Vec<Moment>,
}

impl Attribution {
    pub(super) fn of(facts: &Facts) -> Self {
        let all = facts.commits.iter().flatten();
        let mut theirs: Vec<_> = all.filter(|commit| commit.author_matches).collect();
        theirs.sort_by(|one, other| {
            let distance = one.minutes.abs().total_cmp(&other.minutes.abs());
            distance.then_with(|| one.id.cmp(&other.id))
        });
        theirs.truncate(MOST_COMMITS);
        let actor = facts.actor.as_ref();
        Self {
            kind: actor.map(|actor| actor.kind),
            actor: actor.and_then(|actor| actor.name.as_deref()).map(shown),
            tool: facts.tool,
            mfa: facts.session.map(|session| session.mfa),
            break_glass: facts.session.map(|session| session.break_glass),
            commits: theirs
                .into_iter()
                .map(|commit| Moment::of(Source::Commits, &commit.id, commit.minutes))
                .collect(),
        }
    }
}
