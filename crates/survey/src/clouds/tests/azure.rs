use std::sync::Arc;

use connect_clouds::azure::{Azure, Credentials, Place};
use connect_clouds::testing::{FakeAzure, Fault};
use model::secret::Secret;

use super::*;

const SUBSCRIPTION: &str = "/subscriptions/11111111-2222-3333-4444-555555555555";

fn estate() -> Vec<Both> {
    let group = format!("{SUBSCRIPTION}/resourceGroups/shop-prod/providers");
    let text = include_str!("azure.yaml").replace("{s}", SUBSCRIPTION).replace("{g}", &group);
    // Where people have their keys, which is no place of this machine's.
    let text = text.replace("{h}", &format!("/{}", "home"));
    serde_saphyr::from_str(&text).unwrap()
}

fn id(rest: &str) -> String {
    format!("{SUBSCRIPTION}/resourceGroups/shop-prod/providers/{rest}")
}

/// A shop as it was deployed.
async fn shop() -> (FakeAzure, Cloud, String) {
    let (fake, estate) = (FakeAzure::start().await, estate());
    for both in estate.iter().filter(|both| !both.live.is_null()) {
        fake.put(both.live.clone());
    }
    let (tenant, client, secret) = FakeAzure::LOGIN;
    let credentials = Credentials::Secret {
        tenant: tenant.to_owned(),
        client: client.to_owned(),
        secret: Secret::from(secret.to_owned()),
    };
    let cloud = seen_by(&fake, credentials);
    (fake, cloud, state(&estate))
}

fn seen_by(fake: &FakeAzure, credentials: Credentials) -> Cloud {
    let endpoint = fake.endpoint().to_owned();
    let place = Place { authority: endpoint.clone(), manager: endpoint };
    let azure = Azure::new(outbound(), credentials, &place, Arc::new(NewYear), unhurried());
    Cloud::Azure(azure.unwrap())
}

const EVENTHUB: &str = "azurerm_eventhub.orders never: resources of this type are not read";

#[tokio::test]
async fn an_estate_that_only_says_the_same_in_other_words_is_in_sync() {
    let (fake, cloud, state) = shop().await;
    let done = compared(&cloud, &state).await;
    assert_eq!(lines(&done.drifts), [""; 0]);
    assert_eq!(left(&done), [EVENTHUB]);
    assert_eq!(done.in_sync, estate().len() - 1);
    // Pages of three, one subscription, two tables; one token for all of it.
    assert!(fake.asked("query") > 10, "{}", fake.asked("query"));
    assert_eq!((fake.asked("token"), fake.asked("read")), (1, 0));
    assert!(done.undeclared.contains(&"azurerm_storage_account".to_owned()));
    assert!(!done.undeclared.contains(&"azurerm_subnet".to_owned()));
}

/// What somebody does in the portal.
fn meddle(fake: &FakeAzure) {
    fake.change(&id("Microsoft.Network/networkSecurityGroups/web"), |group| {
        let rules = group["properties"]["securityRules"].as_array_mut().unwrap();
        rules[0]["properties"]["sourceAddressPrefixes"] = json!(["10.8.0.0/16", "0.0.0.0/0"]);
        rules[2]["properties"]["sourceAddressPrefix"] = json!("*");
        let mut open = rules[1].clone();
        open["name"] = json!("open");
        open["id"] = json!(id("Microsoft.Network/networkSecurityGroups/web/securityRules/open"));
        open["properties"]["destinationPortRange"] = json!("3389");
        rules.push(open);
    });
    fake.change(&id("Microsoft.Storage/storageAccounts/shopprod"), |account| {
        account["properties"]["supportsHttpsTrafficOnly"] = json!(false);
        account["properties"]["networkAcls"]["defaultAction"] = json!("Allow");
        account["tags"]["owner"] = json!("nobody");
    });
    fake.change(&id("Microsoft.Compute/virtualMachines/web"), |machine| {
        machine["properties"]["hardwareProfile"]["vmSize"] = json!("Standard_D8s_v5");
    });
    fake.change(&id("Microsoft.ContainerInstance/containerGroups/jobs"), |jobs| {
        let variables = &mut jobs["properties"]["containers"][0]["properties"];
        variables["environmentVariables"][0]["value"] = json!("canary-0815");
    });
    fake.change(&id("Microsoft.Network/virtualNetworks/main"), |network| {
        network["properties"]["subnets"][0]["properties"]["addressPrefix"] = json!("10.0.2.0/24");
    });
    fake.delete(&id("Microsoft.Compute/disks/data"));
    fake.put(json!({
        "id": id("Microsoft.Storage/storageAccounts/exfil"), "name": "exfil",
        "type": "Microsoft.Storage/storageAccounts", "kind": "StorageV2",
        "location": "westeurope", "sku": { "name": "Standard_LRS" }, "properties": {},
    }));
    // Of the cloud itself: the disk of a machine, the database of a server.
    fake.put(json!({
        "id": id("Microsoft.Compute/disks/web_os"), "name": "web_os",
        "type": "Microsoft.Compute/disks", "location": "westeurope",
        "properties": { "osType": "Linux", "diskSizeGB": 30 },
    }));
    fake.put(json!({
        "id": id("Microsoft.Sql/servers/shop/databases/master"), "name": "master",
        "type": "Microsoft.Sql/servers/databases", "location": "westeurope", "properties": {},
    }));
}

