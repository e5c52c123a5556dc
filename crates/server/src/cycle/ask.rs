//! Ask: an intent, its plan, what is thought of it, and the decision, in one transaction.

use std::collections::BTreeMap;

use act::runbook::Runbook;
use act::runbook::compile::{self, Candidate};
use db::TenantTx;
use db::wake::Topic;
use gate::decide::Decision;
use gate::store::approvals::{self, NewApproval, Source};
use gate::store::decisions::{self, NewDecision};
use gate::store::guards::Moment;
use gate::store::intents::{self, NewIntent, Recorded};
use gate::store::plans::{self, NewPlan};
use judge::store::assessments;
use model::actor::Actor;
use model::audit::Who;
use model::execution::ExecutionState;
use model::finding::Alert;
use model::id::{
    ActorId, ApprovalId, DecisionId, ExecutionId, FindingId, IntentId, PlanId, RunbookId, TriggerId,
};
use model::intent::{ExecutionMode, Purpose, TriggerKind};
use model::level::EnvironmentClass;
use model::plan::Plan;
use model::verdict::Verdict;
use model::{Timestamp, canonical};
use prove::decision::sign_decision;
use sense::inventory::TargetFacts;
use serde::Serialize;
use serde_json::json;

use super::record::{self, Facts, Planned};
use super::store::{self, NewExecution};
use super::weigh::{Weighed, candidate};
use super::{Error, Loop};

/// The longest refusal shown with an execution, in characters; its decision has all reasons.
const MAX_REFUSAL: usize = 1000;
/// What the gate's own names for requests begin with.
pub(super) const OF_ALERTS: &str = "alert/";

/// The type of every intent that runs a runbook.
pub(super) const RUN_RUNBOOK: &str = "runbook.run";

/// A request to run a runbook.
#[derive(Debug)]
pub struct Ask<'a> {
    /// Who asks.
    pub requester: &'a Actor,
    /// What set it off.
    pub trigger: TriggerKind,
    /// The requester's own name for it: the same name again is the same request.
    pub deterministic_id: String,
    /// The runbook.
    pub runbook_id: RunbookId,
    /// The version that would run.
    pub version: u32,
    /// Who wrote that version.
    pub author: ActorId,
    /// What it says.
    pub runbook: &'a Runbook,
    /// The alert it answers.
    pub alert: Option<&'a Alert>,
    /// The trigger that matched, with its cooldown in seconds.
    pub matched: Option<(TriggerId, u32)>,
    /// Where it would run.
    pub targets: &'a [TargetFacts],
    /// Values for the runbook's variables.
    pub variables: &'a BTreeMap<String, String>,
    /// In the requester's words.
    pub text: String,
    /// Through which door it came.
    pub source: Source,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The intent.
    pub intent_id: IntentId,
    /// What would be done.
    pub plan_id: PlanId,
    /// What was decided.
    pub decision_id: DecisionId,
    /// The approval asked for, if one is needed.
    pub approval_id: Option<ApprovalId>,
    /// The execution.
    pub execution_id: ExecutionId,
    /// Where it stands.
    pub state: ExecutionState,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether the same was asked before.
    pub repeated: bool,
}

/// Makes a plan of a request.
pub(super) fn plan(ask: &Ask<'_>) -> Result<Plan, Error> {
    let mut candidates: Vec<Candidate> = ask.targets.iter().map(candidate).collect();
    // The same targets are the same plan, in whatever order they were named.
    candidates.sort_by_key(|candidate| candidate.target.resource_id);
    Ok(compile::compile(compile::Request {
        id: ask.runbook_id,
        version: ask.version,
        runbook: ask.runbook,
        targets: &candidates,
        alert: ask.alert,
        variables: ask.variables,
    })?)
}

