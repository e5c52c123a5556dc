//! A worker that stops anywhere, and the next one: no effect twice, none lost.

use model::execution::StepState;
use model::plan::{EvidenceKind, EvidenceRequirement, Semantics};

use super::*;
use crate::decide::tests::plan;

/// The check leaves evidence.
fn proving(acts: u32, targets: usize) -> Plan {
    let mut plan = plan(acts, targets);
    let log = EvidenceRequirement { kind: EvidenceKind::Log, query: "both".to_owned() };
    plan.steps.last_mut().unwrap().evidence.push(log);
    plan
}

/// Stops a worker at `point` and drops it; says whether it got there before the end.
async fn dies_at(estate: &Estate, point: &'static str) -> bool {
    let engine = estate.engine("first");
    engine.stop.arm(point);
    tokio::select! {
        ended = estate.turn(&engine) => {
            ended.unwrap();
            false
        }
        () = engine.stop.reached() => true,
    }
}

/// The next worker takes up what the first one left, unless that was its end.
async fn taken_up(estate: &Estate, id: ExecutionId, end: ExecutionState, point: &str) {
    fixture::expire(&estate.test, id).await;
    let state: ExecutionState = fixture::state(&estate.test, id).await.0.parse().unwrap();
    if !state.terminal() {
        let ended = estate.turn(&estate.engine("second")).await.unwrap();
        assert_eq!(ended, finished(end), "{point}");
    }
}

/// Every attempt has one intent in the audit log, and its outcome after it.
async fn audited(estate: &Estate, id: ExecutionId) {
    let log = fixture::audit(&estate.test, id).await;
    for (token, state, _, _) in fixture::attempts(&estate.test, id).await {
        let naming = |action: &str| -> Vec<usize> {
            let names = |one: &(String, String)| one.0 == action && one.1.contains(&token);
            (0..log.len()).filter(|at| names(&log[*at])).collect()
        };
        let (started, ended) = (naming("step.started"), naming("step.ended"));
        assert_eq!((started.len(), ended.len()), (1, 1), "{token} {state}");
        assert!(started < ended, "{token}: the intent comes first");
    }
}

#[tokio::test]
async fn r1_a_worker_may_die_at_every_point_going_forwards() {
    let estate = Estate::new().await;
    let plan = proving(2, 2);
    let mut passed = Vec::new();
    for point in POINTS {
        estate.fake.forget();
        let id = estate.approved(&plan).await;
        if dies_at(&estate, point).await {
            passed.push(*point);
            taken_up(&estate, id, ExecutionState::Completed, point).await;
        }
        assert_eq!(fixture::state(&estate.test, id).await.0, "completed", "{point}");
        let mut acts: Vec<String> =
            estate.fake.effects().into_iter().filter(|one| !one.contains("s3")).collect();
        acts.sort();
        let once = ["do s1 on host-0", "do s1 on host-1", "do s2 on host-0", "do s2 on host-1"];
        assert_eq!(acts, once, "each step once after a crash at {point}");
        assert_eq!(fixture::count(&estate.test, "evidence", id).await, 2, "{point}");
        audited(&estate, id).await;
    }
    let ended = estate.server.finished.lock().unwrap().len();
    assert_eq!(ended, POINTS.len(), "each end was told once");
    let forwards: Vec<_> = POINTS
        .iter()
        .filter(|point| !point.contains("undo") && !point.contains("rolling_back"))
        .copied()
        .collect();
    assert_eq!(passed, forwards);
}

#[tokio::test]
async fn r1_a_worker_may_die_at_every_point_going_back() {
    let estate = Estate::new().await;
    let plan = plan(2, 2);
    estate.fake.set(|knobs| {
        knobs.fail.insert("do s2 on host-1".to_owned());
    });
    let mut passed = 0;
    for point in POINTS {
        estate.fake.forget();
        let id = estate.approved(&plan).await;
        if dies_at(&estate, point).await {
            passed += 1;
            taken_up(&estate, id, ExecutionState::RolledBack, point).await;
        }
        assert_eq!(fixture::state(&estate.test, id).await.0, "rolled_back", "{point}");
        let effects = estate.fake.effects();
        let mut once = effects.clone();
        once.sort();
        once.dedup();
        assert_eq!((effects.len(), once.len()), (8, 8), "{point}: {effects:?}");
        let back = effects.iter().filter(|one| one.starts_with("undo"));
        let steps: Vec<bool> = back.map(|one| one.contains("s2")).collect();
        assert_eq!(steps, [true, true, false, false], "{point}: the last step is undone first");
        audited(&estate, id).await;
    }
    assert_eq!(passed, POINTS.len() - 4, "all but those of checks and evidence");
}

