use model::level::Severity;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::facts::{
    Actor, ActorKind, Calendar, Commit, Direction, Facts, History, LocalTime, Near, Property,
    Reach, Session, Ticket, Tool,
};
use super::lexicon::Words;
use super::*;

/// Numbers as they come: useful ones and those that break things.
fn minutes() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -3000.0..3000.0,
        1 => select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1e300]),
    ]
}

fn share() -> impl Strategy<Value = f64> {
    prop_oneof![8 => 0.0..=1.0, 1 => select(vec![f64::NAN, -3.0, 7.0, f64::INFINITY])]
}

fn counts() -> impl Strategy<Value = Words> {
    (0..4_u32, 0..4_u32, 0..4_u32, 0..4_u32).prop_map(
        |(emergency, security, performance, debug)| Words {
            emergency,
            security,
            performance,
            debug,
        },
    )
}

/// Gives each an id of its own.
fn named<T>(mut all: Vec<T>, name: impl Fn(&mut T, String)) -> Vec<T> {
    for (at, one) in all.iter_mut().enumerate() {
        name(one, format!("id-{at}"));
    }
    all
}

fn near() -> impl Strategy<Value = Vec<Near>> {
    let one = (
        minutes(),
        select(Reach::ALL.to_vec()),
        option::of(select(Severity::ALL.to_vec())),
        any::<bool>(),
    )
        .prop_map(|(minutes, reach, severity, open)| Near {
            id: String::new(),
            minutes,
            reach,
            severity,
            open,
        });
    vec(one, 0..4).prop_map(|all| named(all, |near, id| near.id = id))
}

fn commits() -> impl Strategy<Value = Vec<Commit>> {
    let one = (minutes(), share(), any::<bool>(), counts()).prop_map(
        |(minutes, overlap, author_matches, words)| Commit {
            id: String::new(),
            minutes,
            overlap,
            author_matches,
            words,
        },
    );
    vec(one, 0..4).prop_map(|all| named(all, |commit, id| commit.id = id))
}

fn tickets() -> impl Strategy<Value = Vec<Ticket>> {
    let one = (minutes(), counts()).prop_map(|(minutes, words)| Ticket {
        id: String::new(),
        minutes,
        words,
    });
    vec(one, 0..3).prop_map(|all| named(all, |ticket, id| ticket.id = id))
}

fn properties() -> impl Strategy<Value = Vec<Property>> {
    let paths =
        ["desired_capacity", "ingress[0].cidr_blocks", "tags.owner", "logging", "image", "x.y.z"];
    let one = (
        select(paths.to_vec()),
        select(ChangeType::ALL.to_vec()),
        any::<bool>(),
        option::of(select(Direction::ALL.to_vec())),
    );
    vec(
        one.prop_map(|(path, change, critical, way)| Property::new(path, change, critical, way)),
        0..4,
    )
}

fn people() -> impl Strategy<Value = (Option<Actor>, Option<Tool>, Option<Session>)> {
    let actor = (
        select(ActorKind::ALL.to_vec()),
        option::of(Just("ada".to_owned())),
        option::of(any::<u32>()),
    )
        .prop_map(|(kind, name, earlier_changes)| Actor { kind, name, earlier_changes });
    let session =
        (any::<bool>(), any::<bool>()).prop_map(|(mfa, break_glass)| Session { mfa, break_glass });
    (option::of(actor), option::of(select(Tool::ALL.to_vec())), option::of(session))
}

fn times() -> impl Strategy<Value = (Option<LocalTime>, Option<Calendar>, Option<History>)> {
    let time = (any::<u16>(), any::<u8>(), any::<bool>())
        .prop_map(|(minute, weekday, exact)| LocalTime { minute, weekday, exact });
    let calendar = (any::<bool>(), any::<bool>(), option::of(minutes())).prop_map(
        |(inside_change_window, freeze, hours_since_maintenance)| Calendar {
            inside_change_window,
            freeze,
            hours_since_maintenance,
        },
    );
    let history = (any::<u32>(), 0..40_u32, any::<u32>(), 0..6_u32, option::of(minutes()))
        .prop_map(
            |(
                changes_in_hour,
                resources_in_hour,
                drifts_in_day,
                repeats,
                reverted_after_minutes,
            )| {
                History {
                    changes_in_hour,
                    resources_in_hour,
                    drifts_in_day,
                    repeats,
                    reverted_after_minutes,
                }
            },
        );
    (option::of(time), option::of(calendar), option::of(history))
}

/// Any facts at all, broken numbers among them.
pub(super) fn any_facts() -> impl Strategy<Value = Facts> {
    let what =
        (select(DriftType::ALL.to_vec()), properties(), (share(), share(), share(), share()));
    let around = (
        option::of(near()),
        option::of(near()),
        option::of(near()),
        option::of(near()),
        option::of(commits()),
        option::of(tickets()),
    );
    (what, people(), times(), around).prop_map(|(what, people, times, around)| {
        let (drift, properties, (security, performance, cost, compliance)) = what;
        let (actor, tool, session) = people;
        let (time, calendar, history) = times;
        let (incidents, alerts, security_events, deployments, commits, tickets) = around;
        Facts {
            drift,
            properties,
            axes: Axes { security, performance, cost, compliance },
            time,
            calendar,
            actor,
            tool,
            session,
            incidents,
            alerts,
            security: security_events,
            commits,
            deployments,
            tickets,
            history,
        }
    })
}

/// The same facts with every list the other way round.
pub(super) fn reversed(facts: &Facts) -> Facts {
    let mut other = facts.clone();
    for list in
        [&mut other.incidents, &mut other.alerts, &mut other.security, &mut other.deployments]
    {
        list.iter_mut().for_each(|all| all.reverse());
    }
    other.commits.iter_mut().for_each(|all| all.reverse());
    other.tickets.iter_mut().for_each(|all| all.reverse());
    other.properties.reverse();
    other
}

#[test]
fn what_is_shown_of_others_is_one_bounded_line_that_hides_nothing() {
    assert_eq!(shown("INC-42"), "INC-42");
    assert_eq!(shown("a\nb\u{202e}c\u{200b}\u{7}"), "a\u{fffd}b\u{fffd}c\u{fffd}\u{fffd}");
    assert_eq!(shown(&"x".repeat(128)), "x".repeat(128));
    assert_eq!(shown(&"ü".repeat(5000)).chars().count(), 129);
}

#[test]
fn a_distribution_is_one() {
    assert!(Posteriors::new([0.2; 5]).is_ok());
    for bad in [
        [0.2, 0.2, 0.2, 0.2, 0.3],
        [f64::NAN, 0.25, 0.25, 0.25, 0.25],
        [-0.2, 0.4, 0.4, 0.2, 0.2],
        [0.0; 5],
        [f64::INFINITY, 0.0, 0.0, 0.0, 0.0],
    ] {
        assert!(Posteriors::new(bad).is_err(), "{bad:?}");
    }
    let some = Posteriors::new([0.1, 0.3, 0.1, 0.3, 0.2]).unwrap();
    let [first, second] = some.first_two().map(|(cause, _)| cause);
    assert_eq!((first, second), (Cause::ManualTroubleshooting, Cause::ConfigurationError));
    assert!(some.of(Cause::Unknown) <= 0.0 && some.of(Cause::IntentionalOverride) <= 0.0);
}
