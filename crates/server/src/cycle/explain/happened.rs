//! What happened around, as correlation looks at it, and the calls by what they touched and who made
//! them.

use std::collections::{BTreeSet, HashMap};

use jiff::SignedDuration;
use judge::drift::correlate::{Event, EventKind, Place};
use judge::drift::lexicon::Lexicon;
use judge::drift::who;
use model::Timestamp;
use sense::around::{Around, Called};

/// How long after a drift was noticed a call may be told to have been made: clocks differ.
const LATE: SignedDuration = SignedDuration::from_mins(15);
/// Half of the hour in which what somebody did counts together.
const HALF_HOUR: SignedDuration = SignedDuration::from_mins(30);

/// A call somebody made.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) at: Timestamp,
    pub(super) actor: Option<String>,
    pub(super) called: Called,
    /// What it touched.
    things: BTreeSet<String>,
}

/// Everything that happened.
#[derive(Debug)]
pub(super) struct Happened {
    pub(super) events: Vec<Event>,
    /// What their systems say of them, in the order of the events.
    told: HashMap<(EventKind, String, String), (String, Option<String>)>,
    calls: Vec<Call>,
    /// Calls by what they touched and by who made them, each the earliest first.
    by_thing: HashMap<String, Vec<usize>>,
    by_actor: HashMap<String, Vec<usize>>,
}

impl Happened {
    pub(super) fn of(mut all: Vec<Around>) -> Self {
        all.sort_by(|one, other| {
            (one.at, &one.system, &one.id).cmp(&(other.at, &other.system, &other.id))
        });
        let mut happened = Self {
            events: Vec::with_capacity(all.len()),
            told: HashMap::with_capacity(all.len()),
            calls: Vec::new(),
            by_thing: HashMap::new(),
            by_actor: HashMap::new(),
        };
        for one in all {
            let Ok(kind) = one.kind.parse::<EventKind>() else { continue };
            if let Some(called) = one.call.clone().filter(|called| !called.idle) {
                happened.call(&one, called);
            }
            let words = Lexicon::shipped().count(&one.text);
            let name = (kind, one.system.clone(), one.id.clone());
            happened.told.insert(name, (first_line(&one.text), one.actor.clone()));
            happened.events.push(Event {
                kind,
                system: one.system,
                id: one.id,
                at: one.at,
                until: one.until,
                place: Place {
                    environment: one.environment.map(|id| id.to_string()),
                    service: one.service,
                    resources: one.resources,
                    addresses: one.addresses,
                    paths: one.paths,
                    actors: one.actor.as_deref().map(who::names).unwrap_or_default(),
                    shared: one.shared,
                },
                severity: one.severity,
                words,
            });
        }
        happened
    }

    fn call(&mut self, one: &Around, called: Called) {
        let place = self.calls.len();
        let things: BTreeSet<String> =
            one.resources.iter().chain(&one.addresses).cloned().collect();
        for thing in &things {
            self.by_thing.entry(thing.clone()).or_default().push(place);
        }
        if let Some(actor) = &one.actor {
            self.by_actor.entry(actor.clone()).or_default().push(place);
        }
        self.calls.push(Call { at: one.at, actor: one.actor.clone(), called, things });
    }

    /// What the system of an event says of it: a line, and who.
    pub(super) fn told(&self, event: &Event) -> (&str, Option<&str>) {
        let name = (event.kind, event.system.clone(), event.id.clone());
        let told = self.told.get(&name);
        told.map_or(("", None), |(text, actor)| (text.as_str(), actor.as_deref()))
    }

    /// The last call that touched one of these things before it was noticed, within `within`.
    pub(super) fn changed_by(
        &self,
        things: &[&str],
        noticed: Timestamp,
        within: SignedDuration,
    ) -> Option<&Call> {
        let last = |thing: &&str| {
            let calls = self.by_thing.get(*thing)?;
            let end = calls.partition_point(|at| self.at(*at) <= noticed + LATE);
            calls.get(end.checked_sub(1)?).copied()
        };
        let call = self.calls.get(things.iter().filter_map(last).max()?)?;
        (call.at >= noticed - within).then_some(call)
    }

    fn at(&self, place: usize) -> Timestamp {
        self.calls.get(place).map_or(Timestamp::MAX, |call| call.at)
    }

    /// How many calls somebody made in the hour around a moment, and how many things they touched.
    pub(super) fn burst(&self, actor: &str, at: Timestamp) -> (u32, u32) {
        let Some(calls) = self.by_actor.get(actor) else { return (0, 0) };
        let from = calls.partition_point(|place| self.at(*place) < at - HALF_HOUR);
        let to = calls.partition_point(|place| self.at(*place) <= at + HALF_HOUR);
        let hour = calls.get(from..to).unwrap_or_default();
        // More than a thousand say what a thousand say.
        let things: BTreeSet<&String> = hour
            .iter()
            .take(1_000)
            .filter_map(|place| self.calls.get(*place))
            .flat_map(|call| &call.things)
            .collect();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        (count(hour.len()), count(things.len()))
    }
}

/// As much of a text as is shown.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}
