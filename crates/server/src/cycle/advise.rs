//! Advise: an outside system's intent, judged by the same judges as everything that runs here, and
//! the signed decision. Nothing is started: there is no plan, so no approval and no execution.

use std::collections::BTreeSet;

use db::TenantTx;
use gate::decide::{Approvals, RunbookFlags};
use gate::proposal::{Freshness, Place, Proposal};
use gate::quota::Standing;
use gate::store::decisions::{self, NewDecision};
use gate::store::guards::Moment;
use gate::store::intents::{self, NewIntent, Recorded};
use gate::store::usage::{self, Taken, User};
use judge::action::Table;
use judge::decimal::Decimal;
use judge::evaluate;
use judge::outside::Outside;
use judge::outside::recall::{self, Past, Remembered};
use judge::policy::{Constraints, TargetFacts};
use judge::risk::{PastOutcome, Similar};
use judge::store::assessments;
use model::Timestamp;
use model::actor::{Actor, ActorKind};
use model::audit::Who;
use model::canonical;
use model::id::{ApiKeyId, DecisionId, IntentId, ResourceId, RunbookId};
use model::intent::{ExecutionMode, Purpose, TriggerKind};
use prove::decision::sign_decision;
use serde_json::Value;

use super::record::{self, Facts};
use super::weigh::{self, CONTEXT_MAX_AGE_S, Judged};
use super::{Error, Loop};

/// What the usage log calls it.
const ENDPOINT: &str = "decisions.evaluate";
/// What outside systems touch is none of our resources, and what they run none of our runbooks.
const NONE_OF_OURS: u128 = 0;

/// An outside system's question.
#[derive(Debug)]
pub(super) struct Advice<'a> {
    /// Who asks.
    pub(super) requester: &'a Actor,
    /// With which key.
    pub(super) key: Option<ApiKeyId>,
    /// The requester's own name for it.
    pub(super) deterministic_id: &'a str,
    /// What they are about to do.
    pub(super) intent: &'a Outside,
    /// The whole request, in canonical form.
    pub(super) request: Value,
    /// What they think it costs a month, in US dollars.
    pub(super) estimated_cost: Option<Decimal>,
    /// What they say it breaks.
    pub(super) violations: &'a [String],
    /// Where the intent came from.
    pub(super) provenance: Value,
    /// The request, as the server's log names it.
    pub(super) trace: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Advised {
    /// A new decision, or the one the same question got before.
    Decided { decision: DecisionId, repeated: bool, standing: Standing },
    /// The month's evaluations are used up; nothing was written.
    Exhausted(Standing),
}

/// Judges an outside system's intent, records the signed decision, and counts it.
///
/// # Errors
/// When the same deterministic id was used for something else.
pub(super) async fn advise(
    cycle: &Loop,
    tx: &mut TenantTx,
    advice: &Advice<'_>,
) -> Result<Advised, Error> {
    let user = User { actor: advice.requester.id, key: advice.key };
    let intent = new_intent(advice);
    let intent_id = match intents::insert(tx, &intent, Who::from(advice.requester)).await? {
        Recorded::New(id) => id,
        // The answer is there: repeating a question is no evaluation.
        Recorded::Known(id) => {
            let decision = intents::decision(tx, id).await?.ok_or(Error::Undecided)?;
            let standing = usage::standing(tx, user).await?;
            return Ok(Advised::Decided { decision, repeated: true, standing });
        }
    };
    let standing = usage::standing(tx, user).await?;
    if standing.exhausted() {
        return Ok(Advised::Exhausted(standing));
    }
    let at = tx.now().await?;
    let (question, memory) = question(cycle, tx, advice, at).await?;
    let (flags, proposal) = (flags(), proposal(advice, at));
    let judged = cycle.judge(tx, question, flags, proposal, Moment::Asking).await?;
    let decided = Decided { intent: intent_id, judged, memory, at };
    let decision = settle(cycle, tx, advice, &decided).await?;
    // Last, for it holds the limit until the transaction ends.
    Ok(match usage::take(tx, user, ENDPOINT).await? {
        Taken::One(standing) => Advised::Decided { decision, repeated: false, standing },
        Taken::Exhausted(standing) => Advised::Exhausted(standing),
    })
}

fn trigger(requester: &Actor) -> TriggerKind {
    match requester.kind {
        ActorKind::User => TriggerKind::Manual,
        ActorKind::Service | ActorKind::Agent => TriggerKind::Webhook,
    }
}

fn new_intent(advice: &Advice<'_>) -> NewIntent {
    NewIntent {
        id: IntentId::generate(),
        deterministic_id: advice.deterministic_id.to_owned(),
        purpose: Purpose::Advice,
        intent_type: advice.intent.kind().word().to_owned(),
        payload: advice.request.clone(),
        environment: None,
        class: advice.intent.environment(),
        category: advice.intent.classify(Table::shipped()).category.word().to_owned(),
        requester: advice.requester.id,
        trigger: trigger(advice.requester),
        finding: None,
        trigger_id: None,
        runbook: None,
        summary: advice.intent.summary(),
        text: String::new(),
        constraints: None,
        provenance: advice.provenance.clone(),
    }
}

