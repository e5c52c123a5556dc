//! O2: the schema moves on while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use db::migrate::{self, Migrated};
use db::testing::{self, TestDb};
use sqlx::migrate::{Migration, MigrationType};
use sqlx::{AssertSqlSafe, PgPool, SqlSafeStr as _};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Statements of every form a migration may have, on a large table.
const SAMPLES: [(&str, &str); 5] = [
    ("probe", include_str!("migrations/0001_findings_probe.sql")),
    ("range", include_str!("migrations/0002_findings_probe_range.sql")),
    ("range holds", include_str!("migrations/0003_findings_probe_range_holds.sql")),
    ("index", include_str!("migrations/0004_findings_probe_index.sql")),
    ("notes", include_str!("migrations/0005_findings_notes.sql")),
];

/// This program's migrations, and after them these.
fn with_samples(samples: &[(&'static str, &'static str)]) -> Vec<Migration> {
    let mut all = migrate::embedded();
    let newest = migrate::newest().unwrap();
    all.extend((newest + 1..).zip(samples).map(|(version, (name, sql))| {
        let no_tx = sql.starts_with("-- no-transaction");
        Migration::new(version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), no_tx)
    }));
    all
}

/// The last migration from before the rules of `cargo xtask tidy`: it may hold a table for long, and
/// nothing that has it was released.
const BASELINE: i64 = 38;

/// A tenant with this many findings, in a database as the migration before the newest left it.
async fn one_before(test: &TestDb, rows: i32) -> Uuid {
    let schemas = migrate::SCHEMAS.join(", ");
    let drop = format!("DROP SCHEMA {schemas} CASCADE");
    sqlx::query(AssertSqlSafe(drop)).execute(test.admin()).await.unwrap();
    // Taken from everybody by the migrations of the database this is a copy of.
    sqlx::query("GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO PUBLIC")
        .execute(test.admin())
        .await
        .unwrap();
    migrate::roles(&test.admin_url, "for tests only").await.unwrap();
    let mut before = migrate::embedded();
    let newest = migrate::newest().unwrap();
    before.retain(|migration| migration.version < newest || migration.version <= BASELINE);
    migrate::run_these(&test.admin_url, before).await.unwrap();
    let tenant = Uuid::now_v7();
    sqlx::query("INSERT INTO countersign.tenants (id, slug, name) VALUES ($1, 'o2', 'o2')")
        .bind(tenant)
        .execute(test.admin())
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO countersign.findings
           (tenant_id, id, kind, fingerprint, began_at, title, severity)
         SELECT $1, gen_random_uuid(), 'alert', n::text, now(), 'finding ' || n, 'low'
         FROM generate_series(1, $2) AS n",
    )
    .bind(tenant)
    .bind(rows)
    .execute(test.admin())
    .await
    .unwrap();
    tenant
}

/// Somebody who writes to the large table, one row after another, until they are told to stop.
struct Writer {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Vec<Duration>>,
}

impl Writer {
    fn start(pool: &PgPool, tenant: Uuid, number: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, pool) = (Arc::clone(&stop), pool.clone());
        let task = tokio::spawn(async move {
            let mut took = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let started = Instant::now();
                write(&pool, tenant, &format!("{number}-{}", took.len())).await;
                took.push(started.elapsed());
            }
            took
        });
        Self { stop, task }
    }

    /// How long each of its writes took.
    async fn done(self) -> Vec<Duration> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

/// A new finding, and one more sighting of it: both must go through, whatever else is going on.
async fn write(pool: &PgPool, tenant: Uuid, name: &str) {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("SELECT countersign.enter_tenant($1)")
        .bind(tenant)
        .execute(&mut *tx)
        .await
        .unwrap();
    for statement in [
        "INSERT INTO countersign.findings
           (tenant_id, id, kind, fingerprint, began_at, title, severity)
         VALUES ($1, gen_random_uuid(), 'alert', 'new-' || $2, now(), 'new', 'high')",
        "UPDATE countersign.findings SET seen_count = seen_count + 1
         WHERE tenant_id = $1 AND kind = 'alert' AND fingerprint = 'new-' || $2",
    ] {
        let done = sqlx::query(statement).bind(tenant).bind(name).execute(&mut *tx).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    }
    tx.commit().await.unwrap();
}

async fn valid(test: &TestDb, index: &str) -> Option<bool> {
    sqlx::query_scalar(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('countersign.' || $1)",
    )
    .bind(index)
    .fetch_optional(test.admin())
    .await
    .unwrap()
}

/// The moments at which a migration began to wait for the table, as the server notes them.
async fn waits(test: &TestDb) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT l.waitstart::text FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE NOT l.granted AND l.waitstart IS NOT NULL AND l.mode = 'AccessExclusiveLock'
           AND a.application_name = 'countersign migrate' AND a.datname = current_database()",
    )
    .fetch_all(test.admin())
    .await
    .unwrap()
}

