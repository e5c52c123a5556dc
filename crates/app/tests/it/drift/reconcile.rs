//! Objects of a cluster brought back to their manifests through the gate.

use connect_kubernetes::testing::{Door, FakeCluster};
use serde_json::json;
use tokio::process::Command;

use super::cloud::good;
use super::cluster::{CHANGES, MANIFESTS};
use super::remedy::Runner;
use crate::http::text;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_are_brought_back_to_the_approved_manifests_and_closed_by_a_fresh_scan() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = FakeCluster::start(Door::Token).await.unwrap();
    let kubeconfig = dir.path().join("config");
    std::fs::write(&kubeconfig, cluster.kubeconfig()).unwrap();
    let kubectl = async |arguments: &[&str]| {
        let mut command = Command::new("kubectl");
        let command = command.args(arguments).env("KUBECONFIG", &kubeconfig).kill_on_drop(true);
        command.output().await.ok().inspect(good)
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
    let environment = [("KUBECONFIG".to_owned(), kubeconfig.to_str().unwrap().to_owned())];
    let source = json!({"name": "shop", "tool": "kubernetes", "directory": path});
    let runner = Runner::set(&environment, source).await;
    assert_eq!(runner.scan().await["drifted"], 0);
    for change in CHANGES {
        kubectl(change).await.unwrap();
    }
    assert_eq!(runner.scan().await["drifted"], 4);
    // What does not count for the tenant does not in what a runner found either.
    let rule = json!({"resource_type": "Deployment", "reason": "scaled by hand this week"});
    let rule = text(&runner.admin.post("/drift-ignore-rules", &rule).await.expect(201), "id");
    let known = runner.scan().await;
    assert_eq!((&known["drifted"], &known["in_sync"]), (&json!(3), &json!(3)), "{known:#}");
    let [ignored] = runner.drift("fixed").await.try_into().unwrap();
    assert!(ignored.0.starts_with("Deployment/shop/web"), "{ignored:?}");
    runner.closed(&[ignored.1], "ignored").await;
    let path = format!("/drift-ignore-rules/{rule}");
    runner.admin.send(reqwest::Method::DELETE, &path, &json!({})).await.expect(204);
    assert_eq!(runner.scan().await["drifted"], 4);
    let findings: Vec<String> = runner.drift("open").await.into_iter().map(|one| one.1).collect();
    let asked = runner.remedy("auto_revert", &findings, "asked").await;
    runner.approve(&asked, "completed").await;
    runner.reaches(&text(&asked, "id"), "resolved").await;
    assert_eq!(runner.drift("open").await, []);
    runner.closed(&findings, "auto_revert").await;
    // The secret went from the manifest to the cluster, and nowhere else.
    runner.says_no_secret(&asked).await;
    let image = ["-n", "shop", "get", "deployment/web", "-o", "jsonpath={..image}"];
    let image = kubectl(&image).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&image.stdout), "registry.example.com/shop/web:1.4");
}
