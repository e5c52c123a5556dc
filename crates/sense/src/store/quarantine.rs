//! Alerts that could not be read, in the database.

use db::{Cursor, Page, PageRequest, TenantTx};
use model::id::QuarantineId;
use sqlx::FromRow;
use uuid::Uuid;

use crate::finding::QuarantinedAlert;

#[derive(FromRow)]
struct Row {
    id: Uuid,
    source_name: String,
    position: i32,
    path: String,
    reason: String,
    raw: String,
    received_at: jiff_sqlx::Timestamp,
}

impl From<Row> for QuarantinedAlert {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            source: row.source_name,
            position: row.position,
            path: row.path,
            reason: row.reason,
            raw: row.raw,
            received_at: row.received_at.to_jiff(),
        }
    }
}

/// A page of them, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &mut TenantTx,
    page: &PageRequest,
) -> Result<Page<QuarantinedAlert>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, source_name, position, path, reason, raw, received_at
         FROM countersign.quarantined_alerts
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC
         LIMIT $3",
    )
    .bind(tenant)
    .bind(page.after_id())
    .bind(page.fetch())
    .fetch_all(tx.conn())
    .await?;
    Ok(page.page(rows, |row| Cursor::Id(row.id)).map(QuarantinedAlert::from))
}

/// One of them.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn get(tx: &mut TenantTx, id: QuarantineId) -> Result<QuarantinedAlert, db::Error> {
    let tenant = tx.tenant().uuid();
    let row: Row = sqlx::query_as(
        "SELECT id, source_name, position, path, reason, raw, received_at
         FROM countersign.quarantined_alerts
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}
