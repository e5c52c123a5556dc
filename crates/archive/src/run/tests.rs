//! The archiver on a real database and a real directory of objects.

use std::sync::atomic::{AtomicUsize, Ordering};

use connect::objects::Directory;
use db::testing::{TestDb, database};
use model::Digest;
use model::connector::Pending;
use model::objects::ObjectError;
use serde_json::Value;
use sqlx::AssertSqlSafe;

use super::*;
use crate::pack;
use crate::rule::Class;
use crate::store::rows::{self, HOLD, Hand};

struct World {
    test: TestDb,
    files: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self { test: database().await, files: tempfile::tempdir().unwrap() }
    }

    fn tenant(&self) -> TenantId {
        self.test.tenant
    }

    fn archiver(&self) -> Archiver {
        let objects = Directory::open(self.files.path()).unwrap();
        Archiver::new(self.test.db.clone(), Arc::new(objects))
    }

    /// Statements past row-level security, triggers and references.
    async fn past(&self, statement: &str) -> u64 {
        let mut tx = self.test.admin().begin().await.unwrap();
        sqlx::query("SET LOCAL session_replication_role = replica")
            .execute(&mut *tx)
            .await
            .unwrap();
        let done = sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&mut *tx)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
        tx.commit().await.unwrap();
        done.rows_affected()
    }

    async fn count(&self, table: &str, tenant: TenantId) -> i64 {
        let statement = format!(
            "SELECT count(*) FROM countersign.{table} WHERE tenant_id = '{}'",
            tenant.uuid()
        );
        sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(self.test.admin()).await.unwrap()
    }

    /// A finding that was resolved so many days ago, with the alert it came from.
    async fn finding(&self, tenant: TenantId, days: i32) -> Uuid {
        let id = Uuid::now_v7();
        let (tenant, at) = (tenant.uuid(), format!("now() - interval '{days} days'"));
        self.past(&format!(
            "INSERT INTO countersign.findings (tenant_id, id, kind, fingerprint, began_at, title,
               severity, status, first_seen, last_seen, resolved_at)
             VALUES ('{tenant}', '{id}', 'alert', '{id}', {at}, 'Disk full', 'high', 'fixed',
               {at}, {at}, {at})"
        ))
        .await;
        self.past(&format!(
            "INSERT INTO countersign.alerts (tenant_id, finding_id, source_name, sender_actor_id,
               alert_name, source_status, starts_at, labels_json, annotations_json,
               raw_alert_json, action_taken)
             VALUES ('{tenant}', '{id}', 'prometheus', '{tenant}', 'DiskFull', 'resolved', {at},
               '{{\"host\": \"web-1\"}}', '{{}}', '{{\"value\":\n 1e131071}}', 'manual')"
        ))
        .await;
        id
    }

    /// A correlation made at this moment.
    async fn correlation(&self, tenant: TenantId, moment: &str) {
        self.past(&format!(
            "INSERT INTO countersign.correlations (tenant_id, id, finding_id, correlation_type,
               external_id, external_system, event_data)
             VALUES ('{0}', countersign.first_id_at('{moment}'), '{0}', 'deployment', 'd', 'argocd',
               '{{}}')",
            tenant.uuid()
        ))
        .await;
    }

    /// The month of a table, as it would have been made then.
    async fn month(&self, table: &str, first_day: &str) {
        let mut tx = self.test.admin().begin().await.unwrap();
        sqlx::query("SET LOCAL ROLE countersign_owner").execute(&mut *tx).await.unwrap();
        let made: bool = sqlx::query_scalar(
            "SELECT countersign.add_partition(('countersign.' || $1)::regclass, $2::text::date)",
        )
        .bind(table)
        .bind(first_day)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        assert!(made);
        tx.commit().await.unwrap();
    }

    async fn has_month(&self, name: &str) -> bool {
        sqlx::query_scalar("SELECT to_regclass('countersign.' || $1) IS NOT NULL")
            .bind(name)
            .fetch_one(self.test.admin())
            .await
            .unwrap()
    }

    async fn pieces(&self, tenant: TenantId) -> Vec<Piece> {
        let mut tx = self.test.db.tenant(tenant).await.unwrap();
        let page = db::PageRequest::parse(Some(100), None).unwrap();
        catalogue::list(&mut tx, &catalogue::Filter::default(), &page).await.unwrap().items
    }

    async fn hold(&self, tenant: TenantId, class: Option<Class>) -> model::id::HoldId {
        let actor = self.test.system_actor(tenant).await;
        let mut tx = self.test.db.tenant(tenant).await.unwrap();
        let id = holds::set(&mut tx, class, "Matter 1", actor.id).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn lift(&self, tenant: TenantId, id: model::id::HoldId) {
        let actor = self.test.system_actor(tenant).await;
        let mut tx = self.test.db.tenant(tenant).await.unwrap();
        assert!(holds::lift(&mut tx, id, "over", actor.id).await.unwrap());
        tx.commit().await.unwrap();
    }

    /// The rows of a table in the objects of a tenant's archive, those its catalogue names.
    async fn archived(&self, tenant: TenantId, table: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        for piece in self.pieces(tenant).await {
            let Ok(object) = std::fs::read(self.files.path().join(&piece.object_key)) else {
                continue;
            };
            let lines = pack::decompress(&object).unwrap();
            let of_table = pack::rows(&lines).unwrap().into_iter();
            rows.extend(of_table.filter(|row| row.table == table).map(|row| {
                serde_json::from_str::<Value>(&row.json.replace("1e131071", "\"big\"")).unwrap()
            }));
        }
        rows
    }
}

