//! Many random lives of random plans, with crashes: the invariants hold in each.

use std::collections::BTreeMap;

use super::*;

/// A small deterministic generator (splitmix64), so that a failing seed fails again.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// What a target really holds under one token.
#[derive(Clone, Copy)]
enum Held {
    Exited(i32),
    Fenced,
    /// Started, and its boot is over.
    Gone,
}

struct Estate {
    dice: Dice,
    held: BTreeMap<String, Held>,
    /// Every start, by step and target.
    starts: Vec<(StepRunId, Direction)>,
    /// What was seen and is not told yet.
    on_the_way: Vec<(AttemptId, Observed)>,
    /// How often something was told twice, or after another worker had asked the target itself.
    late: usize,
}

impl Estate {
    /// Starts an effect and says what the worker sees: an end, or nothing because it crashed
    /// before the start, after it, or lost the line.
    fn start(&mut self, attempt: &Attempt) -> Option<Observed> {
        let token = attempt.token();
        assert!(!self.held.contains_key(&token), "one start a token");
        match self.dice.roll(12) {
            0 => return None,
            1 => return Some(Observed::NotStarted { reason: "unreachable".to_owned() }),
            _ => {}
        }
        self.starts.push((attempt.run, attempt.direction));
        let code = i32::from(self.dice.roll(5) == 0);
        match self.dice.roll(12) {
            0 => {
                self.held.insert(token, Held::Gone);
                None
            }
            1 | 2 => {
                self.held.insert(token, Held::Exited(code));
                None
            }
            _ => {
                self.held.insert(token, Held::Exited(code));
                Some(Observed::Exited { code })
            }
        }
    }

    /// The fence of the next worker.
    fn fence(&mut self, attempt: &Attempt) -> Observed {
        let held = *self.held.entry(attempt.token()).or_insert(Held::Fenced);
        match held {
            Held::Exited(code) => Observed::Exited { code },
            Held::Fenced => Observed::Fenced,
            Held::Gone => Observed::Unknown { reason: "rebooted".to_owned() },
        }
    }
}

impl Estate {
    /// Tells one of the things that were seen, in any order; now and then it is told again later.
    fn tell(&mut self, world: &mut World) {
        let Ok(many) = u64::try_from(self.on_the_way.len()) else { return };
        let at = usize::try_from(self.dice.roll(many.max(1))).unwrap();
        if at >= self.on_the_way.len() {
            return;
        }
        let again = self.dice.roll(4) == 0;
        let (attempt, observed) = match again {
            true => self.on_the_way[at].clone(),
            false => self.on_the_way.swap_remove(at),
        };
        let open = world.snapshot.open().any(|one| one.id == attempt);
        // The store takes one end of an attempt, whoever tells it.
        self.late += usize::from(!open);
        if open {
            world.snapshot.in_flight.remove(&attempt);
            world.close(attempt, observed);
        }
    }
}

fn live(seed: u64) -> (World, Estate) {
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
    let mut world = World::new(plan);
    let mut estate =
        Estate { dice, held: BTreeMap::new(), starts: Vec::new(), on_the_way: Vec::new(), late: 0 };
    for round in 0.. {
        assert!(round < 1_000, "seed {seed} never ends");
        let commands = world.decide();
        if commands.is_empty() && estate.on_the_way.is_empty() {
            break;
        }
        if commands.is_empty() || estate.dice.roll(2) == 0 {
            estate.tell(&mut world);
            continue;
        }
        // The worker is gone: the next one knows of nothing in flight, and what the first one saw
        // is told by it late, as by one that was only asleep.
        if estate.dice.roll(25) == 0 {
            world.snapshot.in_flight.clear();
            continue;
        }
        if estate.dice.roll(60) == 0 {
            world.snapshot.cancel_requested = true;
        }
        for command in commands {
            // A crash between deciding and doing: the decision is simply made again.
            if estate.dice.roll(20) == 0 {
                break;
            }
            match command {
                Command::Resolve { attempt, .. } => {
                    let attempt = world.snapshot.attempt(attempt).unwrap().clone();
                    let observed = estate.fence(&attempt);
                    world.close(attempt.id, observed);
                }
                Command::Open(open) => {
                    world.perform(vec![Command::Open(open)], &mut |_| None);
                    let attempt = world.snapshot.attempts.last().unwrap().clone();
                    if let Some(observed) = estate.start(&attempt) {
                        world.snapshot.in_flight.insert(attempt.id);
                        estate.on_the_way.push((attempt.id, observed));
                    }
                }
                other => world.perform(vec![other], &mut |_| None),
            }
        }
    }
    (world, estate)
}

#[test]
fn r17_a_thousand_lives_keep_the_invariants() {
    let lives = if std::env::var_os("COUNTERSIGN_CHAOS").is_some() { 100_000 } else { 1_000 };
    let (mut ends, mut late) = (BTreeMap::new(), 0);
    for seed in 0..lives {
        let (world, estate) = live(seed);
        late += estate.late;
        let state = world.snapshot.state;
        *ends.entry(state.word()).or_insert(0) += 1;
        assert!(state.terminal() || state == ExecutionState::NeedsHuman, "seed {seed}: {state}");
        for run in &world.snapshot.runs {
            let count =
                |direction| estate.starts.iter().filter(|one| **one == (run.id, direction)).count();
            let step = world.snapshot.step(run).unwrap();
            if step.semantics == Semantics::AtMostOnce {
                assert!(count(Direction::Do) <= 1, "seed {seed}: {} ran twice", step.name);
            }
            assert!(count(Direction::Undo) <= 1, "seed {seed}: undo of {} ran twice", step.name);
        }
        let ended = |run: StepRunId| world.snapshot.run(run).unwrap().ended;
        let undone: Vec<Option<u32>> = estate
            .starts
            .iter()
            .filter(|one| one.1 == Direction::Undo)
            .map(|one| ended(one.0))
            .collect();
        assert!(undone.is_sorted_by(|a, b| a > b), "seed {seed}: {undone:?}");
        if state == ExecutionState::RolledBack {
            let left = world.snapshot.runs.iter().find(|run| {
                world.snapshot.acted(run)
                    && run.state != StepState::Undone
                    && world.snapshot.step(run).unwrap().semantics != Semantics::Read
            });
            assert_eq!(left, None, "seed {seed}");
        }
    }
    assert!(late > 100, "only {late} times something was told late or twice");
    for state in [
        "completed",
        "rolled_back",
        "needs_human",
        "rollback_failed",
        "failed",
        "partially_rolled_back",
        "cancelled",
    ] {
        assert!(ends.contains_key(state), "no life ended {state}: {ends:?}");
    }
}

#[test]
fn r17_a_seed_lives_the_same_life_twice() {
    for seed in [3, 141, 592] {
        let (first, second) = (live(seed).0.snapshot, live(seed).0.snapshot);
        assert_eq!((first.runs, first.attempts), (second.runs, second.attempts));
    }
}
