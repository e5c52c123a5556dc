//! What is known of an execution while it runs, and how each change alters it.
//!
//! The database holds the same rows; a worker that takes over starts from them alone.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use jiff::SignedDuration;
use model::execution::{AttemptState, Direction, ExecutionState, StepState};
use model::id::{AttemptId, EvidenceId, ExecutionId, ResourceId, StepRunId, TenantId};
use model::plan::{EvidenceRequirement, Plan, PlanStep, Semantics, Stage};
use model::time::Timestamp;

/// Why a plan stopped going forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// An acting step failed.
    StepFailed,
    /// A verify step failed, or none ran.
    VerifyFailed,
    /// The plan or a step took too long.
    TimedOut,
    /// A person stopped it.
    Cancelled,
    /// Required evidence is missing.
    EvidenceMissing,
}

impl Because {
    /// The word stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::StepFailed => "step_failed",
            Self::VerifyFailed => "verify_failed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::EvidenceMissing => "evidence_missing",
        }
    }
}

impl FromStr for Because {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, UnknownReason> {
        let all = [
            Self::StepFailed,
            Self::VerifyFailed,
            Self::TimedOut,
            Self::Cancelled,
            Self::EvidenceMissing,
        ];
        all.into_iter().find(|one| one.word() == text).ok_or_else(|| UnknownReason(text.to_owned()))
    }
}

/// A stored word that is no reason to stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no reason to stop a plan")]
pub struct UnknownReason(String);

/// What was said about an attempt whose end is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It worked.
    MarkSucceeded,
    /// It did not work.
    MarkFailed,
    /// It may run again.
    Retry,
}

impl Resolution {
    /// The word stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::MarkSucceeded => "mark_succeeded",
            Self::MarkFailed => "mark_failed",
            Self::Retry => "retry",
        }
    }

    /// The resolution a word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::MarkSucceeded, Self::MarkFailed, Self::Retry]
            .into_iter()
            .find(|one| one.word() == word)
    }
}

/// The beginning of what a step printed, for people and for the steps after it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captured {
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Whether this is only the beginning. Later steps then do not get it: half a value is none.
    pub truncated: bool,
}

/// One step on one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRun {
    /// Its id.
    pub id: StepRunId,
    /// The step's place in the plan.
    pub order: u32,
    /// The target.
    pub resource: ResourceId,
    /// Where it stands. An undo leaves it alone until it is over.
    pub state: StepState,
    /// Its place among all that ended going forwards, from 1; rollback is the reverse.
    pub ended: Option<u32>,
    /// Not before this.
    pub next_at: Option<Timestamp>,
    /// The last exit code.
    pub exit_code: Option<i32>,
    /// The beginning of what it printed, unless it is sensitive.
    pub captured: Option<Arc<Captured>>,
    /// What went wrong.
    pub error: Option<String>,
}

/// One try of a step run, or of its undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// The step run.
    pub run: StepRunId,
    /// Forwards or back.
    pub direction: Direction,
    /// Its number among those of this run and direction, from 1.
    pub no: u32,
    /// The lease epoch that wrote its intent.
    pub epoch: i64,
    /// Where it stands.
    pub state: AttemptState,
    /// Whether the target started it: seen to have, known not to have, or not known.
    pub started: Option<bool>,
    /// When it must be over, the time the target needs to answer included.
    pub deadline: Timestamp,
    /// What was said about it, when its end is not known.
    pub resolution: Option<Resolution>,
    /// Whether its end was seen on the target: it exited, or was stopped at its timeout.
    pub end_seen: bool,
}

impl Attempt {
    /// The token under which the target holds at most one start.
    #[must_use]
    pub fn token(&self) -> String {
        format!("{}.{}.{}", self.run.uuid(), self.direction.word(), self.no)
    }
}

/// A piece of evidence that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// Its id.
    pub id: EvidenceId,
    /// The step run that left it.
    pub run: StepRunId,
    /// What was required.
    pub requirement: EvidenceRequirement,
}

/// Everything that decides what happens next.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub execution: ExecutionId,
    /// `auto`, `semi_auto` or `manual`.
    pub mode: String,
    /// The plan, frozen.
    pub plan: Arc<Plan>,
    /// Where it stands.
    pub state: ExecutionState,
    /// When it started acting, by the database's clock.
    pub started_at: Option<Timestamp>,
    /// When the whole must be over.
    pub deadline: Option<Timestamp>,
    /// Whether a person asked to stop.
    pub cancel_requested: bool,
    /// Why it went back, once it did.
    pub because: Option<Because>,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// Every step on every target.
    pub runs: Vec<StepRun>,
    /// Every attempt so far.
    pub attempts: Vec<Attempt>,
    /// The evidence so far.
    pub evidence: Vec<Collected>,
    /// Attempts this worker is following right now. Open ones that are not here were left behind.
    pub in_flight: BTreeSet<AttemptId>,
    /// Attempts whose target gave no answer: when to ask again.
    pub ask_at: BTreeMap<AttemptId, Timestamp>,
}

/// How an attempt ended and what that makes of its step run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The attempt's last state.
    pub state: AttemptState,
    /// Whether the target started it.
    pub started: Option<bool>,
    /// Set when its end is not known but its semantics says it may run again.
    pub resolution: Option<Resolution>,
    /// The exit code, when it exited.
    pub exit_code: Option<i32>,
    /// Whether its end was seen on the target: it exited, or was stopped at its timeout.
    pub end_seen: bool,
    /// What went wrong.
    pub error: Option<String>,
    /// The step run's state from now on; `None` leaves it alone.
    pub run: Option<StepState>,
    /// When the step run may be tried again.
    pub next_at: Option<Timestamp>,
}

