//! The fake API server against the real kubectl: what kubectl does to it, the client reads back.

use std::path::Path;
use std::process::{Command, Stdio};

use connect_kubernetes::testing::{Door, FakeCluster};
use connect_kubernetes::{Cluster, Wanted};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{cluster, key, limits};

/// A small manifest, as people write them.
const MANIFESTS: &str = r#"
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
          image: nginx:1.27
          ports: [{ containerPort: 80 }]
          env: [{ name: MODE, value: fast }]
          resources: { limits: { cpu: "0.5", memory: 1024Mi } }
          livenessProbe: { httpGet: { path: /, port: 80 } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: readers, namespace: shop }
roleRef: { kind: ClusterRole, name: view, apiGroup: rbac.authorization.k8s.io }
subjects: [{ kind: Group, name: readers }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web, namespace: shop }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  maxReplicas: 5
---
apiVersion: v1
kind: Secret
metadata: { name: web, namespace: shop }
stringData: { password: hunter2 }
"#;

/// Whether kubectl is there: where it must be, it is missed.
fn there() -> bool {
    let found = Command::new("kubectl").arg("--help").stdout(Stdio::null()).status().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "kubectl is missing");
    if !found {
        println!("not run: kubectl missing");
    }
    found
}

/// The kubectl of a home of its own, at work on a fake.
struct Kubectl {
    home: TempDir,
}

impl Kubectl {
    fn new(fake: &FakeCluster) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config"), fake.kubeconfig()).unwrap();
        std::fs::write(home.path().join("all.yaml"), MANIFESTS).unwrap();
        Self { home }
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    /// Runs a command, and gives its exit code and what it said.
    async fn says(&self, command: &str) -> (i32, String) {
        let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        let home = self.path().to_owned();
        let done = tokio::task::spawn_blocking(move || {
            Command::new("kubectl")
                .args(words)
                .current_dir(&home)
                .env("KUBECONFIG", home.join("config"))
                .env("HOME", &home)
                .stdin(Stdio::null())
                .output()
                .unwrap()
        });
        let done = done.await.unwrap();
        let text = [done.stdout, done.stderr].concat();
        (done.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
    }

    async fn does(&self, command: &str) -> String {
        let (code, said) = self.says(command).await;
        assert_eq!(code, 0, "kubectl {command}: {said}");
        said
    }
}

async fn start(door: Door) -> (FakeCluster, Cluster, Kubectl) {
    let fake = FakeCluster::start(door).await.unwrap();
    let (cluster, kubectl) = (cluster(&fake, limits()), Kubectl::new(&fake));
    (fake, cluster, kubectl)
}

/// The leaves of the live object that the manifest does not have, or has otherwise.
fn differing(path: &str, manifest: &Value, live: &Value, into: &mut Vec<String>) {
    match (manifest, live) {
        (Value::Object(manifest), Value::Object(live)) => {
            for (name, live) in live {
                let own = manifest.get(name).unwrap_or(&Value::Null);
                differing(&format!("{path}.{name}"), own, live, into);
            }
        }
        (Value::Array(manifest), Value::Array(live)) if manifest.len() == live.len() => {
            for (own, live) in manifest.iter().zip(live) {
                differing(&format!("{path}[*]"), own, live, into);
            }
        }
        (manifest, live) if manifest != live => into.push(path.to_owned()),
        _ => {}
    }
}

#[tokio::test]
async fn what_kubectl_applies_and_changes_behind_the_back_is_read_back() {
    if !there() {
        return;
    }
    let (_fake, cluster, kubectl) = start(Door::Token).await;
    let said = kubectl.does("apply --validate=false -f all.yaml").await;
    assert_eq!(said.lines().filter(|line| line.ends_with(" created")).count(), 7, "{said}");
    let again = kubectl.does("apply --validate=false -f all.yaml").await;
    let same = again.lines().filter(|line| line.ends_with(" unchanged")).count();
    assert!(same >= 3 && !again.contains("created"), "{again}");
    assert!(kubectl.does("get deployments,services -n shop").await.contains("deployment.apps/web"));

    let web = key("apps/v1", "Deployment", "web");
    for (command, path, expected) in [
        ("scale deploy/web -n shop --replicas=4", "/spec/replicas", json!(4)),
        (
            "set image deploy/web web=nginx:1.28 -n shop",
            "/spec/template/spec/containers/0/image",
            json!("nginx:1.28"),
        ),
        ("label deploy/web tier=front -n shop", "/metadata/labels/tier", json!("front")),
        ("annotate deploy/web note=here -n shop", "/metadata/annotations/note", json!("here")),
        (
            "set env deploy/web MODE=slow -n shop",
            "/spec/template/spec/containers/0/env/0/value",
            json!("slow"),
        ),
        (
            "patch deploy/web -n shop --type=json \
             -p=[{\"op\":\"replace\",\"path\":\"/spec/paused\",\"value\":true}]",
            "/spec/paused",
            json!(true),
        ),
        (
            "patch deploy/web -n shop --type=merge -p={\"spec\":{\"minReadySeconds\":7}}",
            "/spec/minReadySeconds",
            json!(7),
        ),
        ("label deploy/web tier- -n shop", "/metadata/labels", json!({"app": "web"})),
    ] {
        kubectl.does(command).await;
        let live = cluster.get(&web).await.unwrap();
        assert_eq!(live.pointer(path), Some(&expected), "{command}");
    }
    // Applied once more, the manifest has its own way in what it says, and in nothing else.
    kubectl.does("apply --validate=false -f all.yaml").await;
    let live = cluster.get(&web).await.unwrap();
    let container = &live["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(
        (&container["image"], &container["env"][0]["value"]),
        (&json!("nginx:1.27"), &json!("fast"))
    );
    assert_eq!(live["spec"]["replicas"], 4);
    kubectl.does("delete deploy/web -n shop").await;
    let wanted = Wanted { objects: vec![web.clone()], ..Wanted::default() };
    assert_eq!(cluster.read(&wanted).await.unwrap().absent, [web]);
}

#[tokio::test]
async fn kubectl_applies_on_the_server_beside_others_and_shows_what_would_change() {
    if !there() {
        return;
    }
    let (fake, cluster, kubectl) = start(Door::Certificate).await;
    let apply = "apply --server-side --validate=false -f all.yaml";
    kubectl.does(apply).await;
    kubectl.does(apply).await;
    let (code, said) = kubectl.says("diff --server-side -f all.yaml").await;
    assert_eq!((code, said.as_str()), (0, ""));

    kubectl.does("set image deploy/web web=evil:1 -n shop --field-manager=intruder").await;
    let (code, said) = kubectl.says("diff --server-side --force-conflicts -f all.yaml").await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("-        image: evil:1") && said.contains("+        image: nginx:1.27"));
    let (code, said) = kubectl.says(apply).await;
    assert_eq!(code, 1);
    assert!(said.contains("conflict with \"intruder\""), "{said}");

