//! Start: between the decision and the start everything may have changed, so everything is made
//! and judged again, in the transaction that takes the rate slot.

use std::collections::BTreeMap;

use act::Claimed;
use act::ports::{Begin, Outside};
use act::runbook::store as runbooks;
use db::TenantTx;
use gate::clear::{self, Clearance, Hashes, Lease, Refused, ResumeFacts, StartFacts};
use gate::store::approvals::{self, NewApproval, Reopened, Source};
use gate::store::guards::{self, Moment};
use gate::store::{intents, plans};
use model::Timestamp;
use model::actor::Actor;
use model::audit::Who;
use model::execution::ExecutionState;
use model::id::{ApprovalId, TriggerId};
use model::intent::{ApprovalState, IntentState};
use sense::inventory::Selector;
use sense::store::{finding, target};

use super::ask::{Ask, Settle, plan};
use super::store::{self, Waiting};
use super::weigh::{Matter, Weighed};
use super::{Error, Loop};

/// Clears a claimed execution, or moves it to where it belongs.
pub(super) async fn begin(cycle: &Loop, who: &Who, claimed: &Claimed) -> Result<Begin, Outside> {
    let mut tx = cycle.app().db.tenant(claimed.tenant).await?;
    let Some(waiting) = store::hold(&mut tx, claimed.execution, claimed.epoch).await? else {
        return Ok(Begin::Refused);
    };
    let cleared = if claimed.state == ExecutionState::Approved {
        fresh(cycle, &mut tx, who, claimed, &waiting).await?
    } else {
        taken_up(&mut tx, who, claimed, &waiting).await?
    };
    tx.commit().await?;
    Ok(cleared.map_or(Begin::Refused, Begin::Cleared))
}

fn lease(claimed: &Claimed) -> Lease {
    Lease {
        tenant: claimed.tenant,
        execution: claimed.execution,
        epoch: claimed.epoch,
        state: claimed.state,
    }
}

/// An execution whose worker went away.
async fn taken_up(
    tx: &mut TenantTx,
    who: &Who,
    claimed: &Claimed,
    waiting: &Waiting,
) -> Result<Option<Clearance>, Error> {
    let stored = plans::get(tx, waiting.plan).await?;
    let approval = match waiting.approval {
        Some(id) => Some(approvals::request(tx, id).await?),
        None => None,
    };
    let facts = ResumeFacts {
        lease: lease(claimed),
        stored: Hashes { plan: waiting.plan_hash, bound: waiting.bound_hash },
        plan_now: stored.recomputed,
        approval: approval.as_ref(),
    };
    match clear::resume(&facts) {
        Ok(clearance) => Ok(Some(clearance)),
        Err(refused) => {
            let to = Some(ExecutionState::NeedsHuman);
            let reason = refused.to_string();
            store::refuse(tx, claimed.execution, to, &reason, None, who).await?;
            Ok(None)
        }
    }
}

/// An execution that has not begun.
async fn fresh(
    cycle: &Loop,
    tx: &mut TenantTx,
    who: &Who,
    claimed: &Claimed,
    waiting: &Waiting,
) -> Result<Option<Clearance>, Error> {
    let intent = intents::get(tx, waiting.intent).await?;
    let Some(runbook_id) = intent.runbook else {
        return blocked(tx, who, claimed, waiting, "the intent names no runbook").await;
    };
    let requester = api::identity::store::load_actor(tx, waiting.initiated_by)
        .await?
        .ok_or(Error::NoService(tx.tenant()))?;
    let runbook = runbooks::get(tx, runbook_id).await?;
    let alert = match intent.finding {
        Some(id) => Some(finding::alert(tx, id).await?),
        None => None,
    };
    let before = plans::get(tx, waiting.plan).await?;
    let ids = before.plan.targets.iter().map(|target| target.resource_id).collect();
    let targets = target::targets(tx, &Selector { ids, ..Selector::default() }).await?;
    let variables: BTreeMap<String, String> = intent
        .payload
        .get("variables")
        .and_then(|given| serde_json::from_value(given.clone()).ok())
        .unwrap_or_default();
    let matched: Option<(TriggerId, u32)> = match intent.trigger_id {
        Some(trigger) => Some((trigger, store::cooldown_s(tx, trigger).await?)),
        None => None,
    };
    let author = store::author(tx, runbook_id, runbook.version).await?;
    let again = Ask {
        requester: &requester,
        trigger: intent.trigger,
        deterministic_id: intent.deterministic_id.clone(),
        runbook_id,
        version: runbook.version,
        author,
        runbook: &runbook.runbook,
        alert: alert.as_ref(),
        matched,
        targets: &targets,
        variables: &variables,
        text: intent.text.clone(),
        source: Source::Auto,
    };
    let now_plan = match plan(&again) {
        Ok(plan) => plan,
        Err(error @ (Error::Compile(_) | Error::Select(_))) => {
            return blocked(tx, who, claimed, waiting, &error.to_string()).await;
        }
        Err(error) => return Err(error),
    };
    let planned_at = tx.now().await?;
    let weighed = cycle
        .weigh(
            tx,
            &Matter {
                requester: &requester,
                trigger: intent.trigger,
                runbook: &runbook.runbook,
                plan: &now_plan,
                targets: &targets,
                matched,
                planned_at,
                moment: Moment::Starting(claimed.execution),
            },
        )
        .await?;
    let approval = match waiting.approval {
        Some(id) => Some(approvals::request(tx, id).await?),
        None => None,
    };
    let facts = StartFacts {
        lease: lease(claimed),
        stored: Hashes { plan: before.recomputed, bound: waiting.bound_hash },
        recomputed: Hashes { plan: weighed.plan_hash, bound: weighed.bound_hash },
        verdict: weighed.judgement.verdict.max(weighed.decision.verdict),
        reasons: &weighed.decision.reasons,
        requirement: weighed.decision.approval.as_ref(),
        approval: approval.as_ref(),
        guards: &weighed.answers.results,
        at: weighed.answers.at,
    };
    // The stored bytes must still be the ones decided on, whatever would be planned today.
    if before.recomputed != waiting.plan_hash {
        return blocked(tx, who, claimed, waiting, "the stored plan was altered").await;
    }
    match clear::clear(&facts) {
        Ok(clearance) => {
            guards::take_slot(tx, &weighed.proposal, claimed.execution, &weighed.answers, who)
                .await?;
            Ok(Some(clearance))
        }
        Err(refused) => {
            let start = Start { cycle, who, claimed, waiting, requester: &requester };
            start.refused(tx, &refused, &again, &now_plan, &weighed, planned_at).await?;
            Ok(None)
        }
    }
}