/// One change. Each is written to the database before the next is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The step runs were written, one for each step and target.
    Prepared(Vec<StepRun>),
    /// An intent was written.
    Opened(Attempt),
    /// The target was seen to have started an attempt whose end is still open.
    Seen(AttemptId),
    /// An attempt ended.
    Closed {
        /// Which.
        attempt: AttemptId,
        /// How.
        closing: Closing,
        /// The beginning of what it printed, unless it is sensitive.
        captured: Option<Arc<Captured>>,
    },
    /// A step run was settled without an attempt: skipped, cancelled, or impossible to start.
    Settled {
        /// Which.
        run: StepRunId,
        /// As what.
        state: StepState,
        /// Why.
        error: Option<String>,
    },
    /// The execution moved.
    Moved {
        /// To where.
        to: ExecutionState,
        /// Why it stopped going forwards, if it did.
        because: Option<Because>,
        /// What went wrong.
        error: Option<String>,
        /// When, by the database's clock.
        at: Timestamp,
    },
    /// Evidence was stored.
    Collected(Collected),
}

impl Snapshot {
    /// The step of a run.
    #[must_use]
    pub fn step(&self, run: &StepRun) -> Option<&PlanStep> {
        self.plan.steps.iter().find(|step| step.order == run.order)
    }

    /// A run by its id.
    #[must_use]
    pub fn run(&self, id: StepRunId) -> Option<&StepRun> {
        self.runs.iter().find(|run| run.id == id)
    }

    /// An attempt by its id.
    #[must_use]
    pub fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// The attempts of a run in one direction, oldest first.
    pub fn tries(&self, run: StepRunId, direction: Direction) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(move |one| one.run == run && one.direction == direction)
    }

    /// The attempts whose outcome is not written yet.
    pub fn open(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.state == AttemptState::Intent)
    }

    /// Whether a run may have changed something. A read never has; a check has only if it says
    /// how to undo it.
    #[must_use]
    pub fn acted(&self, run: &StepRun) -> bool {
        let Some(step) = self.step(run) else { return false };
        let may_change = step.semantics != Semantics::Read
            && (step.stage == Stage::Act || step.undo.contains_key(&run.resource));
        may_change
            && self.tries(run.id, Direction::Do).any(|attempt| {
                attempt.state != AttemptState::Fenced && attempt.started != Some(false)
            })
    }

    /// Applies one change.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Prepared(runs) => self.runs.clone_from(runs),
            Change::Opened(attempt) => {
                if attempt.direction == Direction::Do {
                    self.change_run(attempt.run, |run| {
                        run.state = StepState::Running;
                        run.next_at = None;
                    });
                }
                self.attempts.push(attempt.clone());
            }
            Change::Closed { attempt, closing, captured } => {
                self.close(*attempt, closing, captured.as_ref());
            }
            Change::Settled { run, state, error } => {
                let place = self.next_place();
                self.change_run(*run, |run| {
                    run.state = *state;
                    run.next_at = None;
                    run.error.clone_from(error);
                    if *state == StepState::Failed {
                        run.ended.get_or_insert(place);
                    }
                });
            }
            Change::Moved { to, because, error, at } => {
                self.moved(*to, *because, error.as_ref(), *at);
            }
            Change::Seen(id) => {
                if let Some(attempt) = self.attempts.iter_mut().find(|one| one.id == *id) {
                    attempt.started = Some(true);
                }
            }
            Change::Collected(collected) => self.evidence.push(collected.clone()),
        }
    }

    fn moved(
        &mut self,
        to: ExecutionState,
        because: Option<Because>,
        error: Option<&String>,
        at: Timestamp,
    ) {
        self.state = to;
        self.because = self.because.or(because);
        if let Some(error) = error {
            self.error = Some(error.clone());
        }
        if to == ExecutionState::InProgress && self.started_at.is_none() {
            self.started_at = Some(at);
            let whole = SignedDuration::from_secs(i64::from(self.plan.timeout_s));
            self.deadline = Some(at.checked_add(whole).unwrap_or(Timestamp::MAX));
        }
    }

    fn close(&mut self, id: AttemptId, closing: &Closing, captured: Option<&Arc<Captured>>) {
        self.in_flight.remove(&id);
        self.ask_at.remove(&id);
        let place = self.next_place();
        let Some(attempt) = self.attempts.iter_mut().find(|attempt| attempt.id == id) else {
            return;
        };
        attempt.state = closing.state;
        attempt.started = closing.started;
        attempt.resolution = closing.resolution;
        attempt.end_seen = closing.end_seen;
        let (run, direction) = (attempt.run, attempt.direction);
        self.change_run(run, |run| {
            run.next_at = closing.next_at;
            if closing.error.is_some() || closing.state == AttemptState::Succeeded {
                run.error.clone_from(&closing.error);
            }
            if let Some(state) = closing.run {
                run.state = state;
            }
            if direction == Direction::Do {
                run.exit_code = closing.exit_code.or(run.exit_code);
                if let Some(captured) = captured {
                    run.captured = Some(Arc::clone(captured));
                }
                if closing.run.is_some_and(|state| state != StepState::Pending) {
                    run.ended.get_or_insert(place);
                }
            }
        });
    }

    fn change_run(&mut self, id: StepRunId, change: impl FnOnce(&mut StepRun)) {
        if let Some(run) = self.runs.iter_mut().find(|run| run.id == id) {
            change(run);
        }
    }

    fn next_place(&self) -> u32 {
        self.runs.iter().filter_map(|run| run.ended).max().unwrap_or(0).saturating_add(1)
    }
}
