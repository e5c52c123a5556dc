//! What people do to executions: stop them, and say what happened when nobody else can know.

use db::TenantTx;
use db::wake::Topic;
use gate::store::{approvals, intents};
use jiff_sqlx::ToSqlx as _;
use model::actor::Actor;
use model::audit::{Event as AuditEvent, Origin, Who};
use model::execution::{AttemptState, Direction, ExecutionState, StepState};
use model::id::{ExecutionId, StepRunId};
use model::intent::IntentState;
use model::plan::Semantics;
use model::time::Timestamp;

use super::load::load;
use crate::duty;
use crate::error::Error;
use crate::execution::{self, Event};
use crate::outcome::semantics;
use crate::snapshot::{Resolution, Snapshot};

/// Who does it, and from where.
#[derive(Debug, Clone)]
pub struct By<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// From where.
    pub origin: Origin,
}

/// What came of saying what became of a step. The caller commits in every case: a refusal is an
/// event too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// It was taken, and the execution is in this state now.
    Taken(ExecutionState),
    /// It was not taken.
    Refused(duty::Refused),
}

/// Stops an execution as [`cancel`] does, and with it, when it is over by that, its approval and
/// its intent.
///
/// # Errors
/// As [`cancel`].
pub async fn stop(
    tx: &mut TenantTx,
    id: ExecutionId,
    by: &By<'_>,
) -> Result<ExecutionState, Error> {
    // The approval before the execution, in the order in which a vote and the sweep take them.
    let approval = approvals::hold(tx, id).await.map_err(Error::Gate)?;
    let state = cancel(tx, id, by).await?;
    if !state.terminal() {
        return Ok(state);
    }
    let intent = super::read::get(tx, id).await?.intent_id.into();
    intents::settle(tx, intent, IntentState::Closed).await.map_err(Error::Gate)?;
    if let Some(approval) = approval {
        let (reason, who) = ("the execution was cancelled", Who::from(by.actor));
        approvals::withdraw(tx, approval, reason, who).await.map_err(Error::Gate)?;
    }
    Ok(state)
}

/// Stops an execution: at once when it has not started, otherwise before its next step. Gives the
/// state it has now.
///
/// # Errors
/// [`Error::WrongState`] when it is over, or is being undone.
pub async fn cancel(
    tx: &mut TenantTx,
    id: ExecutionId,
    by: &By<'_>,
) -> Result<ExecutionState, Error> {
    lock(tx, id).await?;
    let now = tx.now().await.map_err(Error::db("cancelling"))?;
    let snapshot = load(tx, id).await?.snapshot;
    let refused = || Error::WrongState { state: snapshot.state, wanted: "cancelled" };
    let to = match snapshot.state {
        ExecutionState::Queued
        | ExecutionState::Preflight
        | ExecutionState::AwaitingApproval
        | ExecutionState::Approved => {
            execution::on(snapshot.state, Event::Cancel, now).map_err(Error::Refused)?
        }
        ExecutionState::InProgress | ExecutionState::Verifying => snapshot.state,
        // What is in doubt is undone with the rest; an undo in doubt needs its answer first.
        ExecutionState::NeedsHuman if snapshot.because.is_none() => {
            execution::on(snapshot.state, resumed(&snapshot), now).map_err(Error::Refused)?
        }
        ExecutionState::NeedsHuman
        | ExecutionState::Completed
        | ExecutionState::Blocked
        | ExecutionState::Denied
        | ExecutionState::Expired
        | ExecutionState::Cancelled
        | ExecutionState::Failed
        | ExecutionState::TimedOut
        | ExecutionState::RollingBack
        | ExecutionState::RolledBack
        | ExecutionState::PartiallyRolledBack
        | ExecutionState::RollbackFailed => return Err(refused()),
    };
    request_cancel(tx, &snapshot, to, by).await?;
    let action = if to.terminal() { "execution.cancelled" } else { "execution.cancel_requested" };
    let event = AuditEvent::new(by.actor, action, "execution", &id)
        .with("from", snapshot.state.word())
        .from_origin(by.origin.clone());
    tx.audit(&event).await.map_err(Error::db("cancelling"))?;
    tx.signal(Topic::Executions);
    tx.signal(Topic::Events);
    Ok(to)
}

