//! Sequencing and publishing against a real database.

use std::sync::Arc;
use std::time::Duration;

mod edge;
mod torn;

use super::*;
use crate::sequence::task::{Drained, SoFar, begin_epoch, drain, publish_due, round, run};
use crate::testing::{Level, World};

#[tokio::test]
async fn places_are_gapless_in_the_order_of_the_outbox_and_per_tenant() {
    let world = World::new().await;
    let other = world.test.another_tenant().await;
    world.write(world.test.tenant, 1500).await;
    world.write(other, 3).await;
    assert_eq!(world.drain().await.appended, 1503, "more than one batch");
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT max(seq), count(DISTINCT seq) FROM countersign.audit_events
         GROUP BY tenant_id ORDER BY count(*)",
    )
    .fetch_all(world.test.admin())
    .await
    .unwrap();
    assert_eq!(rows, [(2, 3), (1499, 1500)]);
    let in_order: bool = sqlx::query_scalar(
        "SELECT bool_and(id > before) FROM (SELECT id, lag(id) OVER (
           PARTITION BY tenant_id ORDER BY seq) AS before FROM countersign.audit_events) AS pairs",
    )
    .fetch_one(world.test.admin())
    .await
    .unwrap();
    assert!(in_order);
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM countersign.audit_outbox")
        .fetch_one(world.test.admin())
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_sequencer_of_an_ended_epoch_cannot_append() {
    let world = World::new().await;
    world.log(2).await;
    let next = begin_epoch(&world.test.db).await.unwrap();
    world.write(world.test.tenant, 2).await;
    let late = drain(&world.test.db, world.epoch).await;
    assert!(late.unwrap_err().to_string().contains("unexpected"), "the old epoch has ended");
    assert_eq!(drain(&world.test.db, next).await.unwrap().appended, 2, "nothing was lost");
    assert_eq!(world.verify(Level::Macs).await.size, 4);
}

#[tokio::test]
async fn the_application_itself_can_neither_change_nor_take_what_is_logged() {
    let world = World::new().await;
    world.logged(2).await;
    world.write(world.test.tenant, 1).await;
    for statement in [
        "UPDATE countersign.audit_events SET action = 'x'",
        "DELETE FROM countersign.audit_events",
        "INSERT INTO countersign.audit_events SELECT * FROM countersign.audit_events",
        "SELECT canon FROM countersign.audit_outbox",
        "DELETE FROM countersign.audit_outbox",
        "UPDATE countersign.audit_heads SET size = 0",
        "DELETE FROM countersign.audit_checkpoints",
        "DELETE FROM countersign.audit_quarantine",
    ] {
        let mut tx = world.test.db.tenant(world.test.tenant).await.unwrap();
        let refused = sqlx::query(statement).execute(tx.conn()).await.map_err(db::Error::from);
        assert!(matches!(refused, Err(db::Error::Refused(_))), "{statement}");
    }
}

#[tokio::test]
async fn publishing_goes_on_where_it_was_and_repeats_nothing() {
    let world = World::new().await;
    let first = world.logged(255).await;
    let second = world.logged(2).await;
    assert_eq!((first.size, second.size), (255, 257));
    let again = world.publish().await.unwrap();
    assert_eq!(again, second, "a heartbeat signs the same");
    let log = world.log_directory();
    assert!(log.read("tile/0/000").unwrap().is_some());
    assert!(log.read("tile/0/001.p/1").unwrap().is_some());
    assert!(log.read("tile/0/000.p/255").unwrap().is_none(), "superseded");
    assert_eq!(world.verify(Level::Anchor).await.exit_code(), 0);
}

