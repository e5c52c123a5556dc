//! People: stopping executions, and saying what happened.

use model::actor::{Actor, Role};
use model::audit::Origin;
use model::id::StepRunId;
use model::level::Tier;

use super::*;
use crate::decide::tests::plan;
use crate::duty::Refused;
use crate::snapshot::{Because, Resolution};
use crate::store::human::{self, By, Resolved};
use crate::store::read;

async fn cancel(estate: &Estate, id: ExecutionId) -> Result<ExecutionState, Error> {
    let actor = estate.test.system_actor(estate.test.tenant).await;
    let by = By { actor: &actor, origin: Origin::default() };
    let mut tx = estate.test.db.tenant(estate.test.tenant).await.unwrap();
    let state = human::cancel(&mut tx, id, &by).await?;
    tx.commit().await.unwrap();
    Ok(state)
}

async fn resolve(estate: &Estate, id: ExecutionId, choice: Resolution) -> ExecutionState {
    let actor = estate.test.another_actor(estate.test.tenant, "Ann", &[Role::Approver]).await;
    let by = By { actor: &actor, origin: Origin::default() };
    let mut tx = estate.test.db.tenant(estate.test.tenant).await.unwrap();
    let steps = read::steps(&mut tx, id).await.unwrap();
    assert_eq!(steps[0].in_doubt.as_deref(), Some("do"));
    assert!(steps[1..].iter().all(|step| step.in_doubt.is_none()));
    let wrong = StepRunId::generate();
    let refused = human::resolve(&mut tx, id, wrong, choice, &by).await;
    assert!(matches!(refused, Err(Error::NothingToResolve(_))));
    let run = steps[0].id.into();
    let resolved = human::resolve(&mut tx, id, run, choice, &by).await.unwrap();
    let after = read::steps_of(&mut tx, id, false).await.unwrap();
    assert!(after[0].in_doubt.is_none(), "what was said is asked no more");
    tx.commit().await.unwrap();
    let Resolved::Taken(state) = resolved else { panic!("{resolved:?}") };
    state
}

/// What comes of it when this actor says that the first step worked; committed.
async fn says(estate: &Estate, id: ExecutionId, actor: &Actor) -> Resolved {
    let by = By { actor, origin: Origin::default() };
    let mut tx = estate.test.db.tenant(estate.test.tenant).await.unwrap();
    let run = read::steps(&mut tx, id).await.unwrap()[0].id.into();
    let choice = Resolution::MarkSucceeded;
    let resolved = human::resolve(&mut tx, id, run, choice, &by).await.unwrap();
    tx.commit().await.unwrap();
    resolved
}

/// An execution whose first step vanished with its target's boot.
pub(super) async fn in_doubt(estate: &Estate) -> ExecutionId {
    estate.fake.forget();
    estate.fake.set(|knobs| {
        knobs.interrupt = ["do s1 on host-0".to_owned()].into();
        knobs.vanish = knobs.interrupt.clone();
    });
    let (id, ended) = estate.run(&plan(2, 1)).await;
    assert_eq!(ended, Ended::NeedsHuman);
    estate.fake.set(|knobs| {
        knobs.interrupt.clear();
        knobs.vanish.clear();
    });
    id
}

#[tokio::test]
async fn a_person_may_say_that_it_worked_or_failed_or_is_to_be_tried_again() {
    let estate = Estate::new().await;
    let cases = [
        (Resolution::MarkSucceeded, ExecutionState::Completed, vec!["do s2", "do s3"]),
        (Resolution::MarkFailed, ExecutionState::RolledBack, vec!["undo s1"]),
        (Resolution::Retry, ExecutionState::Completed, vec!["do s1", "do s2", "do s3"]),
    ];
    for (choice, end, expected) in cases {
        let id = in_doubt(&estate).await;
        let engine = estate.engine("second");
        let claimed = store::claim(&engine.db, "second", engine.settings.lease_ttl).await;
        assert!(claimed.unwrap().is_none(), "no worker touches it before a person has spoken");
        assert_eq!(resolve(&estate, id, choice).await, ExecutionState::InProgress);
        estate.fake.forget();
        assert_eq!(estate.turn(&engine).await.unwrap(), finished(end), "{choice:?}");
        let after: Vec<String> = expected.iter().map(|one| format!("{one} on host-0")).collect();
        assert_eq!(estate.fake.effects(), after, "{choice:?}");
        let log = fixture::audit(&estate.test, id).await;
        assert!(log.iter().any(|one| one.0 == "step.resolved" && one.1.contains(choice.word())));
    }
}

