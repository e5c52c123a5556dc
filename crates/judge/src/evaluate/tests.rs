use model::actor::{ActorKind, Role};
use model::id::{ActorId, TenantId};
use model::level::{EnvironmentClass, Tier};

use super::*;
use crate::autonomy::Key;
use crate::blast;
use crate::exact::Exact;
use crate::policy::shipped;
use crate::risk::Belief;

/// A change of `action` on `targets` targets of `environment`, asked for by a holder of `roles`.
pub(crate) fn question(roles: &[Role], action: &str, environment: &str, targets: u32) -> Question {
    let class = EnvironmentClass::from_alias(environment).unwrap_or(EnvironmentClass::Dev);
    let mut risk = crate::risk::tests::input(action, class);
    risk.blast.targets = targets;
    risk.blast.scope = blast::scope(targets);
    let tenant_id = TenantId::generate();
    Question {
        actor: Actor {
            id: ActorId::generate(),
            tenant_id,
            kind: ActorKind::User,
            display_name: "Ola".to_owned(),
            roles: roles.iter().copied().collect(),
        },
        trigger: TriggerKind::Manual,
        runbook: Some("restart".to_owned()),
        environments: vec![environment.to_owned()],
        targets: Vec::new(),
        risk,
        evidence: Vec::new(),
        constraints: Constraints::default(),
        intent: None,
        asked_at: "2026-03-01T10:00:00Z".parse().unwrap(),
    }
}

pub(crate) fn with_evidence(mut question: Question, successes: u32) -> Question {
    question.risk.belief =
        Some(Belief { alpha: Exact(1.0), beta: Exact(12.0 + f64::from(successes)), n: successes });
    question.evidence = autonomy::keys(&question.risk)
        .into_iter()
        .map(|key: Key| Evidence { key, successes, failures: 0 })
        .collect();
    question
}

fn answer(question: &Question) -> (Verdict, Option<u32>) {
    let judgement = judge(question, Some(shipped()));
    (judgement.verdict, judgement.approval.map(|approval| approval.min_votes))
}

const ALLOW: (Verdict, Option<u32>) = (Verdict::Allow, None);
const ONE: (Verdict, Option<u32>) = (Verdict::RequireApproval, Some(1));
const TWO: (Verdict, Option<u32>) = (Verdict::RequireApproval, Some(2));
const DENY: (Verdict, Option<u32>) = (Verdict::Deny, None);

/// Roles, action, environment, targets; verdict and votes.
type Case<'a> = (&'a [Role], &'a str, &'a str, u32, (Verdict, Option<u32>));

