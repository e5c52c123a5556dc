//! Exceptions: asked for together with an approval, brought about by it alone, ended by time.

use db::TenantTx;
use db::wake::Topic;
use jiff_sqlx::ToSqlx;
use model::Timestamp;
use model::audit::{Event, Who};
use model::id::{ActorId, ApprovalId, EventId, ExceptionId, FindingId};
use model::intent::ApprovalState;
use uuid::Uuid;

use crate::error::Error;

/// Exceptions a sweep takes at a time.
const SWEEP: i64 = 200;

/// An exception about to be asked for: a finding may stand for a while.
#[derive(Debug, Clone)]
pub struct NewException {
    /// Its id.
    pub id: ExceptionId,
    /// The finding.
    pub finding: FindingId,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Timestamp,
    /// Who asks.
    pub by: ActorId,
    /// What it stands on; without one it was refused.
    pub approval: Option<ApprovalId>,
}

/// Writes one: pending with an approval, rejected without.
///
/// # Errors
/// When the database does not take it.
pub async fn insert(tx: &mut TenantTx, new: &NewException, who: Who) -> Result<(), Error> {
    let status = if new.approval.is_some() { "pending" } else { "rejected" };
    sqlx::query(
        "INSERT INTO countersign.exceptions
           (tenant_id, id, finding_id, reason, status, approval_id, expires_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tx.tenant().uuid())
    .bind(new.id.uuid())
    .bind(new.finding.uuid())
    .bind(&new.reason)
    .bind(status)
    .bind(new.approval.map(ApprovalId::uuid))
    .bind(new.until.to_sqlx())
    .bind(new.by.uuid())
    .execute(tx.conn())
    .await?;
    let event = Event::new(who, "exception.asked", "exception", &new.id)
        .with("finding_id", new.finding.to_string())
        .with("until", new.until.to_string())
        .with("reason", new.reason.clone())
        .with("status", status);
    tx.audit(&event).await?;
    Ok(())
}

/// Takes the exception that an approval is for along with it: approved, it holds, and its finding is
/// accepted; denied or expired it is no more. `None` when the approval is for no exception.
pub(super) async fn decided(
    tx: &mut TenantTx,
    approval: ApprovalId,
    to: ApprovalState,
    who: Who,
) -> Result<Option<EventId>, Error> {
    let status = match to {
        ApprovalState::Approved => "approved",
        ApprovalState::Expired => "expired",
        ApprovalState::Denied | ApprovalState::Void | ApprovalState::Pending => "rejected",
    };
    let row: Option<(Uuid, Option<Uuid>, String)> = sqlx::query_as(
        "UPDATE countersign.exceptions
         SET status = CASE WHEN $3 = 'approved' AND expires_at <= clock_timestamp() THEN 'expired'
                           ELSE $3 END,
             updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND approval_id = $2 AND status = 'pending'
         RETURNING id, finding_id, status",
    )
    .bind(tx.tenant().uuid())
    .bind(approval.uuid())
    .bind(status)
    .fetch_optional(tx.conn())
    .await?;
    let Some((id, finding, status)) = row else { return Ok(None) };
    let id = ExceptionId::from(id);
    let mut event = Event::new(who, &format!("exception.{status}"), "exception", &id)
        .with("approval_id", approval.to_string());
    if let Some(finding) = finding.filter(|_| status == "approved") {
        sqlx::query(
            "UPDATE countersign.findings SET status = 'accepted', resolution_type = 'accepted'
             WHERE tenant_id = $1 AND id = $2 AND status IN ('open', 'suppressed', 'escalated')",
        )
        .bind(tx.tenant().uuid())
        .bind(finding)
        .execute(tx.conn())
        .await?;
        event = event.with("finding_id", FindingId::from(finding).to_string());
    }
    tx.signal(Topic::Events);
    Ok(Some(tx.audit(&event).await?))
}

/// Ends exceptions whose time is over by the database's clock: their findings are open again, unless
/// another exception holds for them. Gives their number.
///
/// # Errors
/// When the database does not take it.
pub async fn expire_due(tx: &mut TenantTx, who: &Who) -> Result<usize, Error> {
    let due: Vec<(Uuid, Option<Uuid>)> = sqlx::query_as(include_str!("exceptions/expire.sql"))
        .bind(tx.tenant().uuid())
        .bind(SWEEP)
        .fetch_all(tx.conn())
        .await?;
    if due.is_empty() {
        return Ok(0);
    }
    let findings: Vec<Uuid> = due.iter().filter_map(|(_, finding)| *finding).collect();
    sqlx::query(include_str!("exceptions/reopen.sql"))
        .bind(tx.tenant().uuid())
        .bind(findings)
        .execute(tx.conn())
        .await?;
    let told = due.iter().map(|(id, finding)| {
        let event =
            Event::new(who.clone(), "exception.expired", "exception", &ExceptionId::from(*id));
        match finding {
            Some(finding) => event.with("finding_id", FindingId::from(*finding).to_string()),
            None => event,
        }
    });
    tx.audit_many(&told.collect::<Vec<_>>()).await?;
    tx.signal(Topic::Events);
    Ok(due.len())
}
