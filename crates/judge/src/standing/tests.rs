use model::level::EnvironmentClass;

use super::*;
use crate::action::Category;
use crate::policy::{shipped, shipped_files};

fn key(action: &str, environment: EnvironmentClass) -> Key {
    Key { category: Category::Compute, environment, action: action.to_owned() }
}

fn ground(bundle: Option<&Bundle>) -> Ground<'_> {
    Ground {
        tenant: TenantId::fixed(7),
        at: "2026-03-01T10:00:00Z".parse().unwrap(),
        constants: ConstantSet::arf_1(),
        bundle,
    }
}

fn standing(key: Key, successes: u32, failures: u32, bundle: Option<&Bundle>) -> Standing {
    of(&Evidence { key, successes, failures }, None, ground(bundle))
}

fn start() -> Key {
    key("host.service.start", EnvironmentClass::Dev)
}

#[test]
fn what_is_needed_is_what_earns_it() {
    for (failures, needed) in [(0, 58), (1, 91), (2, 121)] {
        let short = standing(start(), needed - 1, failures, Some(shipped()));
        assert_eq!((short.needed, short.autonomy.earned), (Some(needed), false), "{failures}");
        let enough = standing(start(), needed, failures, Some(shipped()));
        assert_eq!((enough.needed, enough.autonomy.earned), (Some(needed), true), "{failures}");
        assert_eq!((enough.autonomy.successes, enough.autonomy.failures), (needed, failures));
    }
}

#[test]
fn it_stands_where_the_gate_would_put_a_change_of_the_kind() {
    for (action, environment, successes) in [
        ("host.service.start", EnvironmentClass::Dev, 500),
        ("host.service.restart", EnvironmentClass::Staging, 57),
        ("host.service.restart", EnvironmentClass::Prod, 500),
        ("no.such.action", EnvironmentClass::Dev, 500),
    ] {
        let evidence = Evidence { key: key(action, environment), successes, failures: 0 };
        let asked = question(&evidence, None, ground(Some(shipped())));
        let said = evaluate::judge(&asked, Some(shipped()));
        let stands = of(&evidence, None, ground(Some(shipped())));
        assert_eq!(stands.autonomy, said.autonomy, "{action}");
        assert_eq!(stands.tier, said.assessment.tier, "{action}");
    }
}

#[test]
fn above_the_highest_tier_no_number_is_enough() {
    let prod = standing(key("host.service.restart", EnvironmentClass::Prod), 5_000, 0, None);
    assert_eq!((prod.tier, prod.needed, prod.autonomy.earned), (Tier::High, None, false));
    let staging = standing(key("host.service.restart", EnvironmentClass::Staging), 1, 0, None);
    assert_eq!((staging.tier, staging.needed), (Tier::Medium, Some(58)));
}

#[test]
fn a_policy_that_asks_for_more_is_asked_as_the_gate_asks_it() {
    let mut files = shipped_files();
    let said =
        "\nautonomy := {\"min_successes\": 100} if \"staging\" in input.context.environments\n";
    files.entry("assistant/decision.rego".to_owned()).or_default().push_str(said);
    let stricter = Bundle::compile(files).unwrap();
    let of = |class| standing(key("host.service.start", class), 99, 0, Some(&stricter));
    let staging = of(EnvironmentClass::Staging);
    assert_eq!((staging.needed, staging.autonomy.earned), (Some(100), false));
    assert_eq!(staging.limits.min_successes, 100);
    let dev = of(EnvironmentClass::Dev);
    assert_eq!((dev.needed, dev.autonomy.earned, dev.limits.min_successes), (Some(58), true, 20));
}

#[test]
fn what_nobody_asks_about_does_not_count() {
    let table = Table::shipped();
    assert!(counts(&start(), table));
    assert!(!counts(&key("host.service.status", EnvironmentClass::Dev), table), "a read");
    assert!(!counts(&Key { category: Category::Network, ..start() }, table), "another category's");
    // What a deployment to a database is asked about by is databases.
    let deploy =
        Key { category: Category::Database, ..key("deploy.config.canary", EnvironmentClass::Dev) };
    assert!(counts(&deploy, table));
}
