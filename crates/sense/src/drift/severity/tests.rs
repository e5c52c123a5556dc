use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::drift::Change;
use crate::drift::path::Step;

fn change(path: &[&str], declared: serde_json::Value, actual: serde_json::Value) -> Change {
    let steps: Vec<Step> = path.iter().map(|name| Step::Name((*name).to_owned())).collect();
    Change {
        path: crate::drift::path::written(&steps),
        steps,
        change: ChangeType::Modified,
        declared: Some(declared).filter(|value| !value.is_null()),
        actual: Some(actual).filter(|value| !value.is_null()),
    }
}

fn drift(kind: &str, drift: DriftType, changes: Vec<Change>) -> Drift {
    Drift {
        address: format!("{kind}.x"),
        kind: kind.to_owned(),
        id: None,
        drift,
        changes,
        declared: None,
        actual: None,
    }
}

#[test]
fn what_opens_a_door_is_critical_and_a_tag_is_not() {
    let weights = Weights::shipped();
    let open =
        change(&["ingress", "tcp 22", "cidr_blocks"], json!(["10.0.0.0/8"]), json!(["0.0.0.0/0"]));
    let opened =
        weights.judge(&drift("aws_security_group", DriftType::Modified, vec![open.clone()]));
    assert_eq!((opened.severity, opened.critical.len()), (Severity::Critical, 1));
    assert!(opened.axes.security >= 0.9 && !opened.reasons[0].why.is_empty());
    let tag = change(&["tags", "owner"], json!("a"), json!("b"));
    let tagged =
        weights.judge(&drift("aws_security_group", DriftType::Modified, vec![tag.clone()]));
    assert_eq!((tagged.severity, tagged.critical.len()), (Severity::Low, 0));
    let size = change(&["instance_type"], json!("t3.micro"), json!("t3.large"));
    let sized = weights.judge(&drift("aws_instance", DriftType::Modified, vec![size]));
    assert_eq!(sized.severity, Severity::Medium);
    assert!(sized.axes.cost > 0.0 && sized.axes.performance > 0.0);
    let both = weights.judge(&drift("aws_security_group", DriftType::Modified, vec![tag, open]));
    assert_eq!(both.score.to_bits(), opened.score.to_bits());
}

#[test]
fn what_is_gone_or_unmanaged_weighs_something_of_itself() {
    for (kind, how) in [("aws_instance", DriftType::Deleted), ("anything", DriftType::Added)] {
        let judged = Weights::shipped().judge(&drift(kind, how, Vec::new()));
        assert!(judged.score > 0.0 && !judged.reasons.is_empty(), "{kind} {how}");
    }
}

#[test]
fn all_weights_lie_between_nothing_and_one() {
    for (row, _) in &Weights::shipped().properties {
        for axis in [row.security, row.performance, row.cost, row.compliance] {
            assert!((0.0..=1.0).contains(&axis), "{row:?}");
        }
    }
}

proptest! {
    #[test]
    fn one_more_change_never_makes_a_drift_less_severe(
        names in prop::collection::vec(
            prop::sample::select(vec!["ingress", "tags", "instance_type", "policy", "name", "kms_key_id"]), 0..6),
        more in prop::sample::select(vec!["ingress", "tags", "instance_type", "policy", "description"]),
    ) {
        let of = |name: &&str| change(&[name], json!("a"), json!("0.0.0.0/0"));
        let mut changes: Vec<Change> = names.iter().map(of).collect();
        let judge = |changes: &[Change]| {
            Weights::shipped().judge(&drift("aws_security_group", DriftType::Modified, changes.to_vec()))
        };
        let before = judge(&changes);
        changes.push(of(&more));
        let after = judge(&changes);
        prop_assert!(after.score >= before.score && after.severity >= before.severity);
        changes.reverse();
        prop_assert_eq!(judge(&changes).axes, after.axes, "order says nothing");
    }
}

#[test]
fn what_opens_a_door_loosened_it_and_what_closes_it_tightened_it() {
    let weights = Weights::shipped();
    let way = |change: &Change| weights.ways("aws_security_group").direction(change);
    let rule = |declared, actual| change(&["ingress", "tcp 22", "cidr_blocks"], declared, actual);
    let (own, all) = (json!(["10.0.0.0/8"]), json!(["0.0.0.0/0"]));
    assert_eq!(way(&rule(own.clone(), all.clone())), Some(Direction::Loosened));
    assert_eq!(way(&rule(all, own.clone())), Some(Direction::Tightened));
    assert_eq!(way(&rule(own, json!(["10.1.0.0/16"]))), None, "nobody knows which way");
    let tag = change(&["tags", "owner"], json!("a"), json!("b"));
    assert_eq!(way(&tag), Some(Direction::Neutral));
}
