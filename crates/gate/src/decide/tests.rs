use std::collections::BTreeSet;

use model::actor::ActorKind;
use model::id::{ActorId, ResourceId, TenantId};
use model::level::EnvironmentClass;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::guard::Guard;

fn actor(roles: &[Role]) -> Actor {
    Actor {
        id: ActorId::generate(),
        tenant_id: TenantId::generate(),
        kind: ActorKind::User,
        display_name: "Ada".into(),
        roles: roles.iter().copied().collect(),
    }
}

fn opinion(verdict: Verdict) -> Opinion {
    Opinion { verdict, reasons: Vec::new() }
}

/// A case in which everybody allows, to be changed one voice at a time.
#[derive(Clone)]
struct Case {
    requester: Actor,
    trigger: TriggerKind,
    places: Vec<Place>,
    policy: PolicyAnswer,
    risk: RiskOpinion,
    guards: Vec<GuardResult>,
    runbook: RunbookFlags,
    autonomy: Opinion,
    constraints: Map<String, Value>,
}

impl Case {
    fn new() -> Self {
        Self {
            requester: actor(&[Role::Operator]),
            trigger: TriggerKind::Alert,
            places: vec![Place {
                resource: ResourceId::generate(),
                name: "web-01".into(),
                environment: "production".into(),
                class: EnvironmentClass::Prod,
                tags: BTreeSet::new(),
            }],
            policy: PolicyAnswer::Answered(PolicyOpinion {
                opinion: opinion(Verdict::Allow),
                approval: None,
                ttl_s: Some(300),
            }),
            risk: RiskOpinion { tier: Tier::Medium, opinion: opinion(Verdict::Allow) },
            guards: Guard::ALL.iter().map(|guard| GuardResult::allow(*guard, "clear")).collect(),
            runbook: RunbookFlags {
                approval: Approvals::ByPolicy,
                approval_roles: Vec::new(),
                mode: ExecutionMode::Auto,
            },
            autonomy: opinion(Verdict::Allow),
            constraints: Map::new(),
        }
    }

    fn policy(mut self, verdict: Verdict, approval: Option<ApprovalRequirement>) -> Self {
        let opinion = opinion(verdict);
        self.policy = PolicyAnswer::Answered(PolicyOpinion { opinion, approval, ttl_s: None });
        self
    }

    fn blocked(mut self) -> Self {
        self.guards[0].verdict = Verdict::Deny;
        self
    }

    fn decide(&self) -> Decision {
        decide(&Question {
            requester: &self.requester,
            trigger: self.trigger,
            places: &self.places,
            policy: &self.policy,
            risk: &self.risk,
            guards: &self.guards,
            runbook: &self.runbook,
            autonomy: &self.autonomy,
            constraints: &self.constraints,
        })
    }
}

#[test]
fn everybody_allowing_is_an_approved_execution() {
    let decision = Case::new().decide();
    assert_eq!(decision.verdict, Verdict::Allow);
    assert_eq!(decision.execution_state(), ExecutionState::Approved);
    assert_eq!((decision.approval, decision.ttl_s), (None, Some(300)));
}

#[test]
fn a_guard_blocks_and_a_policy_denies_and_a_denial_outranks_a_block() {
    let blocked = Case::new().blocked().decide();
    assert_eq!(blocked.execution_state(), ExecutionState::Blocked);
    assert_eq!(blocked.intent_state(), IntentState::Closed);
    let denied = Case::new().policy(Verdict::Deny, None).decide();
    assert_eq!(denied.execution_state(), ExecutionState::Denied);
    let both = Case::new().blocked().policy(Verdict::Deny, None).decide();
    assert_eq!(both.execution_state(), ExecutionState::Denied);
    assert_eq!(both.intent_state(), IntentState::Denied);
    assert_eq!(both.guards.len(), Guard::ALL.len(), "all guards are on record");
}

#[test]
fn behaviour_12_without_a_policy_engine_every_change_is_denied() {
    let mut case = Case::new();
    case.policy = PolicyAnswer::Down { reason: "bundle does not load".into() };
    for tier in [Tier::Low, Tier::Medium, Tier::High, Tier::Critical] {
        case.risk.tier = tier;
        assert_eq!(case.decide().execution_state(), ExecutionState::Denied, "{tier}");
    }
    case.risk.tier = Tier::Read;
    assert_eq!(case.decide().verdict, Verdict::Allow, "operators may still read");
    case.requester = actor(&[]);
    assert_eq!(case.decide().verdict, Verdict::Deny);
}

