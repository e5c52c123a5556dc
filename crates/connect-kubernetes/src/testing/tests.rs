use serde_json::{Value, json};

use super::defaults::canonical;
use super::fields;
use super::merge;

#[test]
fn quantities_are_written_as_the_api_server_writes_them() {
    for (given, kept) in [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1000Ki", "1000Ki"),
        ("2000", "2k"),
        ("0", "0"),
        ("100M", "100M"),
    ] {
        assert_eq!(canonical(&given.into()).as_deref(), Some(kept), "{given}");
    }
    assert_eq!(canonical(&json!(2)).as_deref(), Some("2"));
    for odd in ["", "x", "1x", "0.0001"] {
        assert_eq!(canonical(&odd.into()), None, "{odd}");
    }
}

#[test]
fn a_strategic_patch_merges_items_by_their_key() {
    let mut object = json!({"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "x": 1}],
                            "finalizers": ["one"], "args": ["x"], "strategy": {"a": 1, "b": 2}});
    merge::strategic(
        &mut object,
        &json!({
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
            "containers": [{"name": "a", "image": "a:2"}, {"name": "b", "$patch": "delete"},
                           {"name": "c"}],
            "finalizers": ["two"], "$deleteFromPrimitiveList/finalizers": ["one"],
            "args": ["y"], "strategy": {"$retainKeys": ["b"], "b": 3},
        }),
    );
    assert_eq!(
        object,
        json!({"containers": [{"name": "c"}, {"name": "a", "image": "a:2"}],
               "finalizers": ["two"], "args": ["y"], "strategy": {"b": 3}})
    );
}

#[test]
fn a_merge_patch_and_a_json_patch_do_what_their_standards_say() {
    let mut object = json!({"a": {"b": 1, "c": 2}, "list": [1, 2]});
    merge::merge_patch(&mut object, &json!({"a": {"b": null, "d": {"e": 3}}, "list": [3]}));
    assert_eq!(object, json!({"a": {"c": 2, "d": {"e": 3}}, "list": [3]}));
    let patch = json!([
        {"op": "test", "path": "/a/c", "value": 2}, {"op": "replace", "path": "/a/c", "value": 4},
        {"op": "add", "path": "/list/0", "value": 0}, {"op": "add", "path": "/list/-", "value": 9},
        {"op": "remove", "path": "/a/d"}, {"op": "add", "path": "/x~1y", "value": 1},
    ]);
    merge::json_patch(&mut object, &patch).unwrap();
    assert_eq!(object, json!({"a": {"c": 4}, "list": [0, 3, 9], "x/y": 1}));
    for odd in [
        json!([{"op": "test", "path": "/a/c", "value": 5}]),
        json!([{"op": "remove", "path": "/list/7"}]),
        json!([{"op": "add", "path": "/no/where", "value": 5}]),
    ] {
        assert!(merge::json_patch(&mut object, &odd).is_err(), "{odd}");
    }
}

#[test]
fn fields_are_shown_and_read_back_and_written_for_people() {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}, "finalizers": ["one"]},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [
            {"name": "web", "ports": [{"containerPort": 80}]}]}}},
    });
    let set = fields::of(&object);
    let shown = fields::show(&set);
    assert_eq!(
        shown,
        json!({
            "f:metadata": {"f:finalizers": {"v:\"one\"": {}}, "f:labels": {"f:app": {}}},
            "f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
                "k:{\"name\":\"web\"}": {".": {}, "f:name": {}, "f:ports": {
                    "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {
                        ".": {}, "f:containerPort": {}}}}}}}},
        })
    );
    assert_eq!(fields::read(&shown), set);
    let texts: Vec<String> = set.iter().map(|path| fields::written(path)).collect();
    assert!(texts.contains(&".spec.template.spec.containers[name=\"web\"].name".to_owned()));
    for path in &set {
        assert!(fields::at(&object, path).is_some_and(|value| *value != Value::Null), "{path:?}");
        let mut rest = object.clone();
        fields::remove(&mut rest, path);
        assert!(fields::at(&rest, path).is_none(), "{path:?}");
    }
}
