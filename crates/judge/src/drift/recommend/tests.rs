use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const RULES: Decider = Decider::Rules { version: 1 };

fn situation(cause: Cause, confidence: f64) -> Situation<'static> {
    Situation {
        subject: "aws_instance.web",
        drift: DriftType::Modified,
        cause,
        confidence,
        decided_by: &RULES,
        axes: Axes { security: 0.1, performance: 0.5, cost: 0.2, compliance: 0.1 },
        environment: Some(EnvironmentClass::Staging),
        around: Around::default(),
    }
}

fn advise(situation: &Situation<'_>) -> Recommendation {
    recommend(situation, &BTreeMap::new())
}

/// The document's own rules, by its own numbers.
#[test]
fn the_documents_rules_hold_with_its_numbers() {
    let error = advise(&situation(Cause::ConfigurationError, 0.8));
    assert_eq!(error.recommendation_type, Kind::AutoRevert);
    assert_eq!((error.priority, error.estimated_effort), (Severity::Medium, Effort::Minutes));
    assert_eq!(error.expires_after_hours, 24);
    assert!((error.confidence - 0.9).abs() < 1e-12);
    let actions: Vec<&str> =
        error.implementation_steps.iter().map(|step| step.action.as_str()).collect();
    assert_eq!(actions, ["validate", "plan", "apply", "verify"]);
    let orders: Vec<usize> = error.implementation_steps.iter().map(|step| step.order).collect();
    assert_eq!(orders, [1, 2, 3, 4]);

    let emergency = advise(&situation(Cause::EmergencyFix, 0.8));
    assert_eq!(emergency.recommendation_type, Kind::CodifyIac);
    assert!((emergency.confidence - 0.85).abs() < 1e-12);

    let threat = advise(&situation(Cause::SecurityResponse, 0.8));
    assert_eq!(threat.recommendation_type, Kind::EscalateReview);
    assert_eq!(threat.priority, Severity::Critical);

    let mut exposed = situation(Cause::ConfigurationError, 0.99);
    exposed.environment = Some(EnvironmentClass::Prod);
    exposed.axes.security = 0.71;
    let exposed = advise(&exposed);
    assert_eq!(exposed.recommendation_type, Kind::EscalateReview);
    assert!(exposed.rationale.contains("CISO"), "{}", exposed.rationale);

    let mut incident = situation(Cause::ConfigurationError, 0.99);
    incident.around.security_incident = true;
    let incident = advise(&incident);
    assert_eq!(incident.recommendation_type, Kind::EscalateReview);
    assert_eq!(incident.priority, Severity::High);

    let nothing = advise(&situation(Cause::ManualTroubleshooting, 0.99));
    assert_eq!(nothing.recommendation_type, Kind::ManualReview);
}

#[test]
fn urgency_is_the_priority_times_how_sure_it_is() {
    for (priority, confidence, expected) in [
        (Severity::Low, 1.0, 0.25),
        (Severity::Medium, 0.9, 0.45),
        (Severity::High, 0.8, 0.6),
        (Severity::Critical, 1.0, 1.0),
    ] {
        assert!((urgency(priority, confidence) - expected).abs() < 1e-12);
    }
}

#[test]
fn how_likely_advice_helps_is_said_from_outcomes_alone() {
    let error = situation(Cause::ConfigurationError, 0.9);
    let with = |outcomes: &[(Kind, Outcomes)]| {
        recommend(&error, &outcomes.iter().copied().collect()).risk_assessment
    };
    let recorded = |succeeded, failed| Outcomes { succeeded, failed };
    assert_eq!(with(&[]).success_probability, None);
    assert_eq!(with(&[(Kind::CodifyIac, recorded(9, 0))]).success_probability, None);
    let none = with(&[(Kind::AutoRevert, recorded(0, 0))]);
    assert_eq!((none.success_probability, none.outcomes), (None, None));
    let some = with(&[(Kind::AutoRevert, recorded(8, 0))]);
    assert!((some.success_probability.unwrap() - 0.9).abs() < 1e-12);
    assert_eq!(some.outcomes, Some(recorded(8, 0)));
    let text = serde_json::to_string(&with(&[])).unwrap();
    assert!(!text.contains("success_probability"), "{text}");
}

#[test]
fn who_recommends_is_who_found_the_cause() {
    fn error(decided_by: &Decider) -> Author {
        let sure = situation(Cause::ConfigurationError, 0.9);
        advise(&Situation { decided_by, ..sure }).recommended_by
    }
    assert_eq!(error(&RULES), Author::Rule);
    let model = Decider::Model { name: "m".to_owned(), version: "1".to_owned() };
    assert_eq!(error(&model), Author::Model);
    assert_eq!(error(&Decider::Person { id: "usr_1".to_owned() }), Author::Human);
    assert_eq!(error(&Decider::Exception { id: "exc_1".to_owned() }), Author::Human);
}

#[test]
fn names_of_others_stand_in_the_words_as_text() {
    let subject = format!("{{cause}}\n\u{202e}{}", "x".repeat(9000));
    let advice =
        advise(&Situation { subject: &subject, ..situation(Cause::ConfigurationError, 0.9) });
    assert!(advice.rationale.starts_with("{cause}\u{fffd}\u{fffd}x"), "{}", advice.rationale);
    assert!(serde_json::to_string(&advice).unwrap().len() < 4000);
}

