use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::context::{ContextType, Impact, context};
use super::*;
use crate::drift::DriftType;
use crate::drift::facts::{Facts, Reach};

fn at(minutes: i64) -> Timestamp {
    let noon: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
    noon + jiff::SignedDuration::from_mins(minutes)
}

fn subject() -> Subject {
    let place = Place {
        environment: Some("prod-eu".to_owned()),
        service: Some("shop".to_owned()),
        resources: vec!["sg-1".to_owned()],
        addresses: vec!["module.net.aws_security_group.web".to_owned()],
        paths: vec!["infra/net/main.tf".to_owned()],
        actors: vec!["Ada@example.org".to_owned(), "ada".to_owned()],
        shared: vec!["CHG-9".to_owned()],
    };
    Subject { at: at(0), place }
}

fn event(kind: EventKind, id: &str, minutes: i64, place: Place) -> Event {
    Event {
        kind,
        system: "here".to_owned(),
        id: id.to_owned(),
        at: at(minutes),
        until: None,
        place,
        severity: None,
        words: Words::default(),
    }
}

fn of_service() -> Place {
    Place { service: Some("shop".to_owned()), ..Place::default() }
}

fn score(event: Event) -> f64 {
    let events = [event];
    let found = correlate(Rules::shipped(), &[subject()], &events);
    found[0].first().map_or(0.0, |one| one.score)
}

fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

#[test]
fn each_thing_in_common_weighs_what_the_rules_say() {
    let now = |place: Place| score(event(EventKind::Deployment, "d", 0, place));
    let nothing = Place::default;
    close(now(nothing()), 0.0);
    close(now(of_service()), 0.5);
    close(now(Place { resources: subject().place.resources, ..nothing() }), 0.8);
    close(now(Place { addresses: subject().place.addresses, ..nothing() }), 0.8);
    close(now(Place { paths: subject().place.paths, ..nothing() }), 0.6);
    close(now(Place { paths: vec!["infra/net/vars.tf".to_owned()], ..nothing() }), 0.3);
    close(now(Place { paths: vec!["infra/main.tf".to_owned()], ..nothing() }), 0.0);
    close(now(Place { actors: vec!["ADA".to_owned()], ..nothing() }), 0.5);
    close(now(Place { shared: subject().place.shared, ..nothing() }), 0.9);
    close(now(Place { environment: subject().place.environment, ..nothing() }), 0.3);
    // Together they are surer than each alone, and never surer than sure.
    close(now(Place { shared: subject().place.shared, ..of_service() }), 1.0 - 0.5 * 0.1);
    let all = 1.0 - 0.1 * 0.2 * 0.2 * 0.4 * 0.5 * 0.5;
    close(now(subject().place), all);
}

#[test]
fn what_is_further_away_in_time_is_less_sure_and_then_nothing() {
    let incident = |minutes| score(event(EventKind::Incident, "i", minutes, of_service()));
    close(incident(0), 0.5);
    close(incident(-30), 0.5 * libm::exp(-0.5));
    close(incident(30), incident(-30));
    close(incident(-60), 0.5 * libm::exp(-1.0));
    close(incident(60), incident(-60));
    close(incident(-61), 0.0);
    close(incident(61), 0.0);
    let commit = |minutes| {
        let place = Place { paths: subject().place.paths, ..Place::default() };
        score(event(EventKind::GitCommit, "c", minutes, place))
    };
    assert!(commit(-24 * 60) > 0.2 && commit(24 * 60) > 0.2);
    close(commit(24 * 60 + 1), 0.0);
}

#[test]
fn what_lasts_is_near_for_as_long_as_it_lasts() {
    let lasting = |from, until| {
        let mut one = event(EventKind::Incident, "i", from, of_service());
        one.until = Some(at(until));
        one
    };
    close(score(lasting(-100_000, 5)), 0.5);
    close(score(lasting(-100_000, -30)), 0.5 * libm::exp(-0.5));
    close(score(lasting(-100_000, -61)), 0.0);
    close(score(lasting(0, 100_000)), 0.5);
    // One that ends before it begins has no duration.
    close(score(lasting(-30, -500)), 0.5 * libm::exp(-0.5));
    let events = [lasting(-20, 5), event(EventKind::Incident, "j", 0, of_service())];
    let found = correlate(Rules::shipped(), &[subject()], &events);
    let during: Vec<(&str, bool)> =
        found[0].iter().map(|one| (one.event.id.as_str(), one.during)).collect();
    assert_eq!(during, [("j", false), ("i", true)]);
}