#[tokio::test]
async fn old_findings_go_to_the_archive_with_all_that_is_theirs_and_come_back_for_reading() {
    let world = World::new().await;
    let (old, young) =
        (world.finding(world.tenant(), 100).await, world.finding(world.tenant(), 80).await);
    let archiver = world.archiver();
    let done = archiver.tenant(world.tenant()).await.unwrap();
    assert_eq!((done.stored, done.rows, done.removed), (1, 2, 1));
    assert_eq!(world.count("findings", world.tenant()).await, 1);
    assert_eq!(world.count("alerts", world.tenant()).await, 1);
    let archived = world.archived(world.tenant(), "findings").await;
    assert_eq!(archived.len(), 1);
    assert_eq!(archived[0]["id"], old.to_string());
    let piece = world.pieces(world.tenant()).await.remove(0);
    assert_eq!((piece.state.as_str(), piece.row_count), ("removed", Some(2)));
    assert_eq!(piece.roots, [old]);

    let restored = archiver.restore(world.tenant(), piece.archive_id()).await.unwrap();
    assert_eq!(restored.rows, 2);
    // Never into the live tables.
    assert_eq!(world.count("findings", world.tenant()).await, 1);
    let mut tx = world.test.db.tenant(world.tenant()).await.unwrap();
    // The column types are those of the table they were of: nothing was lost on the way.
    let (id, severity, rank, raw): (Uuid, String, i16, String) = sqlx::query_as(
        "SELECT f.id, f.severity, f.severity_rank, a.raw_alert_json::text
         FROM countersign.restored_rows r
         CROSS JOIN LATERAL json_populate_record(NULL::countersign.findings, r.row) f
         JOIN countersign.restored_rows s ON s.tenant_id = r.tenant_id
           AND s.archive_id = r.archive_id AND s.table_name = 'alerts'
         CROSS JOIN LATERAL json_populate_record(NULL::countersign.alerts, s.row) a
         WHERE r.table_name = 'findings'",
    )
    .fetch_one(tx.conn())
    .await
    .unwrap();
    assert_eq!((id, severity.as_str(), rank), (old, "high", 3));
    assert_eq!(raw, "{\"value\":  1e131071}", "a number keeps its digits");
    tx.rollback().await.unwrap();
    assert_ne!(old, young);
    // Nothing more is due.
    assert_eq!(archiver.tenant(world.tenant()).await.unwrap(), Done::default());
}

#[tokio::test]
async fn a_tampered_object_is_refused_and_named() {
    let world = World::new().await;
    world.finding(world.tenant(), 100).await;
    let archiver = world.archiver();
    archiver.tenant(world.tenant()).await.unwrap();
    let piece = world.pieces(world.tenant()).await.remove(0);
    let file = world.files.path().join(&piece.object_key);
    let good = std::fs::read(&file).unwrap();
    for at in [0, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&file, &bad).unwrap();
        let error = archiver.restore(world.tenant(), piece.archive_id()).await.unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(&piece.object_key), "{error}");
        assert_eq!(world.count("restored_rows", world.tenant()).await, 0);
    }
    std::fs::remove_file(&file).unwrap();
    let error = archiver.restore(world.tenant(), piece.archive_id()).await.unwrap_err();
    assert!(matches!(error, Error::Objects(ObjectError::NotFound { .. })), "{error}");
    std::fs::write(&file, &good).unwrap();
    assert_eq!(archiver.restore(world.tenant(), piece.archive_id()).await.unwrap().rows, 2);
}

