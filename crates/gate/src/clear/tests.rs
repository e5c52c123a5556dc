use std::collections::BTreeSet;

use model::actor::{Actor, ActorKind, Role};
use model::id::ActorId;
use model::level::Tier;
use model::verdict::Judge;

use super::*;
use crate::approval::{Choice, Party, Vote, Voter};

fn second(n: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + n).unwrap()
}

fn hashes() -> Hashes {
    Hashes { plan: Digest::of(b"plan"), bound: Digest::of(b"bound") }
}

fn lease(state: ExecutionState) -> Lease {
    Lease { tenant: TenantId::generate(), execution: ExecutionId::generate(), epoch: 3, state }
}

fn party() -> Party {
    let actor = ActorId::generate();
    Party { actor, people: [actor.to_string()].into() }
}

fn approved_by(votes: usize) -> Request {
    let vote = || {
        let id = ActorId::generate();
        let actor = Actor {
            id,
            tenant_id: TenantId::generate(),
            kind: ActorKind::User,
            display_name: "Ada".into(),
            roles: BTreeSet::from([Role::Approver]),
        };
        let voter = Voter { actor, person: id.to_string(), active: true };
        Vote { voter, choice: Choice::Approve }
    };
    Request {
        state: ApprovalState::Approved,
        requirement: ApprovalRequirement {
            tier: Tier::High,
            roles: vec![Role::Approver],
            min_votes: 2,
            ttl_s: 100,
        },
        requester: party(),
        author: party(),
        bound_hash: hashes().bound,
        alone: None,
        expires_at: second(100),
        votes: (0..votes).map(|_| vote()).collect(),
    }
}

fn clear_guards() -> Vec<GuardResult> {
    Guard::ALL.iter().map(|guard| GuardResult::allow(*guard, "clear")).collect()
}

fn facts<'a>(approval: Option<&'a Request>, guards: &'a [GuardResult]) -> StartFacts<'a> {
    StartFacts {
        lease: lease(ExecutionState::Approved),
        stored: hashes(),
        recomputed: hashes(),
        verdict: Verdict::RequireApproval,
        reasons: &[],
        requirement: None,
        approval,
        guards,
        at: second(50),
    }
}

#[test]
fn an_approved_plan_is_cleared_for_the_holder_of_the_lease() {
    let (approval, guards) = (approved_by(2), clear_guards());
    let facts = facts(Some(&approval), &guards);
    let clearance = clear(&facts).unwrap();
    assert_eq!(clearance.tenant(), facts.lease.tenant);
    assert_eq!(clearance.execution(), facts.lease.execution);
    assert_eq!((clearance.epoch(), clearance.rollback_only()), (3, false));
    assert_eq!((clearance.plan_hash(), clearance.bound_hash()), (hashes().plan, hashes().bound));
}

#[test]
fn a5_changed_bytes_policy_tier_or_reach_ask_again() {
    let (approval, guards) = (approved_by(2), clear_guards());
    let mut changed = facts(Some(&approval), &guards);
    changed.recomputed.plan = Digest::of(b"another credential version");
    let refused = clear(&changed).unwrap_err();
    assert_eq!((refused.remedy(), refused), (Remedy::AskAgain, Refused::PlanChanged));
    let mut changed = facts(Some(&approval), &guards);
    changed.recomputed.bound = Digest::of(b"another tier");
    assert_eq!(clear(&changed).unwrap_err(), Refused::BoundChanged);
    let mut other = approved_by(2);
    other.bound_hash = Digest::of(b"another");
    assert_eq!(clear(&facts(Some(&other), &guards)).unwrap_err(), Refused::OtherApproval);
}

#[test]
fn a7_an_approval_must_stand_in_time_and_by_those_who_may_still_vote() {
    let guards = clear_guards();
    let refused = |request: Option<&Request>| clear(&facts(request, &guards)).unwrap_err();
    assert_eq!(refused(None), Refused::ApprovalMissing);
    for state in
        [ApprovalState::Pending, ApprovalState::Denied, ApprovalState::Expired, ApprovalState::Void]
    {
        let request = Request { state, ..approved_by(2) };
        assert_eq!(refused(Some(&request)), Refused::NotApproved(state));
    }
    let late = Request { expires_at: second(50), ..approved_by(2) };
    assert_eq!(refused(Some(&late)), Refused::ApprovalExpired { at: second(50) });
    let mut demoted = approved_by(2);
    demoted.votes[1].voter.actor.roles.clear();
    assert_eq!(refused(Some(&demoted)), Refused::QuorumLost { missing: 1 });
    let mut gone = approved_by(2);
    gone.votes[0].voter.active = false;
    assert_eq!(refused(Some(&gone)), Refused::QuorumLost { missing: 1 });
}

#[test]
fn todays_policy_may_ask_for_more_but_not_for_less() {
    let (approval, guards) = (approved_by(2), clear_guards());
    let mut facts = facts(Some(&approval), &guards);
    let three = ApprovalRequirement { min_votes: 3, ..approval.requirement.clone() };
    facts.requirement = Some(&three);
    assert_eq!(clear(&facts).unwrap_err(), Refused::QuorumLost { missing: 1 });
    let one = approved_by(1);
    facts.requirement = None;
    facts.approval = Some(&one);
    facts.verdict = Verdict::Allow;
    assert_eq!(clear(&facts).unwrap_err(), Refused::QuorumLost { missing: 1 });
    facts.approval = None;
    assert!(clear(&facts).is_ok(), "allowed then and now");
    facts.verdict = Verdict::Deny;
    assert_eq!(clear(&facts).unwrap_err().remedy(), Remedy::Deny);
}

