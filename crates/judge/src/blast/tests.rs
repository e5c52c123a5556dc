use std::collections::BTreeMap;

use model::id::{ConnectionId, ResourceId, RunbookId};
use model::level::EnvironmentClass;
use model::plan::{PlanStep, RunbookRef, Script, Target};

use super::*;

fn target(environment: EnvironmentClass) -> Target {
    Target {
        resource_id: ResourceId::generate(),
        connection_id: ConnectionId::generate(),
        name: "web".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: 22,
        username: "ops".to_owned(),
        transport: "ssh".to_owned(),
        credential_id: None,
        credential_version: None,
        host_keys: Vec::new(),
        guard_dir: None,
        environment,
    }
}

fn plan(targets: Vec<Target>, action: &str, semantics: Semantics) -> Plan {
    let scripts: BTreeMap<_, _> =
        targets.iter().map(|target| (target.resource_id, Script::text("true"))).collect();
    let step = PlanStep {
        order: 1,
        name: "act".to_owned(),
        description: None,
        stage: Stage::Act,
        action: action.to_owned(),
        semantics,
        scripts,
        undo: BTreeMap::new(),
        condition: None,
        expected_exit_codes: vec![0],
        timeout_s: 60,
        continue_on_failure: false,
        retry_count: 0,
        retry_delay_s: 5,
        capture_output: true,
        sensitive: false,
        evidence: Vec::new(),
    };
    Plan {
        runbook: RunbookRef { id: RunbookId::generate(), name: "r".to_owned(), version: 1 },
        steps: vec![step],
        targets,
        max_parallel: 1,
        timeout_s: 300,
        variables: BTreeMap::new(),
    }
}

fn fleet(count: usize) -> Vec<Target> {
    (0..count).map(|_| target(EnvironmentClass::Staging)).collect()
}

#[test]
fn the_scope_follows_the_number_of_targets() {
    for (count, expected) in [
        (0, BlastScope::Namespace),
        (10, BlastScope::Namespace),
        (11, BlastScope::Cluster),
        (50, BlastScope::Cluster),
        (51, BlastScope::Account),
    ] {
        let radius =
            radius(&plan(fleet(count), "host.shell", Semantics::AtMostOnce), Table::shipped());
        assert_eq!((radius.targets as usize, radius.scope), (count, expected));
    }
}

#[test]
fn a_step_without_undo_is_irreversible_only_if_its_action_is() {
    let of = |action, semantics| radius(&plan(fleet(2), action, semantics), Table::shipped());
    assert!(of("host.reboot", Semantics::AtMostOnce).irreversible);
    assert!(of("drain node 7", Semantics::Idempotent).irreversible, "unknown actions count");
    assert!(!of("host.reboot", Semantics::Read).irreversible);
    assert!(!of("host.service.restart", Semantics::AtMostOnce).irreversible);
}

#[test]
fn an_undo_missing_on_one_target_is_an_undo_missing() {
    let mut plan = plan(fleet(2), "host.reboot", Semantics::AtMostOnce);
    let first = plan.targets[0].resource_id;
    plan.steps[0].undo.insert(first, Script::text("true"));
    assert!(radius(&plan, Table::shipped()).irreversible);
    let second = plan.targets[1].resource_id;
    plan.steps[0].undo.insert(second, Script::text("true"));
    assert!(!radius(&plan, Table::shipped()).irreversible);
}

#[test]
fn a_verify_step_cannot_make_a_plan_irreversible() {
    let mut plan = plan(fleet(1), "host.reboot", Semantics::AtMostOnce);
    plan.steps[0].stage = Stage::Verify;
    assert!(!radius(&plan, Table::shipped()).irreversible);
}

#[test]
fn environments_are_listed_once_each() {
    let targets = [EnvironmentClass::Prod, EnvironmentClass::Dev, EnvironmentClass::Prod];
    let plan = plan(targets.map(target).to_vec(), "host.read", Semantics::Read);
    let radius = radius(&plan, Table::shipped());
    assert_eq!(radius.environments, [EnvironmentClass::Dev, EnvironmentClass::Prod]);
}
