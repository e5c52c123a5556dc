use super::*;

#[test]
fn the_defaults_are_those_that_were_promised() {
    let rules = Rules::default();
    let kept: Vec<(&str, u32, &str)> = Class::ALL
        .iter()
        .map(|class| (class.word(), rules.keep(*class), class.unit().word()))
        .collect();
    assert_eq!(
        kept,
        [
            ("findings", 90, "days"),
            ("correlations", 90, "days"),
            ("predictions", 90, "days"),
            ("conversations", 90, "days"),
            ("notifications", 90, "days"),
            ("usage", 396, "days"),
            ("costs", 1_096, "days"),
            ("evidence", 1_096, "days"),
            ("audit", 2_557, "days"),
            ("models", 5, "versions"),
        ]
    );
    for class in Class::ALL {
        assert!(class.allows(class.default_keep()), "{class}");
    }
}

#[test]
fn traces_cannot_be_made_to_disappear_by_a_short_rule() {
    assert!(!Class::Audit.allows(364));
    assert!(Class::Audit.allows(365));
    assert!(!Class::Evidence.allows(89));
    for class in Class::ALL {
        assert!(!class.allows(0), "{class}");
        assert!(!class.allows(MOST + 1), "{class}");
    }
}

#[test]
fn a_rule_of_the_tenants_own_goes_before_the_default() {
    let rules = Rules::of(BTreeMap::from([(Class::Findings, 10)]));
    let now: Timestamp = "2026-04-11T00:00:00Z".parse().unwrap();
    assert_eq!(rules.cutoff(Class::Findings, now).to_string(), "2026-04-01T00:00:00Z");
    assert_eq!(rules.cutoff(Class::Correlations, now).to_string(), "2026-01-11T00:00:00Z");
    assert!(rules.is_own(Class::Findings));
    assert!(!rules.is_own(Class::Correlations));
}

#[test]
fn a_hold_keeps_its_class_and_one_without_a_class_everything() {
    let one = Holds::of(vec![Some(Class::Evidence)]);
    assert!(one.keep(Class::Evidence));
    assert!(!one.keep(Class::Findings));
    let all = Holds::of(vec![Some(Class::Evidence), None]);
    assert!(Class::ALL.iter().all(|class| all.keep(*class)));
    assert!(!Class::ALL.iter().any(|class| Holds::default().keep(*class)));
}
