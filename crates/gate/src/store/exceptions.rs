//! Exceptions: asked for together with an approval, brought about by it alone, ended by time or by
//! whoever revokes them.
//!
//! One of a finding lets that finding stand. One of a provider's policy lets what breaks the policy
//! stand, what is there and what is reported while it holds. The gate's own rules know none.

use db::TenantTx;
use db::wake::Topic;
use jiff_sqlx::ToSqlx;
use model::Timestamp;
use model::audit::{Event, Who};
use model::id::{
    ActorId, ApprovalId, EventId, ExceptionId, FindingId, ProviderPolicyId, ResourceId,
};
use model::intent::{ApprovalState, IntentState};
use sqlx::FromRow;
use uuid::Uuid;

use super::approvals;
use crate::error::Error;
use crate::store::intents;

/// Exceptions a sweep takes at a time.
const SWEEP: i64 = 200;

/// What an exception is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A finding may stand.
    Finding(FindingId),
    /// A policy of a provider's may be broken.
    Policy {
        /// Which; any when absent.
        policy: Option<ProviderPolicyId>,
        /// By which resource; by all when absent.
        resource: Option<ResourceId>,
    },
}

impl About {
    fn ids(self) -> (Option<Uuid>, Option<Uuid>, Option<Uuid>) {
        match self {
            Self::Finding(finding) => (Some(finding.uuid()), None, None),
            Self::Policy { policy, resource } => {
                (None, policy.map(ProviderPolicyId::uuid), resource.map(ResourceId::uuid))
            }
        }
    }
}

/// An exception about to be asked for.
#[derive(Debug, Clone)]
pub struct NewException {
    /// Its id.
    pub id: ExceptionId,
    /// What may be otherwise than a rule says.
    pub about: About,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Timestamp,
    /// When somebody must look whether it is still right.
    pub recertify_at: Option<Timestamp>,
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
    let (finding, policy, resource) = new.about.ids();
    sqlx::query(
        "INSERT INTO countersign.exceptions
           (tenant_id, id, finding_id, policy_id, resource_id, reason, status, approval_id,
            expires_at, recertify_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(tx.tenant().uuid())
    .bind(new.id.uuid())
    .bind(finding)
    .bind(policy)
    .bind(resource)
    .bind(&new.reason)
    .bind(status)
    .bind(new.approval.map(ApprovalId::uuid))
    .bind(new.until.to_sqlx())
    .bind(new.recertify_at.map(ToSqlx::to_sqlx))
    .bind(new.by.uuid())
    .execute(tx.conn())
    .await?;
    let event = Event::new(who, "exception.asked", "exception", &new.id)
        .with("until", new.until.to_string())
        .with("reason", new.reason.clone())
        .with("status", status);
    tx.audit(&named(event, (finding, policy, resource))).await?;
    Ok(())
}

/// The event with what the exception is about.
fn named(
    mut event: Event,
    (finding, policy, resource): (Option<Uuid>, Option<Uuid>, Option<Uuid>),
) -> Event {
    if let Some(id) = finding {
        event = event.with("finding_id", FindingId::from(id).to_string());
    }
    if let Some(id) = policy {
        event = event.with("policy_id", ProviderPolicyId::from(id).to_string());
    }
    if let Some(id) = resource {
        event = event.with("resource_id", ResourceId::from(id).to_string());
    }
    event
}

#[derive(Debug, FromRow)]
struct Row {
    id: Uuid,
    finding_id: Option<Uuid>,
    policy_id: Option<Uuid>,
    resource_id: Option<Uuid>,
    approval_id: Option<Uuid>,
}

impl Row {
    /// An event about it, with what it is about.
    fn event(&self, who: Who, action: &str) -> Event {
        let event = Event::new(who, action, "exception", &ExceptionId::from(self.id));
        named(event, (self.finding_id, self.policy_id, self.resource_id))
    }
}

/// Takes the exception that an approval is for along with it: approved, it holds, and what it is
/// about is accepted; denied or expired it is no more. `None` when the approval is for no exception.
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
    let row: Option<(Uuid, String)> = sqlx::query_as(
        "UPDATE countersign.exceptions
         SET status = CASE WHEN $3 = 'approved' AND expires_at <= clock_timestamp() THEN 'expired'
                           ELSE $3 END,
             updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND approval_id = $2 AND status = 'pending'
         RETURNING id, status",
    )
    .bind(tx.tenant().uuid())
    .bind(approval.uuid())
    .bind(status)
    .fetch_optional(tx.conn())
    .await?;
    let Some((id, status)) = row else { return Ok(None) };
    let row = get(tx, id.into()).await?;
    let mut event =
        row.event(who, &format!("exception.{status}")).with("approval_id", approval.to_string());
    if status == "approved" {
        event = event.with("findings", cover(tx, &row).await?);
    }
    tx.signal(Topic::Events);
    Ok(Some(tx.audit(&event).await?))
}

/// Accepts what an exception that now holds is about; gives how many findings that is.
async fn cover(tx: &mut TenantTx, row: &Row) -> Result<u64, Error> {
    let tenant = tx.tenant().uuid();
    if let Some(finding) = row.finding_id {
        let done = sqlx::query(
            "UPDATE countersign.findings SET status = 'accepted', resolution_type = 'accepted'
             WHERE tenant_id = $1 AND id = $2 AND status IN ('open', 'suppressed', 'escalated')",
        )
        .bind(tenant)
        .bind(finding)
        .execute(tx.conn())
        .await?;
        return Ok(done.rows_affected());
    }
    keep_reports_out(tx).await?;
    let done = sqlx::query(include_str!("exceptions/cover.sql"))
        .bind(tenant)
        .bind(row.id)
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected())
}

