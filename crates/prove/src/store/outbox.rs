//! Draining the outbox into the log: the functions of the sequencer's role.

use db::{AcrossTx, Error, TenantTx};
use model::id::TenantId;
use sqlx::FromRow;
use uuid::Uuid;

use crate::sequence::{Batch, Waiting};

/// Begins an epoch of sequencing; earlier ones can append no more.
///
/// # Errors
/// When the database cannot be asked.
pub async fn begin_epoch(tx: &mut AcrossTx) -> Result<i64, Error> {
    Ok(sqlx::query_scalar("SELECT countersign.audit_lead()").fetch_one(tx.conn()).await?)
}

/// The tenants with something to sequence.
///
/// # Errors
/// When the database cannot be asked.
pub async fn pending(tx: &mut AcrossTx) -> Result<Vec<TenantId>, Error> {
    let ids: Vec<Uuid> =
        sqlx::query_scalar("SELECT countersign.audit_pending()").fetch_all(tx.conn()).await?;
    Ok(ids.into_iter().map(TenantId::from).collect())
}

/// Locks the head of the tenant's log; says how long the log is.
///
/// # Errors
/// When the epoch has ended, or the database cannot be asked.
pub async fn lock_head(tx: &mut TenantTx, epoch: i64) -> Result<i64, Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_scalar("SELECT countersign.audit_lock_head($1, $2)")
        .bind(tenant)
        .bind(epoch)
        .fetch_one(tx.conn())
        .await?)
}

#[derive(FromRow)]
struct WaitingRow {
    id: Uuid,
    canon: Vec<u8>,
    mac: Vec<u8>,
}

/// Takes the next rows out of the tenant's outbox.
///
/// # Errors
/// When the database cannot be asked.
pub async fn take(tx: &mut TenantTx, most: i32) -> Result<Vec<Waiting>, Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<WaitingRow> =
        sqlx::query_as("SELECT id, canon, mac FROM countersign.audit_take($1, $2)")
            .bind(tenant)
            .bind(most)
            .fetch_all(tx.conn())
            .await?;
    Ok(rows.into_iter().map(|WaitingRow { id, canon, mac }| Waiting { id, canon, mac }).collect())
}

/// Appends the good rows of a batch and sets the bad ones aside; says how long the log is then.
///
/// # Errors
/// When the epoch has ended, or the database cannot be written.
pub async fn append(tx: &mut TenantTx, epoch: i64, batch: &Batch<'_>) -> Result<i64, Error> {
    let tenant = tx.tenant().uuid();
    let good = &batch.good;
    let size = sqlx::query_scalar(
        "SELECT countersign.audit_append(
           $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(tenant)
    .bind(epoch)
    .bind(good.iter().map(|(row, ..)| row.id).collect::<Vec<_>>())
    .bind(good.iter().map(|(row, ..)| row.canon.as_slice()).collect::<Vec<_>>())
    .bind(good.iter().map(|(_, leaf, _)| leaf.as_slice()).collect::<Vec<_>>())
    .bind(good.iter().map(|(row, ..)| row.mac.as_slice()).collect::<Vec<_>>())
    .bind(good.iter().map(|(.., columns)| columns.occurred_micros).collect::<Vec<_>>())
    .bind(good.iter().map(|(.., columns)| columns.action.as_ref()).collect::<Vec<_>>())
    .bind(good.iter().map(|(.., columns)| columns.actor).collect::<Vec<_>>())
    .bind(good.iter().map(|(.., columns)| columns.target_type.as_ref()).collect::<Vec<_>>())
    .bind(good.iter().map(|(.., columns)| columns.target_id.as_ref()).collect::<Vec<_>>())
    .bind(good.iter().map(|(.., columns)| columns.decision.as_deref()).collect::<Vec<_>>())
    .bind(good.iter().map(|(.., columns)| columns.success).collect::<Vec<_>>())
    .fetch_one(tx.conn())
    .await?;
    if !batch.bad.is_empty() {
        reject(tx, batch).await?;
    }
    Ok(size)
}

async fn reject(tx: &mut TenantTx, batch: &Batch<'_>) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    let bad = &batch.bad;
    sqlx::query("SELECT countersign.audit_reject($1, $2, $3, $4, $5)")
        .bind(tenant)
        .bind(bad.iter().map(|(row, _)| row.id).collect::<Vec<_>>())
        .bind(bad.iter().map(|(row, _)| row.canon.as_slice()).collect::<Vec<_>>())
        .bind(bad.iter().map(|(row, _)| row.mac.as_slice()).collect::<Vec<_>>())
        .bind(bad.iter().map(|(_, fault)| fault.word()).collect::<Vec<_>>())
        .execute(tx.conn())
        .await?;
    Ok(())
}
