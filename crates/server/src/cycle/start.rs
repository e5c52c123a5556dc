//! Start: between the decision and the start everything may have changed, so everything is made
//! and judged again, in the transaction that takes the rate slot.

use act::Claimed;
use act::ports::{Begin, Outside};
use db::TenantTx;
use gate::clear::{self, Clearance, Hashes, Lease, Refused, ResumeFacts, StartFacts};
use gate::store::approvals::{self, NewApproval, Reopened, Source};
use gate::store::guards::{self, Moment};
use gate::store::{intents, plans};
use model::Timestamp;
use model::audit::Who;
use model::execution::ExecutionState;
use model::id::ApprovalId;
use model::intent::{ApprovalState, IntentState};
use model::plan::Plan;

use super::ask::{Ask, Settle, plan};
use super::store::{self, Waiting};
use super::today::Today;
use super::weigh::Weighed;
use super::{Error, Loop};

/// Clears a claimed execution, or moves it to where it belongs.
pub(super) async fn begin(cycle: &Loop, who: &Who, claimed: &Claimed) -> Result<Begin, Outside> {
    let mut tx = cycle.app().db.tenant(claimed.tenant).await?;
    let Some(waiting) = store::hold(&mut tx, claimed.execution, claimed.epoch).await? else {
        return Ok(Begin::Refused);
    };
    let start = Start { cycle, who, claimed, waiting: &waiting };
    let cleared = if claimed.state == ExecutionState::Approved {
        start.fresh(&mut tx).await?
    } else {
        start.taken_up(&mut tx).await?
    };
    tx.commit().await?;
    Ok(cleared.map_or(Begin::Refused, Begin::Cleared))
}

/// A claimed execution on its way to a clearance.
struct Start<'a> {
    cycle: &'a Loop,
    who: &'a Who,
    claimed: &'a Claimed,
    waiting: &'a Waiting,
}

/// What would run now, and what is thought of it.
struct Now<'a> {
    ask: &'a Ask<'a>,
    plan: &'a Plan,
    weighed: &'a Weighed,
    at: Timestamp,
}

