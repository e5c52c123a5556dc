//! Changes, written under the lease's epoch: a worker whose lease is gone writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use db::TenantTx;
use jiff_sqlx::ToSqlx as _;
use model::Digest;
use model::execution::{AttemptState, ExecutionState};
use model::id::{AttemptId, StepRunId, ToolCallId};
use model::time::Timestamp;
use uuid::Uuid;

use super::events::{Event, insert_events};
use super::outputs;
use crate::engine::Reel;
use crate::lease::Claimed;
use crate::snapshot::{Attempt, Change, Closing, Snapshot, StepRun};

/// What a finished attempt leaves beside its outcome.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    pub(crate) tool_call: ToolCallId,
    pub(crate) tool: String,
    pub(crate) script: Digest,
    pub(crate) output: Option<(String, Digest)>,
    /// Whether another worker opened the attempt.
    pub(crate) recovered: bool,
}

/// Stored evidence.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) key: String,
    pub(crate) sha256: Digest,
}

/// Everything one transaction writes.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) claimed: &'a Claimed,
    /// Where the execution stood before.
    pub(crate) before: &'a Snapshot,
    /// Where it stands afterwards.
    pub(crate) after: &'a Snapshot,
    pub(crate) changes: &'a [Change],
    pub(crate) artifacts: &'a BTreeMap<AttemptId, Artifact>,
    pub(crate) stored: Option<&'a Stored>,
    pub(crate) reel: &'a Reel,
}

/// What the database said while it was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) cancel_requested: bool,
    pub(crate) now: Timestamp,
}

/// Writes a batch; `None` when the lease is gone, and then nothing may be committed.
pub(crate) async fn write(
    tx: &mut TenantTx,
    batch: &Batch<'_>,
) -> Result<Option<Written>, db::Error> {
    let mut events: Vec<Event> = batch.reel.pieces.iter().map(Event::output).collect();
    events.extend(batch.changes.iter().filter_map(|change| Event::of(change, batch)));
    let Some((last, written)) = guarded(tx, batch, events.len()).await? else { return Ok(None) };
    let mut touched = BTreeSet::new();
    for change in batch.changes {
        if let Change::Prepared(_) = change {
            insert_runs(tx, batch.after).await?;
        }
        if let Change::Collected(collected) = change
            && let Some(stored) = batch.stored
        {
            insert_evidence(tx, batch, collected, stored).await?;
        }
        touched.extend(run_of(change, batch.after));
    }
    update_runs(tx, batch, &touched).await?;
    insert_attempts(tx, batch).await?;
    outputs::mark(tx, batch).await?;
    close_attempts(tx, batch).await?;
    mark_seen(tx, batch).await?;
    insert_tool_calls(tx, batch).await?;
    insert_events(tx, batch.claimed, last, &events).await?;
    Ok(Some(written))
}

/// Checks the epoch, locks the execution, moves it and takes numbers for its events.
async fn guarded(
    tx: &mut TenantTx,
    batch: &Batch<'_>,
    events: usize,
) -> Result<Option<(i64, Written)>, db::Error> {
    let (before, after) = (batch.before, batch.after);
    let given_back = after.state.terminal() || after.state == ExecutionState::NeedsHuman;
    let row: Option<(i64, bool, jiff_sqlx::Timestamp)> = sqlx::query_as(
        "UPDATE countersign.executions
         SET event_seq = event_seq + $5,
             state = $6,
             rollback_reason = $7,
             error_message = $8,
             started_at = $9,
             deadline = $10,
             paused_at = CASE WHEN $6 = 'needs_human' THEN clock_timestamp() END,
             completed_at = CASE WHEN $11 THEN clock_timestamp() END,
             duration_ms = CASE WHEN $11 THEN
               (EXTRACT(EPOCH FROM greatest(clock_timestamp() - $9, '0')) * 1000)::bigint END,
             lease_owner = CASE WHEN $12 THEN NULL ELSE lease_owner END,
             lease_until = CASE WHEN $12 THEN NULL ELSE lease_until END
         WHERE tenant_id = $1 AND id = $2 AND lease_epoch = $3 AND state = $4
         RETURNING event_seq, cancel_requested, clock_timestamp()",
    )
    .bind(batch.claimed.tenant.uuid())
    .bind(batch.claimed.execution.uuid())
    .bind(batch.claimed.epoch)
    .bind(before.state.word())
    .bind(i64::try_from(events).unwrap_or(i64::MAX))
    .bind(after.state.word())
    .bind(after.because.map(crate::snapshot::Because::word))
    .bind(&after.error)
    .bind(after.started_at.map(Timestamp::to_sqlx))
    .bind(after.deadline.map(Timestamp::to_sqlx))
    .bind(after.state.terminal())
    .bind(given_back)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|(last, cancel_requested, now)| {
        (last, Written { cancel_requested, now: now.to_jiff() })
    }))
}

