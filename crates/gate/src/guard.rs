//! The guards: every one is asked, every answer is kept, and doubt closes.

use jiff::SignedDuration;
use model::Timestamp;
use model::verdict::{Judge, Reason, Verdict};
use serde::{Deserialize, Serialize};

use crate::blackout::{self, Malformed, Window, WindowKind};
use crate::breaker::Breaker;
use crate::constraint::Constraints;
use crate::cooldown::Cooldown;
use crate::gist::joined;
use crate::proposal::{Freshness, Proposal};
use crate::rate::Usage;

/// How far in the future a context may claim to be, in seconds, before its clock is distrusted.
const CLOCK_TOLERANCE_S: i64 = 60;

model::words! {
    /// A guard, in the order in which they report.
    Guard {
        /// Blackout and maintenance windows.
        Blackout = "blackout",
        /// Rate limits.
        RateLimit = "rate_limit",
        /// Cooldowns.
        Cooldown = "cooldown",
        /// Circuit breakers.
        CircuitBreaker = "circuit_breaker",
        /// How many targets a plan may have.
        MaxTargets = "max_targets",
        /// How old the context may be.
        Freshness = "freshness",
    }
}

/// What one guard said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardResult {
    /// Which guard.
    pub guard: Guard,
    /// Allow or deny.
    pub verdict: Verdict,
    /// A stable word for why.
    pub code: String,
    /// In words a person can act on; empty when it allows.
    pub message: String,
    /// When it would allow, if time alone brings that about.
    pub until: Option<Timestamp>,
}

impl GuardResult {
    /// An answer that lets pass.
    #[must_use]
    pub fn allow(guard: Guard, code: &str) -> Self {
        Self {
            guard,
            verdict: Verdict::Allow,
            code: code.into(),
            message: String::new(),
            until: None,
        }
    }

    fn deny(guard: Guard, code: &str, message: String, until: Option<Timestamp>) -> Self {
        Self { guard, verdict: Verdict::Deny, code: code.into(), message, until }
    }

    /// The answer as a reason of the decision's.
    #[must_use]
    pub fn reason(&self) -> Reason {
        Reason {
            judge: Judge::Guard,
            code: self.code.clone(),
            verdict: self.verdict,
            message: self.message.clone(),
        }
    }
}

/// What the guards' tables say about a proposal.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Enabled windows, understood or not.
    pub windows: Vec<Result<Window, Malformed>>,
    /// Limits that apply, and how full they are.
    pub rates: Vec<Usage>,
    /// Cooldowns that apply, with the last run.
    pub cooldowns: Vec<(Cooldown, Option<Timestamp>)>,
    /// Breakers that apply.
    pub breakers: Vec<Breaker>,
}

/// Asks every guard about a proposal at `at`; one answer each, in the order of [`Guard::ALL`].
#[must_use]
pub fn evaluate(
    proposal: &Proposal,
    facts: &Facts,
    constraints: &Constraints,
    at: Timestamp,
) -> Vec<GuardResult> {
    let ask = |guard: &Guard| match guard {
        Guard::Blackout => blackouts(proposal, &facts.windows, constraints, at),
        Guard::RateLimit => facts.rates.iter().map(|rate| rate.judge(at)).collect(),
        Guard::Cooldown => {
            facts.cooldowns.iter().map(|(cooldown, last)| cooldown.judge(*last, at)).collect()
        }
        Guard::CircuitBreaker => facts.breakers.iter().map(|breaker| breaker.judge(at)).collect(),
        Guard::MaxTargets => vec![max_targets(proposal, constraints)],
        Guard::Freshness => vec![freshness(proposal.context, at)],
    };
    Guard::ALL.iter().map(|guard| worst(*guard, ask(guard))).collect()
}

/// Whether every guard was asked and every one allows.
#[must_use]
pub fn all_allow(results: &[GuardResult]) -> bool {
    Guard::ALL.iter().all(|guard| results.iter().any(|result| result.guard == *guard))
        && results.iter().all(|result| result.verdict == Verdict::Allow)
}

/// One answer out of a guard's several: its reasons to deny, and the last of their ends.
fn worst(guard: Guard, mut results: Vec<GuardResult>) -> GuardResult {
    results.retain(|result| result.verdict != Verdict::Allow);
    let message = joined(results.iter().map(|result| result.message.as_str()));
    let mut denials = results.into_iter();
    let Some(mut worst) = denials.next() else {
        return GuardResult::allow(guard, "clear");
    };
    worst.message = message;
    for other in denials {
        worst.until = worst.until.zip(other.until).map(|(one, other)| one.max(other));
    }
    worst
}

fn blackouts(
    proposal: &Proposal,
    windows: &[Result<Window, Malformed>],
    constraints: &Constraints,
    at: Timestamp,
) -> Vec<GuardResult> {
    let mut results = Vec::new();
    let mut maintenance: Vec<&Window> = constraints.maintenance_window.iter().collect();
    for window in windows {
        match window {
            Err(error) => {
                let message = format!("{error}; until it is mended nothing may run");
                results.push(GuardResult::deny(Guard::Blackout, "window_malformed", message, None));
            }
            Ok(window) if !window.picks(proposal) => {}
            Ok(window) => match window.kind {
                WindowKind::AllowOnly => maintenance.push(window),
                WindowKind::Deny => {
                    results.extend(blackout::active(window, at).map(|active| {
                        let message =
                            format!("blackout {:?} lasts until {}", window.name, active.until);
                        GuardResult::deny(Guard::Blackout, "blackout", message, Some(active.until))
                    }));
                }
            },
        }
    }
    let outside = maintenance.iter().all(|window| blackout::active(window, at).is_none());
    if !maintenance.is_empty() && outside {
        let next = maintenance.iter().filter_map(|window| window.next(at)).min();
        let names = joined(maintenance.iter().map(|window| window.name.as_str()));
        let message = format!("outside the maintenance window {names}");
        results.push(GuardResult::deny(Guard::Blackout, "outside_maintenance", message, next));
    }
    results
}

fn max_targets(proposal: &Proposal, constraints: &Constraints) -> GuardResult {
    let most = constraints.max_targets;
    let found = proposal.places.len();
    if u32::try_from(found).is_ok_and(|found| found <= most) {
        return GuardResult::allow(Guard::MaxTargets, "clear");
    }
    let message = format!("{found} targets are more than the {most} allowed");
    GuardResult::deny(Guard::MaxTargets, "max_targets", message, None)
}

fn freshness(context: Freshness, at: Timestamp) -> GuardResult {
    let deny =
        |message: String| GuardResult::deny(Guard::Freshness, "context_stale", message, None);
    let Some(taken_at) = context.taken_at else {
        return deny("it is not known how old the context is".into());
    };
    let age = at.duration_since(taken_at);
    if age > SignedDuration::from_secs(i64::from(context.max_age_s)) {
        let most = context.max_age_s;
        return deny(format!("the context is {} s old, {most} s are allowed", age.as_secs()));
    }
    if age < SignedDuration::from_secs(-CLOCK_TOLERANCE_S) {
        return deny("the context claims to be from the future".into());
    }
    GuardResult::allow(Guard::Freshness, "clear")
}

#[cfg(test)]
mod tests;
