//! Approvals under concurrency: one decision, one execution, whoever clicks when.

use std::sync::Arc;

use futures::future::join_all;
use model::Digest;
use model::actor::Actor;
use model::audit::Who;
use model::id::{ApprovalId, PlanId};
use model::intent::ApprovalState;
use model::level::Tier;
use model::verdict::{ApprovalRequirement, Verdict};
use tokio::sync::Barrier;

use super::world::{Waiting, World, blast};
use crate::approval::{Choice, Refused};
use crate::bound::bound_hash;
use crate::clear::{self, Hashes, Lease, Remedy, StartFacts};
use crate::guard::{Guard, GuardResult};
use crate::store::approvals::{self, Ballot, End, NewApproval, Reopened, Source};
use crate::store::plans::{self, NewPlan};

const TRIALS: usize = 200;

/// Everybody votes at the same instant.
async fn at_once(
    world: &Arc<World>,
    approval: ApprovalId,
    votes: &[(Actor, Choice)],
) -> Vec<Ballot> {
    let start = Arc::new(Barrier::new(votes.len()));
    let tasks = votes.iter().cloned().map(|(actor, choice)| {
        let (world, start) = (Arc::clone(world), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            world.vote(approval, &actor, choice).await
        })
    });
    join_all(tasks).await.into_iter().map(|ballot| ballot.unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a1_of_three_approvers_at_the_same_instant_two_decide_and_one_comes_too_late() {
    let world = Arc::new(World::new().await);
    let mut votes = Vec::new();
    for name in ["Ann", "Bob", "Cem"] {
        votes.push((world.approver(name).await, Choice::Approve));
    }
    let all = world.waiting(TRIALS, Tier::High, 2).await;
    for waiting in &all {
        let ballots = at_once(&world, waiting.approval, &votes).await;
        let count = |wanted: &End| ballots.iter().filter(|ballot| ballot.end == *wanted).count();
        assert_eq!(count(&End::Approved), 1, "{ballots:?}");
        assert_eq!(count(&End::Counted { missing: 1 }), 1, "{ballots:?}");
        let late = Refused::Decided(ApprovalState::Approved);
        assert_eq!((late.status(), count(&End::Refused(late))), (409, 1), "{ballots:?}");
        assert_eq!(world.states(waiting).await, ("approved".into(), "approved".into()));
    }
    let trials = i64::try_from(TRIALS).unwrap();
    assert_eq!(world.events("approval.approved").await, trials);
    assert_eq!(world.events("execution.approved").await, trials, "one transition each");
    assert_eq!(world.events("approval.voted").await, 2 * trials);
    assert_eq!(world.events("approval.vote_refused").await, trials);
    let votes: i64 = sqlx::query_scalar("SELECT count(*) FROM countersign.approval_votes")
        .fetch_one(world.test.admin())
        .await
        .unwrap();
    assert_eq!(votes, 2 * trials);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a2_a_vote_and_the_sweeper_race_and_exactly_one_of_them_wins() {
    let world = Arc::new(World::new().await);
    let approver = world.approver("Ann").await;
    let all = world.waiting(TRIALS, Tier::Medium, 1).await;
    let (mut approved, mut expired, mut unused) = (0, 0, 0);
    for (trial, waiting) in all.iter().enumerate() {
        // From surely over to surely not over, most of them in between.
        let offset_ms = match trial % 10 {
            0 => -1,
            9 => 60_000,
            n => i32::try_from(n).unwrap(),
        };
        set_expiry(&world, waiting, offset_ms).await;
        let start = Arc::new(Barrier::new(2));
        let sweep = tokio::spawn({
            let (world, start) = (Arc::clone(&world), Arc::clone(&start));
            async move {
                start.wait().await;
                let mut tx = world.tx().await;
                let who = Who::from(&world.author);
                approvals::expire_due(&mut tx, &who).await.unwrap();
                tx.commit().await.unwrap();
            }
        });
        start.wait().await;
        let ballot = world.vote(waiting.approval, &approver, Choice::Approve).await;
        sweep.await.unwrap();
        match world.states(waiting).await {
            (approval, execution) if approval == "approved" && execution == "approved" => {
                assert_eq!(ballot.end, End::Approved);
                assert_ne!(offset_ms, -1, "approved after its expiry");
                // Begun: the sweeps to come leave it alone.
                lease(&world, waiting, "in_progress", 60_000).await;
                approved += 1;
            }
            // It was approved in time and then not begun in time: the sweep came after the vote.
            (approval, execution)
                if approval == "expired"
                    && execution == "expired"
                    && ballot.end == End::Approved =>
            {
                assert!((1..9).contains(&offset_ms), "{offset_ms} ms");
                unused += 1;
            }
            (approval, execution) if approval == "expired" && execution == "expired" => {
                assert!(
                    matches!(
                        ballot.end,
                        End::Refused(
                            Refused::Expired { .. } | Refused::Decided(ApprovalState::Expired)
                        )
                    ),
                    "{ballot:?}"
                );
                assert_ne!(offset_ms, 60_000, "expired before its time");
                expired += 1;
            }
            other => panic!("{other:?} after {ballot:?}"),
        }
    }
    assert!(approved >= TRIALS / 10 && expired >= TRIALS / 10, "{approved} {expired}");
    let late: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM countersign.approvals
         WHERE status = 'approved' AND decided_at >= expires_at",
    )
    .fetch_one(world.test.admin())
    .await
    .unwrap();
    assert_eq!(late, 0, "never approved after expiry by the database's clock");
    let count = |number: usize| i64::try_from(number).unwrap();
    assert_eq!(world.events("execution.approved").await, count(approved + unused));
    assert_eq!(world.events("execution.expired").await, count(expired + unused));
}

pub(super) async fn set_expiry(world: &World, waiting: &Waiting, offset_ms: i32) {
    sqlx::query(
        "UPDATE countersign.approvals
         SET expires_at = clock_timestamp() + $2 * interval '1 millisecond'
         WHERE id = $1",
    )
    .bind(waiting.approval.uuid())
    .bind(offset_ms)
    .execute(world.test.admin())
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a3_the_same_approver_twice_at_once_is_one_vote() {
    let world = Arc::new(World::new().await);
    let ann = world.approver("Ann").await;
    let ann_again = world.approver("Ann at work").await;
    world.link(&ann, "ann", "ann@idp").await;
    world.link(&ann_again, "ann.w", "ANN@idp").await;
    let all = world.waiting(40, Tier::High, 2).await;
    for (trial, waiting) in all.iter().enumerate() {
        let other = if trial % 2 == 0 { &ann } else { &ann_again };
        let twice = [(ann.clone(), Choice::Approve), (other.clone(), Choice::Approve)];
        let mut ends: Vec<_> = at_once(&world, waiting.approval, &twice)
            .await
            .into_iter()
            .map(|one| one.end)
            .collect();
        ends.sort_by_key(|end| *end == End::Repeated);
        assert_eq!(ends, [End::Counted { missing: 1 }, End::Repeated]);
        let turned = world.vote(waiting.approval, other, Choice::Deny).await.end;
        assert_eq!(turned, End::Refused(Refused::AlreadyVoted(Choice::Approve)));
        assert_eq!(world.states(waiting).await.0, "pending");
    }
    let votes: i64 = sqlx::query_scalar("SELECT count(*) FROM countersign.approval_votes")
        .fetch_one(world.test.admin())
        .await
        .unwrap();
    assert_eq!(votes, 40);
}

#[tokio::test]
async fn a4_requesters_their_second_accounts_services_and_authors_are_refused_and_it_is_recorded() {
    let world = World::new().await;
    let second_account = world.approver("Rita at home").await;
    world.link(&world.requester, "rita", "rita@idp").await;
    world.link(&second_account, "rita.home", "Rita@idp").await;
    let service = world.service().await;
    let waiting = world.waiting(1, Tier::Medium, 1).await[0];
    let refused = [
        (&world.requester, Refused::OwnRequest),
        (&second_account, Refused::OwnRequest),
        (&service, Refused::NotAPerson),
        (&world.author, Refused::OwnPlan),
    ];
    for (actor, why) in refused {
        assert_eq!(why.status(), 403);
        let ballot = world.vote(waiting.approval, actor, Choice::Approve).await;
        assert_eq!(ballot.end, End::Refused(why), "{}", actor.display_name);
    }
    assert_eq!(world.events("approval.vote_refused").await, 4);
    assert_eq!(world.states(&waiting).await, ("pending".into(), "awaiting_approval".into()));
}

#[tokio::test]
async fn a4_nobody_approves_what_their_own_key_asked_for() {
    let mut world = World::new().await;
    let (ann, bob) = (world.approver("Ann").await, world.approver("Bob").await);
    let ann_at_home = world.approver("Ann at home").await;
    world.link(&ann, "ann", "ann@idp").await;
    world.link(&ann_at_home, "ann.home", "ANN@idp").await;
    let cem = world.approver("Cem").await;
    let keyless = world.requester.clone();
    // Ann made the first key of a service, a service of Cem's the second; the third nobody.
    let (service, maker) = (world.service().await, world.service().await);
    world.key(&maker, Some(&cem)).await;
    for made_by in [Some(&ann), Some(&maker), None] {
        world.key(&service, made_by).await;
    }
    let own_request = End::Refused(Refused::OwnRequest);
    world.requester = service.clone();
    let asked = world.waiting(1, Tier::Low, 1).await[0];
    for actor in [&ann, &ann_at_home, &cem] {
        let ballot = world.vote(asked.approval, actor, Choice::Approve).await;
        assert_eq!(ballot.end, own_request, "{}", actor.display_name);
    }
    assert_eq!(world.vote(asked.approval, &bob, Choice::Approve).await.end, End::Approved);
    world.requester = keyless;
    world.author = service.clone();
    let written = world.waiting(1, Tier::Medium, 1).await[0];
    let ballot = world.vote(written.approval, &ann, Choice::Approve).await;
    assert_eq!(ballot.end, End::Refused(Refused::OwnPlan));
    assert_eq!(world.vote(written.approval, &bob, Choice::Approve).await.end, End::Approved);

    let alone = world.service().await;
    world.key(&alone, None).await;
    let mut tx = world.tx().await;
    for (actor, person) in [
        (&maker, cem.id.uuid().to_string()),
        (&service, cem.id.uuid().to_string()),
        (&alone, alone.id.uuid().to_string()),
        (&ann, "ann@idp".to_owned()),
    ] {
        let found: String = sqlx::query_scalar("SELECT countersign.person_of($1, $2)")
            .bind(world.tenant.uuid())
            .bind(actor.id.uuid())
            .fetch_one(tx.conn())
            .await
            .unwrap();
        assert_eq!(found, person, "{}", actor.display_name);
    }
}

#[tokio::test]
async fn behaviour_3_nobody_approves_their_own_high_plan_and_a_denial_is_final() {
    let world = World::new().await;
    let (ann, bob) = (world.approver("Ann").await, world.approver("Bob").await);
    let waiting = world.waiting(1, Tier::High, 1).await[0];
    let own = world.vote(waiting.approval, &world.requester, Choice::Approve).await;
    assert_eq!(own.end, End::Refused(Refused::OwnRequest));
    assert_eq!(world.vote(waiting.approval, &ann, Choice::Deny).await.end, End::Denied);
    let after = world.vote(waiting.approval, &bob, Choice::Approve).await;
    assert_eq!(after.end, End::Refused(Refused::Decided(ApprovalState::Denied)));
    assert_eq!(world.states(&waiting).await, ("denied".into(), "denied".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a8_a_denial_after_a_partial_quorum_is_terminal_even_when_votes_race() {
    let world = Arc::new(World::new().await);
    let (ann, bob, cem) =
        (world.approver("Ann").await, world.approver("Bob").await, world.approver("Cem").await);
    let all = world.waiting(41, Tier::High, 2).await;
    let (first, racing) = all.split_first().unwrap();
    let counted = world.vote(first.approval, &ann, Choice::Approve).await.end;
    assert_eq!(counted, End::Counted { missing: 1 });
    assert_eq!(world.vote(first.approval, &bob, Choice::Deny).await.end, End::Denied);
    let late = world.vote(first.approval, &cem, Choice::Approve).await.end;
    assert_eq!(late, End::Refused(Refused::Decided(ApprovalState::Denied)));
    assert_eq!(world.states(first).await, ("denied".into(), "denied".into()));
    let mut denied = 0;
    for waiting in racing {
        let votes = [
            (ann.clone(), Choice::Approve),
            (bob.clone(), Choice::Approve),
            (cem.clone(), Choice::Deny),
        ];
        let ballots = at_once(&world, waiting.approval, &votes).await;
        let ends = |wanted: &End| ballots.iter().filter(|ballot| ballot.end == *wanted).count();
        match world.states(waiting).await {
            (approval, execution) if approval == "denied" && execution == "denied" => {
                assert_eq!((ends(&End::Denied), ends(&End::Approved)), (1, 0), "{ballots:?}");
                denied += 1;
            }
            (approval, execution) if approval == "approved" && execution == "approved" => {
                assert_eq!((ends(&End::Denied), ends(&End::Approved)), (0, 1), "{ballots:?}");
            }
            other => panic!("{other:?} after {ballots:?}"),
        }
    }
    assert!(denied > 0, "the denial never came in time, so nothing was shown");
}

/// What a start would find for this execution if the gate decided the same today.
async fn start(world: &World, waiting: &Waiting, recomputed: Hashes) -> Result<(), clear::Refused> {
    start_when(world, waiting, recomputed, Verdict::RequireApproval).await
}

/// The same if it decided this.
async fn start_when(
    world: &World,
    waiting: &Waiting,
    recomputed: Hashes,
    verdict: Verdict,
) -> Result<(), clear::Refused> {
    let mut tx = world.tx().await;
    let request = approvals::request(&mut tx, waiting.approval).await.unwrap();
    let guards: Vec<_> =
        Guard::ALL.iter().map(|guard| GuardResult::allow(*guard, "clear")).collect();
    let facts = StartFacts {
        lease: Lease {
            tenant: world.tenant,
            execution: waiting.execution,
            epoch: 1,
            state: model::execution::ExecutionState::Approved,
        },
        stored: Hashes { plan: waiting.plan_hash, bound: waiting.bound_hash },
        recomputed,
        verdict,
        reasons: &[],
        requirement: None,
        approval: Some(&request),
        guards: &guards,
        at: tx.now().await.unwrap(),
    };
    clear::clear(&facts).map(|_| ())
}

#[tokio::test]
async fn a5_an_edit_a_new_credential_or_another_target_after_approval_asks_again() {
    let world = World::new().await;
    let ann = world.approver("Ann").await;
    let all = world.waiting(3, Tier::Medium, 1).await;
    let mut other_target = world.plan("systemctl restart nginx", 1);
    other_target.targets.push(other_target.targets[0].clone());
    let changes = [
        world.plan("systemctl restart nginx # edited", 1),
        world.plan("systemctl restart nginx", 2),
        other_target,
    ];
    for (waiting, changed) in all.iter().zip(&changes) {
        assert_eq!(world.vote(waiting.approval, &ann, Choice::Approve).await.end, End::Approved);
        let same = Hashes { plan: waiting.plan_hash, bound: waiting.bound_hash };
        assert_eq!(start(&world, waiting, same).await, Ok(()));

        let plan_hash = changed.hash().unwrap();
        let bound = bound_hash(plan_hash, Digest::of(b"bundle"), Tier::Medium, &blast()).unwrap();
        let now = Hashes { plan: plan_hash, bound };
        let refused = start(&world, waiting, now).await.unwrap_err();
        assert_eq!((refused.remedy(), refused), (Remedy::AskAgain, clear::Refused::PlanChanged));

        let again = ask_again(&world, waiting, changed, bound).await;
        assert_eq!(world.states(waiting).await, ("void".into(), "awaiting_approval".into()));
        let old =
            world.vote(waiting.approval, &world.approver("Late").await, Choice::Approve).await;
        assert_eq!(old.end, End::Refused(Refused::Decided(ApprovalState::Void)));
        assert_eq!(world.vote(again.approval, &ann, Choice::Approve).await.end, End::Approved);
        assert_eq!(world.states(&again).await, ("approved".into(), "approved".into()));
        assert_eq!(start(&world, &again, now).await, Ok(()));
    }
}

#[tokio::test]
async fn a5_a_changed_plan_is_asked_for_again_as_before_though_policy_would_allow_it_today() {
    let world = World::new().await;
    let ann = world.approver("Ann").await;
    let waiting = world.waiting(1, Tier::Medium, 1).await[0];
    assert_eq!(world.vote(waiting.approval, &ann, Choice::Approve).await.end, End::Approved);
    let changed = world.plan("systemctl restart nginx # edited", 1);
    let plan_hash = changed.hash().unwrap();
    let bound = bound_hash(plan_hash, Digest::of(b"bundle"), Tier::Medium, &blast()).unwrap();
    let now = Hashes { plan: plan_hash, bound };
    let today = Verdict::Allow;
    let refused = start_when(&world, &waiting, now, today).await.unwrap_err();
    assert_eq!(refused.remedy(), Remedy::AskAgain);
    let again = ask_again(&world, &waiting, &changed, bound).await;
    let asked = start_when(&world, &again, now, today).await;
    assert_eq!(asked, Err(clear::Refused::NotApproved(ApprovalState::Pending)));
    assert_eq!(world.vote(again.approval, &ann, Choice::Approve).await.end, End::Approved);
    assert_eq!(start_when(&world, &again, now, today).await, Ok(()));
}

/// Puts an execution into a state, under a lease that ends then.
pub(super) async fn lease(world: &World, waiting: &Waiting, state: &str, offset_ms: i32) {
    sqlx::query(
        "UPDATE countersign.executions
         SET state = $2,
             lease_epoch = 1,
             lease_until = clock_timestamp() + $3 * interval '1 millisecond'
         WHERE id = $1",
    )
    .bind(waiting.execution.uuid())
    .bind(state)
    .bind(offset_ms)
    .execute(world.test.admin())
    .await
    .unwrap();
}

async fn ask_again(
    world: &World,
    waiting: &Waiting,
    changed: &model::plan::Plan,
    bound: Digest,
) -> Waiting {
    let mut tx = world.tx().await;
    let who = || Who::from(&world.author);
    let plan = PlanId::generate();
    let new = NewPlan {
        id: plan,
        intent: waiting.intent,
        version: 2,
        plan: changed,
        blast_radius: &blast(),
        summary: "restart nginx",
        author: world.author.id,
    };
    let plan_hash = plans::insert(&mut tx, &new, who()).await.unwrap();
    let requirement = ApprovalRequirement {
        tier: Tier::Medium,
        roles: vec![model::actor::Role::Approver],
        min_votes: 1,
        ttl_s: 3600,
    };
    let decision = world.decide(&mut tx, waiting.intent, plan, bound, &requirement).await;
    let approval = NewApproval {
        id: ApprovalId::generate(),
        intent: waiting.intent,
        plan,
        decision,
        requester: world.requester.id,
        author: world.author.id,
        requirement,
        bound_hash: bound,
        source: Source::Api,
    };
    let again =
        Waiting { plan, decision, approval: approval.id, plan_hash, bound_hash: bound, ..*waiting };
    let instead = Some(Reopened { approval, plan_hash });
    let moved = approvals::ask_again(&mut tx, waiting.approval, "the plan changed", instead, who());
    assert_eq!(moved.await.unwrap(), waiting.execution);
    tx.commit().await.unwrap();
    again
}

#[tokio::test]
async fn a_voided_approval_without_a_new_one_blocks_and_an_expired_one_cannot_be_reopened() {
    let world = World::new().await;
    let all = world.waiting(2, Tier::Medium, 1).await;
    let mut tx = world.tx().await;
    let who = || Who::from(&world.author);
    approvals::ask_again(&mut tx, all[0].approval, "the runbook is gone", None, who())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.states(&all[0]).await, ("void".into(), "blocked".into()));
    set_expiry(&world, &all[1], -1).await;
    let mut tx = world.tx().await;
    let expired = approvals::expire_due(&mut tx, &who()).await.unwrap();
    assert_eq!(expired, [all[1].approval]);
    let again = approvals::ask_again(&mut tx, all[1].approval, "why not", None, who()).await;
    assert!(matches!(again, Err(crate::Error::Conflict { .. })), "{again:?}");
}

#[tokio::test]
async fn a_vote_on_what_was_cancelled_voids_the_approval() {
    let world = World::new().await;
    let ann = world.approver("Ann").await;
    let waiting = world.waiting(1, Tier::Medium, 1).await[0];
    sqlx::query("UPDATE countersign.executions SET state = 'cancelled' WHERE id = $1")
        .bind(waiting.execution.uuid())
        .execute(world.test.admin())
        .await
        .unwrap();
    let ballot = world.vote(waiting.approval, &ann, Choice::Approve).await;
    assert_eq!((ballot.end, ballot.state), (End::Refused(Refused::Changed), ApprovalState::Void));
    assert_eq!(world.states(&waiting).await, ("void".into(), "cancelled".into()));
}

#[tokio::test]
async fn a7_an_approver_who_lost_the_role_no_longer_carries_a_start() {
    let world = World::new().await;
    let ann = world.approver("Ann").await;
    let waiting = world.waiting(1, Tier::Medium, 1).await[0];
    assert_eq!(world.vote(waiting.approval, &ann, Choice::Approve).await.end, End::Approved);
    sqlx::query("UPDATE countersign.actors SET roles = '{viewer}' WHERE id = $1")
        .bind(ann.id.uuid())
        .execute(world.test.admin())
        .await
        .unwrap();
    let same = Hashes { plan: waiting.plan_hash, bound: waiting.bound_hash };
    let refused = start(&world, &waiting, same).await.unwrap_err();
    assert_eq!(refused, clear::Refused::QuorumLost { missing: 1 });
}

#[tokio::test]
async fn another_tenant_cannot_see_or_vote() {
    let world = World::new().await;
    let waiting = world.waiting(1, Tier::Medium, 1).await[0];
    let other = world.test.another_tenant().await;
    let mut tx = world.test.db.tenant(other).await.unwrap();
    let found = approvals::get(&mut tx, waiting.approval).await;
    assert!(matches!(found, Err(crate::Error::NotFound { .. })), "{found:?}");
}