#[tokio::test]
async fn what_somebody_changed_is_found_and_nothing_else() {
    let (fake, cloud, state) = shop().await;
    meddle(&fake);
    let done = compared(&cloud, &state).await;
    let found = lines(&done.drifts);
    let starts = [
        "added /subscriptions/",
        "deleted azurerm_managed_disk.data",
        "modified azurerm_container_group.jobs container[0].environment_variables.KEY: {\"sealed\":",
        "modified azurerm_linux_virtual_machine.web size: \"Standard_D2s_v5\" -> \"Standard_D8s_v5\"",
        "modified azurerm_network_security_group.web security_rule[admin].source_address_prefixes[0.0.0.0/0]: - -> \"0.0.0.0/0\"",
        "modified azurerm_network_security_group.web security_rule[admin].source_address_prefixes[10.9.0.0/16]: \"10.9.0.0/16\" -> -",
        "modified azurerm_network_security_group.web security_rule[open]: - -> {",
        "modified azurerm_network_security_rule.metrics source_address_prefix: \"10.7.0.0/16\" -> \"*\"",
        "modified azurerm_storage_account.shop https_traffic_only_enabled: true -> false",
        "modified azurerm_storage_account.shop network_rules[0].default_action: \"Deny\" -> \"Allow\"",
        "modified azurerm_storage_account.shop tags.owner: - -> \"nobody\"",
        "modified azurerm_subnet.web address_prefixes[10.0.1.0/24]: \"10.0.1.0/24\" -> -",
        "modified azurerm_subnet.web address_prefixes[10.0.2.0/24]: - -> \"10.0.2.0/24\"",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (line, start) in found.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}\nis not\n{start}");
    }
    assert!(found[0].contains("storageAccounts/exfil"), "{}", found[0]);
    let all = format!("{done:?}");
    assert!(!all.contains("canary"), "a secret is shown");
    assert_eq!(left(&done), [EVENTHUB]);
}

#[tokio::test]
async fn what_may_not_be_read_and_what_is_too_young_is_not_deleted() {
    let (fake, cloud, state) = shop().await;
    // Resource Graph is silent about the one, and does not have the other yet.
    fake.hide(&id("Microsoft.KeyVault/vaults/shop"));
    fake.lag(&id("Microsoft.Network/publicIPAddresses/web"));
    fake.lag(&id("Microsoft.Network/virtualNetworks/main"));
    let done = compared(&cloud, &state).await;
    assert_eq!(lines(&done.drifts), [""; 0]);
    let why = "azurerm_key_vault.shop failed: Resource Graph does not have it, and whether it is \
               there is not known: a resource of Azure Resource Manager was refused: \
               AuthorizationFailed";
    assert_eq!(left(&done), [why, EVENTHUB]);
    // The vault, the address, the network and its subnet.
    assert_eq!(fake.asked("read"), 4);
    // A subscription that cannot be seen says the same as one that is not there.
    fake.always("read", Fault::status(404, "SubscriptionNotFound"));
    let done = compared(&cloud, &state).await;
    assert_eq!((lines(&done.drifts).len(), left(&done).len()), (0, 5));
}

