//! States against the inventories of Azure and Google Cloud, on fakes of them: by the command line and
//! by the server.

use connect_clouds::testing::{FakeAzure, FakeGoogle};
use connect_git::testing::Server;
use serde_json::{Value, json};
use tokio::process::Command;

use super::harness::{Site, text};
use super::sources::Estate;

const GROUP: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/shop-prod";
const ASSET: &str = "//compute.googleapis.com/projects/shop-prod/global/firewalls/web";

/// A state of one resource.
fn state(kind: &str, attributes: &Value) -> String {
    json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "outputs": {},
        "resources": [{
            "mode": "managed", "type": kind, "name": "shop",
            "provider": "provider[\"registry.terraform.io/hashicorp/x\"]",
            "instances": [{"schema_version": 0, "attributes": attributes}],
        }],
    })
    .to_string()
}

/// A group of resources in Azure as it was declared; its tag is another one by now.
async fn in_azure() -> (FakeAzure, String) {
    let fake = FakeAzure::start().await;
    fake.put(json!({
        "id": GROUP, "name": "shop-prod", "location": "westeurope", "tags": {"env": "lab"},
        "type": "Microsoft.Resources/subscriptions/resourceGroups", "properties": {},
    }));
    let declared = json!({
        "id": GROUP, "name": "shop-prod", "location": "westeurope", "tags": {"env": "prod"},
        "managed_by": "", "timeouts": null,
    });
    (fake, state("azurerm_resource_group", &declared))
}

/// A firewall in Google Cloud that lets everybody in by now.
async fn in_google() -> (FakeGoogle, String) {
    let fake = FakeGoogle::start().await;
    let network = "projects/shop-prod/global/networks/main";
    let there = json!({
        "name": "web", "network": format!("https://www.googleapis.com/compute/v1/{network}"),
        "direction": "INGRESS", "priority": 1000, "sourceRanges": ["0.0.0.0/0"],
        "allowed": [{"IPProtocol": "tcp", "ports": ["443"]}],
    });
    fake.put(ASSET, "compute.googleapis.com/Firewall", there);
    let declared = json!({
        "id": "projects/shop-prod/global/firewalls/web", "name": "web", "project": "shop-prod",
        "network": network, "direction": "INGRESS", "priority": 1000, "disabled": false,
        "source_ranges": ["10.0.0.0/8"], "allow": [{"protocol": "tcp", "ports": ["443"]}],
    });
    (fake, state("google_compute_firewall", &declared))
}

/// Scans a state against a cloud that is reached by these variables: the exit code, and the first
/// property of each drift.
async fn scanned(
    document: &str,
    cloud: &str,
    environment: &[(&str, &str)],
) -> (Option<i32>, Vec<(String, String)>) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("prod.tfstate");
    std::fs::write(&file, document).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(["drift", "scan", "--report", "json", "--against", cloud]).arg(&file);
    command.env("HOME", dir.path()).envs(environment.iter().copied());
    let done = command.kill_on_drop(true).output().await.unwrap();
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!told.contains(FakeAzure::LOGIN.2), "{told}");
    let report: Value = serde_json::from_slice(&done.stdout).expect(&told);
    let drifts = report["drifts"].as_array().unwrap().iter();
    let drifts = drifts
        .map(|one| (text(one, "address"), text(&one["changes"][0], "property_path")))
        .collect();
    (done.status.code(), drifts)
}

#[tokio::test]
async fn a_state_is_compared_with_the_inventory_of_its_cloud() {
    let (azure, document) = in_azure().await;
    let (tenant, client, secret) = FakeAzure::LOGIN;
    let environment = [
        ("AZURE_TENANT_ID", tenant),
        ("AZURE_CLIENT_ID", client),
        ("AZURE_CLIENT_SECRET", secret),
        ("AZURE_AUTHORITY_HOST", azure.endpoint()),
        ("AZURE_RESOURCE_MANAGER_ENDPOINT", azure.endpoint()),
    ];
    let drift = |address: &str, path: &str| vec![(address.to_owned(), path.to_owned())];
    let found = scanned(&document, "azure", &environment).await;
    assert_eq!(found, (Some(1), drift("azurerm_resource_group.shop", "tags.env")));
    azure.change(GROUP, |group| group["tags"]["env"] = json!("prod"));
    assert_eq!(scanned(&document, "azure", &environment).await, (Some(0), Vec::new()));

    let (google, document) = in_google().await;
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key.json");
    std::fs::write(&key, google.credentials()).unwrap();
    let environment = [
        ("GOOGLE_APPLICATION_CREDENTIALS", key.to_str().unwrap()),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDASSET", google.endpoint()),
    ];
    let (code, found) = scanned(&document, "google", &environment).await;
    assert_eq!((code, found.len()), (Some(1), 1), "{found:?}");
    assert_eq!(found[0].0, "google_compute_firewall.shop");
    assert!(found[0].1.starts_with("source_ranges["), "{found:?}");
    google.change(ASSET, |firewall| firewall["sourceRanges"] = json!(["10.0.0.0/8"]));
    assert_eq!(scanned(&document, "google", &environment).await, (Some(0), Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_compares_a_state_with_the_inventory_its_credential_is_of() {
    let site = Site::start().await;
    let estate = Estate::set(&site).await;
    let (azure, document) = in_azure().await;
    let git = Server::start(None).await;
    let repository = git.repository("shop").await;
    repository.commit(&[("prod.tfstate", &document)], "first", 1_700_000_000).await;
    let (tenant, client, secret) = FakeAzure::LOGIN;
    let login = json!({
        "tenant_id": tenant, "client_id": client, "client_secret": secret,
        "authority": azure.endpoint(), "endpoint": azure.endpoint(),
    });
    let login = estate.credential("azure", &login.to_string()).await;
    let body = json!({
        "name": "shop", "tool": "terraform", "repository_url": git.url("shop"),
        "path": "prod.tfstate", "scan_credential_id": login,
    });
    let source = estate.source(body).await;
    let shown = estate.done(&site, &source, "scan").await;
    assert_eq!(shown["last_scan_error"], Value::Null, "{shown:#}");
    let found = estate.admin.get("/findings?kind=drift&status=open").await.expect(200);
    let titles = found["items"].as_array().unwrap().iter().map(|one| text(one, "title"));
    let titles: Vec<String> = titles.collect();
    assert_eq!(titles, ["azurerm_resource_group.shop: tags.env differs"]);
    azure.change(GROUP, |group| group["tags"]["env"] = json!("prod"));
    estate.done(&site, &source, "scan").await;
    let found = estate.admin.get("/findings?kind=drift&status=open").await.expect(200);
    assert_eq!(found["items"], json!([]));
}
