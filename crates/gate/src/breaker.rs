//! Circuit breakers: after repeated failures, nothing of the kind runs until it is tried again.
//!
//! Closed becomes open after `failure_threshold` consecutive failures; open becomes `half_open`
//! after the waiting time; `half_open` becomes closed after `success_threshold` successes, and open
//! again on any failure, with the waiting time doubled, at most an hour. A success while closed
//! resets the count. A person may open one, and only a person closes that one.

use jiff::SignedDuration;
use model::Timestamp;
use model::id::{ResourceId, RunbookId};
use model::verdict::Verdict;
use serde::{Deserialize, Serialize};

use crate::guard::{Guard, GuardResult};
use crate::proposal::Proposal;

/// Consecutive failures that open a breaker (source document 002).
pub const FAILURE_THRESHOLD: u32 = 5;
/// Successes in `half_open` that close it (source document 002).
pub const SUCCESS_THRESHOLD: u32 = 3;
/// Seconds it stays open (source document 002).
pub const RESET_TIMEOUT_S: u32 = 300;
/// The longest waiting time, however often it was doubled.
pub const LONGEST_TIMEOUT_S: u32 = 3600;

model::words! {
    /// What a breaker is about.
    BreakerScope {
        /// One runbook.
        Runbook = "runbook",
        /// One resource.
        Resource = "resource",
        /// One typed action.
        Tool = "tool",
        /// Everything the tenant runs.
        Global = "global",
    }
}

/// Which breaker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// What it is about.
    pub scope: BreakerScope,
    /// The runbook's or resource's id, the action's name, or `global`.
    pub scope_id: String,
}

impl Key {
    /// The breaker of a runbook. It exists always; the others once somebody sets one up.
    #[must_use]
    pub fn runbook(id: RunbookId) -> Self {
        Self { scope: BreakerScope::Runbook, scope_id: id.to_string() }
    }

    /// The breaker of a resource.
    #[must_use]
    pub fn resource(id: ResourceId) -> Self {
        Self { scope: BreakerScope::Resource, scope_id: id.to_string() }
    }

    /// Every breaker that has a say in a run, in the order they are locked.
    #[must_use]
    pub fn of<'a>(
        runbook: RunbookId,
        resources: impl IntoIterator<Item = ResourceId>,
        actions: impl IntoIterator<Item = &'a str>,
    ) -> Vec<Self> {
        let tool = |action: &str| Self { scope: BreakerScope::Tool, scope_id: action.to_owned() };
        let global = Self { scope: BreakerScope::Global, scope_id: "global".to_owned() };
        let mut keys = vec![Self::runbook(runbook), global];
        keys.extend(resources.into_iter().map(Self::resource));
        keys.extend(actions.into_iter().map(tool));
        keys.sort();
        keys.dedup();
        keys
    }

    /// Every breaker that has a say in what is proposed.
    #[must_use]
    pub fn all(proposal: &Proposal) -> Vec<Self> {
        Self::of(
            proposal.runbook,
            proposal.places.iter().map(|place| place.resource),
            proposal.actions.iter().map(String::as_str),
        )
    }
}

/// When a breaker opens, closes and tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Consecutive failures that open it.
    pub failure_threshold: u32,
    /// Successes in `half_open` that close it.
    pub success_threshold: u32,
    /// Seconds it stays open the first time.
    pub reset_timeout_s: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            failure_threshold: FAILURE_THRESHOLD,
            success_threshold: SUCCESS_THRESHOLD,
            reset_timeout_s: RESET_TIMEOUT_S,
        }
    }
}

/// Where a breaker stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Things run.
    Closed {
        /// Consecutive failures so far.
        failures: u32,
    },
    /// Nothing runs until the waiting time is over.
    Open {
        /// Since when.
        since: Timestamp,
        /// How long, in seconds.
        timeout_s: u32,
    },
    /// Opened by a person: nothing runs until a person closes it.
    Held {
        /// Since when.
        since: Timestamp,
        /// Why.
        reason: String,
    },
    /// Things run on trial.
    HalfOpen {
        /// Since when.
        since: Timestamp,
        /// Successes so far.
        successes: u32,
        /// The waiting time that led here, in seconds.
        timeout_s: u32,
    },
}

