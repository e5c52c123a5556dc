//! What is told of the demo's hosts.

use serde_json::json;

use super::*;

fn estate() -> DemoEstateOut {
    DemoEstateOut {
        environment: json!({"slug": "prod"}),
        hosts: vec![DemoHostOut {
            name: "web-1".to_owned(),
            resource: serde_json::from_value(json!({
                "name": "web-1", "os_type": "linux", "owner_team": "shop", "tags": {"role": "web"},
            }))
            .unwrap(),
            host: "127.0.0.1".to_owned(),
            port: 15_000,
            username: "ops".to_owned(),
            host_key: "ssh-ed25519 AAAA".to_owned(),
            login_key: "a secret".to_owned(),
            guard_dir: "/var/guard".to_owned(),
            service: "shop".to_owned(),
        }],
        runbooks: Vec::new(),
        source: DemoSourceOut { name: "alertmanager".to_owned(), roles: Vec::new() },
        alert_rules: Vec::new(),
        alert: json!({"alerts": [{"labels": {}}, {"startsAt": "2000-01-01T00:00:00Z"}]}),
    }
}

#[test]
fn an_alert_begins_when_it_is_asked_for() {
    let mut alert = estate().alert;
    begins(&mut alert, "2026-03-01T10:00:00.5Z".parse().unwrap());
    let alerts = alert["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 2);
    assert!(alerts.iter().all(|one| one["startsAt"] == "2026-03-01T10:00:00.5Z"), "{alert}");
    assert_eq!(alerts[0]["labels"], json!({}));
    let mut odd = json!({"alerts": 1});
    begins(&mut odd, model::Timestamp::UNIX_EPOCH);
    assert_eq!(odd, json!({"alerts": 1}));
}

#[test]
fn what_is_kept_of_the_hosts_prints_no_key() {
    let printed = format!("{:?}", DemoEstate::of(estate()));
    assert!(printed.contains("web-1") && !printed.contains("a secret"), "{printed}");
}
