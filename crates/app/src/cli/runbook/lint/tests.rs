use clap::Parser as _;

use super::judge;
use crate::cli::{self, Cli};

const GOOD: &str = "name: uptime\nsteps:\n  - name: Look\n    command: uptime\n    stage: verify\n";

#[test]
fn a_good_document_is_accepted() {
    let judged = judge("good.yaml".to_owned(), GOOD, true);
    assert!(judged.accepted(), "{:?}", judged.lines());
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_column() {
    let text = GOOD.replace("command: uptime", "comand: uptime");
    let judged = judge("bad.yaml".to_owned(), &text, false);
    assert!(!judged.accepted());
    let lines = judged.lines();
    let first = lines.first().expect("a line");
    assert!(first.starts_with("bad.yaml:3:") || first.starts_with("bad.yaml:4:"), "{first}");
    assert!(first.contains(": error: "), "{first}");
}

#[test]
fn what_only_activation_asks_for_is_asked_for_on_demand() {
    let text = GOOD.replace("    stage: verify\n", "");
    assert!(judge("x.yaml".to_owned(), &text, false).accepted());
    assert!(!judge("x.yaml".to_owned(), &text, true).accepted());
}

#[tokio::test]
async fn lint_needs_no_server_and_exits_1_on_errors() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("x.yaml");
    for (text, code) in [(GOOD, 0), ("name: [", 1)] {
        std::fs::write(&file, text).expect("written");
        let file = file.to_str().expect("utf-8");
        let cli = Cli::try_parse_from(["countersign", "runbook", "lint", file]).expect("parses");
        assert_eq!(cli::run(cli).await, code, "{text}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_a_failure() {
    let cli = Cli::try_parse_from(["countersign", "runbook", "lint", "/nonexistent.yaml"]);
    assert_eq!(cli::run(cli.expect("parses")).await, 1);
}