    // The dry run of the client says of the same manifest what kubectl then makes of it.
    let manifest =
        kubectl.does("create --dry-run=client --validate=false -o json -f all.yaml").await;
    let stream = serde_json::Deserializer::from_str(&manifest).into_iter::<Value>();
    let mut objects = stream.map(Result::unwrap);
    let web = objects.find(|object| object["kind"] == "Deployment").unwrap();
    let dry = cluster.dry_run(&web, "kubectl").await.unwrap();
    kubectl.does(&format!("{apply} --force-conflicts")).await;
    let live = cluster.get(&key("apps/v1", "Deployment", "web")).await.unwrap();
    assert_eq!(dry["spec"], live["spec"]);

    fake.deny("secrets", "*");
    for (resource, allowed) in [("secrets", false), ("configmaps", true)] {
        let wanted = json!({"verb": "list", "resource": resource});
        let review = json!({"apiVersion": "authorization.k8s.io/v1",
                            "kind": "SelfSubjectAccessReview",
                            "spec": {"resourceAttributes": wanted}});
        std::fs::write(kubectl.path().join("can.json"), review.to_string()).unwrap();
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let said = kubectl.does(&format!("create --raw {path} -f can.json")).await;
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["status"]["allowed"], allowed);
    }
    let (code, said) = kubectl.says("get secrets -n shop").await;
    assert_eq!(code, 1);
    assert!(said.contains("forbidden"), "{said}");
}

#[tokio::test]
async fn kubectl_moves_its_old_ownership_over_and_waits_for_what_it_deletes() {
    if !there() {
        return;
    }
    let (_fake, cluster, kubectl) = start(Door::Token).await;
    kubectl.does("apply --validate=false -f all.yaml").await;
    kubectl.does("apply --server-side --force-conflicts --validate=false -f all.yaml").await;
    let live = cluster.get(&key("apps/v1", "Deployment", "web")).await.unwrap();
    let owners = live["metadata"]["managedFields"].as_array().unwrap();
    let managers: Vec<(&str, &str)> = owners
        .iter()
        .map(|owner| (owner["manager"].as_str().unwrap(), owner["operation"].as_str().unwrap()))
        .collect();
    assert!(managers.contains(&("kubectl", "Apply")), "{managers:?}");
    assert!(!managers.contains(&("kubectl-client-side-apply", "Update")), "{managers:?}");
    let all = "deployments,services,rolebindings,networkpolicies,hpa,secrets --all -n shop";
    let said = kubectl.does(&format!("delete {all} --wait=true --timeout=120s")).await;
    assert_eq!(said.lines().filter(|line| line.contains("deleted")).count(), 6, "{said}");
    let listed = cluster.list(&crate::harness::kind("v1", "Secret"), None, None).await.unwrap();
    assert!(listed.objects.is_empty());
}

#[tokio::test]
async fn what_the_api_server_adds_to_a_small_manifest_is_known() {
    if !there() {
        return;
    }
    let (_fake, cluster, kubectl) = start(Door::Open).await;
    kubectl.does("apply --validate=false -f all.yaml").await;
    let manifests =
        kubectl.does("create --dry-run=client --validate=false -o json -f all.yaml").await;
    let mut noise = Vec::new();
    for manifest in serde_json::Deserializer::from_str(&manifests).into_iter::<Value>() {
        let manifest = manifest.unwrap();
        let live = cluster.get(&connect_kubernetes::Key::of(&manifest).unwrap()).await.unwrap();
        let kind = manifest["kind"].as_str().unwrap();
        let mut differ = Vec::new();
        differing("", &manifest, &live, &mut differ);
        noise.extend(differ.into_iter().map(|path| format!("{kind}{path}")));
    }
    insta::assert_snapshot!(noise.join("\n"));
}
