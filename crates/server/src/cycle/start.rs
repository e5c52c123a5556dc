//! Start: between the decision and the start everything may have changed, so everything is made
//! and judged again, in the transaction that takes the rate slot.

use std::time::Duration;

use act::Claimed;
use act::ports::{Begin, Outside};
use db::TenantTx;
use gate::clear::{self, Clearance, Hashes, Lease, Refused, Remedy, ResumeFacts, StartFacts};
use gate::store::approvals::{self, NewApproval, Reopened, Source};
use gate::store::guards::{self, Moment};
use gate::store::{intents, plans};
use model::Timestamp;
use model::actor::Role;
use model::audit::Who;
use model::execution::ExecutionState;
use model::id::ApprovalId;
use model::intent::IntentState;
use model::plan::{Plan, Semantics};
use model::verdict::ApprovalRequirement;
use prove::store::lag;

use super::ask::{Ask, Settle, plan, refusal};
use super::store::{self, Waiting};
use super::today::Today;
use super::weigh::{Judged, Weighed};
use super::{Error, Loop};

/// How long a start waits before it is tried again while the audit log is behind, at most.
const PUT_OFF: Duration = Duration::from_secs(15);

/// Clears a claimed execution, or moves it to where it belongs.
pub(super) async fn begin(cycle: &Loop, who: &Who, claimed: &Claimed) -> Result<Begin, Outside> {
    let mut tx = cycle.app().db.tenant(claimed.tenant).await?;
    guards::keep(&mut tx).await?;
    // The approval first, as votes, cancels and sweeps do: two orders of locks would meet.
    approvals::hold(&mut tx, claimed.execution).await?;
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
        if self.put_off(tx, &before.plan).await? {
            return Ok(None);
        }
        let today = match Today::load(tx, self.waiting, &before).await? {
            Ok(today) => today,
            Err(reason) => return self.blocked(tx, &reason).await,
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
                let Judged { proposal, answers, .. } = &weighed.judged;
                guards::take_slot(tx, proposal, execution, answers, self.who).await?;
                store::forget_refusal(tx, execution).await?;
                Ok(Some(clearance))
            }
            Err(refused) => {
                let now = Now { ask: &ask, plan: &plan, weighed: &weighed, at };
                self.refused(tx, &refused, &now).await?;
                Ok(None)
            }
        }
    }

    /// Puts off what would change something while the audit log is too far behind: what began is
    /// finished or undone, and nothing new begins that could go unseen. Says whether it did.
    async fn put_off(&self, tx: &mut TenantTx, plan: &Plan) -> Result<bool, Error> {
        if plan.steps.iter().all(|step| step.semantics == Semantics::Read) {
            return Ok(false);
        }
        let limit = self.cycle.limit();
        let Some(reason) = limit.held(lag::oldest(tx, limit.witnessed).await?) else {
            return Ok(false);
        };
        let until = tx.now().await? + PUT_OFF.min(limit.most);
        store::refuse(tx, self.claimed.execution, None, &reason, Some(until), self.who).await?;
        Ok(true)
    }

    async fn blocked(&self, tx: &mut TenantTx, reason: &str) -> Result<Option<Clearance>, Error> {
        self.end(tx, ExecutionState::Blocked, IntentState::Closed, reason).await?;
        Ok(None)
    }

    /// Ends it before it began, with its intent and its approval.
    async fn end(
        &self,
        tx: &mut TenantTx,
        to: ExecutionState,
        intent: IntentState,
        reason: &str,
    ) -> Result<(), Error> {
        if let Some(approval) = self.waiting.approval {
            approvals::withdraw(tx, approval, reason, self.who.clone()).await?;
        }
        store::refuse(tx, self.claimed.execution, Some(to), reason, None, self.who).await?;
        intents::settle(tx, self.waiting.intent, intent).await?;
        Ok(())
    }

    /// Where an execution goes that may not start now.
    async fn refused(
        &self,
        tx: &mut TenantTx,
        refused: &Refused,
        now: &Now<'_>,
    ) -> Result<(), Error> {
        let reason = refused.to_string();
        let denied = now.weighed.decision.execution_state() == ExecutionState::Denied;
        match refused.remedy() {
            Remedy::Leave => {}
            Remedy::AskAgain if denied => {
                let reason = refusal(&now.weighed.decision).unwrap_or(reason);
                self.end(tx, ExecutionState::Denied, IntentState::Denied, &reason).await?;
            }
            Remedy::AskAgain => self.ask_again(tx, &reason, now).await?,
            Remedy::Deny => {
                self.end(tx, ExecutionState::Denied, IntentState::Denied, &reason).await?;
            }
            Remedy::Expire => {
                let written = match self.waiting.approval {
                    Some(id) => approvals::expire_one(tx, id, self.who.clone()).await?,
                    None => Vec::new(),
                };
                // Expiring an approval ends its execution and its intent with it.
                if written.is_empty() {
                    let (to, intent) = (ExecutionState::Expired, IntentState::Closed);
                    self.end(tx, to, intent, &reason).await?;
                } else {
                    store::let_go(tx, self.claimed.execution, now.ask.version).await?;
                }
            }
            // Time alone will open the guards: the approval stays good until it expires.
            Remedy::Block if refused.until().is_some() => {
                let until = refused.until();
                store::refuse(tx, self.claimed.execution, None, &reason, until, self.who).await?;
            }
            Remedy::Block => {
                self.end(tx, ExecutionState::Blocked, IntentState::Closed, &reason).await?;
            }
        }
        Ok(())
    }

    /// What was approved is no longer what would run: the old approval is void, and people are
    /// asked about what would run now, even where the policy alone would let it.
    async fn ask_again(&self, tx: &mut TenantTx, reason: &str, now: &Now<'_>) -> Result<(), Error> {
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
        let stored = self.approval(tx).await?.map(|request| request.requirement);
        let requirement = now.weighed.decision.approval.clone().or(stored);
        let approval = NewApproval {
            id: ApprovalId::generate(),
            intent: self.waiting.intent,
            plan: settled.plan,
            decision: settled.decision,
            requester: now.ask.requester.id,
            author: now.ask.author,
            requirement: requirement.unwrap_or_else(|| default_requirement(now.weighed)),
            bound_hash: now.weighed.bound_hash,
            source: Source::Auto,
        };
        let execution = self.claimed.execution;
        match self.waiting.approval {
            Some(old) => {
                let instead = Some(Reopened { approval, plan_hash: now.weighed.plan_hash });
                approvals::ask_again(tx, old, reason, instead, self.who.clone()).await?;
            }
            None => {
                approvals::create(tx, &approval, self.who.clone()).await?;
                let plan_hash = now.weighed.plan_hash;
                store::await_approval(tx, execution, &approval, plan_hash, reason, self.who)
                    .await?;
            }
        }
        store::let_go(tx, execution, now.ask.version).await?;
        Ok(())
    }
}

/// Who must approve what nobody had to approve before: one approver, within a day.
fn default_requirement(weighed: &Weighed) -> ApprovalRequirement {
    ApprovalRequirement {
        tier: weighed.record.assessment.tier,
        roles: vec![Role::Approver, Role::Admin],
        min_votes: 1,
        ttl_s: gate::decide::APPROVAL_TTL_S,
    }
}
