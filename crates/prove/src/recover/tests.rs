//! A backup of yesterday, restored under the log of today.

use model::audit::Who;

use super::*;
use crate::testing::{Level, World};
use crate::verify::Options;

/// What a database that was restored has lost: the events from here on, and what was signed of them.
async fn restore_backup_of(world: &World, size: u64) {
    world
        .tamper(&[
            &format!("DELETE FROM countersign.audit_events WHERE seq >= {size}"),
            &format!("DELETE FROM countersign.audit_checkpoints WHERE size > {size}"),
            &format!("UPDATE countersign.audit_heads SET size = {size}"),
        ])
        .await;
}

async fn recovered(world: &World) -> Result<Recovered, RecoverError> {
    let (origin, policy) = (world.origin(), world.policy());
    let options = Options {
        origin: &origin,
        policy: Some(&policy),
        anchor: None,
        mac: None,
        now: "2100-01-01T00:00:00Z".parse().unwrap(),
        max_anchor_age: None,
    };
    let anchor = world.publisher.anchor.clone().unwrap();
    let reason = "the disk of the database broke";
    recover(&world.test.db, world.test.tenant, &options, &anchor, &Who::service(), reason).await
}

#[tokio::test]
async fn l15_a_restored_backup_is_behind_its_anchor_until_a_recovery_epoch_shows_the_gap() {
    let mut world = World::new().await;
    world.logged(300).await;
    // The backup is made here; then the day goes on.
    world.logged(290).await;
    restore_backup_of(&world, 300).await;
    assert_eq!(world.first_bad(Level::Anchor).await, Some((300, Kind::BehindAnchor)));
    // Until then nothing is signed: that would be another history.
    world.log(1).await;
    assert!(world.publish().await.is_err());
    world.tamper(&["DELETE FROM countersign.audit_events WHERE seq >= 300"]).await;
    world.tamper(&["UPDATE countersign.audit_heads SET size = 300"]).await;

    let made = recovered(&world).await.unwrap();
    assert_eq!((made.from, made.to), (300, 590));
    world.epoch = made.epoch;
    world.drain().await;
    world.logged(5).await;
    for level in [Level::Rows, Level::Macs, Level::Checkpoints, Level::Anchor] {
        let report = world.verify(level).await;
        assert!(report.ok, "{level:?}: {report:?}");
        assert_eq!(report.size, 596, "300 kept, 290 lost, the event that says so, 5 new");
        assert_eq!(report.gaps, [[300, 590]], "the gap is seen at every level");
    }
    // It is done once.
    assert!(matches!(recovered(&world).await, Err(RecoverError::NotBehind)));
}

#[tokio::test]
async fn l15_a_gap_nobody_signed_for_is_no_gap() {
    let world = World::new().await;
    world.logged(20).await;
    world.logged(20).await;
    // Somebody with the database's password makes a gap of their own.
    let leaves: Vec<u8> = sqlx::query_scalar(
        "SELECT string_agg(leaf, ''::bytea ORDER BY seq) FROM countersign.audit_events
         WHERE seq BETWEEN 7 AND 9",
    )
    .fetch_one(world.test.admin())
    .await
    .unwrap();
    world
        .tamper(&[
            "DELETE FROM countersign.audit_events WHERE seq BETWEEN 7 AND 9",
            &format!(
                "INSERT INTO countersign.audit_gaps (tenant_id, first_seq, end_seq, leaves)
                 VALUES ('{}', 7, 10, '\\x{}')",
                world.test.tenant.uuid(),
                hex::encode(leaves)
            ),
        ])
        .await;
    for level in [Level::Rows, Level::Checkpoints, Level::Anchor] {
        assert_eq!(world.first_bad(level).await, Some((7, Kind::Missing)), "{level:?}");
    }
}

#[tokio::test]
async fn l15_a_log_that_was_changed_is_not_recovered_over() {
    let world = World::new().await;
    world.logged(20).await;
    world.logged(20).await;
    restore_backup_of(&world, 20).await;
    world
        .tamper(&["UPDATE countersign.audit_events
                   SET canon = set_byte(canon, 40, get_byte(canon, 40) # 1) WHERE seq = 7"])
        .await;
    let refused = recovered(&world).await.unwrap_err();
    let RecoverError::Tampered(report) = refused else { panic!("{refused}") };
    assert_eq!(report.first_bad.unwrap().seq, 7);
}