impl Start<'_> {
    fn lease(&self) -> Lease {
        Lease {
            tenant: self.claimed.tenant,
            execution: self.claimed.execution,
            epoch: self.claimed.epoch,
            state: self.claimed.state,
        }
    }

    async fn approval(&self, tx: &mut TenantTx) -> Result<Option<gate::approval::Request>, Error> {
        match self.waiting.approval {
            Some(id) => Ok(Some(approvals::request(tx, id).await?)),
            None => Ok(None),
        }
    }

    /// An execution whose worker went away.
    async fn taken_up(&self, tx: &mut TenantTx) -> Result<Option<Clearance>, Error> {
        let stored = plans::get(tx, self.waiting.plan).await?;
        let approval = self.approval(tx).await?;
        let facts = ResumeFacts {
            lease: self.lease(),
            stored: Hashes { plan: self.waiting.plan_hash, bound: self.waiting.bound_hash },
            plan_now: stored.recomputed,
            approval: approval.as_ref(),
        };
        match clear::resume(&facts) {
            Ok(clearance) => Ok(Some(clearance)),
            Err(refused) => {
                let to = Some(ExecutionState::NeedsHuman);
                let reason = refused.to_string();
                store::refuse(tx, self.claimed.execution, to, &reason, None, self.who).await?;
                Ok(None)
            }
        }
    }

    /// An execution that has not begun.
    async fn fresh(&self, tx: &mut TenantTx) -> Result<Option<Clearance>, Error> {
        let before = plans::get(tx, self.waiting.plan).await?;
        // The stored bytes must still be the ones decided on, whatever would be planned today.
        if before.recomputed != self.waiting.plan_hash {
            return self.blocked(tx, "the stored plan was altered").await;
        }
        let Some(today) = Today::load(tx, self.waiting, &before).await? else {
            return self.blocked(tx, "the intent names no runbook").await;
        };
        let ask = today.ask();
        let plan = match plan(&ask) {
            Ok(plan) => plan,
            Err(error @ (Error::Compile(_) | Error::Select(_))) => {
                return self.blocked(tx, &error.to_string()).await;
            }
            Err(error) => return Err(error),
        };
        let moment = Moment::Starting(self.claimed.execution);
        let (weighed, at) = self.cycle.weigh_ask(tx, &ask, &plan, moment).await?;
        let approval = self.approval(tx).await?;
        let facts = StartFacts {
            lease: self.lease(),
            stored: Hashes { plan: self.waiting.plan_hash, bound: self.waiting.bound_hash },
            recomputed: Hashes { plan: weighed.plan_hash, bound: weighed.bound_hash },
            verdict: weighed.judgement.verdict.max(weighed.decision.verdict),
            reasons: &weighed.decision.reasons,
            requirement: weighed.decision.approval.as_ref(),
            approval: approval.as_ref(),
            guards: &weighed.answers.results,
            at: weighed.answers.at,
        };
        match clear::clear(&facts) {
            Ok(clearance) => {
                let execution = self.claimed.execution;
                let Weighed { proposal, answers, .. } = &weighed;
                guards::take_slot(tx, proposal, execution, answers, self.who).await?;
                Ok(Some(clearance))
            }
            Err(refused) => {
                let now = Now { ask: &ask, plan: &plan, weighed: &weighed, at };
                self.refused(tx, &refused, &now).await?;
                Ok(None)
            }
        }
    }

    async fn blocked(&self, tx: &mut TenantTx, reason: &str) -> Result<Option<Clearance>, Error> {
        let to = Some(ExecutionState::Blocked);
        store::refuse(tx, self.claimed.execution, to, reason, None, self.who).await?;
        intents::settle(tx, self.waiting.intent, IntentState::Closed).await?;
        Ok(None)
    }

    /// Where an execution goes that may not start now.
    async fn refused(
        &self,
        tx: &mut TenantTx,
        refused: &Refused,
        now: &Now<'_>,
    ) -> Result<(), Error> {
        let reason = refused.to_string();
        let (to, settle) = match refused {
            Refused::PlanChanged | Refused::BoundChanged => {
                if let Some(approval) = self.waiting.approval {
                    return self.ask_again(tx, approval, &reason, now).await;
                }
                (Some(ExecutionState::Blocked), Some(IntentState::Closed))
            }
            // Time alone will open the guards: the approval stays good until it expires.
            Refused::Blocked(_) if refused.until().is_some() => (None, None),
            Refused::Denied(_) | Refused::NotApproved(ApprovalState::Denied) => {
                (Some(ExecutionState::Denied), Some(IntentState::Denied))
            }
            Refused::ApprovalExpired { .. } => {
                (Some(ExecutionState::Expired), Some(IntentState::Closed))
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
    async fn ask_again(
        &self,
        tx: &mut TenantTx,
        approval: ApprovalId,
        reason: &str,
        now: &Now<'_>,
    ) -> Result<(), Error> {
        let version = plans::get(tx, self.waiting.plan).await?.version + 1;
        let settle = Settle {
            ask: now.ask,
            intent: self.waiting.intent,
            version,
            plan: now.plan,
            weighed: now.weighed,
            at: now.at,
        };
        let settled = self.cycle.settle(tx, settle).await?;
        let instead = now.weighed.decision.approval.as_ref().map(|requirement| Reopened {
            approval: NewApproval {
                id: ApprovalId::generate(),
                intent: self.waiting.intent,
                plan: settled.plan,
                decision: settled.decision,
                requester: now.ask.requester.id,
                author: now.ask.author,
                requirement: requirement.clone(),
                bound_hash: now.weighed.bound_hash,
                source: Source::Auto,
            },
            plan_hash: now.weighed.plan_hash,
        });
        approvals::ask_again(tx, approval, reason, instead, self.who.clone()).await?;
        store::let_go(tx, self.claimed.execution).await?;
        Ok(())
    }
}
