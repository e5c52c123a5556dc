//! Risk, autonomy and policy asked about one intent, without a clock, a database or chance.

use std::collections::BTreeSet;

use model::Timestamp;
use model::actor::Actor;
use model::intent::TriggerKind;
use model::plan::Plan;
use model::time::rfc3339_micros;
use model::verdict::{ApprovalRequirement, Judge, Reason, Verdict};
use serde::{Deserialize, Serialize};

use crate::action::{Classified, Kind};
use crate::autonomy::{self, Autonomy, Evidence};
use crate::outside::IntentFacts;
use crate::policy::{
    self, ActionFacts, ActorFacts, Answer, AutonomyFacts, Bundle, Constraints, ContextFacts, Input,
    ResourceFacts, RiskFacts, TargetFacts, TierFacts,
};
use crate::risk::{self, Assessment, RiskInput};

/// Everything the judges need to know about an intent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Who wants it.
    pub actor: Actor,
    /// What set it off.
    pub trigger: TriggerKind,
    /// The runbook it comes from, by name.
    pub runbook: Option<String>,
    /// The environments touched, in the words of their sources.
    pub environments: Vec<String>,
    /// The targets.
    pub targets: Vec<TargetFacts>,
    /// What the risk depends on.
    pub risk: RiskInput,
    /// Verified outcomes of what the plan does.
    pub evidence: Vec<Evidence>,
    /// Constraints the request itself carries.
    pub constraints: Constraints,
    /// What an outside system asks about, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<IntentFacts>,
    /// When it was asked.
    pub asked_at: Timestamp,
}

/// What the judges said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The most restrictive of risk and policy. Guards and runbook flags come on top of it.
    pub verdict: Verdict,
    /// The risk.
    pub assessment: Assessment,
    /// Whether autonomy was earned.
    pub autonomy: Autonomy,
    /// The policy's answer.
    pub answer: Answer,
    /// Who must approve; present exactly when the verdict is `require_approval`. Where the risk alone
    /// asks for it, one approver or admin.
    pub approval: Option<ApprovalRequirement>,
    /// Reasons of all of them.
    pub reasons: Vec<Reason>,
}

impl Question {
    /// The question about a plan.
    #[must_use]
    pub fn of_plan(
        plan: &Plan,
        risk: RiskInput,
        actor: Actor,
        trigger: TriggerKind,
        asked_at: Timestamp,
    ) -> Self {
        let targets = plan.targets.iter().map(|target| TargetFacts {
            id: target.resource_id,
            name: target.name.clone(),
            environment: target.environment,
        });
        Self {
            actor,
            trigger,
            runbook: Some(plan.runbook.name.clone()),
            environments: risk.blast.environments.iter().map(ToString::to_string).collect(),
            targets: targets.collect(),
            risk,
            evidence: Vec::new(),
            constraints: Constraints::default(),
            intent: None,
            asked_at,
        }
    }
}

/// Asks all judges. A missing bundle denies every write.
#[must_use]
pub fn judge(question: &Question, bundle: Option<&Bundle>) -> Judgement {
    let assessment = risk::assess(&question.risk);
    judge_assessed(question, assessment, |input| policy::evaluate(bundle, input))
}

/// Puts together what the risk, `policy` and the constraints say.
pub(crate) fn judge_assessed(
    question: &Question,
    assessment: Assessment,
    policy: impl Fn(&Input) -> Answer,
) -> Judgement {
    let constants = &question.risk.constants.autonomy;
    let keys = autonomy::keys(&question.risk);
    let earned = |constants| autonomy::judge(&keys, &question.evidence, assessment.tier, constants);
    let mut autonomy = earned(constants);
    let mut answer = policy(&input(question, &assessment, &autonomy));
    if autonomy.earned {
        // The policy may ask for more than the constants did; then it is asked again without.
        let stricter = earned(&constants.tightened(&answer.autonomy));
        if !stricter.earned {
            autonomy = stricter;
            answer = policy(&input(question, &assessment, &autonomy));
        }
    }
    let mut reasons = answer.reasons.clone();
    reasons.extend(assessment.reasons.iter().cloned());
    if autonomy.earned {
        reasons.push(Reason {
            judge: Judge::Autonomy,
            code: "earned".to_owned(),
            verdict: Verdict::Allow,
            message: format!(
                "{} verified successes, {} failures: the failure rate is below {:.3}",
                autonomy.successes, autonomy.failures, autonomy.failure_bound.0
            ),
        });
    }
    if question.risk.writes() {
        for constraints in [&question.constraints, &answer.constraints] {
            reasons.extend(constraints.breaches(&question.risk.blast, question.asked_at));
        }
    }
    let judged = answer.decision.max(assessment.verdict);
    let verdict = reasons.iter().map(|reason| reason.verdict).fold(judged, Verdict::max);
    let approval = (verdict == Verdict::RequireApproval).then(|| {
        let usual = || crate::policy::usual_requirement(question.trigger, assessment.tier);
        answer.approval.clone().unwrap_or_else(usual)
    });
    Judgement { verdict, assessment, autonomy, answer, approval, reasons }
}

/// What the policy is told.
#[must_use]
pub fn input(question: &Question, assessment: &Assessment, autonomy: &Autonomy) -> Input {
    let risk = &question.risk;
    let heaviest = risk.actions.iter().max_by_key(|action| (action.kind, action.tier));
    let tiers = assessment.tiers;
    Input {
        actor: ActorFacts {
            id: question.actor.id,
            tenant_id: question.actor.tenant_id,
            kind: question.actor.kind,
            roles: question.actor.roles.clone(),
        },
        action: ActionFacts {
            name: heaviest.map_or_else(String::new, |action| action.action.clone()),
            names: risk.actions.iter().map(|action| action.action.clone()).collect(),
            kind: kind(&risk.actions),
            category: risk.category,
            trigger: question.trigger,
            runbook: question.runbook.clone(),
        },
        context: ContextFacts::of(question.actor.tenant_id, &question.environments),
        resources: ResourceFacts { break_glass: false, targets: question.targets.clone() },
        risk: RiskFacts {
            level: assessment.tier,
            tier: policy::assistant_tier(assessment.tier).to_owned(),
            tiers: TierFacts {
                action: tiers.action,
                environment: tiers.environment,
                blast: tiers.blast,
                score: tiers.score,
            },
            targets: risk.blast.targets,
            blast_radius: risk.blast.scope,
            irreversible: risk.blast.irreversible,
            score: assessment.score,
        },
        autonomy: AutonomyFacts {
            earned: autonomy.earned,
            successes: autonomy.successes,
            failures: autonomy.failures,
            failure_bound: autonomy.failure_bound,
        },
        constraints: question.constraints.clone(),
        intent: question.intent.clone(),
        time: rfc3339_micros(question.asked_at),
    }
}

/// Read only if there are actions and all of them read.
fn kind(actions: &[Classified]) -> Kind {
    let kinds: BTreeSet<Kind> = actions.iter().map(|action| action.kind).collect();
    kinds.last().copied().unwrap_or(Kind::Write)
}

#[cfg(test)]
pub(crate) mod tests;
