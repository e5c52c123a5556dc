use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::execution::AttemptState;
use model::id::{ConnectionId, ExecutionId, ResourceId, RunbookId, TenantId};
use model::level::EnvironmentClass;
use model::plan::{PlanStep, RunbookRef, Segment, Semantics, Stage, Target};
use uuid::Uuid;

use super::*;
use crate::execution;
use crate::outcome::{Observed, close};
use crate::snapshot::{Attempt, Captured, Change, Collected, StepRun};

mod forwards;
mod leases;
mod rollback;
mod simulation;

pub(crate) const NOW: &str = "2026-03-01T10:00:00Z";

/// Conditions are `true`, `false` or `broken`; slots are filled with the value they name.
#[derive(Debug)]
pub(crate) struct PlainTerms;

impl Terms for PlainTerms {
    fn holds(&self, condition: &str, _: &Value, _: &LateValues) -> Result<bool, String> {
        condition.parse().map_err(|_| "no condition".to_owned())
    }

    fn fill(&self, script: &Script, late: &LateValues) -> Result<String, String> {
        let segment = |segment: &Segment| match segment {
            Segment::Text(text) => Ok(text.clone()),
            Segment::Slot(slot) => late
                .get(&slot.name)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| format!("{} is not there", slot.name)),
        };
        script.0.iter().map(segment).collect()
    }
}

fn id(kind: u64, n: usize) -> Uuid {
    Uuid::from_u64_pair(kind, n as u64)
}

pub(crate) fn resource(n: usize) -> ResourceId {
    id(1, n).into()
}

pub(crate) fn target(n: usize) -> Target {
    Target {
        resource_id: resource(n),
        connection_id: ConnectionId::from(id(2, n)),
        name: format!("host-{n}"),
        host: format!("host-{n}"),
        port: 22,
        username: "ops".to_owned(),
        transport: "fake".to_owned(),
        credential_id: None,
        credential_version: None,
        host_keys: Vec::new(),
        guard_dir: None,
        environment: EnvironmentClass::Dev,
    }
}

/// A step called `s1`, whose script is `do s1` and whose undo is `undo s1`.
pub(crate) fn step(order: u32, stage: Stage, targets: usize) -> PlanStep {
    let name = format!("s{order}");
    let every = |text: &str| -> BTreeMap<ResourceId, Script> {
        (0..targets).map(|n| (resource(n), Script::text(format!("{text} {name}")))).collect()
    };
    PlanStep {
        order,
        stage,
        description: None,
        action: "host.shell".to_owned(),
        semantics: if stage == Stage::Act { Semantics::AtMostOnce } else { Semantics::Read },
        scripts: every("do"),
        undo: if stage == Stage::Act { every("undo") } else { BTreeMap::new() },
        condition: None,
        expected_exit_codes: vec![0],
        timeout_s: 30,
        continue_on_failure: false,
        retry_count: 0,
        retry_delay_s: 0,
        capture_output: false,
        sensitive: false,
        evidence: Vec::new(),
        name,
    }
}

/// `acts` acting steps and one check, on so many targets.
pub(crate) fn plan(acts: u32, targets: usize) -> Plan {
    let mut steps: Vec<PlanStep> = (1..=acts).map(|n| step(n, Stage::Act, targets)).collect();
    steps.push(step(acts + 1, Stage::Verify, targets));
    Plan {
        runbook: RunbookRef { id: RunbookId::from(id(3, 0)), name: "test".to_owned(), version: 1 },
        steps,
        targets: (0..targets).map(target).collect(),
        max_parallel: 10,
        timeout_s: 600,
        variables: BTreeMap::new(),
    }
}

pub(crate) fn snapshot(plan: Plan) -> Snapshot {
    Snapshot {
        tenant: TenantId::from(id(4, 0)),
        execution: ExecutionId::from(id(5, 0)),
        mode: "manual".to_owned(),
        plan: Arc::new(plan),
        state: ExecutionState::Approved,
        started_at: None,
        deadline: None,
        cancel_requested: false,
        because: None,
        error: None,
        runs: Vec::new(),
        attempts: Vec::new(),
        evidence: Vec::new(),
        in_flight: BTreeSet::new(),
        ask_at: BTreeMap::new(),
    }
}

/// Started, with its step runs.
pub(crate) fn prepared(plan: Plan) -> Snapshot {
    let mut world = World::new(plan);
    let commands = world.decide();
    world.perform(commands, &mut |_| None);
    world.snapshot
}

pub(crate) fn attempt(run: StepRunId, direction: Direction, no: u32) -> Attempt {
    Attempt {
        id: AttemptId::from(Uuid::from_u64_pair(
            run.uuid().as_u64_pair().1,
            u64::from(no) + 100 * u64::from(direction == Direction::Undo),
        )),
        run,
        direction,
        no,
        epoch: 1,
        state: AttemptState::Intent,
        started: None,
        deadline: NOW.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_secs(60),
        resolution: None,
        end_seen: false,
    }
}

