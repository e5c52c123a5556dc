//! Debian's Alertmanager, unchanged, delivering to our hook.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};

use model::actor::Role;
use serde_json::{Value, json};

use super::harness::{Site, text};

const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";

/// A running Alertmanager, ended by its own process id.
struct Alertmanager(Child);

impl Drop for Alertmanager {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Whether a program is there; where it must be, its absence is a failure.
fn installed() -> bool {
    let there = std::path::Path::new(ALERTMANAGER).exists();
    assert!(there || std::env::var_os("CI").is_none(), "{ALERTMANAGER} is missing");
    if !there {
        println!("not run: prometheus-alertmanager missing");
    }
    there
}

/// Starts one that sends everything to `url` with `key`; gives its own address.
fn start(dir: &std::path::Path, url: &str, key: &str) -> (Alertmanager, String) {
    let port = free_port();
    let key_file = dir.join("key");
    std::fs::write(&key_file, key).unwrap();
    let config = json!({
        "route": {
            "receiver": "countersign", "group_by": ["alertname"], "group_wait": "0s",
            "group_interval": "1s", "repeat_interval": "1h",
        },
        "receivers": [{
            "name": "countersign",
            "webhook_configs": [{
                "url": format!("{url}/api/v1/hooks/alertmanager"),
                "send_resolved": true,
                "http_config": {
                    "authorization": {"type": "Bearer", "credentials_file": key_file},
                },
            }],
        }],
    });
    // JSON is YAML.
    let file = dir.join("alertmanager.yml");
    std::fs::write(&file, config.to_string()).unwrap();
    let log = std::fs::File::create(dir.join("alertmanager.log")).unwrap();
    let child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", ALERTMANAGER])
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.path={}", dir.join("alertmanager").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    (Alertmanager(child), format!("http://127.0.0.1:{port}"))
}

async fn push(site: &Site, alertmanager: &str, alerts: &Value) {
    site.until("Alertmanager to take an alert", || async {
        let sent =
            site.http.post(format!("{alertmanager}/api/v2/alerts")).json(alerts).send().await;
        sent.is_ok_and(|answer| answer.status().is_success()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debians_alertmanager_delivers_to_the_hook() {
    if !installed() {
        return;
    }
    let site = Site::start().await;
    let ada = site.caller("ada", Role::ALL).await;
    let source = site.caller("alertmanager", &[Role::Operator]).await;
    let known = json!({
        "name": "debian", "kind": "alertmanager", "actor_id": source.actor.id.to_string(),
    });
    ada.post("/alert-sources", &known).await.expect(201);
    let (_running, alertmanager) = start(site.dir.path(), &site.url, &source.key);
    let labels = json!({
        "alertname": "DiskFull", "instance": "web-1:9100", "job": "node", "severity": "critical",
        "note": "$(reboot) \u{2028} \"quoted\" ünïcode",
    });
    let firing = json!([{
        "labels": labels, "annotations": {"summary": "it is full"},
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=1",
    }]);
    push(&site, &alertmanager, &firing).await;
    let ours = |status: &'static str| {
        let ada = &ada;
        move || async move {
            let alerts = ada.get("/alerts").await.expect(200);
            let alert = alerts["items"][0].clone();
            (alert["source_status"] == status).then_some(alert)
        }
    };
    let alert = site.until("the delivery", ours("firing")).await;
    assert_eq!(alert["labels"], labels);
    assert_eq!((&alert["alert_name"], &alert["source"]), (&json!("DiskFull"), &json!("debian")));
    assert_eq!((&alert["severity_raw"], &alert["job"]), (&json!("critical"), &json!("node")));
    assert_eq!(alert["annotations"]["summary"], "it is full");

    // It ends, and Alertmanager says so.
    let mut over = firing.clone();
    let began: model::Timestamp = text(&alert, "began_at").parse().unwrap();
    over[0]["startsAt"] = json!(began.to_string());
    over[0]["endsAt"] = json!((began + std::time::Duration::from_millis(1)).to_string());
    push(&site, &alertmanager, &over).await;
    let resolved = site.until("the resolution", ours("resolved")).await;
    assert_eq!(resolved["id"], alert["id"], "the same finding");
    assert_eq!(site.count(site.tenant(), "quarantined_alerts").await, 0);
}