/// Takes a request through the gate, up to an execution that may start, waits, or will not.
///
/// # Errors
/// When no plan can be made, or the same deterministic id was used for something else. A refusal
/// is no error: it is a decision, recorded as one.
pub async fn ask(cycle: &Loop, tx: &mut TenantTx, ask: &Ask<'_>) -> Result<Asked, Error> {
    let who = Who::from(ask.requester);
    let plan = plan(ask)?;
    let category = judge::action::category(&classified(&plan));
    let intent = new_intent(ask, category.word().to_owned());
    let intent_id = match intents::insert(tx, &intent, who.clone()).await? {
        Recorded::New(id) => id,
        Recorded::Known(id) => return store::asked(tx, id).await?.ok_or(Error::Undecided),
    };
    let (weighed, planned_at) = cycle.weigh_ask(tx, ask, &plan, Moment::Asking).await?;
    let settle = Settle {
        ask,
        intent: intent_id,
        version: 1,
        plan: &plan,
        weighed: &weighed,
        at: planned_at,
    };
    let settled = cycle.settle(tx, settle).await?;
    let decision = &weighed.decision;
    let state = decision.execution_state();
    let approval_id = match &decision.approval {
        Some(requirement) => {
            let new = NewApproval {
                id: ApprovalId::generate(),
                intent: intent_id,
                plan: settled.plan,
                decision: settled.decision,
                requester: ask.requester.id,
                author: ask.author,
                requirement: requirement.clone(),
                bound_hash: weighed.bound_hash,
                source: ask.source,
            };
            approvals::create(tx, &new, who.clone()).await?;
            Some(new.id)
        }
        None => None,
    };
    let execution_id = store::insert_execution(
        tx,
        &NewExecution {
            ask,
            intent: intent_id,
            plan: settled.plan,
            decision: settled.decision,
            approval: approval_id,
            mode: mode(ask, decision),
            state,
            plan_hash: weighed.plan_hash,
            bound_hash: weighed.bound_hash,
            error: refusal(decision),
        },
        &who,
    )
    .await?;
    if state.terminal() {
        intents::settle(tx, intent_id, decision.intent_state()).await?;
    }
    tx.signal(Topic::Events);
    if state.workable() {
        tx.signal(Topic::Executions);
    }
    Ok(Asked {
        intent_id,
        plan_id: settled.plan,
        decision_id: settled.decision,
        approval_id,
        execution_id,
        state,
        verdict: decision.verdict,
        repeated: false,
    })
}

fn classified(plan: &Plan) -> Vec<judge::action::Classified> {
    let table = judge::action::Table::shipped();
    plan.steps.iter().map(|step| table.classify(&step.action)).collect()
}

/// A plan with what is thought of it, about to be written.
pub(super) struct Settle<'a> {
    pub(super) ask: &'a Ask<'a>,
    pub(super) intent: IntentId,
    pub(super) version: u32,
    pub(super) plan: &'a Plan,
    pub(super) weighed: &'a Weighed,
    pub(super) at: Timestamp,
}

/// A plan and its decision, written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    pub(super) plan: PlanId,
    pub(super) decision: DecisionId,
}

