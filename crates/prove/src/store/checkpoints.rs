//! Checkpoints in the database.

use db::{AcrossTx, Error, TenantTx};
use model::id::TenantId;
use uuid::Uuid;

use crate::merkle::Hash;

/// How long an idle log may go without a new checkpoint, in seconds.
pub const HEARTBEAT_S: f64 = 3600.0;

/// The tenants whose log grew since its last checkpoint or whose checkpoint is due again, with
/// the size of the log.
///
/// # Errors
/// When the database cannot be asked.
pub async fn unsigned(tx: &mut AcrossTx) -> Result<Vec<(TenantId, u64)>, Error> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT tenant_id, size FROM countersign.audit_unsigned(make_interval(secs => $1))",
    )
    .bind(HEARTBEAT_S)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|(tenant, size)| {
            Ok((TenantId::from(tenant), u64::try_from(size).map_err(Error::internal)?))
        })
        .collect()
}

/// Records a signed checkpoint.
///
/// # Errors
/// When it cannot be written.
pub async fn record(tx: &mut TenantTx, size: u64, root: &Hash, note: &str) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query("SELECT countersign.audit_record_checkpoint($1, $2, $3, $4)")
        .bind(tenant)
        .bind(i64::try_from(size).map_err(Error::internal)?)
        .bind(root.as_slice())
        .bind(note)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Records up to which size a witness cosigned the log, or why it refuses to.
///
/// # Errors
/// When it cannot be written.
pub async fn witnessed(
    tx: &mut TenantTx,
    size: Option<u64>,
    refusal: Option<&str>,
) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    let size = size.map(i64::try_from).transpose().map_err(Error::internal)?;
    sqlx::query("SELECT countersign.audit_witnessed($1, $2, $3)")
        .bind(tenant)
        .bind(size)
        .bind(refusal)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The size and the note of every checkpoint, smallest first, those that only repeat left out.
///
/// # Errors
/// When they cannot be read.
pub async fn all(tx: &mut TenantTx) -> Result<Vec<(u64, String)>, Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT DISTINCT size, note
         FROM countersign.audit_checkpoints
         WHERE tenant_id = $1
         ORDER BY size, note",
    )
    .bind(tenant)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|(size, note)| Ok((u64::try_from(size).map_err(Error::internal)?, note)))
        .collect()
}

/// The newest checkpoint's note; none before the first.
///
/// # Errors
/// When it cannot be read.
pub async fn latest(tx: &mut TenantTx) -> Result<Option<String>, Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_scalar(
        "SELECT note
         FROM countersign.audit_checkpoints
         WHERE tenant_id = $1
         ORDER BY size DESC, created_at DESC
         LIMIT 1",
    )
    .bind(tenant)
    .fetch_optional(tx.conn())
    .await?)
}