/// Says what became of a step whose end nobody knows. When it was the last one, the execution
/// goes on from there. Of a step that runs at most once only those may say it whom
/// [`duty::settle`] lets.
///
/// # Errors
/// [`Error::NothingToResolve`] when that step is not in doubt.
pub async fn resolve(
    tx: &mut TenantTx,
    id: ExecutionId,
    run: StepRunId,
    choice: Resolution,
    by: &By<'_>,
) -> Result<Resolved, Error> {
    lock(tx, id).await?;
    let loaded = load(tx, id).await?;
    let (mut snapshot, now) = (loaded.snapshot, loaded.now);
    if snapshot.state != ExecutionState::NeedsHuman {
        return Err(Error::WrongState { state: snapshot.state, wanted: "resolved" });
    }
    let in_doubt = |snapshot: &Snapshot| {
        let open = snapshot.attempts.iter().rev();
        open.filter(|one| one.state == AttemptState::Unknown && one.resolution.is_none())
            // Going back, only undos wait for an answer; the rest is undone as it is.
            .filter(|one| snapshot.because.is_none() || one.direction == Direction::Undo)
            .map(|one| (one.id, one.run, one.direction))
            .collect::<Vec<_>>()
    };
    let doubts = in_doubt(&snapshot);
    let (attempt, _, direction) =
        *doubts.iter().find(|one| one.1 == run).ok_or(Error::NothingToResolve(run))?;
    let step = snapshot.run(run).and_then(|run| snapshot.step(run));
    if step.is_none_or(|step| semantics(step, direction) == Semantics::AtMostOnce) {
        let (asked, person) = super::duty::asked(tx, id, by.actor.id).await?;
        if let Err(refused) = duty::settle(by.actor, &person, &asked) {
            let event = AuditEvent::new(by.actor, "step.resolve_refused", "execution", &id)
                .with("step_run", run.to_string())
                .with("choice", choice.word())
                .with("code", refused.code())
                .failed(refused.to_string())
                .from_origin(by.origin.clone());
            tx.audit(&event).await.map_err(Error::db("refusing to resolve a step"))?;
            return Ok(Resolved::Refused(refused));
        }
    }
    settle(tx, attempt.uuid(), run, direction, choice, by).await?;
    if let Some(one) = snapshot.attempts.iter_mut().find(|one| one.id == attempt) {
        one.resolution = Some(choice);
    }
    let event = AuditEvent::new(by.actor, "step.resolved", "execution", &id)
        .with("step_run", run.to_string())
        .with("direction", direction.word())
        .with("choice", choice.word())
        .from_origin(by.origin.clone());
    tx.audit(&event).await.map_err(Error::db("resolving a step"))?;
    if !in_doubt(&snapshot).is_empty() {
        return Ok(Resolved::Taken(snapshot.state));
    }
    let to = execution::on(snapshot.state, resumed(&snapshot), now).map_err(Error::Refused)?;
    go_on(tx, &snapshot, to).await?;
    tx.signal(Topic::Executions);
    tx.signal(Topic::Events);
    Ok(Resolved::Taken(to))
}

/// Where an execution that waited for a person goes on.
fn resumed(snapshot: &Snapshot) -> Event {
    let acting = |run: &crate::snapshot::StepRun| {
        snapshot.step(run).is_some_and(|step| step.stage == model::plan::Stage::Act)
            && matches!(run.state, StepState::Pending | StepState::Running | StepState::Unknown)
    };
    if snapshot.because.is_some() {
        Event::ResumeUndoing
    } else if snapshot.runs.iter().any(acting) {
        Event::ResumeActing
    } else {
        Event::ResumeVerifying
    }
}

