//! Executions that wait for an approval, moved together with it.
//!
//! Everything from the start on belongs to whoever acts.

use db::TenantTx;
use db::wake::Topic;
use model::execution::ExecutionState;
use model::id::{ApprovalId, ExecutionId};
use serde_json::json;
use uuid::Uuid;

use crate::error::Error;

/// Where an execution goes together with its approval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move<'a> {
    pub(super) approval: ApprovalId,
    pub(super) from: &'a [ExecutionState],
    pub(super) to: ExecutionState,
    /// Why, for people; empty when it goes on.
    pub(super) reason: &'a str,
}

/// Moves the execution that waits for an approval, with its event for those who watch. `None`
/// when there is none in those states.
pub(super) async fn advance(
    tx: &mut TenantTx,
    step: Move<'_>,
) -> Result<Option<ExecutionId>, Error> {
    let from: Vec<&str> = step.from.iter().map(|state| state.word()).collect();
    let moved: Option<(Uuid, i64)> = sqlx::query_as(
        "UPDATE countersign.executions
         SET state = $4,
             error_message = COALESCE(NULLIF($5, ''), error_message),
             next_run_at = clock_timestamp(),
             completed_at = CASE WHEN $6 THEN clock_timestamp() END,
             event_seq = event_seq + 1
         WHERE tenant_id = $1 AND approval_id = $2 AND state = ANY($3)
         RETURNING id, event_seq",
    )
    .bind(tx.tenant().uuid())
    .bind(step.approval.uuid())
    .bind(from)
    .bind(step.to.word())
    .bind(step.reason)
    .bind(step.to.terminal())
    .fetch_optional(tx.conn())
    .await?;
    let Some((id, seq)) = moved else { return Ok(None) };
    let message =
        if step.reason.is_empty() { step.to.word().replace('_', " ") } else { step.reason.into() };
    sqlx::query(
        "INSERT INTO countersign.execution_events (tenant_id, execution_id, seq, kind, message, data)
         VALUES ($1, $2, $3, 'state', $4, $5)",
    )
    .bind(tx.tenant().uuid())
    .bind(id)
    .bind(seq)
    .bind(message)
    .bind(json!({ "to": step.to, "because": "approval", "approval_id": step.approval }))
    .execute(tx.conn())
    .await?;
    tx.signal(Topic::Events);
    if step.to.workable() {
        tx.signal(Topic::Executions);
    }
    Ok(Some(id.into()))
}

/// Lets approved executions that wait for a guard to open ask again at once: a guard was changed.
pub(super) async fn look_again(tx: &mut TenantTx) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.executions SET next_run_at = clock_timestamp()
         WHERE tenant_id = $1 AND state = $2 AND next_run_at > clock_timestamp()",
    )
    .bind(tx.tenant().uuid())
    .bind(ExecutionState::Approved.word())
    .execute(tx.conn())
    .await?;
    tx.signal(Topic::Executions);
    Ok(())
}
