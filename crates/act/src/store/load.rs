//! Everything known of an execution, read anew by whoever takes it up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use db::TenantTx;
use model::Digest;
use model::id::{AttemptId, ExecutionId};
use model::plan::Plan;
use model::time::Timestamp;
use uuid::Uuid;

use super::rows::{AttemptRow, EvidenceRow, StepRunRow, word};
use crate::engine::Shown;
use crate::error::Error;
use crate::snapshot::Snapshot;

/// A snapshot, with what it was read under.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) snapshot: Snapshot,
    /// The hash of the plan's stored bytes, equal to the one that was decided on.
    pub(crate) plan_hash: Digest,
    /// The epoch that holds it now.
    pub(crate) epoch: i64,
    /// The database's clock.
    pub(crate) now: Timestamp,
}

#[derive(Debug, sqlx::FromRow)]
struct Head {
    mode: String,
    state: String,
    lease_epoch: i64,
    started_at: Option<jiff_sqlx::Timestamp>,
    deadline: Option<jiff_sqlx::Timestamp>,
    cancel_requested: bool,
    rollback_reason: Option<String>,
    error_message: Option<String>,
    plan_hash: Vec<u8>,
    document: Vec<u8>,
    now: jiff_sqlx::Timestamp,
}

/// Reads an execution.
pub(crate) async fn load(tx: &mut TenantTx, id: ExecutionId) -> Result<Loaded, Error> {
    let head = head(tx, id).await?.ok_or(Error::NotFound(id))?;
    let plan_hash = Digest::of(&head.document);
    if plan_hash.as_bytes().as_slice() != head.plan_hash {
        return Err(Error::PlanChanged);
    }
    let plan: Plan = serde_json::from_slice(&head.document).map_err(Error::unreadable("plan"))?;
    let runs = runs(tx, id).await?.into_iter().map(StepRunRow::read).collect::<Result<_, _>>()?;
    let attempts = attempts(tx, id).await?;
    let evidence = evidence(tx, id).await?;
    let snapshot = Snapshot {
        tenant: tx.tenant(),
        execution: id,
        mode: head.mode,
        plan: Arc::new(plan),
        state: word("execution state", &head.state)?,
        started_at: head.started_at.map(jiff_sqlx::Timestamp::to_jiff),
        deadline: head.deadline.map(jiff_sqlx::Timestamp::to_jiff),
        cancel_requested: head.cancel_requested,
        because: head.rollback_reason.as_deref().map(|text| word("reason", text)).transpose()?,
        error: head.error_message,
        runs,
        attempts: attempts.into_iter().map(AttemptRow::read).collect::<Result<_, _>>()?,
        evidence: evidence.into_iter().map(EvidenceRow::read).collect::<Result<_, _>>()?,
        in_flight: BTreeSet::new(),
        ask_at: BTreeMap::new(),
    };
    Ok(Loaded { snapshot, plan_hash, epoch: head.lease_epoch, now: head.now.to_jiff() })
}

async fn head(tx: &mut TenantTx, id: ExecutionId) -> Result<Option<Head>, Error> {
    sqlx::query_as(
        "SELECT e.mode, e.state, e.lease_epoch, e.started_at, e.deadline, e.cancel_requested,
           e.rollback_reason, e.error_message, e.plan_hash, p.document, clock_timestamp() AS now
         FROM countersign.executions e
         JOIN countersign.plans p ON p.tenant_id = e.tenant_id AND p.id = e.plan_id
         WHERE e.tenant_id = $1 AND e.id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await
    .map_err(read_failed)
}

async fn runs(tx: &mut TenantTx, id: ExecutionId) -> Result<Vec<StepRunRow>, Error> {
    sqlx::query_as(
        "SELECT id, step_order, resource_id, state, completed_seq, next_at, exit_code, stdout,
           stderr, truncated, error
         FROM countersign.step_runs
         WHERE tenant_id = $1 AND execution_id = $2
         ORDER BY step_order, id",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_all(tx.conn())
    .await
    .map_err(read_failed)
}

async fn attempts(tx: &mut TenantTx, id: ExecutionId) -> Result<Vec<AttemptRow>, Error> {
    sqlx::query_as(
        "SELECT id, step_run_id, direction, attempt_no, epoch, state, started, deadline, resolution,
           end_seen
         FROM countersign.attempts
         WHERE tenant_id = $1 AND execution_id = $2
         ORDER BY step_run_id, direction, attempt_no",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_all(tx.conn())
    .await
    .map_err(read_failed)
}

async fn evidence(tx: &mut TenantTx, id: ExecutionId) -> Result<Vec<EvidenceRow>, Error> {
    sqlx::query_as(
        "SELECT id, step_run_id, type, query
         FROM countersign.evidence
         WHERE tenant_id = $1 AND execution_id = $2 AND step_run_id IS NOT NULL",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_all(tx.conn())
    .await
    .map_err(read_failed)
}

/// How much of what open attempts printed was shown by the workers before this one.
pub(crate) async fn shown(tx: &mut TenantTx, id: ExecutionId) -> Result<Shown, Error> {
    let rows: Vec<(Uuid, String, i64)> = sqlx::query_as(
        "SELECT a.id, e.data->>'stream', max((e.data->>'until')::bigint)
         FROM countersign.attempts a
         JOIN countersign.execution_events e ON e.tenant_id = a.tenant_id
           AND e.execution_id = a.execution_id AND e.step_run_id = a.step_run_id
         WHERE a.tenant_id = $1 AND a.execution_id = $2 AND a.state = 'intent'
           AND e.kind = 'output' AND e.data->>'attempt' = $3 || a.id AND e.data ? 'until'
         GROUP BY 1, 2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(format!("{}_", AttemptId::PREFIX))
    .fetch_all(tx.conn())
    .await
    .map_err(read_failed)?;
    let entry = |(attempt, stream, until): (Uuid, String, i64)| {
        let stream = if stream == "stdout" { "stdout" } else { "stderr" };
        ((attempt.into(), stream), usize::try_from(until).unwrap_or_default())
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// A call of a tool, with the key and the hash of its output's document, if that was kept.
pub(crate) type KeptOutput = (Uuid, Option<(String, Vec<u8>)>);

/// Where the output of the last attempt that ran forwards lies.
pub(crate) async fn output_of(
    tx: &mut TenantTx,
    run: model::id::StepRunId,
) -> Result<Option<KeptOutput>, Error> {
    let row: Option<(Uuid, Option<String>, Option<Vec<u8>>)> = sqlx::query_as(
        "SELECT t.id, t.output_ref, t.output_sha256
         FROM countersign.tool_calls t
         JOIN countersign.attempts a ON a.tenant_id = t.tenant_id AND a.id = t.attempt_id
         WHERE a.tenant_id = $1 AND a.step_run_id = $2 AND a.direction = 'do'
         ORDER BY a.attempt_no DESC
         LIMIT 1",
    )
    .bind(tx.tenant().uuid())
    .bind(run.uuid())
    .fetch_optional(tx.conn())
    .await
    .map_err(read_failed)?;
    Ok(row.map(|(call, key, sha256)| (call, key.zip(sha256))))
}

fn read_failed(error: sqlx::Error) -> Error {
    Error::db("reading an execution")(error.into())
}
