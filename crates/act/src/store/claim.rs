//! Leases: taking, renewing and giving back executions. The database's clock alone counts.

use std::time::{Duration, Instant};

use db::{Db, TenantTx};
use jiff_sqlx::ToSqlx as _;
use model::time::Timestamp;
use uuid::Uuid;

use crate::error::Error;
use crate::lease::Claimed;

/// Takes the next execution that is free to be worked on, whosever it is.
///
/// # Errors
/// When the database cannot be asked.
pub async fn claim(db: &Db, worker: &str, ttl: Duration) -> Result<Option<Claimed>, Error> {
    let asked_at = Instant::now();
    let failed = || Error::db("claiming an execution");
    let mut tx = db.across().await.map_err(failed())?;
    let row: Option<(Uuid, Uuid, i64, String)> = sqlx::query_as(
        "SELECT tenant_id, execution_id, epoch, state
         FROM countersign.claim_execution($1, make_interval(secs => $2))",
    )
    .bind(worker)
    .bind(ttl.as_secs_f64())
    .fetch_optional(tx.conn())
    .await
    .map_err(db::Error::from)
    .map_err(failed())?;
    tx.commit().await.map_err(failed())?;
    let Some((tenant, execution, epoch, state)) = row else { return Ok(None) };
    let state = state.parse().map_err(Error::unreadable("state"))?;
    let (tenant, execution) = (tenant.into(), execution.into());
    Ok(Some(Claimed { tenant, execution, epoch, state, asked_at }))
}

/// Renews a lease and says whether a person asked to stop; `None` when the lease is lost.
pub(crate) async fn renew(
    tx: &mut TenantTx,
    claimed: &Claimed,
    ttl: Duration,
) -> Result<Option<bool>, db::Error> {
    Ok(sqlx::query_scalar(
        "UPDATE countersign.executions
         SET lease_until = clock_timestamp() + make_interval(secs => $4)
         WHERE tenant_id = $1 AND id = $2 AND lease_epoch = $3 AND lease_until IS NOT NULL
         RETURNING cancel_requested",
    )
    .bind(claimed.tenant.uuid())
    .bind(claimed.execution.uuid())
    .bind(claimed.epoch)
    .bind(ttl.as_secs_f64())
    .fetch_optional(tx.conn())
    .await?)
}

/// Gives an execution back, not to be taken up before `until`, or at once. Says whether it was
/// still ours to give.
pub(crate) async fn release(
    tx: &mut TenantTx,
    claimed: &Claimed,
    until: Option<Timestamp>,
) -> Result<bool, db::Error> {
    let done = sqlx::query(
        "UPDATE countersign.executions
         SET lease_until = NULL,
             lease_owner = NULL,
             next_run_at = COALESCE($4, clock_timestamp())
         WHERE tenant_id = $1 AND id = $2 AND lease_epoch = $3",
    )
    .bind(claimed.tenant.uuid())
    .bind(claimed.execution.uuid())
    .bind(claimed.epoch)
    .bind(until.map(Timestamp::to_sqlx))
    .execute(tx.conn())
    .await?;
    tx.signal(db::wake::Topic::Executions);
    Ok(done.rows_affected() == 1)
}