async fn lock(tx: &mut TenantTx, id: ExecutionId) -> Result<(), Error> {
    let found = sqlx::query(
        "SELECT FROM countersign.executions WHERE tenant_id = $1 AND id = $2 FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await
    .map_err(db::Error::from)
    .map_err(Error::db("locking an execution"))?;
    found.map(drop).ok_or(Error::NotFound(id))
}

async fn request_cancel(
    tx: &mut TenantTx,
    snapshot: &Snapshot,
    to: ExecutionState,
    by: &By<'_>,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.executions
         SET cancel_requested = true,
             cancel_requested_by = COALESCE(cancel_requested_by, $5),
             state = $4,
             paused_at = CASE WHEN $4 = 'needs_human' THEN paused_at END,
             completed_at = CASE WHEN $6 THEN clock_timestamp() END,
             next_run_at = LEAST(next_run_at, clock_timestamp())
         WHERE tenant_id = $1 AND id = $2 AND state = $3",
    )
    .bind(snapshot.tenant.uuid())
    .bind(snapshot.execution.uuid())
    .bind(snapshot.state.word())
    .bind(to.word())
    .bind(by.actor.id.uuid())
    .bind(to.terminal())
    .execute(tx.conn())
    .await
    .map_err(db::Error::from)
    .map_err(Error::db("cancelling"))?;
    Ok(())
}

async fn settle(
    tx: &mut TenantTx,
    attempt: uuid::Uuid,
    run: StepRunId,
    direction: Direction,
    choice: Resolution,
    by: &By<'_>,
) -> Result<(), Error> {
    let state = match (direction, choice) {
        (Direction::Do, Resolution::MarkSucceeded) => Some(StepState::Succeeded),
        (Direction::Do, Resolution::MarkFailed) => Some(StepState::Failed),
        (Direction::Do, Resolution::Retry) => Some(StepState::Pending),
        (Direction::Undo, Resolution::MarkSucceeded) => Some(StepState::Undone),
        (Direction::Undo, Resolution::MarkFailed) => Some(StepState::UndoFailed),
        (Direction::Undo, Resolution::Retry) => None,
    };
    sqlx::query(
        "UPDATE countersign.attempts SET resolution = $3, resolved_by = $4
         WHERE tenant_id = $1 AND id = $2 AND state = 'unknown' AND resolution IS NULL",
    )
    .bind(tx.tenant().uuid())
    .bind(attempt)
    .bind(choice.word())
    .bind(by.actor.id.uuid())
    .execute(tx.conn())
    .await
    .map_err(db::Error::from)
    .map_err(Error::db("resolving a step"))?;
    let Some(state) = state else { return Ok(()) };
    sqlx::query(
        "UPDATE countersign.step_runs
         SET state = $3,
             completed_seq = CASE WHEN $3 = 'pending' THEN NULL ELSE completed_seq END
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(run.uuid())
    .bind(state.word())
    .execute(tx.conn())
    .await
    .map_err(db::Error::from)
    .map_err(Error::db("resolving a step"))?;
    Ok(())
}

/// Lets workers take it up again. The time a person took does not count against the plan.
async fn go_on(tx: &mut TenantTx, snapshot: &Snapshot, to: ExecutionState) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.executions
         SET state = $3,
             deadline = $4 + greatest(clock_timestamp() - paused_at, '0'),
             paused_at = NULL,
             error_message = CASE WHEN rollback_reason IS NULL THEN NULL ELSE error_message END,
             next_run_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2 AND state = 'needs_human'",
    )
    .bind(snapshot.tenant.uuid())
    .bind(snapshot.execution.uuid())
    .bind(to.word())
    .bind(snapshot.deadline.map(Timestamp::to_sqlx))
    .execute(tx.conn())
    .await
    .map_err(db::Error::from)
    .map_err(Error::db("resuming an execution"))?;
    Ok(())
}
