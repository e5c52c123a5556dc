//! Events as watchers get them.

use db::{Error, TenantTx};
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::execution::ExecutionState;
use model::id::{ActorId, ExecutionId, StepRunId};
use serde_json::json;
use uuid::Uuid;

use super::Told;

/// The number of the newest event of the tenant's log, -1 when there is none.
pub(super) async fn newest(tx: &mut TenantTx) -> Result<i64, Error> {
    Ok(sqlx::query_scalar(
        "SELECT coalesce(max(seq), -1) FROM countersign.audit_events WHERE tenant_id = $1",
    )
    .bind(tx.tenant().uuid())
    .fetch_one(tx.conn())
    .await?)
}

/// The log's events after a number. Their details are for those who may read the log itself.
pub(super) async fn events_after(
    tx: &mut TenantTx,
    after: i64,
    most: i64,
) -> Result<Vec<Told>, Error> {
    type Row = (i64, String, SqlTimestamp, Uuid, String, String, Option<String>, bool);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT seq, action, occurred_at, actor_id, target_type, target_id, decision, success
         FROM countersign.audit_events
         WHERE tenant_id = $1 AND seq > $2
         ORDER BY seq
         LIMIT $3",
    )
    .bind(tx.tenant().uuid())
    .bind(after)
    .bind(most)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|(seq, action, at, actor, target_type, target_id, decision, success)| Told {
            seq,
            data: json!({
                "event": action,
                "seq": seq,
                "ts": at.to_jiff(),
                "data": {
                    "actor_id": ActorId::from(actor),
                    "target": {"type": target_type, "id": target_id},
                    "decision": decision,
                    "success": success,
                },
            }),
            name: action,
            last: false,
        })
        .collect())
}

/// Whether the tenant has this execution.
pub(super) async fn execution_exists(tx: &mut TenantTx, id: ExecutionId) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM countersign.executions WHERE tenant_id = $1 AND id = $2)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?)
}

/// An execution's events after a number; the last one of an ended execution says so.
pub(super) async fn execution_events_after(
    tx: &mut TenantTx,
    id: ExecutionId,
    after: i64,
    most: i64,
) -> Result<Vec<Told>, Error> {
    // Read before the events: whoever sees an end then sees all that came before it.
    let (state, event_seq): (String, i64) = sqlx::query_as(
        "SELECT state, event_seq FROM countersign.executions WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    let ended = state.parse::<ExecutionState>().is_ok_and(ExecutionState::terminal);
    type Row = (i64, SqlTimestamp, String, Option<Uuid>, String, serde_json::Value);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT seq, ts, kind, step_run_id, message, data
         FROM countersign.execution_events
         WHERE tenant_id = $1 AND execution_id = $2 AND seq > $3
         ORDER BY seq
         LIMIT $4",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(after)
    .bind(most)
    .fetch_all(tx.conn())
    .await?;
    let mut told: Vec<Told> = rows
        .into_iter()
        .map(|(seq, at, kind, step_run, message, data)| Told {
            seq,
            data: json!({
                "event": kind,
                "seq": seq,
                "ts": at.to_jiff(),
                "data": {
                    "execution_id": id,
                    "step_run_id": step_run.map(StepRunId::from),
                    "message": message,
                    "details": data,
                },
            }),
            name: kind,
            last: ended && seq >= event_seq,
        })
        .collect();
    // A watcher who comes when all is over and read gets one closing event.
    if told.is_empty() && ended {
        told.push(Told {
            seq: event_seq.max(after),
            name: "execution.ended".to_owned(),
            data: json!({"event": "execution.ended", "seq": event_seq, "data": {"state": state}}),
            last: true,
        });
    }
    Ok(told)
}
