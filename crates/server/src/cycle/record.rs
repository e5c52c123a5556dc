//! The signed record of a decision: everything it rests on, so that it can be made again.

use model::Digest;
use model::Timestamp;
use model::audit::Who;
use model::canonical::CanonicalError;
use model::id::{DecisionId, IntentId, PlanId, RiskId, TenantId};
use model::intent::Purpose;
use serde_json::{Value, json};

use judge::outside::recall::Remembered;
use judge::risk::Components;

use super::weigh::Judged;

/// A plan that was decided on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) id: PlanId,
    pub(super) hash: Digest,
    pub(super) bound_hash: Digest,
}

/// What is recorded.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) tenant: TenantId,
    pub(super) decision: DecisionId,
    pub(super) intent: IntentId,
    pub(super) intent_type: &'a str,
    pub(super) purpose: Purpose,
    pub(super) deterministic_id: &'a str,
    /// Advice has none.
    pub(super) plan: Option<Planned>,
    pub(super) risk: RiskId,
    pub(super) at: Timestamp,
    pub(super) judged: &'a Judged,
    pub(super) memory: &'a [Remembered],
}

/// The record. `inputs.question` with `risk.input` in it is what the judges were asked;
/// `guards` is what the guards said to it.
pub(super) fn document(recorded: &Facts<'_>) -> Result<Value, CanonicalError> {
    let judged = recorded.judged;
    let mut question = serde_json::to_value(&judged.question).map_err(CanonicalError::Serialize)?;
    // The risk engine's part is recorded with its result.
    if let Some(question) = question.as_object_mut() {
        question.remove("risk");
    }
    let plan = recorded.plan;
    Ok(json!({
        "v": 2,
        "tenant_id": recorded.tenant,
        "decision_id": recorded.decision,
        "intent_id": recorded.intent,
        "intent_type": recorded.intent_type,
        "purpose": recorded.purpose,
        "deterministic_id": recorded.deterministic_id,
        "plan_id": plan.map(|plan| plan.id),
        "plan_hash": plan.map(|plan| plan.hash),
        "bound_hash": plan.map(|plan| plan.bound_hash),
        "policy_bundle_hash": judged.bundle_hash,
        "requester": Who::from(&judged.question.actor),
        "trigger": judged.question.trigger,
        "decided_at": model::time::rfc3339_micros(recorded.at),
        "verdict": judged.decision.verdict,
        "reasons": judged.decision.reasons,
        "guards": judged.decision.guards,
        "constraints": judged.decision.constraints,
        "approval": judged.decision.approval,
        "ttl_s": judged.decision.ttl_s,
        "risk_id": recorded.risk,
        "risk": judged.record,
        "components": Components::of(&judged.record.assessment),
        "autonomy": judged.judgement.autonomy,
        "counterfactual": judged.counterfactual,
        "memory": recorded.memory,
        "inputs": {
            "question": question,
            "flags": judged.flags,
            "places": judged.proposal.places,
        },
    }))
}
