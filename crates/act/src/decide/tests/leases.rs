//! Two workers over one store: leases that run out while their holder sleeps or dies, writes under
//! an epoch, starts under a guard on the target. The invariants hold in each of many lives, and
//! without either fence they do not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::simulation::Dice;
use super::*;

/// How long a lease holds, in ticks.
const LEASE: u64 = 12;
/// An execution that is not over by then is lost.
const LONGEST: u64 = 20_000;

/// What stops a worker that does not know that its lease is gone.
#[derive(Clone, Copy)]
struct Fences {
    /// The store refuses writes of an old epoch.
    store: bool,
    /// A target refuses a start whose token is taken.
    target: bool,
}

const BOTH: Fences = Fences { store: true, target: true };

/// What a target holds under one token.
#[derive(Clone, Copy)]
enum Held {
    Exited(i32),
    Fenced,
    /// Started, and its boot is over.
    Gone,
}

/// What the log says of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Intent,
    Outcome,
}

#[derive(Default)]
struct Worker {
    /// The epoch it believes to hold.
    epoch: Option<i64>,
    /// What it last read, with what it has in flight.
    view: Option<Snapshot>,
    /// Decided, not yet done.
    todo: VecDeque<Command>,
    /// Opened, not yet started.
    to_start: VecDeque<(Attempt, String)>,
    /// Seen, not yet written.
    seen: VecDeque<(AttemptId, Observed)>,
    asleep_until: u64,
}

struct Life {
    dice: Dice,
    fences: Fences,
    clock: u64,
    /// What is stored.
    world: World,
    epoch: i64,
    lease_until: u64,
    claims: Vec<i64>,
    log: Vec<(AttemptId, Told)>,
    /// What the targets hold, by token.
    held: BTreeMap<String, Held>,
    /// Every effect there was.
    starts: Vec<Attempt>,
    workers: [Worker; 2],
    /// Writes and starts of a worker whose lease was gone, and which came to nothing.
    refused: (usize, usize),
    faults: Vec<String>,
}

impl Life {
    fn new(seed: u64, fences: Fences) -> Self {
        let mut dice = Dice(seed);
        let acts = 1 + u32::try_from(dice.roll(4)).unwrap();
        let targets = 1 + usize::try_from(dice.roll(3)).unwrap();
        let mut plan = plan(acts, targets);
        plan.max_parallel = 1 + u32::try_from(dice.roll(3)).unwrap();
        for step in &mut plan.steps {
            if dice.roll(6) == 0 {
                step.undo.clear();
            }
        }
        Self {
            dice,
            fences,
            clock: 0,
            world: World::new(plan),
            epoch: 0,
            lease_until: 0,
            claims: Vec::new(),
            log: Vec::new(),
            held: BTreeMap::new(),
            starts: Vec::new(),
            workers: [Worker::default(), Worker::default()],
            refused: (0, 0),
            faults: Vec::new(),
        }
    }

    fn fault(&mut self, what: impl Into<String>) {
        self.faults.push(what.into());
    }

    /// Lives until it is over and nobody sleeps any more.
    fn live(mut self) -> Self {
        while self.world.snapshot.state.workable() && self.faults.is_empty() {
            self.tick();
            if self.clock > LONGEST {
                self.fault("I-2: nobody finishes it");
            }
        }
        for _ in 0..8 * LEASE {
            self.tick();
        }
        self
    }

    fn tick(&mut self) {
        self.clock += 1;
        if self.dice.roll(400) == 0 {
            self.world.snapshot.cancel_requested = true;
        }
        let who = usize::try_from(self.dice.roll(2)).unwrap();
        if self.workers[who].asleep_until > self.clock {
            return;
        }
        match self.dice.roll(60) {
            0 => self.workers[who] = Worker::default(),
            // A stop, at whatever it was about to do next.
            1..=3 => {
                let ticks = self.dice.roll(3 * LEASE);
                self.workers[who].asleep_until = self.clock + ticks;
            }
            _ if self.workers[who].epoch.is_none() => self.claim(who),
            4..=14 => self.renew(who),
            _ => self.work(who),
        }
    }

    fn claim(&mut self, who: usize) {
        if self.lease_until > self.clock || !self.world.snapshot.state.workable() {
            return;
        }
        self.epoch += 1;
        self.claims.push(self.epoch);
        self.lease_until = self.clock + LEASE;
        let view = Some(self.world.snapshot.clone());
        self.workers[who] = Worker { epoch: Some(self.epoch), view, ..Worker::default() };
    }