#[tokio::test]
async fn an_interrupted_read_runs_again_under_a_new_token() {
    let estate = Estate::new().await;
    let mut plan = plan(1, 1);
    plan.steps[0].semantics = Semantics::Read;
    let id = estate.approved(&plan).await;
    assert!(dies_at(&estate, "act.effect.after").await);
    taken_up(&estate, id, ExecutionState::Completed, "effect").await;
    let attempts = fixture::attempts(&estate.test, id).await;
    assert_eq!(attempts.len(), 3);
    assert!(attempts[0].0.ends_with(".do.1") && attempts[1].0.ends_with(".do.2"));
    assert_eq!(attempts[0].1, "unknown");
}

#[tokio::test]
async fn an_idempotent_step_is_sent_again_under_the_same_token() {
    let estate = Estate::new().await;
    let mut plan = plan(1, 1);
    plan.steps[0].semantics = Semantics::Idempotent;
    for point in ["act.t1.after", "act.effect.after"] {
        estate.fake.forget();
        let id = estate.approved(&plan).await;
        assert!(dies_at(&estate, point).await);
        taken_up(&estate, id, ExecutionState::Completed, point).await;
        let attempts = fixture::attempts(&estate.test, id).await;
        assert_eq!((attempts.len(), attempts[0].3), (2, true), "one attempt, adopted");
        assert_eq!(estate.fake.effects(), ["do s1 on host-0", "do s2 on host-0"]);
    }
}

#[tokio::test]
async fn a_broken_line_is_asked_about_and_the_outcome_adopted() {
    let estate = Estate::new().await;
    estate.fake.set(|knobs| {
        knobs.interrupt.insert("do s1 on host-0".to_owned());
    });
    let (id, ended) = estate.run(&plan(1, 1)).await;
    assert_eq!(ended, finished(ExecutionState::Completed));
    assert_eq!(estate.fake.effects(), ["do s1 on host-0", "do s2 on host-0"]);
    assert_eq!(fixture::attempts(&estate.test, id).await.len(), 2);
}

#[tokio::test]
async fn r8_a_target_that_rebooted_in_the_middle_needs_a_person() {
    let estate = Estate::new().await;
    estate.fake.set(|knobs| {
        knobs.interrupt.insert("do s1 on host-0".to_owned());
        knobs.vanish.insert("do s1 on host-0".to_owned());
    });
    let (id, ended) = estate.run(&plan(2, 1)).await;
    assert_eq!(ended, Ended::NeedsHuman);
    assert_eq!(fixture::state(&estate.test, id).await.0, "needs_human");
    let runs = fixture::runs(&estate.test, id).await;
    assert_eq!(runs[0].2, StepState::Unknown.word());
    assert_eq!(estate.fake.effects().len(), 1, "it is not run again");
}

#[tokio::test]
async fn a_target_that_stays_silent_past_the_deadline_needs_a_person() {
    let estate = Estate::new().await;
    let mut plan = plan(1, 1);
    plan.steps[0].timeout_s = 0;
    let id = estate.approved(&plan).await;
    let mut first = estate.engine("first");
    first.settings.grace = Duration::from_millis(100);
    first.stop.arm("act.t1.after");
    tokio::select! {
        _ended = estate.turn(&first) => panic!("it passes the point"),
        () = first.stop.reached() => {}
    }
    estate.fake.set(|knobs| {
        knobs.gone.insert("host-0".to_owned());
    });
    fixture::expire(&estate.test, id).await;
    let ended = estate.turn(&estate.engine("second")).await.unwrap();
    assert_eq!(ended, Ended::NeedsHuman);
}

#[tokio::test]
async fn a_restored_target_that_lost_a_start_we_saw_needs_a_person() {
    let estate = Estate::new().await;
    estate.fake.set(|knobs| {
        knobs.hold = true;
        knobs.prints = "working\n".to_owned();
    });
    let id = estate.approved(&plan(1, 1)).await;
    let first = estate.engine("first");
    let shown = async {
        // Moved, started, printed: the live output shows that it has started.
        let mut waker = estate.test.db.waker(db::wake::Topic::Events);
        while fixture::count(&estate.test, "execution_events", id).await < 3 {
            waker.wait(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        _ended = estate.turn(&first) => panic!("it is held"),
        () = shown => {}
    }
    estate.fake.restore();
    fixture::expire(&estate.test, id).await;
    let ended = estate.turn(&estate.engine("second")).await.unwrap();
    assert_eq!(ended, Ended::NeedsHuman);
    assert_eq!(estate.fake.effects().len(), 1);
}

#[tokio::test]
async fn what_was_seen_to_fail_is_known_to_the_worker_that_ends_it() {
    let estate = Estate::new().await;
    estate.fake.set(|knobs| knobs.fail = ["do s2 on host-0".to_owned()].into());
    let id = estate.approved(&plan(2, 1)).await;
    assert!(dies_at(&estate, "act.undo.t2.after").await);
    taken_up(&estate, id, ExecutionState::RolledBack, "undone in part").await;
    assert!(estate.server.finished.lock().unwrap().last().unwrap().verified);
}
