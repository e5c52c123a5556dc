//! Findings that others report.

use serde_json::{Value, json};

use super::harness::{Caller, Reply, Site, text};
use super::stage::Stage;

fn violation(fingerprint: &str) -> Value {
    json!({
        "kind": "violation", "fingerprint": fingerprint, "title": "accepts TLS 1.0",
        "reason": "TLS 1.2 is asked for", "severity": "high", "severity_score": 0.7,
    })
}

async fn import(caller: &Caller, lines: &[String]) -> Reply {
    let request = caller.request(reqwest::Method::POST, "/findings/import");
    let request = request.header("content-type", "application/x-ndjson").body(lines.join("\n"));
    Reply::of(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finding_reported_again_is_the_same_and_one_that_comes_back_is_open_again() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let mut report = violation("tls/shop-db");
    report["resource_id"] = json!(stage.resource);
    let first = stage.admin.post("/findings", &report).await.expect(200);
    assert_eq!(first["new"], true);
    report["severity"] = json!("critical");
    let again = stage.admin.post("/findings", &report).await.expect(200);
    assert_eq!((&again["id"], &again["new"]), (&first["id"], &json!(false)));
    let path = format!("/findings/{}", text(&first, "id"));
    let shown = stage.admin.get(&path).await.expect(200);
    assert_eq!((&shown["seen_count"], &shown["severity"]), (&json!(2), &json!("critical")));
    // The environment is that of the resource.
    let resource = stage.admin.get(&format!("/resources/{}", stage.resource)).await.expect(200);
    assert_eq!(shown["environment_id"], resource["environment_id"]);

    let fix = "UPDATE countersign.findings SET status = 'fixed', resolved_at = now()";
    sqlx::query(fix).execute(site.test.admin()).await.unwrap();
    // With the beginning that is known, it is the same one come back; without, a new one.
    report["began_at"] = shown["began_at"].clone();
    let back = stage.admin.post("/findings", &report).await.expect(200);
    assert_eq!((&back["id"], &back["new"]), (&first["id"], &json!(false)));
    let shown = stage.admin.get(&path).await.expect(200);
    assert_eq!((&shown["status"], &shown["resolved_at"]), (&json!("open"), &Value::Null));
    sqlx::query(fix).execute(site.test.admin()).await.unwrap();
    report.as_object_mut().unwrap().remove("began_at");
    let later = stage.admin.post("/findings", &report).await.expect(200);
    assert_eq!(later["new"], true);
    let open = stage.admin.get("/findings?kind=violation&status=open").await.expect(200);
    let ids: Vec<&Value> = open["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&later["id"]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drift_keeps_what_differs_now_and_is_seen_through_its_lens() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let drift = |declared: i64, actual: i64| {
        json!({
            "kind": "drift", "fingerprint": "aws_instance.web", "title": "web has another size",
            "severity": "medium", "confidence_score": 0.9,
            "drift": {
                "drift_type": "modified", "declared_state": {"size": declared},
                "actual_state": {"size": actual}, "risk_assessment": {"cost": 0.4},
                "changes": [{
                    "property_path": "$.size", "declared_value": declared, "actual_value": actual,
                    "change_type": "modified", "is_security_critical": false,
                }],
            },
        })
    };
    stage.admin.post("/findings", &drift(1, 2)).await.expect(200);
    let id = text(&stage.admin.post("/findings", &drift(1, 3)).await.expect(200), "id");
    let mut tx = site.test.db.tenant(stage.tenant).await.unwrap();
    let seen: Vec<Value> = sqlx::query_scalar(
        "SELECT to_jsonb(c) || to_jsonb(e)
         FROM lens_drift.drift_changes c JOIN lens_drift.drift_events e ON e.id = c.drift_event_id",
    )
    .fetch_all(tx.conn())
    .await
    .unwrap();
    assert_eq!(seen.len(), 1, "{seen:#?}");
    assert_eq!((&seen[0]["actual_value"], &seen[0]["drift_type"]), (&json!(3), &json!("modified")));
    assert_eq!(format!("fnd_{}", text(&seen[0], "drift_event_id")), id);
    assert_eq!(seen[0]["risk_assessment"], json!({"cost": 0.4}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_report_of_its_kind_is_refused_with_its_path() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let with = |field: &str, value: Value| {
        let mut report = violation("x");
        report[field] = value;
        report
    };
    for (report, path) in [
        (with("kind", json!("alert")), "/kind"),
        (with("kind", json!("drift")), "/drift"),
        (with("drift", json!({"drift_type": "added"})), "/drift"),
        (with("fingerprint", json!("")), "/fingerprint"),
        (with("severity", json!("bad")), "/severity"),
        (with("severity_score", json!(1.5)), "/severity_score"),
        (with("title", json!("a\u{0}b")), "/title"),
        (
            with("violation", json!({"policy_id": "ppl_00000000-0000-7000-8000-000000000001"})),
            "/violation/policy_id",
        ),
    ] {
        let refused = stage.admin.post("/findings", &report).await;
        assert_eq!(refused.status.as_u16(), 400, "{report} {:#}", refused.body);
        assert_eq!(refused.path(), path, "{report}");
    }
    assert_eq!(stage.admin.get("/findings").await.expect(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_keeps_every_good_line_and_names_every_bad_one() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let mut lines: Vec<String> =
        (0..2500).map(|n| violation(&format!("f{n}")).to_string()).collect();
    lines[3] = "{".to_owned();
    lines[700] = json!({"kind": "cost", "fingerprint": "c", "severity": "low"}).to_string();
    let mut foreign = violation("foreign");
    foreign["resource_id"] = json!(model::id::ResourceId::generate().to_string());
    lines[1700] = foreign.to_string();
    lines[2000] = String::new();
    lines[2400] = lines[2399].clone();
    let done = import(&stage.admin, &lines).await.expect(200);
    let errors = done["errors"].as_array().unwrap();
    let refused: Vec<i64> = errors.iter().map(|one| one["line"].as_i64().unwrap()).collect();
    assert_eq!(refused, [4, 701, 1701], "{done:#}");
    assert_eq!(
        (&done["lines"], &done["new"], &done["refused"]),
        (&json!(2500), &json!(2495), &json!(3))
    );
    let again = import(&stage.admin, &lines).await.expect(200);
    assert_eq!((&again["new"], &again["repeated"]), (&json!(0), &json!(2495)), "{again:#}");
    assert_eq!(site.count(stage.tenant, "findings").await, 2495);
    let wrong = stage.admin.post("/findings/import", &violation("x")).await;
    assert_eq!(wrong.status.as_u16(), 415);
    let long = format!("{{\"kind\": \"{}\"}}", "x".repeat(2 << 20));
    assert_eq!(import(&stage.admin, &[long]).await.status.as_u16(), 413);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_report_the_same_at_once_begin_it_once() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    // Those that say when it began wait for one another row by row, the others for all of them.
    for (known, began) in [(50, None), (100, Some("2026-03-01T10:00:00Z"))] {
        let line = |n: i64| {
            let mut report = violation(&format!("f{known}-{n}"));
            report["began_at"] = json!(began);
            report.to_string()
        };
        let lines: Vec<String> = (0..50).map(line).collect();
        let reversed: Vec<String> = lines.iter().rev().cloned().collect();
        let all = (0..8).map(|n| import(&stage.admin, if n % 2 == 0 { &lines } else { &reversed }));
        let new: i64 = futures::future::join_all(all)
            .await
            .into_iter()
            .map(|reply| reply.expect(200)["new"].as_i64().unwrap())
            .sum();
        assert_eq!(new, 50, "{began:?}");
        assert_eq!(site.count(stage.tenant, "findings").await, known);
    }
    let counts: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT seen_count FROM countersign.findings WHERE tenant_id = $1",
    )
    .bind(stage.tenant.uuid())
    .fetch_all(site.test.admin())
    .await
    .unwrap();
    assert_eq!(counts, [8]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finding_shows_what_its_kind_adds() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let given = json!({
        "iac_resource_id": null, "drift_type": "modified", "actual_state": {"size": 3},
        "declared_state": {"size": 1}, "risk_assessment": {"cost": "high"},
        "tags": {"team": "shop"}, "metadata": {"run": 7},
        "changes": [{
            "property_path": "$.size", "declared_value": 1, "actual_value": 3,
            "change_type": "modified", "is_security_critical": true,
        }],
    });
    let drift = json!({
        "kind": "drift", "fingerprint": "web", "title": "web has another size",
        "severity": "low", "drift": given,
    });
    let id = text(&stage.admin.post("/findings", &drift).await.expect(200), "id");
    let mut shown = stage.admin.get(&format!("/findings/{id}/detail")).await.expect(200);
    assert_eq!(shown["violation"], Value::Null);
    shown["drift"]["changes"][0].as_object_mut().unwrap().remove("created_at");
    // Nobody scanned, and nothing declares it.
    for none in ["iac_repository_id", "scan_id"] {
        let told = shown["drift"].as_object_mut().unwrap().remove(none);
        assert_eq!(told, Some(Value::Null), "{none}");
    }
    assert_eq!(shown["drift"], given);
    let mut wrong = drift.clone();
    wrong["drift"]["iac_resource_id"] = json!(model::id::DeclaredId::generate().to_string());
    let refused = stage.admin.post("/findings", &wrong).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (400, "invalid"), "{:#}", refused.body);
    let mut wrong = drift;
    wrong["drift"]["metadata"] = json!([1]);
    let refused = stage.admin.post("/findings", &wrong).await;
    assert_eq!((refused.status.as_u16(), refused.path()), (400, "/drift/metadata"));
    let nothing = format!("/findings/{}/detail", model::id::FindingId::generate());
    assert_eq!(stage.admin.get(&nothing).await.status.as_u16(), 404);
}
