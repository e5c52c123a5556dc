//! The right edge of a log that begins later, or has a gap, when its files are lost.

use super::*;

fn lose(log: &Directory, paths: &[&str]) {
    for path in paths {
        let path = log.path().join(path);
        let lost = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
        lost.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

#[tokio::test]
async fn the_right_edge_of_a_pruned_log_is_made_again_from_its_tiles_or_its_anchor() {
    for lost in [
        &["tile/0/002.p", "tile/entries/002.p"][..],
        &["tile/1", "tile/entries/002.p"],
        &["tile/0", "tile/1", "tile/entries"],
    ] {
        let world = World::new().await;
        world.logged(600).await;
        world.prune(512).await;
        let log = world.log_directory();
        lose(&log, lost);
        world.logged(5).await;
        let report = world.verify(Level::Anchor).await;
        assert!(report.ok, "{lost:?}: {report:?}");
        assert_eq!((report.minimum, report.size), (512, 606));
        let policy = world.policy();
        let audited = crate::bundle::verify_bundle(&log, &policy, None).unwrap();
        assert!(audited.ok, "{lost:?}: {audited:?}");
        assert_eq!((audited.minimum, audited.size), (512, 606));
    }
}

#[tokio::test]
async fn a_gap_that_the_anchor_does_not_know_is_not_signed() {
    let world = World::new().await;
    world.logged(20).await;
    world.log(5).await;
    let leaf: Vec<u8> =
        sqlx::query_scalar("SELECT leaf FROM countersign.audit_events WHERE seq = 22")
            .fetch_one(world.test.admin())
            .await
            .unwrap();
    world
        .tamper(&[
            "DELETE FROM countersign.audit_events WHERE seq = 22",
            &format!(
                "INSERT INTO countersign.audit_gaps (tenant_id, first_seq, end_seq, leaves)
                 VALUES ('{}', 22, 23, '\\x{}')",
                world.test.tenant.uuid(),
                hex::encode(leaf)
            ),
        ])
        .await;
    let refused = world.publish().await;
    assert!(matches!(refused, Err(PublishError::Gap { expected: 22, .. })), "{refused:?}");
}

#[tokio::test]
async fn hashes_of_pruned_events_that_nobody_has_any_more_are_not_made_up() {
    let world = World::new().await;
    world.logged(600).await;
    world.prune(512).await;
    std::fs::remove_dir_all(world.log_directory().path()).unwrap();
    std::fs::remove_dir_all(world.files.path().join("anchor")).unwrap();
    world.log(1).await;
    let refused = world.publish().await;
    assert!(matches!(refused, Err(PublishError::Anchor(AnchorError::Tile { .. }))), "{refused:?}");
}

#[tokio::test]
async fn the_edge_is_as_good_as_the_one_that_was_lost() {
    let world = World::new().await;
    world.logged(600).await;
    world.prune(512).await;
    let log = world.log_directory();
    let before = log.read("tile/entries/002.p/89").unwrap().unwrap();
    lose(&log, &["tile/entries/002.p"]);
    world.logged(1).await;
    let after = log.read("tile/entries/002.p/90").unwrap().unwrap();
    assert!(after.starts_with(&before), "the same bytes, and one more event");
}