/// The decisions expected of the shipped policy together with the risk engine at cold start.
#[test]
fn the_shipped_policy_decides_as_expected() {
    use Role::{Admin, Approver, Auditor, Operator, Viewer};
    let table: &[Case<'_>] = &[
        // Reads: every role, every class, any number of targets.
        (&[Viewer], "host.read", "dev", 1, ALLOW),
        (&[Viewer], "host.read", "production", 1, ALLOW),
        (&[Auditor], "host.service.status", "prod", 200, ALLOW),
        (&[Approver], "kubectl.get", "staging", 1, ALLOW),
        (&[], "host.read", "dev", 1, DENY),
        (&[Viewer], "host.read", "moon", 1, DENY),
        // Writes need a writing role.
        (&[Viewer], "host.service.start", "dev", 1, DENY),
        (&[Approver], "host.service.start", "dev", 1, DENY),
        (&[Auditor], "host.service.start", "dev", 1, DENY),
        (&[], "host.service.start", "dev", 1, DENY),
        (&[Viewer, Approver, Auditor], "host.service.restart", "prod", 1, DENY),
        // Low and reversible outside production runs.
        (&[Operator], "host.service.start", "dev", 1, ALLOW),
        (&[Operator], "host.service.reload", "stage", 10, ALLOW),
        (&[Admin], "host.service.start", "test", 1, ALLOW),
        (&[Operator, Viewer], "helm.list", "staging", 1, ALLOW),
        // Many targets ask for a person.
        (&[Operator], "host.service.start", "dev", 11, ONE),
        (&[Operator], "host.service.start", "dev", 50, ONE),
        (&[Operator], "host.service.start", "dev", 51, DENY),
        // Tier medium and above asks for a person.
        (&[Operator], "host.service.restart", "staging", 1, ONE),
        (&[Operator], "host.shell", "dev", 1, ONE),
        (&[Operator], "kubectl.drain", "dev", 1, ONE),
        (&[Operator], "drain node 7", "dev", 1, ONE),
        (&[Operator], "database.vacuum", "dev", 1, ONE),
        // Production.
        (&[Operator], "host.service.start", "prod", 1, ONE),
        (&[Operator], "host.service.restart", "production", 1, ONE),
        (&[Operator], "host.shell", "live", 3, ONE),
        (&[Operator], "host.service.restart", "prod", 10, ONE),
        (&[Operator], "host.service.restart", "prod", 11, DENY),
        (&[Admin], "host.service.restart", "prod", 60, DENY),
        (&[Operator], "kubectl.drain", "prod", 1, TWO),
        (&[Operator], "host.reboot", "prod", 1, TWO),
        (&[Operator], "drain node 7", "prod", 1, TWO),
        (&[Operator], "database.drop", "dev", 1, TWO),
        // Environments nobody mapped.
        (&[Operator], "host.service.start", "moon", 1, DENY),
        (&[Admin], "host.service.start", "", 1, DENY),
        (&[Admin], "host.service.start", "PRODUCTION-EU", 1, DENY),
    ];
    assert!(table.len() >= 30);
    for (roles, action, environment, targets, expected) in table {
        let question = question(roles, action, environment, *targets);
        assert_eq!(answer(&question), *expected, "{roles:?} {action} {environment} {targets}");
    }
}

#[test]
fn behaviour_2_drain_node_7_needs_approval_in_every_environment() {
    for (environment, votes) in [("dev", 1), ("test", 1), ("staging", 1), ("prod", 2)] {
        for action in ["drain node 7", "kubectl.drain", "host.drain"] {
            let question = question(&[Role::Operator], action, environment, 1);
            let expected = (Verdict::RequireApproval, Some(votes));
            assert_eq!(answer(&question), expected, "{action} {environment}");
        }
    }
}

#[test]
fn behaviour_12_without_a_policy_every_write_is_denied_and_only_readers_read() {
    for action in ["host.service.start", "host.service.restart", "drain node 7"] {
        for roles in [&[Role::Operator][..], &[Role::Admin], Role::ALL] {
            for environment in ["dev", "prod"] {
                let judgement = judge(&question(roles, action, environment, 1), None);
                assert_eq!(judgement.verdict, Verdict::Deny);
                assert_eq!(judgement.answer.failure, Some(policy::Failure::Missing));
                assert!(judgement.reasons.iter().any(|reason| reason.code == "policy_missing"));
            }
        }
    }
    let read = |roles| judge(&question(roles, "host.read", "prod", 1), None).verdict;
    assert_eq!(read(&[Role::Viewer]), Verdict::Allow);
    assert_eq!(read(&[Role::Auditor]), Verdict::Deny);
    assert_eq!(read(&[]), Verdict::Deny);
}

#[test]
fn a9_the_policy_ceiling_applies_to_unusable_risk() {
    let mut question = question(&[Role::Operator], "host.service.start", "dev", 1);
    question.risk.impact = Exact(f64::NAN);
    let judgement = judge(&question, Some(shipped()));
    assert_eq!(judgement.verdict, Verdict::Deny);
    assert_eq!(judgement.assessment.tier, Tier::Critical);
    assert_eq!(judgement.answer.decision, Verdict::RequireApproval);
}

#[test]
fn an_approval_of_an_alert_expires_after_four_hours() {
    let mut question = question(&[Role::Operator], "host.service.restart", "prod", 1);
    let ttl = |question: &Question| {
        judge(question, Some(shipped())).answer.approval.map(|approval| approval.ttl_s)
    };
    assert_eq!(ttl(&question), Some(24 * 3600));
    question.trigger = TriggerKind::Alert;
    assert_eq!(ttl(&question), Some(4 * 3600));
}

