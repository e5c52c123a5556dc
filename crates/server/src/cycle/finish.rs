//! Finish: what follows from an end, in the transaction that writes it: the intent is settled,
//! the outcome recorded, the posterior moved, breakers told, cooldowns begun.

use std::collections::BTreeSet;

use act::Claimed;
use act::ports::{Begin, Finished, Hooks, Outside};
use act::snapshot::Because;
use db::TenantTx;
use gate::breaker::{self, Key};
use gate::proposal::{Freshness, Place, Proposal};
use gate::store::{breakers, intents, rates};
use judge::action::{Category, Kind, Table};
use learn::store::{NewOutcome, Verifier};
use model::audit::{Event, Who};
use model::connector::Pending;
use model::execution::ExecutionState;
use model::intent::IntentState;
use model::plan::Plan;

use super::{Error, Loop, remedy, start, store};

/// What the loop does at the beginning and at the end of an execution.
#[derive(Debug, Clone)]
pub struct LoopHooks {
    /// The hand-offs.
    pub cycle: Loop,
    /// As whom they are written.
    pub who: Who,
}

impl Hooks for LoopHooks {
    fn begin<'a>(&'a self, claimed: &'a Claimed) -> Pending<'a, Result<Begin, Outside>> {
        Box::pin(start::begin(&self.cycle, &self.who, claimed))
    }

    fn finish<'a>(
        &'a self,
        tx: &'a mut TenantTx,
        finished: &'a Finished,
    ) -> Pending<'a, Result<(), Outside>> {
        Box::pin(async move { Ok(finish(&self.cycle, &self.who, tx, finished).await?) })
    }
}

/// How an end counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Success,
    Failure,
    /// Nothing was done, or a person stopped it: it says nothing about the change.
    Neither,
}

fn count(state: ExecutionState) -> Count {
    match state {
        ExecutionState::Completed => Count::Success,
        ExecutionState::Failed
        | ExecutionState::TimedOut
        | ExecutionState::RolledBack
        | ExecutionState::PartiallyRolledBack
        | ExecutionState::RollbackFailed => Count::Failure,
        ExecutionState::Queued
        | ExecutionState::Preflight
        | ExecutionState::AwaitingApproval
        | ExecutionState::Approved
        | ExecutionState::InProgress
        | ExecutionState::Verifying
        | ExecutionState::RollingBack
        | ExecutionState::Blocked
        | ExecutionState::Denied
        | ExecutionState::Expired
        | ExecutionState::Cancelled
        | ExecutionState::NeedsHuman => Count::Neither,
    }
}

async fn finish(
    cycle: &Loop,
    who: &Who,
    tx: &mut TenantTx,
    finished: &Finished,
) -> Result<(), Error> {
    if finished.state == ExecutionState::NeedsHuman {
        return Ok(());
    }
    remedy::ended(tx, finished).await?;
    let ending = store::ending(tx, finished.execution).await?;
    let counted = if finished.because == Some(Because::Cancelled) {
        Count::Neither
    } else {
        count(finished.state)
    };
    let settled = match counted {
        Count::Success => IntentState::Succeeded,
        Count::Failure => IntentState::Failed,
        Count::Neither => IntentState::Closed,
    };
    intents::settle(tx, ending.intent, settled).await?;
    rates::finish(tx, finished.execution, finished.ended_at).await?;
    let event = match counted {
        Count::Neither => return Ok(()),
        // A success nobody checked closes no breaker; a failure opens one, checked or not.
        Count::Success if finished.verified => Some(breaker::Event::Succeeded),
        Count::Success => None,
        Count::Failure => Some(breaker::Event::Failed),
    };
    if let Some(event) = event {
        let proposal = proposal(&finished.plan, ending.trigger, finished.ended_at);
        breakers::tell(tx, &Key::all(&proposal), &event, who).await?;
    }
    // What reads alone says nothing of how changes go: a look every few minutes would teach that all
    // of them go well.
    if writes(&finished.plan).is_empty() {
        return Ok(());
    }
    let outcome = outcome(cycle, finished, &ending, counted);
    let recorded = learn::store::record(tx, &outcome).await?;
    let event = Event::new(who.clone(), "outcome.recorded", "intent", &ending.intent)
        .with("outcome_id", recorded.id.to_string())
        .with("execution_id", finished.execution.to_string())
        .with("worked", outcome.success)
        .with("verified", outcome.verifier.verified())
        .with("category", outcome.category)
        .with("alpha", recorded.posterior.alpha.to_string())
        .with("beta", recorded.posterior.beta.to_string());
    tx.audit(&event).await?;
    if let (Count::Success, true, Some(finding)) = (counted, finished.verified, ending.finding) {
        sense::store::finding::fixed(tx, finding).await?;
        let event = Event::new(who.clone(), "finding.fixed", "finding", &finding)
            .with("execution_id", finished.execution.to_string());
        tx.audit(&event).await?;
    }
    Ok(())
}

fn outcome(
    cycle: &Loop,
    finished: &Finished,
    ending: &store::Ending,
    counted: Count,
) -> NewOutcome {
    let category: Category = ending.category.parse().unwrap_or(Category::Default);
    let prior = cycle.0.constants.prior(category);
    let environments: BTreeSet<_> =
        finished.plan.targets.iter().map(|target| target.environment).collect();
    NewOutcome {
        intent: ending.intent,
        execution: Some(finished.execution),
        success: counted == Count::Success,
        verifier: if finished.verified { Verifier::Machine } else { Verifier::Nobody },
        recorded_by: model::actor::service(),
        notes: finished.error.clone().unwrap_or_default(),
        evidence: Vec::new(),
        idempotency_key: None,
        category: category.word().to_owned(),
        environments: environments.into_iter().collect(),
        actions: writes(&finished.plan).into_iter().collect(),
        prior: prior.map_or((1.0, 1.0), |prior| (prior.alpha(), prior.beta())),
        constants: cycle.0.constants.name.clone(),
    }
}

/// The actions of a plan that change something.
fn writes(plan: &Plan) -> BTreeSet<String> {
    let table = Table::shipped();
    let all = plan.steps.iter().map(|step| table.classify(&step.action));
    all.filter(|action| action.kind == Kind::Write).map(|action| action.action).collect()
}

/// The proposal an ended plan was, as far as breakers ask.
fn proposal(plan: &Plan, trigger: Option<model::id::TriggerId>, at: model::Timestamp) -> Proposal {
    Proposal {
        runbook: plan.runbook.id,
        runbook_name: plan.runbook.name.clone(),
        category: String::new(),
        places: plan
            .targets
            .iter()
            .map(|target| Place {
                resource: target.resource_id,
                name: target.name.clone(),
                environment: target.environment.word().to_owned(),
                class: target.environment,
                tags: BTreeSet::new(),
            })
            .collect(),
        actions: plan.steps.iter().map(|step| step.action.clone()).collect(),
        trigger,
        trigger_cooldown_s: 0,
        runbook_cooldown_s: 0,
        quota: None,
        context: Freshness { taken_at: Some(at), max_age_s: 0 },
    }
}
