//! What happened to an execution, in order, for people who watch.

use db::TenantTx;
use db::wake::Topic;
use model::execution::{AttemptState, StepState};
use model::id::StepRunId;
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::write::Batch;
use crate::engine::Piece;
use crate::lease::Claimed;
use crate::snapshot::{Attempt, Change, Closing};

/// One line for people who watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    kind: &'static str,
    run: Option<Uuid>,
    message: String,
    data: Value,
}

impl Event {
    pub(super) fn output(piece: &Piece) -> Self {
        let data = json!({
            "stream": piece.stream, "attempt": piece.attempt.to_string(), "until": piece.until,
        });
        Self { kind: "output", run: Some(piece.run.uuid()), message: piece.text.clone(), data }
    }

    pub(super) fn of(change: &Change, batch: &Batch<'_>) -> Option<Self> {
        let after = batch.after;
        let step = |run: StepRunId, what: &str, data: Value| {
            let (name, target) = after.run(run).map_or((String::new(), String::new()), |run| {
                let name = after.step(run).map_or_else(String::new, |step| step.name.clone());
                let target = after.plan.target(run.resource);
                (name, target.map_or_else(String::new, |target| target.name.clone()))
            });
            let message = format!("{name} on {target}: {what}");
            Some(Self { kind: "step", run: Some(run.uuid()), message, data })
        };
        match change {
            Change::Prepared(_) | Change::Seen(_) => None,
            Change::Opened(attempt) => {
                let data = json!({
                    "state": "running", "direction": attempt.direction.word(), "attempt": attempt.no,
                });
                step(attempt.run, direction_word(attempt), data)
            }
            Change::Closed { attempt, closing, .. } => {
                let attempt = after.attempt(*attempt)?;
                let state = closing.run.or_else(|| after.run(attempt.run).map(|run| run.state))?;
                let data = json!({
                    "state": state.word(), "direction": attempt.direction.word(),
                    "attempt": attempt.no, "attempt_state": closing.state.word(),
                    "exit_code": closing.exit_code, "error": closing.error,
                });
                step(attempt.run, &told(state, closing), data)
            }
            Change::Settled { run, state, error } => {
                let data = json!({ "state": state.word(), "error": error });
                step(*run, error.as_deref().unwrap_or_else(|| state.word()), data)
            }
            Change::Moved { to, because, error, .. } => Some(Self {
                kind: "state",
                run: None,
                message: error.clone().unwrap_or_else(|| to.word().replace('_', " ")),
                data: json!({
                    "from": batch.before.state.word(), "to": to.word(),
                    "because": because.map(crate::snapshot::Because::word),
                }),
            }),
            Change::Collected(collected) => {
                let data = json!({
                    "evidence": collected.id.to_string(),
                    "type": collected.requirement.kind.word(),
                });
                step(collected.run, "evidence stored", data)
            }
        }
    }
}

fn direction_word(attempt: &Attempt) -> &'static str {
    match attempt.direction {
        model::execution::Direction::Do => "started",
        model::execution::Direction::Undo => "undo started",
    }
}

fn told(state: StepState, closing: &Closing) -> String {
    let word = match (state, closing.state) {
        (StepState::Pending, AttemptState::Failed) => "failed, will be tried again",
        (StepState::Pending, _) => "interrupted, will be tried again",
        (other, _) => other.word(),
    };
    closing.error.as_ref().map_or_else(|| word.to_owned(), |error| format!("{word}: {error}"))
}

/// Writes events under the numbers that end with `last`.
pub(super) async fn insert_events(
    tx: &mut TenantTx,
    claimed: &Claimed,
    last: i64,
    events: &[Event],
) -> Result<(), db::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let first = last - i64::try_from(events.len()).unwrap_or(0);
    sqlx::query(
        "INSERT INTO countersign.execution_events (tenant_id, execution_id, seq, kind, step_run_id,
           message, data)
         SELECT $1, $2, $3 + one.place, one.kind, one.run, one.message, one.data
         FROM unnest($4::text[], $5::uuid[], $6::text[], $7::jsonb[])
           WITH ORDINALITY AS one (kind, run, message, data, place)",
    )
    .bind(claimed.tenant.uuid())
    .bind(claimed.execution.uuid())
    .bind(first)
    .bind(events.iter().map(|one| one.kind).collect::<Vec<_>>())
    .bind(events.iter().map(|one| one.run).collect::<Vec<_>>())
    .bind(events.iter().map(|one| one.message.clone()).collect::<Vec<_>>())
    .bind(events.iter().map(|one| Json(one.data.clone())).collect::<Vec<_>>())
    .execute(tx.conn())
    .await?;
    tx.signal(Topic::Events);
    Ok(())
}