#[tokio::test]
async fn a_lost_directory_is_built_again_from_the_database_with_the_same_bytes() {
    let world = World::new().await;
    world.logged(300).await;
    let log = world.log_directory();
    let before = log.read("tile/0/001.p/44").unwrap().unwrap();
    std::fs::remove_dir_all(log.path()).unwrap();
    let checkpoint = world.logged(1).await;
    assert_eq!(checkpoint.size, 301);
    let after = log.read("tile/0/001.p/45").unwrap().unwrap();
    assert!(after.starts_with(&before));
    assert_eq!(world.verify(Level::Anchor).await.exit_code(), 0);
}

#[tokio::test]
async fn a_log_cut_short_or_changed_below_the_signed_size_is_not_signed_again() {
    let world = World::new().await;
    world.logged(10).await;
    world
        .tamper(&[
            "DELETE FROM countersign.audit_events WHERE seq >= 8",
            "UPDATE countersign.audit_heads SET size = 8",
        ])
        .await;
    let refused = world.publish().await;
    assert!(matches!(refused, Err(PublishError::Sign(SignError::Smaller { .. }))), "{refused:?}");
}

#[tokio::test]
async fn an_anchor_that_was_away_catches_up_and_one_that_knows_more_refuses() {
    let mut world = World::new().await;
    let anchor = world.publisher.anchor.take();
    world.logged(300).await;
    world.logged(300).await;
    world.publisher.anchor = anchor;
    let again = std::iter::once(world.test.tenant).collect();
    let failed = publish_due(&world.test.db, &world.publisher, &again).await.unwrap();
    assert!(failed.is_empty());
    assert_eq!(world.verify(Level::Anchor).await.anchor.unwrap().size, 600);
    let anchor = world.publisher.anchor.clone().unwrap();
    let stale = Checkpoint { size: 300, ..world.publish().await.unwrap() };
    let refused = anchor.publish(&stale, "note", &world.log_directory());
    assert!(matches!(refused, Err(AnchorError::Behind { anchored: 600, offered: 300, .. })));
    let forked = Checkpoint { root: [1; 32], ..world.publish().await.unwrap() };
    let refused = anchor.publish(&forked, "note", &world.log_directory());
    assert!(matches!(refused, Err(AnchorError::Forked { size: 600, .. })));
}

#[tokio::test]
async fn l11_a_new_leader_lets_nothing_in_while_the_signer_is_away_and_events_are_to_wait() {
    let mut world = World::new().await;
    world.publisher.unsigned = Unsigned::Wait;
    world.logged(2).await;
    let (signer, away) = (world.files.path().join("signer"), world.files.path().join("away"));
    std::fs::rename(&signer, &away).unwrap();
    std::fs::write(&signer, "no directory").unwrap();
    world.write(world.test.tenant, 3).await;
    // One that has no log yet.
    let other = world.test.another_tenant().await;
    world.write(other, 4).await;
    let (db, publisher) = (&world.test.db, &world.publisher);
    let drained = round(db, publisher, world.epoch, &mut SoFar::default()).await.unwrap();
    assert_eq!(drained, Drained::default(), "all of it waits in the outbox");
    std::fs::remove_file(&signer).unwrap();
    std::fs::rename(&away, &signer).unwrap();
    let drained = round(db, publisher, world.epoch, &mut SoFar::default()).await.unwrap();
    assert_eq!(drained.appended, 7);
    assert!(world.verify(Level::Anchor).await.ok);
    assert!(world.verify_with(other, Level::Anchor, None).await.ok);
}

#[tokio::test]
async fn the_task_sequences_and_signs_by_itself_and_stops_when_told() {
    let world = World::new().await;
    let publisher = Arc::new(World::publisher_of(&world.test, &world.files, &[1]));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let task = tokio::spawn(run(world.test.db.clone(), publisher, async {
        stopped.await.ok();
    }));
    world.write(world.test.tenant, 5).await;
    let signed = async {
        loop {
            let last = world.publisher.signer.last(&world.origin()).unwrap();
            if last.is_some_and(|last| last.size == 5) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), signed).await.expect("signed in time");
    stop.send(()).unwrap();
    task.await.unwrap();
}
