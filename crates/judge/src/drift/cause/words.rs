//! An explanation in words, and the places in them that evidence fills.

use super::table::Evidence;
use super::{Decider, Explained};
use crate::drift::facts::{Facts, Near};
use crate::drift::features::nearest;
use crate::drift::{Cause, shown};

/// Factors told in the sentence.
const MOST_TOLD: usize = 3;

/// What a row's words are filled with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// Its id, fit to be shown.
    pub(super) id: String,
    minutes: f64,
}

/// The evidence that counts.
pub(super) fn found(evidence: Evidence, facts: &Facts) -> Option<Found> {
    let near = |near: &Near| Found { id: shown(&near.id), minutes: near.minutes };
    let commits = facts.commits.as_deref();
    match evidence {
        Evidence::Incident => facts.incidents.as_deref().and_then(nearest::incident).map(near),
        Evidence::Alert => facts.alerts.as_deref().and_then(nearest::incident).map(near),
        Evidence::Security => facts.security.as_deref().and_then(nearest::security).map(near),
        Evidence::Deployment => facts.deployments.as_deref().and_then(nearest::security).map(near),
        Evidence::Commit => commits
            .and_then(nearest::commit)
            .map(|commit| Found { id: shown(&commit.id), minutes: commit.minutes }),
        Evidence::FollowUp => commits
            .and_then(nearest::follow_up)
            .map(|commit| Found { id: shown(&commit.id), minutes: commit.minutes }),
        Evidence::Ticket => facts
            .tickets
            .as_deref()
            .and_then(nearest::ticket)
            .map(|ticket| Found { id: shown(&ticket.id), minutes: ticket.minutes }),
    }
}

/// Fills a row's words. What is filled in is not filled again.
pub(super) fn filled(words: &str, facts: &Facts, found: Option<&Found>) -> String {
    let mut filled = String::new();
    let mut rest = words;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        match place {
            "evidence" => filled.push_str(found.map_or("?", |found| &found.id)),
            "offset" => {
                filled.push_str(&found.map_or_else(|| "?".to_owned(), |it| offset(it.minutes)));
            }
            _ => filled.push_str(&actor(facts)),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn actor(facts: &Facts) -> String {
    let name = facts.actor.as_ref().and_then(|actor| actor.name.as_deref());
    name.map_or_else(|| "who changed it".to_owned(), shown)
}

/// `12 minutes before`, `3 hours after`.
fn offset(minutes: f64) -> String {
    let away = minutes.abs();
    let (number, unit) = if !away.is_finite() {
        return "at a time nobody knows".to_owned();
    } else if away < 1.0 {
        return "at that moment".to_owned();
    } else if away < 120.0 {
        (away, "minute")
    } else if away < 2880.0 {
        (away / 60.0, "hour")
    } else {
        (away / 1440.0, "day")
    };
    let whole = libm::floor(number);
    let several = if whole < 2.0 { "" } else { "s" };
    let side = if minutes < 0.0 { "before" } else { "after" };
    format!("{whole:.0} {unit}{several} {side}")
}

const fn name(cause: Cause) -> &'static str {
    match cause {
        Cause::EmergencyFix => "an emergency fix",
        Cause::ManualTroubleshooting => "troubleshooting by hand",
        Cause::SecurityResponse => "a response to a threat",
        Cause::ConfigurationError => "an error of configuration",
        Cause::AutomatedResponse => "an automatic response",
        Cause::IntentionalOverride => "intended",
        Cause::Unknown => "unknown",
    }
}

/// The explanation in a few sentences.
pub(super) fn analysis(explained: &Explained) -> String {
    let percent = |p: f64| format!("{:.0} %", p * 100.0);
    let head = match &explained.decided_by {
        Decider::Person { id } => {
            format!("{}, says {}", capital(name(explained.cause)), shown(id))
        }
        Decider::Exception { id } => format!("Intended: exception {} was approved", shown(id)),
        Decider::Rules { version } => {
            format!("{} by the rules, version {version}", likely(explained, percent))
        }
        Decider::Model { name, version } => format!(
            "{} by the model {} {}",
            likely(explained, percent),
            shown(name),
            shown(version)
        ),
    };
    let mut text = format!("{head}.");
    let told = explained.contributing_factors.iter().filter(|factor| factor.toward > 0.0);
    let told: Vec<&str> = told.take(MOST_TOLD).map(|factor| factor.words.as_str()).collect();
    if !told.is_empty() {
        text.push_str(&format!(" {}.", capital(&told.join("; "))));
    }
    let missing = &explained.temporal_context.missing;
    if !missing.is_empty() {
        let missing: Vec<&str> = missing.iter().map(|source| source.word()).collect();
        text.push_str(&format!(" Nothing is known of: {}.", missing.join(", ")));
    }
    text
}

fn likely(explained: &Explained, percent: impl Fn(f64) -> String) -> String {
    let confidence = percent(explained.confidence);
    if explained.cause == Cause::Unknown {
        format!("Unknown: the likeliest is {} with {confidence},", name(explained.likeliest))
    } else {
        format!("{} with {confidence},", capital(name(explained.cause)))
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
