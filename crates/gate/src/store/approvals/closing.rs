//! Approvals that end without a vote: time ran out, or what they were for has changed.

use db::TenantTx;
use model::Digest;
use model::audit::{Event, Who};
use model::execution::ExecutionState;
use model::id::{ApprovalId, EventId, ExecutionId};
use model::intent::{ApprovalState, IntentState};
use uuid::Uuid;

use super::rows::{StoredApproval, fetch};
use super::{NewApproval, create};
use crate::error::Error;
use crate::gist::{TEXT_CHARS, cut};
use crate::store::breakers::Hold;
use crate::store::exceptions;
use crate::store::executions::{Move, advance};
use crate::store::intents;

/// Approvals a sweep takes at a time.
const SWEEP: i64 = 200;

/// What takes the place of an approval that no longer holds.
#[derive(Debug, Clone)]
pub struct Reopened {
    /// The new request.
    pub approval: NewApproval,
    /// The hash of the plan it is for.
    pub plan_hash: Digest,
}

/// Expires approvals whose time is over by the database's clock, with their executions.
///
/// Those still asked for, and those given for an execution that nobody has begun with. A vote or a
/// start that holds one of them goes first.
///
/// # Errors
/// When the database does not take it.
pub async fn expire_due(tx: &mut TenantTx, who: &Who) -> Result<Vec<ApprovalId>, Error> {
    let mut due = due_unanswered(tx).await?;
    due.extend(due_unused(tx).await?);
    let mut expired = Vec::new();
    for id in due {
        let stored = fetch(tx, id.into(), Hold::Read).await?;
        if !expire(tx, &stored, who.clone()).await?.is_empty() {
            expired.push(stored.id);
        }
    }
    Ok(expired)
}

async fn due_unanswered(tx: &mut TenantTx) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar(
        "SELECT a.id FROM countersign.approvals a
         WHERE a.tenant_id = $1 AND a.status = 'pending' AND a.expires_at <= clock_timestamp()
         ORDER BY a.expires_at
         LIMIT $2
         FOR UPDATE SKIP LOCKED",
    )
    .bind(tx.tenant().uuid())
    .bind(SWEEP)
    .fetch_all(tx.conn())
    .await?)
}

/// Holds the executions too, so that no worker takes one of them up in the meantime.
async fn due_unused(tx: &mut TenantTx) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar(
        "SELECT a.id
         FROM countersign.executions e
         JOIN countersign.approvals a ON a.tenant_id = e.tenant_id AND a.id = e.approval_id
         WHERE e.tenant_id = $1 AND e.state = 'approved'
           AND (e.lease_until IS NULL OR e.lease_until < clock_timestamp())
           AND a.status = 'approved' AND a.expires_at <= clock_timestamp()
         ORDER BY a.expires_at
         LIMIT $2
         FOR UPDATE OF a, e SKIP LOCKED",
    )
    .bind(tx.tenant().uuid())
    .bind(SWEEP)
    .fetch_all(tx.conn())
    .await?)
}

/// Expires one approval, pending or approved, whose time is over, with its execution.
///
/// An approved execution that was not started in time does not start: the worker that was to start
/// it may ask for this in the transaction in which it holds the execution. No events mean that
/// nothing was changed: its time is not over, it was decided against, or what it was given for has
/// begun.
///
/// # Errors
/// [`Error::NotFound`]; database failures.
pub async fn expire_one(
    tx: &mut TenantTx,
    id: ApprovalId,
    who: Who,
) -> Result<Vec<EventId>, Error> {
    let stored = fetch(tx, id, Hold::Lock).await?;
    if stored.request.state == ApprovalState::Approved && !unused(tx, id).await? {
        return Ok(Vec::new());
    }
    expire(tx, &stored, who).await
}

