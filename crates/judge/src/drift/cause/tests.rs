use std::collections::BTreeSet;

use model::level::Severity;
use proptest::prelude::*;

use super::*;
use crate::drift::facts::{
    Actor, ActorKind, Calendar, Commit, Direction, History, Near, Property, Reach, Session, Source,
    Ticket, Tool,
};
use crate::drift::lexicon::{Lexicon, Words};
use crate::drift::tests::{any_facts, reversed};
use crate::drift::{Axes, ChangeType, DriftType};

/// Somebody looked everywhere and found nothing: a person changed one property.
fn looked(path: &str, direction: Direction) -> Facts {
    Facts {
        properties: vec![Property::new(path, ChangeType::Modified, false, Some(direction))],
        calendar: Some(Calendar {
            inside_change_window: false,
            freeze: false,
            hours_since_maintenance: None,
        }),
        actor: Some(Actor {
            kind: ActorKind::Sso,
            name: Some("ada@example.org".to_owned()),
            earlier_changes: Some(3),
        }),
        tool: Some(Tool::Console),
        session: Some(Session { mfa: true, break_glass: false }),
        incidents: Some(Vec::new()),
        alerts: Some(Vec::new()),
        security: Some(Vec::new()),
        commits: Some(Vec::new()),
        deployments: Some(Vec::new()),
        tickets: Some(Vec::new()),
        history: Some(History::default()),
        ..Facts::about(DriftType::Modified)
    }
}

fn near(id: &str, minutes: f64, open: bool) -> Near {
    Near {
        id: id.to_owned(),
        minutes,
        reach: Reach::Same,
        severity: Some(Severity::Critical),
        open,
    }
}

fn in_an_outage() -> Facts {
    Facts {
        incidents: Some(vec![near("INC-42", -12.0, true)]),
        session: Some(Session { mfa: true, break_glass: true }),
        ..looked("instance_type", Direction::Neutral)
    }
}

fn after_an_attack() -> Facts {
    let properties = vec![Property::new(
        "ingress[0].cidr_blocks",
        ChangeType::Modified,
        true,
        Some(Direction::Tightened),
    )];
    Facts {
        properties,
        security: Some(vec![near("GuardDuty-7", -45.0, false)]),
        ..looked("ingress", Direction::Tightened)
    }
}

fn by_an_autoscaler() -> Facts {
    Facts {
        actor: Some(Actor {
            kind: ActorKind::Autoscaler,
            name: Some("autoscaling.amazonaws.com".to_owned()),
            earlier_changes: None,
        }),
        tool: Some(Tool::Sdk),
        session: None,
        ..looked("desired_capacity", Direction::Neutral)
    }
}

fn tried_and_put_back() -> Facts {
    let history = History { reverted_after_minutes: Some(20.0), ..History::default() };
    Facts { history: Some(history), ..looked("log_level", Direction::Neutral) }
}

fn fixed_in_code_later() -> Facts {
    let commit = Commit {
        id: "3f2a".to_owned(),
        minutes: 90.0,
        overlap: 1.0,
        author_matches: true,
        words: Lexicon::shipped().count("fix the port"),
    };
    Facts {
        commits: Some(vec![commit]),
        tool: Some(Tool::Cli),
        ..looked("timeout", Direction::Neutral)
    }
}

/// The examples of the design, each by the row it is named for.
#[test]
fn each_of_the_designs_examples_is_explained_as_it_says() {
    for (facts, cause, row) in [
        (in_an_outage(), Cause::EmergencyFix, "break_glass_in_incident"),
        (after_an_attack(), Cause::SecurityResponse, "security_event_answered"),
        (by_an_autoscaler(), Cause::AutomatedResponse, "autoscaler_scales"),
        (tried_and_put_back(), Cause::ManualTroubleshooting, "tried_and_undone"),
        (fixed_in_code_later(), Cause::ConfigurationError, "single_property_fixed"),
    ] {
        let explained = explain(&facts, None);
        assert_eq!(explained.cause, cause, "{}", explained.analysis);
        let first = &explained.contributing_factors[0];
        assert_eq!(first.id, row, "{}", explained.analysis);
        assert!(first.toward > 0.0 && explained.confidence >= 0.55);
    }
}

