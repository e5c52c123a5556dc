//! The loop: decide, write, act, write.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use model::Digest;
use model::execution::{AttemptState, Direction, ExecutionState, StepState};
use model::id::{AttemptId, ExecutionId, ResourceId, StepRunId};
use model::plan::EvidenceRequirement;
use model::time::Timestamp;
use tokio::task::{JoinError, JoinSet};

use super::effect::{Job, Landing};
use super::output::Tape;
use super::points::{self, Place};
use super::{Ended, Engine, audit};
use crate::decide::{Command, Open, decide, late};
use crate::error::Error;
use crate::execution;
use crate::lease::Lease;
use crate::outcome::close;
use crate::ports::Finished;
use crate::snapshot::{Attempt, Change, Snapshot, StepRun};
use crate::store::load::Loaded;
use crate::store::write::{Artifact, Batch, Stored, write};
use crate::verified::verified;

/// How often output is written down for people who watch.
const SHOW_EVERY: Duration = Duration::from_millis(250);

/// Longer errors of targets are cut.
const ERROR_CHARS: usize = 2000;

/// One worker's turn at one execution.
struct Turn<'a> {
    engine: &'a Arc<Engine>,
    lease: &'a Arc<Lease>,
    tape: &'a Arc<Tape>,
    snapshot: Snapshot,
    clock: DbClock,
    /// Effects under way. Tasks of their own, because a turn that writes must not keep them from
    /// giving back the connections it waits for; they end with the turn.
    flights: JoinSet<Landing>,
}

/// The database's clock, carried on by this machine's monotonic one between two questions.
#[derive(Debug, Clone, Copy)]
struct DbClock {
    at: Timestamp,
    seen: Instant,
}

impl DbClock {
    fn new(at: Timestamp) -> Self {
        Self { at, seen: Instant::now() }
    }

    fn now(self) -> Timestamp {
        let passed = SignedDuration::try_from(self.seen.elapsed()).unwrap_or(SignedDuration::ZERO);
        self.at.checked_add(passed).unwrap_or(self.at)
    }
}

/// What a write is made of, besides its changes.
#[derive(Debug, Default)]
struct Extras {
    artifacts: BTreeMap<AttemptId, Artifact>,
    scripts: BTreeMap<AttemptId, Digest>,
    stored: Option<Stored>,
}

/// The lease is gone.
struct LeaseLost;

/// Carries an execution on.
pub(super) async fn drive<'a>(
    engine: &'a Arc<Engine>,
    lease: &'a Arc<Lease>,
    loaded: Loaded,
    tape: &'a Arc<Tape>,
) -> Result<Ended, Error> {
    lease.cancel(loaded.snapshot.cancel_requested);
    let clock = DbClock::new(loaded.now);
    let flights = JoinSet::new();
    let mut turn = Turn { engine, lease, tape, snapshot: loaded.snapshot, clock, flights };
    loop {
        if let Some(ended) = turn.step().await? {
            return Ok(ended);
        }
    }
}

impl<'a> Turn<'a> {
    /// One round; gives how it ended, if it did.
    async fn step(&mut self) -> Result<Option<Ended>, Error> {
        self.snapshot.cancel_requested = self.lease.cancelled();
        let now = self.clock.now();
        let commands = decide(&self.snapshot, &*self.engine.terms, now);
        if commands.is_empty() && self.flights.is_empty() {
            return Ok(Some(ended(self.snapshot.state)));
        }
        let until = match commands.as_slice() {
            [Command::Wait(until)] => Some(*until),
            _work_or_nothing => None,
        };
        if let Some(until) = until.filter(|_| self.flights.is_empty())
            && until.duration_since(now).unsigned_abs() > self.engine.settings.lease_ttl
        {
            self.engine.release(&self.lease.claimed, Some(until)).await?;
            return Ok(Some(Ended::Waiting(until)));
        }
        let done = if commands.is_empty() || until.is_some() {
            self.wait(until).await?
        } else {
            self.perform(commands, now).await?
        };
        Ok(done.err().map(|LeaseLost| Ended::Lost))
    }

