//! Copies of archived rows, brought back for reading.

use db::{Error, TenantTx};
use model::id::ArchiveId;
use sqlx::FromRow;

use crate::pack::Row;

/// How long a copy stays, in days.
pub const KEEP_DAYS: i32 = 7;

/// Rows written with one statement.
const CHUNK: usize = 1_000;

/// Writes a copy in place of an earlier one; says until when it stays.
///
/// # Errors
/// When it cannot be written.
pub async fn write(
    tx: &mut TenantTx,
    id: ArchiveId,
    rows: &[Row],
) -> Result<model::Timestamp, Error> {
    let tenant = tx.tenant().uuid();
    forget(tx, id).await?;
    let mut first = 0_i64;
    for chunk in rows.chunks(CHUNK) {
        let tables: Vec<&str> = chunk.iter().map(|row| row.table.as_str()).collect();
        let lines: Vec<&str> = chunk.iter().map(|row| row.json.as_str()).collect();
        sqlx::query(
            "INSERT INTO countersign.restored_rows (tenant_id, archive_id, n, table_name, row)
             SELECT $1, $2, $3 + e.n - 1, e.table_name, e.line::json
             FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS e (table_name, line, n)",
        )
        .bind(tenant)
        .bind(id.uuid())
        .bind(first)
        .bind(tables)
        .bind(lines)
        .execute(tx.conn())
        .await?;
        first += i64::try_from(chunk.len()).map_err(Error::internal)?;
    }
    let until: jiff_sqlx::Timestamp = sqlx::query_scalar(
        "UPDATE countersign.archives
         SET restored_until = clock_timestamp() + make_interval(days => $3)
         WHERE tenant_id = $1 AND id = $2
         RETURNING restored_until",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(KEEP_DAYS)
    .fetch_one(tx.conn())
    .await?;
    Ok(until.to_jiff())
}

/// Removes a copy; says whether there was one.
///
/// # Errors
/// When it cannot be removed.
pub async fn forget(tx: &mut TenantTx, id: ArchiveId) -> Result<bool, Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query("DELETE FROM countersign.restored_rows WHERE tenant_id = $1 AND archive_id = $2")
        .bind(tenant)
        .bind(id.uuid())
        .execute(tx.conn())
        .await?;
    let was = sqlx::query(
        "UPDATE countersign.archives SET restored_until = NULL
         WHERE tenant_id = $1 AND id = $2 AND restored_until IS NOT NULL",
    )
    .bind(tenant)
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(was.rows_affected() == 1)
}

/// Removes the copies whose time is over.
///
/// # Errors
/// When they cannot be removed.
pub async fn forget_old(tx: &mut TenantTx) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "WITH old AS (
           UPDATE countersign.archives SET restored_until = NULL
           WHERE tenant_id = $1 AND restored_until < clock_timestamp()
           RETURNING id
         )
         DELETE FROM countersign.restored_rows r USING old
         WHERE r.tenant_id = $1 AND r.archive_id = old.id",
    )
    .bind(tenant)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Removes all copies.
///
/// # Errors
/// When they cannot be removed.
pub async fn forget_all(tx: &mut TenantTx) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    for statement in [
        "DELETE FROM countersign.restored_rows WHERE tenant_id = $1",
        "UPDATE countersign.archives SET restored_until = NULL
         WHERE tenant_id = $1 AND restored_until IS NOT NULL",
    ] {
        sqlx::query(statement).bind(tenant).execute(tx.conn()).await?;
    }
    Ok(())
}

/// A row of a copy.
#[derive(Debug, Clone, FromRow)]
pub struct Copied {
    /// Its number in the copy, from 0.
    pub n: i64,
    /// The table it was of.
    pub table_name: String,
    /// The row.
    pub row: serde_json::Value,
}

/// Rows of a copy from number `from` on, of one table or of all.
///
/// # Errors
/// When they cannot be read.
pub async fn read(
    tx: &mut TenantTx,
    id: ArchiveId,
    table: Option<&str>,
    from: i64,
    most: i64,
) -> Result<Vec<Copied>, Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_as(
        "SELECT n, table_name, row FROM countersign.restored_rows
         WHERE tenant_id = $1 AND archive_id = $2 AND n >= $3
           AND ($4::text IS NULL OR table_name = $4)
         ORDER BY n
         LIMIT $5",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(from)
    .bind(table)
    .bind(most)
    .fetch_all(tx.conn())
    .await?)
}