#[tokio::test]
async fn a_cloud_that_puts_off_or_refuses_leaves_everything_unchecked() {
    let (fake, cloud, state) = shop().await;
    let estate = estate().len();
    for (fault, why) in [
        (Fault::status(429, "RateLimiting"), "was put off: RateLimiting"),
        (Fault::status(403, "AuthorizationFailed"), "was refused: AuthorizationFailed"),
        (Fault::status(503, "ServerTimeout"), "failed with status 503: ServerTimeout"),
        (Fault::Text("{\"data\": [".to_owned()), "cannot be read: it is no whole JSON"),
        (
            Fault::Text("{\"data\": [], \"resultTruncated\": \"true\"}".to_owned()),
            "cannot be read: it is cut off",
        ),
    ] {
        fake.always("query", fault.clone());
        let done = compared(&cloud, &state).await;
        assert_eq!((done.drifts.len(), done.in_sync), (0, 0), "{fault:?}");
        assert!(done.undeclared.is_empty(), "{fault:?}");
        let left = left(&done);
        let failed = left.iter().filter(|line| line.contains(" failed: ")).collect::<Vec<_>>();
        // Each resource, and each type of which others were to be looked for.
        assert!(failed.len() > estate, "{left:#?}");
        assert!(failed.iter().all(|line| line.contains(why)), "{left:#?}");
    }
}

#[tokio::test]
async fn what_passes_is_tried_again_and_a_token_that_was_taken_back_is_renewed() {
    let (fake, cloud, state) = shop().await;
    fake.next("token", [Fault::status(503, "temporarily_unavailable")]);
    let later =
        |retry_after| Fault::Status { status: 429, code: "RateLimiting".to_owned(), retry_after };
    fake.next("query", [later(None), later(Some(0)), Fault::status(500, "InternalServerError")]);
    let done = compared(&cloud, &state).await;
    assert_eq!((lines(&done.drifts), left(&done)), (Vec::new(), vec![EVENTHUB.to_owned()]));
    fake.revoke();
    let done = compared(&cloud, &state).await;
    assert_eq!((lines(&done.drifts), left(&done)), (Vec::new(), vec![EVENTHUB.to_owned()]));
    // The one that failed, the first, the new one.
    assert_eq!(fake.asked("token"), 3);
}

#[tokio::test]
async fn who_is_not_known_reads_nothing() {
    let (fake, _, state) = shop().await;
    let (tenant, client, _) = FakeAzure::LOGIN;
    let (tenant, client) = (tenant.to_owned(), client.to_owned());
    let secret = Secret::from("canary-4711".to_owned());
    let wrong = Credentials::Secret { tenant: tenant.clone(), client: client.clone(), secret };
    let done = compared(&seen_by(&fake, wrong), &state).await;
    assert_eq!((done.drifts.len(), done.in_sync), (0, 0));
    let left = left(&done).join("\n");
    assert!(left.contains("a token of Microsoft Entra was refused: invalid_client"), "{left}");
    assert!(!left.contains("canary"), "{left}");
    // A cluster vouches for it.
    let token = Secret::from("a token of the cluster".to_owned());
    let federated = Credentials::Federated { tenant, client: client.clone(), token };
    let done = compared(&seen_by(&fake, federated), &state).await;
    assert_eq!(done.in_sync, estate().len() - 1);
    let evil = Credentials::Secret {
        tenant: "x/../y".to_owned(),
        client,
        secret: Secret::from(String::new()),
    };
    let made = Azure::new(outbound(), evil, &Place::default(), Arc::new(NewYear), unhurried());
    assert!(made.is_err());
}

#[tokio::test]
async fn ids_that_are_none_and_states_without_ids_are_not_checked() {
    let (_, cloud, _) = shop().await;
    let resources = json!([
        { "mode": "managed", "type": "azurerm_managed_disk", "name": "odd", "instances":
            [{ "attributes": { "id": format!("{SUBSCRIPTION}/x') or ('a' == 'a"), "name": "odd" } }] },
        { "mode": "managed", "type": "azurerm_managed_disk", "name": "none", "instances":
            [{ "attributes": { "name": "none" } }] },
    ]);
    let text = json!({ "version": 4, "resources": resources }).to_string();
    let done = compared(&cloud, &text).await;
    assert_eq!(done.drifts.len(), 0);
    let mut left = left(&done);
    left.sort();
    assert_eq!(
        left,
        [
            "azurerm_managed_disk.none never: the state does not say its id",
            "azurerm_managed_disk.odd never: its id is none of Azure Resource Manager's",
        ]
    );
}
