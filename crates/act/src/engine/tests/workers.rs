//! Several workers: leases, zombies, shutdown.

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::decide::tests::plan;
use crate::worker::Worker;

type Rows = (Vec<(String, String, i64, bool)>, i64, usize);

async fn rows(estate: &Estate, id: ExecutionId) -> Rows {
    (
        fixture::attempts(&estate.test, id).await,
        fixture::count(&estate.test, "execution_events", id).await,
        fixture::audit(&estate.test, id).await.len(),
    )
}

#[tokio::test]
async fn r7_zombie_start_is_refused_by_the_guard_and_its_writes_touch_nothing() {
    let estate = Estate::new().await;
    let id = estate.approved(&plan(1, 1)).await;
    let mut zombie = estate.engine("zombie");
    // The worst zombie: it was stopped right before it starts, and believes in its lease.
    zombie.settings.lease_ttl = Duration::from_secs(3600);
    zombie.settings.heartbeat = Duration::from_secs(3600);
    zombie.stop.arm("act.t1.after");
    let turn = estate.turn(&zombie);
    let meanwhile = async {
        zombie.stop.reached().await;
        fixture::expire(&estate.test, id).await;
        let ended = estate.turn(&estate.engine("other")).await.unwrap();
        assert_eq!(ended, finished(ExecutionState::Completed));
        let before = rows(&estate, id).await;
        zombie.stop.go_on();
        before
    };
    let (ended, before) = tokio::join!(turn, meanwhile);
    assert_eq!(ended.unwrap(), Ended::Lost);
    assert_eq!(rows(&estate, id).await, before);
    assert_eq!(estate.fake.effects(), ["do s1 on host-0", "do s2 on host-0"]);
    let attempts = fixture::attempts(&estate.test, id).await;
    assert_eq!((attempts[0].1.as_str(), attempts[0].2), ("fenced", 1));
    assert_eq!((attempts[1].1.as_str(), attempts[1].2), ("succeeded", 2));
}

#[tokio::test]
async fn r7_a_zombie_writes_no_outcome_though_nothing_else_has_changed() {
    let estate = Estate::new().await;
    let id = estate.approved(&plan(1, 1)).await;
    let mut zombie = estate.engine("zombie");
    zombie.settings.lease_ttl = Duration::from_secs(3600);
    zombie.settings.heartbeat = Duration::from_secs(3600);
    zombie.stop.arm("act.t2.before");
    let turn = estate.turn(&zombie);
    let meanwhile = async {
        zombie.stop.reached().await;
        fixture::expire(&estate.test, id).await;
        let other = estate.claim(&estate.engine("other")).await;
        let before = rows(&estate, id).await;
        zombie.stop.go_on();
        (other.epoch, before)
    };
    let (ended, (epoch, before)) = tokio::join!(turn, meanwhile);
    assert_eq!((ended.unwrap(), epoch), (Ended::Lost, 2));
    assert_eq!(rows(&estate, id).await, before);
    assert_eq!(before.0[0].1, "intent", "its end is for the other worker to find out");
}

#[tokio::test]
async fn r7_a_worker_whose_lease_may_be_gone_starts_nothing() {
    let estate = Estate::new().await;
    let id = estate.approved(&plan(1, 1)).await;
    let mut stale = estate.engine("stale");
    // By the time it goes on, half its lease is over and no renewal has come through.
    stale.settings.lease_ttl = Duration::from_millis(1);
    stale.settings.heartbeat = Duration::from_millis(100);
    stale.stop.arm("act.t1.after");
    let turn = estate.turn(&stale);
    let meanwhile = async {
        stale.stop.reached().await;
        fixture::expire(&estate.test, id).await;
        estate.claim(&estate.engine("other")).await;
        stale.stop.go_on();
    };
    let (ended, ()) = tokio::join!(turn, meanwhile);
    assert_eq!(ended.unwrap(), Ended::Lost);
    assert!(estate.fake.effects().is_empty());
}