    /// Waits for something in flight to end, for a time, or for a person to stop it; shows output
    /// meanwhile.
    async fn wait(&mut self, until: Option<Timestamp>) -> Result<Result<(), LeaseLost>, Error> {
        let for_time = until.map(|until| {
            until.duration_since(self.clock.now()).try_into().unwrap_or(Duration::ZERO)
        });
        let stopped = self.snapshot.cancel_requested;
        let landing = tokio::select! {
            Some(landing) = self.flights.join_next() => Some(landed(landing)),
            () = tokio::time::sleep(for_time.unwrap_or_default()), if for_time.is_some() => None,
            () = self.lease.wait_cancelled(), if !stopped => None,
            () = tokio::time::sleep(SHOW_EVERY) => None,
        };
        match landing {
            Some(landing) => self.land(landing).await,
            None => self.show().await,
        }
    }

    /// Writes what was printed since the last time.
    async fn show(&mut self) -> Result<Result<(), LeaseLost>, Error> {
        if self.tape.blank() {
            return Ok(Ok(()));
        }
        self.write(&[], Extras::default()).await
    }

    /// Writes the outcomes of everything that has ended by now: T2.
    async fn land(&mut self, first: Landing) -> Result<Result<(), LeaseLost>, Error> {
        let mut landed = vec![first];
        while let Some(more) = self.flights.try_join_next() {
            landed.push(self::landed(more));
        }
        let mut direction = Direction::Do;
        let mut after = self.snapshot.clone();
        let (mut changes, mut extras) = (Vec::new(), Extras::default());
        let now = self.clock.now();
        let poll = SignedDuration::try_from(self.engine.settings.poll).unwrap_or_default();
        let ask_at = now.checked_add(poll).unwrap_or(now);
        for landing in landed {
            let id = landing.attempt;
            let Some(attempt) = after.attempt(id).cloned() else { continue };
            direction = attempt.direction;
            if landing.observed.is_none() {
                // No answer: it stays open and is asked about again a little later.
                self.snapshot.in_flight.remove(&id);
                self.snapshot.ask_at.insert(id, ask_at);
            }
            if let Some(change) = outcome(&after, &attempt, landing, now, &mut extras) {
                after.apply(&change);
                changes.push(change);
            }
        }
        if changes.is_empty() {
            return Ok(Ok(()));
        }
        self.engine.reach(points::step(direction, Place::BeforeT2)).await;
        let written = self.write(&changes, extras).await?;
        self.engine.reach(points::step(direction, Place::AfterT2)).await;
        Ok(written)
    }

    /// Performs commands: one transaction for everything that is only written, T1 included, then
    /// the effects.
    async fn perform(
        &mut self,
        commands: Vec<Command>,
        now: Timestamp,
    ) -> Result<Result<(), LeaseLost>, Error> {
        let (mut changes, mut jobs, mut extras) = (Vec::new(), Vec::new(), Extras::default());
        let mut after = self.snapshot.clone();
        for command in commands {
            let change = match command {
                Command::Prepare => prepare(&after),
                Command::Skip { run } => settled(run, StepState::Skipped, None),
                Command::Fail { run, state, error } => settled(run, state, Some(&error)),
                Command::Open(open) => match self.open(&after, open, now, &mut extras) {
                    Some((change, job)) => {
                        jobs.push(job);
                        change
                    }
                    None => continue,
                },
                Command::Resolve { attempt, overdue } => {
                    jobs.extend(self.reopen(attempt, overdue));
                    continue;
                }
                Command::Collect { run, requirement } => {
                    return self.collect(run, requirement).await;
                }
                Command::Advance { event, because, error, stopped } => {
                    for (run, state) in stopped {
                        let change = settled(run, state, None);
                        after.apply(&change);
                        changes.push(change);
                    }
                    let to = execution::on(after.state, event, now).map_err(Error::Refused)?;
                    Change::Moved { to, because, error, at: now }
                }
                Command::Wait(_) => continue,
            };
            after.apply(&change);
            changes.push(change);
        }
        self.write_and_launch(&changes, extras, jobs).await
    }

