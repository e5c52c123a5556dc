//! What a scan finds is told why, what belongs to it and what to do; the same again is told the same.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use judge::drift::features;
use learn::training::artifact::{Artifact, Link, Model, Origin};
use learn::training::logistic::Linear;
use model::actor::Role;
use model::id::{ScanId, TenantId};
use model::{Clock as _, Digest};
use reqwest::Method;
use serde_json::{Value, json};

use super::drift_scans::{Source, open_door};
use super::harness::{Caller, Reply, Site, SystemClock, text};
use super::stage::{alert, group};

/// So many minutes from now.
fn minutes(from_now: i64) -> String {
    (SystemClock.now() + SignedDuration::from_mins(from_now)).to_string()
}

async fn tell(caller: &Caller, events: &[Value]) -> Reply {
    let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
    let request = caller.request(Method::POST, "/change-events");
    let request = request.header("content-type", "application/x-ndjson").body(lines.join("\n"));
    Reply::of(request.send().await.unwrap()).await
}

/// An incident, somebody with a role for emergencies, and a commit of the same thing.
fn night() -> Vec<Value> {
    vec![
        json!({
            "kind": "incident", "occurred_at": minutes(-20), "external_system": "pagerduty",
            "external_id": "INC-42", "summary": "the shop is down", "severity": "critical",
            "resources": ["sg-1"],
        }),
        json!({
            "kind": "audit_event", "occurred_at": minutes(-8), "external_system": "cloudtrail",
            "external_id": "call-1", "actor": "arn:aws:iam::1:user/ada", "resources": ["sg-1"],
            "summary": "AuthorizeSecurityGroupIngress", "data": {
                "actor_type": "IAMUser", "role": "arn:aws:iam::1:role/break-glass",
                "user_agent": "console.amazonaws.com", "mfa": true, "sessionToken": "canary-9c1",
            },
        }),
        json!({
            "kind": "git_commit", "occurred_at": minutes(-60), "external_system": "git",
            "external_id": "3f2a91", "actor": "ada", "summary": "hotfix: open the door",
            "addresses": ["aws_security_group.web"], "paths": ["net/main.tf"],
        }),
    ]
}

/// Waits until the scan's job is done, and gives the drifts' findings.
async fn explained(site: &Site, source: &Source, scan: &str) -> Vec<Value> {
    let tenant = site.tenant();
    site.until("the scan's job", || async {
        let done: Option<bool> = sqlx::query_scalar(
            "SELECT done_at IS NOT NULL FROM countersign.jobs
             WHERE tenant_id = $1 AND subject = 'drift_scan.explain' AND idempotency_key = $2",
        )
        .bind(tenant.uuid())
        .bind(scan)
        .fetch_optional(site.test.admin())
        .await
        .unwrap();
        done.filter(|done| *done)
    })
    .await;
    let found = source.admin.get("/findings?kind=drift").await.expect(200);
    found["items"].as_array().unwrap().clone()
}

async fn scanned(site: &Site, source: &Source, drifts: &[Value]) -> Vec<Value> {
    let scan = source.begin().await;
    source.tell(&scan, drifts).await.expect(200);
    source.finish(&scan, json!([])).await;
    explained(site, source, &scan).await
}

pub(super) async fn of(caller: &Caller, what: &str, finding: &Value) -> Vec<Value> {
    let path = format!("/{what}?finding_id={}", text(finding, "id"));
    caller.get(&path).await.expect(200)["items"].as_array().unwrap().clone()
}