impl State {
    /// The seed's word for it; held breakers are open.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } | Self::Held { .. } => "open",
            Self::HalfOpen { .. } => "half_open",
        }
    }

    /// When it may be tried again, if time alone brings that about.
    #[must_use]
    pub fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::Open { since, timeout_s } => {
                since.checked_add(SignedDuration::from_secs(i64::from(*timeout_s))).ok()
            }
            Self::Closed { .. } | Self::Held { .. } | Self::HalfOpen { .. } => None,
        }
    }
}

/// What happens to a breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A run was verified to have worked.
    Succeeded,
    /// A run failed.
    Failed,
    /// Somebody asks whether a run may start: time may have opened the way to a trial.
    Asked,
    /// A person opens it.
    Opened {
        /// Why.
        reason: String,
    },
    /// A person closes it.
    Closed,
}

/// One breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    /// Which.
    pub key: Key,
    /// Its settings.
    pub settings: Settings,
    /// Where it stands.
    pub state: State,
}

impl Breaker {
    /// A closed breaker with the seed's settings.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key, settings: Settings::default(), state: State::Closed { failures: 0 } }
    }

    /// What becomes of it.
    #[must_use]
    pub fn on(mut self, event: Event, at: Timestamp) -> Self {
        self.state = self.settings.next(self.state, event, at);
        self
    }

    /// What it says to a run that asks at `at`.
    #[must_use]
    pub fn judge(&self, at: Timestamp) -> GuardResult {
        let Key { scope, scope_id } = &self.key;
        match self.clone().on(Event::Asked, at).state {
            State::Closed { .. } => GuardResult::allow(Guard::CircuitBreaker, "closed"),
            State::HalfOpen { .. } => GuardResult::allow(Guard::CircuitBreaker, "half_open"),
            ref state @ State::Open { timeout_s, .. } => GuardResult {
                guard: Guard::CircuitBreaker,
                verdict: Verdict::Deny,
                code: "breaker_open".into(),
                message: format!(
                    "the breaker of {scope} {scope_id} is open for {timeout_s} s after failures"
                ),
                until: state.retry_at(),
            },
            State::Held { reason, .. } => GuardResult {
                guard: Guard::CircuitBreaker,
                verdict: Verdict::Deny,
                code: "breaker_held".into(),
                message: format!("the breaker of {scope} {scope_id} was opened by hand: {reason}"),
                until: None,
            },
        }
    }
}

impl Settings {
    fn next(self, state: State, event: Event, at: Timestamp) -> State {
        match state {
            State::Closed { failures } => match event {
                Event::Succeeded | Event::Closed => State::Closed { failures: 0 },
                Event::Failed if failures.saturating_add(1) >= self.failure_threshold => {
                    State::Open { since: at, timeout_s: self.reset_timeout_s }
                }
                Event::Failed => State::Closed { failures: failures.saturating_add(1) },
                Event::Asked => State::Closed { failures },
                Event::Opened { reason } => State::Held { since: at, reason },
            },
            // A run that had started before it opened says nothing about now.
            State::Open { since, timeout_s } => match event {
                Event::Succeeded | Event::Failed => State::Open { since, timeout_s },
                Event::Asked => {
                    let due = State::Open { since, timeout_s }.retry_at();
                    if due.is_some_and(|due| due <= at) {
                        State::HalfOpen { since: at, successes: 0, timeout_s }
                    } else {
                        State::Open { since, timeout_s }
                    }
                }
                Event::Opened { reason } => State::Held { since: at, reason },
                Event::Closed => State::Closed { failures: 0 },
            },
            State::Held { since, reason } => match event {
                Event::Succeeded | Event::Failed | Event::Asked => State::Held { since, reason },
                Event::Opened { reason } => State::Held { since: at, reason },
                Event::Closed => State::Closed { failures: 0 },
            },
            State::HalfOpen { since, successes, timeout_s } => match event {
                Event::Succeeded if successes.saturating_add(1) >= self.success_threshold => {
                    State::Closed { failures: 0 }
                }
                Event::Succeeded => {
                    State::HalfOpen { since, successes: successes.saturating_add(1), timeout_s }
                }
                Event::Failed => State::Open {
                    since: at,
                    timeout_s: timeout_s.saturating_mul(2).min(LONGEST_TIMEOUT_S),
                },
                Event::Asked => State::HalfOpen { since, successes, timeout_s },
                Event::Opened { reason } => State::Held { since: at, reason },
                Event::Closed => State::Closed { failures: 0 },
            },
        }
    }
}

#[cfg(test)]
mod tests;
