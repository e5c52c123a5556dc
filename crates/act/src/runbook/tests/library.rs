//! The shipped runbooks: each must do what a runbook of anybody's must.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::id::RunbookId;

use crate::runbook::compile::tests::{alert, candidate};
use crate::runbook::compile::{Request, compile};
use crate::runbook::trigger::{Armed, LastTriggered, best_matches};
use crate::runbook::{emit, lint, parse};

fn content() -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap())
        .ancestors()
        .map(|up| up.join("content"))
        .find(|content| content.join("runbooks").is_dir())
        .expect("the repository has its content")
}

fn texts() -> Vec<(String, String)> {
    let texts = below("runbooks");
    assert!(texts.len() >= 4);
    texts
}

fn below(folder: &str) -> Vec<(String, String)> {
    let mut texts: Vec<_> = std::fs::read_dir(content().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    texts.sort();
    texts
}

#[test]
fn shipped_runbooks_lint_clean_and_round_trip() {
    let actions = std::fs::read_to_string(content().join("actions.yaml")).unwrap();
    let procedures = below("drift/runbooks");
    assert!(procedures.len() >= 10);
    for (name, text) in texts().into_iter().chain(procedures) {
        let (runbook, warnings) = match lint::of_yaml(&text) {
            Ok(read) => read,
            Err(problems) => panic!("{name}: {}", problems[0]),
        };
        assert_eq!(runbook.name, name);
        // What has no way back says so in its name, or leaves it to the other side.
        let final_ones = ["terraform-revert-for-good", "cloudformation-revert"];
        let mut left = warnings.iter().filter(|warning| {
            warning.code != "no_rollback" || !final_ones.contains(&name.as_str())
        });
        assert_eq!(left.next().map(ToString::to_string), None, "{name}");
        assert_eq!(parse::from_yaml(&emit::to_yaml(&runbook).unwrap()).unwrap(), runbook, "{name}");
        for step in &runbook.steps {
            assert!(
                actions.contains(&format!("\n  {}: {{", step.action)),
                "{name}: {}",
                step.action
            );
        }
    }
}

#[test]
fn shipped_runbooks_compile_for_an_alert_that_starts_them() {
    for (name, text) in texts() {
        let runbook = parse::from_yaml(&text).unwrap();
        let mut alert = alert(&[
            ("service", "nginx"),
            ("supervised", "true"),
            ("lock_file", "/run/app.lock"),
            ("mountpoint", "/"),
        ]);
        alert.name = match name.as_str() {
            "disk-cleanup" => "HostDiskAlmostFull",
            "clear-stale-lock" => "StaleLockHeld",
            _ => "ServiceDownNginx",
        }
        .to_owned();
        let id = RunbookId::generate();
        let triggers = runbook.triggers.iter().map(|_| model::id::TriggerId::generate()).collect();
        let armed = Armed { id, version: 1, runbook, triggers };
        let now = "2026-03-01T10:00:00Z".parse().unwrap();
        let found = best_matches(&alert, std::slice::from_ref(&armed), now, &LastTriggered::new());
        assert_eq!(found.len(), 1, "{name}");
        let plan = compile(Request {
            id,
            version: 1,
            runbook: &armed.runbook,
            targets: &[candidate("web1")],
            alert: Some(&alert),
            variables: &BTreeMap::new(),
        })
        .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(plan.steps.iter().any(|step| !step.evidence.is_empty()), "{name}");
        plan.hash().unwrap();
    }
}
