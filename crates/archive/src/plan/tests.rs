use std::collections::BTreeMap;

use super::*;
use crate::rule::Class;
use crate::subject::{ALL, Reach, named};

fn now() -> Timestamp {
    "2026-06-15T12:00:00Z".parse().unwrap()
}

fn days_ago(days: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_hours(24 * days)
}

fn over(days: i64) -> Candidate {
    Candidate {
        id: Uuid::now_v7(),
        over_at: Some(days_ago(days)),
        referred_to: false,
        newer: 0,
        in_use: false,
    }
}

fn why(subject: &str, rules: &Rules, holds: &Holds, candidate: Candidate) -> Option<Reason> {
    stays(named(subject).unwrap(), rules, holds, now(), &candidate)
}

#[test]
fn a_thing_goes_when_its_days_are_over_and_not_before() {
    let (rules, holds) = (Rules::default(), Holds::default());
    assert_eq!(why("findings", &rules, &holds, over(91)), None);
    // The day itself still counts.
    assert_eq!(why("findings", &rules, &holds, over(90)), Some(Reason::TooYoung));
    let open = Candidate { over_at: None, ..over(0) };
    assert_eq!(why("findings", &rules, &holds, open), Some(Reason::NotOver));
    assert_eq!(why("changes", &rules, &holds, over(1_096)), Some(Reason::TooYoung));
    assert_eq!(why("changes", &rules, &holds, over(1_097)), None);
    let short = Rules::of(BTreeMap::from([(Class::Findings, 7)]));
    assert_eq!(why("findings", &short, &holds, over(8)), None);
}

#[test]
fn what_something_refers_to_stays_with_it() {
    let (rules, holds) = (Rules::default(), Holds::default());
    let cause = Candidate { referred_to: true, ..over(500) };
    assert_eq!(why("findings", &rules, &holds, cause), Some(Reason::ReferredTo));
}

#[test]
fn a_hold_is_stronger_than_every_rule() {
    let rules = Rules::default();
    for subject in ALL {
        let held = Holds::of(vec![Some(subject.class)]);
        let ancient = Candidate { newer: 100, ..over(20_000) };
        assert_eq!(stays(subject, &rules, &held, now(), &ancient), Some(Reason::Held));
        assert_eq!(stays(subject, &rules, &Holds::default(), now(), &ancient), None);
    }
}

#[test]
fn the_last_five_versions_and_the_one_in_use_stay() {
    let (rules, holds) = (Rules::default(), Holds::default());
    let versions: Vec<Candidate> =
        (0..8).map(|newer| Candidate { newer, in_use: newer == 6, ..over(9_999) }).collect();
    let plan = Plan::of(named("models").unwrap(), &rules, &holds, now(), &versions);
    assert_eq!(plan.go, [versions[5].id, versions[7].id]);
    assert_eq!(plan.stay, BTreeMap::from([(Reason::TooYoung, 5), (Reason::InUse, 1)]));
}

#[test]
fn months_go_as_wholes() {
    let correlations = named("correlations").unwrap();
    assert!(matches!(correlations.reach, Reach::Months { .. }));
    // Ninety days before the middle of June lies in the middle of March: March stays.
    let end = end_of_months(correlations, &Rules::default(), now());
    assert_eq!(end.to_string(), "2026-03-01T00:00:00Z");
    assert_eq!(end_of_month(end).to_string(), "2026-04-01T00:00:00Z");
    let new_year: Timestamp = "2025-12-31T23:59:59.999Z".parse().unwrap();
    assert_eq!(end_of_month(new_year).to_string(), "2026-01-01T00:00:00Z");
}
