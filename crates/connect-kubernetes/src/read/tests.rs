use serde_json::json;

use super::*;

fn key(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Key {
    let kind = Kind::new(api_version, kind);
    Key { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() }
}

fn listed(names: &[&str]) -> Listed {
    let objects = names.iter().map(|name| {
        json!({"apiVersion": "v1", "kind": "ConfigMap",
               "metadata": {"name": name, "namespace": "shop"}})
    });
    Listed { objects: objects.collect(), resource_version: "7".to_owned() }
}

#[test]
fn of_a_list_what_nobody_wanted_is_taken_only_where_all_is_wanted() {
    let map = |name| key("v1", "ConfigMap", Some("shop"), name);
    for (enumerated, expected) in [(false, vec!["a"]), (true, vec!["a", "b"])] {
        let mut reading = Reading::default();
        let wanted = vec![map("a"), map("z")];
        reading.take(listed(&["a", "b"]), wanted, enumerated, &mut BTreeSet::new());
        let mut names: Vec<&str> =
            reading.objects.iter().map(|live| live.key.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(reading.absent, [map("z")]);
    }
}

#[test]
fn an_object_that_was_seen_in_one_version_is_not_told_again_in_another() {
    let mut seen = BTreeSet::from(["/ConfigMap/shop/a".to_owned()]);
    let mut reading = Reading::default();
    reading.take(listed(&["a", "b"]), Vec::new(), true, &mut seen);
    let names: Vec<&str> = reading.objects.iter().map(|live| live.key.name.as_str()).collect();
    assert_eq!(names, ["b"]);
}

#[test]
fn a_kind_no_cluster_knows_is_not_checked_and_asking_again_does_not_help() {
    let wanted =
        Wanted { objects: vec![key("x.example/v1", "Thing", None, "a")], ..Wanted::default() };
    let plan = Plan::of(&wanted, &Served::default(), "default", 4);
    assert_eq!(
        plan.not_checked,
        [NotChecked {
            kind: Kind::new("x.example/v1", "Thing"),
            id: Some("x.example/Thing/a".to_owned()),
            why: "the cluster has no kind x.example/v1 Thing".to_owned(),
            failed: false,
        }]
    );
    assert!(plan.gets.is_empty() && plan.lists.is_empty());
}