async fn question(
    cycle: &Loop,
    tx: &mut TenantTx,
    advice: &Advice<'_>,
    at: Timestamp,
) -> Result<(evaluate::Question, Vec<Remembered>), Error> {
    let table = Table::shipped();
    let category = advice.intent.classify(table).category.word();
    let belief = learn::store::advice_posterior(tx, category).await?.map(weigh::belief);
    let past = learn::store::past::verified(tx, advice.intent.kind().word(), category).await?;
    let past: Vec<Past> = past.iter().map(remembered).collect();
    let memory = recall::remember(&advice.intent.payload(), &past);
    let similar: Vec<Similar> = memory.iter().copied().map(Similar::from).collect();
    let risk = advice.intent.risk(table, belief, similar, cycle.0.constants);
    let evidence = weigh::evidence(tx, &risk).await?;
    let environment = advice.intent.environment();
    let target =
        |name: String| TargetFacts { id: ResourceId::fixed(NONE_OF_OURS), name, environment };
    let question = evaluate::Question {
        actor: advice.requester.clone(),
        trigger: trigger(advice.requester),
        runbook: None,
        environments: vec![environment.to_string()],
        targets: advice.intent.targets().into_iter().map(target).collect(),
        risk,
        evidence,
        constraints: Constraints::default(),
        intent: Some(advice.intent.facts(advice.estimated_cost, advice.violations)),
        asked_at: at,
    };
    Ok((question, memory))
}

/// A request of the past holds the intent's own payload as one of its fields.
fn remembered(past: &learn::store::past::Past) -> Past {
    Past {
        intent: past.intent,
        payload: past.payload["payload"].clone(),
        outcome: if past.success { PastOutcome::Succeeded } else { PastOutcome::Failed },
    }
}

/// There is no runbook to ask for more.
const fn flags() -> RunbookFlags {
    RunbookFlags {
        approval: Approvals::ByPolicy,
        approval_roles: Vec::new(),
        mode: ExecutionMode::Auto,
    }
}

/// What the guards are asked about: windows, breakers and limits that mean this action, this
/// environment or everything.
fn proposal(advice: &Advice<'_>, at: Timestamp) -> Proposal {
    let classified = advice.intent.classify(Table::shipped());
    let class = advice.intent.environment();
    let place = |name: String| Place {
        resource: ResourceId::fixed(NONE_OF_OURS),
        name,
        environment: class.word().to_owned(),
        class,
        tags: BTreeSet::new(),
    };
    Proposal {
        runbook: RunbookId::fixed(NONE_OF_OURS),
        runbook_name: String::new(),
        category: classified.category.word().to_owned(),
        places: advice.intent.targets().into_iter().map(place).collect(),
        actions: BTreeSet::from([classified.action]),
        trigger: None,
        trigger_cooldown_s: 0,
        runbook_cooldown_s: 0,
        quota: None,
        context: Freshness { taken_at: Some(at), max_age_s: CONTEXT_MAX_AGE_S },
    }
}

/// What was decided of an intent, about to be written.
struct Decided {
    intent: IntentId,
    judged: Judged,
    memory: Vec<Remembered>,
    at: Timestamp,
}

/// Writes the risk and the signed decision.
async fn settle(
    cycle: &Loop,
    tx: &mut TenantTx,
    advice: &Advice<'_>,
    decided: &Decided,
) -> Result<DecisionId, Error> {
    let Decided { intent, judged, memory, at } = decided;
    let risk =
        assessments::insert(tx, *intent, None, &judged.record, &judged.counterfactual).await?;
    let id = DecisionId::generate();
    let document = record::document(&Facts {
        tenant: tx.tenant(),
        decision: id,
        intent: *intent,
        intent_type: advice.intent.kind().word(),
        purpose: Purpose::Advice,
        deterministic_id: advice.deterministic_id,
        plan: None,
        risk,
        at: *at,
        judged,
        memory,
    })?;
    let canon = canonical::to_bytes(&document)?;
    let signed = sign_decision(cycle.signer(), &canon);
    let new = NewDecision {
        id,
        intent: *intent,
        plan: None,
        risk,
        decision: &judged.decision,
        bundle: judged.bundle_id,
        bundle_hash: judged.bundle_hash,
        bound_hash: None,
        canon,
        signature: signed.signature,
        key_fingerprint: signed.key_fingerprint.to_string(),
        trace: advice.trace.clone(),
    };
    decisions::insert(tx, &new, Who::from(advice.requester)).await?;
    intents::evaluated(tx, *intent, *at).await?;
    let state = judged.decision.intent_state();
    if state != model::intent::IntentState::Open {
        intents::settle(tx, *intent, state).await?;
    }
    Ok(id)
}