    async fn write_and_launch(
        &mut self,
        changes: &[Change],
        extras: Extras,
        jobs: Vec<Job>,
    ) -> Result<Result<(), LeaseLost>, Error> {
        let opens = changes.iter().find_map(|change| match change {
            Change::Opened(attempt) => Some(attempt.direction),
            Change::Prepared(_)
            | Change::Seen(_)
            | Change::Closed { .. }
            | Change::Settled { .. }
            | Change::Moved { .. }
            | Change::Collected(_) => None,
        });
        let moves = changes.iter().find_map(|change| match change {
            Change::Moved { to, .. } => Some(points::state(*to)),
            Change::Prepared(_)
            | Change::Seen(_)
            | Change::Opened(_)
            | Change::Closed { .. }
            | Change::Settled { .. }
            | Change::Collected(_) => None,
        });
        let before = opens.map(|direction| points::step(direction, Place::BeforeT1));
        for point in before.into_iter().chain(moves.map(|points| points.0)) {
            self.engine.reach(point).await;
        }
        if !changes.is_empty() {
            let written = self.write(changes, extras).await?;
            if written.is_err() {
                return Ok(written);
            }
        }
        let after = opens.map(|direction| points::step(direction, Place::AfterT1));
        for point in after.into_iter().chain(moves.map(|points| points.1)) {
            self.engine.reach(point).await;
        }
        for job in jobs {
            self.snapshot.in_flight.insert(job.attempt.id);
            self.snapshot.ask_at.remove(&job.attempt.id);
            let (engine, lease) = (Arc::clone(self.engine), Arc::clone(self.lease));
            let tape = Arc::clone(self.tape);
            self.flights.spawn(async move { engine.work(&lease, job, tape).await });
        }
        Ok(Ok(()))
    }

    /// An attempt to open, and the work it stands for.
    fn open(
        &self,
        after: &Snapshot,
        open: Open,
        now: Timestamp,
        extras: &mut Extras,
    ) -> Option<(Change, Job)> {
        let timeout = Duration::from_secs(u64::from(open.timeout_s));
        let whole = SignedDuration::try_from(timeout.saturating_add(self.engine.settings.grace));
        let attempt = Attempt {
            id: AttemptId::generate(),
            run: open.run,
            direction: open.direction,
            no: open.no,
            epoch: self.lease.claimed.epoch,
            state: AttemptState::Intent,
            started: None,
            deadline: now.checked_add(whole.ok()?).unwrap_or(Timestamp::MAX),
            resolution: None,
            end_seen: false,
        };
        extras.scripts.insert(attempt.id, Digest::of(open.script.as_bytes()));
        let stop_first = open.stop_first.and_then(|id| after.attempt(id)).map(Attempt::token);
        let run = after.run(open.run)?;
        let job = Job {
            attempt: attempt.clone(),
            step: after.step(run)?.clone(),
            target: after.plan.target(run.resource)?.clone(),
            script: open.script,
            timeout,
            stop_first,
            left_open: None,
        };
        Some((Change::Opened(attempt), job))
    }

    /// The work of finding out about an attempt that was left open.
    fn reopen(&self, id: AttemptId, overdue: bool) -> Option<Job> {
        let snapshot = &self.snapshot;
        let attempt = snapshot.attempt(id)?;
        let run = snapshot.run(attempt.run)?;
        let step = snapshot.step(run)?;
        let scripts = match attempt.direction {
            Direction::Do => &step.scripts,
            Direction::Undo => &step.undo,
        };
        // Only an idempotent attempt is sent again. Its values are the ones it was opened with:
        // nothing that it may refer to has changed since.
        let script = scripts.get(&run.resource).map(|script| {
            self.engine.terms.fill(script, &late(snapshot, run.resource)).unwrap_or_default()
        });
        Some(Job {
            attempt: attempt.clone(),
            step: step.clone(),
            target: snapshot.plan.target(run.resource)?.clone(),
            script: script?,
            timeout: Duration::from_secs(u64::from(step.timeout_s)),
            stop_first: None,
            left_open: Some(overdue),
        })
    }

    /// Stores one piece of evidence. When that fails it is tried again until the plan's time is
    /// up; without it the plan is never completed.
    async fn collect(
        &mut self,
        run: StepRunId,
        requirement: EvidenceRequirement,
    ) -> Result<Result<(), LeaseLost>, Error> {
        self.engine.reach("act.evidence.before").await;
        let collected = self.engine.collect(self.lease, &self.snapshot, run, &requirement).await;
        let (collected, stored) = match collected {
            Ok(done) => done,
            Err(error) => {
                tracing::warn!(%error, "evidence could not be stored; it is tried again");
                tokio::time::sleep(self.engine.settings.poll).await;
                return Ok(Ok(()));
            }
        };
        let extras = Extras { stored: Some(stored), ..Extras::default() };
        let written = self.write(&[Change::Collected(collected)], extras).await?;
        self.engine.reach("act.evidence.after").await;
        Ok(written)
    }

