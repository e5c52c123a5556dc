//! Plans made of runbooks.

use model::finding::SourceStatus;
use model::id::{ConnectionId, FindingId};
use model::intent::ExecutionMode;
use model::level::{EnvironmentClass, Severity};

use super::*;
use crate::runbook::parse::from_yaml;
use crate::runbook::parse::tests::SEED;

/// A runbook of one step, otherwise all defaults.
pub(crate) fn runbook(command: &str) -> Runbook {
    let mut runbook = from_yaml("name: a\nsteps:\n  - name: Do it\n    command: x\n").unwrap();
    runbook.steps[0].command = command.to_owned();
    runbook.mode = ExecutionMode::Auto;
    runbook
}

pub(crate) fn alert(labels: &[(&str, &str)]) -> Alert {
    Alert {
        id: FindingId::generate(),
        fingerprint: "f1".to_owned(),
        name: "ServiceDownNginx".to_owned(),
        severity: Severity::Critical,
        severity_raw: "critical".to_owned(),
        instance: "web1:9100".to_owned(),
        job: "node".to_owned(),
        source: "prometheus".to_owned(),
        status: SourceStatus::Firing,
        starts_at: "2026-03-01T10:00:00Z".parse().unwrap(),
        labels: labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        annotations: BTreeMap::new(),
    }
}

pub(crate) fn candidate(name: &str) -> Candidate {
    Candidate {
        target: Target {
            resource_id: ResourceId::generate(),
            connection_id: ConnectionId::generate(),
            name: name.to_owned(),
            host: format!("{name}.example.com"),
            port: 22,
            username: "ops".to_owned(),
            transport: "ssh".to_owned(),
            credential_id: None,
            credential_version: None,
            host_keys: Vec::new(),
            guard_dir: None,
            environment: EnvironmentClass::Prod,
        },
        facts: Facts {
            hostname: format!("{name}.local"),
            ip: String::new(),
            os: TargetOs::Linux,
            environment: "eu-live".to_owned(),
            tags: vec!["web".to_owned()],
            groups: vec!["front".to_owned()],
        },
    }
}

fn compiled(
    runbook: &Runbook,
    targets: &[Candidate],
    alert: Option<&Alert>,
    variables: &[(&str, &str)],
) -> Result<Plan, CompileError> {
    let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let id = RunbookId::from(uuid::Uuid::from_u128(1));
    compile(Request { id, version: 3, runbook, targets, alert, variables: &variables })
}

fn shown(plan: &Plan, step: usize) -> String {
    plan.steps[step].scripts.values().next().unwrap().shown()
}

#[test]
fn the_example_of_the_source_document_compiles_from_an_alert_and_by_hand() {
    let seed = from_yaml(SEED).unwrap();
    let target = [candidate("web1")];
    let alert = alert(&[("service", "nginx")]);
    let plan = compiled(&seed, &target, Some(&alert), &[]).unwrap();
    assert_eq!(shown(&plan, 0), "export SERVICE_NAME='nginx'\nsystemctl status 'nginx'");
    assert_eq!(shown(&plan, 1), "export SERVICE_NAME='nginx'\nsudo systemctl restart 'nginx'");
    assert_eq!(
        plan.steps[1].undo.values().next().unwrap().shown(),
        "export SERVICE_NAME='nginx'\nsudo systemctl stop 'nginx'"
    );
    assert_eq!(plan.steps[0].expected_exit_codes, [0, 3]);
    let by_hand = compiled(&seed, &target, None, &[("SERVICE_NAME", "nginx")]).unwrap();
    assert_eq!(by_hand.steps, plan.steps);
    let error = compiled(&seed, &target, None, &[]).unwrap_err();
    assert_eq!(
        (error.code, error.path.as_str()),
        ("undefined_variable", "/environment_vars/SERVICE_NAME")
    );
    assert_eq!(
        compiled(&seed, &target, None, &[("OTHER", "x")]).unwrap_err().code,
        "unknown_variable"
    );
    let hostile = compiled(&seed, &target, None, &[("SERVICE_NAME", "$(reboot)")]).unwrap_err();
    assert_eq!(hostile.code, "value_pattern");
}

