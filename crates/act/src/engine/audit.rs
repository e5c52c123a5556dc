//! What the audit log says of each change: intents before effects, outcomes after them.

use std::collections::BTreeMap;

use model::Digest;
use model::audit::{Event, Who};
use model::execution::{AttemptState, ExecutionState};
use model::id::AttemptId;
use serde_json::{Map, Value, json};

use crate::snapshot::{Attempt, Because, Change, Snapshot};
use crate::store::write::Batch;

/// Attempts named in one event: with every text at its longest, escaped, it still fits into the
/// 32 KiB an event may have.
const ATTEMPTS_PER_EVENT: usize = 12;

/// Longer texts are cut: the whole is beside the attempt.
const TEXT_CHARS: usize = 150;

/// The events of a batch, in the order of its changes.
pub(super) fn events(
    who: &Who,
    batch: &Batch<'_>,
    scripts: &BTreeMap<AttemptId, Digest>,
) -> Vec<Event> {
    let event = |action: &str| {
        Event::new(who.clone(), action, "execution", &batch.claimed.execution)
            .with("epoch", batch.claimed.epoch)
    };
    let mut events = Vec::new();
    let opened: Vec<Value> =
        batch.changes.iter().filter_map(|change| opened(change, batch.after, scripts)).collect();
    for some in opened.chunks(ATTEMPTS_PER_EVENT) {
        events.push(event("step.started").with("attempts", some.to_vec()));
    }
    let closed: Vec<(Value, bool)> =
        batch.changes.iter().filter_map(|change| closed(change, batch)).collect();
    for some in closed.chunks(ATTEMPTS_PER_EVENT) {
        let attempts: Vec<Value> = some.iter().map(|(value, _)| value.clone()).collect();
        let mut ended = event("step.ended").with("attempts", attempts);
        ended.success = some.iter().all(|(_, worked)| *worked);
        events.push(ended);
    }
    for change in batch.changes {
        match change {
            Change::Settled { run, state, error } => {
                let settled = event("step.settled")
                    .with("step_run", run.to_string())
                    .with("state", state.word());
                events.push(match error {
                    Some(error) => settled.failed(cut(error)),
                    None => settled,
                });
            }
            Change::Moved { to, because, error, .. } => {
                events.push(moved(
                    event(&format!("execution.{to}")),
                    batch,
                    *to,
                    *because,
                    error.as_deref(),
                ));
            }
            Change::Collected(collected) => {
                let mut stored = event("evidence.stored")
                    .with("step_run", collected.run.to_string())
                    .with("type", collected.requirement.kind.word());
                if let Some(object) = batch.stored {
                    stored = stored.with("sha256", object.sha256.to_string());
                }
                stored.evidence.push(collected.id);
                events.push(stored);
            }
            Change::Prepared(_) | Change::Opened(_) | Change::Seen(_) | Change::Closed { .. } => {}
        }
    }
    events
}

fn named(attempt: &Attempt, snapshot: &Snapshot) -> Map<String, Value> {
    let run = snapshot.run(attempt.run);
    let step = run.and_then(|run| snapshot.step(run)).map(|step| cut(&step.name));
    let mut map = Map::new();
    map.insert("token".to_owned(), attempt.token().into());
    map.insert("step".to_owned(), step.into());
    map.insert("target".to_owned(), run.map(|run| run.resource.to_string()).into());
    map
}

fn opened(
    change: &Change,
    after: &Snapshot,
    scripts: &BTreeMap<AttemptId, Digest>,
) -> Option<Value> {
    let Change::Opened(attempt) = change else { return None };
    let mut map = named(attempt, after);
    let script = scripts.get(&attempt.id).map(Digest::to_string);
    map.insert("script_sha256".to_owned(), script.into());
    Some(Value::Object(map))
}

fn closed(change: &Change, batch: &Batch<'_>) -> Option<(Value, bool)> {
    let Change::Closed { attempt, closing, .. } = change else { return None };
    let mut map = named(batch.after.attempt(*attempt)?, batch.after);
    let artifact = batch.artifacts.get(attempt);
    let output = artifact.and_then(|one| one.output.as_ref());
    map.insert("state".to_owned(), closing.state.word().into());
    map.insert("exit_code".to_owned(), closing.exit_code.into());
    map.insert("error".to_owned(), closing.error.as_deref().map(cut).into());
    map.insert("output_sha256".to_owned(), output.map(|one| one.1.to_string()).into());
    map.insert("recovered".to_owned(), json!(artifact.is_some_and(|one| one.recovered)));
    map.retain(|_, value| !value.is_null());
    Some((Value::Object(map), closing.state == AttemptState::Succeeded))
}

fn moved(
    event: Event,
    batch: &Batch<'_>,
    to: ExecutionState,
    because: Option<Because>,
    error: Option<&str>,
) -> Event {
    let mut event = event.with("from", batch.before.state.word());
    if let Some(because) = because {
        event = event.with("because", because.word());
    }
    let good = matches!(
        to,
        ExecutionState::InProgress | ExecutionState::Verifying | ExecutionState::Completed
    );
    if good { event } else { event.failed(error.map_or_else(|| to.word().to_owned(), cut)) }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Instant;

    use model::actor::ActorKind;
    use model::audit::MAX_EVENT_BYTES;
    use model::execution::Direction;
    use model::id::{ActorId, EventId};

    use super::*;
    use crate::decide::tests::{NOW, attempt, plan, prepared};
    use crate::engine::Reel;
    use crate::lease::Claimed;
    use crate::outcome::{Observed, close};

    #[test]
    fn events_of_many_attempts_with_long_texts_stay_within_the_limit() {
        let mut plan = plan(1, 60);
        plan.steps[0].name = "\u{1}".repeat(500);
        let before = prepared(plan);
        let (mut after, mut changes) = (before.clone(), Vec::new());
        for run in before.runs.iter().filter(|run| run.order == 1) {
            let opened = Change::Opened(attempt(run.id, Direction::Do, 1));
            after.apply(&opened);
            changes.push(opened);
        }
        let step = after.plan.steps[0].clone();
        for one in after.attempts.clone() {
            let observed = Observed::Unknown { reason: "\u{1}".repeat(5000) };
            let closing = close(&after, &step, &one, observed, NOW.parse().unwrap());
            let closed = Change::Closed { attempt: one.id, closing, captured: None };
            after.apply(&closed);
            changes.push(closed);
        }
        let claimed = Claimed {
            tenant: before.tenant,
            execution: before.execution,
            epoch: 1,
            state: before.state,
            asked_at: Instant::now(),
        };
        let batch = Batch {
            claimed: &claimed,
            before: &before,
            after: &after,
            changes: &changes,
            artifacts: &BTreeMap::new(),
            stored: None,
            reel: &Reel::default(),
        };
        let who =
            Who { id: ActorId::generate(), kind: ActorKind::Service, display_name: "w".to_owned() };
        let events = events(&who, &batch, &BTreeMap::new());
        assert_eq!(events.len(), 10);
        for event in events {
            let at = NOW.parse().unwrap();
            let canon = event.canonical(before.tenant, EventId::generate(), at).unwrap();
            assert!(canon.len() <= MAX_EVENT_BYTES, "{}", canon.len());
        }
    }
}
