//! What is live of what was declared, and of what nobody declared.

use connect_kubernetes::testing::Fault;
use connect_kubernetes::{Cluster, Key, Kind, Limits, NotChecked, Reading, Wanted};
use serde_json::json;

use crate::harness::{cluster, deployment, key, kind, limits, settings, shop};

fn wanted(objects: Vec<Key>) -> Wanted {
    Wanted { objects, ..Wanted::default() }
}

fn ids(reading: &Reading) -> Vec<String> {
    reading.objects.iter().map(|live| live.key.id()).collect()
}

fn maps(names: &[&str]) -> Vec<Key> {
    names.iter().map(|name| key("v1", "ConfigMap", name)).collect()
}

fn not(kind: Kind, id: Option<&str>, why: &str) -> NotChecked {
    NotChecked { kind, id: id.map(str::to_owned), why: why.to_owned(), failed: true }
}

async fn read(cluster: &Cluster, wanted: &Wanted) -> Reading {
    let reading = cluster.read(wanted).await.unwrap();
    for key in &wanted.objects {
        let id = key.id();
        let live = reading.objects.iter().filter(|live| live.key.id() == id).count();
        let absent = reading.absent.iter().filter(|absent| absent.id() == id).count();
        let unchecked = reading.not_checked.iter().filter(|not| not.id.as_ref() == Some(&id));
        assert_eq!(live + absent + unchecked.count(), 1, "{id} is told once: {reading:?}");
    }
    reading
}

#[tokio::test]
async fn what_was_declared_is_there_or_absent_however_it_was_asked_for() {
    let (fake, cluster) = shop().await;
    fake.put(deployment("web", "nginx:1.27"));
    for name in ["a", "b", "c"] {
        fake.put(settings(name, &json!({})));
    }
    let reader = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                        "metadata": {"name": "reader"}, "rules": []});
    fake.put(reader);
    let role = key("rbac.authorization.k8s.io/v1", "ClusterRole", "reader");
    let mut all = maps(&["a", "b", "c", "gone"]);
    all.push(key("apps/v1", "Deployment", "web"));
    all.push(key("apps/v1", "Deployment", "gone"));
    // A namespace says nothing of an object that is in none.
    all.push(Key { namespace: None, ..role });
    let reading = read(&cluster, &wanted(all)).await;
    assert_eq!(
        ids(&reading),
        [
            "/ConfigMap/shop/a",
            "/ConfigMap/shop/b",
            "/ConfigMap/shop/c",
            "apps/Deployment/shop/web",
            "rbac.authorization.k8s.io/ClusterRole/reader",
        ]
    );
    let absent: Vec<String> = reading.absent.iter().map(Key::id).collect();
    assert_eq!(absent, ["/ConfigMap/shop/gone", "apps/Deployment/shop/gone"]);
    assert!(reading.not_checked.is_empty() && reading.whole.is_empty(), "{reading:?}");
    // Two of discovery; one list for four settings, and one call for each of the rest.
    assert_eq!(reading.calls, 6);
    let of_web = reading.objects.iter().find(|live| live.key.name == "web").unwrap();
    assert_eq!(of_web.object["spec"]["replicas"], 1);
}

#[tokio::test]
async fn an_object_without_a_namespace_is_in_the_configured_one() {
    let (fake, cluster) = shop().await;
    fake.put(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}));
    let reading =
        cluster.read(&wanted(vec![Key { namespace: None, ..key("v1", "ConfigMap", "a") }])).await;
    assert_eq!(ids(&reading.unwrap()), ["/ConfigMap/default/a"]);
}

#[tokio::test]
async fn what_nobody_declared_is_read_where_all_is_wanted() {
    let (fake, cluster) = shop().await;
    fake.put(settings("declared", &json!({})));
    fake.put(settings("stray", &json!({})));
    let mut wanted = wanted(maps(&["declared", "gone"]));
    wanted.kinds = vec![kind("v1", "ConfigMap"), kind("v1", "Namespace")];
    wanted.namespaces = vec!["shop".to_owned()];
    let reading = read(&cluster, &wanted).await;
    assert_eq!(
        ids(&reading),
        [
            "/ConfigMap/shop/declared",
            "/ConfigMap/shop/kube-root-ca.crt",
            "/ConfigMap/shop/stray",
            "/Namespace/default",
            "/Namespace/kube-system",
            "/Namespace/shop",
        ]
    );
    assert_eq!(reading.absent, maps(&["gone"]));
    assert_eq!(reading.whole, wanted.kinds.iter().cloned().collect());
    assert_eq!(reading.calls, 4);

    wanted.namespaces.clear();
    let reading = read(&cluster, &wanted).await;
    assert_eq!(reading.objects.len(), 8, "of every namespace: {:?}", ids(&reading));
    assert_eq!(reading.absent, maps(&["gone"]));
}