/// What is recommended in every situation the rules tell apart.
#[test]
fn the_whole_table_of_decisions() {
    let mut table = String::new();
    let around = [
        ("", Around::default()),
        ("security incident", Around { security_incident: true, ..Around::default() }),
        ("held", Around { held: true, ..Around::default() }),
        ("exception", Around { exception: true, ..Around::default() }),
    ];
    for cause in Cause::ALL {
        for confidence in [0.79, 0.8] {
            for security in [0.3, 0.7, 0.71] {
                for environment in [EnvironmentClass::Staging, EnvironmentClass::Prod] {
                    for (name, around) in around {
                        let mut it = situation(*cause, confidence);
                        (it.environment, it.around) = (Some(environment), around);
                        it.axes.security = security;
                        let case =
                            format!("{cause} {confidence} | {security} | {environment} | {name}");
                        writeln!(table, "{}", decisions(&case, it)).unwrap();
                    }
                }
            }
        }
    }
    insta::assert_snapshot!(table);
}

/// What is recommended in one situation, by how the resource differs.
fn decisions(case: &str, mut it: Situation<'_>) -> String {
    let mut by_advice: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for drift in DriftType::ALL {
        it.drift = *drift;
        let Recommendation { rule, recommendation_type, priority, urgency, .. } = advise(&it);
        let told = format!("{recommendation_type} | {priority} | {urgency:.3} ({rule})");
        by_advice.entry(told).or_default().push(drift.word());
    }
    let lines: Vec<String> = by_advice
        .iter()
        .map(|(told, drifts)| match drifts.len() {
            4 => format!("{case} -> {told}"),
            _ => format!("{case} | {} -> {told}", drifts.join(", ")),
        })
        .collect();
    lines.join("\n")
}

#[test]
fn advice_reads_as_it_is_stored() {
    let mut exposed = situation(Cause::EmergencyFix, 0.816);
    exposed.axes.security = 0.95;
    exposed.environment = None;
    let outcomes = BTreeMap::from([(Kind::EscalateReview, Outcomes { succeeded: 3, failed: 1 })]);
    insta::assert_json_snapshot!(recommend(&exposed, &outcomes));
}

#[test]
fn rules_that_cannot_be_followed_are_refused_by_name() {
    const SHIPPED: &str = include_str!("../../../../../content/drift/recommendations.yaml");
    assert!(Recommendations::read(SHIPPED).is_ok());
    for (what, instead, says) in [
        ("when: {}", "when: { held: true }", "rule otherwise: the last rule"),
        ("confidence: 0.9", "confidence: 1.9", "rule production_and_security: a number"),
        ("expires_hours: 24", "expires_hours: 0", "it lasts for nothing"),
        ("  manual_review:", "  auto_review:", "cannot be read"),
        ("priority: severity", "priority: dire", "cannot be read"),
    ] {
        assert!(SHIPPED.contains(what), "{what}");
        let error = Recommendations::read(&SHIPPED.replacen(what, instead, 1)).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(Recommendations::read("{ version: 1, rules: [], types: {} }").is_err());
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![6 => 0.0..=1.0, 1 => select(vec![f64::NAN, -1.0, 9.0, f64::INFINITY])]
}

fn any_situation() -> impl Strategy<Value = Situation<'static>> {
    (
        select(DriftType::ALL.to_vec()),
        select(Cause::ALL.to_vec()),
        (number(), number(), number()),
        proptest::option::of(select(EnvironmentClass::ALL.to_vec())),
        (any::<bool>(), any::<bool>(), any::<bool>()),
    )
        .prop_map(|(drift, cause, numbers, environment, around)| {
            let (confidence, security, performance) = numbers;
            let (security_incident, held, exception) = around;
            let mut it = situation(cause, confidence);
            (it.drift, it.environment) = (drift, environment);
            (it.axes.security, it.axes.performance) = (security, performance);
            it.around = Around { security_incident, held, exception };
            it
        })
}

proptest! {
    #[test]
    fn any_situation_gets_one_advice_that_can_be_stored(it in any_situation()) {
        let advice = advise(&it);
        prop_assert_eq!(&advice, &advise(&it));
        prop_assert!((0.0..=1.0).contains(&advice.confidence));
        prop_assert!((0.0..=1.0).contains(&advice.urgency));
        prop_assert!(!advice.implementation_steps.is_empty() && advice.expires_after_hours > 0);
        let text = serde_json::to_string(&advice).unwrap();
        prop_assert!(!text.contains("null") && !text.contains("NaN"), "{text}");
    }

    #[test]
    fn what_is_exposed_or_answers_a_threat_is_only_ever_escalated(it in any_situation()) {
        let advice = advise(&it);
        let approved = it.around.exception && it.cause == Cause::IntentionalOverride;
        let prod = it.environment.is_none_or(|class| class == EnvironmentClass::Prod);
        let exposed = prod && (it.axes.security > 0.7 || it.axes.security.is_nan());
        let threat = it.cause == Cause::SecurityResponse || it.around.security_incident;
        let escalated = advice.recommendation_type == Kind::EscalateReview;
        prop_assert_eq!(escalated, !approved && (exposed || threat), "{}", advice.rule);
    }

    #[test]
    fn only_a_sure_error_in_properties_is_reverted(it in any_situation()) {
        if advise(&it).recommendation_type == Kind::AutoRevert {
            prop_assert!(it.cause == Cause::ConfigurationError && it.confidence >= 0.8);
            prop_assert!(it.drift == DriftType::Modified && !it.around.held);
        }
    }
}
