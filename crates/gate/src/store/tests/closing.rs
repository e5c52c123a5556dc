//! Approvals that end without a vote: withdrawn, or not used in time.

use model::audit::Who;
use model::level::Tier;

use super::approvals::{lease, set_expiry};
use super::world::{Waiting, World};
use crate::approval::Choice;
use crate::store::approvals::{self, End};

#[tokio::test]
async fn an_approval_that_was_given_is_withdrawn_and_one_decided_against_stays() {
    let world = World::new().await;
    let ann = world.approver("Ann").await;
    let all = world.waiting(3, Tier::Medium, 1).await;
    world.vote(all[1].approval, &ann, Choice::Approve).await;
    world.vote(all[2].approval, &ann, Choice::Deny).await;
    for (waiting, events, state) in [(0, 1, "void"), (1, 1, "void"), (2, 0, "denied")] {
        let waiting = &all[waiting];
        let mut tx = world.tx().await;
        let who = Who::from(&world.author);
        let reason = "x".repeat(50_000);
        let done = approvals::withdraw(&mut tx, waiting.approval, &reason, who).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((done.len(), world.states(waiting).await.0.as_str()), (events, state));
    }
    assert_eq!(world.events("approval.voided").await, 2);
}

#[tokio::test]
async fn a2_what_was_approved_and_not_begun_in_time_expires_with_its_approval() {
    let world = World::new().await;
    let ann = world.approver("Ann").await;
    let all = world.waiting(5, Tier::Medium, 1).await;
    for waiting in &all {
        assert_eq!(world.vote(waiting.approval, &ann, Choice::Approve).await.end, End::Approved);
        set_expiry(&world, waiting, -1).await;
    }
    let [free, lapsed, leased, begun, fresh] = &all[..] else { panic!("five") };
    set_expiry(&world, fresh, 60_000).await;
    lease(&world, lapsed, "approved", -1).await;
    lease(&world, leased, "approved", 60_000).await;
    // A worker that has begun may have lost its lease: what it began stays approved.
    lease(&world, begun, "in_progress", -1).await;
    let who = || Who::from(&world.author);
    let mut tx = world.tx().await;
    let mut expired = approvals::expire_due(&mut tx, &who()).await.unwrap();
    tx.commit().await.unwrap();
    expired.sort();
    assert_eq!(expired, [free.approval, lapsed.approval]);
    let over = ("expired".to_owned(), "expired".to_owned());
    for waiting in [free, lapsed] {
        assert_eq!(world.states(waiting).await, over);
        assert_eq!(intent_state(&world, waiting).await, "closed");
    }
    assert_eq!(world.states(leased).await, ("approved".into(), "approved".into()));
    assert_eq!(world.states(begun).await, ("approved".into(), "in_progress".into()));
    assert_eq!(world.states(fresh).await, ("approved".into(), "approved".into()));

    // The worker that has the lease finds it expired, in the transaction that holds the execution.
    let mut tx = world.tx().await;
    sqlx::query("SELECT FROM countersign.executions WHERE id = $1 FOR UPDATE")
        .bind(leased.execution.uuid())
        .execute(tx.conn())
        .await
        .unwrap();
    for (waiting, events) in [(leased, 2), (begun, 0), (fresh, 0), (free, 0)] {
        let done = approvals::expire_one(&mut tx, waiting.approval, who()).await.unwrap();
        assert_eq!(done.len(), events);
    }
    tx.commit().await.unwrap();
    assert_eq!(world.states(leased).await, over);
    assert_eq!(intent_state(&world, leased).await, "closed");
    assert_eq!(world.states(begun).await, ("approved".into(), "in_progress".into()));
    assert_eq!(world.events("approval.expired").await, 3);
    assert_eq!(world.events("execution.expired").await, 3);
}

#[tokio::test]
async fn the_sweep_waits_for_nobody_who_is_about_to_begin() {
    let world = World::new().await;
    let ann = world.approver("Ann").await;
    let waiting = world.waiting(1, Tier::Medium, 1).await[0];
    world.vote(waiting.approval, &ann, Choice::Approve).await;
    set_expiry(&world, &waiting, -1).await;
    let mut worker = world.tx().await;
    sqlx::query("SELECT FROM countersign.executions WHERE id = $1 FOR UPDATE")
        .bind(waiting.execution.uuid())
        .execute(worker.conn())
        .await
        .unwrap();
    let mut tx = world.tx().await;
    let none = approvals::expire_due(&mut tx, &Who::from(&world.author)).await.unwrap();
    assert!(none.is_empty());
    tx.commit().await.unwrap();
    let held = approvals::hold(&mut worker, waiting.execution).await.unwrap();
    assert_eq!(held, Some(waiting.approval));
}

async fn intent_state(world: &World, waiting: &Waiting) -> String {
    sqlx::query_scalar("SELECT status FROM countersign.intents WHERE id = $1")
        .bind(waiting.intent.uuid())
        .fetch_one(world.test.admin())
        .await
        .unwrap()
}
