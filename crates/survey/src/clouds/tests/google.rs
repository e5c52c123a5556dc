use std::sync::Arc;

use connect_clouds::google::{Credentials, Google};
use connect_clouds::testing::{FakeGoogle, Fault};
use model::secret::Secret;

use super::*;

fn estate() -> Vec<Both> {
    let compute = "https://www.googleapis.com/compute/v1";
    let text = include_str!("google.yaml").replace("{c}", compute);
    serde_saphyr::from_str(&text).unwrap()
}

/// A shop as it was deployed.
async fn shop() -> (FakeGoogle, Cloud, String) {
    let (fake, estate) = (FakeGoogle::start().await, estate());
    for both in estate.iter().filter(|both| !both.live.is_null()) {
        fake.put(&both.asset, &both.kind, both.live.clone());
    }
    let credentials = Credentials::File(Secret::from(fake.credentials()));
    let cloud = seen_by(&fake, credentials);
    (fake, cloud, state(&estate))
}

fn seen_by(fake: &FakeGoogle, credentials: Credentials) -> Cloud {
    let (endpoint, clock) = (Some(fake.endpoint()), Arc::new(NewYear));
    let google = Google::new(outbound(), credentials, endpoint, clock, unhurried());
    Cloud::Google(google.unwrap())
}

const SERVICE: &str = "google_project_service.run never: resources of this type are not read";

#[tokio::test]
async fn an_estate_that_only_says_the_same_in_other_words_is_in_sync() {
    let (fake, cloud, state) = shop().await;
    let done = compared(&cloud, &state).await;
    assert_eq!(lines(&done.drifts), [""; 0]);
    assert_eq!(left(&done), [SERVICE]);
    assert_eq!(done.in_sync, estate().len() - 1);
    // Pages of three; one token for all of them.
    assert_eq!((fake.asked("token"), fake.asked("list")), (1, (estate().len() - 1).div_ceil(3)));
    assert!(done.undeclared.contains(&"google_storage_bucket".to_owned()));
    assert!(!done.undeclared.contains(&"google_kms_crypto_key".to_owned()));
}

/// What somebody does in the console.
fn meddle(fake: &FakeGoogle) {
    let compute = "//compute.googleapis.com/projects/shop-prod";
    fake.change(&format!("{compute}/global/firewalls/web"), |firewall| {
        firewall["allowed"] = json!([{ "IPProtocol": "tcp", "ports": ["80", "443"] },
            { "IPProtocol": "icmp" }, { "IPProtocol": "tcp", "ports": ["22"] }]);
    });
    fake.change(&format!("{compute}/zones/europe-west4-a/instances/web"), |machine| {
        machine["machineType"] =
            json!(machine["machineType"].as_str().unwrap().replace("e2-medium", "e2-standard-8"));
        machine["labels"]["owner"] = json!("nobody");
        machine["networkInterfaces"][0]["accessConfigs"] = json!([{ "networkTier": "PREMIUM" }]);
        machine["metadata"]["items"][0]["value"] = json!("FALSE");
    });
    fake.change(&format!("{compute}/regions/europe-west4/subnetworks/web"), |subnetwork| {
        subnetwork["network"] =
            json!("https://www.googleapis.com/compute/v1/projects/shop-prod/global/networks/other");
    });
    fake.change("//storage.googleapis.com/shop-assets", |bucket| {
        bucket["iamConfiguration"]["publicAccessPrevention"] = json!("inherited");
        bucket["versioning"]["enabled"] = json!(false);
    });
    fake.change(
        "//run.googleapis.com/projects/shop-prod/locations/europe-west4/services/api",
        |service| {
            let container = &mut service["spec"]["template"]["spec"]["containers"][0];
            container["env"][0]["value"] = json!("canary-0815");
        },
    );
    fake.change("//cloudsql.googleapis.com/projects/shop-prod/instances/orders", |database| {
        let ip = &mut database["settings"]["ipConfiguration"];
        ip["authorizedNetworks"] = json!([{ "name": "all", "value": "0.0.0.0/0" }]);
    });
    fake.delete("//pubsub.googleapis.com/projects/shop-prod/topics/orders");
    fake.put(
        "//storage.googleapis.com/exfil",
        "storage.googleapis.com/Bucket",
        json!({ "name": "exfil", "location": "US" }),
    );
    // Of the cloud itself.
    fake.put(
        "//iam.googleapis.com/projects/shop-prod/serviceAccounts/99",
        "iam.googleapis.com/ServiceAccount",
        json!({ "name": "projects/shop-prod/serviceAccounts/1-compute@developer.gserviceaccount.com",
            "email": "1-compute@developer.gserviceaccount.com" }),
    );
}

