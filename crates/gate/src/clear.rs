//! Clearance: the one thing that lets an execution act, and the only place that makes one.
//!
//! `act` takes a `Clearance` and gives none back; nobody can build, copy or store one. Between the
//! decision and the start everything may have changed, so everything is judged again here.

mod refused;

pub use refused::{Refused, Remedy};

use model::execution::ExecutionState;
use model::id::{ExecutionId, TenantId};
use model::intent::ApprovalState;
use model::verdict::{ApprovalRequirement, Judge, Reason, Verdict};
use model::{Digest, Timestamp};

use crate::approval::Request;
use crate::guard::{self, Guard, GuardResult};
use crate::quorum::{Tally, tally};

/// Permission to act on one execution, once, for one holder of its lease.
#[derive(Debug)]
pub struct Clearance {
    tenant: TenantId,
    execution: ExecutionId,
    plan_hash: Digest,
    bound_hash: Digest,
    epoch: i64,
    scope: Scope,
}

/// What a clearance is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole plan.
    Everything,
    /// Undoing what was done, and nothing else.
    RollbackOnly,
}

impl Clearance {
    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The execution.
    #[must_use]
    pub const fn execution(&self) -> ExecutionId {
        self.execution
    }

    /// The only plan that may be acted on.
    #[must_use]
    pub const fn plan_hash(&self) -> Digest {
        self.plan_hash
    }

    /// What was approved.
    #[must_use]
    pub const fn bound_hash(&self) -> Digest {
        self.bound_hash
    }

    /// The lease epoch it is good for; a later holder needs its own.
    #[must_use]
    pub const fn epoch(&self) -> i64 {
        self.epoch
    }

    /// What it is good for.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// Whether it lets nothing happen but undoing.
    #[must_use]
    pub fn rollback_only(&self) -> bool {
        self.scope == Scope::RollbackOnly
    }
}

/// A plan's hash and what an approval is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashes {
    /// Of the plan.
    pub plan: Digest,
    /// Of plan, policy bundle, tier and blast radius.
    pub bound: Digest,
}

/// The lease a worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The tenant.
    pub tenant: TenantId,
    /// The execution.
    pub execution: ExecutionId,
    /// Its epoch; from 1.
    pub epoch: i64,
    /// Where the execution stands.
    pub state: ExecutionState,
}

/// Everything a start is judged by, read and computed anew in the transaction that starts.
#[derive(Debug, Clone)]
pub struct StartFacts<'a> {
    /// The lease.
    pub lease: Lease,
    /// The hashes the execution was decided with.
    pub stored: Hashes,
    /// The same, computed now from the stored plan, the bundle in force, tier and blast radius.
    pub recomputed: Hashes,
    /// What the gate decides now.
    pub verdict: Verdict,
    /// Why.
    pub reasons: &'a [Reason],
    /// Who must approve by today's policy; the stricter of this and the stored one holds.
    pub requirement: Option<&'a ApprovalRequirement>,
    /// The approval, with voters' roles as they are now; `None` if there never was one.
    pub approval: Option<&'a Request>,
    /// The guards' answers now, the rate slot being held.
    pub guards: &'a [GuardResult],
    /// The database's clock.
    pub at: Timestamp,
}

/// What a resume is judged by. It passes no blackout, rate or breaker guard: half a change is
/// worse than a whole one or none.
#[derive(Debug, Clone)]
pub struct ResumeFacts<'a> {
    /// The lease.
    pub lease: Lease,
    /// The hashes the execution started with.
    pub stored: Hashes,
    /// The plan's hash, computed now from the stored bytes.
    pub plan_now: Digest,
    /// The approval it started under, if it needed one.
    pub approval: Option<&'a Request>,
}