#[test]
fn a_missing_guard_answer_denies() {
    let mut case = Case::new();
    case.guards.pop();
    assert_eq!(case.decide().verdict, Verdict::Deny);
}

#[test]
fn runbook_flags_tighten() {
    let mut case = Case::new();
    case.runbook.approval = Approvals::Always;
    assert_eq!(case.decide().verdict, Verdict::RequireApproval);
    case.runbook.approval = Approvals::ByPolicy;
    case.runbook.mode = ExecutionMode::SemiAuto;
    assert_eq!(case.decide().verdict, Verdict::RequireApproval);
    case.runbook.mode = ExecutionMode::Manual;
    assert_eq!(case.decide().verdict, Verdict::Deny, "an alert is no person");
    case.trigger = TriggerKind::Manual;
    assert_eq!(case.decide().verdict, Verdict::Allow);
    let denied = Case { runbook: case.runbook, ..Case::new() };
    assert_eq!(denied.policy(Verdict::Deny, None).decide().verdict, Verdict::Deny);
}

#[test]
fn autonomy_that_is_not_earned_asks_for_approval_except_for_reading() {
    let mut case = Case::new();
    case.autonomy = opinion(Verdict::RequireApproval);
    assert_eq!(case.decide().verdict, Verdict::RequireApproval);
    case.risk.tier = Tier::Read;
    assert_eq!(case.decide().verdict, Verdict::Allow);
}

#[test]
fn the_requirement_is_the_policys_at_the_tier_found_for_roles_the_runbook_accepts() {
    let asked = ApprovalRequirement {
        tier: Tier::Medium,
        roles: vec![Role::Approver, Role::Admin],
        min_votes: 2,
        ttl_s: 600,
    };
    let mut case = Case::new().policy(Verdict::RequireApproval, Some(asked));
    case.risk.tier = Tier::High;
    case.runbook.approval_roles = vec![Role::Admin, Role::Operator];
    let requirement = case.decide().approval.unwrap();
    assert_eq!(requirement.tier, Tier::High);
    assert_eq!(requirement.roles, [Role::Admin]);
    assert_eq!((requirement.min_votes, requirement.ttl_s), (2, 600));
}

#[test]
fn without_a_word_from_the_policy_alerts_wait_four_hours_and_people_a_day() {
    let mut case = Case::new().policy(Verdict::RequireApproval, None);
    assert_eq!(case.decide().approval.unwrap().ttl_s, 4 * 3600);
    case.trigger = TriggerKind::Manual;
    let day = case.decide().approval.unwrap();
    assert_eq!((day.ttl_s, day.min_votes), (24 * 3600, 1));
    case.risk.tier = Tier::Critical;
    assert_eq!(case.decide().approval.unwrap().min_votes, 2);
}

#[test]
fn constraints_bind_and_a_malformed_one_denies() {
    let mut case = Case::new();
    let with = |value: Value| value.as_object().unwrap().clone();
    case.constraints = with(json!({"environments": ["production"]}));
    assert_eq!(case.decide().verdict, Verdict::Allow);
    case.constraints = with(json!({"environments": ["staging"]}));
    assert_eq!(case.decide().execution_state(), ExecutionState::Denied);
    case.constraints = with(json!({"max_targets": "many"}));
    assert_eq!(case.decide().execution_state(), ExecutionState::Denied);
    let merged = crate::constraint::merge(
        &with(json!({"max_targets": 500, "ticket": "X"})),
        &with(json!({"max_targets": 5})),
    );
    assert_eq!(Value::Object(merged), json!({"max_targets": 5, "ticket": "X"}));
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop::sample::select(Verdict::ALL)
}

proptest! {
    #[test]
    fn the_verdict_is_never_milder_than_any_voice(
        policy in any_verdict(),
        risk in any_verdict(),
        autonomy in any_verdict(),
        guards in prop::collection::vec(any::<bool>(), Guard::ALL.len()),
    ) {
        let mut case = Case::new().policy(policy, None);
        case.risk.opinion = opinion(risk);
        case.autonomy = opinion(autonomy);
        for (result, deny) in case.guards.iter_mut().zip(&guards) {
            result.verdict = if *deny { Verdict::Deny } else { Verdict::Allow };
        }
        let guard = if guards.contains(&true) { Verdict::Deny } else { Verdict::Allow };
        let expected = policy.max(risk).max(autonomy).max(guard);
        let decision = case.decide();
        prop_assert_eq!(decision.verdict, expected);
        prop_assert_eq!(decision.approval.is_some(), expected == Verdict::RequireApproval);
        prop_assert!(decision.reasons.iter().any(|reason| reason.verdict == expected));
    }
}