/// Whether what an approval was given for has not begun; it does not begin before this transaction
/// is over.
async fn unused(tx: &mut TenantTx, id: ApprovalId) -> Result<bool, Error> {
    let found = sqlx::query(
        "SELECT FROM countersign.executions e
         WHERE e.tenant_id = $1 AND e.approval_id = $2 AND e.state = 'approved'
         FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(found.is_some())
}

/// The caller holds the approval and, when it is approved, its execution. No events mean that its time is not over or it was decided.
pub(super) async fn expire(
    tx: &mut TenantTx,
    stored: &StoredApproval,
    who: Who,
) -> Result<Vec<EventId>, Error> {
    let expired = sqlx::query(
        "UPDATE countersign.approvals
         SET status = 'expired', decided_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2
           AND status IN ('pending', 'approved')
           AND expires_at <= clock_timestamp()",
    )
    .bind(tx.tenant().uuid())
    .bind(stored.id.uuid())
    .execute(tx.conn())
    .await?;
    if expired.rows_affected() == 0 {
        return Ok(Vec::new());
    }
    let reason = "the approval expired";
    let from = &[ExecutionState::AwaitingApproval, ExecutionState::Approved];
    let to = ExecutionState::Expired;
    let moved = advance(tx, Move { approval: stored.id, from, to, reason }).await?;
    let mut events = vec![Event::new(who.clone(), "approval.expired", "approval", &stored.id)];
    if let Some(execution) = moved {
        let event = Event::new(who.clone(), "execution.expired", "execution", &execution)
            .with("approval_id", stored.id.to_string());
        events.push(event);
        intents::settle_if_open(tx, stored.intent, IntentState::Closed).await?;
    } else if exceptions::decided(tx, stored.id, ApprovalState::Expired, who).await?.is_some() {
        intents::settle_if_open(tx, stored.intent, IntentState::Closed).await?;
    }
    Ok(tx.audit_many(&events).await?)
}

/// Voids an approval that was not denied or expired. Its execution is the caller's to move.
pub(super) async fn void(
    tx: &mut TenantTx,
    id: ApprovalId,
    reason: &str,
    who: Who,
) -> Result<Vec<EventId>, Error> {
    let reason = cut(reason, TEXT_CHARS);
    let voided = sqlx::query(
        "UPDATE countersign.approvals
         SET status = 'void', reason = $3, decided_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2 AND status IN ('pending', 'approved')",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(&reason)
    .execute(tx.conn())
    .await?;
    if voided.rows_affected() == 0 {
        return Ok(Vec::new());
    }
    let event = Event::new(who, "approval.voided", "approval", &id).with("reason", reason);
    Ok(vec![tx.audit(&event).await?])
}

/// Withdraws an approval, asked for or given, whose execution was stopped before it began.
///
/// It lets nothing start any more. One that was denied, expired or void stays what it is, and no
/// events say so. The execution is the caller's to move.
///
/// # Errors
/// When the database does not take it.
pub async fn withdraw(
    tx: &mut TenantTx,
    id: ApprovalId,
    reason: &str,
    who: Who,
) -> Result<Vec<EventId>, Error> {
    void(tx, id, reason, who).await
}

/// Voids an approval whose bound hash no longer holds. With a new request the execution waits for
/// that one; without, it is blocked. A denied or expired approval stays what it is.
///
/// # Errors
/// [`Error::Conflict`] when the approval was decided against, or its execution is past starting.
pub async fn ask_again(
    tx: &mut TenantTx,
    id: ApprovalId,
    reason: &str,
    instead: Option<Reopened>,
    who: Who,
) -> Result<ExecutionId, Error> {
    let stored = fetch(tx, id, Hold::Lock).await?;
    let voided = void(tx, id, reason, who.clone()).await?;
    if voided.is_empty() {
        let found = stored.request.state.to_string();
        return Err(Error::Conflict { what: "the approval", found, wanted: "asking again" });
    }
    let from = &[ExecutionState::AwaitingApproval, ExecutionState::Approved];
    let to = match instead {
        Some(_) => ExecutionState::AwaitingApproval,
        None => ExecutionState::Blocked,
    };
    let moved = advance(tx, Move { approval: id, from, to, reason }).await?;
    let execution = moved.ok_or_else(|| Error::Conflict {
        what: "the execution",
        found: "not waiting to start".to_owned(),
        wanted: "asking again",
    })?;
    let mut event = Event::new(who.clone(), &format!("execution.{to}"), "execution", &execution)
        .with("approval_id", id.to_string())
        .with("reason", cut(reason, TEXT_CHARS));
    if let Some(reopened) = instead {
        create(tx, &reopened.approval, who).await?;
        rebind(tx, execution, &reopened).await?;
        event = event.with("new_approval_id", reopened.approval.id.to_string());
    } else {
        intents::settle_if_open(tx, stored.intent, IntentState::Closed).await?;
    }
    tx.audit(&event).await?;
    Ok(execution)
}

async fn rebind(
    tx: &mut TenantTx,
    execution: ExecutionId,
    reopened: &Reopened,
) -> Result<(), Error> {
    let new = &reopened.approval;
    sqlx::query(
        "UPDATE countersign.executions
         SET approval_id = $3,
             plan_id = $4,
             decision_id = $5,
             plan_hash = $6,
             bound_hash = $7,
             error_message = NULL
         WHERE tenant_id = $1 AND id = $2 AND state = 'awaiting_approval'",
    )
    .bind(tx.tenant().uuid())
    .bind(execution.uuid())
    .bind(new.id.uuid())
    .bind(new.plan.uuid())
    .bind(new.decision.uuid())
    .bind(reopened.plan_hash.as_bytes().as_slice())
    .bind(new.bound_hash.as_bytes().as_slice())
    .execute(tx.conn())
    .await?;
    Ok(())
}
