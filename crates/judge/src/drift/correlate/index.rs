//! Events by what they have in common with a drift, and by time.
//!
//! An event without a match scores nothing, so only those are looked at that stand under one of the
//! drift's own names, and of those only the ones within the window of their kind. Under a name
//! events stand by their beginnings, each with the latest ending up to there, so that what began
//! long ago and lasts is found as well.
//!
//! Under some names stands half of everything: the pipeline's, the one large service's. So names are
//! read field by field, the telling ones first, and each from the drift outwards. What has not been
//! met under an earlier field can have nothing in common there: it scores no more than the remaining
//! fields weigh together, and less the further away it is. Reading ends when that is too little to
//! be kept.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::rules::{Rules, Window};
use super::{Correlation, Event, EventKind, Field, Matched, Place, Subject};

/// Paths, names and ids of one event that are read, the first by name.
const MOST_NAMES: usize = 1000;

/// A name as a number; equal numbers are equal names.
type Name = u32;

/// A name of a drift's that no event has.
const NOBODYS: Name = Name::MAX;

/// What an event or a drift is about, in numbers.
#[derive(Debug, Default)]
struct Names {
    environment: Option<Name>,
    service: Option<Name>,
    resources: Vec<Name>,
    addresses: Vec<Name>,
    paths: Vec<Name>,
    directories: Vec<Name>,
    actors: Vec<Name>,
    shared: Vec<Name>,
    whole: bool,
}

#[derive(Debug)]
struct Entry {
    at: i64,
    until: i64,
    kind: EventKind,
    names: Names,
}

/// An event under a name.
#[derive(Debug, Clone, Copy)]
struct Posting {
    at: i64,
    /// The latest ending of this and of those before it.
    reach: i64,
    event: usize,
}

/// The name an event stands under.
type Key = (Field, Name, EventKind);

/// Events, ready to be asked which belong to a drift.
#[derive(Debug)]
pub struct Index<'r, 'e> {
    rules: &'r Rules,
    events: Vec<&'e Event>,
    entries: Vec<Entry>,
    names: HashMap<String, Name>,
    postings: Vec<Posting>,
    ranges: HashMap<Key, Range<usize>>,
}

impl<'r, 'e> Index<'r, 'e> {
    /// Takes events of one tenant, in any order.
    #[must_use]
    pub fn new(rules: &'r Rules, events: &'e [Event]) -> Self {
        let mut names: HashMap<String, Name> = HashMap::new();
        let mut number = |text: &str| {
            if let Some(known) = names.get(text) {
                return *known;
            }
            let next = Name::try_from(names.len()).unwrap_or(NOBODYS);
            names.insert(text.to_owned(), next);
            next
        };
        let events = each_once(events);
        let mut entries = Vec::with_capacity(events.len());
        for event in &events {
            let at = event.at.as_microsecond();
            entries.push(Entry {
                at,
                until: event.until.map_or(at, |until| until.as_microsecond().max(at)),
                kind: event.kind,
                names: Names::read(&event.place, &mut number),
            });
        }
        let (postings, ranges) = posted(rules, &entries);
        Self { rules, events, entries, names, postings, ranges }
    }

