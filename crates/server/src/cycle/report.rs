//! Report: what an outside system says came of the change it was advised on, once.
//!
//! Its word teaches the advice it gets (document 003), and nothing that runs here. It counts as
//! verified when a person who is not behind the request reports it and names what it was seen by:
//! the separation that approvals have. Only then it is remembered, moves the posterior that what
//! runs here is judged by, and earns autonomy.

use db::TenantTx;
use gate::store::{decisions, intents};
use judge::action::{Category, Kind};
use judge::risk::Record;
use learn::store::{Evidence, NewOutcome, OutcomeRow, Verifier};
use model::actor::ActorKind;
use model::audit::Event;
use model::id::DecisionId;
use model::intent::{IntentState, Purpose};

use api::caller::Caller;

use super::{Error, Loop};

/// What somebody reports.
#[derive(Debug)]
pub(super) struct Report {
    /// Whether it worked.
    pub(super) success: bool,
    /// In words.
    pub(super) notes: String,
    /// What it was seen by.
    pub(super) evidence: Vec<Evidence>,
    /// The reporter's own name for it.
    pub(super) idempotency_key: Option<String>,
}

/// Records what came of a change an outside system was advised on; the same again is the same.
///
/// # Errors
/// [`Error::NotAdvice`] for a change that runs here: its execution says what came of it. A conflict
/// when another outcome is recorded.
pub(super) async fn report(
    cycle: &Loop,
    tx: &mut TenantTx,
    caller: &Caller,
    id: DecisionId,
    report: Report,
) -> Result<OutcomeRow, Error> {
    let decision = decisions::get(tx, id).await?;
    let intent = intents::get(tx, decision.intent).await?;
    if intent.purpose != Purpose::Advice {
        return Err(Error::NotAdvice);
    }
    let apart = !intents::same_people(tx, caller.actor.id, intent.requester).await?;
    let looked = caller.actor.kind == ActorKind::User && !report.evidence.is_empty();
    let category: Category = intent.category.parse().unwrap_or(Category::Default);
    let prior = cycle.0.constants.prior(category);
    let outcome = NewOutcome {
        intent: intent.id,
        execution: None,
        success: report.success,
        verifier: if looked && apart { Verifier::Person } else { Verifier::Reporter },
        recorded_by: caller.actor.id,
        notes: report.notes,
        evidence: report.evidence,
        idempotency_key: report.idempotency_key,
        category: category.word().to_owned(),
        environments: vec![intent.class],
        actions: writes(&decision.canon),
        prior: prior.map_or((1.0, 1.0), |prior| (prior.alpha(), prior.beta())),
        constants: cycle.0.constants.name.clone(),
    };
    let recorded = learn::store::record(tx, &outcome).await?;
    if !recorded.repeated {
        let settled = if outcome.success { IntentState::Succeeded } else { IntentState::Failed };
        // What was done in spite of a denial stays denied.
        intents::settle_if_open(tx, intent.id, settled).await?;
        let event = Event::new(&caller.actor, "outcome.recorded", "intent", &intent.id)
            .with("outcome_id", recorded.id.to_string())
            .with("decision_id", id.to_string())
            .with("worked", outcome.success)
            .with("verified", outcome.verifier.verified())
            .with("verified_by", outcome.verifier.word())
            .with("category", outcome.category)
            .with("alpha", recorded.posterior.alpha.to_string())
            .with("beta", recorded.posterior.beta.to_string())
            .from_origin(caller.origin.clone());
        tx.audit(&event).await?;
    }
    learn::store::of_intent(tx, intent.id).await.map_err(Error::Db)?.ok_or(Error::Undecided)
}

/// The typed actions that were judged and change something.
fn writes(canon: &[u8]) -> Vec<String> {
    let record: Option<Record> = serde_json::from_slice::<serde_json::Value>(canon)
        .ok()
        .and_then(|mut document| serde_json::from_value(document["risk"].take()).ok());
    let actions = record.map(|record| record.input.actions).unwrap_or_default();
    let writing = actions.into_iter().filter(|action| action.kind == Kind::Write);
    writing.map(|action| action.action).collect()
}
