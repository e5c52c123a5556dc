use model::actor::Role;

use super::*;
use crate::evaluate::tests::question;
use crate::policy::shipped;

fn changes(question: &Question) -> Vec<Change> {
    search(question, &evaluate::judge(question, Some(shipped())), Some(shipped()))
}

#[test]
fn what_is_allowed_needs_no_change() {
    assert!(changes(&question(&[Role::Operator], "host.service.start", "dev", 1)).is_empty());
}

#[test]
fn production_would_be_allowed_elsewhere_or_with_more_evidence() {
    let found = changes(&question(&[Role::Operator], "host.service.start", "prod", 1));
    assert_eq!(
        found,
        [
            Change::Environment { class: EnvironmentClass::Staging },
            Change::MoreSuccesses { successes: 58 },
        ]
    );
}

#[test]
fn a_medium_action_would_be_allowed_with_a_lower_one_or_more_evidence() {
    let found = changes(&question(&[Role::Operator], "host.service.restart", "staging", 1));
    assert_eq!(
        found,
        [Change::LowerTier { tier: Tier::Low }, Change::MoreSuccesses { successes: 58 }]
    );
}

#[test]
fn too_many_targets_would_be_allowed_on_ten() {
    let found = changes(&question(&[Role::Operator], "host.service.start", "dev", 70));
    assert!(found.contains(&Change::FewerTargets { targets: 10 }), "{found:?}");
}

#[test]
fn an_irreversible_step_would_be_allowed_with_an_undo() {
    let mut question = question(&[Role::Operator], "host.service.start", "dev", 1);
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
                let question = question(&[Role::Operator], action, environment, targets);
                for change in changes(&question) {
                    assert_flips(&question, &change);
                }
            }
        }
    }
}

fn assert_flips(question: &Question, change: &Change) {
    let allowed =
        |question: &Question| evaluate::judge(question, Some(shipped())).verdict == Verdict::Allow;
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
