//! Triggers: patterns, time windows, time zones.

use std::collections::BTreeSet;

use super::{Found, document};
use crate::runbook::glob::Pattern;
use crate::runbook::position::escape;
use crate::runbook::{Runbook, Trigger};

pub(super) fn check(runbook: &Runbook) -> Vec<Found> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, trigger) in runbook.triggers.iter().enumerate() {
        let path = format!("/triggers/{index}");
        document::name(&mut found, &format!("{path}/name"), &trigger.name, 200);
        if !seen.insert(&trigger.name) {
            let message = format!("two triggers are named {:?}", trigger.name);
            found.push(Found::error(format!("{path}/name"), "name_twice", message));
        }
        patterns(&mut found, &path, trigger);
        window(&mut found, &path, trigger);
        let most = 31 * document::MAX_SECONDS;
        let cooldown = format!("{path}/cooldown_seconds");
        document::range(&mut found, &cooldown, trigger.cooldown_seconds, 0, most);
    }
    found
}

fn patterns(found: &mut Vec<Found>, path: &str, trigger: &Trigger) {
    let mut patterns = vec![(format!("{path}/alert_name_pattern"), &trigger.alert_name_pattern)];
    patterns
        .extend(trigger.severity_pattern.as_ref().map(|p| (format!("{path}/severity_pattern"), p)));
    patterns.extend(trigger.source_pattern.as_ref().map(|p| (format!("{path}/source_pattern"), p)));
    patterns.extend(
        trigger
            .labels_match
            .iter()
            .map(|(label, pattern)| (format!("{path}/labels_match/{}", escape(label)), pattern)),
    );
    for (path, pattern) in patterns {
        if pattern.is_empty() {
            found.push(Found::error(path, "empty", "an empty pattern matches nothing"));
        } else if let Err(reason) = Pattern::read(pattern) {
            let shown: String = pattern.chars().take(100).collect();
            found.push(Found::error(path, "pattern", format!("{shown}: {reason}")));
        }
    }
}

fn window(found: &mut Vec<Found>, path: &str, trigger: &Trigger) {
    match (trigger.time_window_start, trigger.time_window_end) {
        (Some(start), Some(end)) if start == end => found.push(Found::error(
            format!("{path}/time_window_end"),
            "window_empty",
            "the window ends when it starts",
        )),
        (Some(_), None) | (None, Some(_)) => found.push(Found::error(
            path,
            "window_half",
            "time_window_start and time_window_end go together",
        )),
        _ => {}
    }
    if jiff::tz::TimeZone::get(&trigger.timezone).is_err() {
        found.push(Found::error(
            format!("{path}/timezone"),
            "timezone",
            format!("{:?} is no IANA time zone", trigger.timezone),
        ));
    }
}
