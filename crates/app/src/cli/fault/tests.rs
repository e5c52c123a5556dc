use anyhow::Context as _;
use api::Problem;
use api::problem::FieldFault;

use super::in_words;
use crate::client::Error;

fn fault(path: &str, message: &str) -> FieldFault {
    FieldFault { path: path.to_owned(), code: "x".to_owned(), message: message.to_owned() }
}

#[test]
fn a_problem_is_told_with_its_code_and_every_field() {
    let problem = Problem::invalid_fields(
        "the runbook is refused",
        vec![fault("/yaml#/steps/0", "3:5: no command"), fault("/yaml#/name", "1:1: no name")],
    );
    let error = anyhow::Error::from(Error::Problem(Box::new(problem))).context("import of x.yaml");
    assert_eq!(
        in_words(&error),
        "error: import of x.yaml: The request is not valid: the runbook is refused [invalid]\n  \
         /yaml#/steps/0: 3:5: no command\n  /yaml#/name: 1:1: no name"
    );
}

#[test]
fn a_single_fault_is_not_told_twice() {
    let problem = Problem::invalid("/name", "length", "must have 1 to 100 characters");
    let error = anyhow::Error::from(Error::Problem(Box::new(problem)));
    assert_eq!(
        in_words(&error),
        "error: The request is not valid: /name: must have 1 to 100 characters [invalid]"
    );
}

#[test]
fn the_unknown_are_told_to_log_in() {
    let problem = Problem::unauthenticated("no key");
    let error = anyhow::Error::from(Error::Problem(Box::new(problem)));
    assert!(
        in_words(&error).ends_with("hint: `countersign login`, or give --key or COUNTERSIGN_KEY")
    );
}

#[test]
fn the_whole_chain_is_on_one_line() {
    let read: Result<String, _> = std::fs::read_to_string("/nonexistent/runbook.yaml");
    let error = read.context("cannot read the runbook").expect_err("no such file");
    assert_eq!(
        in_words(&error),
        "error: cannot read the runbook: No such file or directory (os error 2)"
    );
}

#[test]
fn what_a_server_says_cannot_steer_the_terminal() {
    let problem = Problem::invalid("/name", "x", "\u{1b}]0;owned\u{7}");
    let error = anyhow::Error::from(Error::Problem(Box::new(problem)));
    assert!(!in_words(&error).contains('\u{1b}'));
}
