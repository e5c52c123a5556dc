//! Going forwards: acting, then checking.

use model::execution::{Direction, ExecutionState, StepState};
use model::plan::{PlanStep, Stage};
use model::time::Timestamp;
use serde_json::Value;

use super::{Command, Open, Terms, late, next_no, resolve, uncollectable};
use crate::execution::Event;
use crate::snapshot::{Because, Snapshot, StepRun};

/// Why the plan goes no further forwards.
struct Stop {
    because: Option<Because>,
    error: String,
}

pub(super) fn decide(snapshot: &Snapshot, terms: &dyn Terms, now: Timestamp) -> Vec<Command> {
    let (mut commands, ask_at) = resolve(snapshot, now);
    let stage =
        if snapshot.state == ExecutionState::Verifying { Stage::Verify } else { Stage::Act };
    let busy = snapshot.open().count();
    if let Some(stop) = stop(snapshot, stage, now) {
        if busy == 0 {
            commands.push(halt(snapshot, stop));
        } else if commands.is_empty() {
            commands.extend(ask_at.map(Command::Wait));
        }
        return commands;
    }
    let Some(step) = current(snapshot, stage) else {
        if busy == 0 {
            commands.extend(finish(snapshot, stage));
        }
        return commands;
    };
    let mut again_at = ask_at;
    let free = usize::try_from(snapshot.plan.max_parallel.max(1)).unwrap_or(usize::MAX);
    let mut free = free.saturating_sub(busy);
    for run in pending(snapshot, step) {
        if let Some(at) = run.next_at.filter(|at| *at > now) {
            again_at = Some(again_at.map_or(at, |earlier| earlier.min(at)));
            continue;
        }
        let command = start(snapshot, step, run, terms, now);
        if matches!(command, Command::Open(_)) {
            if free == 0 {
                break;
            }
            free -= 1;
        }
        commands.push(command);
    }
    if commands.is_empty() {
        commands.extend(again_at.map(Command::Wait));
    }
    commands
}

/// The first step of the stage that is not over on every target.
fn current(snapshot: &Snapshot, stage: Stage) -> Option<&PlanStep> {
    let mut steps: Vec<&PlanStep> =
        snapshot.plan.steps.iter().filter(|step| step.stage == stage).collect();
    steps.sort_by_key(|step| step.order);
    steps.into_iter().find(|step| {
        snapshot
            .runs
            .iter()
            .filter(|run| run.order == step.order)
            .any(|run| matches!(run.state, StepState::Pending | StepState::Running))
    })
}

/// The targets of a step that have not begun, in the plan's order.
fn pending<'a>(snapshot: &'a Snapshot, step: &'a PlanStep) -> impl Iterator<Item = &'a StepRun> {
    snapshot
        .runs
        .iter()
        .filter(move |run| run.order == step.order && run.state == StepState::Pending)
}

fn start(
    snapshot: &Snapshot,
    step: &PlanStep,
    run: &StepRun,
    terms: &dyn Terms,
    now: Timestamp,
) -> Command {
    let fail = |error: String| Command::Fail { run: run.id, state: StepState::Failed, error };
    let late = late(snapshot, run.resource);
    let variables = snapshot.plan.variables.get(&run.resource).unwrap_or(&Value::Null);
    if let Some(condition) = &step.condition {
        match terms.holds(condition, variables, &late) {
            Ok(true) => {}
            Ok(false) => return Command::Skip { run: run.id },
            Err(error) => return fail(format!("its condition cannot be evaluated: {error}")),
        }
    }
    let Some(script) = step.scripts.get(&run.resource) else {
        return fail("the plan holds no script for this target".to_owned());
    };
    match terms.fill(script, &late) {
        Err(error) => fail(error),
        Ok(script) => Command::Open(Open {
            run: run.id,
            direction: Direction::Do,
            no: next_no(snapshot, run.id, Direction::Do),
            script,
            timeout_s: step.timeout_s.min(seconds_left(snapshot, now)),
            stop_first: None,
        }),
    }
}

/// Whole seconds of the plan's time that are left, at least one.
fn seconds_left(snapshot: &Snapshot, now: Timestamp) -> u32 {
    snapshot.deadline.map_or(u32::MAX, |deadline| {
        u32::try_from(deadline.duration_since(now).as_secs().max(1)).unwrap_or(u32::MAX)
    })
}

/// Whether something stops the plan. A failure outranks a doubt, for it undoes what is in doubt;
/// so does a cancellation. A doubt outranks the deadline, for a person must look either way.
fn stop(snapshot: &Snapshot, stage: Stage, now: Timestamp) -> Option<Stop> {
    if let Some((step, kind)) = uncollectable(&snapshot.plan) {
        let error =
            format!("step {step} requires evidence of type {kind}, which cannot be collected");
        return Some(Stop { because: Some(Because::EvidenceMissing), error });
    }
    if snapshot.runs.is_empty() {
        let error = "the plan has no step on any target".to_owned();
        return Some(Stop { because: Some(Because::StepFailed), error });
    }
    let runs = || {
        let of_stage = |run: &&StepRun| snapshot.step(run).is_some_and(|step| step.stage == stage);
        snapshot.runs.iter().filter(of_stage)
    };
    if let Some(stop) = runs().find_map(|run| failure(snapshot, run)) {
        return Some(stop);
    }
    if snapshot.cancel_requested {
        let error = "cancelled".to_owned();
        return Some(Stop { because: Some(Because::Cancelled), error });
    }
    if let Some(run) = snapshot.runs.iter().find(|run| run.state == StepState::Unknown) {
        let why = run.error.as_deref().unwrap_or("its end was not seen");
        let error = format!("{}: {why}", shown(snapshot, run));
        return Some(Stop { because: None, error });
    }
    let late = snapshot.deadline.is_some_and(|deadline| deadline <= now);
    late.then(|| Stop {
        because: Some(Because::TimedOut),
        error: format!("took longer than {} s", snapshot.plan.timeout_s),
    })
}