#[test]
fn another_environment_never_belongs() {
    let elsewhere = Place { environment: Some("prod-us".to_owned()), ..subject().place };
    close(score(event(EventKind::Deployment, "d", 0, elsewhere)), 0.0);
    let anywhere = Place { environment: None, ..subject().place };
    assert!(score(event(EventKind::Deployment, "d", 0, anywhere)) > 0.9);
    // Not even when no event is of the drift's own.
    let mut drift = subject();
    drift.place.environment = Some("nobody's".to_owned());
    let events = [event(EventKind::Deployment, "d", 0, subject().place)];
    assert!(correlate(Rules::shipped(), &[drift], &events)[0].is_empty());
}

#[test]
fn only_what_may_speak_of_a_whole_environment_does() {
    let whole = || Place { environment: subject().place.environment, ..Place::default() };
    for kind in EventKind::ALL {
        let speaks = matches!(
            kind,
            EventKind::Incident
                | EventKind::Maintenance
                | EventKind::Deployment
                | EventKind::SecurityEvent
        );
        close(score(event(*kind, "e", 0, whole())), if speaks { 0.3 } else { 0.0 });
    }
    let narrower = Place { service: Some("till".to_owned()), ..whole() };
    close(score(event(EventKind::Incident, "e", 0, narrower)), 0.0);
}

#[test]
fn the_surest_are_kept_each_once() {
    let mut events: Vec<Event> = (0..50)
        .map(|n| event(EventKind::AuditEvent, &format!("a-{n}"), -n, of_service()))
        .collect();
    events.push(event(EventKind::AuditEvent, "a-0", 0, of_service()));
    let found = correlate(Rules::shipped(), &[subject()], &events);
    let ids: Vec<&str> = found[0].iter().map(|one| one.event.id.as_str()).collect();
    let expected: Vec<String> = (0..20).map(|n| format!("a-{n}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn names_of_nothing_are_nothing_in_common() {
    let empty = Place {
        environment: Some(String::new()),
        service: Some(String::new()),
        resources: vec![String::new()],
        addresses: vec![String::new()],
        paths: vec![String::new(), "root.tf".to_owned()],
        actors: vec![String::new()],
        shared: vec![String::new()],
    };
    let drift = Subject { at: at(0), place: empty.clone() };
    let other = Place { paths: vec![String::new(), "other.tf".to_owned()], ..empty };
    let events = [event(EventKind::Deployment, "d", 0, other)];
    assert!(correlate(Rules::shipped(), &[drift], &events)[0].is_empty());
}

#[test]
fn what_was_going_on_is_told_with_impact_and_period() {
    let mut incident = event(EventKind::Incident, "INC-42", -20, of_service());
    incident.until = Some(at(25));
    incident.severity = Some(Severity::Critical);
    let mut past = event(EventKind::Maintenance, "MNT-1", -50, of_service());
    past.until = Some(at(-10));
    let events = [
        incident,
        past,
        event(EventKind::Deployment, "dep-7", 30, of_service()),
        event(EventKind::GitCommit, "3f2a", -1, subject().place),
    ];
    let found = correlate(Rules::shipped(), &[subject()], &events);
    let rows = context(&found[0]);
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let minutes = row.time_window_micros / 60_000_000;
            let id = row.context_data.external_id.as_str();
            (row.context_type, id, row.incident_impact, minutes)
        })
        .collect();
    assert_eq!(
        told,
        [
            (ContextType::Incident, "INC-42", Some(Impact::High), 45),
            (ContextType::Maintenance, "MNT-1", None, 50),
            (ContextType::Deployment, "dep-7", None, 30),
        ]
    );
    let data = serde_json::to_value(&rows[0].context_data).unwrap();
    assert_eq!(data["matched"], serde_json::json!(["service"]));
    assert_eq!(data["offset_seconds"], serde_json::json!(-1200.0));
}

