use super::*;
use crate::constants::ConstantSet;

fn constants() -> &'static AutonomyConstants {
    &ConstantSet::arf_1().autonomy
}

fn key(action: &str) -> Key {
    Key {
        category: Category::Compute,
        environment: EnvironmentClass::Prod,
        action: action.to_owned(),
    }
}

fn evidence(action: &str, successes: u32, failures: u32) -> Evidence {
    Evidence { key: key(action), successes, failures }
}

fn earned(successes: u32, failures: u32) -> bool {
    let keys = [key("host.service.restart")];
    let evidence = [evidence("host.service.restart", successes, failures)];
    judge(&keys, &evidence, Tier::Medium, constants()).earned
}

#[test]
fn autonomy_needs_the_successes_its_documentation_names() {
    for (failures, needed) in [(0, 58), (1, 91), (2, 121)] {
        assert!(!earned(needed - 1, failures), "{failures}");
        assert!(earned(needed, failures), "{failures}");
    }
}

#[test]
fn twenty_successes_are_needed_even_if_the_bound_would_allow_fewer() {
    let mut loose = constants().clone();
    loose.max_failure_bound = Exact(0.5);
    let of = |successes| {
        let evidence = [evidence("a", successes, 0)];
        judge(&[key("a")], &evidence, Tier::Medium, &loose).earned
    };
    assert!(!of(19));
    assert!(of(20));
}

#[test]
fn evidence_about_something_else_earns_nothing() {
    let plenty = evidence("host.service.restart", 500, 0);
    for other in [
        key("host.service.stop"),
        Key { environment: EnvironmentClass::Dev, ..key("host.service.restart") },
        Key { category: Category::Security, ..key("host.service.restart") },
    ] {
        assert!(!judge(&[other], std::slice::from_ref(&plenty), Tier::Low, constants()).earned);
    }
}

#[test]
fn every_action_of_a_plan_must_have_earned_it() {
    let evidence = [evidence("a", 500, 0), evidence("b", 10, 0)];
    let judged = judge(&[key("a"), key("b")], &evidence, Tier::Low, constants());
    assert!(!judged.earned);
    assert_eq!((judged.successes, judged.failures), (10, 0));
    assert!(!judge(&[], &evidence, Tier::Low, constants()).earned);
}

#[test]
fn no_evidence_earns_autonomy_above_tier_medium() {
    let of = |tier| judge(&[key("a")], &[evidence("a", 5_000, 0)], tier, constants()).earned;
    assert!(of(Tier::Low) && of(Tier::Medium));
    assert!(!of(Tier::High) && !of(Tier::Critical));
}

#[test]
fn a_policy_tightens_the_limits_and_cannot_loosen_them() {
    let limits = |min_successes, bound, max_tier| Limits {
        min_successes: Some(min_successes),
        max_failure_bound: Some(Exact(bound)),
        max_tier: Some(max_tier),
    };
    let tightened = constants().tightened(&limits(100, 0.01, Tier::Low));
    assert_eq!(
        (tightened.min_successes, tightened.max_failure_bound.0, tightened.max_tier),
        (100, 0.01, Tier::Low)
    );
    assert_eq!(constants().tightened(&limits(1, 0.9, Tier::Critical)), *constants());
    let broken = constants().tightened(&limits(1, f64::NAN, Tier::Critical));
    assert_eq!(broken.max_failure_bound, Exact(0.0), "a bound that is no number closes the door");
}
