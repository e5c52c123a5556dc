//! Order, barriers, conditions, retries, evidence.

use super::*;

#[test]
fn steps_run_in_order_one_over_all_targets_before_the_next() {
    let mut world = World::new(plan(2, 2));
    assert_eq!(world.run(&mut works), ExecutionState::Completed);
    let expected = [
        "do s1 on host-0",
        "do s1 on host-1",
        "do s2 on host-0",
        "do s2 on host-1",
        "do s3 on host-0",
        "do s3 on host-1",
    ];
    assert_eq!(world.effects, expected);
}

#[test]
fn no_more_targets_at_once_than_the_plan_allows() {
    let mut plan = plan(1, 5);
    plan.max_parallel = 2;
    let mut world = World::new(plan);
    let start = world.decide();
    world.perform(start, &mut works);
    let first = world.decide();
    assert_eq!(first.len(), 2);
    world.perform(first, &mut |_| None);
    let open: Vec<AttemptId> = world.snapshot.open().map(|one| one.id).collect();
    world.snapshot.in_flight.extend(open.iter().copied());
    assert_eq!(world.decide(), Vec::new());
    world.close(open[0], Observed::Exited { code: 0 });
    assert_eq!(world.decide().len(), 1);
}

#[test]
fn a_false_condition_skips_and_a_broken_one_fails() {
    let mut skipping = plan(2, 1);
    skipping.steps[0].condition = Some("false".to_owned());
    let mut world = World::new(skipping);
    assert_eq!(world.run(&mut works), ExecutionState::Completed);
    assert_eq!(world.effects, ["do s2 on host-0", "do s3 on host-0"]);
    assert_eq!(world.snapshot.runs[0].state, StepState::Skipped);

    let mut broken = plan(1, 1);
    broken.steps[0].condition = Some("broken".to_owned());
    let mut world = World::new(broken);
    assert_eq!(world.run(&mut works), ExecutionState::Failed);
    assert!(world.effects.is_empty());
}

#[test]
fn a_known_failure_is_retried_as_often_as_the_step_says() {
    let mut retrying = plan(1, 1);
    retrying.steps[0].retry_count = 2;
    retrying.steps[0].retry_delay_s = 7;
    let mut world = World::new(retrying);
    let mut tries = 0;
    let mut fate = |effect: &str| {
        tries += i32::from(effect.starts_with("do s1"));
        Some(Observed::Exited { code: i32::from(tries < 3) })
    };
    assert_eq!(world.run(&mut fate), ExecutionState::Completed);
    let waited = world.now.duration_since(NOW.parse().unwrap());
    assert_eq!(waited.as_secs(), 14);
}

#[test]
fn a_step_may_fail_when_the_plan_says_so_and_the_check_still_decides() {
    let mut tolerant = plan(2, 1);
    tolerant.steps[0].continue_on_failure = true;
    let mut world = World::new(tolerant.clone());
    assert_eq!(world.run(&mut fails("do s1")), ExecutionState::Completed);
    tolerant.steps[2].continue_on_failure = true;
    let mut world = World::new(tolerant);
    assert_eq!(world.run(&mut fails("do s3")), ExecutionState::RolledBack);
}

#[test]
fn captured_output_reaches_later_steps_of_the_same_target_alone() {
    let mut plan = plan(2, 2);
    plan.steps[0].capture_output = true;
    let slot = model::plan::Slot {
        name: "steps.s1.stdout".to_owned(),
        pattern: ".*".to_owned(),
        tainted: true,
    };
    plan.steps[1].scripts.insert(resource(0), Script(vec![Segment::Slot(slot)]));
    let mut world = World::new(plan.clone());
    assert_eq!(world.run(&mut works), ExecutionState::Completed);
    assert!(world.effects.contains(&"out on host-0".to_owned()));
    plan.steps[0].capture_output = false;
    let mut world = World::new(plan);
    assert_eq!(world.run(&mut works), ExecutionState::RolledBack);
    assert_eq!(world.snapshot.because, Some(Because::StepFailed));
}