fn run_of(change: &Change, after: &Snapshot) -> Option<StepRunId> {
    match change {
        Change::Opened(attempt) => Some(attempt.run),
        Change::Closed { attempt, .. } => after.attempt(*attempt).map(|one| one.run),
        Change::Settled { run, .. } => Some(*run),
        Change::Prepared(_) | Change::Seen(_) | Change::Moved { .. } | Change::Collected(_) => None,
    }
}

async fn insert_runs(tx: &mut TenantTx, after: &Snapshot) -> Result<(), db::Error> {
    let (mut ids, mut orders, mut names) = (Vec::new(), Vec::new(), Vec::new());
    let (mut stages, mut resources, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    for run in &after.runs {
        let Some(step) = after.step(run) else { continue };
        ids.push(run.id.uuid());
        orders.push(i32::try_from(run.order).unwrap_or(i32::MAX));
        names.push(step.name.clone());
        stages.push(step.stage.word());
        resources.push(run.resource.uuid());
        targets
            .push(after.plan.target(run.resource).map_or_else(String::new, |one| one.name.clone()));
    }
    sqlx::query(
        "INSERT INTO countersign.step_runs (tenant_id, id, execution_id, step_order, step_name,
           stage, resource_id, target_name)
         SELECT $1, one.id, $2, one.step_order, one.name, one.stage, one.resource, one.target
         FROM unnest($3::uuid[], $4::integer[], $5::text[], $6::text[], $7::uuid[], $8::text[])
           AS one (id, step_order, name, stage, resource, target)",
    )
    .bind(after.tenant.uuid())
    .bind(after.execution.uuid())
    .bind(ids)
    .bind(orders)
    .bind(names)
    .bind(stages)
    .bind(resources)
    .bind(targets)
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn update_runs(
    tx: &mut TenantTx,
    batch: &Batch<'_>,
    touched: &BTreeSet<StepRunId>,
) -> Result<(), db::Error> {
    let runs: Vec<&StepRun> = touched.iter().filter_map(|id| batch.after.run(*id)).collect();
    if runs.is_empty() {
        return Ok(());
    }
    let all = |f: &dyn Fn(&StepRun) -> Option<String>| -> Vec<Option<String>> {
        runs.iter().map(|run| f(run)).collect()
    };
    let tries = |run: &StepRun| {
        let failed = batch.after.tries(run.id, model::execution::Direction::Do).count();
        i32::try_from(failed.saturating_sub(1)).unwrap_or(i32::MAX)
    };
    sqlx::query(
        "UPDATE countersign.step_runs AS run
         SET state = one.state,
             completed_seq = one.completed_seq,
             next_at = one.next_at,
             exit_code = one.exit_code,
             stdout = one.stdout,
             stderr = one.stderr,
             truncated = one.truncated,
             error = one.error,
             retry_attempt = one.retry_attempt,
             started_at = CASE WHEN one.state = 'running'
               THEN COALESCE(run.started_at, clock_timestamp()) ELSE run.started_at END,
             completed_at = CASE WHEN one.state IN ('pending', 'running') THEN NULL
               ELSE COALESCE(run.completed_at, clock_timestamp()) END,
             duration_ms = CASE WHEN one.state IN ('pending', 'running') THEN NULL
               ELSE COALESCE(run.duration_ms,
                 (EXTRACT(EPOCH FROM greatest(clock_timestamp() - run.started_at, '0'))
                   * 1000)::bigint) END
         FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[], $6::integer[],
             $7::text[], $8::text[], $9::boolean[], $10::text[], $11::integer[])
           AS one (id, state, completed_seq, next_at, exit_code, stdout, stderr, truncated, error,
             retry_attempt)
         WHERE run.tenant_id = $1 AND run.id = one.id",
    )
    .bind(batch.after.tenant.uuid())
    .bind(runs.iter().map(|run| run.id.uuid()).collect::<Vec<Uuid>>())
    .bind(runs.iter().map(|run| run.state.word()).collect::<Vec<_>>())
    .bind(runs.iter().map(|run| run.ended.map(i64::from)).collect::<Vec<_>>())
    .bind(runs.iter().map(|run| run.next_at.map(Timestamp::to_sqlx)).collect::<Vec<_>>())
    .bind(runs.iter().map(|run| run.exit_code).collect::<Vec<_>>())
    .bind(all(&|run| run.captured.as_ref().map(|one| one.stdout.clone())))
    .bind(all(&|run| run.captured.as_ref().map(|one| one.stderr.clone())))
    .bind(
        runs.iter()
            .map(|run| run.captured.as_ref().is_some_and(|one| one.truncated))
            .collect::<Vec<bool>>(),
    )
    .bind(all(&|run| run.error.clone()))
    .bind(runs.iter().map(|run| tries(run)).collect::<Vec<i32>>())
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn insert_attempts(tx: &mut TenantTx, batch: &Batch<'_>) -> Result<(), db::Error> {
    let opened: Vec<&Attempt> = batch
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Opened(attempt) => Some(attempt),
            Change::Prepared(_)
            | Change::Seen(_)
            | Change::Closed { .. }
            | Change::Settled { .. }
            | Change::Moved { .. }
            | Change::Collected(_) => None,
        })
        .collect();
    if opened.is_empty() {
        return Ok(());
    }
    let no = |one: &&Attempt| i32::try_from(one.no).unwrap_or(i32::MAX);
    sqlx::query(
        "INSERT INTO countersign.attempts (tenant_id, id, execution_id, step_run_id, direction,
           attempt_no, epoch, token, deadline)
         SELECT $1, one.id, $2, one.run, one.direction, one.no, $3, one.token, one.deadline
         FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::integer[], $8::text[],
             $9::timestamptz[])
           AS one (id, run, direction, no, token, deadline)",
    )
    .bind(batch.after.tenant.uuid())
    .bind(batch.after.execution.uuid())
    .bind(batch.claimed.epoch)
    .bind(opened.iter().map(|one| one.id.uuid()).collect::<Vec<Uuid>>())
    .bind(opened.iter().map(|one| one.run.uuid()).collect::<Vec<Uuid>>())
    .bind(opened.iter().map(|one| one.direction.word()).collect::<Vec<_>>())
    .bind(opened.iter().map(no).collect::<Vec<i32>>())
    .bind(opened.iter().map(|one| one.token()).collect::<Vec<String>>())
    .bind(opened.iter().map(|one| one.deadline.to_sqlx()).collect::<Vec<_>>())
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn closed<'a>(batch: &'a Batch<'_>) -> Vec<(AttemptId, &'a Closing)> {
    let closing = |change: &'a Change| match change {
        Change::Closed { attempt, closing, .. } => Some((*attempt, closing)),
        Change::Prepared(_)
        | Change::Seen(_)
        | Change::Opened(_)
        | Change::Settled { .. }
        | Change::Moved { .. }
        | Change::Collected(_) => None,
    };
    batch.changes.iter().filter_map(closing).collect()
}

