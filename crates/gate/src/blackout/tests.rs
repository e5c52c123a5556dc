use jiff::SignedDuration;
use jiff::civil::{DateTime, date};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn draft(recurrence: Recurrence, start: &str, end: &str, zone: &str) -> Draft {
    Draft {
        id: BlackoutId::generate(),
        name: "night".into(),
        kind: WindowKind::Deny,
        recurrence,
        pattern: Value::Null,
        opens: start.parse().unwrap(),
        closes: end.parse().unwrap(),
        zone: zone.into(),
        servers: Value::Null,
        runbooks: Value::Null,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[track_caller]
fn check(window: &Window, cases: &[(&str, Option<&str>)]) {
    for (instant, until) in cases {
        let found = active(window, at(instant)).map(|active| active.until);
        assert_eq!(found, until.map(at), "at {instant}");
    }
}

#[test]
fn behaviour_7_a_berlin_night_blocks_across_midnight_and_both_clock_changes() {
    let night = draft(Recurrence::Daily, "2026-01-01T22:00", "2026-01-02T06:00", "Europe/Berlin");
    let night = Window::parse(&night).unwrap();
    check(
        &night,
        &[
            // An ordinary winter night: 22:00+01:00 to 06:00+01:00.
            ("2026-01-10T20:59:59Z", None),
            ("2026-01-10T21:00:00Z", Some("2026-01-11T05:00:00Z")),
            ("2026-01-11T00:30:00Z", Some("2026-01-11T05:00:00Z")),
            ("2026-01-11T05:00:00Z", None),
            // 29 March 2026: the clock skips 02:00 to 03:00, the night lasts seven hours.
            ("2026-03-28T20:59:59Z", None),
            ("2026-03-28T21:00:00Z", Some("2026-03-29T04:00:00Z")),
            ("2026-03-29T03:59:59Z", Some("2026-03-29T04:00:00Z")),
            ("2026-03-29T04:00:00Z", None),
            // 25 October 2026: 02:00 to 03:00 comes twice, the night lasts nine hours.
            ("2026-10-24T19:59:59Z", None),
            ("2026-10-24T20:00:00Z", Some("2026-10-25T05:00:00Z")),
            ("2026-10-25T04:59:59Z", Some("2026-10-25T05:00:00Z")),
            ("2026-10-25T05:00:00Z", None),
        ],
    );
}

#[test]
fn behaviour_7_a_new_york_night_blocks_across_midnight_and_both_clock_changes() {
    let night =
        draft(Recurrence::Daily, "2026-01-01T22:00", "2026-01-02T06:00", "America/New_York");
    let night = Window::parse(&night).unwrap();
    check(
        &night,
        &[
            // 8 March 2026.
            ("2026-03-08T02:59:59Z", None),
            ("2026-03-08T03:00:00Z", Some("2026-03-08T10:00:00Z")),
            ("2026-03-08T09:59:59Z", Some("2026-03-08T10:00:00Z")),
            ("2026-03-08T10:00:00Z", None),
            // 1 November 2026.
            ("2026-11-01T01:59:59Z", None),
            ("2026-11-01T02:00:00Z", Some("2026-11-01T11:00:00Z")),
            ("2026-11-01T10:59:59Z", Some("2026-11-01T11:00:00Z")),
            ("2026-11-01T11:00:00Z", None),
        ],
    );
}

#[test]
fn a_window_inside_the_repeated_hour_denies_through_both_readings() {
    let zone = "Europe/Berlin";
    let mut raw = draft(Recurrence::Daily, "2026-01-01T02:30", "2026-01-01T02:45", zone);
    let deny = Window::parse(&raw).unwrap();
    check(
        &deny,
        &[
            ("2026-10-25T00:29:00Z", None),
            ("2026-10-25T00:30:00Z", Some("2026-10-25T01:45:00Z")),
            ("2026-10-25T01:10:00Z", Some("2026-10-25T01:45:00Z")),
            ("2026-10-25T01:45:00Z", None),
            // Skipped in spring: the clock never reads 02:30.
            ("2026-03-29T01:00:00Z", None),
        ],
    );
    raw.kind = WindowKind::AllowOnly;
    let maintenance = Window::parse(&raw).unwrap();
    // Read narrowly, it starts after it would have to end: no maintenance on that day.
    check(&maintenance, &[("2026-10-25T00:31:00Z", None), ("2026-10-25T01:31:00Z", None)]);
}

#[test]
fn weekly_and_monthly_windows_come_on_their_days_only() {
    let mut raw = draft(Recurrence::Weekly, "2026-01-02T23:00", "2026-01-03T01:00", "UTC");
    raw.pattern = json!({"days_of_week": ["fri", "sunday"]});
    let weekend = Window::parse(&raw).unwrap();
    check(
        &weekend,
        &[
            ("2026-01-09T23:30:00Z", Some("2026-01-10T01:00:00Z")),
            ("2026-01-10T00:30:00Z", Some("2026-01-10T01:00:00Z")),
            ("2026-01-10T23:30:00Z", None),
            ("2026-01-11T23:30:00Z", Some("2026-01-12T01:00:00Z")),
            // Before the first occurrence there is none.
            ("2025-12-26T23:30:00Z", None),
        ],
    );
    let mut raw = draft(Recurrence::Monthly, "2026-01-31T23:00", "2026-02-01T02:00", "UTC");
    raw.pattern = json!({"days_of_month": [15, -1]});
    let month_end = Window::parse(&raw).unwrap();
    check(
        &month_end,
        &[
            ("2026-02-28T23:30:00Z", Some("2026-03-01T02:00:00Z")),
            ("2026-03-01T01:59:00Z", Some("2026-03-01T02:00:00Z")),
            ("2026-03-15T23:30:00Z", Some("2026-03-16T02:00:00Z")),
            ("2026-03-30T23:30:00Z", None),
        ],
    );
    assert_eq!(month_end.next(at("2026-02-20T00:00:00Z")), Some(at("2026-02-28T23:00:00Z")));
}

#[test]
fn a_window_without_recurrence_is_active_once() {
    let once = draft(Recurrence::None, "2026-05-01T08:00", "2026-05-03T08:00", "Asia/Tokyo");
    let once = Window::parse(&once).unwrap();
    check(
        &once,
        &[
            ("2026-04-30T22:59:59Z", None),
            ("2026-04-30T23:00:00Z", Some("2026-05-02T23:00:00Z")),
            ("2026-05-02T23:00:00Z", None),
            ("2027-05-01T00:00:00Z", None),
        ],
    );
}

#[test]
fn what_cannot_be_understood_is_refused_with_its_field() {
    let good = draft(Recurrence::Daily, "2026-01-01T22:00", "2026-01-02T06:00", "UTC");
    let field = |change: &dyn Fn(&mut Draft)| {
        let mut raw = good.clone();
        change(&mut raw);
        Window::parse(&raw).map(|_| ()).map_err(|error| error.field)
    };
    assert_eq!(field(&|_| ()), Ok(()));
    assert_eq!(field(&|raw| raw.zone = "Mars/Olympus".into()), Err("timezone"));
    assert_eq!(field(&|raw| raw.closes = raw.opens), Err("end_time"));
    assert_eq!(field(&|raw| raw.closes = "2026-01-03T00:00".parse().unwrap()), Err("end_time"));
    assert_eq!(
        field(&|raw| raw.pattern = json!({"days_of_week": ["mon"]})),
        Err("recurrence_pattern")
    );
    assert_eq!(field(&|raw| raw.pattern = json!({"cron": "* *"})), Err("recurrence_pattern"));
    assert_eq!(field(&|raw| raw.pattern = json!(7)), Err("recurrence_pattern"));
    assert_eq!(field(&|raw| raw.servers = json!({"tagz": []})), Err("affected_servers"));
    assert_eq!(field(&|raw| raw.servers = json!({"names": ["web[1"]})), Err("affected_servers"));
    assert_eq!(field(&|raw| raw.runbooks = json!("all")), Err("affected_runbooks"));
    let monthly = |raw: &mut Draft, day: i8| {
        raw.recurrence = Recurrence::Monthly;
        raw.pattern = json!({ "days_of_month": [day] });
    };
    assert_eq!(field(&|raw| monthly(raw, 0)), Err("recurrence_pattern"));
    assert_eq!(field(&|raw| monthly(raw, 31)), Ok(()));
}

/// What the clock reads, minute by minute, and nothing else: no arithmetic on offsets.
fn by_the_minute(
    zone: &TimeZone,
    kind: WindowKind,
    (opens, closes): (DateTime, DateTime),
    minutes: &[Timestamp],
) -> Vec<Timestamp> {
    let reads = |minute: &Timestamp| zone.to_datetime(*minute);
    match kind {
        // From the first to the last minute the clock reads a time inside.
        WindowKind::Deny => {
            let inside = |minute: &Timestamp| (opens..closes).contains(&reads(minute));
            let first = minutes.iter().position(inside);
            let last = minutes.iter().rposition(inside);
            first.zip(last).map_or_else(Vec::new, |(first, last)| minutes[first..=last].to_vec())
        }
        // Minutes before which it never read the end, and after which it never reads before the start.
        WindowKind::AllowOnly => {
            let ended = minutes.iter().position(|minute| reads(minute) >= closes).unwrap();
            let begun = minutes.iter().rposition(|minute| reads(minute) < opens).unwrap() + 1;
            minutes.get(begun..ended).unwrap_or_default().to_vec()
        }
    }
}

/// Two days either side of a change of clocks.
fn change_of_clocks() -> impl Strategy<Value = (&'static str, Date)> {
    prop::sample::select(vec![
        ("Europe/Berlin", date(2026, 3, 29)),
        ("Europe/Berlin", date(2026, 10, 25)),
        ("America/New_York", date(2026, 3, 8)),
        ("America/New_York", date(2026, 11, 1)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),
        ("Australia/Lord_Howe", date(2026, 10, 4)),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn behaviour_7_agrees_with_the_clock_read_minute_by_minute(
        (zone_name, change) in change_of_clocks(),
        deny: bool,
        opens in 0_i64..1440,
        lasts in 1_i64..=1440,
    ) {
        let kind = if deny { WindowKind::Deny } else { WindowKind::AllowOnly };
        let zone = TimeZone::get(zone_name).unwrap();
        let mut raw = draft(Recurrence::Daily, "2026-02-02T00:00", "2026-02-02T00:01", zone_name);
        raw.kind = kind;
        raw.opens += opens.minutes();
        raw.closes = raw.opens + lasts.minutes();
        let window = Window::parse(&raw).unwrap();

        let from = (change - 5.days()).to_zoned(zone.clone()).unwrap().timestamp();
        let minutes: Vec<_> = (0..10 * 1440).map(|n| from + SignedDuration::from_mins(n)).collect();
        let mut expected = std::collections::BTreeSet::new();
        for offset in -3..=3 {
            let opens = (change + offset.days()).at(0, 0, 0, 0) + opens.minutes();
            expected.extend(by_the_minute(&zone, kind, (opens, opens + lasts.minutes()), &minutes));
        }
        // Judged where every occurrence that could touch a minute was listed.
        let judged = (change - 1.day()).to_zoned(zone.clone()).unwrap().timestamp();
        for n in 0..3 * 1440 {
            let minute = judged + SignedDuration::from_mins(n);
            prop_assert_eq!(
                active(&window, minute).is_some(),
                expected.contains(&minute),
                "{} which reads {}", minute, zone.to_datetime(minute)
            );
        }
    }
}