/// The failure of a run that stops the plan.
fn failure(snapshot: &Snapshot, run: &StepRun) -> Option<Stop> {
    let step = snapshot.step(run).filter(|step| !step.continue_on_failure)?;
    let because = match (run.state, step.stage) {
        (StepState::TimedOut, Stage::Act) => Because::TimedOut,
        (StepState::Failed, Stage::Act) => Because::StepFailed,
        (StepState::Failed | StepState::TimedOut, Stage::Verify) => Because::VerifyFailed,
        (
            StepState::Pending
            | StepState::Running
            | StepState::Succeeded
            | StepState::Skipped
            | StepState::Cancelled
            | StepState::Unknown
            | StepState::Undone
            | StepState::UndoFailed,
            Stage::Act | Stage::Verify,
        ) => return None,
    };
    let why = run.error.as_deref().unwrap_or("failed");
    Some(Stop { because: Some(because), error: format!("{}: {why}", shown(snapshot, run)) })
}

/// `restart on web-1`.
pub(super) fn shown(snapshot: &Snapshot, run: &StepRun) -> String {
    let step = snapshot.step(run).map_or("step", |step| step.name.as_str());
    let target =
        snapshot.plan.target(run.resource).map_or("its target", |target| target.name.as_str());
    format!("{step} on {target}")
}

/// A stage is over on all targets.
fn finish(snapshot: &Snapshot, stage: Stage) -> Vec<Command> {
    if stage == Stage::Act {
        return vec![super::advance(Event::Verify)];
    }
    if let Some(stop) = unverified(snapshot) {
        return vec![halt(snapshot, stop)];
    }
    let missing = missing_evidence(snapshot);
    if missing.is_empty() {
        return vec![super::advance(Event::Complete)];
    }
    missing
}

/// Checks decide: a plan that has some needs one to have passed and none to have failed, those
/// that let the others go on included.
fn unverified(snapshot: &Snapshot) -> Option<Stop> {
    let checks: Vec<&StepRun> = snapshot
        .runs
        .iter()
        .filter(|run| snapshot.step(run).is_some_and(|step| step.stage == Stage::Verify))
        .collect();
    let failed = |run: &&&StepRun| matches!(run.state, StepState::Failed | StepState::TimedOut);
    let error = if let Some(run) = checks.iter().find(failed) {
        let why = run.error.as_deref().unwrap_or("failed");
        format!("{}: {why}", shown(snapshot, run))
    } else if checks.is_empty() || checks.iter().any(|run| run.state == StepState::Succeeded) {
        return None;
    } else {
        "no verify step ran".to_owned()
    };
    Some(Stop { because: Some(Because::VerifyFailed), error })
}

/// Required evidence that does not exist yet. A step that did not run owes none.
fn missing_evidence(snapshot: &Snapshot) -> Vec<Command> {
    let mut missing = Vec::new();
    for run in snapshot.runs.iter().filter(|run| run.state != StepState::Skipped) {
        let Some(step) = snapshot.step(run) else { continue };
        for requirement in &step.evidence {
            let there = snapshot
                .evidence
                .iter()
                .any(|have| have.run == run.id && have.requirement == *requirement);
            if !there {
                missing.push(Command::Collect { run: run.id, requirement: requirement.clone() });
            }
        }
    }
    missing
}

/// Stops the plan: back when something acted, otherwise to an end.
fn halt(snapshot: &Snapshot, stop: Stop) -> Command {
    let acted = snapshot.runs.iter().any(|run| snapshot.acted(run));
    let event = match stop.because {
        None => Event::Doubt,
        Some(_) if acted => Event::RollBack,
        Some(Because::Cancelled) => Event::Cancel,
        Some(Because::TimedOut) => Event::TimeOut,
        Some(Because::StepFailed | Because::VerifyFailed | Because::EvidenceMissing) => Event::Fail,
    };
    let last = match stop.because {
        Some(Because::Cancelled) => StepState::Cancelled,
        Some(
            Because::StepFailed
            | Because::VerifyFailed
            | Because::TimedOut
            | Because::EvidenceMissing,
        )
        | None => StepState::Skipped,
    };
    // After a doubt the plan may go on, so nothing is called off.
    let off = |run: &&StepRun| run.state == StepState::Pending && stop.because.is_some();
    let stopped = snapshot.runs.iter().filter(off).map(|run| (run.id, last)).collect();
    Command::Advance { event, because: stop.because, error: Some(stop.error), stopped }
}
