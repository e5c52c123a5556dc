//! The tamper matrix, against a real database changed by a superuser.

use jiff::SignedDuration;
use uuid::Uuid;

use super::*;
use crate::testing::{Level, World, ring};

const ALL: [Level; 4] = [Level::Rows, Level::Macs, Level::Checkpoints, Level::Anchor];

const EDIT: &str = "UPDATE countersign.audit_events
    SET canon = set_byte(canon, 40, get_byte(canon, 40) # 1)";
const REHASH: &str = "UPDATE countersign.audit_events SET leaf = sha256('\\x00'::bytea || canon)";

#[tokio::test]
async fn an_untouched_log_verifies_at_every_level() {
    let world = World::new().await;
    assert_eq!(world.first_bad(Level::Rows).await, None);
    world.logged(300).await;
    world.logged(1).await;
    for level in ALL {
        let report = world.verify(level).await;
        assert!(report.ok, "{level:?}: {report:?}");
        assert_eq!((report.size, report.exit_code()), (301, 0));
    }
    let anchor = world.verify(Level::Anchor).await.anchor.unwrap();
    assert_eq!(anchor.size, 301);
    let json = serde_json::to_value(world.verify(Level::Anchor).await).unwrap();
    for key in ["ok", "tenant", "size", "first_bad", "bounded_by", "anchor"] {
        assert!(json.get(key).is_some(), "{key}");
    }
}

#[tokio::test]
async fn l1_an_edited_row_is_named_at_every_level() {
    let world = World::new().await;
    world.logged(20).await;
    world.tamper(&[&format!("{EDIT} WHERE seq = 7")]).await;
    for level in ALL {
        assert_eq!(world.first_bad(level).await, Some((7, Kind::LeafMismatch)), "{level:?}");
    }
}

#[tokio::test]
async fn l2_an_edit_with_everything_recomputed_is_bounded_by_checkpoints_and_named_by_the_anchor() {
    let world = World::new().await;
    for _ in 0..3 {
        world.logged(10).await;
    }
    world
        .tamper(&[
            // Another action of the same length, in the bytes, the columns and the hash.
            "UPDATE countersign.audit_events SET action = 'runbook.erased',
               canon = convert_to(replace(convert_from(canon, 'UTF8'), 'runbook.edited',
                 'runbook.erased'), 'UTF8')
             WHERE seq = 14",
            &format!("{REHASH} WHERE seq = 14"),
        ])
        .await;
    assert_eq!(world.first_bad(Level::Rows).await, None, "nothing else holds against the rows");
    assert_eq!(world.first_bad(Level::Macs).await, Some((14, Kind::MacMismatch)));
    let report = world.verify(Level::Checkpoints).await;
    assert_eq!(report.first_bad.unwrap().kind, Kind::RootMismatch);
    assert_eq!(report.bounded_by, Some([10, 19]));
    assert_eq!(world.first_bad(Level::Anchor).await, Some((14, Kind::LeafMismatch)));
}

#[tokio::test]
async fn l3_a_deleted_row_is_named_also_after_renumbering() {
    let world = World::new().await;
    world.logged(20).await;
    world.tamper(&["DELETE FROM countersign.audit_events WHERE seq = 7"]).await;
    for level in ALL {
        assert_eq!(world.first_bad(level).await, Some((7, Kind::Missing)), "{level:?}");
    }
    let shifts: Vec<String> = (8..20)
        .map(|seq| {
            format!("UPDATE countersign.audit_events SET seq = {} WHERE seq = {seq}", seq - 1)
        })
        .collect();
    world.tamper(&shifts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    world.tamper(&["UPDATE countersign.audit_heads SET size = 19"]).await;
    assert_eq!(world.first_bad(Level::Rows).await, None, "the rows alone cannot tell");
    assert_eq!(world.first_bad(Level::Anchor).await, Some((7, Kind::Missing)));
    let report = world.verify(Level::Checkpoints).await;
    assert_eq!(report.first_bad.unwrap().kind, Kind::Missing, "20 were signed, 19 are there");
}

#[tokio::test]
async fn l4_swapped_rows_are_named_by_the_first_of_the_two() {
    let world = World::new().await;
    world.logged(20).await;
    world
        .tamper(&[
            "UPDATE countersign.audit_events SET seq = 1000 WHERE seq = 5",
            "UPDATE countersign.audit_events SET seq = 5 WHERE seq = 11",
            "UPDATE countersign.audit_events SET seq = 11 WHERE seq = 1000",
        ])
        .await;
    assert_eq!(world.first_bad(Level::Anchor).await, Some((5, Kind::Reordered)));
    let report = world.verify(Level::Checkpoints).await;
    assert_eq!(report.first_bad.unwrap().kind, Kind::RootMismatch);
    assert_eq!(report.bounded_by, Some([0, 19]));
}

#[tokio::test]
async fn l4_a_row_moved_to_another_tenant_names_both_tenants() {
    let world = World::new().await;
    let other = world.test.another_tenant().await;
    world.logged(20).await;
    world.write(other, 3).await;
    world.drain().await;
    world.publisher.publish(&world.test.db, other).await.unwrap();
    world
        .tamper(&[&format!(
            "UPDATE countersign.audit_events SET tenant_id = '{}', seq = 3
             WHERE tenant_id = '{}' AND seq = 7",
            other.uuid(),
            world.test.tenant.uuid()
        )])
        .await;
    for level in ALL {
        assert_eq!(world.first_bad(level).await, Some((7, Kind::Missing)), "{level:?}");
        let bad = world.verify_with(other, level, None).await.first_bad.unwrap();
        assert_eq!((bad.seq, bad.kind), (3, Kind::TenantMismatch), "{level:?}");
        assert_eq!(bad.expected, other.to_string());
        assert_eq!(bad.found, world.test.tenant.to_string());
    }
}

#[tokio::test]
async fn l5_a_truncated_tail_fails_against_the_anchor() {
    let world = World::new().await;
    world.logged(95).await;
    world.logged(5).await;
    world
        .tamper(&[
            "DELETE FROM countersign.audit_events WHERE seq >= 95",
            "DELETE FROM countersign.audit_checkpoints WHERE size > 95",
            "UPDATE countersign.audit_heads SET size = 95",
        ])
        .await;
    for level in [Level::Rows, Level::Macs, Level::Checkpoints] {
        assert_eq!(world.first_bad(level).await, None, "{level:?}: the database is consistent");
    }
    let report = world.verify(Level::Anchor).await;
    let bad = report.first_bad.unwrap();
    assert_eq!((bad.seq, bad.kind), (95, Kind::BehindAnchor));
    assert_eq!((bad.expected.as_str(), bad.found.as_str()), ("100 events", "95 events"));
}

#[tokio::test]
async fn l6_a_wiped_log_fails_against_the_anchor() {
    let world = World::new().await;
    world.logged(20).await;
    world
        .tamper(&[
            "DELETE FROM countersign.audit_events",
            "DELETE FROM countersign.audit_checkpoints",
            "DELETE FROM countersign.audit_heads",
        ])
        .await;
    assert_eq!(world.first_bad(Level::Anchor).await, Some((0, Kind::BehindAnchor)));
}

#[tokio::test]
async fn l6_a_tail_cut_with_its_checkpoints_or_all_of_the_log_fails_against_the_anchor() {
    let world = World::new().await;
    world.logged(30).await;
    world.logged(30).await;
    world
        .tamper(&[
            "DELETE FROM countersign.audit_events WHERE seq >= 10",
            "DELETE FROM countersign.audit_checkpoints",
            "UPDATE countersign.audit_heads SET size = 10",
        ])
        .await;
    assert_eq!(world.first_bad(Level::Anchor).await, Some((10, Kind::BehindAnchor)));
    // Nor can anybody tell from a database without any checkpoint.
    assert_eq!(world.verify(Level::Checkpoints).await.exit_code(), 3);
}

#[tokio::test]
async fn l6_a_log_whose_heartbeat_stopped_is_told_by_its_age() {
    let world = World::new().await;
    world.logged(20).await;
    // Cut database and anchor alike, and nothing is missing but the hourly checkpoint.
    let report = world
        .verify_with(world.test.tenant, Level::Anchor, Some(SignedDuration::from_hours(2)))
        .await;
    assert_eq!((report.exit_code(), report.first_bad), (3, None));
    assert!(report.cannot_tell.unwrap().contains("s old"));
    assert!(report.anchor.unwrap().age > 7_200);
}

/// What a pruning leaves behind, without an archive.
async fn prune_by_hand(world: &World, to: u64) {
    let range = crate::prune::range_at(&world.log_directory(), to, 600).unwrap();
    world
        .tamper(&[
            &format!("DELETE FROM countersign.audit_events WHERE seq < {to}"),
            &format!(
                "UPDATE countersign.audit_heads SET minimum = {to}, edge = '\\x{}'",
                hex::encode(range.peaks().concat())
            ),
        ])
        .await;
}

#[tokio::test]
async fn a_log_that_begins_later_than_it_says_was_cut() {
    let world = World::new().await;
    world.logged(600).await;
    prune_by_hand(&world, 256).await;
    for level in ALL {
        assert_eq!(world.first_bad(level).await, Some((0, Kind::Missing)), "{level:?}");
    }
}

#[tokio::test]
async fn a_false_edge_of_a_pruned_log_is_found() {
    let world = World::new().await;
    world.logged(600).await;
    prune_by_hand(&world, 256).await;
    world.tamper(&["UPDATE countersign.audit_heads SET edge = sha256(edge)"]).await;
    let report = world.verify(Level::Checkpoints).await;
    assert_eq!(report.first_bad.unwrap().kind, Kind::RootMismatch);
    let report = world.verify(Level::Anchor).await;
    assert_eq!(
        (report.first_bad.unwrap().kind, report.bounded_by),
        (Kind::AnchorMismatch, Some([0, 255]))
    );
}

#[tokio::test]
async fn an_anchor_that_is_too_old_or_empty_cannot_tell() {
    let world = World::new().await;
    world.logged(20).await;
    let report = world
        .verify_with(world.test.tenant, Level::Anchor, Some(SignedDuration::from_hours(2)))
        .await;
    assert_eq!((report.exit_code(), report.first_bad), (3, None));
    let unknown = world.test.another_tenant().await;
    let report = world.verify_with(unknown, Level::Anchor, None).await;
    assert_eq!(report.exit_code(), 3);
}

#[tokio::test]
async fn l7_a_fake_row_in_the_outbox_is_quarantined_and_never_sequenced() {
    let world = World::new().await;
    world.logged(3).await;
    let actor = world.test.system_actor(world.test.tenant).await;
    let fake = model::audit::Event::new(&actor, "approval.granted", "approval", &"apr_1");
    let id = model::id::EventId::generate();
    let canon = fake.canonical(world.test.tenant, id, Timestamp::UNIX_EPOCH).unwrap();
    sqlx::query(
        "INSERT INTO countersign.audit_outbox (tenant_id, id, canon, mac) VALUES ($1, $2, $3, $4)",
    )
    .bind(world.test.tenant.uuid())
    .bind(id.uuid())
    .bind(&canon)
    .bind([0_u8; 32].as_slice())
    .execute(world.test.admin())
    .await
    .unwrap();
    world.write(world.test.tenant, 2).await;
    let drained = world.drain().await;
    assert_eq!((drained.appended, drained.quarantined), (2, 1));
    let (kept, reason): (Uuid, String) =
        sqlx::query_as("SELECT id, reason FROM countersign.audit_quarantine")
            .fetch_one(world.test.admin())
            .await
            .unwrap();
    assert_eq!((kept, reason.as_str()), (id.uuid(), "bad_mac"));
    world.publish().await.unwrap();
    let report = world.verify(Level::Anchor).await;
    assert_eq!((report.ok, report.size), (true, 5));
}

#[tokio::test]
async fn a_fake_row_put_straight_into_the_log_is_found_and_never_signed() {
    let world = World::new().await;
    world.logged(3).await;
    world
        .tamper(&[
            "INSERT INTO countersign.audit_events
             SELECT tenant_id, 3, gen_random_uuid(), canon, leaf, mac, occurred_at, action,
               actor_id, target_type, target_id, decision, success
             FROM countersign.audit_events WHERE seq = 2",
            "UPDATE countersign.audit_heads SET size = 4",
        ])
        .await;
    assert_eq!(world.first_bad(Level::Macs).await, Some((3, Kind::MacMismatch)));
    assert_eq!(world.first_bad(Level::Rows).await, Some((3, Kind::ProjectionMismatch)));
    let refused = world.publish().await;
    assert!(matches!(refused, Err(crate::publish::PublishError::Mac { seq: 3, .. })));
    world.tamper(&["UPDATE countersign.audit_heads SET size = 3"]).await;
    assert!(world.first_bad(Level::Rows).await.is_some());
}

#[tokio::test]
async fn l8_checkpoints_signed_with_another_key_are_rejected() {
    let world = World::new().await;
    let checkpoint = world.logged(20).await;
    let attacker = ring(&[66]);
    let forged = attacker.sign_note(&world.origin(), checkpoint.to_string()).unwrap();
    sqlx::query("UPDATE countersign.audit_checkpoints SET note = $1")
        .bind(forged.to_string())
        .execute(world.test.admin())
        .await
        .unwrap();
    assert_eq!(world.first_bad(Level::Checkpoints).await, Some((20, Kind::BadSignature)));
    assert_eq!(world.first_bad(Level::Rows).await, None);
    // One line good, the other of a known key and bad: the whole note is out.
    let both = ring(&[1]).sign_note(&world.origin(), checkpoint.to_string()).unwrap();
    let mut lines = both.signatures().to_vec();
    let mut spoiled = lines[0].clone();
    spoiled.bytes[5] ^= 1;
    lines.push(spoiled);
    let note = crate::note::Note::new(checkpoint.to_string(), lines);
    sqlx::query("UPDATE countersign.audit_checkpoints SET note = $1")
        .bind(note.to_string())
        .execute(world.test.admin())
        .await
        .unwrap();
    assert_eq!(world.first_bad(Level::Checkpoints).await, Some((20, Kind::BadSignature)));
}

#[tokio::test]
async fn l8_after_a_rotation_old_checkpoints_stay_good_and_the_old_key_signs_nothing_new() {
    let mut world = World::new().await;
    world.logged(5).await;
    for seeds in [&[1_u8, 2] as &[u8], &[2]] {
        world.publisher = World::publisher_of(&world.test, &world.files, seeds);
        world.logged(5).await;
    }
    for level in ALL {
        assert_eq!(world.first_bad(level).await, None, "{level:?}");
    }
    world.log(5).await;
    let size = 20;
    let late = Checkpoint20::of(&world).await;
    let note = ring(&[1]).sign_note(&world.origin(), late).unwrap();
    sqlx::query("SELECT countersign.audit_record_checkpoint($1, $2, $3, $4)")
        .bind(world.test.tenant.uuid())
        .bind(size)
        .bind([0_u8; 32].as_slice())
        .bind(note.to_string())
        .execute(world.test.admin())
        .await
        .unwrap();
    assert_eq!(world.first_bad(Level::Checkpoints).await, Some((20, Kind::BadSignature)));
}

/// The true checkpoint of the first twenty events.
struct Checkpoint20;

impl Checkpoint20 {
    async fn of(world: &World) -> String {
        let mut tx = world.test.db.tenant(world.test.tenant).await.unwrap();
        let mut range = Range::new();
        for event in events::from_place(&mut tx, 0, 20).await.unwrap() {
            range.push(crate::merkle::leaf(&event.canon));
        }
        let checkpoint = crate::checkpoint::Checkpoint {
            origin: world.origin(),
            size: range.size(),
            root: range.root(),
        };
        checkpoint.to_string()
    }
}

#[tokio::test]
async fn l13_a_changed_display_column_is_a_projection_mismatch() {
    let columns = [
        "action = 'runbook.viewed'",
        "actor_id = gen_random_uuid()",
        "target_id = 'rbk_99'",
        "target_type = 'alert'",
        "decision = 'allow'",
        "success = NOT success",
        "occurred_at = occurred_at - interval '1 microsecond'",
        "id = gen_random_uuid()",
    ];
    let world = World::new().await;
    world.logged(10).await;
    for change in columns {
        let restore = "UPDATE countersign.audit_events e SET
            id = k.id, action = k.action, actor_id = k.actor_id, target_id = k.target_id,
            target_type = k.target_type, decision = k.decision, success = k.success,
            occurred_at = k.occurred_at
          FROM kept k WHERE k.tenant_id = e.tenant_id AND k.seq = e.seq AND e.seq = 4";
        world
            .tamper(&[
                "CREATE TABLE kept AS SELECT * FROM countersign.audit_events",
                &format!("UPDATE countersign.audit_events SET {change} WHERE seq = 4"),
            ])
            .await;
        let bad = world.verify(Level::Checkpoints).await.first_bad.unwrap();
        assert_eq!((bad.seq, bad.kind), (4, Kind::ProjectionMismatch), "{change}");
        assert!(bad.expected.starts_with(change.split(' ').next().unwrap()), "{}", bad.expected);
        world.tamper(&[restore]).await;
        sqlx::query("DROP TABLE kept").execute(world.test.admin()).await.unwrap();
        assert_eq!(world.first_bad(Level::Checkpoints).await, None, "{change}");
    }
}

#[tokio::test]
async fn behaviour_1_any_changed_deleted_or_reordered_event_is_the_first_bad_one_named() {
    let world = World::new().await;
    world.logged(260).await;
    // Places at both ends, around the edge of a tile, and in between.
    for seq in [0_u64, 1, 97, 255, 256, 259] {
        let kept = "CREATE TABLE kept AS SELECT * FROM countersign.audit_events";
        let next = if seq == 259 { 0 } else { seq + 1 };
        let changed = [format!(
            "UPDATE countersign.audit_events
             SET canon = set_byte(canon, (seq % octet_length(canon))::int,
               get_byte(canon, (seq % octet_length(canon))::int) # 4),
               leaf = sha256('\\x00'::bytea || set_byte(canon, (seq % octet_length(canon))::int,
               get_byte(canon, (seq % octet_length(canon))::int) # 4))
             WHERE seq = {seq}"
        )];
        let deleted = [format!("DELETE FROM countersign.audit_events WHERE seq = {seq}")];
        let reordered = [
            format!("UPDATE countersign.audit_events SET seq = 1000 WHERE seq = {seq}"),
            format!("UPDATE countersign.audit_events SET seq = {seq} WHERE seq = {next}"),
            format!("UPDATE countersign.audit_events SET seq = {next} WHERE seq = 1000"),
        ];
        for statements in [changed.as_slice(), &deleted, &reordered] {
            world.tamper(&[kept]).await;
            world.tamper(&statements.iter().map(String::as_str).collect::<Vec<_>>()).await;
            let (found, _) = world.first_bad(Level::Anchor).await.unwrap();
            let first = if statements.len() == 3 { seq.min(next) } else { seq };
            assert_eq!(found, first, "{statements:?}");
            world
                .tamper(&[
                    "DELETE FROM countersign.audit_events",
                    "INSERT INTO countersign.audit_events SELECT * FROM kept",
                ])
                .await;
            sqlx::query("DROP TABLE kept").execute(world.test.admin()).await.unwrap();
            assert_eq!(world.first_bad(Level::Anchor).await, None);
        }
    }
}
