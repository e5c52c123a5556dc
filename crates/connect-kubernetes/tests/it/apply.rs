//! What a manifest makes of what is there.

use connect_kubernetes::{Conflicts, Effect, Error, Key};
use serde_json::{Value, json};

use crate::harness::{deployment, key, settings, shop};

/// An object without what says when it was kept, and how often.
fn timeless(mut object: Value) -> Value {
    let metadata = object["metadata"].as_object_mut().unwrap();
    for name in ["uid", "creationTimestamp", "resourceVersion"] {
        metadata.remove(name);
    }
    for owner in metadata.get_mut("managedFields").unwrap().as_array_mut().unwrap() {
        owner.as_object_mut().unwrap().remove("time");
    }
    object
}

#[tokio::test]
async fn a_dry_run_gives_what_applying_then_gives_and_keeps_nothing() {
    let (fake, cluster) = shop().await;
    let web = key("apps/v1", "Deployment", "web");
    let service = json!({"apiVersion": "v1", "kind": "Service",
                         "metadata": {"name": "web", "namespace": "shop"},
                         "spec": {"selector": {"app": "web"}, "clusterIP": "10.96.1.1",
                                  "ports": [{"port": 80}]}});
    // New, changed, and the same once more.
    let (one, mut two) = (deployment("web", "nginx:1.27"), deployment("web", "nginx:1.28"));
    two["spec"]["template"]["spec"]["containers"][0]["env"] = json!([]);
    two["spec"]["replicas"] = 3.into();
    for manifest in [&one, &two, &two, &one, &service] {
        let before = fake.object("deployments", "shop", "web");
        let dry = cluster.dry_run(manifest, "drift").await.unwrap();
        assert_eq!(fake.object("deployments", "shop", "web"), before);
        let real = cluster.apply(manifest, "drift", Effect::Real, Conflicts::Take).await.unwrap();
        assert_eq!(timeless(dry), timeless(real));
    }
    let live = cluster.get(&web).await.unwrap();
    assert_eq!(live["spec"]["replicas"], 1, "what is no longer said goes back to its default");
    assert_eq!(live["spec"]["template"]["spec"]["containers"][0]["env"][0]["name"], "MODE");
}

#[tokio::test]
async fn a_dry_run_against_what_is_there_differs_by_what_was_changed_behind_the_back() {
    let (fake, cluster) = shop().await;
    let manifest = deployment("web", "nginx:1.27");
    cluster.apply(&manifest, "drift", Effect::Real, Conflicts::Refuse).await.unwrap();
    let same = |dry: &Value, live: &Value| {
        (&dry["spec"], &dry["metadata"]["labels"]) == (&live["spec"], &live["metadata"]["labels"])
    };
    let web = key("apps/v1", "Deployment", "web");
    let live = cluster.get(&web).await.unwrap();
    assert!(same(&cluster.dry_run(&manifest, "drift").await.unwrap(), &live));

    let mut changed = live;
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "evil:1".into();
    changed["metadata"]["labels"]["owner"] = "somebody".into();
    changed["metadata"].as_object_mut().unwrap().remove("managedFields");
    fake.put(changed);
    let live = cluster.get(&web).await.unwrap();
    let dry = cluster.dry_run(&manifest, "drift").await.unwrap();
    assert_eq!(dry["spec"]["template"]["spec"]["containers"][0]["image"], "nginx:1.27");
    assert_eq!(live["spec"]["template"]["spec"]["containers"][0]["image"], "evil:1");
    // What the manifest never said is not the manifest's to take away.
    assert_eq!(dry["metadata"]["labels"]["owner"], "somebody");
}

