//! Going back: undoing in the reverse order of ending.

use std::cmp::Reverse;

use gate::gist::joined;
use model::execution::{Direction, StepState};
use model::plan::Stage;
use model::time::Timestamp;

use super::forward::shown;
use super::{Command, Open, Terms, late, next_no, resolve, unresolved};
use crate::execution::Event;
use crate::snapshot::{Snapshot, StepRun};

pub(super) fn decide(snapshot: &Snapshot, terms: &dyn Terms, now: Timestamp) -> Vec<Command> {
    let (mut commands, ask_at) = resolve(snapshot, now);
    if snapshot.open().next().is_some() {
        if commands.is_empty() {
            commands.extend(ask_at.map(Command::Wait));
        }
        return commands;
    }
    // The first undo that fails ends it: a person must look before anything else is touched.
    if let Some(run) = snapshot.runs.iter().find(|run| run.state == StepState::UndoFailed) {
        let why = run.error.as_deref().unwrap_or("failed");
        let error = format!("undo of {}: {why}", shown(snapshot, run));
        return vec![end(Event::UndoFailed, Some(error))];
    }
    let doubtful = |run: &&StepRun| unresolved(snapshot, run.id, Direction::Undo).is_some();
    if let Some(run) = snapshot.runs.iter().find(doubtful) {
        let error = format!("undo of {}: its end is not known", shown(snapshot, run));
        return vec![end(Event::Doubt, Some(error))];
    }
    let mut acted: Vec<&StepRun> = snapshot.runs.iter().filter(|run| snapshot.acted(run)).collect();
    acted.sort_by_key(|run| Reverse((run.ended, run.order)));
    let undoable = |run: &&&StepRun| {
        run.state != StepState::Undone
            && snapshot.step(run).is_some_and(|step| step.undo.contains_key(&run.resource))
    };
    match acted.iter().find(undoable) {
        Some(run) => vec![undo(snapshot, run, terms, now)],
        None => vec![finish(snapshot, &acted)],
    }
}

fn undo(snapshot: &Snapshot, run: &StepRun, terms: &dyn Terms, now: Timestamp) -> Command {
    if let Some(at) = run.next_at.filter(|at| *at > now) {
        return Command::Wait(at);
    }
    let fail = |error| Command::Fail { run: run.id, state: StepState::UndoFailed, error };
    let step = snapshot.step(run);
    let Some((step, script)) = step.and_then(|step| Some((step, step.undo.get(&run.resource)?)))
    else {
        return fail("the plan holds no undo for this target".to_owned());
    };
    match terms.fill(script, &late(snapshot, run.resource)) {
        Err(error) => fail(error),
        Ok(script) => Command::Open(Open {
            run: run.id,
            direction: Direction::Undo,
            no: next_no(snapshot, run.id, Direction::Undo),
            script,
            timeout_s: step.timeout_s,
            stop_first: unresolved(snapshot, run.id, Direction::Do),
        }),
    }
}

/// Everything that can be undone was. What acted and cannot be is named.
fn finish(snapshot: &Snapshot, acted: &[&StepRun]) -> Command {
    let left: Vec<String> = acted
        .iter()
        .filter(|run| run.state != StepState::Undone)
        .filter(|run| snapshot.step(run).is_some_and(|step| step.stage == Stage::Act))
        .map(|run| shown(snapshot, run))
        .collect();
    if left.is_empty() {
        return end(Event::Undone, None);
    }
    let why = snapshot.error.as_deref().unwrap_or("stopped");
    let left = joined(left.iter().map(String::as_str));
    end(Event::UndoneInPart, Some(format!("{why}; cannot be undone: {left}")))
}

fn end(event: Event, error: Option<String>) -> Command {
    Command::Advance { event, because: None, error, stopped: Vec::new() }
}
