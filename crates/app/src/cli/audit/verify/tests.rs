use clap::Parser as _;
use model::id::TenantId;
use prove::verify::report::{AnchorState, FirstBad, Kind, Report};

use super::told;
use crate::cli::{self, Cli};

fn report() -> Report {
    Report {
        minimum: 0,
        gaps: Vec::new(),
        ok: true,
        tenant: TenantId::from(uuid::Uuid::nil()),
        size: 12,
        first_bad: None,
        bounded_by: None,
        anchor: Some(AnchorState { size: 12, age: 3 }),
        witness: None,
        cannot_tell: None,
    }
}

#[test]
fn the_first_bad_event_is_named() {
    let bad = FirstBad {
        seq: 7,
        kind: Kind::LeafMismatch,
        expected: "aa".to_owned(),
        found: "bb".to_owned(),
    };
    let text =
        told(&Report { ok: false, first_bad: Some(bad), bounded_by: Some([7, 8]), ..report() });
    assert!(text.starts_with("TAMPERED WITH: 12 events"), "{text}");
    assert!(text.contains("first bad event  7 (leaf mismatch)"), "{text}");
    assert!(text.contains("it lies between  7 and 8"), "{text}");
}

#[test]
fn what_cannot_be_told_says_why() {
    let why = Some("the anchor does not know this log".to_owned());
    let text = told(&Report { ok: false, cannot_tell: why, ..report() });
    assert!(text.starts_with("cannot tell") && text.contains("the anchor does not know"), "{text}");
    assert!(told(&report()).starts_with("as it was signed: 12 events"));
}

async fn exit_code(arguments: &[&str]) -> u8 {
    let start = ["countersign", "audit", "verify"];
    let cli = Cli::try_parse_from(start.into_iter().chain(arguments.iter().copied()));
    cli::run(cli.expect("parses")).await
}

#[tokio::test]
async fn without_a_database_nothing_can_be_told() {
    let empty = tempfile::tempdir().expect("a directory");
    let data = empty.path().to_str().expect("utf-8");
    assert_eq!(exit_code(&["--data-dir", data]).await, 3);
    let made: Vec<_> = std::fs::read_dir(empty.path()).expect("there").collect();
    assert!(made.is_empty(), "verifying leaves nothing behind: {made:?}");
}

#[tokio::test]
async fn an_export_without_trusted_keys_proves_nothing() {
    let empty = tempfile::tempdir().expect("a directory");
    let data = empty.path().to_str().expect("utf-8");
    let export = tempfile::tempdir().expect("a directory");
    let bundle = export.path().to_str().expect("utf-8");
    assert_eq!(exit_code(&["--data-dir", data, "--bundle", bundle]).await, 3, "no checkpoint");
    std::fs::write(export.path().join("checkpoint"), "audit.local/x\n0\nAA==\n").expect("written");
    assert_eq!(exit_code(&["--data-dir", data, "--bundle", bundle]).await, 3, "no keys");
}
