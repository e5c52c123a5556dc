//! The decision: the most restrictive of policy, risk, guards, runbook and autonomy.
//!
//! Nobody's opinion can loosen another's. A policy engine that does not answer denies every
//! change; reading stays possible for those who may read.

use model::actor::{Actor, Role};
use model::execution::ExecutionState;
use model::intent::{ExecutionMode, IntentState, TriggerKind};
use model::level::Tier;
use model::verdict::{ApprovalRequirement, Judge, Reason, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::constraint::Constraints;
use crate::guard::{self, GuardResult};
use crate::proposal::Place;

/// How long votes are taken, in seconds, when the policy does not say: a day.
pub const APPROVAL_TTL_S: u32 = 24 * 3600;
/// The same for what an alert set off: four hours.
pub const ALERT_APPROVAL_TTL_S: u32 = 4 * 3600;

/// Somebody's opinion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// What it alone would decide.
    pub verdict: Verdict,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// What the policy bundle answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyOpinion {
    /// Its verdict and reasons.
    pub opinion: Opinion,
    /// Who must approve, when it asks for approval.
    pub approval: Option<ApprovalRequirement>,
    /// How long its verdict holds, in seconds.
    pub ttl_s: Option<u32>,
}

/// The policy engine's answer, or that there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyAnswer {
    /// It answered.
    Answered(PolicyOpinion),
    /// It did not, or not in a form we understand.
    Down {
        /// What went wrong.
        reason: String,
    },
}

/// What the risk engine thinks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskOpinion {
    /// The tier.
    pub tier: Tier,
    /// Its verdict and reasons.
    pub opinion: Opinion,
}

/// What the runbook asks for. Its flags only tighten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunbookFlags {
    /// `requires_approval`.
    pub approval: Approvals,
    /// `approval_roles`, mapped to ours; empty adds nothing.
    pub approval_roles: Vec<Role>,
    /// `mode`.
    pub mode: ExecutionMode,
}

/// Whether a runbook insists on approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approvals {
    /// It does.
    Always,
    /// It leaves that to the policy.
    ByPolicy,
}

/// Everything a decision is made from.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// Who asks.
    pub requester: &'a Actor,
    /// What set it off.
    pub trigger: TriggerKind,
    /// What would be touched.
    pub places: &'a [Place],
    /// The policy's answer.
    pub policy: &'a PolicyAnswer,
    /// The risk engine's.
    pub risk: &'a RiskOpinion,
    /// The guards', all of them: see [`guard::evaluate`].
    pub guards: &'a [GuardResult],
    /// The runbook's.
    pub runbook: &'a RunbookFlags,
    /// Whether acting alone has been earned.
    pub autonomy: &'a Opinion,
    /// Requested and policy constraints: see [`crate::constraint::merge`].
    pub constraints: &'a Map<String, Value>,
}

/// What the gate decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// Every reason of everybody's, policy first.
    pub reasons: Vec<Reason>,
    /// Every guard's answer.
    pub guards: Vec<GuardResult>,
    /// The constraints it holds under.
    pub constraints: Map<String, Value>,
    /// Who must approve; only with `require_approval`.
    pub approval: Option<ApprovalRequirement>,
    /// How long it holds, in seconds.
    pub ttl_s: Option<u32>,
}

impl Decision {
    /// The state an execution gets: `approved`, `awaiting_approval`, `denied` or, when guards
    /// alone said no, `blocked`.
    #[must_use]
    pub fn execution_state(&self) -> ExecutionState {
        let denied =
            |reason: &Reason| reason.verdict == Verdict::Deny && reason.judge != Judge::Guard;
        match self.verdict {
            Verdict::Allow => ExecutionState::Approved,
            Verdict::RequireApproval => ExecutionState::AwaitingApproval,
            Verdict::Deny if self.reasons.iter().any(denied) => ExecutionState::Denied,
            Verdict::Deny => ExecutionState::Blocked,
        }
    }

    /// The state the intent gets.
    #[must_use]
    pub fn intent_state(&self) -> IntentState {
        match self.verdict {
            Verdict::Allow | Verdict::RequireApproval => IntentState::Open,
            Verdict::Deny if self.execution_state() == ExecutionState::Denied => {
                IntentState::Denied
            }
            Verdict::Deny => IntentState::Closed,
        }
    }
}

/// Decides.
#[must_use]
pub fn decide(question: &Question<'_>) -> Decision {
    let policy = policy(question);
    let runbook = runbook(question.runbook, question.trigger);
    let mut reasons = policy.reasons;
    reasons.extend(constraints(question));
    reasons.extend(voiced(&question.risk.opinion, Judge::Risk));
    reasons.extend(question.guards.iter().map(GuardResult::reason));
    if !guard::Guard::ALL.iter().all(|one| question.guards.iter().any(|given| given.guard == *one))
    {
        let message = "not every guard was asked".to_owned();
        reasons.push(reason(Judge::Guard, "guards_incomplete", Verdict::Deny, message));
    }
    reasons.extend(runbook);
    reasons.extend(autonomy(question));
    let verdict = reasons.iter().map(|reason| reason.verdict).max().unwrap_or(Verdict::Deny);
    let verdict = verdict.max(policy.verdict);
    Decision {
        verdict,
        reasons,
        guards: question.guards.to_vec(),
        constraints: question.constraints.clone(),
        approval: (verdict == Verdict::RequireApproval).then(|| requirement(question)),
        ttl_s: match question.policy {
            PolicyAnswer::Answered(opinion) => opinion.ttl_s,
            PolicyAnswer::Down { .. } => None,
        },
    }
}