#[test]
fn behaviour_15_without_its_evidence_nothing_is_completed() {
    let wanted = |kind| EvidenceRequirement { kind, query: "stdout".to_owned() };
    let mut with_log = plan(1, 1);
    with_log.steps[1].evidence = vec![wanted(EvidenceKind::Log)];
    let mut world = World::new(with_log.clone());
    assert_eq!(world.run(&mut works), ExecutionState::Completed);
    assert_eq!(world.snapshot.evidence.len(), 1);

    let mut world = World::new(with_log);
    while world.snapshot.state != ExecutionState::Verifying
        || world.snapshot.open().count() > 0
        || !matches!(world.decide()[0], Command::Collect { .. })
    {
        let commands = world.decide();
        world.perform(commands, &mut works);
    }
    world.now = world.snapshot.deadline.unwrap();
    assert_eq!(world.run(&mut works), ExecutionState::RolledBack, "never stored: undone");

    let mut impossible = plan(1, 1);
    impossible.steps[1].evidence = vec![wanted(EvidenceKind::Promql)];
    let mut world = World::new(impossible);
    assert_eq!(world.run(&mut works), ExecutionState::Failed);
    assert!(world.effects.is_empty(), "a plan that cannot be completed does not act");
}

#[test]
fn a_plan_whose_checks_were_all_skipped_is_not_completed() {
    let mut unchecked = plan(1, 1);
    unchecked.steps[1].condition = Some("false".to_owned());
    let mut world = World::new(unchecked);
    assert_eq!(world.run(&mut works), ExecutionState::RolledBack);
    assert_eq!(world.snapshot.because, Some(Because::VerifyFailed));
}

#[test]
fn cancelling_before_anything_acted_is_cancelled_and_afterwards_undone() {
    let mut world = World::new(plan(2, 1));
    let start = world.decide();
    world.perform(start, &mut works);
    world.snapshot.cancel_requested = true;
    assert_eq!(world.run(&mut works), ExecutionState::Cancelled);
    assert!(world.effects.is_empty());
    assert!(world.snapshot.runs.iter().all(|run| run.state == StepState::Cancelled));

    let mut world = World::new(plan(2, 1));
    for _ in 0..2 {
        let commands = world.decide();
        world.perform(commands, &mut works);
    }
    world.snapshot.cancel_requested = true;
    assert_eq!(world.run(&mut works), ExecutionState::RolledBack);
    assert_eq!(world.effects, ["do s1 on host-0", "undo s1 on host-0"]);
}

#[test]
fn the_plans_time_ends_it_before_the_next_step() {
    let mut world = World::new(plan(2, 1));
    for _ in 0..2 {
        let commands = world.decide();
        world.perform(commands, &mut works);
    }
    world.now = world.snapshot.deadline.unwrap();
    assert_eq!(world.run(&mut works), ExecutionState::RolledBack);
    assert_eq!(world.snapshot.because, Some(Because::TimedOut));
}

#[test]
fn an_open_intent_is_resolved_before_anything_new() {
    let mut world = World::new(plan(2, 1));
    let start = world.decide();
    world.perform(start, &mut works);
    let first = world.decide();
    world.perform(first, &mut |_| None);
    let attempt = world.snapshot.attempts[0].id;
    assert_eq!(world.decide(), vec![Command::Resolve { attempt, overdue: false }]);
    world.now = world.snapshot.attempts[0].deadline;
    assert_eq!(world.decide(), vec![Command::Resolve { attempt, overdue: true }]);
    assert_eq!(world.run(&mut works), ExecutionState::Completed);
}

#[test]
fn what_is_not_known_waits_for_a_person_and_is_not_run_again() {
    let mut world = World::new(plan(2, 2));
    let mut fate = |effect: &str| {
        let reason = "rebooted".to_owned();
        Some(if effect == "do s1 on host-1" {
            Observed::Unknown { reason }
        } else {
            Observed::Exited { code: 0 }
        })
    };
    assert_eq!(world.run(&mut fate), ExecutionState::NeedsHuman);
    assert_eq!(world.effects.len(), 2);
    assert_eq!(world.snapshot.error.as_deref(), Some("s1 on host-1: rebooted"));
}

#[test]
fn a_plan_that_does_nothing_fails() {
    let mut nothing = plan(1, 1);
    nothing.targets.clear();
    assert_eq!(World::new(nothing).run(&mut works), ExecutionState::Failed);
    let mut nothing = plan(1, 1);
    nothing.steps.clear();
    assert_eq!(World::new(nothing).run(&mut works), ExecutionState::Failed);
}
