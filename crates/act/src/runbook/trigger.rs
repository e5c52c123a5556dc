//! Which runbooks an alert starts, and why each trigger did or did not match.

use std::collections::BTreeMap;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::finding::{Alert, SourceStatus};
use model::id::{RunbookId, TriggerId};
use model::intent::ExecutionMode;
use serde::Serialize;

use super::glob::Pattern;
use super::status::Status;
use super::{Runbook, Trigger, select};

/// A runbook with the ids of its triggers, in its own order.
#[derive(Debug, Clone, PartialEq)]
pub struct Armed {
    /// Its id.
    pub id: RunbookId,
    /// Its version.
    pub version: u32,
    /// What it says.
    pub runbook: Runbook,
    /// An id for each of its triggers.
    pub triggers: Vec<TriggerId>,
}

/// When a trigger last started something on a target, the target named as
/// [`select::target_key`] names it.
pub type LastTriggered = BTreeMap<(TriggerId, String), Timestamp>;

/// What a trigger asks of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// The alert is firing.
    Firing,
    /// The runbook is active.
    Active,
    /// The runbook's mode lets alerts start it.
    Mode,
    /// The trigger is enabled.
    Enabled,
    /// The alert's name.
    AlertName,
    /// Its severity.
    Severity,
    /// Its source.
    Source,
    /// Its labels.
    Labels,
    /// The time of day.
    TimeWindow,
    /// The time since the last start.
    Cooldown,
}

/// How one criterion came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Which.
    pub criterion: Criterion,
    /// Whether it holds.
    pub holds: bool,
    /// Why, in words.
    pub reason: String,
}

/// How one trigger came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its runbook.
    pub runbook_id: RunbookId,
    /// That runbook's name.
    pub runbook: String,
    /// The trigger.
    pub trigger_id: TriggerId,
    /// Its name.
    pub trigger: String,
    /// Its priority.
    pub priority: i32,
    /// Every criterion, those that failed and those that did not.
    pub verdicts: Vec<Verdict>,
    /// Whether all of them hold.
    pub matched: bool,
    /// Whether it is the one its runbook starts by.
    pub chosen: bool,
}

/// A runbook to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Match {
    /// The runbook.
    pub runbook_id: RunbookId,
    /// Its version.
    pub version: u32,
    /// The trigger that won.
    pub trigger_id: TriggerId,
    /// Its priority; the lowest number wins.
    pub priority: i32,
    /// What the target is called, for the cooldown.
    pub target: String,
}

/// Patterns, each read once however many alerts are held against it: reading one costs far more than
/// matching it.
#[derive(Debug, Default)]
struct Patterns(BTreeMap<String, Result<Pattern, String>>);

impl Patterns {
    fn read(&mut self, text: &str) -> &Result<Pattern, String> {
        self.0.entry(text.to_owned()).or_insert_with(|| Pattern::read(text))
    }
}

/// One alert of the past, as it came.
#[derive(Debug, Clone)]
pub struct Past {
    /// The alert, with the status it had then.
    pub alert: Alert,
    /// When it came.
    pub at: Timestamp,
}

/// What each alert of the past would have started, had this runbook been active.
///
/// The reports of its triggers, in the order of the alerts given. The time of day is that of each alert, and a cooldown
/// runs from what an earlier one of them would have started.
#[must_use]
pub fn rehearse(past: &[Past], armed: &Armed) -> Vec<Vec<Report>> {
    let runbook = Runbook { status: Status::Active, ..armed.runbook.clone() };
    let armed = Armed { runbook, ..armed.clone() };
    let mut order: Vec<(usize, &Past)> = past.iter().enumerate().collect();
    order.sort_by_key(|(_, one)| one.at);
    let (mut patterns, mut last) = (Patterns::default(), LastTriggered::new());
    let mut all = vec![Vec::new(); past.len()];
    for (place, one) in order {
        let runbooks = std::slice::from_ref(&armed);
        let reports = told(&one.alert, runbooks, one.at, &last, &mut patterns);
        for report in reports.iter().filter(|report| report.chosen) {
            let target = select::target_key(&armed.runbook, &one.alert);
            last.insert((report.trigger_id, target), one.at);
        }
        if let Some(at) = all.get_mut(place) {
            *at = reports;
        }
    }
    all
}

/// The runbooks an alert starts, best priority first: one match a runbook, by its trigger with the
/// lowest number (the first of equals).
#[must_use]
pub fn best_matches(
    alert: &Alert,
    runbooks: &[Armed],
    now: Timestamp,
    last_triggered: &LastTriggered,
) -> Vec<Match> {
    let mut matches: Vec<Match> = reports(alert, runbooks, now, last_triggered)
        .into_iter()
        .filter(|report| report.chosen)
        .filter_map(|report| {
            let armed = runbooks.iter().find(|armed| armed.id == report.runbook_id)?;
            Some(Match {
                runbook_id: armed.id,
                version: armed.version,
                trigger_id: report.trigger_id,
                priority: report.priority,
                target: select::target_key(&armed.runbook, alert),
            })
        })
        .collect();
    matches.sort_by_key(|found| found.priority);
    matches
}

/// Every trigger, with the reason why it matched or did not.
#[must_use]
pub fn reports(
    alert: &Alert,
    runbooks: &[Armed],
    now: Timestamp,
    last_triggered: &LastTriggered,
) -> Vec<Report> {
    told(alert, runbooks, now, last_triggered, &mut Patterns::default())
}