    /// The events that belong to a drift, the surest first.
    #[must_use]
    pub fn of(&self, subject: &Subject) -> Vec<Correlation<'e>> {
        let names = Names::read(&subject.place, &mut |text| {
            self.names.get(text).copied().unwrap_or(NOBODYS)
        });
        let at = subject.at.as_microsecond();
        let mut best = Best::new(self.rules);
        let mut met = Met::of(self.entries.len());
        let mut remaining =
            Field::ALL.iter().fold(Matched::default(), |all, it| all.with(*it, true));
        for field in Field::ALL {
            for name in names.under(*field) {
                for kind in EventKind::ALL {
                    let Some(range) = self.ranges.get(&(*field, *name, *kind)) else { continue };
                    let window = self.rules.window(*kind);
                    let worth = |distance: i64, best: &Best<'_, '_>| {
                        best.may_take(self.rules.score(window, distance, remaining))
                    };
                    let postings = self.within(range, at, window);
                    let (before, after) =
                        postings.split_at(postings.partition_point(|posting| posting.at <= at));
                    for posting in before.iter().rev() {
                        // Neither this one nor what stands before it ended later than its reach.
                        if !worth((at - posting.reach).max(0), &best) {
                            break;
                        }
                        if met.first_time(posting.event) {
                            best.take(self.scored(posting.event, at, &names));
                        }
                    }
                    for posting in after {
                        if !worth(posting.at - at, &best) {
                            break;
                        }
                        if met.first_time(posting.event) {
                            best.take(self.scored(posting.event, at, &names));
                        }
                    }
                }
            }
            remaining = remaining.without(*field);
        }
        best.sorted()
    }

    /// The events of a range that may be near enough in time.
    fn within(&self, range: &Range<usize>, at: i64, window: Window) -> &[Posting] {
        let postings = self.postings.get(range.clone()).unwrap_or_default();
        let earliest = at.saturating_sub(window.before);
        let latest = at.saturating_add(window.after);
        let from = postings.partition_point(|posting| posting.reach < earliest);
        let to = postings.partition_point(|posting| posting.at <= latest);
        postings.get(from..to).unwrap_or_default()
    }

    fn scored(&self, event: usize, at: i64, names: &Names) -> Option<Correlation<'e>> {
        let entry = self.entries.get(event)?;
        let window = self.rules.window(entry.kind);
        let distance = if entry.at > at { entry.at - at } else { (at - entry.until).max(0) };
        let near = distance <= if entry.at > at { window.after } else { window.before };
        let elsewhere = entry
            .names
            .environment
            .is_some_and(|there| names.environment.is_some_and(|here| here != there));
        if !near || elsewhere {
            return None;
        }
        let matched = names.matched(&entry.names, window);
        let score = self.rules.score(window, distance, matched);
        (score >= self.rules.at_least).then_some(Correlation {
            event: self.events.get(event).copied()?,
            score,
            offset_micros: entry.at - at,
            during: entry.at <= at && at <= entry.until && entry.at < entry.until,
            matched,
        })
    }
}

/// Which events have been met, a bit each.
struct Met(Vec<u64>);

impl Met {
    fn of(events: usize) -> Self {
        Self(vec![0; events.div_ceil(64)])
    }

    fn first_time(&mut self, event: usize) -> bool {
        let Some(word) = self.0.get_mut(event / 64) else { return false };
        let bit = 1_u64 << (event % 64);
        let first = *word & bit == 0;
        *word |= bit;
        first
    }
}

/// The best ones found so far.
struct Best<'r, 'e> {
    rules: &'r Rules,
    found: Vec<Correlation<'e>>,
    /// The scores that would be kept, the best first.
    scores: Vec<f64>,
}

/// Two ways to the same score may differ by rounding.
const ROUNDING: f64 = 1e-9;

impl<'r, 'e> Best<'r, 'e> {
    const fn new(rules: &'r Rules) -> Self {
        Self { rules, found: Vec::new(), scores: Vec::new() }
    }

    /// Whether what scores so much might be kept.
    fn may_take(&self, score: f64) -> bool {
        let full = self.scores.len() >= self.rules.most;
        let least = self.scores.last().filter(|_| full).copied();
        score + ROUNDING >= least.unwrap_or(self.rules.at_least)
    }

    fn take(&mut self, one: Option<Correlation<'e>>) {
        let Some(one) = one.filter(|one| self.may_take(one.score)) else { return };
        let place = self.scores.partition_point(|score| *score >= one.score);
        self.scores.insert(place, one.score);
        self.scores.truncate(self.rules.most);
        self.found.push(one);
    }

    fn sorted(self) -> Vec<Correlation<'e>> {
        let Self { rules, mut found, .. } = self;
        found.sort_by(|one, other| {
            let surer = other.score.total_cmp(&one.score);
            let nearer = || one.offset_micros.abs().cmp(&other.offset_micros.abs());
            let earlier = || one.offset_micros.cmp(&other.offset_micros);
            let kind = || one.event.kind.cmp(&other.event.kind);
            let system = || one.event.system.cmp(&other.event.system);
            let id = || one.event.id.cmp(&other.event.id);
            surer
                .then_with(nearer)
                .then_with(earlier)
                .then_with(kind)
                .then_with(system)
                .then_with(id)
        });
        found.truncate(rules.most);
        found
    }
}

/// Events by what they are called, each once; of several with one name the largest, whatever order
/// they come in.
fn each_once(events: &[Event]) -> Vec<&Event> {
    let mut places: HashMap<(EventKind, &str, &str), usize> = HashMap::with_capacity(events.len());
    let mut once: Vec<&Event> = Vec::with_capacity(events.len());
    for event in events {
        let place = *places.entry((event.kind, &event.system, &event.id)).or_insert(once.len());
        match once.get_mut(place) {
            Some(known) => *known = (*known).max(event),
            None => once.push(event),
        }
    }
    once
}