/// Clears an approved execution for its start.
///
/// # Errors
/// Says what no longer holds.
pub fn clear(facts: &StartFacts<'_>) -> Result<Clearance, Refused> {
    leased(&facts.lease, "started", &[ExecutionState::Approved])?;
    unchanged(facts.stored, facts.recomputed)?;
    let blocking: Vec<_> =
        facts.guards.iter().filter(|one| one.verdict != Verdict::Allow).cloned().collect();
    match facts.verdict {
        // A denial that is the guards' alone may pass with time: it is told apart.
        Verdict::Deny if denied_by_guards(facts.reasons) && !blocking.is_empty() => {
            return Err(Refused::Blocked(blocking));
        }
        Verdict::Deny => return Err(Refused::Denied(facts.reasons.to_vec())),
        // An approval that was asked for is needed even if today's policy would not ask.
        Verdict::Allow => {
            if let Some(request) = facts.approval {
                approved(request, facts)?;
            }
        }
        Verdict::RequireApproval => {
            approved(facts.approval.ok_or(Refused::ApprovalMissing)?, facts)?;
        }
    }
    if !blocking.is_empty() {
        return Err(Refused::Blocked(blocking));
    }
    let asked = |one: &Guard| facts.guards.iter().any(|result| result.guard == *one);
    if let Some(missing) = Guard::ALL.iter().find(|one| !asked(one)) {
        return Err(Refused::GuardMissing(*missing));
    }
    debug_assert!(guard::all_allow(facts.guards), "checked one by one above");
    Ok(issue(&facts.lease, facts.stored, Scope::Everything))
}

/// Clears an execution whose worker went away to be taken up again.
///
/// # Errors
/// Says what no longer holds. A plan whose bytes changed is not even undone: nobody can say what
/// the undo would be.
pub fn resume(facts: &ResumeFacts<'_>) -> Result<Clearance, Refused> {
    let under_way =
        [ExecutionState::InProgress, ExecutionState::Verifying, ExecutionState::RollingBack];
    leased(&facts.lease, "resumed", &under_way)?;
    if facts.stored.plan != facts.plan_now {
        return Err(Refused::PlanChanged);
    }
    if let Some(request) = facts.approval {
        if request.state != ApprovalState::Approved {
            return Err(Refused::NotApproved(request.state));
        }
        if request.bound_hash != facts.stored.bound {
            return Err(Refused::OtherApproval);
        }
    }
    let undoing = facts.lease.state == ExecutionState::RollingBack;
    let scope = if undoing { Scope::RollbackOnly } else { Scope::Everything };
    Ok(issue(&facts.lease, facts.stored, scope))
}

fn issue(lease: &Lease, hashes: Hashes, scope: Scope) -> Clearance {
    Clearance {
        tenant: lease.tenant,
        execution: lease.execution,
        plan_hash: hashes.plan,
        bound_hash: hashes.bound,
        epoch: lease.epoch,
        scope,
    }
}

fn leased(lease: &Lease, wanted: &'static str, states: &[ExecutionState]) -> Result<(), Refused> {
    if !states.contains(&lease.state) {
        return Err(Refused::WrongState { state: lease.state, wanted });
    }
    if lease.epoch < 1 {
        return Err(Refused::NoLease { epoch: lease.epoch });
    }
    Ok(())
}

fn unchanged(stored: Hashes, now: Hashes) -> Result<(), Refused> {
    if stored.plan != now.plan {
        return Err(Refused::PlanChanged);
    }
    if stored.bound != now.bound {
        return Err(Refused::BoundChanged);
    }
    Ok(())
}

/// Whether guards said no and nobody else did.
fn denied_by_guards(reasons: &[Reason]) -> bool {
    let mut denials = reasons.iter().filter(|reason| reason.verdict == Verdict::Deny).peekable();
    denials.peek().is_some() && denials.all(|reason| reason.judge == Judge::Guard)
}

/// Whether an approval still carries a start, by those who may still vote.
fn approved(request: &Request, facts: &StartFacts<'_>) -> Result<(), Refused> {
    if request.state != ApprovalState::Approved {
        return Err(Refused::NotApproved(request.state));
    }
    if request.bound_hash != facts.recomputed.bound {
        return Err(Refused::OtherApproval);
    }
    if facts.at >= request.expires_at {
        return Err(Refused::ApprovalExpired { at: request.expires_at });
    }
    let mut today = request.clone();
    if let Some(requirement) = facts.requirement {
        today.requirement = today.requirement.and(requirement);
    }
    match tally(&today) {
        Tally::Reached => Ok(()),
        Tally::Missing(missing) => Err(Refused::QuorumLost { missing }),
        Tally::Denied => Err(Refused::NotApproved(ApprovalState::Denied)),
    }
}

#[cfg(test)]
mod tests;
