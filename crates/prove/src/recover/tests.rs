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

/// The anchor of another world, as the one that stayed outside.
fn take_anchor_of(world: &World, other: &World) {
    let at = |world: &World| world.files.path().join("anchor");
    std::fs::remove_dir_all(at(world)).unwrap();
    let copied = std::process::Command::new("cp").arg("-a").arg(at(other)).arg(at(world)).status();
    assert!(copied.unwrap().success());
}

async fn recovered(world: &World) -> Result<Recovered, RecoverError> {
    let (origin, policy) = (world.origin(), world.policy());
    let options = Options {
        origin: &origin,
        policy: Some(&policy),
        anchor: None,
        witness: None,
        mac: None,
        now: "2100-01-01T00:00:00Z".parse().unwrap(),
        max_anchor_age: None,
    };
    let anchor = world.publisher.anchor.clone().unwrap();
    let reason = "the disk of the database broke";
    let (signed, log) = (world.publisher.signer.last(&origin).unwrap(), world.log_directory());
    let seen = Seen { anchor: &anchor, signed: signed.as_ref(), log: &log };
    recover(&world.test.db, world.test.tenant, &options, seen, &Who::service(), reason).await
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

/// Everything holds at every level, and the gap is this one.
async fn goes_on(world: &mut World, made: &Recovered, gap: [u64; 2]) {
    world.epoch = made.epoch;
    world.drain().await;
    world.logged(5).await;
    for level in [Level::Rows, Level::Macs, Level::Checkpoints, Level::Anchor] {
        let report = world.verify(level).await;
        assert!(report.ok, "{level:?}: {report:?}");
        assert_eq!(report.gaps, [gap]);
    }
}

#[tokio::test]
async fn l15_what_the_signer_signed_while_the_anchor_was_away_is_recovered_over_too() {
    for kept in [280, 300, 310] {
        let mut world = World::new().await;
        world.logged(280).await;
        world.logged(20).await;
        let anchor = world.publisher.anchor.take();
        world.logged(290).await;
        world.publisher.anchor = anchor;
        restore_backup_of(&world, kept).await;
        let made = recovered(&world).await.unwrap();
        assert_eq!((made.from, made.to), (kept, 590), "the anchor has 300 of them");
        // The signer signs what comes: it continues what it signed.
        goes_on(&mut world, &made, [kept, 590]).await;
    }
}

#[tokio::test]
async fn l15_without_the_tiles_of_what_was_signed_beyond_the_anchor_nothing_is_made_up() {
    let mut world = World::new().await;
    world.logged(300).await;
    let anchor = world.publisher.anchor.take();
    world.logged(290).await;
    world.publisher.anchor = anchor;
    restore_backup_of(&world, 300).await;
    std::fs::remove_dir_all(world.log_directory().path()).unwrap();
    let refused = recovered(&world).await;
    assert!(
        matches!(refused, Err(RecoverError::SignerAhead { signed: 590, anchored: 300 })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn l15_rows_between_what_is_anchored_and_what_is_signed_are_compared_before() {
    let mut world = World::new().await;
    world.logged(20).await;
    let anchor = world.publisher.anchor.take();
    world.logged(20).await;
    world.publisher.anchor = anchor;
    restore_backup_of(&world, 30).await;
    world
        .tamper(&["UPDATE countersign.audit_events e SET canon = f.canon, leaf = f.leaf
                   FROM countersign.audit_events f WHERE e.seq = 25 AND f.seq = 26"])
        .await;
    assert!(matches!(recovered(&world).await, Err(RecoverError::Tampered(_))));
}

#[tokio::test]
async fn l15_a_signer_restored_with_its_database_signs_on_behind_the_gap() {
    let world = World::new().await;
    world.logged(300).await;
    let (lived, mut restored) = world.split().await;
    lived.logged(290).await;
    // Database, signer and log are of the day of the backup; the anchor is outside.
    take_anchor_of(&restored, &lived);
    let made = recovered(&restored).await.unwrap();
    assert_eq!((made.from, made.to), (300, 590));
    goes_on(&mut restored, &made, [300, 590]).await;
    restored.logged(400).await;
    assert!(restored.verify(Level::Anchor).await.ok);
}

#[tokio::test]
async fn l15_a_gap_may_hold_the_place_where_a_pruned_log_begins() {
    let mut world = World::new().await;
    world.logged(300).await;
    world.logged(290).await;
    restore_backup_of(&world, 300).await;
    let made = recovered(&world).await.unwrap();
    goes_on(&mut world, &made, [300, 590]).await;
    world.logged(400).await;
    world.prune(512).await;
    for level in [Level::Rows, Level::Macs, Level::Checkpoints, Level::Anchor] {
        let report = world.verify(level).await;
        assert!(report.ok, "{level:?}: {report:?}");
        assert_eq!((report.minimum, report.gaps), (512, vec![[512, 590]]));
    }
    // Once the gap is pruned whole, it is nowhere to be seen.
    world.prune(768).await;
    let report = world.verify(Level::Anchor).await;
    assert!(report.ok, "{report:?}");
    assert_eq!(report.gaps, Vec::<[u64; 2]>::new());
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
