use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::drift::DriftType;
use crate::drift::facts::{Commit, LocalTime, Near, Reach};
use crate::drift::lexicon::Words;
use crate::drift::tests::{any_facts, reversed};

fn near(id: &str, minutes: f64, reach: Reach, open: bool) -> Near {
    Near { id: id.to_owned(), minutes, reach, severity: None, open }
}

fn close(value: Option<f64>, expected: f64) {
    let value = value.expect("it is known");
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

#[test]
fn the_list_of_version_1_is_what_models_were_trained_on() {
    let mut list = format!("version {VERSION}, {COUNT} features\n");
    for feature in FEATURES {
        let Feature { name, unit, low, high, source, what, .. } = feature;
        let source = source.map_or("", |source| source.word());
        writeln!(list, "{name} | {unit} | {low}..={high:.3} | {source} | {what}").unwrap();
    }
    insta::assert_snapshot!(list);
}

#[test]
fn every_name_is_one_and_every_source_can_be_missing() {
    let unique: BTreeSet<&str> = names().collect();
    assert_eq!(unique.len(), COUNT);
    for (at, name) in names().enumerate() {
        assert_eq!(place(name), Some(at));
    }
    for source in Source::ALL {
        assert!(place(&format!("missing_{source}")).is_some(), "{source}");
        assert!(FEATURES.iter().any(|feature| feature.source == Some(*source)), "{source}");
    }
    assert_eq!(place("mood"), None);
}

#[test]
fn what_nobody_knows_is_flagged_and_not_counted() {
    let nothing = Vector::of(&Facts::about(DriftType::Modified));
    close(Some(nothing.missing()), 1.0);
    for (at, feature) in FEATURES.iter().enumerate() {
        assert_eq!(nothing.at(at).is_some(), feature.source.is_none(), "{}", feature.name);
    }
    let looked = Facts { incidents: Some(Vec::new()), ..Facts::about(DriftType::Modified) };
    let looked = Vector::of(&looked);
    close(looked.get("incident_count"), 0.0);
    close(looked.get("missing_incidents"), 0.0);
    close(looked.get("missing_alerts"), 1.0);
    close(Some(looked.missing()), 11.0 / 12.0);
}

#[test]
fn the_clock_goes_round() {
    let at = |hour: i8, minute: i8| {
        let noon = date(2026, 3, 2).at(hour, minute, 0, 0).in_tz("Europe/Berlin").unwrap();
        let time = Some(LocalTime::of(&noon, true));
        Vector::of(&Facts { time, ..Facts::about(DriftType::Modified) })
    };
    close(at(0, 0).get("hour_cos"), 1.0);
    close(at(6, 0).get("hour_sin"), 1.0);
    close(at(12, 0).get("hour_cos"), -1.0);
    close(at(0, 0).get("weekday_sin"), 0.0);
    close(at(7, 59).get("off_hours"), 1.0);
    close(at(8, 0).get("off_hours"), 0.0);
    close(at(17, 59).get("off_hours"), 0.0);
    close(at(18, 0).get("off_hours"), 1.0);
}

#[test]
fn the_nearest_incident_counts_by_time_and_by_reach() {
    let of = |incidents: Vec<Near>| {
        Vector::of(&Facts { incidents: Some(incidents), ..Facts::about(DriftType::Modified) })
    };
    let far = near("a", -120.0, Reach::Same, false);
    let here = near("b", 60.0, Reach::Same, false);
    let beside = near("c", 1.0, Reach::Environment, false);
    let lasting = near("d", -600.0, Reach::Near, true);
    let vector = of(vec![far.clone(), here.clone(), beside.clone()]);
    close(vector.get("incident_closeness"), libm::exp(-1.0));
    close(vector.get("incident_began_before"), 0.0);
    close(vector.get("incident_reach"), 1.0);
    close(vector.get("incident_count"), libm::log(4.0));
    let vector = of(vec![far, here, beside, lasting]);
    close(vector.get("incident_closeness"), 1.0);
    close(vector.get("incident_reach"), 0.5);
    close(vector.get("incident_open"), 1.0);
}

#[test]
fn only_related_commits_speak() {
    let commit = |overlap: f64, author_matches: bool, words: Words| Commit {
        id: "c".to_owned(),
        minutes: -10.0,
        overlap,
        author_matches,
        words,
    };
    let words = Words { emergency: 2, ..Words::default() };
    let of = |commits: Vec<Commit>| {
        Vector::of(&Facts { commits: Some(commits), ..Facts::about(DriftType::Modified) })
    };
    let strangers = of(vec![commit(0.0, false, words)]);
    close(strangers.get("commit_words_emergency"), 0.0);
    close(strangers.get("commit_closeness"), 0.0);
    close(strangers.get("commit_count"), libm::log(2.0));
    let theirs = of(vec![commit(0.0, true, words)]);
    close(theirs.get("commit_words_emergency"), libm::log(3.0));
    close(theirs.get("commit_author_matches"), 1.0);
}

proptest! {
    #[test]
    fn whatever_the_facts_are_every_number_is_in_its_range(facts in any_facts()) {
        let vector = Vector::of(&facts);
        for (feature, value) in FEATURES.iter().zip(vector.values()) {
            prop_assert!(
                value.is_finite() && (feature.low..=feature.high).contains(value),
                "{} is {value}", feature.name
            );
        }
        prop_assert!((0.0..=1.0).contains(&vector.missing()));
    }

    #[test]
    fn the_order_of_what_happened_says_nothing(facts in any_facts()) {
        let (one, other) = (Vector::of(&facts), Vector::of(&reversed(&facts)));
        prop_assert_eq!(one.values().map(f64::to_bits), other.values().map(f64::to_bits));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn a_source_that_is_forgotten_is_unknown(facts in any_facts(), at in 0..Source::ALL.len()) {
        let mut less = facts;
        less.forget(Source::ALL[at]);
        let vector = Vector::of(&less);
        for (place, feature) in FEATURES.iter().enumerate() {
            let forgotten = feature.source == Some(Source::ALL[at]);
            prop_assert!(!forgotten || vector.at(place).is_none(), "{}", feature.name);
        }
    }
}
