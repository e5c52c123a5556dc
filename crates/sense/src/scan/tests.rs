use serde_json::Value;

use super::*;
use crate::drift::path::Step;
use crate::drift::{Change, ChangeType};

fn scan() -> Scan {
    Scan {
        id: ScanId::generate(),
        repository: RepositoryId::generate(),
        environment: EnvironmentId::generate(),
        against: Against::Api,
    }
}

fn drift(how: DriftType, address: &str, id: &str) -> Drift {
    Drift {
        address: address.to_owned(),
        kind: "aws_security_group".to_owned(),
        id: Some(id.to_owned()),
        drift: how,
        changes: vec![Change {
            path: "ingress[tcp 22 22]".to_owned(),
            steps: vec![Step::Name("ingress".to_owned()), Step::Key("tcp 22 22".to_owned())],
            change: ChangeType::Added,
            declared: None,
            actual: Some(json!({"cidr_blocks": ["0.0.0.0/0"]})),
        }],
        declared: None,
        actual: Some(json!({"a": 1})),
    }
}

#[test]
fn the_same_resource_is_the_same_finding_and_another_is_another() {
    let scan = scan();
    let name = |scan: &Scan, drift: &Drift| finding(scan, drift).fingerprint;
    let first = drift(DriftType::Modified, "aws_security_group.web", "sg-1");
    let again = Scan { id: ScanId::generate(), ..scan };
    let mut gone = first.clone();
    gone.drift = DriftType::Deleted;
    assert_eq!(name(&scan, &first), name(&again, &gone));
    let other = Scan { repository: RepositoryId::generate(), ..scan };
    assert_ne!(name(&scan, &first), name(&other, &first));
    let (one, two) =
        (drift(DriftType::Added, "web", "sg-1"), drift(DriftType::Added, "web", "sg-2"));
    assert_ne!(name(&scan, &one), name(&scan, &two), "nothing declares them, their ids differ");
}

#[test]
fn a_drift_is_a_finding_with_its_severity_and_what_follows_from_it() {
    let reported = finding(&scan(), &drift(DriftType::Modified, "aws_security_group.web", "sg-1"));
    assert_eq!(reported.title, "aws_security_group.web: ingress[tcp 22 22] differs");
    assert_eq!(reported.severity.word(), "critical");
    assert_eq!(reported.confidence_score, Some(0.95));
    let Detail::Drift(detail) = &reported.detail else { panic!("a drift") };
    assert!(detail.changes[0].is_security_critical);
    assert_eq!(detail.metadata["address"], Value::from("aws_security_group.web"));
    assert!(detail.risk_assessment["security"].as_f64().unwrap() > 0.9);
}