    /// Writes changes in one transaction under the lease's epoch, and only then believes them.
    async fn write(
        &mut self,
        changes: &[Change],
        extras: Extras,
    ) -> Result<Result<(), LeaseLost>, Error> {
        let failed = || Error::db("writing what happened");
        let mut after = self.snapshot.clone();
        for change in changes {
            after.apply(change);
        }
        let claimed = &self.lease.claimed;
        let reel = self.tape.take();
        let batch = Batch {
            claimed,
            before: &self.snapshot,
            after: &after,
            changes,
            artifacts: &extras.artifacts,
            stored: extras.stored.as_ref(),
            reel: &reel,
        };
        let mut tx = self.engine.db.tenant(claimed.tenant).await.map_err(failed())?;
        let Some(written) = write(&mut tx, &batch).await.map_err(failed())? else {
            return Ok(Err(LeaseLost));
        };
        let events = audit::events(&self.engine.settings.who, &batch, &extras.scripts);
        tx.audit_many(&events).await.map_err(failed())?;
        if after.state.terminal() && !self.snapshot.state.terminal() {
            let finished = finished(&after, written.now);
            self.engine.hooks.finish(&mut tx, &finished).await.map_err(Error::Finish)?;
        }
        tx.commit().await.map_err(failed())?;
        self.lease.cancel(written.cancel_requested);
        self.clock = DbClock::new(written.now);
        self.snapshot = after;
        Ok(Ok(()))
    }
}

/// What a task came to; its panic is this turn's.
fn landed(landing: Result<Landing, JoinError>) -> Landing {
    landing.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// What a landing changes; `None` when nothing is known yet.
fn outcome(
    after: &Snapshot,
    attempt: &Attempt,
    landing: Landing,
    now: Timestamp,
    extras: &mut Extras,
) -> Option<Change> {
    let Some(observed) = landing.observed else {
        return (landing.seen && attempt.started.is_none()).then_some(Change::Seen(attempt.id));
    };
    let step = after.run(attempt.run).and_then(|run| after.step(run))?;
    let seen = Attempt {
        started: attempt.started.or_else(|| landing.seen.then_some(true)),
        ..attempt.clone()
    };
    let mut closing = close(after, step, &seen, observed, now);
    closing.error = closing.error.as_deref().map(clean);
    let captured = landing.output.preview().map(Arc::new);
    extras.artifacts.insert(attempt.id, landing.artifact);
    Some(Change::Closed { attempt: attempt.id, closing, captured })
}

fn settled(run: StepRunId, state: StepState, error: Option<&str>) -> Change {
    let error = error.map(clean);
    Change::Settled { run, state, error }
}

/// A text from a target as the database takes it: no NUL, and no end of it.
fn clean(error: &str) -> String {
    let kept = error.chars().take(ERROR_CHARS);
    kept.map(|one| if one == '\0' { '\u{2400}' } else { one }).collect()
}

/// One pending run for each step and target.
fn prepare(snapshot: &Snapshot) -> Change {
    let mut runs = Vec::new();
    for step in &snapshot.plan.steps {
        for target in &snapshot.plan.targets {
            runs.push(StepRun {
                id: run_id(snapshot.execution, step.order, target.resource_id),
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
    Change::Prepared(runs)
}

/// The id of a step's run on a target, the same however often an execution is prepared: a database
/// brought back from before the start prepares it again, and the guard on the target must know what
/// it has begun already. A version 7 UUID of the execution's time.
fn run_id(execution: ExecutionId, order: u32, resource: ResourceId) -> StepRunId {
    let (execution, resource) = (execution.uuid(), resource.uuid());
    let order = order.to_be_bytes();
    let told = [execution.as_bytes().as_slice(), &order, resource.as_bytes()];
    let digest = Digest::of(&told.concat());
    let bits = digest.as_bytes().iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    let time = execution.as_u128() >> 80 << 80;
    let random = bits & !(u128::MAX << 80) & !(0xf << 76) & !(0b11 << 62);
    StepRunId::fixed(time | random | 7 << 76 | 0b10 << 62)
}

fn ended(state: ExecutionState) -> Ended {
    if state == ExecutionState::NeedsHuman { Ended::NeedsHuman } else { Ended::Finished(state) }
}

fn finished(snapshot: &Snapshot, at: Timestamp) -> Finished {
    Finished {
        tenant: snapshot.tenant,
        execution: snapshot.execution,
        plan: Arc::clone(&snapshot.plan),
        state: snapshot.state,
        because: snapshot.because,
        error: snapshot.error.clone(),
        verified: verified(snapshot),
        started_at: snapshot.started_at,
        ended_at: at,
    }
}