fn policy(question: &Question<'_>) -> Opinion {
    match question.policy {
        PolicyAnswer::Answered(answer) => Opinion {
            verdict: answer.opinion.verdict,
            reasons: voiced(&answer.opinion, Judge::Policy),
        },
        PolicyAnswer::Down { reason: why } => {
            let readers = [Role::Viewer, Role::Operator, Role::Approver, Role::Admin];
            let reads = question.risk.tier == Tier::Read && question.requester.has_any(&readers);
            let verdict = if reads { Verdict::Allow } else { Verdict::Deny };
            let message = format!("the policy engine gives no answer: {why}");
            let reasons = vec![reason(Judge::Policy, "policy_unavailable", verdict, message)];
            Opinion { verdict, reasons }
        }
    }
}

/// An opinion's reasons; a verdict that no reason carries gets one of its own.
fn voiced(opinion: &Opinion, judge: Judge) -> Vec<Reason> {
    let mut reasons = opinion.reasons.clone();
    if reasons.iter().all(|reason| reason.verdict < opinion.verdict) || reasons.is_empty() {
        let message = format!("{judge} says {}", opinion.verdict);
        reasons.push(reason(judge, judge.word(), opinion.verdict, message));
    }
    reasons
}

fn constraints(question: &Question<'_>) -> Vec<Reason> {
    let allowed = match Constraints::parse(question.constraints) {
        Ok(constraints) => constraints.environments,
        Err(error) => {
            let code = "constraint_malformed";
            return vec![reason(Judge::Policy, code, Verdict::Deny, error.to_string())];
        }
    };
    let Some(allowed) = allowed else { return Vec::new() };
    let outside = |place: &&Place| {
        !allowed.iter().any(|name| *name == place.environment || *name == place.class.word())
    };
    let refuse = |place: &Place| {
        let message = format!("{} is in {}, which is not allowed", place.name, place.environment);
        reason(Judge::Policy, "environment_not_allowed", Verdict::Deny, message)
    };
    question.places.iter().filter(outside).map(refuse).collect()
}

fn runbook(flags: &RunbookFlags, trigger: TriggerKind) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut add = |code, verdict, message: &str| {
        reasons.push(reason(Judge::Runbook, code, verdict, message.to_owned()));
    };
    match flags.mode {
        ExecutionMode::Auto => {}
        ExecutionMode::SemiAuto => {
            add("runbook_semi_auto", Verdict::RequireApproval, "the runbook always needs approval");
        }
        ExecutionMode::Manual if trigger == TriggerKind::Manual => {}
        ExecutionMode::Manual => {
            add("runbook_manual", Verdict::Deny, "the runbook runs only when a person asks");
        }
    }
    if flags.approval == Approvals::Always {
        add("runbook_requires_approval", Verdict::RequireApproval, "the runbook asks for approval");
    }
    reasons
}

/// Reading needs no earned autonomy.
fn autonomy(question: &Question<'_>) -> Vec<Reason> {
    if question.risk.tier == Tier::Read {
        return Vec::new();
    }
    voiced(question.autonomy, Judge::Autonomy)
}

/// Who must approve: what the policy says or the default, at the tier found, and only those the
/// runbook accepts too.
fn requirement(question: &Question<'_>) -> ApprovalRequirement {
    let tier = question.risk.tier;
    let default = ApprovalRequirement {
        tier,
        roles: vec![Role::Approver, Role::Admin],
        min_votes: if tier == Tier::Critical { 2 } else { 1 },
        ttl_s: match question.trigger {
            TriggerKind::Alert => ALERT_APPROVAL_TTL_S,
            TriggerKind::Manual | TriggerKind::Webhook | TriggerKind::Scheduled => APPROVAL_TTL_S,
        },
    };
    let asked = match question.policy {
        PolicyAnswer::Answered(answer) => answer.approval.clone(),
        PolicyAnswer::Down { .. } => None,
    };
    let mut requirement = asked.unwrap_or_else(|| default.clone());
    if requirement.roles.is_empty() {
        requirement.roles.clone_from(&default.roles);
    }
    if requirement.ttl_s == 0 {
        requirement.ttl_s = default.ttl_s;
    }
    requirement.min_votes = requirement.min_votes.max(1);
    requirement.tier = requirement.tier.max(tier);
    let runbook = ApprovalRequirement {
        roles: question.runbook.approval_roles.clone(),
        ..requirement.clone()
    };
    requirement.and(&runbook)
}

fn reason(judge: Judge, code: &str, verdict: Verdict, message: String) -> Reason {
    Reason { judge, code: code.to_owned(), verdict, message }
}

#[cfg(test)]
mod tests;