#[tokio::test]
async fn r3_two_workers_claim_each_execution_once_an_epoch() {
    let estate = Estate::new().await;
    let plan = plan(1, 1);
    let mut ids = BTreeSet::new();
    for _ in 0..200 {
        ids.insert(estate.approved(&plan).await);
    }
    let shutdown = CancellationToken::new();
    let mut second = estate.engine("second");
    second.db = estate.test.another_process().await;
    let first = Worker { engine: Arc::new(estate.engine("first")), capacity: 4 };
    let second = Worker { engine: Arc::new(second), capacity: 4 };
    let all_done = async {
        estate.fake.started(400).await;
        ended(&estate, 200).await;
        shutdown.cancel();
    };
    tokio::join!(first.run(shutdown.clone()), second.run(shutdown.clone()), all_done);
    let begun = estate.server.begun.lock().unwrap().clone();
    assert_eq!(begun.len(), 200, "200 claims in all");
    let expected: BTreeSet<_> = ids.iter().map(|id| (*id, 1)).collect();
    assert_eq!(begun.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(estate.fake.effects().len(), 400);
}

#[tokio::test]
async fn r3_a_tenant_with_many_executions_does_not_delay_the_only_one_of_another() {
    let estate = Estate::new().await;
    let plan = plan(1, 1);
    for _ in 0..30 {
        estate.approved(&plan).await;
    }
    let other = estate.test.another_tenant().await;
    let only = fixture::approved_in(&estate.test, other, &plan).await;
    let engine = estate.engine("worker");
    let claims = [estate.claim(&engine).await, estate.claim(&engine).await];
    let tenants: BTreeSet<TenantId> = claims.iter().map(|claimed| claimed.tenant).collect();
    assert_eq!(tenants, [estate.test.tenant, other].into(), "they take turns");
    assert!(claims.iter().any(|claimed| claimed.execution == only));
    for _ in 0..29 {
        assert_eq!(estate.claim(&engine).await.tenant, estate.test.tenant);
    }
    let left = store::claim(&engine.db, "worker", engine.settings.lease_ttl).await.unwrap();
    assert!(left.is_none(), "each once");
}

/// Waits until so many executions are over.
async fn ended(estate: &Estate, count: usize) {
    let mut waker = estate.test.db.waker(db::wake::Topic::Events);
    while fixture::ended(&estate.test).await < count {
        waker.wait(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn r12_a_shutdown_leaves_running_steps_to_the_next_worker() {
    let estate = Estate::new().await;
    estate.fake.set(|knobs| knobs.hold = true);
    let plan = plan(1, 1);
    for _ in 0..20 {
        estate.approved(&plan).await;
    }
    let unclaimed = 5;
    let shutdown = CancellationToken::new();
    let worker = Worker { engine: Arc::new(estate.engine("first")), capacity: 20 };
    let stop = async {
        estate.fake.started(20).await;
        for _ in 0..unclaimed {
            estate.approved(&plan).await;
        }
        shutdown.cancel();
    };
    tokio::join!(worker.run(shutdown.clone()), stop);
    assert_eq!(estate.server.begun.lock().unwrap().len(), 20, "it claims nothing any more");
    estate.fake.let_end();
    let shutdown = CancellationToken::new();
    let worker = Worker { engine: Arc::new(estate.engine("second")), capacity: 20 };
    let done = async {
        ended(&estate, 20 + unclaimed).await;
        shutdown.cancel();
    };
    tokio::join!(worker.run(shutdown.clone()), done);
    let acts = estate.fake.effects().iter().filter(|one| one.contains("s1")).count();
    assert_eq!(acts, 20 + unclaimed, "adopted, not run again");
}

/// A password that is read from the database.
#[derive(Debug)]
struct KeptPassword(db::Db);

impl Logins for KeptPassword {
    fn login<'a>(
        &'a self,
        tenant: TenantId,
        _: ExecutionId,
        _: &'a Target,
    ) -> Pending<'a, Result<Option<Login>, Outside>> {
        Box::pin(async move {
            let tx = self.0.tenant(tenant).await?;
            tokio::task::yield_now().await;
            tx.rollback().await?;
            Ok(Some(Login::Password(PASSWORD.to_owned().into())))
        })
    }
}

#[tokio::test]
async fn more_targets_than_connections_do_not_wait_for_each_other() {
    let estate = Estate { test: db::testing::database_with(2).await, ..Estate::new().await };
    let mut engine = estate.engine("worker");
    engine.logins = Arc::new(KeptPassword(estate.test.db.clone()));
    estate.approved(&plan(1, 10)).await;
    assert_eq!(estate.turn(&engine).await.unwrap(), finished(ExecutionState::Completed));
    assert_eq!(estate.fake.effects().len(), 20);
}

#[tokio::test]
async fn a_clearance_for_something_else_is_worth_nothing() {
    let estate = Estate::new().await;
    let engine = estate.engine("worker");
    estate.approved(&plan(1, 1)).await;
    let claimed = estate.claim(&engine).await;
    let clearance = estate.server.clear(&claimed);
    let later = Claimed { epoch: claimed.epoch + 1, ..claimed };
    let refused = Box::pin(Arc::new(engine).run(clearance, later)).await;
    assert!(matches!(refused, Err(Error::NotCleared)), "{refused:?}");
}

#[tokio::test]
async fn a_stored_plan_that_was_changed_is_not_run() {
    let estate = Estate::new().await;
    let id = estate.approved(&plan(1, 1)).await;
    fixture::tamper(&estate.test, id).await;
    let refused = estate.turn(&estate.engine("worker")).await;
    assert!(matches!(refused, Err(Error::PlanChanged)), "{refused:?}");
    assert!(estate.fake.effects().is_empty());
}