#[tokio::test]
async fn what_others_own_is_taken_only_when_told_and_shared_values_are_no_conflict() {
    let (_fake, cluster) = shop().await;
    let mut theirs = deployment("web", "nginx:1.27");
    theirs["spec"]["replicas"] = 5.into();
    cluster.apply(&theirs, "theirs", Effect::Real, Conflicts::Refuse).await.unwrap();
    let mut ours = deployment("web", "nginx:1.27");
    let apply = async |manifest: &Value, conflicts| {
        cluster.apply(manifest, "ours", Effect::Real, conflicts).await
    };
    assert!(apply(&ours, Conflicts::Refuse).await.is_ok());
    ours["spec"]["replicas"] = 2.into();
    let Err(Error::Conflict { said }) = apply(&ours, Conflicts::Refuse).await else { panic!() };
    assert_eq!(said, "Apply failed with 1 conflict: conflict with \"theirs\": .spec.replicas");
    let live = apply(&ours, Conflicts::Take).await.unwrap();
    assert_eq!(live["spec"]["replicas"], 2);
    // Now it is theirs to be refused, and what both own goes only when both let go.
    let refused = cluster.apply(&theirs, "theirs", Effect::Dry, Conflicts::Refuse).await;
    assert!(matches!(refused, Err(Error::Conflict { .. })));
    ours["metadata"].as_object_mut().unwrap().remove("labels");
    let live = apply(&ours, Conflicts::Refuse).await.unwrap();
    assert_eq!(live["metadata"]["labels"]["app"], "web");
    theirs["metadata"].as_object_mut().unwrap().remove("labels");
    theirs["spec"].as_object_mut().unwrap().remove("replicas");
    let live = cluster.apply(&theirs, "theirs", Effect::Real, Conflicts::Refuse).await.unwrap();
    assert_eq!(live["metadata"]["labels"], Value::Null);
    assert_eq!(live["spec"]["replicas"], 2);
}

#[tokio::test]
async fn items_of_a_list_are_merged_by_their_key_and_go_with_who_brought_them() {
    let (_fake, cluster) = shop().await;
    let ours = deployment("web", "nginx:1.27");
    cluster.apply(&ours, "ours", Effect::Real, Conflicts::Refuse).await.unwrap();
    let mut mesh = deployment("web", "nginx:1.27");
    let sidecar = json!({"name": "proxy", "image": "proxy:2"});
    mesh["spec"]["template"]["spec"] = json!({"containers": [sidecar]});
    let live = cluster.apply(&mesh, "mesh", Effect::Real, Conflicts::Refuse).await.unwrap();
    let containers = |live: &Value| {
        let list = live["spec"]["template"]["spec"]["containers"].as_array().unwrap();
        list.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(containers(&live), ["web", "proxy"]);
    let live = cluster.apply(&ours, "ours", Effect::Real, Conflicts::Refuse).await.unwrap();
    assert_eq!(containers(&live), ["web", "proxy"], "ours says nothing of it");
    mesh["spec"]["template"]["spec"]["containers"] = json!([]);
    let live = cluster.apply(&mesh, "mesh", Effect::Real, Conflicts::Refuse).await.unwrap();
    assert_eq!(containers(&live), ["web"]);
}

#[tokio::test]
async fn what_the_api_server_refuses_is_told_with_its_words() {
    let (_fake, cluster) = shop().await;
    let mut odd = deployment("web", "nginx:1.27");
    odd["spec"]["selector"]["matchLabels"]["app"] = "other".into();
    let fault = cluster.dry_run(&odd, "drift").await.unwrap_err();
    assert!(matches!(fault, Error::Refused { status: 422, .. }), "{fault:?}");
    assert!(fault.to_string().contains("`selector` does not match template `labels`"), "{fault}");
    let mut lost = settings("a", &json!({}));
    lost["metadata"]["namespace"] = "nowhere".into();
    let fault = cluster.dry_run(&lost, "drift").await.unwrap_err();
    assert_eq!(
        fault.to_string(),
        "the API server failed with 404: namespaces \"nowhere\" not found"
    );
    for broken in [json!({}), json!(3), json!({"kind": "ConfigMap", "metadata": {"name": "a"}})] {
        assert_eq!(cluster.dry_run(&broken, "drift").await.unwrap_err(), Error::NoObject);
    }
}

#[tokio::test]
async fn an_object_is_deleted_once_and_not_by_a_dry_run() {
    let (fake, cluster) = shop().await;
    fake.put(settings("a", &json!({})));
    let object = key("v1", "ConfigMap", "a");
    cluster.delete(&object, Effect::Dry).await.unwrap();
    assert!(fake.object("configmaps", "shop", "a").is_some());
    cluster.delete(&object, Effect::Real).await.unwrap();
    assert!(fake.object("configmaps", "shop", "a").is_none());
    assert_eq!(cluster.delete(&object, Effect::Real).await.unwrap_err(), Error::NotFound);
    let space = Key { namespace: None, ..key("v1", "Namespace", "shop") };
    cluster.delete(&space, Effect::Real).await.unwrap();
    assert!(fake.object("configmaps", "shop", "kube-root-ca.crt").is_none());
}