#[test]
fn every_guard_is_checked_again_at_the_start() {
    let approval = approved_by(2);
    for at in 0..Guard::ALL.len() {
        let mut guards = clear_guards();
        guards[at].verdict = Verdict::Deny;
        guards[at].until = Some(second(70));
        let refused = clear(&facts(Some(&approval), &guards)).unwrap_err();
        assert_eq!((refused.remedy(), refused.until()), (Remedy::Block, Some(second(70))));
        let mut guards = clear_guards();
        let missing = guards.remove(at).guard;
        let refused = clear(&facts(Some(&approval), &guards)).unwrap_err();
        assert_eq!(refused, Refused::GuardMissing(missing));
    }
    let mut two = clear_guards();
    two[0].verdict = Verdict::Deny;
    two[0].until = Some(second(70));
    two[1].verdict = Verdict::Deny;
    assert_eq!(Refused::Blocked(two[..2].to_vec()).until(), None, "one of them has no end");
}

#[test]
fn only_approved_executions_start_and_only_running_ones_resume() {
    let (approval, guards) = (approved_by(2), clear_guards());
    for state in ExecutionState::ALL {
        let mut start = facts(Some(&approval), &guards);
        start.lease.state = *state;
        assert_eq!(clear(&start).is_ok(), *state == ExecutionState::Approved, "{state}");
        let again = ResumeFacts {
            lease: lease(*state),
            stored: hashes(),
            plan_now: hashes().plan,
            approval: Some(&approval),
        };
        let running = state.workable() && *state != ExecutionState::Approved;
        let resumed = resume(&again);
        assert_eq!(resumed.is_ok(), running, "{state}");
        if let Ok(clearance) = resumed {
            assert_eq!(clearance.rollback_only(), *state == ExecutionState::RollingBack);
        }
    }
    let mut unleased = facts(Some(&approval), &guards);
    unleased.lease.epoch = 0;
    assert_eq!(clear(&unleased).unwrap_err(), Refused::NoLease { epoch: 0 });
}

#[test]
fn a_resume_needs_the_same_plan_and_the_same_approval() {
    let approval = approved_by(2);
    let good = ResumeFacts {
        lease: lease(ExecutionState::InProgress),
        stored: hashes(),
        plan_now: hashes().plan,
        approval: Some(&approval),
    };
    assert!(resume(&good).is_ok());
    let edited = ResumeFacts { plan_now: Digest::of(b"edited"), ..good.clone() };
    assert_eq!(resume(&edited).unwrap_err(), Refused::PlanChanged);
    let voided = Request { state: ApprovalState::Void, ..approved_by(2) };
    let voided = ResumeFacts { approval: Some(&voided), ..good };
    assert_eq!(resume(&voided).unwrap_err(), Refused::NotApproved(ApprovalState::Void));
}

#[test]
fn a_denial_that_is_the_guards_alone_blocks_until_they_open() {
    let mut guards = clear_guards();
    guards[0].verdict = Verdict::Deny;
    guards[0].until = Some(second(70));
    let denied =
        |judge| Reason { judge, code: "no".into(), verdict: Verdict::Deny, message: "no".into() };
    let refused = |reasons: &[Reason]| {
        let facts = StartFacts { verdict: Verdict::Deny, reasons, ..facts(None, &guards) };
        clear(&facts).unwrap_err()
    };
    let alone = refused(&[denied(Judge::Guard)]);
    assert_eq!((alone.remedy(), alone.until()), (Remedy::Block, Some(second(70))));
    let both = refused(&[denied(Judge::Guard), denied(Judge::Policy)]);
    assert_eq!((both.remedy(), both.until()), (Remedy::Deny, None));
    assert_eq!(refused(&[]).remedy(), Remedy::Deny, "a denial without a reason stays one");
}

#[test]
fn a_denial_names_its_reasons() {
    let reasons = [Reason {
        judge: Judge::Policy,
        code: "frozen".into(),
        verdict: Verdict::Deny,
        message: "releases are frozen".into(),
    }];
    let guards = clear_guards();
    let denied = StartFacts { verdict: Verdict::Deny, reasons: &reasons, ..facts(None, &guards) };
    assert_eq!(clear(&denied).unwrap_err().to_string(), "denied: releases are frozen");
}

/// Compiles only while `Clearance` can be neither cloned, nor copied, nor written out.
#[test]
fn a_clearance_can_be_neither_copied_nor_stored() {
    trait Ambiguous<Marker> {
        fn only_one() {}
    }
    struct Cloned;
    struct Written;
    impl<T: ?Sized> Ambiguous<()> for T {}
    impl<T: Clone> Ambiguous<Cloned> for T {}
    impl<T: serde::Serialize + ?Sized> Ambiguous<Written> for T {}
    <Clearance as Ambiguous<_>>::only_one();
}
