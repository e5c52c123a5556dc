//! The queue of jobs.

use std::collections::BTreeMap;
use std::time::Duration;

use db::jobs::{self, Claimed, Failed, NewJob};
use db::testing::{self, TestDb};
use db::{Error, Kind};
use model::id::{JobId, TenantId};
use serde_json::json;

const TTL: Duration = Duration::from_secs(60);
const SUBJECT: &[&str] = &["assess"];

async fn enqueue(test: &TestDb, tenant: TenantId, job: NewJob) -> JobId {
    let mut tx = test.db.tenant(tenant).await.unwrap();
    let id = tx.enqueue(job).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn job() -> NewJob {
    NewJob::new("assess", json!({"alert": 1}))
}

async fn claim(test: &TestDb) -> Option<Claimed> {
    jobs::claim(&test.db, "worker-1", TTL, SUBJECT).await.unwrap()
}

async fn complete(test: &TestDb, claimed: &Claimed) -> Result<(), Error> {
    let mut tx = test.db.tenant(claimed.tenant).await?;
    claimed.complete(&mut tx).await?;
    tx.commit().await
}

/// Lets every lease and every pause be over.
async fn pass_time(test: &TestDb) {
    sqlx::query(
        "UPDATE countersign.jobs SET run_at = run_at - interval '1 day',
           lease_until = lease_until - interval '1 day'",
    )
    .execute(test.admin())
    .await
    .unwrap();
}

#[tokio::test]
async fn a_job_is_claimed_once_and_done_once() {
    let test = testing::database().await;
    let id = enqueue(&test, test.tenant, job()).await;
    let claimed = claim(&test).await.expect("it is due");
    assert_eq!((claimed.id, claimed.tenant, claimed.attempt), (id, test.tenant, 1));
    assert_eq!(claimed.params, json!({"alert": 1}));
    assert!(claim(&test).await.is_none(), "it is leased");
    complete(&test, &claimed).await.unwrap();
    pass_time(&test).await;
    assert!(claim(&test).await.is_none(), "it is done");
}

#[tokio::test]
async fn only_the_subjects_asked_for_are_claimed_and_only_when_they_are_due() {
    let test = testing::database().await;
    enqueue(&test, test.tenant, NewJob::new("notify", json!({}))).await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let later = tx.now().await.unwrap() + Duration::from_secs(3600);
    drop(tx);
    enqueue(&test, test.tenant, job().not_before(later)).await;
    assert!(claim(&test).await.is_none());
    pass_time(&test).await;
    assert!(claim(&test).await.is_some());
}

#[tokio::test]
async fn a_key_queues_a_job_once_a_tenant() {
    let test = testing::database().await;
    let other = test.another_tenant().await;
    let first = enqueue(&test, test.tenant, job().once("alert-1")).await;
    assert_eq!(enqueue(&test, test.tenant, job().once("alert-1")).await, first);
    assert_ne!(enqueue(&test, test.tenant, job().once("alert-2")).await, first);
    assert_ne!(enqueue(&test, other, job().once("alert-1")).await, first);
}

#[tokio::test]
async fn many_jobs_are_queued_at_once_without_those_that_are_there() {
    let test = testing::database().await;
    enqueue(&test, test.tenant, job().once("a")).await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let jobs = [job().once("a"), job().once("b"), job().once("b"), job(), job()];
    assert_eq!(tx.enqueue_all(&jobs).await.unwrap(), 3);
    assert_eq!(tx.enqueue_all(&[]).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let first = claim(&test).await.unwrap();
    assert_eq!(first.params, json!({"alert": 1}));
}

#[tokio::test]
async fn a_worker_whose_lease_is_over_can_change_nothing() {
    let test = testing::database().await;
    enqueue(&test, test.tenant, job()).await;
    let zombie = claim(&test).await.unwrap();
    pass_time(&test).await;
    let present = claim(&test).await.expect("the lease is over");
    assert_eq!((present.id, present.attempt), (zombie.id, 2));
    assert!(present.epoch > zombie.epoch);
    let error = complete(&test, &zombie).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(matches!(zombie.renew(&test.db, TTL).await, Err(Error::LeaseLost)));
    assert!(matches!(zombie.fail(&test.db, "late").await, Err(Error::LeaseLost)));
    complete(&test, &present).await.unwrap();
}

#[tokio::test]
async fn a_renewed_lease_is_kept() {
    let test = testing::database().await;
    enqueue(&test, test.tenant, job()).await;
    let claimed = claim(&test).await.unwrap();
    pass_time(&test).await;
    claimed.renew(&test.db, TTL).await.unwrap();
    assert!(claim(&test).await.is_none());
}

#[tokio::test]
async fn a_failing_job_is_tried_again_later_and_dead_in_the_end() {
    let test = testing::database().await;
    let mut job = job();
    job.max_attempts = 2;
    enqueue(&test, test.tenant, job).await;
    let first = claim(&test).await.unwrap();
    let failed = first.fail(&test.db, "no route to host\0").await.unwrap();
    assert!(matches!(failed, Failed::Retry(_)), "{failed:?}");
    assert!(claim(&test).await.is_none(), "not before its pause is over");
    pass_time(&test).await;
    let second = claim(&test).await.unwrap();
    assert_eq!(second.fail(&test.db, "still none").await.unwrap(), Failed::Dead);
    pass_time(&test).await;
    assert!(claim(&test).await.is_none());
    let (dead, error): (bool, String) =
        sqlx::query_as("SELECT dead_at IS NOT NULL, last_error FROM countersign.jobs")
            .fetch_one(test.admin())
            .await
            .unwrap();
    assert_eq!((dead, error.as_str()), (true, "still none"));
}

#[tokio::test]
async fn a_job_that_takes_its_workers_down_is_dead_in_the_end() {
    let test = testing::database().await;
    let mut poison = job();
    poison.max_attempts = 2;
    let id = enqueue(&test, test.tenant, poison).await;
    for _ in 0..2 {
        assert_eq!(claim(&test).await.unwrap().id, id);
        pass_time(&test).await;
    }
    assert!(claim(&test).await.is_none());
    let error: String =
        sqlx::query_scalar("SELECT last_error FROM countersign.jobs WHERE dead_at IS NOT NULL")
            .fetch_one(test.admin())
            .await
            .unwrap();
    assert_eq!(error, "its workers stopped without an answer");
}

#[tokio::test]
async fn a_tenant_with_many_jobs_does_not_delay_another() {
    let test = testing::database().await;
    let small = test.another_tenant().await;
    for _ in 0..30 {
        enqueue(&test, test.tenant, job()).await;
    }
    enqueue(&test, small, job()).await;
    // Leases are held: the small tenant has none, so its turn comes with the second claim at last.
    let first_two = [claim(&test).await.unwrap().tenant, claim(&test).await.unwrap().tenant];
    assert!(first_two.contains(&small), "{first_two:?}");
}

#[tokio::test]
async fn workers_that_claim_at_once_get_different_jobs() {
    let test = testing::database().await;
    for _ in 0..24 {
        enqueue(&test, test.tenant, job()).await;
    }
    let claims = (0..24).map(|worker| {
        let db = test.db.clone();
        async move {
            // A worker may find all candidates locked by others and get nothing: it asks again.
            loop {
                if let Some(claimed) =
                    jobs::claim(&db, &format!("worker-{worker}"), TTL, SUBJECT).await.unwrap()
                {
                    return claimed.id;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    let mut times: BTreeMap<JobId, usize> = BTreeMap::new();
    for id in futures::future::join_all(claims).await {
        *times.entry(id).or_default() += 1;
    }
    assert_eq!(times.len(), 24);
}

#[tokio::test]
async fn old_finished_jobs_are_pruned_and_nothing_else() {
    let test = testing::database().await;
    enqueue(&test, test.tenant, job()).await;
    let claimed = claim(&test).await.unwrap();
    complete(&test, &claimed).await.unwrap();
    enqueue(&test, test.tenant, job()).await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let now = tx.now().await.unwrap();
    assert_eq!(jobs::prune(&mut tx, now - Duration::from_secs(60)).await.unwrap(), 0);
    assert_eq!(jobs::prune(&mut tx, now).await.unwrap(), 1);
}