impl Loop {
    /// Writes plan, risk and the signed decision.
    pub(super) async fn settle(
        &self,
        tx: &mut TenantTx,
        settle: Settle<'_>,
    ) -> Result<Settled, Error> {
        let who = Who::from(settle.ask.requester);
        let weighed = settle.weighed;
        let plan_id = PlanId::generate();
        let new_plan = NewPlan {
            id: plan_id,
            intent: settle.intent,
            version: settle.version,
            plan: settle.plan,
            blast_radius: &weighed.record.input.blast,
            summary: &summary(settle.ask),
            author: settle.ask.author,
        };
        plans::insert(tx, &new_plan, who.clone()).await?;
        let risk_id = assessments::insert(
            tx,
            settle.intent,
            Some(plan_id),
            &weighed.record,
            &weighed.counterfactual,
        )
        .await?;
        let decision_id = DecisionId::generate();
        let document = record::document(&Facts {
            tenant: tx.tenant(),
            decision: decision_id,
            intent: settle.intent,
            intent_type: RUN_RUNBOOK,
            purpose: Purpose::Change,
            deterministic_id: &settle.ask.deterministic_id,
            plan: Some(Planned {
                id: plan_id,
                hash: weighed.plan_hash,
                bound_hash: weighed.bound_hash,
            }),
            risk: risk_id,
            at: settle.at,
            judged: &weighed.judged,
            memory: &[],
        })?;
        let canon = canonical::to_bytes(&document)?;
        let signed = sign_decision(self.signer(), &canon);
        let new = NewDecision {
            id: decision_id,
            intent: settle.intent,
            plan: Some(plan_id),
            risk: risk_id,
            decision: &weighed.decision,
            bundle: weighed.bundle_id,
            bundle_hash: weighed.bundle_hash,
            bound_hash: Some(weighed.bound_hash),
            canon,
            signature: signed.signature,
            key_fingerprint: signed.key_fingerprint.to_string(),
            trace: None,
        };
        decisions::insert(tx, &new, who).await?;
        intents::evaluated(tx, settle.intent, settle.at).await?;
        Ok(Settled { plan: plan_id, decision: decision_id })
    }
}

fn summary(ask: &Ask<'_>) -> String {
    let names: Vec<&str> = ask.targets.iter().map(|facts| facts.target.name.as_str()).collect();
    let place = match names.as_slice() {
        [one] => (*one).to_owned(),
        many => format!("{} targets", many.len()),
    };
    match ask.alert {
        Some(alert) => format!("{} on {place}, for {}", ask.runbook.name, alert.name),
        None => format!("{} on {place}", ask.runbook.name),
    }
}

/// The strictest class touched; without a target nothing is known, and production is assumed.
fn class(targets: &[TargetFacts]) -> EnvironmentClass {
    targets.iter().map(|facts| facts.target.environment).max().unwrap_or(EnvironmentClass::Prod)
}

pub(super) fn new_intent(ask: &Ask<'_>, category: String) -> NewIntent {
    let resources: Vec<String> =
        ask.targets.iter().map(|facts| facts.target.resource_id.to_string()).collect();
    let environment = match ask.targets {
        [one] => Some(one.environment_id),
        _ => None,
    };
    NewIntent {
        id: IntentId::generate(),
        deterministic_id: ask.deterministic_id.clone(),
        purpose: Purpose::Change,
        intent_type: RUN_RUNBOOK.to_owned(),
        payload: json!({
            "runbook": ask.runbook.name,
            "targets": resources,
            "variables": ask.variables,
        }),
        environment,
        class: class(ask.targets),
        category,
        requester: ask.requester.id,
        trigger: ask.trigger,
        finding: ask.alert.map(|alert| -> FindingId { alert.id }),
        trigger_id: ask.matched.map(|(trigger, _)| trigger),
        runbook: Some(ask.runbook_id),
        summary: summary(ask),
        text: ask.text.clone(),
        constraints: None,
        provenance: json!({"runbook_version": ask.version, "source": ask.source.word()}),
    }
}

/// How much ran by itself: what the decision left of the runbook's own mode.
fn mode(ask: &Ask<'_>, decision: &Decision) -> ExecutionMode {
    match (ask.trigger, decision.verdict) {
        (TriggerKind::Manual, _) => ExecutionMode::Manual,
        (_, Verdict::Allow) => ExecutionMode::Auto,
        _ => ExecutionMode::SemiAuto,
    }
}

/// Why it will not run, in one line.
pub(super) fn refusal(decision: &Decision) -> Option<String> {
    if decision.verdict != Verdict::Deny {
        return None;
    }
    let mut told: Vec<&str> = Vec::new();
    for reason in decision.reasons.iter().filter(|reason| reason.verdict == Verdict::Deny) {
        if !told.contains(&reason.message.as_str()) {
            told.push(&reason.message);
        }
    }
    Some(told.join("; ").chars().take(MAX_REFUSAL).collect())
}
