//! `countersign demo`, as a newcomer runs it.

#![expect(clippy::tests_outside_test_module, reason = "the whole file is a test")]

use std::process::{Command, Output};

fn demo(path: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.arg("demo").env_remove("DATABASE_URL");
    if let Some(path) = path {
        command.env("PATH", path);
    }
    command.output().expect("the demo starts")
}

#[test]
fn the_demo_shows_the_whole_loop_and_ends_by_itself() {
    let output = demo(None);
    let told = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{complained}");
    let mut rest = &*told;
    // In this order: each is looked for after the one before.
    for line in [
        "grace and edith set up a second factor",
        "Prometheus: ServiceDown fires for web-2",
        "decision: require_approval",
        "[own_plan]",
        "[own_request]",
        "grace: approved",
        "execution: completed",
        "the finding is fixed",
        "after:  Beta(1, 13)",
        "Prometheus: ErrorRatioHigh fires for web-3",
        "edith: approved",
        "Put back into rotation on web-3: undone",
        "Switch release on web-3: undone",
        "Take out of rotation on web-3: undone",
        "execution: rolled back",
        "after:  Beta(2, 13)",
        "exit code 0: every event is as it was signed",
        "exit code 2: audit verify names event",
    ] {
        let at = rest.find(line).unwrap_or_else(|| panic!("not told: {line}\n{told}"));
        rest = &rest[at + line.len()..];
    }
    let dir = told.split("happens in ").nth(1).and_then(|rest| rest.split(". ").next());
    let dir = dir.expect("where it happened");
    assert!(!std::path::Path::new(dir).exists(), "{dir} is still there");
}

#[test]
fn without_its_programs_the_demo_says_in_one_line_what_to_install() {
    let output = demo(Some("/nonexistent"));
    let complained = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complained}");
    assert_eq!(complained.trim().lines().count(), 1, "{complained}");
    let wanted = "apt-get install -y --no-install-recommends prometheus prometheus-alertmanager";
    assert!(complained.contains(wanted), "{complained}");
}