/// Performs commands on a snapshot, as the engine does on the database and the targets.
pub(crate) struct World {
    pub(crate) snapshot: Snapshot,
    pub(crate) now: Timestamp,
    /// Scripts that were started, with their targets, in order.
    pub(crate) effects: Vec<String>,
}

/// What a script on a target comes to; `None` leaves its intent open, as a crash would.
pub(crate) type Fate<'a> = &'a mut dyn FnMut(&str) -> Option<Observed>;

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        Self { snapshot: snapshot(plan), now: NOW.parse().unwrap(), effects: Vec::new() }
    }

    pub(crate) fn decide(&self) -> Vec<Command> {
        decide(&self.snapshot, &PlainTerms, self.now)
    }

    /// Runs until nothing more is decided, and says where it ended.
    pub(crate) fn run(&mut self, fate: Fate<'_>) -> ExecutionState {
        for _ in 0..1000 {
            let commands = self.decide();
            if commands.is_empty() {
                return self.snapshot.state;
            }
            self.perform(commands, fate);
        }
        panic!("it never ends: {:?}", self.decide());
    }

    pub(crate) fn perform(&mut self, commands: Vec<Command>, fate: Fate<'_>) {
        let mut opened = Vec::new();
        for command in commands {
            match command {
                Command::Prepare => self.prepare(),
                Command::Skip { run } => self.settle(run, StepState::Skipped, None),
                Command::Fail { run, state, error } => self.settle(run, state, Some(error)),
                Command::Open(open) => {
                    let attempt = attempt(open.run, open.direction, open.no);
                    self.snapshot.apply(&Change::Opened(attempt.clone()));
                    opened.push((attempt.id, open));
                }
                Command::Resolve { attempt, .. } => {
                    let observed = fate("resolve").unwrap_or(Observed::Fenced);
                    self.close(attempt, observed);
                }
                Command::Collect { run, requirement } => {
                    let id = Uuid::from_u64_pair(9, self.snapshot.evidence.len() as u64).into();
                    self.snapshot.apply(&Change::Collected(Collected { id, run, requirement }));
                }
                Command::Advance { event, because, error, stopped } => {
                    for (run, state) in stopped {
                        self.settle(run, state, None);
                    }
                    let to = execution::on(self.snapshot.state, event, self.now).unwrap();
                    self.snapshot.apply(&Change::Moved { to, because, error, at: self.now });
                }
                Command::Wait(until) => self.now = until,
            }
        }
        for (attempt, open) in opened {
            let run = self.snapshot.run(open.run).unwrap();
            let name = self.snapshot.plan.target(run.resource).unwrap().name.clone();
            let effect = format!("{} on {name}", open.script);
            self.effects.push(effect.clone());
            if let Some(observed) = fate(&effect) {
                self.close(attempt, observed);
            }
        }
    }

    pub(crate) fn close(&mut self, attempt: AttemptId, observed: Observed) {
        let attempt = self.snapshot.attempt(attempt).unwrap().clone();
        let run = self.snapshot.run(attempt.run).unwrap();
        let step = self.snapshot.step(run).unwrap();
        let closing = close(&self.snapshot, step, &attempt, observed, self.now);
        let captured = step.capture_output.then(|| {
            Arc::new(Captured { stdout: "out".to_owned(), stderr: String::new(), truncated: false })
        });
        self.snapshot.apply(&Change::Closed { attempt: attempt.id, closing, captured });
    }

    fn settle(&mut self, run: StepRunId, state: StepState, error: Option<String>) {
        self.snapshot.apply(&Change::Settled { run, state, error });
    }

    fn prepare(&mut self) {
        let mut runs = Vec::new();
        for step in &self.snapshot.plan.steps {
            for target in &self.snapshot.plan.targets {
                runs.push(StepRun {
                    id: id(7, runs.len()).into(),
                    order: step.order,
                    resource: target.resource_id,
                    state: StepState::Pending,
                    ended: None,
                    next_at: None,
                    exit_code: None,
                    captured: None,
                    error: None,
                });
            }
        }
        self.snapshot.apply(&Change::Prepared(runs));
    }
}

/// Everything works.
#[expect(clippy::unnecessary_wraps, reason = "it is a fate, which may also be none")]
pub(crate) fn works(_effect: &str) -> Option<Observed> {
    Some(Observed::Exited { code: 0 })
}

/// Everything works but the effects that start with this.
pub(crate) fn fails(what: &str) -> impl FnMut(&str) -> Option<Observed> + use<> {
    let what = what.to_owned();
    move |effect| Some(Observed::Exited { code: i32::from(effect.starts_with(&what)) })
}
