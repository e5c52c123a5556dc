use proptest::prelude::*;
use serde_json::json;

use super::*;

fn resource(address: Option<&str>, kind: &str, state: &serde_json::Value) -> Resource<'static> {
    Resource {
        address: address.map(|address| Cow::Owned(address.to_owned())),
        kind: Cow::Owned(kind.to_owned()),
        id: None,
        state: State::Read(Value::from_json(state).into_owned()),
        secrets: Vec::new(),
    }
}

fn compare(declared: &[Resource<'_>], live: &Live<'_>) -> Comparison {
    let sealer = Sealer::new(b"tests");
    let engine = Engine { rules: Rules::shipped(), scope: Scope::Whole, sealer: &sealer };
    engine.compare(declared, live).unwrap()
}

#[test]
fn resources_meet_by_their_address_or_by_what_the_provider_calls_them() {
    let declared = [
        resource(Some("aws_a.x"), "aws_a", &json!({"id": "1", "n": 1})),
        resource(Some("aws_a.y"), "aws_a", &json!({"id": "2", "n": 1})),
        resource(Some("aws_b.x"), "aws_b", &json!({"id": "1", "n": 1})),
    ];
    let live = Live {
        resources: vec![
            resource(None, "aws_a", &json!({"id": "2", "n": 2})),
            resource(None, "aws_a", &json!({"id": "1", "n": 1})),
            resource(None, "aws_a", &json!({"id": "9", "n": 1})),
        ],
        ..Live::default()
    };
    let done = compare(&declared, &live);
    let told: Vec<_> =
        done.drifts.iter().map(|drift| (drift.address.as_str(), drift.drift)).collect();
    assert_eq!(
        told,
        [
            ("9", DriftType::Added),
            ("aws_a.y", DriftType::Modified),
            ("aws_b.x", DriftType::Deleted)
        ]
    );
    assert_eq!(done.in_sync, 1);
}

#[test]
fn a_copy_counts_only_where_the_original_is_not_declared() {
    let bucket = |policy: Option<&str>| {
        resource(Some("aws_s3_bucket.a"), "aws_s3_bucket", &json!({"id": "a", "policy": policy}))
    };
    let policy = |of: &str| {
        let state = json!({"id": of, "bucket": of, "policy": "{}"});
        resource(Some("aws_s3_bucket_policy.a"), "aws_s3_bucket_policy", &state)
    };
    for (original, drifted) in [(policy("a"), 0), (policy("b"), 1)] {
        let declared = [bucket(None), original.clone()];
        let live = Live {
            resources: vec![bucket(Some(r#"{"Statement": []}"#)), original],
            ..Live::default()
        };
        assert_eq!(compare(&declared, &live).drifts.len(), drifted);
    }
}

#[test]
fn what_could_not_be_read_is_neither_gone_nor_as_declared() {
    let declared = [
        resource(Some("aws_a.x"), "aws_a", &json!({"id": "1"})),
        resource(Some("aws_b.x"), "aws_b", &json!({"id": "1"})),
        resource(Some("aws_c.x"), "aws_c", &json!({"id": "1"})),
        resource(Some("aws_c.y"), "aws_c", &json!({"id": "2"})),
    ];
    let not = |kind: &str, id: Option<&str>| NotChecked {
        kind: kind.to_owned(),
        id: id.map(str::to_owned),
        why: "throttled".to_owned(),
        failed: true,
    };
    let live = Live {
        resources: Vec::new(),
        whole: Whole::Kinds(["aws_a".to_owned(), "aws_c".to_owned()].into()),
        not_checked: vec![not("aws_c", Some("1"))],
    };
    let done = compare(&declared, &live);
    let told: Vec<_> =
        done.drifts.iter().map(|drift| (drift.address.as_str(), drift.drift)).collect();
    assert_eq!(told, [("aws_a.x", DriftType::Deleted), ("aws_c.y", DriftType::Deleted)]);
    let not: Vec<_> =
        done.not_checked.iter().map(|not| (not.id.as_deref().unwrap(), not.failed)).collect();
    assert_eq!(not, [("aws_b.x", false), ("aws_c.x", true)]);
    assert_eq!(done.in_sync, 0);
}

proptest! {
    #[test]
    fn the_order_of_resources_changes_nothing(
        sizes in prop::collection::vec((0_u8..4, 0_u8..3, any::<bool>(), any::<bool>()), 1..20),
        turn in any::<prop::sample::Index>(),
    ) {
        let mut declared = Vec::new();
        let mut live = Vec::new();
        for (place, (size, other, in_code, there)) in sizes.iter().enumerate() {
            let (name, id) = (format!("aws_a.r{place}"), format!("id-{place}"));
            if *in_code {
                declared.push(resource(Some(&name), "aws_a", &json!({"id": id, "size": size})));
            }
            if *there {
                live.push(resource(None, "aws_a", &json!({"id": id, "size": other})));
            }
        }
        let of = |resources: &[Resource<'static>]| Live { resources: resources.to_vec(), ..Live::default() };
        let before = compare(&declared, &of(&live));
        if !declared.is_empty() {
            let by = turn.index(declared.len());
            declared.rotate_left(by);
        }
        live.reverse();
        prop_assert_eq!(compare(&declared, &of(&live)), before);
    }
}