    fn renew(&mut self, who: usize) {
        if self.may_write(who) {
            self.lease_until = self.clock + LEASE;
            self.read_again(who);
        }
    }

    /// Whether a write of this worker's counts; one that does not is how it learns of its end.
    fn may_write(&mut self, who: usize) -> bool {
        if self.workers[who].epoch == Some(self.epoch) {
            return true;
        }
        if !self.fences.store {
            self.fault("I-5: a write of an old epoch");
        }
        self.refused.0 += 1;
        self.workers[who] = Worker::default();
        false
    }

    /// What was just written is what the worker believes.
    fn read_again(&mut self, who: usize) {
        let mut stored = self.world.snapshot.clone();
        if let Some(view) = &self.workers[who].view {
            stored.in_flight.clone_from(&view.in_flight);
        }
        self.workers[who].view = Some(stored);
    }

    fn work(&mut self, who: usize) {
        let later = self.dice.roll(2) == 0;
        if !later && let Some((attempt, script)) = self.workers[who].to_start.pop_front() {
            return self.start(who, attempt, &script);
        }
        if let Some(command) = self.workers[who].todo.pop_front() {
            return self.perform(who, command);
        }
        if !later && let Some((attempt, observed)) = self.workers[who].seen.pop_front() {
            return self.write_end(who, attempt, observed);
        }
        let view = self.workers[who].view.as_ref().expect("whoever claims reads");
        self.workers[who].todo = decide(view, &PlainTerms, self.world.now).into();
    }

    fn perform(&mut self, who: usize, command: Command) {
        match command {
            Command::Wait(until) => self.world.now = self.world.now.max(until),
            Command::Resolve { attempt, .. } => {
                let view = self.workers[who].view.as_ref().expect("whoever claims reads");
                let token = view.attempt(attempt).expect("it was decided about").token();
                let observed = match *self.held.entry(token).or_insert(Held::Fenced) {
                    Held::Exited(code) => Observed::Exited { code },
                    Held::Fenced => Observed::Fenced,
                    Held::Gone => Observed::Unknown { reason: "rebooted".to_owned() },
                };
                self.write_end(who, attempt, observed);
            }
            Command::Open(open) => {
                if !self.may_write(who) {
                    return;
                }
                let script = open.script.clone();
                self.world.perform(vec![Command::Open(open)], &mut |_| None);
                let opened = self.world.snapshot.attempts.last_mut().unwrap();
                opened.epoch = self.epoch;
                let opened = opened.clone();
                self.log.push((opened.id, Told::Intent));
                self.read_again(who);
                let worker = &mut self.workers[who];
                worker.view.as_mut().unwrap().in_flight.insert(opened.id);
                worker.to_start.push_back((opened, script));
            }
            other => {
                if self.may_write(who) {
                    self.world.perform(vec![other], &mut |_| None);
                    self.read_again(who);
                }
            }
        }
    }

    /// Starts an effect, as who may have lost the lease since it wrote that it would.
    fn start(&mut self, who: usize, attempt: Attempt, script: &str) {
        let token = attempt.token();
        let (id, luck) = (attempt.id, self.dice.roll(12));
        if luck == 0 {
            let reason = "unreachable".to_owned();
            return self.workers[who].seen.push_back((id, Observed::NotStarted { reason }));
        }
        if self.held.contains_key(&token) && self.fences.target {
            self.refused.1 += 1;
            let reason = "the guard is lost".to_owned();
            return self.workers[who].seen.push_back((id, Observed::NotStarted { reason }));
        }
        self.is_told_and_planned(&attempt, script);
        self.starts.push(attempt);
        let code = i32::from(self.dice.roll(5) == 0);
        let gone = luck == 1;
        self.held.insert(token, if gone { Held::Gone } else { Held::Exited(code) });
        // Now and then the line is lost: the target is asked.
        if gone || luck == 2 {
            self.workers[who].view.as_mut().unwrap().in_flight.remove(&id);
        } else {
            self.workers[who].seen.push_back((id, Observed::Exited { code }));
        }
    }

    fn is_told_and_planned(&mut self, attempt: &Attempt, script: &str) {
        let intents = self.log.iter().filter(|one| **one == (attempt.id, Told::Intent)).count();
        if intents != 1 {
            self.fault(format!("I-3: an effect with {intents} intents before it"));
        }
        let run = self.world.snapshot.run(attempt.run).unwrap();
        let step = self.world.snapshot.step(run).unwrap();
        let scripts = match attempt.direction {
            Direction::Do => &step.scripts,
            Direction::Undo => &step.undo,
        };
        if scripts.get(&run.resource) != Some(&Script::text(script.to_owned())) {
            self.fault(format!("I-4: {script} is not what was approved"));
        }
    }