fn told(
    alert: &Alert,
    runbooks: &[Armed],
    now: Timestamp,
    last_triggered: &LastTriggered,
    patterns: &mut Patterns,
) -> Vec<Report> {
    let mut all = Vec::new();
    for armed in runbooks {
        let target = select::target_key(&armed.runbook, alert);
        let mut reports: Vec<Report> = armed
            .runbook
            .triggers
            .iter()
            .zip(&armed.triggers)
            .map(|(trigger, id)| {
                let last = last_triggered.get(&(*id, target.clone())).copied();
                let verdicts = verdicts(alert, &armed.runbook, trigger, (now, last), patterns);
                report(armed, trigger, *id, verdicts)
            })
            .collect();
        let best = reports.iter_mut().filter(|report| report.matched).min_by_key(|r| r.priority);
        if let Some(best) = best {
            best.chosen = true;
        }
        all.extend(reports);
    }
    all
}

fn verdicts(
    alert: &Alert,
    runbook: &Runbook,
    trigger: &Trigger,
    (now, last): (Timestamp, Option<Timestamp>),
    patterns: &mut Patterns,
) -> Vec<Verdict> {
    vec![
        verdict(
            Criterion::Firing,
            alert.status == SourceStatus::Firing,
            format!("the alert is {}", alert.status),
        ),
        verdict(
            Criterion::Active,
            runbook.status == Status::Active,
            format!("the runbook is {}", runbook.status),
        ),
        verdict(
            Criterion::Mode,
            runbook.mode != ExecutionMode::Manual,
            format!("its mode is {}", runbook.mode),
        ),
        verdict(
            Criterion::Enabled,
            trigger.enabled,
            format!("the trigger is {}", if trigger.enabled { "enabled" } else { "disabled" }),
        ),
        pattern(Criterion::AlertName, Some(&trigger.alert_name_pattern), &[&alert.name], patterns),
        pattern(
            Criterion::Severity,
            trigger.severity_pattern.as_ref(),
            &[&alert.severity_raw, alert.severity.word()],
            patterns,
        ),
        pattern(Criterion::Source, trigger.source_pattern.as_ref(), &[&alert.source], patterns),
        labels(&trigger.labels_match, &alert.labels, patterns),
        window(trigger, now),
        cooldown(trigger.cooldown_seconds, now, last),
    ]
}

fn report(
    armed: &Armed,
    trigger: &Trigger,
    trigger_id: TriggerId,
    verdicts: Vec<Verdict>,
) -> Report {
    Report {
        runbook_id: armed.id,
        runbook: armed.runbook.name.clone(),
        trigger_id,
        trigger: trigger.name.clone(),
        priority: trigger.priority,
        matched: verdicts.iter().all(|verdict| verdict.holds),
        verdicts,
        chosen: false,
    }
}

fn verdict(criterion: Criterion, holds: bool, reason: String) -> Verdict {
    Verdict { criterion, holds, reason }
}

/// Whether one of the texts matches; no pattern matches everything, a broken one nothing.
fn pattern(
    criterion: Criterion,
    pattern: Option<&String>,
    texts: &[&str],
    patterns: &mut Patterns,
) -> Verdict {
    let Some(pattern) = pattern else {
        return verdict(criterion, true, "nothing is asked".to_owned());
    };
    match patterns.read(pattern) {
        Err(reason) => verdict(criterion, false, format!("{pattern}: {reason}")),
        Ok(read) => {
            let holds = texts.iter().any(|text| read.matches(text));
            let does = if holds { "matches" } else { "does not match" };
            verdict(criterion, holds, format!("{pattern} {does} {}", texts.join(" or ")))
        }
    }
}

fn labels(
    wanted: &BTreeMap<String, String>,
    has: &BTreeMap<String, String>,
    patterns: &mut Patterns,
) -> Verdict {
    for (label, pattern) in wanted {
        let reason = match has.get(label) {
            None => format!("the label {label} is missing"),
            Some(value) => match patterns.read(pattern) {
                Ok(read) if read.matches(value) => continue,
                Ok(_) => format!("{label}: {pattern} does not match {value}"),
                Err(reason) => format!("{label}: {pattern}: {reason}"),
            },
        };
        return verdict(Criterion::Labels, false, reason);
    }
    verdict(Criterion::Labels, true, format!("{} labels match", wanted.len()))
}

/// Whether the local time lies in the window: from its start up to, not including, its end. A
/// window whose end is before its start runs over midnight. Local times that a change of clocks
/// skips never come; those it repeats come twice.
fn window(trigger: &Trigger, now: Timestamp) -> Verdict {
    let (start, end) = match (trigger.time_window_start, trigger.time_window_end) {
        (Some(start), Some(end)) => (start, end),
        (None, None) => return verdict(Criterion::TimeWindow, true, "nothing is asked".to_owned()),
        _ => return verdict(Criterion::TimeWindow, false, "the window is half given".to_owned()),
    };
    let Ok(zone) = TimeZone::get(&trigger.timezone) else {
        let reason = format!("{} is no time zone", trigger.timezone);
        return verdict(Criterion::TimeWindow, false, reason);
    };
    let local: Time = now.to_zoned(zone).time();
    let holds =
        if start <= end { start <= local && local < end } else { start <= local || local < end };
    let place = if holds { "within" } else { "outside" };
    let reason = format!(
        "{} in {} is {place} {start} to {end}",
        local.strftime("%H:%M:%S"),
        trigger.timezone
    );
    verdict(Criterion::TimeWindow, holds, reason)
}

fn cooldown(seconds: u32, now: Timestamp, last: Option<Timestamp>) -> Verdict {
    let Some(last) = last else {
        return verdict(Criterion::Cooldown, true, "it has not started here before".to_owned());
    };
    let passed = now.duration_since(last);
    let holds = passed >= SignedDuration::from_secs(i64::from(seconds));
    let reason = format!("{} of {seconds} seconds have passed", passed.as_secs());
    verdict(Criterion::Cooldown, holds, reason)
}

#[cfg(test)]
mod tests;