async fn close_attempts(tx: &mut TenantTx, batch: &Batch<'_>) -> Result<(), db::Error> {
    let closed = closed(batch);
    if closed.is_empty() {
        return Ok(());
    }
    let artifact = |id: &AttemptId| batch.artifacts.get(id);
    let output = |id: &AttemptId| artifact(id).and_then(|one| one.output.as_ref());
    sqlx::query(
        "UPDATE countersign.attempts AS attempt
         SET state = one.state,
             started = one.started,
             resolution = one.resolution,
             exit_code = one.exit_code,
             end_seen = one.end_seen,
             error = one.error,
             recovered = one.recovered,
             output_ref = one.output_ref,
             output_sha256 = one.sha256,
             -- The document has them.
             stdout_tail = CASE WHEN one.output_ref IS NULL THEN attempt.stdout_tail END,
             stderr_tail = CASE WHEN one.output_ref IS NULL THEN attempt.stderr_tail END,
             closed_at = clock_timestamp()
         FROM unnest($2::uuid[], $3::text[], $4::boolean[], $5::text[], $6::integer[], $7::text[],
             $8::boolean[], $9::text[], $10::bytea[], $11::boolean[])
           AS one (id, state, started, resolution, exit_code, error, recovered, output_ref, sha256,
             end_seen)
         WHERE attempt.tenant_id = $1 AND attempt.id = one.id AND attempt.state = 'intent'",
    )
    .bind(batch.after.tenant.uuid())
    .bind(closed.iter().map(|(id, _)| id.uuid()).collect::<Vec<Uuid>>())
    .bind(closed.iter().map(|(_, one)| one.state.word()).collect::<Vec<_>>())
    .bind(closed.iter().map(|(_, one)| one.started).collect::<Vec<_>>())
    .bind(
        closed
            .iter()
            .map(|(_, one)| one.resolution.map(crate::snapshot::Resolution::word))
            .collect::<Vec<_>>(),
    )
    .bind(closed.iter().map(|(_, one)| one.exit_code).collect::<Vec<_>>())
    .bind(closed.iter().map(|(_, one)| one.error.clone()).collect::<Vec<_>>())
    .bind(
        closed
            .iter()
            .map(|(id, _)| artifact(id).is_some_and(|one| one.recovered))
            .collect::<Vec<_>>(),
    )
    .bind(closed.iter().map(|(id, _)| output(id).map(|one| one.0.clone())).collect::<Vec<_>>())
    .bind(
        closed
            .iter()
            .map(|(id, _)| output(id).map(|one| one.1.as_bytes().to_vec()))
            .collect::<Vec<_>>(),
    )
    .bind(closed.iter().map(|(_, one)| one.end_seen).collect::<Vec<_>>())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes that targets were seen to have started attempts whose end is still open.
async fn mark_seen(tx: &mut TenantTx, batch: &Batch<'_>) -> Result<(), db::Error> {
    let mut seen: BTreeSet<Uuid> = batch.reel.started.iter().map(|one| one.uuid()).collect();
    for change in batch.changes {
        if let Change::Seen(attempt) = change {
            seen.insert(attempt.uuid());
        }
    }
    if seen.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE countersign.attempts SET started = true
         WHERE tenant_id = $1 AND id = ANY ($2) AND started IS NULL AND state = 'intent'",
    )
    .bind(batch.after.tenant.uuid())
    .bind(seen.into_iter().collect::<Vec<_>>())
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn insert_tool_calls(tx: &mut TenantTx, batch: &Batch<'_>) -> Result<(), db::Error> {
    // What never started is no call of a tool.
    let calls: Vec<(AttemptId, &Artifact, bool)> = closed(batch)
        .into_iter()
        .filter(|(_, one)| one.started != Some(false))
        .filter_map(|(id, one)| {
            let worked = one.state == AttemptState::Succeeded;
            batch.artifacts.get(&id).map(|artifact| (id, artifact, worked))
        })
        .collect();
    if calls.is_empty() {
        return Ok(());
    }
    let output = |one: &Artifact| one.output.clone();
    sqlx::query(
        "INSERT INTO countersign.tool_calls (tenant_id, id, execution_id, attempt_id, tool_name,
           input_sha256, output_ref, output_sha256, status, started_at, completed_at)
         SELECT $1, one.id, $2, one.attempt, one.tool, one.input, one.output_ref, one.sha256,
           one.status, attempt.opened_at, clock_timestamp()
         FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::bytea[], $7::text[], $8::bytea[],
             $9::text[])
           AS one (id, attempt, tool, input, output_ref, sha256, status)
         JOIN countersign.attempts attempt
           ON attempt.tenant_id = $1 AND attempt.id = one.attempt",
    )
    .bind(batch.after.tenant.uuid())
    .bind(batch.after.execution.uuid())
    .bind(calls.iter().map(|(_, one, _)| one.tool_call.uuid()).collect::<Vec<Uuid>>())
    .bind(calls.iter().map(|(id, _, _)| id.uuid()).collect::<Vec<Uuid>>())
    .bind(calls.iter().map(|(_, one, _)| one.tool.clone()).collect::<Vec<_>>())
    .bind(calls.iter().map(|(_, one, _)| one.script.as_bytes().to_vec()).collect::<Vec<_>>())
    .bind(calls.iter().map(|(_, one, _)| output(one).map(|out| out.0)).collect::<Vec<_>>())
    .bind(
        calls
            .iter()
            .map(|(_, one, _)| output(one).map(|out| out.1.as_bytes().to_vec()))
            .collect::<Vec<_>>(),
    )
    .bind(
        calls
            .iter()
            .map(|(_, _, worked)| if *worked { "succeeded" } else { "failed" })
            .collect::<Vec<_>>(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn insert_evidence(
    tx: &mut TenantTx,
    batch: &Batch<'_>,
    collected: &crate::snapshot::Collected,
    stored: &Stored,
) -> Result<(), db::Error> {
    sqlx::query(
        "INSERT INTO countersign.evidence (tenant_id, id, execution_id, step_run_id, type, query,
           result_ref, sha256)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(batch.after.tenant.uuid())
    .bind(collected.id.uuid())
    .bind(batch.after.execution.uuid())
    .bind(collected.run.uuid())
    .bind(collected.requirement.kind.word())
    .bind(&collected.requirement.query)
    .bind(&stored.key)
    .bind(stored.sha256.as_bytes().as_slice())
    .execute(tx.conn())
    .await?;
    Ok(())
}
