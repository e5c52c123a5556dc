//! What executions leave: rows, output, evidence, ends.

use model::execution::StepState;
use model::plan::{EvidenceKind, EvidenceRequirement};

use super::*;
use crate::decide::tests::plan;
use crate::snapshot::Because;
use crate::store::read;

#[tokio::test]
async fn r14_steps_are_undone_in_reverse_of_ending_and_a_failing_undo_stops_it() {
    let estate = Estate::new().await;
    for k in 1..=3 {
        estate.fake.forget();
        estate.fake.set(|knobs| knobs.fail = [format!("do s{k} on host-0")].into());
        let (_, ended) = estate.run(&plan(3, 1)).await;
        assert_eq!(ended, finished(ExecutionState::RolledBack));
        let back: Vec<String> =
            estate.fake.effects().into_iter().filter(|one| one.starts_with("undo")).collect();
        let expected: Vec<String> = (1..=k).rev().map(|n| format!("undo s{n} on host-0")).collect();
        assert_eq!(back, expected);
    }
    estate.fake.forget();
    estate.fake.set(|knobs| {
        knobs.fail = ["do s3 on host-0".to_owned(), "undo s2 on host-0".to_owned()].into();
    });
    let (id, ended) = estate.run(&plan(3, 1)).await;
    assert_eq!(ended, finished(ExecutionState::RollbackFailed));
    assert_eq!(estate.fake.effects().last().unwrap(), "undo s2 on host-0");
    let states: Vec<String> =
        fixture::runs(&estate.test, id).await.into_iter().map(|run| run.2).collect();
    assert_eq!(states, ["succeeded", "undo_failed", "undone", "skipped"]);
    let told = estate.server.finished.lock().unwrap().last().unwrap().clone();
    assert_eq!(told.error.as_deref(), Some("undo of s2 on host-0: exit code 1"));
    assert!(told.verified, "the acting step was seen to fail");
}

#[tokio::test]
async fn behaviour_6_a_failed_check_rolls_back_over_the_same_targets() {
    let estate = Estate::new().await;
    estate.fake.set(|knobs| knobs.fail = ["do s3 on host-1".to_owned()].into());
    let (_, ended) = estate.run(&plan(2, 2)).await;
    assert_eq!(ended, finished(ExecutionState::RolledBack));
    let told = estate.server.finished.lock().unwrap().last().unwrap().clone();
    assert_eq!(told.because, Some(Because::VerifyFailed));
    assert!(told.verified, "a check said so");
    let back = estate.fake.effects().iter().filter(|one| one.starts_with("undo")).count();
    assert_eq!(back, 4);
}

#[tokio::test]
async fn output_is_kept_whole_shown_and_hashed_and_the_login_is_masked() {
    let estate = Estate::new().await;
    estate.fake.set(|knobs| knobs.prints = format!("up since monday, {PASSWORD}\n"));
    let mut plan = plan(1, 1);
    let log = EvidenceRequirement { kind: EvidenceKind::Log, query: "stdout".to_owned() };
    plan.steps[1].evidence.push(log);
    let (id, ended) = estate.run(&plan).await;
    assert_eq!(ended, finished(ExecutionState::Completed));
    let mut tx = estate.test.db.tenant(estate.test.tenant).await.unwrap();
    let steps = read::steps(&mut tx, id).await.unwrap();
    assert_eq!(steps[0].stdout.as_deref(), Some("up since monday, [masked]\n"));
    assert_eq!(steps[0].exit_code, Some(0));
    let happened = read::events(&mut tx, id, 0, 100).await.unwrap();
    let numbers: Vec<i64> = happened.iter().map(|one| one.seq).collect();
    assert_eq!(numbers, (1..=i64::try_from(happened.len()).unwrap()).collect::<Vec<_>>());
    assert!(happened.iter().any(|one| one.kind == "output" && one.message.contains("monday")));
    assert!(!happened.iter().any(|one| one.message.contains(PASSWORD)));
    let evidence = read::evidence(&mut tx, id).await.unwrap();
    let tenant = estate.test.tenant.uuid();
    let objects = estate.objects.0.lock().unwrap().clone();
    assert!(evidence[0].result_ref.starts_with(&format!("{tenant}/evidence/{}/", id.uuid())));
    let stored = &objects[&evidence[0].result_ref];
    assert_eq!(Digest::of(stored).as_bytes().as_slice(), evidence[0].sha256);
    assert!(String::from_utf8_lossy(stored).contains("up since monday"));
    assert_eq!(objects.keys().filter(|key| key.contains("/tool-output/")).count(), 2);
    assert_eq!(fixture::count(&estate.test, "tool_calls", id).await, 2);
    let summary = read::get(&mut tx, id).await.unwrap();
    assert_eq!((summary.state.as_str(), summary.lease_epoch), ("completed", 1));
    assert!(summary.duration_ms.is_some());
}