#[test]
fn behaviour_11_an_alert_label_reaches_the_script_as_text() {
    let mut book = runbook("echo {{ alert.labels.note }}");
    let alert = alert(&[("note", "$(reboot)")]);
    let refused = compiled(&book, &[candidate("web1")], Some(&alert), &[]).unwrap_err();
    assert_eq!(refused.code, "value_pattern");
    assert!(!refused.to_string().contains("$(reboot)"));
    let param = crate::runbook::Param { pattern: ".*".to_owned(), ..Default::default() };
    book.steps[0].params.insert("alert.labels.note".to_owned(), param);
    let plan = compiled(&book, &[candidate("web1")], Some(&alert), &[]).unwrap();
    assert_eq!(shown(&plan, 0), "echo '$(reboot)'");
}

#[test]
fn behaviour_4_an_edit_makes_another_version_and_another_hash() {
    let target = [candidate("web1")];
    let plan = compiled(&runbook("uptime"), &target, None, &[]).unwrap();
    let again = compiled(&runbook("uptime"), &target, None, &[]).unwrap();
    assert_eq!(plan.hash().unwrap(), again.hash().unwrap());
    let edited = compiled(&runbook("uptime -p"), &target, None, &[]).unwrap();
    assert_ne!(plan.hash().unwrap(), edited.hash().unwrap());
    assert_eq!((plan.runbook.version, plan.runbook.name.as_str()), (3, "a"));
    let id = plan.runbook.id;
    let book = runbook("uptime");
    let variables = BTreeMap::new();
    let newer = compile(Request {
        id,
        version: 4,
        runbook: &book,
        targets: &target,
        alert: None,
        variables: &variables,
    });
    assert_ne!(plan.hash().unwrap(), newer.unwrap().hash().unwrap());
}

#[test]
fn verify_steps_come_last_and_leave_evidence() {
    let text = "name: a\nmax_retries: 2\nconfig: {max_parallel: 3}\nsteps:\n  \
        - {name: A, command: a, semantics: idempotent}\n  - {name: B, command: b}\n  \
        - {name: V, command: v, stage: verify, semantics: read}\n";
    let plan = compiled(&from_yaml(text).unwrap(), &[candidate("w")], None, &[]).unwrap();
    let order: Vec<_> = plan.steps.iter().map(|step| (step.order, step.name.as_str())).collect();
    assert_eq!(order, [(1, "A"), (2, "B"), (3, "V")]);
    assert_eq!(plan.steps[2].evidence[0].query, "both");
    assert!(plan.steps[0].evidence.is_empty());
    // Only what may run twice takes the runbook's retries.
    let retries: Vec<_> = plan.steps.iter().map(|step| step.retry_count).collect();
    assert_eq!(retries, [2, 0, 2]);
    assert_eq!(plan.max_parallel, 3);
    let radius = blast_radius(&plan);
    assert!(radius.irreversible && radius.targets == 1 && radius.scope == BlastScope::Namespace);
}

#[test]
fn scripts_are_rendered_for_each_target_and_conditions_carry_their_variables() {
    let mut book = runbook("ping {{ server.name }}");
    book.steps[0].condition = Some("{{ server.environment_class == 'prod' }}".to_owned());
    let targets = [candidate("web1"), candidate("web2")];
    let plan = compiled(&book, &targets, None, &[]).unwrap();
    for one in &targets {
        let id = one.target.resource_id;
        assert_eq!(plan.steps[0].scripts[&id].shown(), format!("ping '{}'", one.target.name));
        let variables = plan.variables[&id].as_object().unwrap();
        assert_eq!(variables.keys().collect::<Vec<_>>(), ["server"]);
    }
    assert_eq!(plan.steps[0].condition.as_deref(), Some("server.environment_class == 'prod'"));
}

#[test]
fn what_may_not_run_is_refused() {
    let target = candidate("web1");
    let one = std::slice::from_ref(&target);
    let code = |book: &Runbook, targets: &[Candidate]| {
        compiled(book, targets, None, &[]).unwrap_err().code
    };
    assert_eq!(code(&runbook("a"), &[]), "no_targets");
    assert_eq!(code(&runbook("a"), &[target.clone(), target.clone()]), "target_twice");
    assert_eq!(code(&runbook("echo \"{{ server.name }}\""), one), "placeholder_in_quotes");
    let mut book = runbook("a");
    book.status = Status::Disabled;
    assert_eq!(code(&book, one), "disabled");
    book.status = Status::Draft;
    book.target_os = TargetOs::Windows;
    assert_eq!(code(&book, one), "os_not_supported");
    let mut windows = target.clone();
    windows.facts.os = TargetOs::Windows;
    assert_eq!(code(&runbook("a"), &[windows]), "os_mismatch");
}