#[test]
fn autonomy_is_earned_by_verified_successes_up_to_tier_medium() {
    let restart = |environment, successes| {
        with_evidence(
            question(&[Role::Operator], "host.service.restart", environment, 1),
            successes,
        )
    };
    assert_eq!(answer(&restart("staging", 57)), ONE);
    assert_eq!(answer(&restart("staging", 58)), ALLOW);
    // In production a restart is tier high.
    assert_eq!(answer(&restart("prod", 5_000)), ONE);
    let start = with_evidence(question(&[Role::Operator], "host.service.start", "prod", 1), 58);
    assert_eq!(answer(&start), ALLOW);
    let judgement = judge(&start, Some(shipped()));
    assert!(judgement.reasons.iter().any(|reason| reason.code == "autonomy_earned"));
}

#[test]
fn a_policy_that_asks_for_more_evidence_takes_autonomy_back() {
    let mut files = policy::shipped_files();
    let rego = files.get_mut("assistant/decision.rego").unwrap();
    rego.push_str("\nautonomy := {\"min_successes\": 100}\n");
    let strict = Bundle::compile(files).unwrap();
    let start = |successes| {
        with_evidence(question(&[Role::Operator], "host.service.start", "prod", 1), successes)
    };
    assert_eq!(judge(&start(99), Some(&strict)).verdict, Verdict::RequireApproval);
    assert_eq!(judge(&start(100), Some(&strict)).verdict, Verdict::Allow);
}

#[test]
fn constraints_of_request_and_policy_both_hold() {
    let asked = |constraints| {
        let mut question = question(&[Role::Operator], "host.service.start", "dev", 3);
        question.constraints = constraints;
        judge(&question, Some(shipped())).verdict
    };
    let most =
        |max_targets| Constraints { max_targets: Some(max_targets), ..Constraints::default() };
    assert_eq!(asked(most(3)), Verdict::Allow);
    assert_eq!(asked(most(2)), Verdict::Deny);
    let only = |class| Constraints { allowed_envs: Some([class].into()), ..Constraints::default() };
    assert_eq!(asked(only(EnvironmentClass::Dev)), Verdict::Allow);
    assert_eq!(asked(only(EnvironmentClass::Prod)), Verdict::Deny);
    let window = |start: &str, end: &str, timezone: &str| Constraints {
        maintenance_window: Some(policy::MaintenanceWindow {
            start: start.to_owned(),
            end: end.to_owned(),
            timezone: timezone.to_owned(),
        }),
        ..Constraints::default()
    };
    // It is asked at 10:00 UTC on 1 March: 11:00 in Oslo, 19:00 in Tokyo.
    assert_eq!(asked(window("10:30", "11:30", "Europe/Oslo")), Verdict::Allow);
    assert_eq!(asked(window("11:01", "12:00", "Europe/Oslo")), Verdict::Deny);
    assert_eq!(asked(window("18:00", "02:00", "Asia/Tokyo")), Verdict::Allow);
    assert_eq!(asked(window("22:00", "06:00", "Asia/Tokyo")), Verdict::Deny);
    assert_eq!(asked(window("10:30", "11:30", "Middle/Earth")), Verdict::Deny);
    assert_eq!(asked(window("24:61", "11:30", "UTC")), Verdict::Deny);
}

#[test]
fn question_and_judgement_have_a_canonical_form_to_sign() {
    let question = question(&[Role::Operator], "host.service.restart", "prod", 3);
    let judgement = judge(&question, Some(shipped()));
    assert!(model::Digest::of_canonical(&question).is_ok());
    assert!(model::Digest::of_canonical(&judgement).is_ok());
    let text = serde_json::to_string(&question).unwrap();
    let again: Question = serde_json::from_str(&text).unwrap();
    assert_eq!(judge(&again, Some(shipped())), judgement);
}

#[test]
fn the_same_question_gets_the_same_answer_byte_for_byte() {
    let question = question(&[Role::Operator], "host.service.restart", "prod", 3);
    let ask = || serde_json::to_string(&judge(&question, Some(shipped()))).unwrap();
    let first = ask();
    assert!((0..20).all(|_| ask() == first));
    let elsewhere = std::thread::scope(|scope| scope.spawn(ask).join().unwrap());
    assert_eq!(elsewhere, first);
}
