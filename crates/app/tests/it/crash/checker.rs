//! The checker: whether a history keeps the invariants I-1 to I-7. It knows nothing of how the
//! history came about.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::deployment::Deployment;
use super::history::{Attempt, History};

/// Everything that breaks an invariant, in words.
pub(super) fn violations(history: &History) -> Vec<String> {
    let mut found = Vec::new();
    at_most_once(history, &mut found);
    nobody_in_limbo(history, &mut found);
    one_intent_each(history, &mut found);
    allowed(history, &mut found);
    epochs_rise(history, &mut found);
    back_in_reverse(history, &mut found);
    if let Some(fault) = &history.log_fault {
        found.push(format!("I-7 the log does not verify: {fault}"));
    }
    found
}

/// Reads what happened in a deployment and judges it.
///
/// # Panics
/// When an invariant does not hold, with the whole history.
pub(super) async fn assert_holds(deployment: &Deployment, run: &str) {
    let history = History::of(deployment).await;
    let found = violations(&history);
    if !found.is_empty() {
        let text = serde_json::to_string_pretty(&history).expect("a history is JSON");
        let found = found.join("\n");
        let log = deployment.api.log.text();
        panic!("{run}: the invariants do not hold:\n{found}\nhistory: {text}\nlog: {log}");
    }
}

type Key<'a> = (Uuid, &'a str, &'a str);

/// How many lines each step left, each direction by itself.
fn lines(history: &History) -> BTreeMap<Key<'_>, usize> {
    let mut lines = BTreeMap::new();
    for effect in &history.effects {
        let key = (effect.execution, effect.step.as_str(), effect.direction.as_str());
        *lines.entry(key).or_default() += 1;
    }
    lines
}

fn attempts_of<'a>(history: &'a History, key: Key<'a>) -> impl Iterator<Item = &'a Attempt> {
    history.attempts.iter().filter(move |attempt| {
        (attempt.execution, attempt.step.as_str(), attempt.direction.as_str()) == key
    })
}

/// I-1: what must not run twice did not.
fn at_most_once(history: &History, found: &mut Vec<String>) {
    for (key, count) in lines(history) {
        let once = attempts_of(history, key).any(|attempt| attempt.semantics == "at_most_once");
        if once && count > 1 {
            found.push(format!("I-1 {key:?} took effect {count} times"));
        }
    }
}

/// I-2: nothing is forgotten.
fn nobody_in_limbo(history: &History, found: &mut Vec<String>) {
    for execution in history.executions.iter().filter(|execution| execution.in_limbo) {
        found.push(format!("I-2 {} is {}, and nobody's", execution.id, execution.state));
    }
}

/// I-3: an effect has its attempt, and an attempt its intent before its outcome.
fn one_intent_each(history: &History, found: &mut Vec<String>) {
    for (key, count) in lines(history) {
        // A fenced attempt never starts; every other one stands for one line at most.
        let may = attempts_of(history, key).filter(|attempt| attempt.state != "fenced").count();
        if count > may {
            found.push(format!("I-3 {key:?} took effect {count} times in {may} attempts"));
        }
    }
    for attempt in &history.attempts {
        let logged = history.logged.get(&attempt.token).cloned().unwrap_or_default();
        let open = attempt.state == "intent";
        let right = match (logged.started.as_slice(), logged.ended.as_slice()) {
            ([started], [ended]) => !open && started < ended,
            ([_], []) => open,
            _other => false,
        };
        if !right {
            let Attempt { token, state, .. } = attempt;
            found.push(format!("I-3 {token} is {state}, and the log says {logged:?}"));
        }
    }
    for token in history.logged.keys() {
        if !history.attempts.iter().any(|attempt| attempt.token == *token) {
            found.push(format!("I-3 the log knows {token}, the database does not"));
        }
    }
}

/// I-4: whatever took effect was allowed, as it was.
fn allowed(history: &History, found: &mut Vec<String>) {
    for effect in &history.effects {
        let Some(execution) = history.executions.iter().find(|one| one.id == effect.execution)
        else {
            found.push(format!("I-4 {effect:?} belongs to no execution"));
            continue;
        };
        let allowed =
            execution.approval_holds || (execution.verdict == "allow" && !execution.has_approval);
        if !allowed || !execution.plan_matches {
            found.push(format!("I-4 {effect:?} was not allowed: {execution:?}"));
        }
    }
}

/// I-5: epochs rise by one, and nothing is written under an old one.
fn epochs_rise(history: &History, found: &mut Vec<String>) {
    let mut last: BTreeMap<Uuid, i64> = BTreeMap::new();
    for claim in &history.claims {
        let before = last.insert(claim.execution, claim.epoch).unwrap_or(0);
        if claim.before != before || claim.epoch != before + 1 {
            found.push(format!("I-5 epoch {before} is followed by {claim:?}"));
        }
    }
    for opening in history.openings.iter().filter(|opening| opening.epoch != opening.held) {
        found.push(format!("I-5 an attempt was opened under an old epoch: {opening:?}"));
    }
    for (execution, epochs) in &history.epochs_logged {
        if !epochs.is_sorted() {
            found.push(format!("I-5 the log of {execution} goes back: {epochs:?}"));
        }
    }
}

/// I-6: steps are undone in the reverse order of their ending.
fn back_in_reverse(history: &History, found: &mut Vec<String>) {
    for execution in &history.executions {
        let ended = |step: &str| {
            let key = (execution.id, step, "do");
            attempts_of(history, key).find_map(|attempt| attempt.completed)
        };
        let undone = history
            .effects
            .iter()
            .filter(|effect| effect.execution == execution.id && effect.direction == "undo");
        let order: Vec<Option<i64>> = undone.map(|effect| ended(&effect.step)).collect();
        if !order.is_sorted_by(|earlier, later| earlier >= later) {
            found.push(format!("I-6 {} was undone in the order {order:?}", execution.id));
        }
    }
}

mod tests;