#[test]
fn an_explanation_tells_its_evidence_by_id_and_time() {
    let explained = explain(&in_an_outage(), None);
    let factor = &explained.contributing_factors[0];
    assert_eq!(factor.evidence.as_deref(), Some("INC-42"));
    assert_eq!(
        factor.words,
        "a role for emergencies was used during incident INC-42 of the same service \
         (12 minutes before)"
    );
    let mut shown = serde_json::to_value(&explained).unwrap();
    // Numbers to three digits: what they are to the last bit is said elsewhere.
    round(&mut shown);
    insta::assert_json_snapshot!(shown);
}

fn round(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Number(number) => {
            let rounded = number.as_f64().map(|number| (number * 1000.0).round() / 1000.0);
            *value = serde_json::json!(rounded);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(round),
        serde_json::Value::Object(members) => members.values_mut().for_each(round),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::String(_) => (),
    }
}

#[test]
fn nothing_known_is_unknown_whatever_was_changed() {
    for drift in DriftType::ALL {
        for path in ["desired_capacity", "logging", "image", "tags.owner", "policy"] {
            let property = Property::new(path, ChangeType::Modified, true, None);
            let facts = Facts { properties: vec![property], ..Facts::about(*drift) };
            let explained = explain(&facts, None);
            assert_eq!(explained.cause, Cause::Unknown, "{drift} {path}");
            assert_eq!(explained.temporal_context.missing.len(), Source::ALL.len());
        }
    }
}

#[test]
fn evidence_that_contradicts_is_unknown() {
    let both = Facts {
        security: Some(vec![near("GuardDuty-7", -45.0, false)]),
        properties: after_an_attack().properties,
        session: None,
        ..in_an_outage()
    };
    let explained = explain(&both, None);
    assert_eq!(explained.cause, Cause::Unknown, "{}", explained.analysis);
    assert!(explained.confidence < 0.55 && explained.likeliest != Cause::Unknown);
    assert!(explained.analysis.starts_with("Unknown: the likeliest is"), "{}", explained.analysis);
}

#[test]
fn a_learned_model_decides_and_the_rules_keep_the_factors() {
    let facts = in_an_outage();
    let learned = |probabilities, threshold| {
        Learned::new("drift-cause", "3", probabilities, threshold).unwrap()
    };
    let sure = learned([0.1, 0.1, 0.1, 0.6, 0.1], None);
    let explained = explain(&facts, Some(&sure));
    assert_eq!(explained.cause, Cause::ConfigurationError);
    assert!((explained.confidence - 0.6).abs() < 1e-9);
    let decider = Decider::Model { name: "drift-cause".to_owned(), version: "3".to_owned() };
    assert_eq!(explained.decided_by, decider);
    let ids = |explained: &Explained| -> BTreeSet<String> {
        explained.contributing_factors.iter().map(|factor| factor.id.clone()).collect()
    };
    assert!(ids(&explained).contains("break_glass_in_incident"));
    let careful = learned([0.1, 0.1, 0.1, 0.6, 0.1], Some(0.7));
    assert_eq!(explain(&facts, Some(&careful)).cause, Cause::Unknown);
    let nonsense = learned([0.1, 0.1, 0.1, 0.6, 0.1], Some(f64::NAN));
    assert_eq!(explain(&facts, Some(&nonsense)).cause, Cause::ConfigurationError);
    assert!(Learned::new("drift-cause", "3", [f64::NAN; 5], None).is_err());
}

#[test]
fn only_a_person_or_an_exception_says_that_it_was_intended() {
    let facts = in_an_outage();
    let approved = stated(&facts, &Statement::Exception { id: "exc_7".to_owned() });
    assert_eq!(approved.cause, Cause::IntentionalOverride);
    assert_eq!(approved.decided_by, Decider::Exception { id: "exc_7".to_owned() });
    assert!((approved.confidence - 1.0).abs() < 1e-12);
    assert_eq!(approved.likeliest, Cause::EmergencyFix, "what the evidence says stays beside it");
    for cause in Cause::ALL {
        let label = Statement::Label { cause: *cause, person: "usr_1".to_owned() };
        assert_eq!(stated(&facts, &label).cause, *cause);
    }
}

