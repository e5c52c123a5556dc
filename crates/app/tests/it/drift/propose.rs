//! Code changed to what is there, proposed on a branch, and merged.

use connect_kubernetes::testing::{Door, FakeCluster};
use serde_json::json;
use tokio::process::Command;

use super::changeset::{self, CHANGES as STACK_CHANGES, TEMPLATE};
use super::cloud::{Cloud, PROVIDER, good};
use super::cluster::{CHANGES as CLUSTER_CHANGES, MANIFESTS};
use super::forge::Forge;
use super::remedy::{CHANGES, ESTATE, Runner};
use crate::http::text;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drift_is_put_into_code_on_a_branch_after_which_the_plan_is_clean() {
    let Some(cloud) = Cloud::start() else { return };
    let code = format!("{PROVIDER}{ESTATE}");
    let files =
        [("live/main.tf", code.as_str()), (".gitignore", ".terraform*\nterraform.tfstate*\n")];
    let forge = Forge::start(cloud.dir.path(), &files).await;
    let live = forge.checkout.join("live");
    let terraform = |arguments: &[&str]| {
        let mut command = cloud.command("terraform");
        command.args(arguments).arg("-no-color").current_dir(&live).output().unwrap()
    };
    good(&terraform(&["init", "-input=false"]));
    good(&terraform(&["apply", "-auto-approve", "-input=false"]));

    let environment = [cloud.environment(), forge.environment()].concat();
    let source = json!({
        "name": "shop", "tool": "terraform", "directory": live, "repository_url": forge.url,
        "branch": "main",
    });
    let runner = Runner::set(&environment, source).await;
    cloud.python(CHANGES);
    assert_eq!(runner.scan().await["drifted"], 3);

    // What is gone cannot be put into code: the code would have to go.
    let gone = [runner.open("aws_s3_bucket").await];
    let wanted = json!({"kind": "codify_iac", "finding_ids": gone});
    let begun = runner.admin.post("/remediations", &wanted).await.expect(202);
    let failed = runner.reaches(&text(&begun, "id"), "failed").await;
    assert!(text(&failed, "error").starts_with("working out the change was"), "{failed:#}");

    let findings = [runner.open("aws_instance").await, runner.open("aws_security_group").await];
    let published = forge.proposed(&runner, &findings).await;
    assert!(forge.request().contains("aws_instance.web"));

    // Somebody merges it: the rest of the file is as it was, and the plan is clean.
    forge.merge(&published);
    let after = std::fs::read_to_string(live.join("main.tf")).unwrap();
    assert!(after.contains("instance_type = \"t3.large\" # small is enough"), "{after}");
    let plan = ["plan", "-input=false", "-detailed-exitcode", "-target=aws_instance.web"];
    let targets = [plan.as_slice(), &["-target=aws_security_group.web"]].concat();
    let planned = terraform(&targets);
    assert_eq!(planned.status.code(), Some(0), "{}", String::from_utf8_lossy(&planned.stdout));
    good(&terraform(&["apply", "-refresh-only", "-auto-approve", "-input=false"]));
    runner.scan().await;
    runner.reaches(&text(&published, "id"), "resolved").await;
    runner.closed(&findings, "codify_iac").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drift_of_a_stack_is_put_into_its_template_on_a_branch_after_which_a_scan_is_clean() {
    let Some(cloud) = Cloud::with_change_sets() else { return };
    let forge = Forge::start(cloud.dir.path(), &[("cloud/shop.yaml", TEMPLATE)]).await;
    let template = forge.checkout.join("cloud/shop.yaml");
    changeset::deploy(&cloud, &template);
    let environment = [cloud.environment(), forge.environment()].concat();
    let source = json!({
        "name": "shop", "tool": "cloudformation", "directory": forge.checkout, "branch": "main",
        "path": "cloud/shop.yaml", "stack": "shop", "repository_url": forge.url,
    });
    let runner = Runner::set(&environment, source).await;
    cloud.python(STACK_CHANGES);
    assert_eq!(runner.scan().await["drifted"], 4);
    let findings = [runner.open("Jobs").await, runner.open("Logs").await, runner.open("Web").await];
    let published = forge.proposed(&runner, &findings).await;
    assert!(forge.request().contains("- Logs\n"), "{}", forge.request());

    // Somebody merges it, and makes the queue again that is gone.
    forge.merge(&published);
    let after = std::fs::read_to_string(&template).unwrap();
    for kept in ["# who the shop lets in\n", "{ Key: stage, Value: !Ref Stage }", "!Ref Password"] {
        assert!(after.contains(kept), "{after}");
    }
    cloud.python("client('sqs').create_queue(QueueName='old')");
    assert_eq!(runner.scan().await["drifted"], 0);
    runner.reaches(&text(&published, "id"), "resolved").await;
    runner.closed(&findings, "codify_iac").await;
    assert_eq!(runner.drift("open").await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drift_of_a_cluster_is_put_into_manifests_on_a_branch_after_which_a_scan_is_clean() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = FakeCluster::start(Door::Token).await.unwrap();
    let kubeconfig = dir.path().join("config");
    std::fs::write(&kubeconfig, cluster.kubeconfig()).unwrap();
    let kubectl = async |arguments: &[&str]| {
        let mut command = Command::new("kubectl");
        let command = command.args(arguments).env("KUBECONFIG", &kubeconfig).kill_on_drop(true);
        command.output().await.ok().inspect(good)
    };
    let forge = Forge::start(dir.path(), &[("k8s/all.yaml", MANIFESTS)]).await;
    let manifests = forge.checkout.join("k8s/all.yaml");
    let apply = ["apply", "--validate=false", "-f", manifests.to_str().unwrap()];
    if kubectl(&apply).await.is_none() {
        assert!(std::env::var_os("CI").is_none(), "kubectl is missing");
        println!("not run: kubectl missing");
        return;
    }
    let mut environment = forge.environment();
    environment.push(("KUBECONFIG".to_owned(), kubeconfig.to_str().unwrap().to_owned()));
    let source = json!({
        "name": "shop", "tool": "kubernetes", "directory": forge.checkout, "branch": "main",
        "path": "k8s", "repository_url": forge.url,
    });
    let runner = Runner::set(&environment, source).await;
    for change in CLUSTER_CHANGES {
        kubectl(change).await.unwrap();
    }
    assert_eq!(runner.scan().await["drifted"], 4);
    let findings =
        [runner.open("Deployment/shop/web").await, runner.open("ClusterRoleBinding").await];
    let published = forge.proposed(&runner, &findings).await;
    assert!(forge.request().contains("- Deployment/shop/web\n"), "{}", forge.request());

    // Somebody merges it, and applies what says now what is there; so what was gone comes back.
    forge.merge(&published);
    let after = std::fs::read_to_string(&manifests).unwrap();
    assert!(after.contains("image: registry.example.com/evil/web:1.4"), "{after}");
    assert!(after.contains("resources: { limits: { cpu: \"0.5\", memory: 1024Mi } }"), "{after}");
    kubectl(&apply).await.unwrap();
    assert_eq!(runner.scan().await["drifted"], 0);
    runner.reaches(&text(&published, "id"), "resolved").await;
    runner.closed(&findings, "codify_iac").await;
    assert_eq!(runner.drift("open").await, []);
}
