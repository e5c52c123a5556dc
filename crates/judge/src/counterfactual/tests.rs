use model::actor::Role;

use super::*;
use crate::evaluate::tests::{question, with_evidence};
use crate::policy::shipped;

fn changes(question: &Question) -> Vec<Change> {
    search(question, &evaluate::judge(question, Some(shipped())), Some(shipped()))
}

/// A question of an operator's about one target, and the same after a hundred verified successes.
fn of(action: &str, environment: &str, targets: u32) -> (Question, Question) {
    let question = question(&[Role::Operator], action, environment, targets);
    (question.clone(), with_evidence(question, 100))
}

#[test]
fn what_is_allowed_needs_no_change() {
    assert!(changes(&of("host.service.start", "dev", 1).1).is_empty());
    assert!(changes(&of("host.read", "prod", 1).0).is_empty());
}

/// Nothing runs unasked before it has earned it: the gate asks for that beside the policy.
#[test]
fn what_nobody_has_seen_succeed_needs_successes() {
    for (action, environment) in
        [("host.service.start", "dev"), ("host.service.start", "prod"), ("host.shell", "staging")]
    {
        let found = changes(&of(action, environment, 1).0);
        assert_eq!(found, [Change::MoreSuccesses { successes: 58 }], "{action} in {environment}");
    }
}

#[test]
fn production_would_be_allowed_where_it_has_been_earned() {
    let mut question = of("host.service.start", "prod", 1).0;
    for key in autonomy::keys(&question.risk) {
        let key = autonomy::Key { environment: EnvironmentClass::Staging, ..key };
        question.evidence.push(Evidence { key, successes: 60, failures: 0 });
    }
    assert_eq!(
        changes(&question),
        [
            Change::Environment { class: EnvironmentClass::Staging },
            Change::MoreSuccesses { successes: 58 },
        ]
    );
}

#[test]
fn a_heavy_action_would_be_allowed_if_it_were_a_lighter_one() {
    let found = changes(&of("kubectl.apply", "dev", 1).1);
    assert_eq!(found, [Change::LowerTier { tier: Tier::Medium }]);
}

#[test]
fn too_many_targets_would_be_allowed_on_fewer() {
    let found = changes(&of("host.service.start", "dev", 70).1);
    assert_eq!(found, [Change::FewerTargets { targets: 50 }]);
}

#[test]
fn an_irreversible_step_would_be_allowed_with_an_undo() {
    let mut question = of("host.service.start", "dev", 1).1;
    question.risk.blast.irreversible = true;
    assert_eq!(changes(&question), [Change::Reversible]);
}

#[test]
fn what_no_single_change_allows_has_no_counterfactual() {
    assert!(changes(&question(&[Role::Viewer], "host.service.restart", "prod", 60)).is_empty());
}

/// Every change proposed is made and judged again; and one step less is not enough.
#[test]
fn every_proposed_change_really_flips_the_answer() {
    for action in ["host.service.start", "host.service.restart", "database.vacuum", "kubectl.drain"]
    {
        for environment in ["dev", "staging", "prod"] {
            for targets in [1, 11, 51] {
                let (unseen, seen) = of(action, environment, targets);
                for question in [unseen, seen] {
                    for change in changes(&question) {
                        assert_flips(&question, &change);
                    }
                }
            }
        }
    }
}

fn assert_flips(question: &Question, change: &Change) {
    let allowed =
        |question: &Question| alone(question, &evaluate::judge(question, Some(shipped())));
    let mut changed = question.clone();
    match *change {
        Change::Environment { class } => {
            changed.environments = vec![class.to_string()];
            changed.risk.blast.environments = vec![class];
        }
        Change::FewerTargets { targets } => {
            changed.risk.blast.targets = targets + 1;
            changed.risk.blast.scope = blast::scope(targets + 1);
            assert!(!allowed(&changed), "{change:?} is not the most");
            changed.risk.blast.targets = targets;
            changed.risk.blast.scope = blast::scope(targets);
        }
        Change::MoreSuccesses { successes } => {
            assert!(!allowed(&with_successes(question, successes - 1).unwrap()), "{change:?}");
            changed = with_successes(question, successes).unwrap();
        }
        Change::LowerTier { tier } => {
            changed.risk.actions.iter_mut().for_each(|action| action.tier = tier);
        }
        Change::Reversible => changed.risk.blast.irreversible = false,
    }
    assert!(allowed(&changed), "{change:?}");
}
