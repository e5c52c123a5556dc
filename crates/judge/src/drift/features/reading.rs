//! How a feature is read from the facts.

use std::f64::consts::TAU;

use super::nearest;
use crate::drift::facts::{
    ActorKind, Calendar, Commit, Facts, History, LocalTime, Near, Property, Source, Tool,
};
use crate::drift::lexicon::{PropertyKind, Words};

/// Counts are cut here: a burst of a thousand says what one of ten thousand says.
const MOST: u32 = 1000;
const MINUTES_OF_DAY: u16 = 1440;

pub(super) const fn yes(flag: bool) -> f64 {
    if flag { 1.0 } else { 0.0 }
}

/// `ln(1 + n)`, n at most a thousand.
pub(super) fn number(n: u32) -> f64 {
    libm::log1p(f64::from(n.min(MOST)))
}

pub(super) fn length<T>(all: &[T]) -> f64 {
    number(u32::try_from(all.len()).unwrap_or(MOST))
}

/// The hour as an angle.
pub(super) fn day(time: LocalTime) -> f64 {
    f64::from(time.minute % MINUTES_OF_DAY) / f64::from(MINUTES_OF_DAY) * TAU
}

/// The weekday as an angle, with the hour.
pub(super) fn week(time: LocalTime) -> f64 {
    (f64::from(time.weekday % 7) * TAU + day(time)) / 7.0
}

pub(super) fn off_hours(time: LocalTime) -> bool {
    time.weekday >= 5 || !(8 * 60..18 * 60).contains(&time.minute)
}

pub(super) fn maintenance(calendar: Calendar) -> f64 {
    calendar.hours_since_maintenance.map_or(0.0, nearest::day_closeness)
}

pub(super) fn undone(history: History) -> f64 {
    history.reverted_after_minutes.map_or(0.0, nearest::undone_closeness)
}

pub(super) fn actor(facts: &Facts, kind: ActorKind) -> Option<f64> {
    facts.actor.as_ref().map(|actor| yes(actor.kind == kind))
}

pub(super) fn tool(facts: &Facts, tool: Tool) -> Option<f64> {
    facts.tool.map(|used| yes(used == tool))
}

/// Something of the event that counts; 0 where there is none.
#[expect(clippy::ref_option, reason = "a field is handed in as it stands")]
pub(super) fn near(
    all: &Option<Vec<Near>>,
    which: fn(&[Near]) -> Option<&Near>,
    read: fn(&Near) -> f64,
) -> Option<f64> {
    all.as_deref().map(|all| which(all).map_or(0.0, read))
}

pub(super) fn commit(facts: &Facts, read: fn(&Commit) -> f64) -> Option<f64> {
    facts.commits.as_deref().map(|all| nearest::commit(all).map_or(0.0, read))
}

/// Of the commits that touch the declaration or are the actor's.
pub(super) fn commit_words(facts: &Facts, read: fn(Words) -> u32) -> Option<f64> {
    let all = facts.commits.as_deref()?;
    let related = all.iter().filter(|commit| commit.overlap > 0.0 || commit.author_matches);
    Some(number(read(related.map(|commit| commit.words).fold(Words::default(), Words::largest))))
}

pub(super) fn ticket_words(facts: &Facts, read: fn(Words) -> u32) -> Option<f64> {
    let all = facts.tickets.as_deref()?.iter().map(|ticket| ticket.words);
    Some(number(read(all.fold(Words::default(), Words::largest))))
}

/// Which share of the properties are such; 0 of none.
pub(super) fn part(facts: &Facts, such: impl Fn(&Property) -> bool) -> f64 {
    let (mut all, mut those) = (0.0_f64, 0.0_f64);
    for property in &facts.properties {
        all += 1.0;
        those += yes(such(property));
    }
    those / all.max(1.0)
}

pub(super) fn kind_part(facts: &Facts, kind: PropertyKind) -> f64 {
    part(facts, |property| property.kind == Some(kind))
}

pub(super) fn missing(facts: &Facts, source: Source) -> f64 {
    yes(!facts.has(source))
}