#[test]
fn what_belongs_to_a_drift_becomes_facts_about_it() {
    let mut incident = event(EventKind::Incident, "INC-42", -20, of_service());
    incident.until = Some(at(5));
    let whole = Place { environment: subject().place.environment, ..Place::default() };
    let theirs = Place { actors: vec!["ada".to_owned()], ..Place::default() };
    let beside = Place { paths: vec!["infra/net/vars.tf".to_owned()], ..theirs };
    let mut commit = event(EventKind::GitCommit, "3f2a", 90, beside);
    commit.words.debug = 1;
    let events = [
        incident,
        event(EventKind::SecurityEvent, "s-1", -1, whole),
        commit,
        event(EventKind::IncidentTicket, "T-1", -9, of_service()),
    ];
    let found = correlate(Rules::shipped(), &[subject()], &events);
    let mut facts = Facts::about(DriftType::Modified);
    facts.observe(
        &[
            EventKind::Incident,
            EventKind::SecurityEvent,
            EventKind::GitCommit,
            EventKind::Deployment,
        ],
        &found[0],
    );
    let incident = &facts.incidents.as_ref().unwrap()[0];
    assert!(incident.open && incident.reach == Reach::Same);
    close(incident.minutes, -20.0);
    assert_eq!(facts.security.as_ref().unwrap()[0].reach, Reach::Environment);
    let commit = &facts.commits.as_ref().unwrap()[0];
    assert!(commit.author_matches && commit.words.debug == 1);
    close(commit.overlap, 0.5);
    assert_eq!(facts.deployments.as_deref().map(<[_]>::len), Some(0), "looked, and found none");
    assert_eq!(facts.tickets, None, "nobody keeps tickets");
    assert_eq!(facts.alerts, None);
}

#[test]
fn rules_that_cannot_be_worked_with_are_refused() {
    const SHIPPED: &str = include_str!("../../../../../content/drift/correlation.yaml");
    assert!(Rules::read(SHIPPED).is_ok());
    for (what, instead) in [
        ("at_least: 0.15", "at_least: 0"),
        ("at_least: 0.15", "at_least: .nan"),
        ("most: 20", "most: 0"),
        ("shared: 0.9", "shared: 1.1"),
        ("shared: 0.9, ", ""),
        ("tau: 1440", "tau: 0"),
        ("before: 4320", "before: 999999999"),
        ("before: 4320", "before: -1"),
        ("  deployment:", "  demolition:"),
    ] {
        assert!(SHIPPED.contains(what), "{what}");
        assert!(Rules::read(&SHIPPED.replacen(what, instead, 1)).is_err(), "{instead}");
    }
}

/// The shipped rules, that keep so many.
fn keeping(most: usize) -> Rules {
    const SHIPPED: &str = include_str!("../../../../../content/drift/correlation.yaml");
    Rules::read(&SHIPPED.replacen("most: 20", &format!("most: {most}"), 1)).unwrap()
}

