//! Which steps are undone, in which order, and what an undo that fails does.

use super::*;

fn undos(world: &World) -> Vec<&str> {
    world.effects.iter().map(String::as_str).filter(|one| one.starts_with("undo")).collect()
}

#[test]
fn r14_a_failure_at_every_step_undoes_in_reverse_including_the_failing_step() {
    let steps = 5;
    for k in 1..=steps {
        let mut world = World::new(plan(steps, 1));
        assert_eq!(world.run(&mut fails(&format!("do s{k}"))), ExecutionState::RolledBack);
        let expected: Vec<String> = (1..=k).rev().map(|n| format!("undo s{n} on host-0")).collect();
        assert_eq!(undos(&world), expected, "failing step {k}");
    }
}

#[test]
fn r14_an_outcome_told_twice_changes_nothing() {
    for k in 1..=4 {
        let mut world = World::new(plan(4, 1));
        let mut fate = fails(&format!("do s{k}"));
        for _ in 0..100 {
            let commands = world.decide();
            if commands.is_empty() {
                break;
            }
            world.perform(commands, &mut fate);
            let again: Vec<AttemptId> = world.snapshot.attempts.iter().map(|one| one.id).collect();
            let before = world.snapshot.runs.clone();
            for attempt in again {
                let one = world.snapshot.attempt(attempt).unwrap();
                let code = i32::from(one.state == AttemptState::Failed);
                world.close(attempt, Observed::Exited { code });
            }
            let states =
                |runs: &[StepRun]| runs.iter().map(|run| (run.id, run.ended)).collect::<Vec<_>>();
            assert_eq!(states(&before), states(&world.snapshot.runs));
        }
        assert_eq!(undos(&world).len(), k);
    }
}

#[test]
fn r14_one_undo_that_fails_stops_the_rest_and_is_visible() {
    let mut world = World::new(plan(4, 1));
    let mut fate = |effect: &str| {
        let bad = effect.starts_with("do s4") || effect.starts_with("undo s3");
        Some(Observed::Exited { code: i32::from(bad) })
    };
    assert_eq!(world.run(&mut fate), ExecutionState::RollbackFailed);
    assert_eq!(undos(&world), ["undo s4 on host-0", "undo s3 on host-0"]);
    assert_eq!(world.snapshot.runs[2].state, StepState::UndoFailed);
    assert_eq!(world.snapshot.runs[1].state, StepState::Succeeded, "left as it is, for a person");
    assert_eq!(world.decide(), Vec::new(), "and it stays so");
}

#[test]
fn r14_a_step_of_unknown_end_is_undone_with_the_rest_and_stopped_first() {
    let mut world = World::new(plan(2, 2));
    let mut fate = |effect: &str| {
        let reason = "rebooted".to_owned();
        Some(match effect {
            "do s2 on host-0" => Observed::Unknown { reason },
            "do s2 on host-1" => Observed::Exited { code: 1 },
            _ => Observed::Exited { code: 0 },
        })
    };
    let mut stopped_first = Vec::new();
    for _ in 0..100 {
        let commands = world.decide();
        for command in &commands {
            if let Command::Open(Open { stop_first: Some(_), script, .. }) = command {
                stopped_first.push(script.clone());
            }
        }
        world.perform(commands, &mut fate);
    }
    assert_eq!(world.snapshot.state, ExecutionState::RolledBack);
    let expected =
        ["undo s2 on host-1", "undo s2 on host-0", "undo s1 on host-1", "undo s1 on host-0"];
    assert_eq!(undos(&world), expected);
    assert_eq!(stopped_first, ["undo s2"]);
}

#[test]
fn r14_an_undo_of_unknown_end_asks_a_person_and_is_not_repeated() {
    let mut world = World::new(plan(2, 1));
    let mut fate = |effect: &str| {
        let reason = "rebooted".to_owned();
        Some(match effect {
            "do s2 on host-0" => Observed::Exited { code: 1 },
            "undo s2 on host-0" => Observed::Unknown { reason },
            _ => Observed::Exited { code: 0 },
        })
    };
    assert_eq!(world.run(&mut fate), ExecutionState::NeedsHuman);
    assert_eq!(undos(&world), ["undo s2 on host-0"]);
}

#[test]
fn behaviour_6_a_failed_check_undoes_everything_in_reverse_of_ending() {
    let mut world = World::new(plan(3, 2));
    let mut fate = fails("do s4 on host-1");
    assert_eq!(world.run(&mut fate), ExecutionState::RolledBack);
    assert_eq!(world.snapshot.because, Some(Because::VerifyFailed));
    let expected = [
        "undo s3 on host-1",
        "undo s3 on host-0",
        "undo s2 on host-1",
        "undo s2 on host-0",
        "undo s1 on host-1",
        "undo s1 on host-0",
    ];
    assert_eq!(undos(&world), expected);
}

#[test]
fn behaviour_6_a_check_that_can_be_undone_is_undone_first() {
    let mut plan = plan(1, 1);
    plan.steps[1].semantics = Semantics::AtMostOnce;
    plan.steps[1].undo.insert(resource(0), Script::text("undo s2"));
    let mut world = World::new(plan);
    assert_eq!(world.run(&mut fails("do s2")), ExecutionState::RolledBack);
    assert_eq!(undos(&world), ["undo s2 on host-0", "undo s1 on host-0"]);
}

#[test]
fn the_reverse_of_ending_counts_not_the_order_of_targets() {
    let mut world = World::new(plan(1, 3));
    for _ in 0..2 {
        let commands = world.decide();
        world.perform(commands, &mut |_| None);
    }
    for n in [1, 2, 0] {
        let attempt = world.snapshot.attempts[n].id;
        world.close(attempt, Observed::Exited { code: i32::from(n == 0) });
    }
    assert_eq!(world.run(&mut works), ExecutionState::RolledBack);
    assert_eq!(undos(&world), ["undo s1 on host-0", "undo s1 on host-2", "undo s1 on host-1"]);
}

#[test]
fn a_step_without_undo_leaves_it_undone_in_part() {
    let mut plan = plan(3, 1);
    plan.steps[1].undo.clear();
    let mut world = World::new(plan);
    assert_eq!(world.run(&mut fails("do s3")), ExecutionState::PartiallyRolledBack);
    assert_eq!(undos(&world), ["undo s3 on host-0", "undo s1 on host-0"]);
    let error = world.snapshot.error.unwrap();
    assert_eq!(error, "s3 on host-0: exit code 1; cannot be undone: s2 on host-0");
}

#[test]
fn what_never_started_needs_no_undo() {
    let mut world = World::new(plan(1, 1));
    let mut fate = |_: &str| Some(Observed::NotStarted { reason: "no route to host".to_owned() });
    assert_eq!(world.run(&mut fate), ExecutionState::Failed);
    assert!(undos(&world).is_empty());
}

#[test]
fn reads_need_no_undo() {
    let mut plan = plan(1, 1);
    plan.steps[0].semantics = Semantics::Read;
    plan.steps[0].undo.clear();
    let mut world = World::new(plan);
    assert_eq!(world.run(&mut fails("do s1")), ExecutionState::Failed);
    let mut plan = super::plan(1, 1);
    plan.steps[0].semantics = Semantics::Read;
    plan.steps[0].undo.clear();
    let mut world = World::new(plan);
    assert_eq!(world.run(&mut |_| Some(Observed::TimedOut)), ExecutionState::TimedOut);
}
