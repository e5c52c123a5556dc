use model::plan::{Plan, Semantics};

use super::*;
use crate::decide::tests::{World, fails, plan, works};
use crate::outcome::Observed;

/// Runs a plan to its end, and says where that is and whether it was seen.
fn ran(plan: Plan, fate: &mut dyn FnMut(&str) -> Option<Observed>) -> (ExecutionState, bool) {
    let mut world = World::new(plan);
    let state = world.run(fate);
    (state, verified(&world.snapshot))
}

/// What starts with `what` comes to `end`; the rest works.
fn comes_to(what: &str, end: &Observed) -> impl FnMut(&str) -> Option<Observed> + use<> {
    let (what, end) = (what.to_owned(), end.clone());
    move |effect| {
        Some(if effect.starts_with(&what) { end.clone() } else { Observed::Exited { code: 0 } })
    }
}

#[test]
fn a_success_is_seen_by_a_check_that_ran_and_by_nothing_else() {
    assert_eq!(ran(plan(2, 1), &mut works), (ExecutionState::Completed, true));
    let mut unchecked = plan(2, 1);
    unchecked.steps.pop();
    assert_eq!(ran(unchecked, &mut works), (ExecutionState::Completed, false));
}

#[test]
fn a_failed_check_is_seen_and_one_that_could_not_run_is_not() {
    assert_eq!(ran(plan(2, 1), &mut fails("do s3")), (ExecutionState::RolledBack, true));
    let unreachable = Observed::NotStarted { reason: "no route".to_owned() };
    let ended = ran(plan(2, 1), &mut comes_to("do s3", &unreachable));
    assert_eq!(ended, (ExecutionState::RolledBack, false));
    let mut skipped = plan(2, 1);
    skipped.steps[2].condition = Some("false".to_owned());
    assert_eq!(ran(skipped, &mut works), (ExecutionState::RolledBack, false), "no check ran");
}

#[test]
fn an_acting_step_seen_to_fail_or_to_take_too_long_is_seen_also_once_undone() {
    let rolled_back = (ExecutionState::RolledBack, true);
    assert_eq!(ran(plan(2, 1), &mut fails("do s2")), rolled_back);
    assert_eq!(ran(plan(2, 1), &mut comes_to("do s2", &Observed::TimedOut)), rolled_back);
    let mut read = plan(1, 1);
    read.steps[0].semantics = Semantics::Read;
    assert_eq!(ran(read, &mut fails("do s1")), (ExecutionState::Failed, true));
}

#[test]
fn an_acting_step_whose_end_nobody_saw_is_not() {
    let reason = || "gone".to_owned();
    for end in [Observed::NotStarted { reason: reason() }, Observed::GaveUp { reason: reason() }] {
        let (state, seen) = ran(plan(2, 1), &mut comes_to("do s2", &end));
        assert_eq!((state, seen), (ExecutionState::RolledBack, false), "{end:?}");
    }
    let mut unknown = World::new(plan(1, 1));
    let end = Observed::Unknown { reason: reason() };
    assert_eq!(unknown.run(&mut comes_to("do s1", &end)), ExecutionState::NeedsHuman);
    assert!(!verified(&unknown.snapshot));
}

#[test]
fn a_step_that_may_fail_or_worked_at_last_does_not_speak_for_another() {
    let unreachable = Observed::NotStarted { reason: "no route".to_owned() };
    let mut may_fail = plan(2, 1);
    may_fail.steps[0].continue_on_failure = true;
    let mut fate = |effect: &str| {
        Some(match effect {
            "do s1 on host-0" => Observed::Exited { code: 1 },
            "do s2 on host-0" => unreachable.clone(),
            _rest => Observed::Exited { code: 0 },
        })
    };
    assert_eq!(ran(may_fail, &mut fate), (ExecutionState::RolledBack, false));
    let mut retried = plan(2, 1);
    retried.steps[0].retry_count = 1;
    let mut tries = 0;
    let mut fate = |effect: &str| {
        tries += i32::from(effect == "do s1 on host-0");
        Some(match effect {
            "do s1 on host-0" => Observed::Exited { code: i32::from(tries == 1) },
            "do s2 on host-0" => unreachable.clone(),
            _rest => Observed::Exited { code: 0 },
        })
    };
    assert_eq!(ran(retried, &mut fate), (ExecutionState::RolledBack, false));
}

#[test]
fn a_cancelled_execution_teaches_nothing_whatever_it_saw() {
    let mut world = World::new(plan(2, 1));
    let (commands, mut fate) = (world.decide(), fails("do s3"));
    world.perform(commands, &mut fate);
    let commands = world.decide();
    world.perform(commands, &mut fate);
    world.snapshot.cancel_requested = true;
    assert_eq!(world.run(&mut fate), ExecutionState::RolledBack);
    assert_eq!(world.snapshot.because, Some(Because::Cancelled));
    assert!(!verified(&world.snapshot));
}