#[test]
fn what_others_wrote_is_shown_as_text_and_nothing_else() {
    let mut facts = in_an_outage();
    let hostile = format!("{{actor}}\u{202e}\n{}", "x".repeat(10_000));
    facts.incidents = Some(vec![Near { id: hostile, ..near("", -1.5, true) }]);
    facts.tickets = Some(vec![Ticket {
        id: "T-1".to_owned(),
        minutes: f64::NAN,
        words: Words { emergency: 1, ..Words::default() },
    }]);
    let explained = explain(&facts, None);
    let text = serde_json::to_string(&explained).unwrap();
    assert!(text.contains("{actor}\u{fffd}\u{fffd}xxx"), "{text}");
    assert!(!text.contains('\u{202e}') && !text.contains("\\n") && text.len() < 8000);
}

#[test]
fn the_shipped_table_is_whole() {
    let table = Table::shipped();
    assert!((table.threshold - 0.55).abs() < 1e-12);
    let spoken: BTreeSet<Cause> = table
        .rows()
        .iter()
        .flat_map(|row| Cause::INFERRED.into_iter().filter(|cause| row.weight(*cause) > 0.0))
        .collect();
    assert_eq!(spoken.len(), Cause::INFERRED.len());
    for (row, cause, weight) in [
        ("break_glass_in_incident", Cause::EmergencyFix, 2.2),
        ("security_event_answered", Cause::SecurityResponse, 2.0),
        ("autoscaler_scales", Cause::AutomatedResponse, 3.5),
        ("tried_and_undone", Cause::ManualTroubleshooting, 1.6),
        ("single_property_fixed", Cause::ConfigurationError, 1.4),
    ] {
        let row = table.rows().iter().find(|known| known.id == row).expect("it is in the table");
        assert!((row.weight(cause) - weight).abs() < 1e-12, "{}", row.id);
    }
}

#[test]
fn a_table_that_cannot_be_followed_is_refused_by_name() {
    let table = |row: &str| {
        let priors = "emergency_fix: 0.2, manual_troubleshooting: 0.2, security_response: 0.2, \
                      configuration_error: 0.2, automated_response: 0.2";
        let text = format!(
            "{{ version: 1, features: 1, threshold: 0.5, missing: 1, priors: {{ {priors} }}, \
             caps: {{ tool: 1 }}, rows: [{row}] }}"
        );
        Table::read(&text).map(|_| ()).map_err(|error| error.to_string())
    };
    let row = |when: &str, more: &str| {
        format!(
            "{{ id: r, group: tool, when: [\"{when}\"], weights: {{ emergency_fix: 1 }}, words: w{more} }}"
        )
    };
    assert_eq!(table(&row("freeze >= 1", "")), Ok(()));
    for (bad, says) in [
        (row("mood >= 1", ""), "no condition"),
        (row("freeze > 1", ""), "no condition"),
        (row("freeze >= 0", ""), "no condition"),
        (row("freeze >= 2", ""), "no condition"),
        (row("freeze <= 1", ""), "no condition"),
        (row("freeze >= NaN", ""), "no condition"),
        (row("freeze >= 1 x", ""), "no condition"),
        (
            row("freeze >= 1", " {evidence}")
                .replace("words: w {evidence}", "words: \"{evidence}\""),
            "two things",
        ),
        (row("freeze >= 1", "").replace("group: tool", "group: moon"), "no cap"),
        (row("freeze >= 1", "").replace("emergency_fix: 1", "emergency_fix: 1e9"), "no number"),
        (row("freeze >= 1", "").replace("emergency_fix: 1", "unknown: 1"), "cannot be inferred"),
        (row("freeze >= 1", "").replace("[\"freeze >= 1\"]", "[]"), "always fits"),
        (format!("{0}, {0}", row("freeze >= 1", "")), "has its name"),
        ("{ id: r, mood: 1 }".to_owned(), "cannot be read"),
    ] {
        let error = table(&bad).unwrap_err();
        assert!(error.contains(says), "{bad}: {error}");
    }
}

