//! Executions as the gate hands them to the engine, and what was asked before.

pub(super) mod excepted;

use db::{Error, TenantTx};
use gate::store::approvals::NewApproval;
use model::Digest;
use model::audit::{Event, Who};
use model::execution::ExecutionState;
use model::id::{ActorId, ApprovalId, DecisionId, ExecutionId, IntentId, PlanId, RunbookId};
use model::intent::ExecutionMode;
use model::verdict::Verdict;
use serde_json::json;
use uuid::Uuid;

use super::ask::{Ask, Asked};

/// An execution about to be written.
pub(super) struct NewExecution<'a> {
    pub(super) ask: &'a Ask<'a>,
    pub(super) intent: IntentId,
    pub(super) plan: PlanId,
    pub(super) decision: DecisionId,
    pub(super) approval: Option<ApprovalId>,
    pub(super) mode: ExecutionMode,
    pub(super) state: ExecutionState,
    pub(super) plan_hash: Digest,
    pub(super) bound_hash: Digest,
    pub(super) error: Option<String>,
}

/// Writes an execution in the state its decision put it into, with its first events.
pub(super) async fn insert_execution(
    tx: &mut TenantTx,
    new: &NewExecution<'_>,
    who: &Who,
) -> Result<ExecutionId, Error> {
    let id = ExecutionId::generate();
    let version = i32::try_from(new.ask.version).map_err(Error::internal)?;
    sqlx::query(
        "INSERT INTO countersign.executions
           (tenant_id, id, intent_id, plan_id, decision_id, approval_id, runbook_id,
            runbook_version, finding_id, trigger_id, mode, state, plan_hash, bound_hash,
            initiated_by, context_vars, error_message, event_seq, completed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 1,
            CASE WHEN $18 THEN clock_timestamp() END)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(new.intent.uuid())
    .bind(new.plan.uuid())
    .bind(new.decision.uuid())
    .bind(new.approval.map(ApprovalId::uuid))
    .bind(new.ask.runbook_id.uuid())
    .bind(version)
    .bind(new.ask.alert.map(|alert| alert.id.uuid()))
    .bind(new.ask.matched.map(|(trigger, _)| trigger.uuid()))
    .bind(new.mode.word())
    .bind(new.state.word())
    .bind(&new.plan_hash.as_bytes()[..])
    .bind(&new.bound_hash.as_bytes()[..])
    .bind(new.ask.requester.id.uuid())
    .bind(json!(new.ask.variables))
    .bind(&new.error)
    .bind(new.state.terminal())
    .execute(tx.conn())
    .await?;
    sqlx::query(
        "INSERT INTO countersign.execution_events
           (tenant_id, execution_id, seq, kind, message, data)
         VALUES ($1, $2, 1, 'state', $3, $4)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(new.error.as_deref().unwrap_or_else(|| new.state.word()))
    .bind(json!({"state": new.state}))
    .execute(tx.conn())
    .await?;
    let event = Event::new(who.clone(), "execution.created", "execution", &id)
        .with("intent_id", new.intent.to_string())
        .with("plan_id", new.plan.to_string())
        .with("plan_hash", new.plan_hash.to_string())
        .with("state", new.state.word());
    tx.audit(&event).await?;
    Ok(id)
}

/// What came of an intent that was asked before.
pub(super) async fn asked(tx: &mut TenantTx, intent: IntentId) -> Result<Option<Asked>, Error> {
    type Row = (Uuid, Uuid, Option<Uuid>, Uuid, String, String);
    let row: Option<Row> = sqlx::query_as(
        "SELECT e.plan_id, e.decision_id, e.approval_id, e.id, e.state, d.verdict
         FROM countersign.executions e
         JOIN countersign.decisions d ON d.tenant_id = e.tenant_id AND d.id = e.decision_id
         WHERE e.tenant_id = $1 AND e.intent_id = $2
         ORDER BY e.id DESC
         LIMIT 1",
    )
    .bind(tx.tenant().uuid())
    .bind(intent.uuid())
    .fetch_optional(tx.conn())
    .await?;
    row.map(|(plan, decision, approval, execution, state, verdict)| {
        Ok(Asked {
            intent_id: intent,
            plan_id: plan.into(),
            decision_id: decision.into(),
            approval_id: approval.map(ApprovalId::from),
            execution_id: execution.into(),
            state: state.parse::<ExecutionState>().map_err(Error::internal)?,
            verdict: verdict.parse::<Verdict>().map_err(Error::internal)?,
            repeated: true,
        })
    })
    .transpose()
}

/// What a start is judged by, beside the plan itself.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) intent: IntentId,
    pub(super) plan: PlanId,
    pub(super) approval: Option<ApprovalId>,
    pub(super) plan_hash: Digest,
    pub(super) bound_hash: Digest,
    pub(super) initiated_by: ActorId,
}

/// Reads an execution for its start and holds it, while this worker has its lease.
pub(super) async fn hold(
    tx: &mut TenantTx,
    id: ExecutionId,
    epoch: i64,
) -> Result<Option<Waiting>, Error> {
    type Row = (Uuid, Uuid, Option<Uuid>, Vec<u8>, Vec<u8>, Uuid);
    let row: Option<Row> = sqlx::query_as(
        "SELECT intent_id, plan_id, approval_id, plan_hash, bound_hash, initiated_by
         FROM countersign.executions
         WHERE tenant_id = $1 AND id = $2 AND lease_epoch = $3 AND completed_at IS NULL
         FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(epoch)
    .fetch_optional(tx.conn())
    .await?;
    row.map(|(intent, plan, approval, plan_hash, bound_hash, initiated_by)| {
        Ok(Waiting {
            intent: intent.into(),
            plan: plan.into(),
            approval: approval.map(ApprovalId::from),
            plan_hash: Digest::try_from(plan_hash.as_slice()).map_err(Error::internal)?,
            bound_hash: Digest::try_from(bound_hash.as_slice()).map_err(Error::internal)?,
            initiated_by: initiated_by.into(),
        })
    })
    .transpose()
}

/// Ends an execution that was refused at its start, or puts it off until `until`.
pub(super) async fn refuse(
    tx: &mut TenantTx,
    id: ExecutionId,
    to: Option<ExecutionState>,
    reason: &str,
    until: Option<model::Timestamp>,
    who: &Who,
) -> Result<(), Error> {
    use jiff_sqlx::ToSqlx;
    let seq: i64 = sqlx::query_scalar(
        "UPDATE countersign.executions
         SET state = coalesce($3, state),
             error_message = $4,
             next_run_at = coalesce($5, clock_timestamp() + interval '30 seconds'),
             lease_until = NULL,
             lease_owner = NULL,
             completed_at = CASE WHEN $6 THEN clock_timestamp() END,
             event_seq = event_seq + 1
         WHERE tenant_id = $1 AND id = $2
         RETURNING event_seq",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(to.map(ExecutionState::word))
    .bind(reason)
    .bind(until.map(ToSqlx::to_sqlx))
    .bind(to.is_some_and(ExecutionState::terminal))
    .fetch_one(tx.conn())
    .await?;
    sqlx::query(
        "INSERT INTO countersign.execution_events
           (tenant_id, execution_id, seq, kind, message, data)
         VALUES ($1, $2, $3, 'state', $4, $5)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(seq)
    .bind(reason)
    .bind(json!({"state": to, "until": until}))
    .execute(tx.conn())
    .await?;
    let mut event = Event::new(who.clone(), "execution.not_started", "execution", &id)
        .with("reason", reason.chars().take(2000).collect::<String>())
        .failed("refused at the start");
    if let Some(to) = to {
        event = event.with("state", to.word());
    }
    tx.audit(&event).await?;
    Ok(())
}

/// Keeps what a plan was made of as it is until the transaction ends: an edit that comes meanwhile
/// waits, and then comes after the start, never between its check and the start.
pub(super) async fn hold_sources(
    tx: &mut TenantTx,
    runbook: RunbookId,
    targets: &[Uuid],
) -> Result<(), Error> {
    sqlx::query("SELECT FROM countersign.runbooks WHERE tenant_id = $1 AND id = $2 FOR SHARE")
        .bind(tx.tenant().uuid())
        .bind(runbook.uuid())
        .execute(tx.conn())
        .await?;
    sqlx::query(
        "SELECT FROM countersign.resources r
         JOIN countersign.connections c ON c.tenant_id = r.tenant_id AND c.resource_id = r.id
         WHERE r.tenant_id = $1 AND r.id = ANY($2)
         ORDER BY r.id, c.id
         FOR SHARE",
    )
    .bind(tx.tenant().uuid())
    .bind(targets)
    .execute(tx.conn())
    .await?;
    sqlx::query(
        "SELECT FROM countersign.credentials k
         WHERE k.tenant_id = $1 AND k.id IN (
           SELECT c.credential_id FROM countersign.connections c
           WHERE c.tenant_id = $1 AND c.resource_id = ANY($2))
         ORDER BY k.id
         FOR SHARE",
    )
    .bind(tx.tenant().uuid())
    .bind(targets)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The tenants a sweeper visits.
pub(super) async fn tenants(db: &db::Db) -> Result<Vec<model::id::TenantId>, Error> {
    let mut tx = db.across().await?;
    let ids: Vec<Uuid> =
        sqlx::query_scalar("SELECT countersign.active_tenants()").fetch_all(tx.conn()).await?;
    Ok(ids.into_iter().map(Into::into).collect())
}

/// Forgets idempotency keys older than a day.
pub(super) async fn forget_keys(tx: &mut TenantTx) -> Result<u64, Error> {
    Ok(sqlx::query(
        "DELETE FROM countersign.idempotency_keys
         WHERE tenant_id = $1 AND created_at < clock_timestamp() - interval '1 day'",
    )
    .bind(tx.tenant().uuid())
    .execute(tx.conn())
    .await?
    .rows_affected())
}

/// Gives a lease back; the runbook's version is that of the plan it has now.
pub(super) async fn let_go(tx: &mut TenantTx, id: ExecutionId, version: u32) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.executions
         SET lease_until = NULL, lease_owner = NULL, runbook_version = $3, mode = 'semi_auto'
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(i32::try_from(version).map_err(Error::internal)?)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets why an execution was put off, now that it starts.
pub(super) async fn forget_refusal(tx: &mut TenantTx, id: ExecutionId) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.executions SET error_message = NULL
         WHERE tenant_id = $1 AND id = $2 AND error_message IS NOT NULL",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets an execution nobody had to approve wait for an approval after all.
pub(super) async fn await_approval(
    tx: &mut TenantTx,
    id: ExecutionId,
    approval: &NewApproval,
    plan_hash: Digest,
    reason: &str,
    who: &Who,
) -> Result<(), Error> {
    let seq: i64 = sqlx::query_scalar(
        "UPDATE countersign.executions
         SET state = 'awaiting_approval', approval_id = $3, plan_id = $4, decision_id = $5,
             plan_hash = $6, bound_hash = $7, event_seq = event_seq + 1
         WHERE tenant_id = $1 AND id = $2 AND state = 'approved'
         RETURNING event_seq",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(approval.id.uuid())
    .bind(approval.plan.uuid())
    .bind(approval.decision.uuid())
    .bind(&plan_hash.as_bytes()[..])
    .bind(&approval.bound_hash.as_bytes()[..])
    .fetch_one(tx.conn())
    .await?;
    sqlx::query(
        "INSERT INTO countersign.execution_events
           (tenant_id, execution_id, seq, kind, message, data)
         VALUES ($1, $2, $3, 'state', $4, $5)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(seq)
    .bind(reason)
    .bind(json!({"state": "awaiting_approval", "approval_id": approval.id}))
    .execute(tx.conn())
    .await?;
    let event = Event::new(who.clone(), "execution.awaiting_approval", "execution", &id)
        .with("approval_id", approval.id.to_string())
        .with("reason", reason.chars().take(2000).collect::<String>());
    tx.audit(&event).await?;
    Ok(())
}

/// What an end has to know of its execution.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) intent: IntentId,
    pub(super) category: String,
    pub(super) trigger: Option<model::id::TriggerId>,
    pub(super) finding: Option<model::id::FindingId>,
}

/// Reads it.
pub(super) async fn ending(tx: &mut TenantTx, id: ExecutionId) -> Result<Ending, Error> {
    let (intent, category, trigger, finding): (Uuid, String, Option<Uuid>, Option<Uuid>) =
        sqlx::query_as(
            "SELECT e.intent_id, i.category, e.trigger_id, e.finding_id
             FROM countersign.executions e
             JOIN countersign.intents i ON i.tenant_id = e.tenant_id AND i.id = e.intent_id
             WHERE e.tenant_id = $1 AND e.id = $2",
        )
        .bind(tx.tenant().uuid())
        .bind(id.uuid())
        .fetch_one(tx.conn())
        .await?;
    Ok(Ending {
        intent: intent.into(),
        category,
        trigger: trigger.map(Into::into),
        finding: finding.map(Into::into),
    })
}

/// Who wrote a version of a runbook.
pub(super) async fn author(
    tx: &mut TenantTx,
    runbook: model::id::RunbookId,
    version: u32,
) -> Result<ActorId, Error> {
    let id: Uuid = sqlx::query_scalar(
        "SELECT created_by FROM countersign.runbook_versions
         WHERE tenant_id = $1 AND runbook_id = $2 AND version = $3",
    )
    .bind(tx.tenant().uuid())
    .bind(runbook.uuid())
    .bind(i32::try_from(version).map_err(Error::internal)?)
    .fetch_one(tx.conn())
    .await?;
    Ok(id.into())
}

/// The cooldown of a trigger, in seconds; 0 when the trigger is gone.
pub(super) async fn cooldown_s(
    tx: &mut TenantTx,
    trigger: model::id::TriggerId,
) -> Result<u32, Error> {
    let seconds: Option<i32> = sqlx::query_scalar(
        "SELECT cooldown_seconds FROM countersign.runbook_triggers
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(trigger.uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(seconds.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or_default())
}

/// What an execution of a runbook was.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) runbook: String,
    pub(super) state: ExecutionState,
    pub(super) variables: serde_json::Value,
    /// The resources it ran on.
    pub(super) resources: Vec<model::id::ResourceId>,
}

/// Reads it; `None` when its runbook is gone.
pub(super) async fn looked(tx: &mut TenantTx, id: ExecutionId) -> Result<Option<Looked>, Error> {
    let row: Option<(String, String, serde_json::Value, Vec<Uuid>)> = sqlx::query_as(
        "SELECT r.name, e.state, e.context_vars,
                ARRAY(SELECT DISTINCT s.resource_id FROM countersign.step_runs s
                      WHERE s.tenant_id = e.tenant_id AND s.execution_id = e.id)
         FROM countersign.executions e
         JOIN countersign.runbooks r ON r.tenant_id = e.tenant_id AND r.id = e.runbook_id
         WHERE e.tenant_id = $1 AND e.id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    row.map(|(runbook, state, variables, resources)| {
        Ok(Looked {
            runbook,
            state: state.parse().map_err(Error::internal)?,
            variables,
            resources: resources.into_iter().map(Into::into).collect(),
        })
    })
    .transpose()
}