/// How many rows, and in which versions, stand in what explaining writes.
async fn written(site: &Site, tenant: TenantId) -> BTreeMap<&'static str, Option<String>> {
    let mut all = BTreeMap::new();
    for table in [
        "cause_analyses",
        "correlations",
        "operational_context",
        "recommendations",
        "ml_predictions",
    ] {
        let sql = format!(
            "SELECT string_agg(t.xmin::text || t.id::text, ',' ORDER BY t.id)
             FROM countersign.{table} t WHERE t.tenant_id = $1"
        );
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(tenant.uuid());
        all.insert(table, rows.fetch_one(site.test.admin()).await.unwrap());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_scan_finds_is_told_why_and_the_same_again_is_told_nothing_new() {
    let site = Site::start().await;
    let source = Source::set(&site).await;
    let admin = &source.admin;
    let told = tell(admin, &night()).await.expect(200);
    assert_eq!((&told["new"], &told["refused"]), (&json!(3), &json!(0)), "{told:#}");
    // The alert's instance is the resource.
    let sender = site.caller("am", &[Role::Operator]).await;
    let known =
        json!({"name": "am2", "kind": "alertmanager", "actor_id": sender.actor.id.to_string()});
    admin.post("/alert-sources", &known).await.expect(201);
    let mut fired = alert("ShopDown", "sg-1", 7, "x");
    fired["startsAt"] = json!(minutes(-19));
    sender.post("/hooks/alertmanager", &group(&[fired])).await.expect(200);

    let first = scanned(&site, &source, &[open_door()]).await;
    let cause = of(admin, "cause-analyses", &first[0]).await.remove(0);
    assert_eq!(cause["cause_category"], "emergency_fix", "{cause:#}");
    assert_eq!(cause["decided_by"]["by"], "rules");
    let factors = cause["contributing_factors"].as_array().unwrap();
    let factor = factors.iter().find(|one| one["id"] == "break_glass_in_incident");
    assert_eq!(factor.expect("the weightiest factor")["evidence"], "INC-42");
    assert_eq!(cause["user_attribution"]["actor"], "arn:aws:iam::1:user/ada");
    assert_eq!(cause["user_attribution"]["kind"], "human");
    assert_eq!(cause["temporal_context"]["exact"], true);

    let belongs = of(admin, "correlations", &first[0]).await;
    let offsets: BTreeMap<String, f64> = belongs
        .iter()
        .map(|one| (text(one, "correlation_type"), one["temporal_offset"].as_f64().unwrap()))
        .collect();
    let kinds: Vec<&str> = offsets.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["audit_event", "git_commit", "incident", "monitoring_alert"], "{offsets:?}");
    assert!(offsets["audit_event"].abs() < 1.0, "the drift is when the call was: {offsets:?}");
    assert!((offsets["incident"] + 720.0).abs() < 30.0, "{offsets:?}");
    let context = of(admin, "operational-contexts", &first[0]).await;
    assert_eq!(context[0]["context_type"], "incident");
    let advice = of(admin, "recommendations", &first[0]).await;
    assert_eq!((advice.len(), &advice[0]["status"]), (1, &json!("open")), "{advice:#?}");
    assert!(advice[0]["rule"].is_string() && advice[0]["recommended_by"] == "rule");

    // Behaviour 13: the same input again gives the same, and nothing is written.
    let before = written(&site, site.tenant()).await;
    let again = scanned(&site, &source, &[open_door()]).await;
    assert_eq!(written(&site, site.tenant()).await, before);
    assert_eq!(again[0]["severity_score"], first[0]["severity_score"]);
    let same = of(admin, "cause-analyses", &again[0]).await.remove(0);
    assert_eq!(same, cause);

    // What is told later belongs to it as well.
    let later = json!({
        "kind": "deployment", "occurred_at": minutes(-2), "external_system": "argocd",
        "external_id": "dep-7", "resources": ["sg-1"],
    });
    tell(admin, &[later]).await.expect(200);
    scanned(&site, &source, &[open_door()]).await;
    let belongs = of(admin, "correlations", &first[0]).await;
    assert_eq!(belongs.len(), 5, "{belongs:#?}");
    site.verified(site.tenant()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_kept_once_and_without_its_secrets() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let mut events = night();
    events.push(json!({"kind": "incident", "occurred_at": "yesterday"}));
    events.push(json!({
        "kind": "deployment", "occurred_at": minutes(-5), "external_system": "argocd",
        "external_id": "d", "environment_id": model::id::EnvironmentId::generate().to_string(),
    }));
    let told = tell(&admin, &events).await.expect(200);
    assert_eq!((&told["new"], &told["refused"]), (&json!(3), &json!(2)), "{told:#}");
    // Told again it is no second one; told otherwise it is as it was told last.
    let mut over = night();
    over[0]["ended_at"] = json!(minutes(-1));
    let told = tell(&admin, &over).await.expect(200);
    assert_eq!((&told["new"], &told["repeated"]), (&json!(0), &json!(3)), "{told:#}");
    let listed = admin.get("/change-events?sort=-occurred_at&limit=2").await.expect(200);
    let items = listed["items"].as_array().unwrap();
    assert_eq!((items.len(), text(&items[0], "external_id").as_str()), (2, "call-1"));
    assert!(!listed.to_string().contains("canary-9c1"), "{listed:#}");
    assert_eq!(items[0]["data"]["mfa"], true);
    assert!(items[1]["ended_at"].is_string(), "{listed:#}");
    let viewer = site.caller("eve", &[Role::Viewer]).await;
    tell(&viewer, &night()).await.expect(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persons_word_stands_above_evidence_and_only_a_person_says_it() {
    let site = Site::start().await;
    let source = Source::set(&site).await;
    let admin = &source.admin;
    let found = scanned(&site, &source, &[open_door()]).await;
    let path = format!("/findings/{}/cause", text(&found[0], "id"));
    let wanted = json!({"cause": "intentional_override", "comment": "until the sale is over"});
    let (person, _) = site.person_of(site.tenant(), "ann", &[Role::Operator]).await;
    let labelled = person.send(Method::PUT, &path, &wanted).await.expect(200);
    assert_eq!(labelled["cause"], "intentional_override");
    let program = site.caller("bot", &[Role::Operator]).await;
    if program.actor.kind != model::actor::ActorKind::User {
        let refused = program.send(Method::PUT, &path, &wanted).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (403, "not_a_person"));
    }
    let viewer = site.caller("eve", &[Role::Viewer]).await;
    viewer.send(Method::PUT, &path, &wanted).await.expect(403);
    let nowhere = format!("/findings/{}/cause", model::id::FindingId::generate());
    person.send(Method::PUT, &nowhere, &wanted).await.expect(404);
    // The next scan keeps the word, and says what follows from it.
    scanned(&site, &source, &[open_door()]).await;
    let cause = of(admin, "cause-analyses", &found[0]).await.remove(0);
    assert_eq!(cause["cause_category"], "intentional_override", "{cause:#}");
    assert_eq!(cause["decided_by"]["by"], "person");
    assert_eq!(cause["labelled_by"], person.actor.id.to_string());
    assert_eq!(cause["label_comment"], "until the sale is over");
    let advice = of(admin, "recommendations", &found[0]).await;
    assert_eq!(advice[0]["recommended_by"], "human");
    site.verified(site.tenant()).await;
}

/// A model that says the same whatever it is asked.
fn certain(of: &str) -> Artifact {
    let classes = ["automated_response", "configuration_error", "emergency_fix"];
    let bias = classes.map(|class| if class == of { 4.0 } else { 0.0 });
    let features: Vec<String> = features::names().map(str::to_owned).collect();
    let weights = vec![vec![0.0; features.len()]; classes.len()];
    let linear = Linear { weights, intercepts: bias.to_vec(), missing: None };
    Artifact {
        features,
        classes: classes.map(str::to_owned).to_vec(),
        model: Model::Logistic(linear),
        link: Link::Softmax,
        temperature: 1.0,
        frequencies: vec![1.0 / 3.0; 3],
        origin: Origin::Imported { sha256: Digest::of(b"elsewhere") },
    }
}

/// Lets a model decide whatever it was compared with.
async fn activated(site: &Site, artifact: &Artifact) {
    let text = artifact.write().unwrap();
    sqlx::query(
        "INSERT INTO countersign.ml_models (tenant_id, id, name, version, model_type, framework,
           features, target_classes, trained_at, artifact, artifact_sha256, comparison, is_active)
         VALUES ($1, $2, 'drift-cause', '1', 'classification', 'test', $3, $4, now(), $5,
           sha256(convert_to($5, 'UTF8')), '{}', true)",
    )
    .bind(site.tenant().uuid())
    .bind(model::id::ModelId::generate().uuid())
    .bind(json!(artifact.features))
    .bind(json!(artifact.classes))
    .bind(text)
    .execute(site.test.admin())
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_active_model_is_asked_and_what_it_said_is_kept() {
    let site = Site::start().await;
    let source = Source::set(&site).await;
    activated(&site, &certain("automated_response")).await;
    let found = scanned(&site, &source, &[open_door()]).await;
    let cause = of(&source.admin, "cause-analyses", &found[0]).await.remove(0);
    assert_eq!(cause["cause_category"], "automated_response", "{cause:#}");
    assert_eq!(cause["decided_by"]["by"], "model");
    assert_eq!(cause["decided_by"]["version"], "1");
    let said = of(&source.admin, "predictions", &found[0]).await;
    assert_eq!(said[0]["prediction_result"]["cause"], "automated_response", "{said:#?}");
    let before = written(&site, site.tenant()).await;
    scanned(&site, &source, &[open_door()]).await;
    assert_eq!(written(&site, site.tenant()).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drift_is_counted_day_by_day_and_summed_up() {
    let site = Site::start().await;
    let source = Source::set(&site).await;
    let admin = &source.admin;
    let mut other = open_door();
    other["address"] = json!("aws_security_group.db");
    let found = scanned(&site, &source, &[open_door(), other.clone()]).await;
    scanned(&site, &source, &[other]).await;
    let environment = text(&found[0], "environment_id");
    server::cycle::count(&site.test.db).await.unwrap();
    let path = format!("/analytics/drifts/summary?environment_id={environment}");
    let summed = admin.get(&path).await.expect(200);
    assert_eq!((&summed["total_drifts"], &summed["resolved_drifts"]), (&json!(2), &json!(1)));
    assert!(summed["avg_resolution_time"].as_f64().unwrap() < 600.0, "{summed:#}");
    assert_eq!(summed["severity_distribution"], json!({"critical": 2}));
    assert_eq!(summed["recommendation_adoption_rate"], 0.0);
    let causes: i64 = summed["top_cause_categories"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_i64)
        .sum();
    assert_eq!((causes, summed["items"][0]["total_drifts"].as_i64()), (2, Some(2)), "{summed:#}");
    let days = admin.get("/drift-metrics").await.expect(200);
    assert_eq!(days["items"].as_array().unwrap().len(), 1);
    // Counted again it is the same, and nothing is written.
    let before = site.rows(site.tenant()).await["drift_metrics_daily"].clone();
    server::cycle::count(&site.test.db).await.unwrap();
    assert_eq!(site.rows(site.tenant()).await["drift_metrics_daily"], before);
    let refused = admin.get("/analytics/drifts/summary?from=2030-01-01&to=2029-01-01").await;
    assert_eq!((refused.status.as_u16(), refused.path()), (400, "query.from"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_measured_by_what_people_labelled_that_day() {
    let site = Site::start().await;
    let source = Source::set(&site).await;
    activated(&site, &certain("automated_response")).await;
    let found = scanned(&site, &source, &[open_door()]).await;
    let path = format!("/findings/{}/cause", text(&found[0], "id"));
    let (person, _) = site.person_of(site.tenant(), "ann", &[Role::Operator]).await;
    person.send(Method::PUT, &path, &json!({"cause": "emergency_fix"})).await.expect(200);
    let today = SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    server::cycle::monitor::day(&site.test.db, site.tenant(), today).await.unwrap();
    let rows = source.admin.get("/cause-analyses/labelled").await.expect(200);
    let rows = match rows {
        // One line is one document.
        Value::Object(_) => rows.to_string(),
        other => other.as_str().unwrap().to_owned(),
    };
    let data = learn::training::ndjson::read(&rows).unwrap();
    assert_eq!((data.rows().len(), data.features().len()), (1, features::COUNT));
    assert!(data.classes().contains(&"emergency_fix".to_owned()), "{:?}", data.classes());
    let days = source.admin.get("/model-performance").await.expect(200);
    let day = &days["items"][0];
    assert_eq!((&day["labels"], &day["accuracy"]), (&json!(1), &json!(0.0)), "{days:#}");
    assert_eq!(day["confusion_matrix"][0][4], 1, "an emergency was called automated: {day:#}");
    assert_eq!(day["degraded"], Value::Null, "one label says nothing of that");
}

/// A tenant with so many drifts of one scan among so many events.
async fn crowded(site: &Site, source: &Source, drifts: i64, events: i64) -> ScanId {
    let scan: ScanId = source.begin().await.parse().unwrap();
    let repository: model::id::RepositoryId = source.repository.parse().unwrap();
    for statement in [
        "INSERT INTO countersign.findings (tenant_id, id, kind, environment_id, fingerprint,
           began_at, title, severity, severity_score)
         SELECT $1, gen_random_uuid(), 'drift', r.environment_id, 'crowd/' || n,
           now() - make_interval(secs => n % 3600), 'it differs', 'high', 0.7
         FROM generate_series(1, $2) AS n
         JOIN countersign.iac_repositories r ON r.tenant_id = $1 AND r.id = $4
         WHERE $5::uuid IS NOT NULL AND $3::bigint IS NOT NULL",
        "INSERT INTO countersign.drift_events (tenant_id, finding_id, drift_type, metadata,
           risk_assessment, iac_repository_id, scan_id)
         SELECT $1, f.id, 'modified', jsonb_build_object('type', 'aws_security_group', 'id',
             'sg-' || substr(f.fingerprint, 7), 'address', 'aws_security_group.a' || f.fingerprint),
           '{\"security\": 0.7}', $4, $5
         FROM countersign.findings f
         WHERE f.tenant_id = $1 AND f.fingerprint LIKE 'crowd/%' AND $2::bigint IS NOT NULL
           AND $3::bigint IS NOT NULL",
        "INSERT INTO countersign.drift_changes (tenant_id, id, finding_id, property_path,
           declared_value, actual_value, change_type, is_security_critical)
         SELECT $1, gen_random_uuid(), f.id, p.path, '[]', '[\"0.0.0.0/0\"]', 'modified', true
         FROM countersign.findings f, (VALUES ('ingress'), ('tags.owner')) AS p (path)
         WHERE f.tenant_id = $1 AND f.fingerprint LIKE 'crowd/%' AND $2::bigint IS NOT NULL
           AND $3::bigint IS NOT NULL AND $4::uuid IS NOT NULL AND $5::uuid IS NOT NULL",
        "INSERT INTO countersign.change_events (tenant_id, id, kind, occurred_at, external_system,
           external_id, actor, summary, resources, service)
         SELECT $1, (left(countersign.first_id_at(now())::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid,
           (ARRAY['audit_event', 'git_commit', 'deployment',
             'incident_ticket'])[1 + n % 4], now() - make_interval(secs => n % 7200), 'outside',
           'e-' || n, 'person-' || n, 'fix the door', ARRAY['sg-' || n % ($2 + 1)], NULL
         FROM generate_series(1, $3) AS n
         WHERE $4::uuid IS NOT NULL AND $5::uuid IS NOT NULL",
        "UPDATE countersign.drift_scans SET state = 'finished', finished_at = now()
         WHERE tenant_id = $1 AND id = $5 AND $2::bigint IS NOT NULL AND $3::bigint IS NOT NULL
           AND $4::uuid IS NOT NULL",
    ] {
        sqlx::query(statement)
            .bind(site.tenant().uuid())
            .bind(drifts)
            .bind(events)
            .bind(repository.uuid())
            .bind(scan.uuid())
            .execute(site.test.admin())
            .await
            .unwrap();
    }
    scan
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_scan_is_explained_in_batches_and_measured() {
    let number = |name: &str, otherwise: i64| {
        let given = std::env::var_os(name).and_then(|text| text.to_str()?.parse().ok());
        given.unwrap_or(otherwise)
    };
    let drifts = number("EXPLAIN_DRIFTS", 2_500);
    let events = number("EXPLAIN_EVENTS", 10_000);
    let site = Site::start().await;
    let source = Source::set(&site).await;
    let scan = crowded(&site, &source, drifts, events).await;
    let tenant = site.tenant();
    let began = std::time::Instant::now();
    let done = server::cycle::explain::explain_scan(&site.test.db, tenant, scan).await.unwrap();
    println!("{drifts} drifts, {events} events: {:.1} s, {done:?}", began.elapsed().as_secs_f64());
    assert_eq!((done.drifts, done.told), (usize::try_from(drifts).unwrap(), done.drifts));
    assert!(done.correlations > done.drifts, "{done:?}");
    assert_eq!(site.count(tenant, "cause_analyses").await, drifts);
    assert_eq!(site.count(tenant, "recommendations").await, drifts);
    let before = told(&site).await;
    let began = std::time::Instant::now();
    let again = server::cycle::explain::explain_scan(&site.test.db, tenant, scan).await.unwrap();
    println!("again: {:.1} s, {again:?}", began.elapsed().as_secs_f64());
    let after = told(&site).await;
    let differ = before.iter().zip(&after).find(|(one, other)| one != other);
    assert_eq!(differ, None);
    assert_eq!(again.told, 0);
}

/// What was told of each finding, with what belongs to it.
async fn told(site: &Site) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT (to_jsonb(c) - ARRAY['analyzed_at', 'id'])::text || coalesce((
           SELECT string_agg(k.external_id || ' ' || k.correlation_score::text, ',' ORDER BY k.external_id)
           FROM countersign.correlations k
           WHERE k.tenant_id = c.tenant_id AND k.finding_id = c.finding_id), '')
         FROM countersign.cause_analyses c WHERE c.tenant_id = $1 ORDER BY c.finding_id",
    )
    .bind(site.tenant().uuid())
    .fetch_all(site.test.admin())
    .await
    .unwrap()
}
