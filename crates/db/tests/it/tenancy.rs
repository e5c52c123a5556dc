//! The wall between tenants: T4, T6 to T9, and what a transaction promises.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use db::migrate::{self, SetConfig};
use db::testing::{self, TestDb};
use db::{AuditKey, Db, Error, Flaw, Kind, Options};
use futures::FutureExt as _;
use model::id::{ActorId, TenantId};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

async fn tenants_seen(db: &Db, tenant: TenantId) -> Vec<Uuid> {
    let mut tx = db.tenant(tenant).await.unwrap();
    sqlx::query_scalar("SELECT DISTINCT tenant_id FROM countersign.actors")
        .fetch_all(tx.conn())
        .await
        .unwrap()
}

fn options(url: &str) -> Options {
    Options {
        url: url.to_owned(),
        max_connections: 2,
        audit_key: AuditKey::new(&testing::AUDIT_KEY),
    }
}

async fn flaw(url: &str) -> Flaw {
    match Db::connect(options(url)).await {
        Err(Error::Unfit(flaw)) => flaw,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// A login of this test's own, with these attributes; dropped before the database is.
async fn login(test: &TestDb, attributes: &str) -> (String, String) {
    let role = format!("cs_login_{}", Uuid::now_v7().simple());
    let statement = format!("CREATE ROLE {role} LOGIN PASSWORD 'for tests only' {attributes}");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(test.admin()).await.unwrap();
    let url = test.url.replace("countersign_app", &role);
    (role, url)
}

async fn drop_login(test: &TestDb, role: &str) {
    let statement = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(test.admin()).await.unwrap();
}

/// What a query put together from text would be: no query of the program's is.
fn drill(given: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "SELECT DISTINCT tenant_id FROM countersign.actors WHERE display_name = '{given}'"
    ))
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Gives `set_config` back to everybody, as a server comes.
const GRANT_SET_CONFIG: &str =
    "GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO PUBLIC";

/// An expression that would make the rest of the transaction, or of the session, `other`'s.
fn switch(other: TenantId, lasting: bool) -> String {
    let (other, local) = (other.uuid(), !lasting);
    within(&format!("set_config('app.tenant_id', '{other}', {local})"))
}

fn within(call: &str) -> String {
    format!("x' OR {call} IS NOT NULL OR display_name = 'x")
}

#[tokio::test]
async fn t10_an_injected_statement_stays_in_its_tenant_and_stacks_nothing() {
    let test = testing::database_with(1).await;
    let other = test.another_tenant().await;
    // A second statement behind the first is refused as a whole.
    for stacked in ["x'; SET app.tenant_id = 'OTHER'; --", "x'; DELETE FROM countersign.jobs; --"] {
        let stacked = stacked.replace("OTHER", &other.uuid().to_string());
        let mut tx = test.db.tenant(test.tenant).await.unwrap();
        let error = sqlx::query(drill(&stacked)).execute(tx.conn()).await.unwrap_err();
        assert_eq!(code(&error).as_deref(), Some("42601"), "{error}");
    }
    // Where everybody may call set_config, the policy is still evaluated once a statement: it
    // cannot be switched half-way.
    sqlx::query(GRANT_SET_CONFIG).execute(test.admin()).await.unwrap();
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let seen: Vec<Uuid> =
        sqlx::query_scalar(drill(&switch(other, false))).fetch_all(tx.conn()).await.unwrap();
    assert_eq!(seen, [test.tenant.uuid()]);
    drop(tx);
    // What was switched for good is not there for whoever has the connection next.
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    sqlx::query(drill(&switch(other, true))).execute(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(tenants_seen(&test.db, test.tenant).await, [test.tenant.uuid()]);
}

#[tokio::test]
async fn t10_no_expression_changes_the_tenant_of_the_statements_after_it() {
    let test = testing::database_with(1).await;
    let other = test.another_tenant().await;
    let theirs = other.uuid();
    let in_xml = format!("query_to_xml('SET app.tenant_id = ''{theirs}''', true, true, '')::text");
    // The view of all settings is written by set_config as well.
    let in_view =
        format!("UPDATE pg_settings SET setting = '{theirs}' WHERE name = 'app.tenant_id'");
    let ways = [
        (drill(&switch(other, false)), "42501"),
        (drill(&switch(other, true)), "42501"),
        (drill(&within(&format!("countersign.enter_tenant('{theirs}')::text"))), "CS001"),
        // Whatever runs a text as a statement runs none that sets anything.
        (drill(&within(&in_xml)), "0A000"),
        (AssertSqlSafe(in_view), "42501"),
    ];
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    for (statement, refusal) in ways {
        let shown = statement.0.clone();
        let mark = tx.mark().await.unwrap();
        let error = sqlx::query(statement).execute(tx.conn()).await.unwrap_err();
        assert_eq!(code(&error).as_deref(), Some(refusal), "{shown}: {error}");
        tx.back_to(mark).await.unwrap();
        let seen: Vec<Uuid> =
            sqlx::query_scalar("SELECT DISTINCT tenant_id FROM countersign.actors")
                .fetch_all(tx.conn())
                .await
                .unwrap();
        assert_eq!(seen, [test.tenant.uuid()], "after {shown}");
    }
}

#[tokio::test]
async fn t10_set_config_is_taken_by_a_superuser_and_else_said_to_be_left() {
    let test = testing::database().await;
    assert_eq!(test.db.set_config().await.unwrap(), SetConfig::Revoked);
    sqlx::query(GRANT_SET_CONFIG).execute(test.admin()).await.unwrap();
    assert_eq!(test.db.set_config().await.unwrap(), SetConfig::Callable);
    // An administrator who is no superuser, as of a managed database, does all but this.
    let (role, url) = login(&test, "IN ROLE countersign_owner").await;
    let done = migrate::run(&url).await.unwrap();
    assert_eq!((done.from, done.set_config), (done.to, SetConfig::Callable));
    // A superuser does it, however often.
    for _ in 0..2 {
        let done = migrate::run(&test.admin_url).await.unwrap();
        assert_eq!(done.set_config, SetConfig::Revoked);
    }
    assert_eq!(test.db.set_config().await.unwrap(), SetConfig::Revoked);
    // And the other one goes on without it.
    let done = migrate::run(&url).await.unwrap();
    assert_eq!(done.set_config, SetConfig::Revoked);
    drop_login(&test, &role).await;
}

#[tokio::test]
async fn t11_reports_read_one_tenant_at_a_time_no_secret_and_write_nothing() {
    let test = testing::database().await;
    let other = test.another_tenant().await;
    let url = migrate::report_password(&test.admin_url, "for tests only").await.unwrap();
    let report = sqlx::PgPool::connect(&url).await.unwrap();
    let seen = |tenant: Option<TenantId>, table: String| {
        let report = report.clone();
        async move {
            let mut tx = report.begin().await.unwrap();
            if let Some(tenant) = tenant {
                sqlx::query("SELECT countersign.enter_tenant($1)")
                    .bind(tenant.uuid())
                    .execute(&mut *tx)
                    .await
                    .unwrap();
            }
            let count = format!("SELECT count(*) FROM {table}");
            sqlx::query_scalar::<_, i64>(AssertSqlSafe(count)).fetch_one(&mut *tx).await
        }
    };
    for table in ["countersign.actors", "lens_assistant.plans", "lens_governance.actions"] {
        assert_eq!(
            seen(None, table.to_owned()).await.unwrap(),
            0,
            "{table}: without a tenant no row"
        );
    }
    // There are rows of two tenants in each of these.
    let findings = "INSERT INTO countersign.findings
                      (tenant_id, id, kind, fingerprint, began_at, title, severity)
                    SELECT id, gen_random_uuid(), 'alert', 'one', now(), 'one', 'low'
                    FROM countersign.tenants WHERE NOT is_system";
    sqlx::query(findings).execute(test.admin()).await.unwrap();
    for (table, rows) in [("tenants", 1), ("actors", 2), ("findings", 1)] {
        let column = if table == "tenants" { "id" } else { "tenant_id" };
        for mine in [test.tenant, other] {
            let all = format!("countersign.{table}");
            let theirs = format!("countersign.{table} WHERE {column} <> '{}'", mine.uuid());
            assert_eq!(seen(None, all.clone()).await.unwrap(), 0, "{table}");
            assert_eq!(seen(Some(mine), all).await.unwrap(), rows, "{table}");
            assert_eq!(seen(Some(mine), theirs).await.unwrap(), 0, "{table}");
        }
    }
    let refused = [
        "SELECT password_hash FROM countersign.users",
        "SELECT key_hash FROM countersign.api_keys",
        "SELECT ciphertext FROM countersign.credentials",
        "SELECT canon FROM countersign.audit_outbox",
        "SELECT response FROM countersign.idempotency_keys",
        "UPDATE countersign.actors SET display_name = 'x'",
        "DELETE FROM countersign.findings",
        "SELECT countersign.retire('findings', 'findings', '{}', true)",
        "SELECT countersign.active_tenants()",
        "SET ROLE countersign_app",
    ];
    for statement in refused {
        let mut tx = report.begin().await.unwrap();
        let error = sqlx::query(statement).execute(&mut *tx).await.unwrap_err();
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
    }
    report.close().await;
}

#[tokio::test]
async fn t4_a_superuser_login_is_refused() {
    let test = testing::database().await;
    let found = flaw(&test.admin_url).await;
    assert!(matches!(&found, Flaw::Superuser { .. }), "{found:?}");
    assert!(found.to_string().contains("DATABASE_URL must name a login"), "{found}");
}

#[tokio::test]
async fn t4_a_login_that_bypasses_row_level_security_is_refused() {
    let test = testing::database().await;
    let (role, url) = login(&test, "BYPASSRLS").await;
    assert_eq!(flaw(&url).await, Flaw::BypassesRowSecurity { role: role.clone() });
    drop_login(&test, &role).await;
}

#[tokio::test]
async fn t4_a_login_that_owns_a_table_is_refused() {
    let test = testing::database().await;
    let (role, url) = login(&test, "").await;
    let statement = format!("ALTER TABLE countersign.actors OWNER TO {role}");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(test.admin()).await.unwrap();
    let object = "countersign.actors".to_owned();
    assert_eq!(flaw(&url).await, Flaw::Owner { role: role.clone(), object });
    sqlx::query("ALTER TABLE countersign.actors OWNER TO countersign_owner")
        .execute(test.admin())
        .await
        .unwrap();
    drop_login(&test, &role).await;
}

#[tokio::test]
async fn t4_a_login_that_can_become_the_owner_is_refused() {
    let test = testing::database().await;
    let (role, url) = login(&test, "NOINHERIT IN ROLE countersign_owner").await;
    assert!(matches!(flaw(&url).await, Flaw::Owner { role, .. } if role == "countersign_owner"));
    drop_login(&test, &role).await;
}

/// The turns of [`misuse`] that cancel something, after which a connection may be closed.
const CANCELS: [usize; 3] = [3, 4, 5];

/// Everything that can happen to a transaction, by turns.
async fn misuse(db: &Db, tenant: TenantId, round: usize) {
    match round % 7 {
        0 => assert_eq!(tenants_seen(db, tenant).await, [tenant.uuid()]),
        // Committed without a query.
        1 => db.tenant(tenant).await.unwrap().commit().await.unwrap(),
        // A statement failed.
        2 => {
            let mut tx = db.tenant(tenant).await.unwrap();
            sqlx::query("SELECT 1 / 0").execute(tx.conn()).await.unwrap_err();
        }
        // Opening was cancelled half-way.
        3 => drop(db.tenant(tenant).now_or_never()),
        // A query was cancelled half-way.
        4 => {
            let mut tx = db.tenant(tenant).await.unwrap();
            let query = sqlx::query("SELECT pg_sleep(0.0005)").execute(tx.conn());
            drop(tokio::time::timeout(Duration::ZERO, query).await);
        }
        // Committing was cancelled half-way.
        5 => drop(db.tenant(tenant).await.unwrap().commit().now_or_never()),
        // The holder panicked.
        _ => {
            let mut tx = db.tenant(tenant).await.unwrap();
            let work = async {
                sqlx::query("SELECT 1").execute(tx.conn()).await.unwrap();
                // Unwinds as a panic does, without its message.
                std::panic::resume_unwind(Box::new(()));
            };
            AssertUnwindSafe(work).catch_unwind().await.unwrap_err();
        }
    }
}

#[tokio::test]
async fn t6_ten_thousand_alternating_transactions_never_see_the_other_tenant() {
    let test = testing::database_with(1).await;
    let tenants = [test.tenant, test.another_tenant().await];
    let mut before = None;
    for round in 0..10_000 {
        misuse(&test.db, tenants[round % 2], round).await;
        let mut across = test.db.across().await.unwrap();
        let (context, rows, process): (Option<String>, i64, i32) = sqlx::query_as(
            "SELECT current_setting('app.tenant_id', true), count(*), pg_backend_pid()
             FROM countersign.actors",
        )
        .fetch_one(across.conn())
        .await
        .unwrap();
        assert_eq!((context.unwrap_or_default().as_str(), rows), ("", 0), "round {round}");
        // A connection that still carried a tenant would have been thrown away unseen.
        if !CANCELS.contains(&(round % 7)) {
            assert_eq!(
                process,
                before.unwrap_or(process),
                "round {round}: not the same connection"
            );
        }
        before = Some(process);
    }
}

#[tokio::test]
async fn t7_without_a_tenant_nothing_is_seen_and_nothing_fails() {
    let test = testing::database().await;
    let mut across = test.db.across().await.unwrap();
    let count = "SELECT count(*) FROM countersign.actors";
    let never_set: i64 = sqlx::query_scalar(count).fetch_one(across.conn()).await.unwrap();
    assert_eq!(never_set, 0);
    sqlx::query("SET LOCAL app.tenant_id = ''").execute(across.conn()).await.unwrap();
    let empty: i64 = sqlx::query_scalar(count).fetch_one(across.conn()).await.unwrap();
    assert_eq!(empty, 0);
    sqlx::query("SET LOCAL app.tenant_id = 'no uuid'").execute(across.conn()).await.unwrap();
    let malformed = sqlx::query_scalar::<_, i64>(count).fetch_one(across.conn()).await;
    // Closed, not open: an error is no unfiltered read.
    let error = Error::from(malformed.unwrap_err());
    assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
}

#[tokio::test]
async fn t7_without_a_tenant_nothing_can_be_written() {
    let test = testing::database().await;
    let mut across = test.db.across().await.unwrap();
    let written = sqlx::query(
        "INSERT INTO countersign.actors (tenant_id, id, type, display_name)
         VALUES ($1, $2, 'user', 'nobody')",
    )
    .bind(test.tenant.uuid())
    .bind(ActorId::generate().uuid())
    .execute(across.conn())
    .await;
    assert_eq!(Error::from(written.unwrap_err()).kind(), Kind::Refused);
}

#[tokio::test]
async fn t8_a_context_left_on_a_connection_closes_it() {
    async fn backend(db: &Db) -> (i32, Option<String>) {
        let mut across = db.across().await.unwrap();
        sqlx::query_as("SELECT pg_backend_pid(), current_setting('app.tenant_id', true)")
            .fetch_one(across.conn())
            .await
            .unwrap()
    }
    let test = testing::database_with(1).await;
    let (before, _) = backend(&test.db).await;
    assert_eq!(backend(&test.db).await.0, before, "the one connection is used again");
    // The mistake that row-level security cannot see: SET instead of SET LOCAL, committed.
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let set = format!("SET app.tenant_id = '{}'", test.tenant.uuid());
    sqlx::raw_sql(AssertSqlSafe(set)).execute(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
    let (after, context) = backend(&test.db).await;
    assert_ne!(after, before, "the connection was handed on with its tenant");
    assert_eq!(context.unwrap_or_default(), "");
}

#[tokio::test]
async fn t9_a_reference_to_another_tenants_row_is_one_to_a_row_that_does_not_exist() {
    let test = testing::database().await;
    let other = test.another_tenant().await;
    let theirs = test.system_actor(other).await.id;
    for actor in [theirs, ActorId::generate()] {
        let mut tx = test.db.tenant(test.tenant).await.unwrap();
        let written = sqlx::query(
            "INSERT INTO countersign.users (tenant_id, id, actor_id, username)
             VALUES ($1, $2, $3, 'mallory')",
        )
        .bind(test.tenant.uuid())
        .bind(Uuid::now_v7())
        .bind(actor.uuid())
        .execute(tx.conn())
        .await;
        let error = Error::from(written.unwrap_err());
        assert_eq!((error.kind(), error.constraint()), (Kind::Invalid, Some("users_actor_fk")));
    }
}

#[tokio::test]
async fn t9_a_name_taken_by_another_tenant_is_free() {
    let test = testing::database().await;
    let other = test.another_tenant().await;
    let add = async |tenant: TenantId| -> Result<(), Error> {
        let actor = test.another_actor(tenant, "Ada", &[]).await;
        let mut tx = test.db.tenant(tenant).await?;
        sqlx::query(
            "INSERT INTO countersign.users (tenant_id, id, actor_id, username)
             VALUES ($1, $2, $3, 'ada')",
        )
        .bind(tenant.uuid())
        .bind(Uuid::now_v7())
        .bind(actor.id.uuid())
        .execute(tx.conn())
        .await?;
        tx.commit().await
    };
    add(test.tenant).await.unwrap();
    add(other).await.unwrap();
    let error = add(other).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(error.constraint(), Some("users_username_key"));
}

#[tokio::test]
async fn t9_a_row_cannot_be_written_into_or_moved_to_another_tenant() {
    let test = testing::database().await;
    let other = test.another_tenant().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let moved = sqlx::query("UPDATE countersign.actors SET tenant_id = $1")
        .bind(other.uuid())
        .execute(tx.conn())
        .await;
    assert_eq!(Error::from(moved.unwrap_err()).kind(), Kind::Refused);
}

#[tokio::test]
async fn what_is_dropped_is_undone_and_what_is_committed_stays() {
    let test = testing::database().await;
    let rename = async |commit: bool, name: &str| {
        let mut tx = test.db.tenant(test.tenant).await.unwrap();
        sqlx::query("UPDATE countersign.actors SET display_name = $1")
            .bind(name)
            .execute(tx.conn())
            .await
            .unwrap();
        if commit {
            tx.commit().await.unwrap();
        }
    };
    rename(true, "kept").await;
    rename(false, "lost").await;
    assert_eq!(test.system_actor(test.tenant).await.display_name, "kept");
}

#[tokio::test]
async fn committing_after_a_swallowed_failure_says_that_nothing_was_kept() {
    let test = testing::database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    sqlx::query("SELECT 1 / 0").execute(tx.conn()).await.unwrap_err();
    let error = tx.commit().await.unwrap_err();
    assert!(matches!(error, Error::NotCommitted(_)), "{error:?}");
}

#[tokio::test]
async fn the_clock_is_the_databases_and_moves_within_a_transaction() {
    let test = testing::database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let first = tx.now().await.unwrap();
    let second = tx.now().await.unwrap();
    assert!(first < second);
    assert_eq!(first.subsec_nanosecond() % 1000, 0);
}

#[tokio::test]
async fn renewals_do_not_wait_behind_other_work() {
    let test = testing::database_with(1).await;
    let _busy = test.db.tenant(test.tenant).await.unwrap();
    let mut urgent = test.db.urgent(test.tenant).await.unwrap();
    sqlx::query("SELECT 1").execute(urgent.conn()).await.unwrap();
}
