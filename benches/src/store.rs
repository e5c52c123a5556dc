//! What the measurements ask the database directly.

use anyhow::Result;
use db::{Db, TenantTx};
use model::id::TenantId;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

/// A superuser's pool.
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