async fn blocked(
    tx: &mut TenantTx,
    who: &Who,
    claimed: &Claimed,
    waiting: &Waiting,
    reason: &str,
) -> Result<Option<Clearance>, Error> {
    store::refuse(tx, claimed.execution, Some(ExecutionState::Blocked), reason, None, who).await?;
    intents::settle(tx, waiting.intent, IntentState::Closed).await?;
    Ok(None)
}

struct Start<'a> {
    cycle: &'a Loop,
    who: &'a Who,
    claimed: &'a Claimed,
    waiting: &'a Waiting,
    requester: &'a Actor,
}

impl Start<'_> {
    /// Where an execution goes that may not start now.
    async fn refused(
        &self,
        tx: &mut TenantTx,
        refused: &Refused,
        again: &Ask<'_>,
        plan: &model::plan::Plan,
        weighed: &Weighed,
        at: Timestamp,
    ) -> Result<(), Error> {
        let reason = refused.to_string();
        let (to, settle) = match refused {
            Refused::PlanChanged | Refused::BoundChanged => {
                if let Some(approval) = self.waiting.approval {
                    return self.ask_again(tx, approval, &reason, again, plan, weighed, at).await;
                }
                (Some(ExecutionState::Blocked), Some(IntentState::Closed))
            }
            // Time alone will open the guards: the approval stays good until it expires.
            Refused::Blocked(_) if refused.until().is_some() => (None, None),
            Refused::Denied(_) => (Some(ExecutionState::Denied), Some(IntentState::Denied)),
            Refused::ApprovalExpired { .. } => {
                (Some(ExecutionState::Expired), Some(IntentState::Closed))
            }
            Refused::NotApproved(ApprovalState::Denied) => {
                (Some(ExecutionState::Denied), Some(IntentState::Denied))
            }
            Refused::NotApproved(_)
            | Refused::Blocked(_)
            | Refused::GuardMissing(_)
            | Refused::ApprovalMissing
            | Refused::OtherApproval
            | Refused::QuorumLost { .. }
            | Refused::NoLease { .. }
            | Refused::WrongState { .. } => {
                (Some(ExecutionState::Blocked), Some(IntentState::Closed))
            }
        };
        store::refuse(tx, self.claimed.execution, to, &reason, refused.until(), self.who).await?;
        if let Some(state) = settle {
            intents::settle(tx, self.waiting.intent, state).await?;
        }
        Ok(())
    }

    /// What was approved is no longer what would run: the old approval is void, and what would
    /// run now is asked about, if it may be asked about at all.
    #[expect(clippy::too_many_arguments, reason = "what is asked about now, in its parts")]
    async fn ask_again(
        &self,
        tx: &mut TenantTx,
        approval: ApprovalId,
        reason: &str,
        again: &Ask<'_>,
        plan: &model::plan::Plan,
        weighed: &Weighed,
        at: Timestamp,
    ) -> Result<(), Error> {
        let version = plans::get(tx, self.waiting.plan).await?.version + 1;
        let settle =
            Settle { ask: again, intent: self.waiting.intent, version, plan, weighed, at };
        let settled = self.cycle.settle(tx, settle).await?;
        let instead = weighed.decision.approval.as_ref().map(|requirement| Reopened {
            approval: NewApproval {
                id: ApprovalId::generate(),
                intent: self.waiting.intent,
                plan: settled.plan,
                decision: settled.decision,
                requester: self.requester.id,
                author: again.author,
                requirement: requirement.clone(),
                bound_hash: weighed.bound_hash,
                source: Source::Auto,
            },
            plan_hash: weighed.plan_hash,
        });
        approvals::ask_again(tx, approval, reason, instead, self.who.clone()).await?;
        store::let_go(tx, self.claimed.execution).await?;
        Ok(())
    }
}