#[tokio::test]
async fn what_somebody_changed_is_found_and_nothing_else() {
    let (fake, cloud, state) = shop().await;
    meddle(&fake);
    let done = compared(&cloud, &state).await;
    let found = lines(&done.drifts);
    let starts = [
        "added exfil",
        "deleted google_pubsub_topic.orders",
        "modified google_cloud_run_v2_service.api template[0].containers[0].env[KEY].value: {\"sealed\":",
        "modified google_compute_firewall.web allow[",
        "modified google_compute_instance.web effective_labels.owner: - -> \"nobody\"",
        "modified google_compute_instance.web machine_type: \"e2-medium\" -> \"e2-standard-8\"",
        "modified google_compute_instance.web metadata.enable-oslogin: \"TRUE\" -> \"FALSE\"",
        "modified google_compute_instance.web network_interface[0].access_config: - -> [{\"network_tier\"",
        "modified google_compute_subnetwork.web network: \"projects/shop-prod/global/networks/main\" -> ",
        "modified google_sql_database_instance.orders settings[0].ip_configuration[0].authorized_networks[",
        "modified google_storage_bucket.assets public_access_prevention: \"enforced\" -> \"inherited\"",
        "modified google_storage_bucket.assets versioning[0].enabled: true -> false",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (line, start) in found.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}\nis not\n{start}");
    }
    assert!(!format!("{done:?}").contains("canary"), "a secret is shown");
    assert_eq!(left(&done), [SERVICE]);
}

#[tokio::test]
async fn a_cloud_that_puts_off_or_refuses_leaves_everything_unchecked() {
    let (fake, cloud, state) = shop().await;
    for (fault, why) in [
        (Fault::status(429, "RESOURCE_EXHAUSTED"), "was put off: RESOURCE_EXHAUSTED"),
        (Fault::status(403, "PERMISSION_DENIED"), "was refused: PERMISSION_DENIED"),
        (Fault::status(503, "UNAVAILABLE"), "failed with status 503: UNAVAILABLE"),
        (Fault::Text("{\"assets\": {}}".to_owned()), "cannot be read: it has no assets"),
    ] {
        fake.always("list", fault.clone());
        let done = compared(&cloud, &state).await;
        assert_eq!((done.drifts.len(), done.in_sync), (0, 0), "{fault:?}");
        assert!(done.undeclared.is_empty(), "{fault:?}");
        let left = left(&done);
        let failed = left.iter().filter(|line| line.contains(" failed: ")).collect::<Vec<_>>();
        assert!(failed.len() > estate().len(), "{left:#?}");
        assert!(failed.iter().all(|line| line.contains(why)), "{left:#?}");
    }
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let (fake, cloud, state) = shop().await;
    fake.next("token", [Fault::status(500, "internal_failure")]);
    let later =
        Fault::Status { status: 429, code: "RESOURCE_EXHAUSTED".to_owned(), retry_after: Some(0) };
    fake.next("list", [later, Fault::status(503, "UNAVAILABLE")]);
    let done = compared(&cloud, &state).await;
    assert_eq!((lines(&done.drifts), left(&done)), (Vec::new(), vec![SERVICE.to_owned()]));
    assert_eq!(fake.asked("token"), 2);
}

#[tokio::test]
async fn who_is_not_known_reads_nothing_and_another_project_is_not_checked() {
    let (fake, cloud, state) = shop().await;
    // The key of somebody else.
    let stranger = FakeGoogle::start().await.credentials();
    let mut file: Json = serde_json::from_str(&stranger).unwrap();
    file["token_uri"] = json!(format!("{}/token", fake.endpoint()));
    let credentials = Credentials::File(Secret::from(file.to_string()));
    let done = compared(&seen_by(&fake, credentials), &state).await;
    assert_eq!((done.drifts.len(), done.in_sync), (0, 0));
    let told = left(&done).join("\n");
    assert!(told.contains("a token of Google's was refused: invalid_grant"), "{told}");
    for wrong in [
        "",
        "{}",
        r#"{"type": "external_account"}"#,
        r#"{"type":"service_account","client_email":"x","private_key":"canary"}"#,
    ] {
        let file = Credentials::File(Secret::from(wrong.to_owned()));
        let made = Google::new(outbound(), file, None, Arc::new(NewYear), unhurried());
        let told = made.unwrap_err().to_string();
        assert!(told.starts_with("the credentials cannot be used") && !told.contains("canary"));
    }
    let other = state.replace("shop-prod", "other-prod");
    let done = compared(&cloud, &other).await;
    assert_eq!((done.drifts.len(), done.in_sync), (0, 0));
    assert!(left(&done).iter().any(|line| line.contains("was refused: PERMISSION_DENIED")));
    // Where the project is not named.
    let bucket = json!({ "version": 4, "resources": [{ "mode": "managed", "name": "b",
        "type": "google_storage_bucket", "instances": [{ "attributes": { "id": "b", "name": "b" } }] }] });
    let done = compared(&cloud, &bucket.to_string()).await;
    assert_eq!(left(&done), ["google_storage_bucket.b never: the project it is in is not known"]);
}