#[tokio::test]
async fn o2_a_migration_that_finds_its_table_in_use_steps_back_and_lets_writers_through() {
    let test = testing::database().await;
    let tenant = one_before(&test, 1000).await;
    let pool = PgPool::connect(&test.url).await.unwrap();
    // Somebody reads for long, and keeps everybody from changing the table.
    let mut reader = test.admin().begin().await.unwrap();
    let sql = "SELECT count(*) FROM countersign.findings";
    let there: i64 = sqlx::query_scalar(sql).fetch_one(&mut *reader).await.unwrap();
    assert_eq!(there, 1000);
    let (url, all) = (test.admin_url.clone(), with_samples(&SAMPLES));
    let run = tokio::spawn(async move { migrate::run_these(&url, all).await.unwrap() });
    let mut seen: Vec<String> = Vec::new();
    // Each time it waits it is seen waiting anew, and a writer who came after it is through before
    // the reader is.
    let mut written = 0;
    while seen.len() < 3 {
        for began in waits(&test).await {
            if !seen.contains(&began) {
                seen.push(began);
                write(&pool, tenant, &format!("behind-{written}")).await;
                written += 1;
            }
        }
        assert!(!run.is_finished(), "the reader still holds the table");
        tokio::task::yield_now().await;
    }
    reader.rollback().await.unwrap();
    let done: Migrated = run.await.unwrap();
    assert!(done.retries >= 2, "{done:?}");
    assert_eq!(done.to, Some(migrate::newest().unwrap() + 5));
    assert_eq!(valid(&test, "findings_probe").await, Some(true));
    let there: i64 = sqlx::query_scalar(sql).fetch_one(test.admin()).await.unwrap();
    assert_eq!(there, 1000 + written);
}

#[tokio::test]
async fn o2_an_index_left_half_made_is_made_anew_by_one_of_many() {
    let test = testing::database().await;
    let tenant = one_before(&test, 100).await;
    // Breaking off a unique index leaves it behind, good for nothing.
    sqlx::query("UPDATE countersign.findings SET title = 'one' WHERE tenant_id = $1")
        .bind(tenant)
        .execute(test.admin())
        .await
        .unwrap();
    migrate::run_these(&test.admin_url, with_samples(&SAMPLES[..3])).await.unwrap();
    let unique = "CREATE UNIQUE INDEX CONCURRENTLY findings_probe ON countersign.findings (title)";
    sqlx::query(unique).execute(test.admin()).await.expect_err("it cannot be unique");
    assert_eq!(valid(&test, "findings_probe").await, Some(false));
    let runs = (0..3).map(|_| migrate::run_these(&test.admin_url, with_samples(&SAMPLES)));
    let runs = futures::future::join_all(runs).await;
    let newest = migrate::newest().unwrap();
    let worked: Vec<_> = runs.into_iter().map(Result::unwrap).collect();
    assert!(worked.iter().all(|run| run.to == Some(newest + 5)), "{worked:?}");
    assert_eq!(worked.iter().filter(|run| run.from == Some(newest + 3)).count(), 1, "{worked:?}");
    assert_eq!(valid(&test, "findings_probe").await, Some(true));
    let columns: String =
        sqlx::query_scalar("SELECT pg_get_indexdef('countersign.findings_probe'::regclass)")
            .fetch_one(test.admin())
            .await
            .unwrap();
    assert!(columns.ends_with("(tenant_id, probe)"), "{columns}");
}

/// The longest, and the one that one in a hundred exceeds.
fn figures(mut took: Vec<Duration>) -> (Duration, Duration, usize) {
    took.sort();
    let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
    (took.last().copied().unwrap_or_default(), at(99), took.len())
}

async fn under_load(pool: &PgPool, tenant: Uuid, work: impl Future<Output = ()>) -> Vec<Duration> {
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let start = || Writer::start(pool, tenant, NUMBER.fetch_add(1, Ordering::Relaxed));
    let writers: Vec<Writer> = (0..4).map(|_| start()).collect();
    work.await;
    let mut took = Vec::new();
    for writer in writers {
        took.extend(writer.done().await);
    }
    took
}

/// Ten thousand rows; with `COUNTERSIGN_CHAOS` a million and a half, and the figures count.
#[tokio::test]
async fn o2_writers_go_on_while_a_large_table_is_migrated() {
    let chaos = std::env::var_os("COUNTERSIGN_CHAOS").is_some();
    let test = testing::database().await;
    let tenant = one_before(&test, if chaos { 1_500_000 } else { 10_000 }).await;
    sqlx::query("ANALYZE countersign.findings").execute(test.admin()).await.unwrap();
    let pool = PgPool::connect(&test.url).await.unwrap();
    let quiet = under_load(&pool, tenant, async {
        let seconds = if chaos { 20 } else { 1 };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    })
    .await;
    let started = Instant::now();
    let migrating = under_load(&pool, tenant, async {
        let all = with_samples(&SAMPLES);
        let done = migrate::run_these(&test.admin_url, all).await.unwrap();
        assert_eq!(done.to, Some(migrate::newest().unwrap() + 5));
    })
    .await;
    let took = started.elapsed();
    let ((quiet, quiet_p99, before), (longest, p99, writes)) = (figures(quiet), figures(migrating));
    println!(
        "O2: migrated in {took:.1?}; the longest of {writes} writes beside it took {longest:.1?} \
         (99 %: {p99:.1?}), of {before} before it {quiet:.1?} (99 %: {quiet_p99:.1?})"
    );
    assert!(writes > 0 && before > 0);
    if chaos {
        let most = Duration::from_millis(250).max(2 * quiet);
        assert!(longest < most, "somebody waited {longest:?}; at most {most:?} was promised");
    }
}

#[tokio::test]
async fn o3_an_older_program_serves_on_a_newer_schema_and_does_not_migrate_it() {
    let test = testing::database().await;
    migrate::run_these(&test.admin_url, with_samples(&SAMPLES)).await.unwrap();
    test.another_process().await.ping().await.unwrap();
    let refused = migrate::run(&test.admin_url).await.unwrap_err();
    let newer = migrate::newest().unwrap() + 1;
    assert!(
        matches!(&refused, db::Error::Migrate(sqlx::migrate::MigrateError::VersionMissing(version))
            if *version == newer),
        "{refused:?}"
    );
}