/// Every event under each of its names, by their beginnings.
fn posted(rules: &Rules, entries: &[Entry]) -> (Vec<Posting>, HashMap<Key, Range<usize>>) {
    let mut keyed: Vec<(Key, i64, usize)> = Vec::new();
    for (event, entry) in entries.iter().enumerate() {
        for field in Field::ALL {
            let whole = entry.names.whole && rules.window(entry.kind).environment;
            if *field != Field::Environment || whole {
                let names = entry.names.under(*field).iter();
                keyed.extend(names.map(|name| ((*field, *name, entry.kind), entry.at, event)));
            }
        }
    }
    keyed.sort_unstable();
    let mut postings: Vec<Posting> = Vec::with_capacity(keyed.len());
    let mut ranges = HashMap::new();
    for same in keyed.chunk_by(|one, other| one.0 == other.0) {
        let from = postings.len();
        let mut reach = i64::MIN;
        for (_, at, event) in same {
            reach = reach.max(entries.get(*event).map_or(*at, |entry| entry.until));
            postings.push(Posting { at: *at, reach, event: *event });
        }
        if let Some((key, ..)) = same.first() {
            ranges.insert(*key, from..postings.len());
        }
    }
    (postings, ranges)
}

impl Names {
    fn read(place: &Place, number: &mut impl FnMut(&str) -> Name) -> Self {
        let paths = first(place.paths.iter().cloned());
        let directories = first(paths.iter().filter_map(|path| directory(path)));
        let actors = first(place.actors.iter().map(|actor| actor.to_lowercase()));
        let shared = first(place.shared.iter().cloned());
        let resources = first(place.resources.iter().cloned());
        let addresses = first(place.addresses.iter().cloned());
        let mut some = |text: &Option<String>| {
            text.as_deref().filter(|text| !text.is_empty()).map(&mut *number)
        };
        Self {
            environment: some(&place.environment),
            service: some(&place.service),
            resources: numbers(&resources, number),
            addresses: numbers(&addresses, number),
            paths: numbers(&paths, number),
            directories: numbers(&directories, number),
            actors: numbers(&actors, number),
            shared: numbers(&shared, number),
            whole: place.is_environment(),
        }
    }

    /// The names of a field.
    fn under(&self, field: Field) -> &[Name] {
        match field {
            Field::Shared => &self.shared,
            Field::Resource => &self.resources,
            Field::Address => &self.addresses,
            Field::Path => &self.paths,
            Field::Directory => &self.directories,
            Field::Service => self.service.as_slice(),
            Field::Actor => &self.actors,
            Field::Environment => self.environment.as_slice(),
        }
    }

    /// What a drift has in common with an event.
    fn matched(&self, event: &Self, window: Window) -> Matched {
        let same = |one: Option<Name>, other: Option<Name>| one.is_some() && one == other;
        let file = meet(&self.paths, &event.paths);
        Matched::default()
            .with(Field::Shared, meet(&self.shared, &event.shared))
            .with(Field::Resource, meet(&self.resources, &event.resources))
            .with(Field::Address, meet(&self.addresses, &event.addresses))
            .with(Field::Path, file)
            .with(Field::Directory, !file && meet(&self.directories, &event.directories))
            .with(Field::Service, same(self.service, event.service))
            .with(Field::Actor, meet(&self.actors, &event.actors))
            .with(
                Field::Environment,
                window.environment && event.whole && same(self.environment, event.environment),
            )
    }
}

/// The first names, each once; empty ones are none.
fn first(names: impl Iterator<Item = String>) -> BTreeSet<String> {
    let names: BTreeSet<String> = names.filter(|name| !name.is_empty()).collect();
    names.into_iter().take(MOST_NAMES).collect()
}

/// The numbers of names, ascending.
fn numbers(names: &BTreeSet<String>, number: &mut impl FnMut(&str) -> Name) -> Vec<Name> {
    let mut numbers: Vec<Name> = names.iter().map(|name| number(name)).collect();
    numbers.sort_unstable();
    numbers
}

/// Whether two ascending lists have something in common.
fn meet(one: &[Name], other: &[Name]) -> bool {
    let (mut ones, mut others) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(first), Some(second)) = (ones.peek(), others.peek()) {
        match first.cmp(second) {
            std::cmp::Ordering::Less => ones.next(),
            std::cmp::Ordering::Greater => others.next(),
            std::cmp::Ordering::Equal => return true,
        };
    }
    false
}

/// The directory of a file: `modules/net` of `modules/net/main.tf`. Files at the root have none in
/// common.
fn directory(path: &str) -> Option<String> {
    path.rsplit_once('/').map(|(directory, _)| directory.to_owned())
}