#[tokio::test]
async fn what_may_not_be_read_is_not_checked_and_never_absent() {
    let (fake, cluster) = shop().await;
    fake.put(settings("a", &json!({})));
    fake.put(deployment("web", "nginx:1.27"));
    fake.deny("configmaps", "*");
    let mut wanted = wanted(maps(&["a", "gone"]));
    wanted.objects.push(key("apps/v1", "Deployment", "web"));
    wanted.kinds = vec![kind("v1", "ConfigMap"), kind("apps/v1", "Deployment")];
    wanted.namespaces = vec!["shop".to_owned()];
    let reading = read(&cluster, &wanted).await;
    assert_eq!(ids(&reading), ["apps/Deployment/shop/web"]);
    assert!(reading.absent.is_empty());
    assert_eq!(reading.whole, [kind("apps/v1", "Deployment")].into());
    let why = |what: &str| {
        format!(
            "not allowed: configmaps{what} is forbidden: User \"fake\" cannot {} resource \
             \"configmaps\" in API group \"\"",
            if what.is_empty() { "list" } else { "get" }
        )
    };
    let maps = || kind("v1", "ConfigMap");
    assert_eq!(
        reading.not_checked,
        [
            not(maps(), None, &format!("in namespace shop: {}", why(""))),
            not(maps(), Some("/ConfigMap/shop/a"), &why(" \"a\"")),
            not(maps(), Some("/ConfigMap/shop/gone"), &why(" \"gone\"")),
        ]
    );
}

#[tokio::test]
async fn a_kind_is_whole_only_when_every_namespace_was_read() {
    let (fake, cluster) = shop().await;
    let wanted = Wanted {
        kinds: vec![kind("v1", "ConfigMap"), kind("v1", "Secret")],
        namespaces: vec!["default".to_owned(), "shop".to_owned()],
        ..Wanted::default()
    };
    let down = || Fault::status(503, "down");
    (0..limits().tries).for_each(|_| fake.fail("/namespaces/shop/configmaps?", down()));
    let reading = read(&cluster, &wanted).await;
    assert_eq!(reading.whole, [kind("v1", "Secret")].into());
    let why = "in namespace shop: the API server failed with 503: down";
    assert_eq!(reading.not_checked, [not(kind("v1", "ConfigMap"), None, why)]);
    assert_eq!(ids(&reading), ["/ConfigMap/default/kube-root-ca.crt"]);
    assert_eq!(read(&cluster, &wanted).await.whole.len(), 2);
}

#[tokio::test]
async fn who_may_not_list_may_still_ask_for_each() {
    let (fake, cluster) = shop().await;
    for name in ["a", "b", "c"] {
        fake.put(settings(name, &json!({})));
    }
    fake.deny("configmaps", "list");
    let reading = read(&cluster, &wanted(maps(&["a", "b", "c", "gone"]))).await;
    assert_eq!(reading.objects.len(), 3);
    assert_eq!(reading.absent, maps(&["gone"]));
    assert!(reading.not_checked.is_empty());
}

#[tokio::test]
async fn every_failure_makes_one_object_not_checked_and_the_rest_goes_on() {
    let (fake, _) = shop().await;
    let cluster = cluster(&fake, Limits { list_from: 100, ..limits() });
    let faults = [
        ("busy", Fault::busy(0), "the API server asks to be called less"),
        ("late", Fault::busy(86_400), "the API server asks to be called less"),
        ("down", Fault::status(503, "down"), "the API server failed with 503: down"),
        ("cut", Fault::Cut, "the API server gave no answer: the answer cannot be read"),
        ("page", Fault::status(404, "<html>?</html>"), "the API server failed with 404: "),
        ("odd", Fault::status(200, "<html>?</html>"), "the API server's answer cannot be read"),
    ];
    let mut names = vec!["there", "gone"];
    fake.put(settings("there", &json!({})));
    for (name, fault, _) in &faults {
        fake.put(settings(name, &json!({})));
        (0..limits().tries).for_each(|_| fake.fail(&format!("/configmaps/{name}"), fault.clone()));
        names.push(name);
    }
    let reading = read(&cluster, &wanted(maps(&names))).await;
    assert_eq!(ids(&reading), ["/ConfigMap/shop/there"]);
    assert_eq!(reading.absent, maps(&["gone"]));
    let mut expected: Vec<NotChecked> = faults
        .iter()
        .map(|(name, _, why)| {
            not(kind("v1", "ConfigMap"), Some(&format!("/ConfigMap/shop/{name}")), why)
        })
        .collect();
    expected.sort();
    assert_eq!(reading.not_checked, expected);
    assert_eq!(reading.throttled, 4);
}

#[tokio::test]
async fn a_group_whose_server_is_lost_is_not_checked_and_other_groups_are() {
    let (fake, cluster) = shop().await;
    fake.put(settings("a", &json!({})));
    fake.lose("apps");
    let mut wanted = wanted(maps(&["a"]));
    wanted.objects.push(key("apps/v1", "Deployment", "web"));
    wanted.objects.push(key("x.example/v1", "Thing", "t"));
    wanted.kinds.push(kind("apps/v1", "DaemonSet"));
    let reading = read(&cluster, &wanted).await;
    assert_eq!(ids(&reading), ["/ConfigMap/shop/a"]);
    let told: Vec<(Option<&str>, bool)> =
        reading.not_checked.iter().map(|not| (not.id.as_deref(), not.failed)).collect();
    assert_eq!(
        told,
        [
            (None, true),
            (Some("apps/Deployment/shop/web"), true),
            (Some("x.example/Thing/shop/t"), false)
        ]
    );
}

#[tokio::test]
async fn no_more_calls_are_open_at_once_than_allowed_and_many_objects_are_read() {
    let (fake, _) = shop().await;
    let names: Vec<String> = (0..40).map(|n| format!("s-{n:02}")).collect();
    for name in &names {
        fake.put(settings(name, &json!({})));
    }
    let cluster = cluster(&fake, Limits { list_from: 100, at_once: 3, ..limits() });
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let reading = read(&cluster, &wanted(maps(&names))).await;
    assert_eq!((reading.objects.len(), reading.calls), (40, 42));
    assert!(fake.most_at_once() <= 3, "{}", fake.most_at_once());
}
