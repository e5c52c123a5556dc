use clap::Parser as _;
use serde_json::json;

use super::{Alert, shown};
use crate::cli::{Cli, Command};

#[test]
fn an_alert_says_why_each_trigger_did_or_did_not_match() {
    let trigger = |name, matched, chosen, holds| {
        json!({
            "runbook": "restart", "trigger": name, "matched": matched, "chosen": chosen,
            "verdicts": [{"criterion": "severity", "holds": holds, "reason": "severity is low"}],
        })
    };
    let alert = json!({
        "title": "Down on web-1", "labels": {"a": "\u{1b}[2J"},
        "trigger_report": {
            "triggers": [
                trigger("first", true, true, true),
                trigger("second", true, false, true),
                trigger("third", false, false, false),
            ],
            "started": [],
        },
    });
    let text = shown(&alert);
    assert!(text.contains("restart / first: chosen"), "{text}");
    assert!(text.contains("restart / second: matches, but another"), "{text}");
    assert!(text.contains("restart / third: severity is low"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn an_alert_is_sent_as_alertmanager_would() {
    let given = ["countersign", "alert", "send", "Down", "--label", "instance=web-1"];
    let Command::Alert(Alert::Send(send)) = Cli::try_parse_from(given).expect("parses").command
    else {
        panic!("another command")
    };
    let now: jiff::Timestamp = "2026-11-21T08:30:12Z".parse().expect("a time");
    let body = send.as_alertmanager(now);
    let batch = sense::alert::alertmanager::parse(body.to_string().as_bytes(), now);
    let batch = batch.expect("it is what the hook takes");
    assert_eq!((batch.notices.len(), batch.quarantined.len()), (1, 0), "{body}");
}