/// What belongs to a drift, found by looking at every event, on the names themselves.
fn found_one_by_one<'e>(
    rules: &Rules,
    subject: &Subject,
    events: &'e [Event],
) -> Vec<Correlation<'e>> {
    let mut found: Vec<Correlation<'e>> = events
        .iter()
        .filter_map(|event| {
            let (here, there) = (&subject.place, &event.place);
            if here.environment.is_some()
                && there.environment.is_some()
                && here.environment != there.environment
            {
                return None;
            }
            let drift = subject.at.as_microsecond();
            let begins = event.at.as_microsecond();
            let ends = event.until.map_or(begins, |until| until.as_microsecond().max(begins));
            let window = rules.window(event.kind);
            let (distance, allowed) = if begins > drift {
                (begins - drift, window.after)
            } else {
                ((drift - ends).max(0), window.before)
            };
            let same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
            let meet = |one: &[String], other: &[String]| one.iter().any(|it| other.contains(it));
            let lower =
                |names: &[String]| names.iter().map(|name| name.to_lowercase()).collect::<Vec<_>>();
            let folders = |paths: &[String]| {
                let folders = paths.iter().filter_map(|path| path.rsplit_once('/'));
                folders.map(|(folder, _)| folder.to_owned()).collect::<Vec<_>>()
            };
            let file = meet(&here.paths, &there.paths);
            let whole = there.service.is_none()
                && there.resources.is_empty()
                && there.addresses.is_empty()
                && there.paths.is_empty();
            let matched = Matched::default()
                .with(Field::Shared, meet(&here.shared, &there.shared))
                .with(Field::Resource, meet(&here.resources, &there.resources))
                .with(Field::Address, meet(&here.addresses, &there.addresses))
                .with(Field::Path, file)
                .with(
                    Field::Directory,
                    !file && meet(&folders(&here.paths), &folders(&there.paths)),
                )
                .with(Field::Service, same(&here.service, &there.service))
                .with(Field::Actor, meet(&lower(&here.actors), &lower(&there.actors)))
                .with(
                    Field::Environment,
                    window.environment && whole && same(&here.environment, &there.environment),
                );
            let score = rules.score(window, distance, matched);
            (distance <= allowed && score >= rules.at_least).then_some(Correlation {
                event,
                score,
                offset_micros: begins - drift,
                during: begins <= drift && drift <= ends && begins < ends,
                matched,
            })
        })
        .collect();
    found.sort_by(|one, other| {
        other
            .score
            .total_cmp(&one.score)
            .then(one.offset_micros.abs().cmp(&other.offset_micros.abs()))
            .then(one.offset_micros.cmp(&other.offset_micros))
            .then(one.event.kind.cmp(&other.event.kind))
            .then(one.event.id.cmp(&other.event.id))
    });
    found.truncate(rules.most);
    found
}

fn name(from: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    option::of(select(from).prop_map(ToOwned::to_owned))
}

fn names(from: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    vec(select(from).prop_map(ToOwned::to_owned), 0..3)
}

fn places() -> impl Strategy<Value = Place> {
    (
        name(&["prod", "test"]),
        name(&["shop", "till"]),
        names(&["sg-1", "sg-2", "i-3"]),
        names(&["a.b", "a.c"]),
        names(&["infra/net/main.tf", "infra/net/vars.tf", "infra/app/main.tf", "main.tf"]),
        names(&["ada", "Ada", "bob"]),
        names(&["CHG-1", "CHG-2"]),
    )
        .prop_map(|(environment, service, resources, addresses, paths, actors, shared)| {
            Place { environment, service, resources, addresses, paths, actors, shared }
        })
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let one =
        (select(EventKind::ALL.to_vec()), -6000..3000_i64, option::of(-100..9000_i64), places())
            .prop_map(|(kind, minutes, lasts, place)| {
                let until = lasts.map(|lasts| at(minutes + lasts));
                Event { until, ..event(kind, "", minutes, place) }
            });
    vec(one, 0..60).prop_map(|mut events| {
        for (at, event) in events.iter_mut().enumerate() {
            event.id = format!("e-{at:03}");
        }
        events
    })
}

fn subjects() -> impl Strategy<Value = Vec<Subject>> {
    vec(
        (-300..300_i64, places()).prop_map(|(minutes, place)| Subject { at: at(minutes), place }),
        1..5,
    )
}

proptest! {
    #[test]
    fn what_is_found_by_name_and_time_is_what_is_found_one_by_one(
        subjects in subjects(), events in events(), most in 1..20_usize,
    ) {
        let rules = keeping(most);
        let found = correlate(&rules, &subjects, &events);
        for (subject, found) in subjects.iter().zip(&found) {
            prop_assert_eq!(found, &found_one_by_one(&rules, subject, &events));
            prop_assert!(found.iter().all(|one| (0.0..=1.0).contains(&one.score)));
        }
    }

    #[test]
    fn neither_the_order_of_events_nor_that_one_comes_twice_says_anything(
        subjects in subjects(), events in events(), swaps in vec(any::<proptest::sample::Index>(), 0..40),
    ) {
        let mut other = events.clone();
        other.extend(events.iter().take(7).cloned());
        if !other.is_empty() {
            for pair in swaps.chunks_exact(2) {
                let (one, another) = (pair[0].index(other.len()), pair[1].index(other.len()));
                other.swap(one, another);
            }
        }
        let rules = keeping(5);
        let once = correlate(&rules, &subjects, &events);
        prop_assert_eq!(once, correlate(&rules, &subjects, &other));
    }
}
