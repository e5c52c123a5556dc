//! What the measurements ask the database directly.

use anyhow::Result;
use db::{Db, TenantTx};
use model::id::TenantId;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

/// A superuser's connections.
pub(crate) type Admin = PgPool;

/// A superuser's connections to a database.
pub(crate) fn admin(url: &str) -> Result<PgPool> {
    Ok(PgPoolOptions::new().max_connections(2).connect_lazy(url)?)
}

/// Makes an empty database.
pub(crate) async fn create_database(pool: &PgPool, name: &str) -> Result<()> {
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(pool).await?;
    Ok(())
}

/// Audit events that have no place in the log yet.
pub(crate) async fn waiting_events(pool: &PgPool) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM countersign.audit_outbox").fetch_one(pool).await?)
}

/// Alerts kept, and how often they were notified altogether.
pub(crate) async fn alerts(pool: &PgPool) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM countersign.alerts").fetch_one(pool).await?)
}

/// Alerts Alerta keeps.
pub(crate) async fn alerta_alerts(pool: &PgPool) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM public.alerts").fetch_one(pool).await?)
}

/// What the server says of how it commits.
pub(crate) async fn durability(pool: &PgPool) -> Result<String> {
    let row: (String, String, String) = sqlx::query_as(
        "SELECT current_setting('fsync'), current_setting('synchronous_commit'),
                current_setting('full_page_writes')",
    )
    .fetch_one(pool)
    .await?;
    Ok(format!("fsync {}, synchronous_commit {}, full_page_writes {}", row.0, row.1, row.2))
}

/// Writes everything that is dirty, so that runs begin alike.
pub(crate) async fn settle(pool: &PgPool) -> Result<()> {
    sqlx::query("CHECKPOINT").execute(pool).await?;
    Ok(())
}

/// A tenant to hold made-up events.
pub(crate) async fn new_tenant(db: &Db) -> Result<TenantId> {
    let tenant = TenantId::generate();
    let mut tx: TenantTx = db.tenant(tenant).await?;
    sqlx::query("INSERT INTO countersign.tenants (id, slug, name) VALUES ($1, $2, $2)")
        .bind(tenant.uuid())
        .bind("measured")
        .execute(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(tenant)
}

/// After many rows at once.
pub(crate) async fn vacuum_events(pool: &PgPool) -> Result<()> {
    sqlx::query("VACUUM (ANALYZE) countersign.audit_events").execute(pool).await?;
    Ok(())
}

/// A statement, normalised, with how often and how long it ran.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Statement {
    pub(crate) query: String,
    pub(crate) calls: i64,
    pub(crate) total_ms: f64,
}

/// Makes statements countable; the server was started with the library.
pub(crate) async fn watch_statements(pool: &PgPool) -> Result<()> {
    sqlx::query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").execute(pool).await?;
    Ok(())
}

/// Counts anew.
pub(crate) async fn forget_statements(pool: &PgPool) -> Result<()> {
    sqlx::query("SELECT pg_stat_statements_reset()").execute(pool).await?;
    Ok(())
}

/// What ran since, longest in sum first.
pub(crate) async fn statements(pool: &PgPool) -> Result<Vec<Statement>> {
    Ok(sqlx::query_as(
        "SELECT query, sum(calls)::bigint AS calls, sum(total_exec_time) AS total_ms
         FROM pg_stat_statements
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND userid <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
         GROUP BY query
         ORDER BY total_ms DESC",
    )
    .fetch_all(pool)
    .await?)
}

/// What the database takes on disk, in words.
pub(crate) async fn size(pool: &PgPool) -> Result<String> {
    Ok(sqlx::query_scalar("SELECT pg_size_pretty(pg_database_size(current_database()))")
        .fetch_one(pool)
        .await?)
}
