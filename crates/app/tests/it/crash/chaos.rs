//! Chaos: executions run on three replicas while these are killed and put to sleep, and their
//! database crashes. What strikes whom and when follows from a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use model::id::ExecutionId;
use rustix::process::{Pid, Signal, kill_process};

use super::LEASE;
use super::control::Fencing;
use super::deployment::Deployment;
use super::process::{Process, Setup};
use super::runbooks::{Step, runbook};
use super::until;

/// Processes that work side by side.
const REPLICAS: u64 = 3;

/// Executions one of them carries out at a time: what there is to do must outlast the faults.
const CAPACITY: &str = "2";

/// The steps that must not run twice.
const STEPS: [&str; 5] = ["one", "two", "three", "four", "five"];

/// Whether the long runs are wanted (`make chaos`).
pub(super) fn wanted() -> bool {
    let asked = std::env::var_os("COUNTERSIGN_CHAOS").is_some();
    if !asked {
        println!("not run: set COUNTERSIGN_CHAOS, or use `make chaos`");
    }
    asked
}

/// A small deterministic generator (splitmix64).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// Less than `sides`.
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// Between these.
    fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let span = u64::try_from((most - least).as_millis()).expect("a short time");
        least + Duration::from_millis(self.roll(span + 1))
    }
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// A replica is killed; another one starts in its place.
    Kill(u64),
    /// A replica sleeps for this long.
    Sleep(u64, Duration),
    /// A process of PostgreSQL's that serves a connection is killed: the server drops them all.
    Backend(u64),
}

/// What to run, and what to do to it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) executions: usize,
    /// How long a step takes, in seconds.
    pub(super) step_s: f64,
    /// For how long faults strike, at most: they end with the work.
    pub(super) time: Duration,
    /// How many processes of PostgreSQL's are killed in that time.
    pub(super) backends: u32,
}

impl Plan {
    /// Every fault with its moment, in order.
    fn faults(&self) -> Vec<(Duration, Fault)> {
        let mut dice = Dice::of(self.seed);
        let mut faults = Vec::new();
        let mut at = Duration::from_secs(1);
        while at < self.time {
            let replica = dice.roll(REPLICAS);
            let asleep = dice.between(LEASE * 11 / 10, LEASE * 3);
            faults.push((
                at,
                match dice.roll(2) {
                    0 => Fault::Kill(replica),
                    _ => Fault::Sleep(replica, asleep),
                },
            ));
            at += dice.between(Duration::from_millis(300), Duration::from_millis(1500));
        }
        // A server that crashed is given time to come back before it crashes again.
        for number in 1..=self.backends {
            let slot = self.time / (self.backends + 1);
            let late = dice.between(Duration::ZERO, slot / 2);
            faults.push((slot * number + late, Fault::Backend(dice.roll(u64::MAX))));
        }
        faults.sort_by_key(|(at, _)| *at);
        faults
    }
}

/// What came of a run.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) executions: Vec<ExecutionId>,
    pub(super) killed: usize,
    pub(super) slept: usize,
    pub(super) crashed: usize,
    /// Effects beyond the first of a step.
    pub(super) twice: usize,
    /// Steps without any effect.
    pub(super) missing: usize,
    /// Executions that were not completed, with their states and why.
    pub(super) other: Vec<(uuid::Uuid, String, Option<String>)>,
}

impl Tally {
    /// Whether everything was done, and once.
    pub(super) fn whole(&self) -> bool {
        (self.twice, self.missing) == (0, 0) && self.other.is_empty()
    }
}

/// When faults stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// When there is nothing left to do.
    Done,
    /// When something took effect twice, too.
    Twice,
}

struct Replica {
    process: Process,
    wakes: Option<Instant>,
}

/// A run under way.
struct Run<'a> {
    deployment: &'a Deployment,
    setup: Setup<'a>,
    replicas: Vec<Replica>,
    tally: Tally,
}

/// Runs executions of five steps each through the faults, and leaves replicas that work.
///
/// The control variants run the same under the same faults with part of the fencing taken away.
pub(super) async fn endure(
    deployment: &Deployment,
    plan: &Plan,
    fencing: Fencing,
    stop: Until,
) -> Tally {
    println!("chaos: {plan:?} {fencing:?}");
    let mut steps: Vec<Step> = STEPS.iter().map(|name| acts(name, plan.step_s)).collect();
    // A check may be made as often as it takes, and is not counted.
    steps.push(Step::check("check"));
    let name = format!("chaos-{}", plan.seed);
    let book = deployment.runbook(&runbook(&name, &deployment.effects(), &steps)).await;
    let executions = deployment.approved_many(&book, plan.executions).await;
    let more = ["--capacity", CAPACITY];
    let setup = Setup { more: &more, fencing, log: "warn", ..deployment.worker() };
    let replicas = (0..REPLICAS).map(|_| Replica { process: setup.spawn(), wakes: None }).collect();
    let tally = Tally { executions, ..Tally::default() };
    let mut run = Run { deployment, setup, replicas, tally };
    run.suffer(plan, stop).await;
    run.heal();
    if stop == Until::Done {
        until("the work to be done", async || {
            run.wake();
            run.done().await.then_some(())
        })
        .await;
    }
    let mut tally = run.tally;
    count(deployment, &mut tally);
    tally.other = sqlx::query_as(
        "SELECT id, state, error_message FROM countersign.executions WHERE state <> 'completed'",
    )
    .fetch_all(deployment.test.admin())
    .await
    .expect("the database answers");
    println!("chaos: seed {} {fencing:?}: {}", plan.seed, told(&tally));
    tally
}

