//! Manifests against a cluster: a stateful fake of an API server, changed with the real `kubectl`.

use std::path::Path;
use std::process::Output;

use connect_kubernetes::testing::{Door, FakeCluster};
use serde_json::{Value, json};
use tokio::process::Command;

use super::cloud::good;
use super::codify;
use super::terraform::found;

pub(super) const MANIFESTS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop, labels: { app: web } }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: registry.example.com/shop/web:1.4
          ports: [{ containerPort: 8080 }]
          resources: { limits: { cpu: "0.5", memory: 1024Mi } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Secret
metadata: { name: db, namespace: shop }
stringData: { password: canary-4711 }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { level: info }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: readers }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
subjects: [{ kind: Group, name: shop, apiGroup: rbac.authorization.k8s.io }]
"#;

/// What happens to it, as arguments of `kubectl`.
pub(super) const CHANGES: [&[&str]; 6] = [
    &["-n", "shop", "scale", "deployment/web", "--replicas=5"],
    &["-n", "shop", "set", "image", "deployment/web", "web=registry.example.com/evil/web:1.4"],
    &["-n", "shop", "label", "deployment/web", "owner=nobody"],
    &["-n", "shop", "patch", "secret/db", "-p", r#"{"stringData": {"password": "canary-0815"}}"#],
    &["delete", "configmap/settings"],
    &[
        "patch",
        "clusterrolebinding/readers",
        "--type=json",
        "-p",
        r#"[{"op": "add", "path": "/subjects/-", "value": {"kind": "User", "name": "mallory", "apiGroup": "rbac.authorization.k8s.io"}}]"#,
    ],
];

async fn run(program: &str, kubeconfig: &Path, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).env("KUBECONFIG", kubeconfig).kill_on_drop(true);
    command.output().await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn manifests_of_a_cluster_that_was_changed_give_exactly_what_changed() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = FakeCluster::start(Door::Token).await.unwrap();
    let kubeconfig = dir.path().join("config");
    std::fs::write(&kubeconfig, cluster.kubeconfig()).unwrap();
    let kubectl = async |arguments: &[&str]| {
        let output = run("kubectl", &kubeconfig, arguments).await;
        output.inspect(good)
    };
    let manifests = dir.path().join("shop");
    std::fs::create_dir(&manifests).unwrap();
    std::fs::write(manifests.join("all.yaml"), MANIFESTS).unwrap();
    let path = manifests.to_str().unwrap();
    if kubectl(&["apply", "--validate=false", "-f", path]).await.is_none() {
        assert!(std::env::var_os("CI").is_none(), "kubectl is missing");
        println!("not run: kubectl missing");
        return;
    }
    let scan = async || {
        let arguments = ["drift", "scan", path, "--against", "kubernetes", "--report", "json"];
        let output = run(env!("CARGO_BIN_EXE_countersign"), &kubeconfig, &arguments).await.unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains("canary") && !text.contains("Y2FuYXJ5"), "{text}");
        (output.status.code(), serde_json::from_str::<Value>(&text).expect(&told))
    };
    let (code, report) = scan().await;
    assert_eq!((code, found(&report)), (Some(0), vec![]), "{report:#}");
    assert_eq!((&report["summary"]["in_sync"], &report["not_checked"]), (&json!(6), &json!([])));

    for change in CHANGES {
        kubectl(change).await.unwrap();
    }
    let (code, report) = scan().await;
    let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    let expected = [
        ("ClusterRoleBinding/readers", "modified", paths(&["subjects[User mallory]"])),
        ("ConfigMap/default/settings", "deleted", paths(&[])),
        (
            "Deployment/shop/web",
            "modified",
            paths(&["metadata.labels.owner", "spec.template.spec.containers[web].image"]),
        ),
        ("Secret/shop/db", "modified", paths(&["data.password"])),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(address, how, paths)| (address.to_owned(), how.to_owned(), paths))
        .collect();
    // How many replicas there are the manifest does not say: a scaler may.
    assert_eq!((code, found(&report)), (Some(1), expected), "{report:#}");

    // The code changed to what is there; what is gone and what is secret stays as it is.
    let (code, done) = codify::told(&codify::codified(&manifests, &report, &[]));
    assert!(!done.to_string().contains("canary-0815"), "{done:#}");
    let left = done["left"].as_array().unwrap().iter();
    let mut reasons: Vec<_> = left.map(|left| left["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!((code, reasons), (Some(1), vec!["deleted", "secret"]), "{done:#}");
    let (_, report) = scan().await;
    let addresses: Vec<_> = found(&report).into_iter().map(|found| found.0).collect();
    assert_eq!(addresses, ["ConfigMap/default/settings", "Secret/shop/db"], "{report:#}");
}