#[tokio::test]
async fn nothing_a_sensitive_step_prints_is_kept_anywhere() {
    let estate = Estate::new().await;
    estate.fake.set(|knobs| knobs.prints = "the token is 4711".to_owned());
    let mut plan = plan(1, 1);
    for step in &mut plan.steps {
        step.sensitive = true;
        step.capture_output = true;
    }
    let (id, ended) = estate.run(&plan).await;
    assert_eq!(ended, finished(ExecutionState::Completed));
    let mut tx = estate.test.db.tenant(estate.test.tenant).await.unwrap();
    let steps = read::steps(&mut tx, id).await.unwrap();
    assert_eq!((steps[0].stdout.as_deref(), steps[0].exit_code), (None, Some(0)));
    let happened = read::events(&mut tx, id, 0, 100).await.unwrap();
    assert!(happened.iter().all(|one| !one.message.contains("4711")));
    assert!(estate.objects.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_follows_from_an_end_is_written_with_it_or_not_at_all() {
    let estate = Estate::new().await;
    *estate.server.failing.lock().unwrap() = 1;
    let id = estate.approved(&plan(1, 1)).await;
    let failed = estate.turn(&estate.engine("first")).await;
    assert!(matches!(failed, Err(Error::Finish(_))), "{failed:?}");
    assert_eq!(fixture::state(&estate.test, id).await.0, "verifying");
    fixture::expire(&estate.test, id).await;
    let ended = estate.turn(&estate.engine("second")).await.unwrap();
    assert_eq!(ended, finished(ExecutionState::Completed));
    assert_eq!(estate.fake.effects().len(), 2, "nothing ran again");
}

#[tokio::test]
async fn a_long_wait_for_a_retry_gives_the_execution_back() {
    let estate = Estate::new().await;
    estate.fake.set(|knobs| knobs.fail = ["do s1 on host-0".to_owned()].into());
    let mut plan = plan(1, 1);
    plan.steps[0].retry_count = 1;
    plan.steps[0].retry_delay_s = 120;
    let (id, ended) = estate.run(&plan).await;
    let Ended::Waiting(_) = ended else { panic!("{ended:?}") };
    let engine = estate.engine("second");
    let claimed = store::claim(&engine.db, "second", engine.settings.lease_ttl).await.unwrap();
    assert!(claimed.is_none(), "not before its time");
    let runs = fixture::runs(&estate.test, id).await;
    assert_eq!(runs[0].2, StepState::Pending.word());
}

#[tokio::test]
async fn an_unreachable_target_fails_without_an_undo() {
    let estate = Estate::new().await;
    estate.fake.set(|knobs| {
        knobs.gone.insert("host-0".to_owned());
    });
    let (id, ended) = estate.run(&plan(1, 1)).await;
    assert_eq!(ended, finished(ExecutionState::Failed));
    assert_eq!(fixture::count(&estate.test, "tool_calls", id).await, 0);
    assert!(!estate.server.finished.lock().unwrap().last().unwrap().verified, "it never started");
}

#[tokio::test]
async fn another_tenant_sees_no_execution() {
    let estate = Estate::new().await;
    let (id, _) = estate.run(&plan(1, 1)).await;
    let other = estate.test.another_tenant().await;
    let mut tx = estate.test.db.tenant(other).await.unwrap();
    assert!(matches!(read::get(&mut tx, id).await, Err(Error::NotFound(_))));
    assert!(read::steps(&mut tx, id).await.unwrap().is_empty());
    assert!(read::events(&mut tx, id, 0, 10).await.unwrap().is_empty());
}
