use model::plan::Semantics;

use super::*;
use crate::decide::tests::{NOW, plan, prepared};

fn case(semantics: Semantics, retries: u32, direction: Direction, observed: Observed) -> Closing {
    let mut plan = plan(1, 1);
    plan.steps[0].semantics = semantics;
    plan.steps[0].retry_count = retries;
    plan.steps[0].retry_delay_s = 5;
    plan.steps[0].expected_exit_codes = vec![0, 3];
    let mut snapshot = prepared(plan);
    let run = snapshot.runs[0].id;
    let attempt = crate::decide::tests::attempt(run, direction, 1);
    snapshot.apply(&crate::snapshot::Change::Opened(attempt.clone()));
    let step = snapshot.plan.steps[0].clone();
    close(&snapshot, &step, &attempt, observed, NOW.parse().unwrap())
}

#[test]
fn an_expected_code_succeeds_and_any_other_fails() {
    let closing = |code| case(Semantics::AtMostOnce, 0, Direction::Do, Observed::Exited { code });
    assert_eq!(closing(3).run, Some(StepState::Succeeded));
    assert_eq!(closing(3).state, AttemptState::Succeeded);
    assert_eq!(closing(1).run, Some(StepState::Failed));
    assert_eq!(closing(1).error.as_deref(), Some("exit code 1"));
}

#[test]
fn an_undo_succeeds_with_nought_only() {
    let closing = |code| case(Semantics::AtMostOnce, 3, Direction::Undo, Observed::Exited { code });
    assert_eq!(closing(0).run, Some(StepState::Undone));
    assert_eq!(closing(3).run, Some(StepState::UndoFailed));
}

#[test]
fn a_known_failure_is_retried_after_its_delay_while_tries_are_left() {
    let closing = case(Semantics::AtMostOnce, 1, Direction::Do, Observed::Exited { code: 1 });
    assert_eq!(closing.run, Some(StepState::Pending));
    let later: Timestamp = NOW.parse().unwrap();
    assert_eq!(closing.next_at, Some(later + SignedDuration::from_secs(5)));
}

#[test]
fn what_is_not_known_is_never_retried() {
    let reason = "gone".to_owned();
    let closing = case(Semantics::AtMostOnce, 9, Direction::Do, Observed::Unknown { reason });
    assert_eq!(closing.run, Some(StepState::Unknown));
    assert_eq!((closing.state, closing.next_at), (AttemptState::Unknown, None));
    assert_eq!(closing.resolution, None);
}

#[test]
fn a_fenced_attempt_costs_no_retry() {
    let closing = case(Semantics::AtMostOnce, 0, Direction::Do, Observed::Fenced);
    assert_eq!((closing.state, closing.run), (AttemptState::Fenced, Some(StepState::Pending)));
    assert_eq!(closing.started, Some(false));
}

#[test]
fn an_undo_that_never_started_may_be_tried_again_but_one_that_ran_may_not() {
    let reason = || "no route".to_owned();
    let not_started = Observed::NotStarted { reason: reason() };
    let closing = case(Semantics::AtMostOnce, 1, Direction::Undo, not_started.clone());
    assert_eq!(closing.run, None);
    assert!(closing.next_at.is_some());
    let closing = case(Semantics::AtMostOnce, 0, Direction::Undo, not_started);
    assert_eq!(closing.run, Some(StepState::UndoFailed));
    let closing = case(Semantics::AtMostOnce, 9, Direction::Undo, Observed::TimedOut);
    assert_eq!(closing.run, Some(StepState::UndoFailed));
}

#[test]
fn an_interrupted_read_runs_again_but_not_for_ever() {
    let reason = "crash".to_owned();
    let closing = case(Semantics::Read, 0, Direction::Do, Observed::Repeatable { reason });
    assert_eq!(closing.run, Some(StepState::Pending));
    assert_eq!(closing.resolution, Some(Resolution::Retry));
}
