//! A fake API server, a client of it, and objects to put there.

use std::time::Duration;

use connect::Outbound;
use connect::outbound::Rules;
use connect_kubernetes::testing::{Door, FakeCluster};
use connect_kubernetes::{Cluster, Key, Kind, Kubeconfig, Limits};
use serde_json::{Value, json};

/// Calls may go to this machine, and nowhere else.
pub(crate) fn outbound() -> Outbound {
    Outbound::new(Rules::default().allowing("127.0.0.0/8:*".parse().unwrap())).unwrap()
}

/// Patient with a slow machine, and quick to try again.
pub(crate) fn limits() -> Limits {
    let first_pause = Duration::from_millis(1);
    Limits { timeout: Duration::from_secs(60), first_pause, tries: 3, ..Limits::default() }
}

pub(crate) fn cluster(fake: &FakeCluster, limits: Limits) -> Cluster {
    let config = Kubeconfig::read(&fake.kubeconfig(), None).unwrap().config(|_| None).unwrap();
    Cluster::new(&outbound(), config, limits).unwrap()
}

/// A fake with the namespace `shop`, and a client of it.
pub(crate) async fn shop() -> (FakeCluster, Cluster) {
    let fake = FakeCluster::start(Door::Open).await.unwrap();
    fake.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}));
    let cluster = cluster(&fake, limits());
    (fake, cluster)
}

pub(crate) fn kind(api_version: &str, kind: &str) -> Kind {
    Kind::new(api_version, kind)
}

pub(crate) fn key(api_version: &str, kind: &str, name: &str) -> Key {
    let kind = Kind::new(api_version, kind);
    Key { kind, namespace: Some("shop".to_owned()), name: name.to_owned() }
}

pub(crate) fn settings(name: &str, labels: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"name": name},
           "metadata": {"name": name, "namespace": "shop", "labels": labels}})
}

pub(crate) fn deployment(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": image,
                                         "ports": [{"containerPort": 80}],
                                         "env": [{"name": "MODE", "value": "fast"}]}]},
            },
        },
    })
}

/// The names of objects.
pub(crate) fn names<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Vec<&'a str> {
    objects.into_iter().map(|object| object["metadata"]["name"].as_str().unwrap()).collect()
}
