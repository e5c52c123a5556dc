use std::collections::BTreeSet;

use model::actor::Role;
use model::id::TenantId;

use super::*;

fn second(n: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + n).unwrap()
}

fn voter(kind: ActorKind, roles: &[Role]) -> Voter {
    let id = ActorId::generate();
    Voter {
        actor: Actor {
            id,
            tenant_id: TenantId::generate(),
            kind,
            display_name: "Ada".into(),
            roles: roles.iter().copied().collect::<BTreeSet<_>>(),
        },
        person: id.to_string(),
        active: true,
    }
}

fn approver() -> Voter {
    voter(ActorKind::User, &[Role::Approver])
}

fn party() -> Party {
    let actor = ActorId::generate();
    Party { actor, people: [actor.to_string()].into() }
}

fn request(tier: Tier, min_votes: u32) -> Request {
    Request {
        state: ApprovalState::Pending,
        requirement: ApprovalRequirement {
            tier,
            roles: vec![Role::Approver],
            min_votes,
            ttl_s: 100,
        },
        requester: party(),
        author: party(),
        bound_hash: Digest::of(b"bound"),
        alone: None,
        expires_at: second(100),
        votes: Vec::new(),
    }
}

#[test]
fn a4_requesters_linked_accounts_services_and_agents_are_refused() {
    let mut asked = request(Tier::Medium, 1);
    let requester = approver();
    asked.requester =
        Party { actor: requester.actor.id, people: [requester.person.clone()].into() };
    let refused = |voter: &Voter| vote(&asked, voter, Choice::Approve, second(0)).unwrap_err();
    assert_eq!(refused(&requester), Refused::OwnRequest);
    let second_account = Voter { person: requester.person, ..approver() };
    assert_eq!(refused(&second_account), Refused::OwnRequest, "another account, the same person");
    for kind in [ActorKind::Service, ActorKind::Agent] {
        assert_eq!(refused(&voter(kind, &[Role::Approver, Role::Admin])), Refused::NotAPerson);
    }
    let operator = voter(ActorKind::User, &[Role::Operator, Role::Admin]);
    assert_eq!(refused(&operator), Refused::WrongRole("approver".into()));
    assert_eq!(refused(&Voter { active: false, ..approver() }), Refused::Inactive);
    for refusal in [Refused::OwnRequest, Refused::NotAPerson, Refused::Inactive] {
        assert_eq!(refusal.status(), 403);
    }
}

#[test]
fn authors_may_approve_their_plan_only_up_to_tier_low() {
    let author = approver();
    for (tier, allowed) in
        [(Tier::Read, true), (Tier::Low, true), (Tier::Medium, false), (Tier::Critical, false)]
    {
        let mut asked = request(tier, 1);
        asked.author = Party { actor: author.actor.id, people: [author.person.clone()].into() };
        let answer = vote(&asked, &author, Choice::Approve, second(0));
        assert_eq!(answer.is_ok(), allowed, "{tier}: {answer:?}");
    }
}

#[test]
fn a3_the_same_person_counts_once_whatever_the_account() {
    let mut asked = request(Tier::High, 2);
    let first = approver();
    assert_eq!(
        vote(&asked, &first, Choice::Approve, second(0)),
        Ok(Answer::Counted { missing: 1 })
    );
    asked.votes.push(Vote { voter: first.clone(), choice: Choice::Approve });
    let other_account = Voter { person: first.person.clone(), ..approver() };
    for again in [&first, &other_account] {
        assert_eq!(vote(&asked, again, Choice::Approve, second(0)), Ok(Answer::Repeated));
        let turned = vote(&asked, again, Choice::Deny, second(0));
        assert_eq!(turned, Err(Refused::AlreadyVoted(Choice::Approve)));
    }
    // Even if both had got into the table, they would count once.
    asked.votes.push(Vote { voter: other_account, choice: Choice::Approve });
    assert_eq!(tally(&asked), Tally::Missing(1));
    assert_eq!(vote(&asked, &approver(), Choice::Approve, second(0)), Ok(Answer::Approved));
}

