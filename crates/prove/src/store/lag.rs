//! How far logs are behind: what is in no checkpoint yet, and what is not cosigned.

use std::time::Duration;

use db::{AcrossTx, Error, TenantTx};
use model::id::TenantId;
use sqlx::FromRow;
use uuid::Uuid;

use super::checkpoints::HEARTBEAT_S;

/// How long the oldest event of the tenant waits that no checkpoint covers, or no cosigned one;
/// none when none waits.
///
/// # Errors
/// When the database cannot be asked.
pub async fn oldest(tx: &mut TenantTx, witnessed: bool) -> Result<Option<Duration>, Error> {
    let tenant = tx.tenant().uuid();
    let seconds: Option<f64> = sqlx::query_scalar(
        "SELECT extract(epoch FROM
           clock_timestamp() - countersign.audit_waiting_since($1, $2))::double precision",
    )
    .bind(tenant)
    .bind(witnessed)
    .fetch_one(tx.conn())
    .await?;
    Ok(seconds.map(duration))
}

/// How the log of a tenant stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Whose.
    pub tenant: TenantId,
    /// How long its oldest event waits that no checkpoint covers.
    pub unsigned: Option<Duration>,
    /// How long its oldest event waits that no cosigned checkpoint covers, where that was asked.
    pub uncosigned: Option<Duration>,
    /// Why the witness refuses it.
    pub refusal: Option<String>,
}

#[derive(FromRow)]
struct StandingRow {
    tenant_id: Uuid,
    unsigned_s: Option<f64>,
    uncosigned_s: Option<f64>,
    refusal: Option<String>,
}

/// How every log stands that does not stand well: something waits for its checkpoint, `witnessed`
/// also for its cosignature, or the witness refuses it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn standing(tx: &mut AcrossTx, witnessed: bool) -> Result<Vec<Standing>, Error> {
    let rows: Vec<StandingRow> = sqlx::query_as(
        "SELECT tenant_id, refusal,
           extract(epoch FROM clock_timestamp() - unsigned_since)::double precision AS unsigned_s,
           extract(epoch FROM clock_timestamp() - uncosigned_since)::double precision
             AS uncosigned_s
         FROM countersign.audit_standing($1)",
    )
    .bind(witnessed)
    .fetch_all(tx.conn())
    .await?;
    let standing = |row: StandingRow| Standing {
        tenant: TenantId::from(row.tenant_id),
        unsigned: row.unsigned_s.map(duration),
        uncosigned: row.uncosigned_s.map(duration),
        refusal: row.refusal,
    };
    Ok(rows.into_iter().map(standing).collect())
}

/// The tenants whose newest checkpoint is not cosigned, or not since the last heartbeat.
///
/// # Errors
/// When the database cannot be asked.
pub async fn uncosigned(tx: &mut AcrossTx) -> Result<Vec<TenantId>, Error> {
    let rows: Vec<Uuid> =
        sqlx::query_scalar("SELECT countersign.audit_uncosigned(make_interval(secs => $1))")
            .bind(HEARTBEAT_S)
            .fetch_all(tx.conn())
            .await?;
    Ok(rows.into_iter().map(TenantId::from).collect())
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
