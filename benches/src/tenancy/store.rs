//! What this measurement asks the database directly.

pub(super) mod fill;
pub(super) mod wall;

use anyhow::Result;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use uuid::Uuid;

use crate::store::Admin;
use fill::Estate;

/// What makes PostgreSQL write each statement's plan, as it was carried out, into its log.
const EXPLAINED: [&str; 6] = [
    "log_min_duration = 0",
    "log_analyze = on",
    "log_buffers = on",
    "log_timing = off",
    "log_format = json",
    "log_nested_statements = on",
];

/// Begins to write plans into the log, in sessions that are open as well, or ends it.
pub(super) async fn explain(admin: &Admin, on: bool) -> Result<()> {
    if on {
        for setting in EXPLAINED {
            // Constants of this program.
            let statement = format!("ALTER SYSTEM SET auto_explain.{setting}");
            admin.execute(AssertSqlSafe(statement)).await?;
        }
    } else {
        admin.execute("ALTER SYSTEM RESET ALL").await?;
    }
    admin.execute("SELECT pg_reload_conf()").await?;
    Ok(())
}

/// Alerts of the large tenant, in no order.
pub(super) async fn alerts(admin: &Admin, estate: &Estate, most: i64) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar(
        "SELECT finding_id FROM countersign.alerts WHERE tenant_id = $1
         ORDER BY md5(finding_id::text) LIMIT $2",
    )
    .bind(estate.tenant)
    .bind(most)
    .fetch_all(admin)
    .await?)
}

/// Ids of rows of the large tenant, evenly spread over them, newest first.
pub(super) async fn spread(
    admin: &Admin,
    estate: &Estate,
    table: &'static str,
    column: &'static str,
    most: i64,
) -> Result<Vec<(Uuid, Option<String>)>> {
    // Both words are constants of this program.
    let statement = format!(
        "SELECT id, value FROM (
           SELECT id, {column}::text AS value, row_number() OVER w AS at, count(*) OVER () AS all_of
           FROM countersign.{table} WHERE tenant_id = $1
           WINDOW w AS (ORDER BY {column} DESC, id DESC)
         ) r WHERE at % greatest(all_of / $2, 1) = 0 ORDER BY at"
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(estate.tenant)
        .bind(most)
        .fetch_all(admin)
        .await?;
    rows.into_iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
