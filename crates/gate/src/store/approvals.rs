//! Approvals: asked for, voted on, expired, voided. Each change of one moves its execution along
//! in the same transaction and leaves its audit events there.

mod closing;
mod rows;
mod voting;

pub use closing::{Reopened, ask_again, expire_due, expire_one, withdraw};
pub use rows::{LISTED, Names, Said, StoredApproval, get, list, of_plan, request, voter};
pub use voting::{Authority, Ballot, Cast, End, MAX_NOTE_CHARS, vote};

use db::TenantTx;
use db::wake::Topic;
use model::Digest;
use model::audit::{Event, Who};
use model::id::{ActorId, ApprovalId, DecisionId, ExecutionId, IntentId, PlanId};
use model::verdict::ApprovalRequirement;
use uuid::Uuid;

use super::small;
use crate::error::Error;

model::words! {
    /// Through which door something came.
    Source {
        /// A Linear issue.
        Linear = "linear",
        /// The web console.
        Ui = "ui",
        /// The command line.
        Cli = "cli",
        /// Slack.
        Slack = "slack",
        /// The API.
        Api = "api",
        /// The gate itself.
        Auto = "auto",
    }
}

/// An approval, held until the transaction ends.
///
/// # Errors
/// [`Error::NotFound`]; when the database cannot be read.
pub(super) async fn held(tx: &mut TenantTx, id: ApprovalId) -> Result<StoredApproval, Error> {
    rows::fetch(tx, id, super::breakers::Hold::Lock).await
}

/// An approval about to be asked for.
#[derive(Debug, Clone)]
pub struct NewApproval {
    /// Its id.
    pub id: ApprovalId,
    /// The intent.
    pub intent: IntentId,
    /// The plan to be approved.
    pub plan: PlanId,
    /// The decision that demands it.
    pub decision: DecisionId,
    /// Who asked for the change.
    pub requester: ActorId,
    /// Who wrote the plan.
    pub author: ActorId,
    /// Who must approve, how many, how long.
    pub requirement: ApprovalRequirement,
    /// What it is bound to.
    pub bound_hash: Digest,
    /// Through which door it came.
    pub source: Source,
}

/// Holds the approval an execution waits for or was given, if it has one.
///
/// Whoever needs both holds the approval first and the execution afterwards, as a vote and the
/// sweep do: so that none of them waits for another that waits for it.
///
/// # Errors
/// When the database cannot be read.
pub async fn hold(tx: &mut TenantTx, execution: ExecutionId) -> Result<Option<ApprovalId>, Error> {
    let mut held: Option<Uuid> = None;
    loop {
        let named: Option<Option<Uuid>> = sqlx::query_scalar(
            "SELECT e.approval_id FROM countersign.executions e
             WHERE e.tenant_id = $1 AND e.id = $2",
        )
        .bind(tx.tenant().uuid())
        .bind(execution.uuid())
        .fetch_optional(tx.conn())
        .await?;
        let named = named.flatten();
        if named == held {
            return Ok(held.map(Into::into));
        }
        let Some(id) = named else { return Ok(None) };
        sqlx::query(
            "SELECT a.id FROM countersign.approvals a
             WHERE a.tenant_id = $1 AND a.id = $2
             FOR UPDATE",
        )
        .bind(tx.tenant().uuid())
        .bind(id)
        .execute(tx.conn())
        .await?;
        // While it waited another may have taken its place: look again.
        held = Some(id);
    }
}

/// Asks for an approval; it expires `ttl_s` from now by the database's clock. The execution that
/// waits for it names it in its `approval_id`.
///
/// # Errors
/// When a live approval for the plan exists, or the requirement names no role.
pub async fn create(tx: &mut TenantTx, new: &NewApproval, who: Who) -> Result<(), Error> {
    let requirement = &new.requirement;
    if requirement.roles.is_empty() {
        let reason = "nobody could ever approve".to_owned();
        return Err(Error::Invalid { path: "approval.roles".into(), reason });
    }
    let roles: Vec<&str> = requirement.roles.iter().map(|role| role.word()).collect();
    sqlx::query(
        "INSERT INTO countersign.approvals (tenant_id, id, intent_id, plan_id, decision_id,
           requester_actor_id, author_actor_id, tier, roles, min_votes, bound_hash, source,
           expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
           clock_timestamp() + make_interval(secs => $13))",
    )
    .bind(tx.tenant().uuid())
    .bind(new.id.uuid())
    .bind(new.intent.uuid())
    .bind(new.plan.uuid())
    .bind(new.decision.uuid())
    .bind(new.requester.uuid())
    .bind(new.author.uuid())
    .bind(requirement.tier.word())
    .bind(&roles)
    .bind(small("approval.min_votes", requirement.min_votes.max(1))?)
    .bind(new.bound_hash.as_bytes().as_slice())
    .bind(new.source.word())
    .bind(f64::from(requirement.ttl_s))
    .execute(tx.conn())
    .await?;
    let event = Event::new(who, "approval.requested", "approval", &new.id)
        .with("intent_id", new.intent.to_string())
        .with("plan_id", new.plan.to_string())
        .with("bound_hash", new.bound_hash.to_string())
        .with("tier", requirement.tier.word())
        .with("roles", roles)
        .with("min_votes", requirement.min_votes)
        .with("ttl_s", requirement.ttl_s);
    tx.audit(&event).await?;
    tx.signal(Topic::Events);
    Ok(())
}