#[test]
fn a8_one_denial_ends_it_and_nothing_follows() {
    let mut asked = request(Tier::High, 2);
    asked.votes.push(Vote { voter: approver(), choice: Choice::Approve });
    assert_eq!(vote(&asked, &approver(), Choice::Deny, second(0)), Ok(Answer::Denied));
    asked.votes.push(Vote { voter: approver(), choice: Choice::Deny });
    for state in [
        ApprovalState::Approved,
        ApprovalState::Denied,
        ApprovalState::Expired,
        ApprovalState::Void,
    ] {
        asked.state = state;
        let late = vote(&asked, &approver(), Choice::Approve, second(0)).unwrap_err();
        assert_eq!((late.status(), late), (409, Refused::Decided(state)));
    }
}

#[test]
fn a2_nothing_is_approved_at_or_after_the_expiry() {
    let asked = request(Tier::Medium, 1);
    assert_eq!(vote(&asked, &approver(), Choice::Approve, second(99)), Ok(Answer::Approved));
    let late = Err(Refused::Expired { at: second(100) });
    assert_eq!(vote(&asked, &approver(), Choice::Approve, second(100)), late);
}

#[test]
fn votes_of_those_who_lost_the_role_no_longer_count() {
    let mut asked = request(Tier::High, 2);
    let mut former = approver();
    former.actor.roles.clear();
    asked.votes.push(Vote { voter: former, choice: Choice::Approve });
    assert_eq!(
        vote(&asked, &approver(), Choice::Approve, second(0)),
        Ok(Answer::Counted { missing: 1 })
    );
}

#[test]
fn whoever_holds_emergency_authority_approves_alone_what_they_asked_for_and_nothing_else_is_replaced()
 {
    let mut asked = request(Tier::Critical, 3);
    let holder = approver();
    let own = Party { actor: holder.actor.id, people: [holder.person.clone()].into() };
    (asked.requester, asked.author) = (own.clone(), own);
    let at = second(0);
    assert_eq!(vote(&asked, &holder, Choice::Approve, at), Err(Refused::OwnRequest));
    assert_eq!(vote_alone(&asked, &holder, at), Ok(Answer::Approved));
    // Nobody gets a role by it, and no time.
    let operator = voter(ActorKind::User, &[Role::Operator, Role::Admin]);
    let role = Refused::WrongRole("approver".into());
    assert_eq!(vote_alone(&asked, &operator, at), Err(role));
    let agent = voter(ActorKind::Agent, &[Role::Approver]);
    assert_eq!(vote_alone(&asked, &agent, at), Err(Refused::NotAPerson));
    let gone = Voter { active: false, ..holder.clone() };
    assert_eq!(vote_alone(&asked, &gone, at), Err(Refused::Inactive));
    let late = Err(Refused::Expired { at: asked.expires_at });
    assert_eq!(vote_alone(&asked, &holder, second(100)), late);
    let denied = Request { state: ApprovalState::Denied, ..asked.clone() };
    let decided = Err(Refused::Decided(ApprovalState::Denied));
    assert_eq!(vote_alone(&denied, &holder, at), decided);
    // The vote carries the start as long as its holder could vote at all, and nobody said no.
    let yes = Vote { voter: holder.clone(), choice: Choice::Approve };
    let given = Request { alone: Some(holder.actor.id), votes: vec![yes.clone()], ..asked };
    assert_eq!(tally(&given), Tally::Reached);
    let ordinary = Request { alone: None, ..given.clone() };
    assert_eq!(tally(&ordinary), Tally::Missing(3));
    let other = Request { alone: Some(ActorId::generate()), ..given.clone() };
    assert_eq!(tally(&other), Tally::Missing(3));
    let mut left = given.clone();
    left.votes[0].voter.actor.roles.clear();
    assert_eq!(tally(&left), Tally::Missing(3), "the role was taken away");
    let no = Vote { voter: approver(), choice: Choice::Deny };
    let refused = Request { votes: vec![yes, no], ..given };
    assert_eq!(tally(&refused), Tally::Denied);
}
