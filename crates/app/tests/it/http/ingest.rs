//! Storms and broken deliveries over HTTP.

use std::time::Instant;

use futures::future::join_all;
use model::Clock as _;
use model::actor::Role;
use model::secret::Secret;
use sense::alert::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER, sign};
use serde_json::{Value, json};

use super::harness::{Caller, Reply, Site, SystemClock};
use super::stage::{REPAIR, Stage, alert, group};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_one_group_sent_25_times_is_one_finding_and_one_execution() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, REPAIR).await;
    let body = group(&[alert("Broken", "web-1", 1, "x")]);
    let at_once = join_all((0..20).map(|_| stage.source.post("/hooks/alertmanager", &body))).await;
    let mut receipts: Vec<Value> = at_once.into_iter().map(|reply| reply.expect(200)).collect();
    for _ in 0..5 {
        receipts.push(stage.source.post("/hooks/alertmanager", &body).await.expect(200));
    }
    let sum =
        |key: &str| receipts.iter().map(|receipt| receipt[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("new"), sum("repeated"), sum("quarantined")), (1, 24, 0));
    let finding = receipts[0]["finding_ids"][0].as_str().unwrap();
    stage.asked(&site, finding).await;
    let shown = stage.admin.get(&format!("/findings/{finding}")).await.expect(200);
    assert_eq!(shown["seen_count"], 25);
    assert_eq!(site.count(stage.tenant, "findings").await, 1);
    assert_eq!(site.count(stage.tenant, "intents").await, 1);
    assert_eq!(site.count(stage.tenant, "executions").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i2_ten_thousand_alerts_are_kept_and_a_second_pass_makes_no_row() {
    let site = Site::start().await;
    let source = site.caller("alertmanager", &[Role::Operator]).await;
    let groups: Vec<Value> = (0..20)
        .map(|number| {
            let alerts: Vec<Value> = (0..500)
                .map(|at| {
                    alert("Storm", &format!("host-{number}-{at}:9100"), number * 500 + at, "x")
                })
                .collect();
            group(&alerts)
        })
        .collect();
    let mut counts = Vec::new();
    for pass in ["first", "second"] {
        let began = Instant::now();
        let sent = join_all(groups.iter().map(|group| async {
            let began = Instant::now();
            let receipt = source.post("/hooks/alertmanager", group).await.expect(200);
            (receipt, began.elapsed())
        }))
        .await;
        let took = began.elapsed();
        let slowest = sent.iter().map(|(_, took)| *took).max().unwrap_or_default();
        let sum = |key: &str| sent.iter().map(|(one, _)| one[key].as_u64().unwrap()).sum::<u64>();
        println!("i2: {pass} pass of 10,000 alerts in {took:?}, slowest request {slowest:?}");
        counts.push((sum("new"), sum("repeated"), sum("quarantined")));
        let rows = (
            site.count(site.tenant(), "findings").await,
            site.count(site.tenant(), "alerts").await,
        );
        assert_eq!(rows, (10_000, 10_000), "after the {pass} pass");
    }
    assert_eq!(counts, [(10_000, 0, 0), (0, 10_000, 0)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i4_one_poisoned_alert_of_500_is_set_aside_and_the_rest_is_kept() {
    let site = Site::start().await;
    let caller = site.caller("ada", Role::ALL).await;
    let mut number = 0;
    let poisons = [
        ("labels", json!({"alertname": "a\0b"}), "/labels/alertname"),
        ("labels", json!("none"), "/labels"),
        ("labels", json!({"alertname": 7}), "/labels/alertname"),
        ("startsAt", json!("never"), "/startsAt"),
        ("status", json!("broken"), "/status"),
    ];
    for (key, value, path) in poisons {
        let mut alerts: Vec<Value> = Vec::new();
        for at in 0..500 {
            number += 1;
            alerts.push(alert("Group", &format!("h-{at}"), number, "x"));
        }
        alerts[250][key] = value;
        let receipt = caller.post("/hooks/alertmanager", &group(&alerts)).await.expect(200);
        assert_eq!((&receipt["new"], &receipt["quarantined"]), (&json!(499), &json!(1)), "{path}");
        let aside = caller.get("/quarantined-alerts?limit=1").await.expect(200);
        assert_eq!(aside["items"][0]["path"], format!("/alerts/250{path}"), "{aside:#}");
        assert!(aside["items"][0]["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    }
    assert_eq!(site.count(site.tenant(), "findings").await, 5 * 499);
}

/// A signed source and its key.
async fn signed_source(site: &Site, admin: &Caller, secret: &str) -> Caller {
    let source = site.caller("zabbix", &[Role::Operator]).await;
    let known = json!({
        "name": "zabbix", "kind": "generic", "actor_id": source.actor.id.to_string(),
        "mapping": {"name": "/check", "starts_at": "/since"}, "secret": secret,
    });
    admin.post("/alert-sources", &known).await.expect(201);
    source
}

async fn deliver(source: &Caller, headers: &[(&str, String)], body: &[u8]) -> Reply {
    let mut request = source.request(reqwest::Method::POST, "/hooks/generic/zabbix");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    Reply::of(request.body(body.to_vec()).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i5_only_a_signature_over_the_exact_bytes_under_a_current_secret_counts() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let (old, new, newer) = ("sixteen bytes, old", "sixteen bytes, new", "sixteen bytes, newer");
    let source = signed_source(&site, &admin, old).await;
    let body = br#"{"check":  "disk", "since": 1772359200}"#;
    let compact = br#"{"check":"disk","since":1772359200}"#;
    let by = |secret: &str, body: &[u8]| {
        (SIGNATURE_HEADER, sign(body, &Secret::from(secret.to_owned())))
    };
    let good = by(old, body).1;
    let sha1 = ("x-hub-signature", "sha1=0123456789abcdef0123456789abcdef01234567".to_owned());
    for (headers, expected) in [
        (vec![], 401),
        (vec![sha1.clone()], 401),
        (vec![(SIGNATURE_HEADER, "sha1=0123456789abcdef0123456789abcdef01234567".to_owned())], 401),
        (vec![by(new, body)], 401),
        (vec![by(old, compact)], 401),
        (vec![(SIGNATURE_HEADER, good.replace("sha256=", ""))], 401),
        (vec![(SIGNATURE_HEADER, good.get(..40).unwrap().to_owned())], 401),
        (vec![by(old, body)], 200),
    ] {
        let reply = deliver(&source, &headers, body).await;
        assert_eq!(reply.status.as_u16(), expected, "{headers:?}: {:#}", reply.body);
    }
    // Signed first, read second: what is not signed is not even looked at.
    let broken = deliver(&source, &[by(new, b"{")], b"{").await;
    assert_eq!(broken.status.as_u16(), 401);
    let broken = deliver(&source, &[by(old, b"{")], b"{").await;
    assert_eq!(broken.status.as_u16(), 400, "{:#}", broken.body);

    admin.post("/alert-sources/zabbix/secret", &json!({"secret": new})).await.expect(204);
    for secret in [old, new] {
        let reply = deliver(&source, &[by(secret, body)], body).await;
        assert_eq!(reply.status.as_u16(), 200, "{secret} while rotating");
    }
    let path = "/alert-sources/zabbix/previous-secret";
    admin.send(reqwest::Method::DELETE, path, &Value::Null).await.expect(204);
    assert_eq!(deliver(&source, &[by(old, body)], body).await.status.as_u16(), 401);
    assert_eq!(deliver(&source, &[by(new, body)], body).await.status.as_u16(), 200);
    assert_eq!(deliver(&source, &[by(newer, body)], body).await.status.as_u16(), 401);
    let stranger = site.caller("stranger", &[Role::Operator]).await;
    assert_eq!(deliver(&stranger, &[by(new, body)], body).await.status.as_u16(), 403);
    assert!(!TIMESTAMP_HEADER.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a6_a_captured_delivery_is_a_repetition_within_its_time_and_refused_after_it() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin, Role::Auditor]).await;
    let secret = Secret::from("sixteen bytes, new".to_owned());
    let source = site.caller("zabbix", &[Role::Operator]).await;
    let known = json!({
        "name": "zabbix", "kind": "generic", "actor_id": source.actor.id.to_string(),
        "mapping": {"name": "/check", "starts_at": "/since", "signed": "timestamp_and_body"},
        "secret": "sixteen bytes, new",
    });
    admin.post("/alert-sources", &known).await.expect(201);
    let body = br#"{"check": "disk", "since": 1772359200}"#;
    let now = SystemClock.now().as_second();
    // What was on the wire so many seconds ago.
    let captured = |ago_s: i64| {
        let at = (now - ago_s).to_string();
        let signature = sign(&[at.as_bytes(), b".", body].concat(), &secret);
        [(TIMESTAMP_HEADER, at), (SIGNATURE_HEADER, signature)]
    };
    let first = deliver(&source, &captured(0), body).await.expect(200);
    assert_eq!((&first["new"], &first["repeated"]), (&json!(1), &json!(0)));
    for _ in 0..2 {
        let again = deliver(&source, &captured(0), body).await.expect(200);
        assert_eq!((&again["new"], &again["repeated"]), (&json!(0), &json!(1)));
        assert_eq!(again["finding_ids"], first["finding_ids"]);
    }
    let [_, signature] = captured(360);
    for headers in [
        captured(360).to_vec(),
        // Its signature under a time of today's, and under none.
        vec![captured(0)[0].clone(), signature.clone()],
        vec![signature],
    ] {
        let refused = deliver(&source, &headers, body).await;
        assert_eq!(refused.status.as_u16(), 401, "{headers:?}: {:#}", refused.body);
    }
    assert_eq!(site.count(site.tenant(), "findings").await, 1);
    site.verified(site.tenant()).await;
    let told = admin.get("/audit/events?action=alerts.refused").await.expect(200);
    assert_eq!(told["items"].as_array().unwrap().len(), 3, "{told:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i6_order_repetition_and_impossible_times_are_borne() {
    let site = Site::start().await;
    let caller = site.caller("ada", Role::ALL).await;
    let firing = alert("Flap", "h-1", 1, "x");
    let mut resolved = firing.clone();
    resolved["status"] = json!("resolved");
    resolved["endsAt"] = json!("2026-03-01T11:00:00Z");
    // Resolved before firing: it stays resolved, in whatever order and however often they come.
    let receipt = caller.post("/hooks/alertmanager", &group(&[resolved.clone()])).await.expect(200);
    let finding = receipt["finding_ids"][0].as_str().unwrap().to_owned();
    for body in [&firing, &resolved, &firing, &firing] {
        caller.post("/hooks/alertmanager", &group(std::slice::from_ref(body))).await.expect(200);
    }
    let shown = caller.get(&format!("/alerts/{finding}")).await.expect(200);
    assert_eq!(shown["source_status"], "resolved", "{shown:#}");
    assert_eq!(site.count(site.tenant(), "findings").await, 1);
    assert_eq!(site.count(site.tenant(), "intents").await, 0);
    let impossible = [
        "infinity",
        "-infinity",
        "0044-03-15T00:00:00Z BC",
        "-0044-03-15T00:00:00Z",
        "now",
        "10000-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-03-01",
        "",
    ];
    for (at, time) in impossible.into_iter().enumerate() {
        let mut bad = alert("Time", "h-2", 100 + at, "x");
        bad["startsAt"] = json!(time);
        let good = alert("Time", "h-3", 200 + at, "x");
        let receipt = caller.post("/hooks/alertmanager", &group(&[bad, good])).await.expect(200);
        assert_eq!((&receipt["new"], &receipt["quarantined"]), (&json!(1), &json!(1)), "{time:?}");
    }
    let strange: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM countersign.findings
         WHERE NOT isfinite(began_at) OR began_at < '1970-01-01' OR began_at > '2100-01-01'",
    )
    .fetch_one(site.test.admin())
    .await
    .unwrap();
    assert_eq!(strange, 0);
}
