use clap::Parser as _;
use serde_json::json;

use super::Blackout;
use crate::cli::{Cli, Command};

fn body(arguments: &[&str]) -> serde_json::Value {
    let start = ["countersign", "blackout", "add", "night", "--from", "2026-01-01T22:00", "--to"];
    let cli = Cli::try_parse_from(
        start.into_iter().chain(["2026-01-02T06:00"]).chain(arguments.iter().copied()),
    );
    match cli.expect("parses").command {
        Command::Blackout(Blackout::Add(add)) => add.body(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_window_every_month_names_days_by_number() {
    let body = body(&["--recurrence", "monthly", "--days", "1,-1", "--zone", "Europe/Berlin"]);
    assert_eq!(body["recurrence_pattern"], json!({"days_of_month": [1, -1]}));
    assert_eq!(body["start_time"], "2026-01-01T22:00:00");
    assert_eq!(body["timezone"], "Europe/Berlin");
}

#[test]
fn a_window_without_days_has_no_pattern() {
    assert_eq!(body(&["--recurrence", "weekly"])["recurrence_pattern"], json!(null));
    assert_eq!(
        body(&["--recurrence", "weekly", "--days", "mon,fri"])["recurrence_pattern"],
        json!({"days_of_week": ["mon", "fri"]})
    );
}