/// Whoever reports findings meanwhile waits, and then sees which exceptions hold: the other side of
/// the lock in `sense::store::report`.
async fn keep_reports_out(tx: &mut TenantTx) -> Result<(), Error> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('findings ' || $1::text, 0))")
        .bind(tx.tenant().uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

async fn get(tx: &mut TenantTx, id: ExceptionId) -> Result<Row, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, finding_id, policy_id, resource_id, approval_id
         FROM countersign.exceptions
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    row.ok_or_else(|| Error::NotFound { what: "exception", id: id.to_string() })
}

/// Opens what only these exceptions let stand.
async fn reopen(tx: &mut TenantTx, over: &[Row]) -> Result<u64, Error> {
    if over.iter().any(|row| row.finding_id.is_none()) {
        keep_reports_out(tx).await?;
    }
    let ids: Vec<Uuid> = over.iter().map(|row| row.id).collect();
    let done = sqlx::query(include_str!("exceptions/reopen.sql"))
        .bind(tx.tenant().uuid())
        .bind(ids)
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected())
}

/// Ends exceptions whose time is over by the database's clock: what they were about is open again,
/// unless another exception holds for it. Gives their number.
///
/// # Errors
/// When the database does not take it.
pub async fn expire_due(tx: &mut TenantTx, who: &Who) -> Result<usize, Error> {
    let due: Vec<Row> = sqlx::query_as(include_str!("exceptions/expire.sql"))
        .bind(tx.tenant().uuid())
        .bind(SWEEP)
        .fetch_all(tx.conn())
        .await?;
    if due.is_empty() {
        return Ok(0);
    }
    reopen(tx, &due).await?;
    let told = due.iter().map(|row| row.event(who.clone(), "exception.expired"));
    tx.audit_many(&told.collect::<Vec<_>>()).await?;
    tx.signal(Topic::Events);
    Ok(due.len())
}

/// Ends an exception by hand: one that holds is over at once, and what only it let stand is open
/// again; one nobody has decided is withdrawn, with the approval it waits for.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when it is over already.
pub async fn revoke(
    tx: &mut TenantTx,
    id: ExceptionId,
    (by, who): (ActorId, Who),
    reason: &str,
) -> Result<Event, Error> {
    let row = get(tx, id).await?;
    // A vote holds the approval first, too.
    let held = match row.approval_id {
        Some(approval) => Some(approvals::held(tx, approval.into()).await?),
        None => None,
    };
    let before: Option<String> = sqlx::query_scalar(
        "WITH now AS (
           SELECT x.id, x.status FROM countersign.exceptions x
           WHERE x.tenant_id = $1 AND x.id = $2
           FOR UPDATE
         )
         UPDATE countersign.exceptions x
         SET status = CASE now.status WHEN 'pending' THEN 'rejected' ELSE 'expired' END,
             revoked_at = clock_timestamp(), revoked_by = $3, revoke_reason = $4,
             updated_at = clock_timestamp()
         FROM now
         WHERE x.tenant_id = $1 AND x.id = now.id AND now.status IN ('pending', 'approved')
         RETURNING now.status",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(by.uuid())
    .bind(reason)
    .fetch_optional(tx.conn())
    .await?;
    let Some(before) = before else {
        let found = "over already".to_owned();
        return Err(Error::Conflict { what: "the exception", found, wanted: "revoking it" });
    };
    let mut event = row
        .event(who.clone(), "exception.revoked")
        .with("reason", reason)
        .with("was", before.clone());
    if before == "approved" {
        event = event.with("findings", reopen(tx, &[row]).await?);
    } else if let Some(held) = held {
        approvals::withdraw(tx, held.id, "the exception was withdrawn", who).await?;
        intents::settle_if_open(tx, held.intent, IntentState::Closed).await?;
    }
    tx.signal(Topic::Events);
    Ok(event)
}
