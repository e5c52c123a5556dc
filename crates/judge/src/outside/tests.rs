use serde_json::json;

use super::*;
use crate::action::Kind;
use model::level::Tier;

fn provision(resource: &str, size: &str) -> Outside {
    let body = json!({
        "resource_type": resource, "region": "eastus", "size": size, "environment": "staging",
    });
    Outside::ProvisionResource(serde_json::from_value(body).unwrap())
}

fn deploy(service: &str, scope: &str) -> DeployConfig {
    let body = json!({"service_name": service, "change_scope": scope, "deployment_target": "prod"});
    serde_json::from_value(body).unwrap()
}

fn grant(level: &str, scope: &str) -> Outside {
    let body = json!({"principal": "ci", "permission_level": level, "resource_scope": scope});
    Outside::GrantAccess(serde_json::from_value(body).unwrap())
}

fn generic(action: &str, targets: &[&str]) -> Generic {
    let body = json!({"action": action, "environment": "dev", "targets": targets});
    serde_json::from_value(body).unwrap()
}

/// Document 003's categories, and a row of the table for every type.
#[test]
fn every_type_has_a_row_of_the_table_and_the_documents_category() {
    let table = Table::shipped();
    for (resource, category) in [
        ("vm", Category::Compute),
        ("storage_account", Category::Database),
        ("database", Category::Database),
        ("kubernetes_cluster", Category::Default),
        ("function_app", Category::Default),
        ("virtual_network", Category::Network),
    ] {
        let classified = provision(resource, "x").classify(table);
        assert_eq!((classified.category, classified.known), (category, true), "{resource}");
        assert_eq!(classified.kind, Kind::Write);
    }
    for scope in ChangeScope::ALL {
        let of = |service| Outside::DeployConfig(deploy(service, scope.word())).classify(table);
        assert_eq!((of("checkout").category, of("checkout").known), (Category::Default, true));
        assert_eq!(of("orders-Database").category, Category::Database);
    }
    for (level, tier) in [("read", Tier::Medium), ("write", Tier::High), ("admin", Tier::Critical)]
    {
        let classified = grant(level, "/a").classify(table);
        assert_eq!((classified.category, classified.tier), (Category::Security, tier));
    }
    let unknown = Outside::Generic(generic("make it so", &["x"])).classify(table);
    assert_eq!((unknown.tier, unknown.known), (Tier::High, false));
}

#[test]
fn what_the_types_let_pass_is_refused_with_its_path() {
    let path = |intent: Outside| intent.check().unwrap_err().path;
    assert_eq!(path(provision("vm", "")), "/size");
    assert_eq!(path(Outside::DeployConfig(deploy("ab", "canary"))), "/service_name");
    for hint in [-0.1, 1.1, f64::NAN] {
        let hinted =
            DeployConfig { risk_level_hint: Some(Exact(hint)), ..deploy("checkout", "canary") };
        assert_eq!(path(Outside::DeployConfig(hinted)), "/risk_level_hint");
    }
    assert_eq!(path(grant("read", "no-slash")), "/resource_scope");
    assert_eq!(path(Outside::Generic(generic("a.b", &[]))), "/targets");
    assert_eq!(path(Outside::Generic(generic("a.b", &["x", ""]))), "/targets/1");
    assert!(grant("read", "/x").check().is_ok());
}

#[test]
fn how_far_it_reaches_comes_from_its_scope() {
    let scope = |intent: Outside| intent.blast(&intent.classify(Table::shipped())).scope;
    assert_eq!(scope(Outside::DeployConfig(deploy("checkout", "canary"))), BlastScope::Namespace);
    assert_eq!(scope(Outside::DeployConfig(deploy("checkout", "global"))), BlastScope::Account);
    assert_eq!(scope(grant("read", "/")), BlastScope::Account);
    assert_eq!(scope(grant("read", "/subscriptions/s")), BlastScope::Account);
    assert_eq!(scope(grant("read", "/subscriptions/s/resourceGroups/g")), BlastScope::Cluster);
    assert_eq!(
        scope(grant("read", "/subscriptions/s/resourceGroups/g/providers/p")),
        BlastScope::Namespace
    );
    // The same target twice is one target.
    let twice = Outside::Generic(generic("kubectl.scale", &["a", "a", "b"]));
    assert_eq!(twice.blast(&twice.classify(Table::shipped())).targets, 2);
    assert_eq!(grant("read", "/x").environment(), EnvironmentClass::Prod);
}

#[test]
fn a_claim_can_only_tighten() {
    let table = Table::shipped();
    let constants = ConstantSet::arf_1();
    let assess =
        |intent: &Outside| crate::risk::assess(&intent.risk(table, None, Vec::new(), constants));
    let plain = assess(&Outside::DeployConfig(deploy("checkout", "canary")));
    for hint in [0.0, 0.3, 1.0] {
        let hinted =
            DeployConfig { risk_level_hint: Some(Exact(hint)), ..deploy("checkout", "canary") };
        let hinted = assess(&Outside::DeployConfig(hinted));
        assert!(hinted.verdict >= plain.verdict && hinted.tier >= plain.tier, "{hint}");
        assert!(hinted.losses.approve.0 >= plain.losses.approve.0, "{hint}");
    }
    // Whoever says that there is a way back is not believed where the table knows of none.
    let reboot = Generic { irreversible: false, ..generic("host.reboot", &["a"]) };
    let reboot = Outside::Generic(reboot);
    assert!(reboot.blast(&reboot.classify(table)).irreversible);
    let scale = Generic { irreversible: true, ..generic("kubectl.scale", &["a"]) };
    let scale = Outside::Generic(scale);
    assert!(scale.blast(&scale.classify(table)).irreversible);
}

#[test]
fn the_price_is_the_higher_of_the_table_and_the_estimate_and_unknown_is_unknown() {
    let cost = |intent: &Outside, estimated: Option<&str>| {
        let estimated = estimated.map(|text| text.parse().unwrap());
        intent.facts(estimated, &[]).monthly_cost.map(|cost| cost.to_string())
    };
    let vm = provision("vm", "Standard_D4s_v3");
    assert_eq!(cost(&vm, None).as_deref(), Some("140"));
    assert_eq!(cost(&vm, Some("12.50")).as_deref(), Some("140"));
    assert_eq!(cost(&vm, Some("1000.5")).as_deref(), Some("1000.5"));
    assert_eq!(cost(&provision("vm", "huge"), None), None);
    assert_eq!(cost(&grant("read", "/x"), Some("3")).as_deref(), Some("3"));
}

#[test]
fn the_canonical_payload_has_no_floats() {
    let mut intent = deploy("checkout", "canary");
    intent.risk_level_hint = Some(Exact(0.25));
    intent.configuration =
        json!({"cpu": 0.5, "big": 18_446_744_073_709_551_615_u64, "deep": [{"x": 1.5e-3, "n": 7}]})
            .as_object()
            .unwrap()
            .clone();
    let payload = Outside::DeployConfig(intent).payload();
    assert_eq!(payload["risk_level_hint"], "0.25");
    assert_eq!(payload["configuration"]["cpu"], "0.5");
    assert_eq!(payload["configuration"]["deep"][0], json!({"x": "0.0015", "n": 7}));
    assert!(model::canonical::to_bytes(&payload).is_ok());
}