#[tokio::test]
async fn a4_whoever_asked_does_not_say_that_it_worked_and_it_is_recorded() {
    let estate = Estate::new().await;
    let tenant = estate.test.tenant;
    let requester = estate.test.another_actor(tenant, "Rita", Role::ALL).await;
    let ann = estate.test.another_actor(tenant, "Ann", &[Role::Approver]).await;
    let olga = estate.test.another_actor(tenant, "Olga", &[Role::Operator]).await;
    let bot = Actor { kind: ActorKind::Service, ..ann.clone() };
    let (id, small) = (in_doubt(&estate).await, in_doubt(&estate).await);
    for id in [id, small] {
        fixture::asked_by(&estate.test, id, requester.id).await;
    }
    for (actor, why) in [
        (&requester, Refused::OwnRequest),
        (&olga, Refused::RoleMissing),
        (&bot, Refused::NotAPerson),
    ] {
        assert_eq!(says(&estate, id, actor).await, Resolved::Refused(why));
        assert_eq!(fixture::state(&estate.test, id).await.0, "needs_human");
        let log = fixture::audit(&estate.test, id).await;
        let last = log.last().unwrap();
        assert!(last.0 == "step.resolve_refused" && last.1.contains(why.code()), "{last:?}");
    }
    // What Ann's own key asked for is hers.
    fixture::asked_by_key_of(&estate.test, id, &ann).await;
    assert_eq!(says(&estate, id, &ann).await, Resolved::Refused(Refused::OwnRequest));
    let taken = Resolved::Taken(ExecutionState::InProgress);
    assert_eq!(says(&estate, id, &requester).await, taken, "it is nobody else's");

    fixture::assessed(&estate.test, small, Tier::Low).await;
    assert_eq!(says(&estate, small, &requester).await, Resolved::Refused(Refused::OwnRequest));
    assert_eq!(says(&estate, small, &olga).await, taken, "an operator may, at tier low");
}

#[tokio::test]
async fn cancelling_takes_the_approval_before_the_execution_as_votes_do() {
    let estate = Estate::new().await;
    let id = estate.approved(&plan(1, 1)).await;
    let approval = fixture::approval(&estate.test, id).await;
    let mut voter = estate.test.admin.begin().await.unwrap();
    sqlx::query("SELECT FROM countersign.approvals WHERE id = $1 FOR UPDATE")
        .bind(approval.uuid())
        .execute(&mut *voter)
        .await
        .unwrap();
    let stop = async {
        let actor = estate.test.system_actor(estate.test.tenant).await;
        let by = By { actor: &actor, origin: Origin::default() };
        let mut tx = estate.test.db.tenant(estate.test.tenant).await.unwrap();
        let state = human::stop(&mut tx, id, &by).await.unwrap();
        tx.commit().await.unwrap();
        state
    };
    let vote = async {
        fixture::somebody_waits(&estate.test).await;
        // What a vote does next: in the other order the two would wait for each other.
        sqlx::query("SELECT FROM countersign.executions WHERE id = $1 FOR UPDATE NOWAIT")
            .bind(id.uuid())
            .execute(&mut *voter)
            .await
            .expect("nobody holds the execution");
        voter.commit().await.unwrap();
    };
    let (state, ()) = tokio::join!(stop, vote);
    assert_eq!(state, ExecutionState::Cancelled);
    let after = fixture::gate_states(&estate.test, id).await;
    assert_eq!(after, ("void".to_owned(), "closed".to_owned()));
}

#[tokio::test]
async fn cancelling_in_doubt_undoes_what_may_have_happened() {
    let estate = Estate::new().await;
    let id = in_doubt(&estate).await;
    assert_eq!(cancel(&estate, id).await.unwrap(), ExecutionState::InProgress);
    let ended = estate.turn(&estate.engine("second")).await.unwrap();
    assert_eq!(ended, finished(ExecutionState::RolledBack));
    assert_eq!(estate.fake.effects(), ["do s1 on host-0", "undo s1 on host-0"]);
}

#[tokio::test]
async fn cancelling_before_the_start_is_final_at_once() {
    let estate = Estate::new().await;
    let id = estate.approved(&plan(1, 1)).await;
    assert_eq!(cancel(&estate, id).await.unwrap(), ExecutionState::Cancelled);
    let engine = estate.engine("worker");
    let claimed = store::claim(&engine.db, "worker", engine.settings.lease_ttl).await.unwrap();
    assert!(claimed.is_none());
    let again = cancel(&estate, id).await;
    assert!(matches!(again, Err(Error::WrongState { .. })), "{again:?}");
}

#[tokio::test]
async fn cancelling_between_claim_and_start_leaves_the_worker_with_nothing() {
    let estate = Estate::new().await;
    let id = estate.approved(&plan(1, 1)).await;
    let engine = estate.engine("worker");
    engine.stop.arm("act.state.in_progress.before");
    let turn = estate.turn(&engine);
    let meanwhile = async {
        engine.stop.reached().await;
        let state = cancel(&estate, id).await.unwrap();
        engine.stop.go_on();
        state
    };
    let (ended, state) = tokio::join!(turn, meanwhile);
    assert_eq!((ended.unwrap(), state), (Ended::Lost, ExecutionState::Cancelled));
    assert!(estate.fake.effects().is_empty());
}

#[tokio::test]
async fn cancelling_a_running_execution_stops_before_the_next_step() {
    let estate = Estate::new().await;
    estate.fake.set(|knobs| knobs.hold = true);
    let id = estate.approved(&plan(3, 1)).await;
    let mut engine = estate.engine("worker");
    engine.settings.heartbeat = Duration::from_millis(20);
    let turn = estate.turn(&engine);
    let meanwhile = async {
        estate.fake.started(1).await;
        let state = cancel(&estate, id).await.unwrap();
        estate.fake.let_end();
        state
    };
    let (ended, state) = tokio::join!(turn, meanwhile);
    assert_eq!(state, ExecutionState::InProgress);
    assert_eq!(ended.unwrap(), finished(ExecutionState::RolledBack));
    assert_eq!(estate.fake.effects(), ["do s1 on host-0", "undo s1 on host-0"]);
    let told = estate.server.finished.lock().unwrap().last().unwrap().clone();
    assert_eq!(told.because, Some(Because::Cancelled));
}
