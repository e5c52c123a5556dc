//! Which triggers match, and what is said of those that do not.

use super::*;
use crate::runbook::compile::tests::{alert, runbook};
use crate::runbook::parse::from_yaml;

const NOW: &str = "2026-03-01T12:00:00Z";

fn trigger(name: &str, priority: i32) -> Trigger {
    let text = "name: a\nsteps: []\ntriggers:\n  - name: t\n    alert_name_pattern: ServiceDown*\n";
    let mut trigger = from_yaml(text).unwrap().triggers.remove(0);
    trigger.name = name.to_owned();
    trigger.priority = priority;
    trigger
}

fn armed(name: &str, triggers: Vec<Trigger>) -> Armed {
    let mut runbook = runbook("a");
    runbook.name = name.to_owned();
    runbook.status = Status::Active;
    let ids = triggers.iter().map(|_| TriggerId::generate()).collect();
    runbook.triggers = triggers;
    Armed { id: RunbookId::generate(), version: 1, runbook, triggers: ids }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// The criteria that fail for one trigger.
fn failing(alert: &Alert, armed: &Armed, now: Timestamp, last: &LastTriggered) -> Vec<Criterion> {
    let report = reports(alert, std::slice::from_ref(armed), now, last).remove(0);
    assert_eq!(report.verdicts.len(), 10);
    let failing: Vec<_> =
        report.verdicts.iter().filter(|verdict| !verdict.holds).map(|v| v.criterion).collect();
    assert_eq!(report.matched, failing.is_empty());
    failing
}

#[test]
fn every_criterion_is_judged_and_named() {
    let alert = alert(&[("type", "service"), ("team", "core")]);
    type Case = (fn(&mut Armed, &mut Alert), &'static [Criterion]);
    let cases: [Case; 14] = [
        (|_, _| {}, &[]),
        (|_, alert| alert.status = SourceStatus::Resolved, &[Criterion::Firing]),
        (|one, _| one.runbook.status = Status::Draft, &[Criterion::Active]),
        (|one, _| one.runbook.mode = ExecutionMode::Manual, &[Criterion::Mode]),
        (|one, _| one.runbook.triggers[0].enabled = false, &[Criterion::Enabled]),
        (
            |one, _| one.runbook.triggers[0].alert_name_pattern = "Disk*".into(),
            &[Criterion::AlertName],
        ),
        (|one, _| one.runbook.triggers[0].alert_name_pattern = "re:Service.*".into(), &[]),
        (|one, _| one.runbook.triggers[0].severity_pattern = Some("crit*".into()), &[]),
        (
            |one, _| one.runbook.triggers[0].severity_pattern = Some("low".into()),
            &[Criterion::Severity],
        ),
        (|_, alert| alert.severity_raw = "page".into(), &[]),
        (
            |one, _| one.runbook.triggers[0].source_pattern = Some("nagios".into()),
            &[Criterion::Source],
        ),
        (
            |one, _| {
                one.runbook.triggers[0].labels_match.insert("type".into(), "serv*".into());
            },
            &[],
        ),
        (
            |one, _| {
                one.runbook.triggers[0].labels_match.insert("type".into(), "serv".into());
            },
            &[Criterion::Labels],
        ),
        (
            |one, alert| {
                one.runbook.triggers[0].labels_match.insert("zone".into(), "*".into());
                alert.status = SourceStatus::Resolved;
            },
            &[Criterion::Firing, Criterion::Labels],
        ),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        let (mut one, mut alert) = (armed("r", vec![trigger("t", 1)]), alert.clone());
        change(&mut one, &mut alert);
        assert_eq!(failing(&alert, &one, now(), &LastTriggered::new()), expected, "case {index}");
    }
}

#[test]
fn the_lowest_priority_wins_once_for_each_runbook() {
    let mut off = trigger("off", 1);
    off.enabled = false;
    let one =
        armed("one", vec![trigger("late", 50), off, trigger("first", 10), trigger("second", 10)]);
    let two = armed("two", vec![trigger("only", 5)]);
    let ids = (one.triggers[2], two.triggers[0]);
    let runbooks = [one, two];
    let found = best_matches(&alert(&[]), &runbooks, now(), &LastTriggered::new());
    let won: Vec<_> = found.iter().map(|found| found.trigger_id).collect();
    assert_eq!(won, [ids.1, ids.0]);
    assert_eq!(found[0].target, "web1");
    let all = reports(&alert(&[]), &runbooks, now(), &LastTriggered::new());
    let chosen: Vec<_> = all.iter().filter(|r| r.chosen).map(|r| r.trigger.as_str()).collect();
    assert_eq!(chosen, ["first", "only"]);
    assert_eq!(all.len(), 5);
}

#[test]
fn a_resolved_alert_starts_nothing() {
    let mut resolved = alert(&[]);
    resolved.status = SourceStatus::Resolved;
    let runbooks = [armed("r", vec![trigger("t", 1)])];
    assert!(best_matches(&resolved, &runbooks, now(), &LastTriggered::new()).is_empty());
}

#[test]
fn cooldown_counts_for_each_target() {
    let mut slow = trigger("t", 1);
    slow.cooldown_seconds = 300;
    let one = armed("r", vec![slow]);
    let key = |target: &str| (one.triggers[0], target.to_owned());
    let since = |seconds: i64| now() - SignedDuration::from_secs(seconds);
    for (target, ago, expected) in [
        ("web1", 299, vec![Criterion::Cooldown]),
        ("web1", 300, vec![]),
        ("web1", -5, vec![Criterion::Cooldown]),
        ("web2", 1, vec![]),
    ] {
        let last = LastTriggered::from([(key(target), since(ago))]);
        assert_eq!(failing(&alert(&[]), &one, now(), &last), expected, "{target} {ago}");
    }
}

#[test]
fn time_windows_follow_the_zone_over_midnight_and_clock_changes() {
    for (start, end, zone, at, expected) in [
        ("09:00", "17:00", "UTC", "2026-03-01T09:00:00Z", true),
        ("09:00", "17:00", "UTC", "2026-03-01T17:00:00Z", false),
        ("09:00", "17:00", "Asia/Tokyo", "2026-03-01T00:00:00Z", true),
        ("22:00", "06:00", "UTC", "2026-03-01T23:00:00Z", true),
        ("22:00", "06:00", "UTC", "2026-03-01T05:59:59Z", true),
        ("22:00", "06:00", "UTC", "2026-03-01T06:00:00Z", false),
        ("22:00", "06:00", "UTC", "2026-03-01T12:00:00Z", false),
        // Berlin goes to summer time on 29 March 2026 at 01:00 UTC: 02:00 to 03:00 is skipped.
        ("02:00", "03:00", "Europe/Berlin", "2026-03-29T00:59:59Z", false),
        ("02:00", "03:00", "Europe/Berlin", "2026-03-29T01:00:00Z", false),
        ("03:00", "04:00", "Europe/Berlin", "2026-03-29T01:00:00Z", true),
        ("01:00", "04:00", "Europe/Berlin", "2026-03-29T01:30:00Z", true),
        // And back on 25 October 2026 at 01:00 UTC: 02:00 to 03:00 comes twice.
        ("02:00", "03:00", "Europe/Berlin", "2026-10-25T00:30:00Z", true),
        ("02:00", "03:00", "Europe/Berlin", "2026-10-25T01:30:00Z", true),
        ("02:00", "03:00", "Europe/Berlin", "2026-10-25T02:00:00Z", false),
    ] {
        let mut windowed = trigger("t", 1);
        windowed.time_window_start = Some(start.parse().unwrap());
        windowed.time_window_end = Some(end.parse().unwrap());
        windowed.timezone = zone.to_owned();
        let one = armed("r", vec![windowed]);
        let found = failing(&alert(&[]), &one, at.parse().unwrap(), &LastTriggered::new());
        let wanted: &[Criterion] = if expected { &[] } else { &[Criterion::TimeWindow] };
        assert_eq!(found, wanted, "{start}-{end} {zone} at {at}");
    }
}

#[test]
fn what_the_past_would_have_started_keeps_to_cooldowns_and_the_time_of_each_alert() {
    let mut one = armed("a", vec![trigger("t", 1)]);
    one.runbook.status = Status::Draft;
    one.runbook.triggers[0].cooldown_seconds = 600;
    one.runbook.triggers[0].time_window_start = Some(Time::constant(9, 0, 0, 0));
    one.runbook.triggers[0].time_window_end = Some(Time::constant(17, 0, 0, 0));
    let at = |time: &str, instance: &str| {
        let mut alert = alert(&[("instance", instance)]);
        alert.instance = instance.to_owned();
        Past { alert, at: format!("2026-03-01T{time}Z").parse().unwrap() }
    };
    // Newest first, as they are listed.
    let past = [
        at("18:00:00", "web-1"),
        at("12:11:00", "web-1"),
        at("12:05:00", "web-2"),
        at("12:05:00", "web-1"),
        at("12:00:00", "web-1"),
    ];
    let reports = rehearse(&past, &one);
    let failing = |place: usize| -> Vec<Criterion> {
        let verdicts = &reports[place][0].verdicts;
        verdicts.iter().filter(|one| !one.holds).map(|one| one.criterion).collect()
    };
    assert_eq!(failing(0), [Criterion::TimeWindow]);
    assert_eq!(failing(1), [], "ten minutes after the one that started it, not after the last");
    assert_eq!(failing(2), [], "another server");
    assert_eq!(failing(3), [Criterion::Cooldown]);
    assert!(reports[4][0].chosen);
}