    fn write_end(&mut self, who: usize, attempt: AttemptId, observed: Observed) {
        if !self.may_write(who) {
            return;
        }
        if !self.world.snapshot.open().any(|one| one.id == attempt) {
            return self.fault("I-3: an end is written twice");
        }
        self.world.close(attempt, observed);
        self.log.push((attempt, Told::Outcome));
        self.read_again(who);
        self.workers[who].view.as_mut().unwrap().in_flight.remove(&attempt);
    }

    /// Everything that is wrong with this life.
    fn judged(&self) -> Vec<String> {
        let mut faults = self.faults.clone();
        let snapshot = &self.world.snapshot;
        let mut hold = |what: &str, holds: bool| {
            if !holds {
                faults.push(what.to_owned());
            }
        };
        let over = snapshot.state.terminal() || snapshot.state == ExecutionState::NeedsHuman;
        hold("I-2: it is over", over);
        for run in &snapshot.runs {
            let many = |direction| {
                let of = |one: &&Attempt| (one.run, one.direction) == (run.id, direction);
                self.starts.iter().filter(of).count()
            };
            let once = snapshot.step(run).unwrap().semantics == Semantics::AtMostOnce;
            hold("I-1: at most once", !once || many(Direction::Do) <= 1);
            hold("I-1: undone at most once", many(Direction::Undo) <= 1);
        }
        for start in &self.starts {
            let told: Vec<Told> =
                self.log.iter().filter(|one| one.0 == start.id).map(|one| one.1).collect();
            let good = matches!(told.as_slice(), [Told::Intent, Told::Outcome])
                || (snapshot.state == ExecutionState::NeedsHuman && told == [Told::Intent]);
            hold("I-3: one intent, then one outcome", good);
        }
        hold("I-5: epochs increase", self.claims.is_sorted_by(|a, b| a < b));
        let epochs: Vec<i64> = snapshot.attempts.iter().map(|one| one.epoch).collect();
        hold("I-5: no row of an old epoch after one of a new", epochs.is_sorted());
        let ended = |one: &Attempt| snapshot.run(one.run).unwrap().ended;
        let undone: Vec<Option<u32>> =
            self.starts.iter().filter(|one| one.direction == Direction::Undo).map(ended).collect();
        hold("I-6: undone in reverse", undone.is_sorted_by(|a, b| a > b));
        faults
    }
}

#[test]
fn r17_two_workers_whose_leases_run_out_keep_the_invariants() {
    let lives = if std::env::var_os("COUNTERSIGN_CHAOS").is_some() { 100_000 } else { 1_000 };
    let (mut ends, mut writes, mut starts, mut handed_over) = (BTreeSet::new(), 0, 0, 0);
    for seed in 0..lives {
        let life = Life::new(seed, BOTH).live();
        assert_eq!(life.judged(), Vec::<String>::new(), "seed {seed}");
        ends.insert(life.world.snapshot.state.word());
        writes += life.refused.0;
        starts += life.refused.1;
        handed_over += usize::from(life.claims.len() > 1);
    }
    // They were about what they are for.
    assert!(handed_over > 300, "only {handed_over} had more than one lease");
    assert!(writes > 100, "only {writes} writes of an old epoch");
    assert!(starts > 10, "only {starts} starts that a guard refused");
    for state in ["completed", "rolled_back", "needs_human", "failed", "cancelled"] {
        assert!(ends.contains(state), "no life ended {state}: {ends:?}");
    }
}

#[test]
fn r17_without_either_fence_the_same_lives_break_the_invariants() {
    for (fences, invariant) in [
        (Fences { store: false, ..BOTH }, "I-5: a write of an old epoch"),
        (Fences { target: false, ..BOTH }, "I-1: at most once"),
    ] {
        let broken = (0..1_000)
            .filter(|seed| {
                Life::new(*seed, fences).live().judged().iter().any(|one| one == invariant)
            })
            .count();
        assert!(broken > 5, "{invariant}: only {broken} of a thousand lives");
    }
}

#[test]
fn r17_two_workers_live_the_same_life_twice() {
    for seed in [3, 141, 592] {
        let (first, second) = (Life::new(seed, BOTH).live(), Life::new(seed, BOTH).live());
        assert_eq!((first.starts, first.log.len()), (second.starts, second.log.len()));
        assert_eq!(first.world.snapshot.attempts, second.world.snapshot.attempts);
    }
}