/// A fake store that loses its connection, for good, at the nth call.
#[derive(Debug)]
struct FakeFailing {
    below: Directory,
    left: AtomicUsize,
}

impl FakeFailing {
    fn alive(&self, key: &str) -> Result<(), ObjectError> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        left.map(|_| ()).map_err(|_| ObjectError::Unavailable {
            key: key.to_owned(),
            reason: "the connection broke".to_owned(),
        })
    }
}

impl Objects for FakeFailing {
    fn put<'a>(&'a self, key: &'a str, bytes: Vec<u8>) -> Pending<'a, Result<Digest, ObjectError>> {
        Box::pin(async move {
            self.alive(key)?;
            self.below.put(key, bytes).await
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Vec<u8>, ObjectError>> {
        Box::pin(async move {
            self.alive(key)?;
            self.below.get(key).await
        })
    }
}

#[tokio::test]
async fn a_run_that_breaks_off_anywhere_loses_nothing_and_is_finished_by_the_next() {
    let world = World::new().await;
    for calls in 0..5 {
        let id = world.finding(world.tenant(), 100).await;
        let below = Directory::open(world.files.path()).unwrap();
        let objects = Arc::new(FakeFailing { below, left: AtomicUsize::new(calls) });
        let broken = Archiver::new(world.test.db.clone(), objects);
        let ended = broken.tenant(world.tenant()).await;
        // Two objects put, two read back: with all of them it is whole.
        assert_eq!(ended.is_ok(), calls == 4, "after {calls} calls");
        if ended.is_err() {
            let here = world.count("findings", world.tenant()).await;
            assert_eq!(here, 1, "the rows are still here after {calls} calls");
        }
        world.archiver().tenant(world.tenant()).await.unwrap();
        assert_eq!(world.count("findings", world.tenant()).await, 0, "after {calls} calls");
        let archived = world.archived(world.tenant(), "findings").await;
        let copies = archived.iter().filter(|row| row["id"] == id.to_string()).count();
        assert_eq!(copies, 1, "after {calls} calls");
    }
    // One piece each, however often it was begun.
    let pieces = world.pieces(world.tenant()).await;
    assert_eq!(pieces.len(), 5);
    assert!(pieces.iter().all(|piece| piece.state == "removed"));
}

#[tokio::test]
async fn a_process_killed_between_storing_and_removing_is_followed_by_one_that_removes() {
    let world = World::new().await;
    let id = world.finding(world.tenant(), 100).await;
    let archiver = world.archiver();
    let subject = named("findings").unwrap();
    let begun = archiver.begin(world.tenant(), subject, Extent::Roots(&[id])).await.unwrap();
    let piece = archiver.piece(world.tenant(), begun).await.unwrap();
    archiver.put(world.tenant(), &piece, &[]).await.unwrap();
    // Killed here: stored, and still in the database.
    assert_eq!(world.count("findings", world.tenant()).await, 1);
    let done = archiver.tenant(world.tenant()).await.unwrap();
    assert_eq!((done.stored, done.removed), (0, 1));
    assert_eq!(world.count("findings", world.tenant()).await, 0);
}

#[tokio::test]
async fn what_changed_after_it_was_stored_stays_and_is_stored_anew() {
    let world = World::new().await;
    let id = world.finding(world.tenant(), 100).await;
    let archiver = world.archiver();
    let subject = named("findings").unwrap();
    let begun = archiver.begin(world.tenant(), subject, Extent::Roots(&[id])).await.unwrap();
    let piece = archiver.piece(world.tenant(), begun).await.unwrap();
    archiver.put(world.tenant(), &piece, &[]).await.unwrap();
    world.past("UPDATE countersign.findings SET reason = 'looked at once more'").await;
    // Not removed as it was packed: packed as it is now, and then removed.
    let done = archiver.tenant(world.tenant()).await.unwrap();
    assert_eq!((done.stored, done.removed), (1, 1));
    assert_eq!(world.pieces(world.tenant()).await.len(), 1);
    assert_eq!(
        world.archived(world.tenant(), "findings").await[0]["reason"],
        "looked at once more"
    );

    // And what is open again by then does not go at all.
    let id = world.finding(world.tenant(), 100).await;
    let begun = archiver.begin(world.tenant(), subject, Extent::Roots(&[id])).await.unwrap();
    world.past("UPDATE countersign.findings SET status = 'open', resolved_at = NULL").await;
    assert_eq!(archiver.tenant(world.tenant()).await.unwrap(), Done::default());
    assert_eq!(world.count("findings", world.tenant()).await, 1);
    assert_eq!(archiver.piece(world.tenant(), begun).await.unwrap().row_count, Some(0));
}

#[tokio::test]
async fn a_legal_hold_keeps_everything_it_covers_until_it_is_lifted() {
    let world = World::new().await;
    let id = world.finding(world.tenant(), 100).await;
    let archiver = world.archiver();
    let subject = named("findings").unwrap();
    let begun = archiver.begin(world.tenant(), subject, Extent::Roots(&[id])).await.unwrap();
    let piece = archiver.piece(world.tenant(), begun).await.unwrap();
    archiver.put(world.tenant(), &piece, &[]).await.unwrap();
    world.finding(world.tenant(), 200).await;
    world.correlation(world.tenant(), "2001-02-03T00:00:00Z").await;
    // Set after one piece was stored: even that one stays.
    let everything = world.hold(world.tenant(), None).await;
    assert_eq!(archiver.tenant(world.tenant()).await.unwrap(), Done::default());
    assert_eq!(world.count("findings", world.tenant()).await, 2);
    assert_eq!(world.count("correlations", world.tenant()).await, 1);
    // The database itself refuses, whatever the program believes.
    let mut tx = world.test.db.tenant(world.tenant()).await.unwrap();
    let refused = rows::of(&mut tx, subject, &[id], Hand::Remove).await.unwrap_err();
    assert_eq!(refused.constraint(), Some(HOLD));
    drop(tx);
    // A hold on one class keeps that class.
    world.hold(world.tenant(), Some(Class::Findings)).await;
    world.lift(world.tenant(), everything).await;
    archiver.tenant(world.tenant()).await.unwrap();
    assert_eq!(world.count("findings", world.tenant()).await, 2);
    assert_eq!(world.count("correlations", world.tenant()).await, 0);
    // Another tenant's hold is nothing to us, nor ours to it.
    let other = world.test.another_tenant().await;
    world.finding(other, 100).await;
    archiver.tenant(other).await.unwrap();
    assert_eq!(world.count("findings", other).await, 0);
}

#[tokio::test]
async fn a_month_is_dropped_as_one_only_when_all_tenants_rows_in_it_are_archived() {
    let world = World::new().await;
    let (one, two) = (world.tenant(), world.test.another_tenant().await);
    world.month("correlations", "2020-01-01").await;
    for day in 1..=5 {
        world.correlation(one, &format!("2020-01-{day:02}T00:00:00Z")).await;
        world.correlation(two, &format!("2020-01-{:02}T00:00:00Z", day + 10)).await;
    }
    // One without a month of its own.
    world.correlation(one, "2001-01-01T00:00:00Z").await;
    let mut archiver = world.archiver();
    archiver.limits.rows = 2;
    let held = world.hold(two, Some(Class::Correlations)).await;
    let done = archiver.everyone(&[one, two]).await.unwrap();
    // Three pieces of the month, one of the rest; row by row, as the month is shared.
    assert_eq!((done.stored, done.rows, done.removed), (4, 6, 4));
    assert!(world.has_month("correlations_y2020m01").await);
    assert_eq!(world.count("correlations", one).await, 0);
    assert_eq!(world.count("correlations", two).await, 5);
    world.lift(two, held).await;
    let done = archiver.everyone(&[one, two]).await.unwrap();
    assert_eq!((done.stored, done.rows, done.removed), (3, 5, 3));
    assert_eq!(done.months, 1, "{done:?}");
    assert!(!world.has_month("correlations_y2020m01").await, "dropped as one");
    assert_eq!(world.archived(two, "correlations").await.len(), 5);
    assert_eq!(world.archived(one, "correlations").await.len(), 6);
    let pieces = world.pieces(two).await;
    assert!(pieces.iter().all(|piece| piece.state == "removed"), "{pieces:?}");
    let mut admin = world.test.admin().acquire().await.unwrap();
    assert_eq!(db::catalogue::breaches(&mut admin).await.unwrap(), []);
}

#[tokio::test]
async fn a_row_that_came_after_the_archive_keeps_its_month() {
    let world = World::new().await;
    world.month("correlations", "2020-01-01").await;
    world.correlation(world.tenant(), "2020-01-05T00:00:00Z").await;
    let archiver = world.archiver();
    archiver.store(world.tenant()).await.unwrap();
    world.correlation(world.tenant(), "2020-01-07T00:00:00Z").await;
    assert_eq!(archiver.drop_months().await.unwrap(), 0);
    assert!(world.has_month("correlations_y2020m01").await);
    // The next run archives it, too, and then the month goes.
    archiver.everyone(&[world.tenant()]).await.unwrap();
    assert_eq!(world.archived(world.tenant(), "correlations").await.len(), 2);
    assert!(!world.has_month("correlations_y2020m01").await);
}

#[tokio::test]
async fn the_last_five_versions_of_a_model_stay_with_their_figures() {
    let world = World::new().await;
    for version in 1..=7 {
        world
            .past(&format!(
                "WITH model AS (
                   INSERT INTO countersign.ml_models (tenant_id, id, name, version, model_type,
                     framework, features, trained_at, is_active, comparison, artifact, artifact_sha256)
                   VALUES ('{0}', gen_random_uuid(), 'causes', '{version}', 'classification',
                     'sklearn', '[]', timestamptz '2026-01-01' + interval '{version} days',
                     {version} = 1, '{{}}', '', sha256(''))
                   RETURNING tenant_id, id)
                 INSERT INTO countersign.ml_performance_metrics (tenant_id, id, ml_model_id,
                   evaluation_date)
                 SELECT tenant_id, gen_random_uuid(), id, '2026-02-01' FROM model",
                world.tenant().uuid()
            ))
            .await;
    }
    world.archiver().tenant(world.tenant()).await.unwrap();
    // Of seven, the newest five and the one in use, which is the oldest.
    let left: Vec<String> =
        sqlx::query_scalar("SELECT version FROM countersign.ml_models ORDER BY version")
            .fetch_all(world.test.admin())
            .await
            .unwrap();
    assert_eq!(left, ["1", "3", "4", "5", "6", "7"]);
    assert_eq!(world.count("ml_performance_metrics", world.tenant()).await, 6);
    assert_eq!(world.archived(world.tenant(), "ml_models").await[0]["version"], "2");
    assert_eq!(world.archived(world.tenant(), "ml_performance_metrics").await.len(), 1);
}

#[tokio::test]
async fn conversations_go_without_a_copy_and_say_so_in_the_log() {
    let world = World::new().await;
    let session = Uuid::now_v7();
    for statement in [
        format!(
            "INSERT INTO countersign.chat_sessions (tenant_id, id, user_id, created_at, updated_at)
             VALUES ('{0}', '{session}', '{0}', '2020-01-01', '2020-01-01')",
            world.tenant().uuid()
        ),
        format!(
            "INSERT INTO countersign.chat_messages (tenant_id, id, session_id, role, content,
               created_at)
             VALUES ('{0}', gen_random_uuid(), '{session}', 'user', 'my words', '2020-01-01')",
            world.tenant().uuid()
        ),
    ] {
        world.past(&statement).await;
    }
    let done = world.archiver().tenant(world.tenant()).await.unwrap();
    assert_eq!((done.deleted, done.stored), (2, 0));
    assert_eq!(world.count("chat_messages", world.tenant()).await, 0);
    let events: Vec<String> =
        sqlx::query_scalar("SELECT convert_from(canon, 'UTF8') FROM countersign.audit_outbox")
            .fetch_all(world.test.admin())
            .await
            .unwrap();
    let told = events.iter().find(|event| event.contains("retention.deleted")).unwrap();
    assert!(told.contains("\"conversations\"") && !told.contains("my words"), "{told}");
}

#[tokio::test]
async fn t11_retention_works_as_a_role_of_its_own_within_one_tenant() {
    let world = World::new().await;
    let other = world.test.another_tenant().await;
    let theirs = world.finding(other, 100).await;
    let subject = named("findings").unwrap();
    // The application itself may delete no finding.
    let mut tx = world.test.db.tenant(world.tenant()).await.unwrap();
    let refused = sqlx::query("DELETE FROM countersign.findings").execute(tx.conn()).await;
    assert!(refused.is_err());
    drop(tx);
    // The role that may is nobody's login, and the function it owns sees one tenant.
    let (owner, login): (String, bool) = sqlx::query_as(
        "SELECT r.rolname::text, r.rolcanlogin FROM pg_catalog.pg_proc p
         JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
         WHERE p.oid = 'countersign.retire(text, text, uuid[], boolean)'::regprocedure",
    )
    .fetch_one(world.test.admin())
    .await
    .unwrap();
    assert_eq!((owner.as_str(), login), ("countersign_retention", false));
    for hand in [Hand::Read, Hand::Remove] {
        let mut tx = world.test.db.tenant(world.tenant()).await.unwrap();
        assert_eq!(rows::of(&mut tx, subject, &[theirs], hand).await.unwrap(), []);
        tx.commit().await.unwrap();
    }
    let mut across = world.test.db.across().await.unwrap();
    let nowhere = sqlx::query("SELECT countersign.retire('findings', 'findings', $1, true)")
        .bind([theirs].as_slice())
        .execute(across.conn())
        .await;
    assert!(nowhere.is_err(), "without a tenant nothing is retired");
    assert_eq!(world.count("findings", other).await, 1);
}

/// Alerts in quarantine and logged uses, many of each.
const MANY: &str = "
    INSERT INTO countersign.quarantined_alerts
      (tenant_id, id, source_name, position, path, reason, raw)
    SELECT t.id, ('0190a6c2-7b5e-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 's', 0, '/', 'r', 'x'
    FROM countersign.tenants t, generate_series(1, 1234) n WHERE t.id = '{tenant}';
    INSERT INTO countersign.usage_logs (tenant_id, id, actor_id, endpoint, period)
    SELECT a.tenant_id, ('0190a6c2-7b5e-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, a.id, 'e',
      date '2024-07-01'
    FROM (SELECT tenant_id, id FROM countersign.actors WHERE tenant_id = '{tenant}' LIMIT 1) a,
      generate_series(1, 1234) n";

async fn many(world: &World) {
    let statements = MANY.replace("{tenant}", &world.tenant().uuid().to_string());
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(world.test.admin()).await.unwrap();
}

#[tokio::test]
async fn a_large_tenant_is_erased_a_part_at_a_time() {
    let world = World::new().await;
    many(&world).await;
    let gone = world.archiver().erase(world.tenant()).await.unwrap();
    assert_eq!(gone, 2 * 1234);
    for table in ["quarantined_alerts", "usage_logs"] {
        assert_eq!(world.count(table, world.tenant()).await, 0, "{table}");
    }
    // Each part is said in a transaction of its own.
    let said: i64 = sqlx::query_scalar("SELECT count(*) FROM countersign.audit_outbox")
        .fetch_one(world.test.admin())
        .await
        .unwrap();
    assert!(said >= 2 * 13, "{said} parts");
    assert_eq!(world.archiver().erase(world.tenant()).await.unwrap(), 0, "safe to repeat");
}

#[tokio::test]
async fn what_keeps_a_tenant_from_being_erased_is_named_and_the_rest_goes() {
    let world = World::new().await;
    many(&world).await;
    let keeps = "
        CREATE TABLE public.keeps (tenant_id uuid, id uuid,
          CONSTRAINT keeps_it FOREIGN KEY (tenant_id, id)
            REFERENCES countersign.quarantined_alerts (tenant_id, id));
        INSERT INTO public.keeps SELECT tenant_id, id FROM countersign.quarantined_alerts
          WHERE id IN ('0190a6c2-7b5e-7000-8000-000000000032',
                       '0190a6c2-7b5e-7000-8000-000000000064')";
    sqlx::raw_sql(keeps).execute(world.test.admin()).await.unwrap();
    let refused = world.archiver().erase(world.tenant()).await.unwrap_err();
    assert_eq!(refused.to_string(), "quarantined_alerts cannot be removed: keeps_it keeps them");
    assert_eq!(world.count("quarantined_alerts", world.tenant()).await, 2);
    assert_eq!(world.count("usage_logs", world.tenant()).await, 0);
    sqlx::raw_sql("DROP TABLE public.keeps").execute(world.test.admin()).await.unwrap();
    assert_eq!(world.archiver().erase(world.tenant()).await.unwrap(), 2);
}