fn some<'t>(table: &'t Table, picked: &[bool]) -> Vec<&'t Row> {
    let rows = table.rows().iter().zip(picked);
    rows.filter(|(_, picked)| **picked).map(|(row, _)| row).collect()
}

/// As many flags as the table has rows, and more.
fn flags() -> impl Strategy<Value = Vec<bool>> {
    proptest::collection::vec(any::<bool>(), Table::shipped().rows().len())
}

proptest! {
    #[test]
    fn whatever_the_facts_are_the_causes_are_a_distribution(facts in any_facts()) {
        let explained = explain(&facts, None);
        let all: Vec<f64> = explained.posteriors.iter().map(|(_, p)| p).collect();
        prop_assert!(all.iter().all(|p| (0.0..=1.0).contains(p)), "{all:?}");
        prop_assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert!((0.0..=1.0).contains(&explained.confidence));
        prop_assert!(explained.cause != Cause::IntentionalOverride);
        let unknown = explained.cause == Cause::Unknown;
        prop_assert_eq!(unknown, explained.confidence < Table::shipped().threshold);
        let text = serde_json::to_string(&explained).unwrap();
        prop_assert!(!text.contains("null"), "{text}");
    }

    #[test]
    fn the_same_facts_in_any_order_give_the_same_bits(facts in any_facts()) {
        let once = serde_json::to_string(&explain(&facts, None)).unwrap();
        prop_assert_eq!(&once, &serde_json::to_string(&explain(&facts, None)).unwrap());
        prop_assert_eq!(&once, &serde_json::to_string(&explain(&reversed(&facts), None)).unwrap());
    }

    #[test]
    fn more_evidence_for_a_cause_never_makes_it_less_likely(
        picked in flags(), at: proptest::sample::Index, missing in 0.0..=1.0_f64,
    ) {
        let table = Table::shipped();
        let at = at.index(table.rows().len());
        let with_and_without = [false, true].map(|fits| {
            let mut picked = picked.clone();
            picked[at] = fits;
            table.weigh(&some(table, &picked), missing)
        });
        let [before, after] = with_and_without;
        let row = &table.rows()[at];
        let (for_it, not_for_it): (Vec<Cause>, Vec<Cause>) =
            Cause::INFERRED.into_iter().partition(|cause| row.weight(*cause) > 0.0);
        let odds = |p: &Posteriors, one: Cause, other: Cause| p.of(one).ln() - p.of(other).ln();
        for cause in &for_it {
            for other in &not_for_it {
                let moved = odds(&after, *cause, *other) - odds(&before, *cause, *other);
                prop_assert!(moved >= -1e-9, "{}: {cause} against {other}: {moved}", row.id);
            }
        }
        if let [cause] = for_it[..] {
            prop_assert!(after.of(cause) >= before.of(cause) - 1e-12, "{}", row.id);
        }
    }

    #[test]
    fn the_less_is_known_around_the_same_evidence_the_less_is_concluded(
        picked in flags(), one in 0.0..=1.0_f64, other in 0.0..=1.0_f64,
    ) {
        let table = Table::shipped();
        let rows = some(table, &picked);
        let (less, more) = (one.min(other), one.max(other));
        let (known, unknown) = (table.weigh(&rows, less), table.weigh(&rows, more));
        let [(first, likely), _] = known.first_two();
        let [(_, likely_too), _] = unknown.first_two();
        prop_assert!(likely_too <= likely + 1e-12);
        prop_assert!((unknown.of(first) - likely_too).abs() < 1e-12, "and nothing else");
    }

    #[test]
    fn what_is_forgotten_fits_no_row(facts in any_facts(), at in 0..Source::ALL.len()) {
        let table = Table::shipped();
        let ids = |facts: &Facts| -> BTreeSet<&str> {
            table.fitting(&Vector::of(facts)).iter().map(|row| row.id.as_str()).collect()
        };
        let mut less = facts.clone();
        less.forget(Source::ALL[at]);
        prop_assert!(ids(&less).is_subset(&ids(&facts)));
        for source in Source::ALL {
            less.forget(*source);
        }
        less.axes = Axes::default();
        prop_assert_eq!(explain(&less, None).cause, Cause::Unknown);
    }
}
