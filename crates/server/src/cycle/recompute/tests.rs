use judge::action::Table;
use judge::constants::ConstantSet;
use judge::outside::Outside;
use judge::policy::shipped;
use prove::decision::sign_decision;
use prove::keys::SigningKey;

use super::*;

/// What the risk engine recorded of a deployment.
fn risk() -> Value {
    let body = json!({
        "service_name": "checkout", "change_scope": "canary", "deployment_target": "prod",
    });
    let intent = Outside::DeployConfig(serde_json::from_value(body).unwrap());
    let input = intent.risk(Table::shipped(), None, Vec::new(), ConstantSet::arf_1());
    serde_json::to_value(Record::make(input)).unwrap()
}

/// Signs a record and makes it again, with this policy at hand.
fn made(record: &Value, bundle: Option<&Bundle>) -> Recomputed {
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    let canon = model::canonical::to_bytes(record).unwrap();
    recompute(&canon, &sign_decision(&key, &canon), &[*key.public()], bundle)
}

#[test]
fn a_record_of_the_first_version_is_made_again_as_far_as_it_goes() {
    let record = json!({"v": 1, "verdict": "require_approval", "risk": risk()});
    let again = made(&record, Some(shipped()));
    assert_eq!((again.signature, again.ok, again.tampered()), (Signed::Valid, false, false));
    assert_eq!(again.differences, []);
    assert_eq!(again.recomputed_score, again.score);
    assert!(again.cannot_tell[0].contains("first version"), "{:?}", again.cannot_tell);
    // As far as it goes is far enough for its score.
    let mut altered = record;
    altered["risk"]["assessment"]["score"] = json!("0.01");
    let again = made(&altered, Some(shipped()));
    assert_eq!(again.differences[0].path, "/risk/assessment/score");
    assert!(again.tampered());
}

#[test]
fn what_is_missing_is_said_and_proves_nothing() {
    let record = json!({"v": 2, "policy_bundle_hash": "0", "risk": risk(), "inputs": {}});
    let again = made(&record, Some(shipped()));
    assert!(again.cannot_tell[0].contains("policy bundle 0"), "{:?}", again.cannot_tell);
    assert_eq!((again.ok, again.tampered()), (false, false));
    let mut other = record;
    other["risk"]["assessment"]["model"] = json!("beta-9");
    let again = made(&other, None);
    assert!(again.cannot_tell[0].contains("beta-9"), "{:?}", again.cannot_tell);
    let again = made(&json!({"risk": 7}), None);
    assert!(again.cannot_tell[0].contains("the risk"), "{:?}", again.cannot_tell);

    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    let signed = sign_decision(&key, b"no JSON");
    let again = recompute(b"no JSON", &signed, &[*key.public()], None);
    assert_eq!((again.signature, again.cannot_tell.len()), (Signed::Valid, 1));
    let again = recompute(b"no JSON", &signed, &[], None);
    assert_eq!(again.signature, Signed::UnknownKey);
    let again = recompute(b"no json", &signed, &[*key.public()], None);
    assert_eq!((again.signature, again.tampered()), (Signed::Bad, true));
}

#[test]
fn differences_are_named_leaf_by_leaf_and_not_without_end() {
    let mut told = Vec::new();
    let (one, other) = (
        json!({"a": {"x/y": 1, "gone": 2}, "b": [1, 2], "c": [1]}),
        json!({"a": {"x/y": 2, "new": 3}, "b": [1, 3], "c": [1, 2]}),
    );
    differ("", "recomputed", &one, &other, &mut told);
    let mut paths: Vec<&str> = told.iter().map(|one| one.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/a/gone", "/a/new", "/a/x~1y", "/b/1", "/c"]);

    let mut record = json!({"v": 1, "risk": risk()});
    record["components"] = Value::Null;
    let mut again = made(&record, None);
    assert!(again.differences.iter().any(|one| one.path == "/components"));
    let many: Value = (0..100).map(|at| (at.to_string(), json!(at))).collect::<Map<_, _>>().into();
    again.compare("/x", "intents", &many, &json!({}));
    assert_eq!(again.differences.len(), MOST_TOLD);
}
