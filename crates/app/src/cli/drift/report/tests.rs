use sense::drift::compare::NotChecked;
use sense::drift::path::Step;
use sense::drift::severity::Weights;
use sense::drift::{ChangeType, DriftType};

use super::*;

/// A drift whose names try to be something else wherever they are shown.
fn report() -> Report {
    let change = |name: &str, declared: Value, actual: Value| Change {
        path: sense::drift::path::written(&[Step::Name(name.to_owned())]),
        steps: vec![Step::Name(name.to_owned())],
        change: ChangeType::Modified,
        declared: Some(declared),
        actual: Some(actual),
    };
    let drifts = vec![
        Drift {
            address: "aws_instance.web[\"a`|<b>&\u{1b}[2J\u{202e}\"]".to_owned(),
            kind: "aws_instance".to_owned(),
            id: Some("i-1".to_owned()),
            drift: DriftType::Modified,
            changes: vec![
                change("instance_type", json!("t3.micro"), json!("t3.large")),
                change(
                    "password",
                    json!({"sealed": "00112233445566778899aabbccddeeff"}),
                    json!(null),
                ),
                change("user_data", json!("x".repeat(500)), json!("``` | \n<script>")),
            ],
            declared: None,
            actual: None,
        },
        Drift {
            address: "aws_s3_bucket.old".to_owned(),
            kind: "aws_s3_bucket".to_owned(),
            id: None,
            drift: DriftType::Deleted,
            changes: Vec::new(),
            declared: None,
            actual: None,
        },
    ];
    let judged = drifts.iter().map(|drift| Weights::shipped().judge(drift)).collect();
    let not_checked = vec![NotChecked {
        kind: "aws_kms_key".to_owned(),
        id: None,
        why: "AccessDenied".to_owned(),
        failed: true,
    }];
    Report {
        source: "infra/prod".to_owned(),
        against: None,
        comparison: Comparison { drifts, in_sync: 7, not_checked, undeclared: Vec::new() },
        judged,
    }
}

#[test]
fn reports_for_people() {
    insta::assert_snapshot!("table", report().table());
    insta::assert_snapshot!("markdown", report().markdown());
}

#[test]
fn reports_for_programs() {
    insta::assert_snapshot!("json", serde_json::to_string_pretty(&report().json()).unwrap());
    insta::assert_snapshot!("sarif", serde_json::to_string_pretty(&report().sarif()).unwrap());
    insta::assert_snapshot!("junit", report().junit());
}

#[test]
fn p9_nothing_a_terminal_acts_on_is_in_what_people_read() {
    for text in [report().table(), report().markdown(), report().junit()] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
}
