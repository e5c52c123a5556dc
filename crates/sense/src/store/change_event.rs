//! What happened outside, in the database: kept in batches, each event once.

use db::TenantTx;
use model::id::{ChangeEventId, EnvironmentId};
use serde_json::{Value, json};
use sqlx::types::Json;

use crate::change_event::Happened;

/// What came of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    /// Events that were not known.
    pub new: u64,
    /// Events that were known otherwise, and are as they were told now.
    pub changed: u64,
}

/// Keeps a batch; of several with one name the last counts.
///
/// What is known already, and was told the same, is left as it is.
///
/// # Errors
/// Invalid with the constraint's name when one refers to what is not there: then nothing of the
/// batch is written.
pub async fn place(tx: &mut TenantTx, batch: &[Happened]) -> Result<Placed, db::Error> {
    let tenant = tx.tenant().uuid();
    // No unique index holds across months: two that tell the same event take turns.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('change_events ' || $1::text, 0))")
        .bind(tenant)
        .execute(tx.conn())
        .await?;
    let rows: Vec<Value> = batch.iter().enumerate().map(row).collect();
    let (changed, new): (i64, i64) = sqlx::query_as(include_str!("change_event/place.sql"))
        .bind(tenant)
        .bind(Json(rows))
        .fetch_one(tx.conn())
        .await?;
    let count = |rows: i64| u64::try_from(rows).unwrap_or_default();
    Ok(Placed { new: count(new), changed: count(changed) })
}

fn row((at, one): (usize, &Happened)) -> Value {
    json!({
        "n": at, "id": ChangeEventId::generate().uuid(), "kind": one.kind.word(),
        "occurred_at": one.occurred_at, "ended_at": one.ended_at,
        "external_system": one.external_system, "external_id": one.external_id,
        "actor": one.actor, "summary": one.summary, "service": one.service,
        "severity": one.severity.map(model::level::Severity::word),
        "environment_id": one.environment_id.map(EnvironmentId::uuid),
        "paths": one.paths, "addresses": one.addresses, "resources": one.resources,
        "shared_ids": one.shared_ids, "data": one.data,
    })
}

/// Forgets what was recorded more than 90 days ago, unless a hold keeps it.
///
/// At most so many at once; gives how many.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut TenantTx, most: i64) -> Result<u64, db::Error> {
    let tenant = tx.tenant().uuid();
    let gone = sqlx::query(
        "DELETE FROM countersign.change_events
         WHERE tenant_id = $1 AND NOT countersign.held($1, 'correlations') AND id IN (
           SELECT e.id FROM countersign.change_events e
           WHERE e.tenant_id = $1
             AND e.id < countersign.first_id_at(clock_timestamp() - interval '90 days')
           ORDER BY e.id
           LIMIT $2)",
    )
    .bind(tenant)
    .bind(most)
    .execute(tx.conn())
    .await?;
    Ok(gone.rows_affected())
}