fn acts(name: &'static str, step_s: f64) -> Step {
    Step::act(name).then(format!("sleep {step_s}"))
}

fn told(tally: &Tally) -> String {
    let Tally { executions, killed, slept, crashed, twice, missing, .. } = tally;
    let executions = executions.len();
    format!(
        "{executions} executions, {killed} killed, {slept} put to sleep, {crashed} crashes of \
         PostgreSQL: {twice} effects twice, {missing} missing"
    )
}

/// Counts what took effect.
fn count(deployment: &Deployment, tally: &mut Tally) {
    let mut effects: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in deployment.lines() {
        *effects.entry((line[0].clone(), line[1].clone())).or_default() += 1;
    }
    let ids: BTreeSet<String> = tally.executions.iter().map(ToString::to_string).collect();
    effects
        .retain(|(execution, step), _| ids.contains(execution) && STEPS.contains(&step.as_str()));
    tally.twice = effects.values().map(|count| count - 1).sum();
    tally.missing = ids.len() * STEPS.len() - effects.len();
}

impl Run<'_> {
    /// Lets the faults happen until they are over, or the work is.
    async fn suffer(&mut self, plan: &Plan, stop: Until) {
        let began = Instant::now();
        let mut faults = plan.faults().into_iter().peekable();
        while began.elapsed() < plan.time && !self.over(stop).await {
            self.wake();
            if let Some((_, fault)) = faults.next_if(|(at, _)| *at <= began.elapsed()) {
                self.strike(fault).await;
                continue;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn over(&mut self, stop: Until) -> bool {
        if stop == Until::Twice {
            count(self.deployment, &mut self.tally);
        }
        self.tally.twice > 0 || self.done().await
    }

    /// Whether nothing is left to do. While the database is away nobody knows.
    async fn done(&self) -> bool {
        let ids: Vec<_> = self.tally.executions.iter().map(|id| id.uuid()).collect();
        let done = sqlx::query_scalar(
            "SELECT NOT EXISTS (
               SELECT 1 FROM countersign.executions WHERE id = ANY ($1)
                 AND state IN ('approved', 'in_progress', 'verifying', 'rolling_back'))",
        );
        done.bind(ids).fetch_one(self.deployment.test.admin()).await.unwrap_or(false)
    }

    /// Wakes whoever has slept long enough, and starts those again who have ended, as a supervisor
    /// would: nobody starts while the database is away.
    fn wake(&mut self) {
        for replica in &mut self.replicas {
            if replica.process.ended().is_some() {
                *replica = Replica { process: self.setup.spawn(), wakes: None };
            }
            if replica.wakes.take_if(|wakes| *wakes <= Instant::now()).is_some() {
                replica.process.signal(Signal::CONT);
            }
        }
    }

    async fn strike(&mut self, fault: Fault) {
        let at = |replica: u64| usize::try_from(replica).expect("a few");
        match fault {
            Fault::Kill(replica) => {
                let struck = &mut self.replicas[at(replica)];
                if struck.process.ended().is_none() {
                    self.tally.killed += 1;
                    struck.process.signal(Signal::KILL);
                    struck.process.end().await;
                }
                *struck = Replica { process: self.setup.spawn(), wakes: None };
            }
            Fault::Sleep(replica, time) => {
                let struck = &mut self.replicas[at(replica)];
                if struck.process.ended().is_none() {
                    self.tally.slept += 1;
                    struck.process.signal(Signal::STOP);
                    struck.wakes = Some(Instant::now() + time);
                }
            }
            Fault::Backend(lot) => self.crash(lot).await,
        }
    }

    /// Kills one of PostgreSQL's processes, if there are any.
    async fn crash(&mut self, lot: u64) {
        let backends: Vec<i32> = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity
             WHERE application_name = 'countersign' AND datname = current_database()
             ORDER BY pid",
        )
        .fetch_all(self.deployment.test.admin())
        .await
        .unwrap_or_default();
        let count = u64::try_from(backends.len()).expect("a few");
        let chosen = lot.checked_rem(count).and_then(|at| usize::try_from(at).ok());
        if let Some(pid) = chosen.and_then(|at| Pid::from_raw(backends[at])) {
            // It may have ended by itself a moment ago.
            self.tally.crashed += usize::from(kill_process(pid, Signal::KILL).is_ok());
        }
    }

    /// Wakes everybody.
    fn heal(&mut self) {
        for replica in &mut self.replicas {
            if replica.wakes.is_some() {
                replica.wakes = Some(Instant::now());
            }
        }
        self.wake();
    }
}

mod tests {
    use super::*;

    #[test]
    fn the_same_seed_is_the_same_chaos() {
        let time = Duration::from_secs(90);
        let plan = |seed| Plan { seed, executions: 1, step_s: 1.0, time, backends: 8 };
        let faults = plan(7).faults();
        assert_eq!(faults, plan(7).faults());
        assert_ne!(faults, plan(8).faults());
        let backends = faults.iter().filter(|(_, fault)| matches!(fault, Fault::Backend(_)));
        assert_eq!(backends.count(), 8);
        assert!(faults.iter().all(|(at, _)| *at < time), "{faults:?}");
    }
}
