//! The lenses over what the loop left: every document finds its own words for it.

use std::collections::{BTreeMap, BTreeSet};

use super::conformance::bare;
use super::decisions::provision;
use super::harness::{Site, text};
use super::objects::make_all;
use super::stage::{REPAIR, Stage};
use db::TenantTx;
use model::id::TenantId;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

pub(super) const CONTRACT: &str = include_str!("../../../../db/tests/it/contract/seed-model.json");

/// A row of the contract.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Promise {
    pub(super) system: String,
    pub(super) object: String,
    pub(super) field: String,
    #[serde(rename = "type")]
    kind: String,
    note: String,
}

impl Promise {
    pub(super) fn shape(&self) -> bool {
        self.object.starts_with(|first: char| first.is_ascii_uppercase())
    }

    pub(super) fn view(&self) -> String {
        let lens = match self.system.as_str() {
            "carapulse" => "lens_assistant",
            "governance" => "lens_governance",
            "aiops" => "lens_aiops",
            "arf" => "lens_decision",
            _ => "lens_drift",
        };
        let mut name = String::new();
        for (at, letter) in self.object.char_indices() {
            if letter.is_ascii_uppercase() && at > 0 {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        if self.shape() { format!("{lens}.{name}_document") } else { format!("{lens}.{name}") }
    }

    /// The words the document allows: a CHECK, an `enum[…]`, or a list of quoted words.
    pub(super) fn words(&self) -> Option<BTreeSet<String>> {
        let lower = self.kind.to_lowercase();
        let listed = lower
            .split_once(" in (")
            .map(|(_, list)| list.split(')').next().unwrap_or_default())
            .or_else(|| lower.strip_prefix("enum[").map(|list| list.trim_end_matches(']')));
        if let Some(list) = listed {
            return Some(
                list.split(',').map(|word| word.trim().trim_matches('\'').to_owned()).collect(),
            );
        }
        let examples =
            self.note.contains("e.g.") || self.field == "severity" || self.object == "users";
        let quoted: BTreeSet<String> =
            self.note.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
        let plain =
            quoted.iter().all(|word| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        (self.system == "aiops"
            && quoted.len() > 1
            && plain
            && !examples
            && !self.note.contains("default"))
        .then_some(quoted)
    }
}

pub(super) async fn rows(tx: &mut TenantTx, statement: &str) -> Vec<Value> {
    let wrapped = format!("SELECT to_jsonb(o) FROM ({statement}) o");
    sqlx::query_scalar(AssertSqlSafe(wrapped))
        .fetch_all(tx.conn())
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"))
}

/// A runbook that says everything a runbook can say.
pub(super) const WHOLE: &str = r#"
name: everything
description: says everything a runbook can say
category: service-management
mode: manual
status: active
target_os: linux
timeout_seconds: 90
max_retries: 2
retry_delay_seconds: 7
rate_limit_count: 3
rate_limit_window_seconds: 600
requires_approval: true
approval_roles: [approver]
allowed_servers:
  names: ["web-*"]
environment_vars:
  GREETING: hello
config:
  max_parallel: 2
steps:
  - name: Look
    description: looks first
    command: echo {{ GREETING }}
    expected_exit_codes: [0, 3]
    timeout_seconds: 11
    continue_on_failure: true
    condition: GREETING == "hello"
    retry_count: 1
    retry_delay_seconds: 2
    capture_output: false
    sensitive: true
    semantics: read
    action: host.read
    params:
      GREETING:
        pattern: "[a-z]{1,20}"
    evidence:
      - type: promql
        query: up{job="web"}
  - name: Reload
    command: echo reload
    rollback_command: echo back
    action: host.service.reload
  - name: Verify
    command: uptime
    semantics: read
    stage: verify
    action: host.service.status
triggers:
  - name: nightly
    priority: 7
    alert_name_pattern: "Nightly*"
    severity_pattern: critical
    source_pattern: am
    labels_match:
      team: shop
    time_window_start: "22:00"
    time_window_end: "04:30"
    timezone: Europe/Berlin
    enabled: false
    cooldown_seconds: 900
"#;

/// Violations of every severity and a drift with its change, reported of one resource.
async fn reported(stage: &Stage) {
    let policies = stage.admin.get("/provider-policies").await.expect(200);
    let declared = stage.admin.get("/iac-resources").await.expect(200);
    for (number, severity) in ["high", "low", "critical", "medium", "high"].iter().enumerate() {
        let violation = json!({
            "kind": "violation", "fingerprint": format!("rule-{number}"), "severity": severity,
            "title": severity, "reason": "it breaks a rule", "resource_id": stage.resource,
            "severity_score": 0.7, "confidence_score": 0.9,
            "violation": {"policy_id": policies["items"][0]["id"]},
        });
        stage.admin.post("/findings", &violation).await.expect(200);
    }
    let drift = json!({
        "kind": "drift", "fingerprint": "web", "severity": "high", "title": "another size",
        "reason": "somebody changed it by hand", "resource_id": stage.resource,
        "severity_score": 0.6, "confidence_score": 0.8,
        "drift": {
            "iac_resource_id": declared["items"][0]["id"], "drift_type": "modified",
            "actual_state": {"size": 2}, "declared_state": {"size": 1},
            "risk_assessment": {"cost": "high"}, "tags": {"team": "shop"},
            "metadata": {"run": 7},
            "changes": [{
                "property_path": "$.size", "declared_value": 1, "actual_value": 2,
                "change_type": "modified", "is_security_critical": true,
            }],
        },
    });
    stage.admin.post("/findings", &drift).await.expect(200);
}

/// What only time and exceptions bring about: when each was last seen, and one that is accepted.
async fn aged(site: &Site, tenant: TenantId) {
    let statement = "UPDATE countersign.findings f
         SET last_seen = timestamptz '2026-03-01' + age.minute * interval '1 min',
           status = age.status
         FROM (VALUES ('rule-0', 1, 'open'), ('rule-1', 5, 'open'), ('rule-2', 5, 'open'),
           ('rule-3', 5, 'open'), ('rule-4', 9, 'accepted'), ('web', 5, 'open')
         ) AS age (fingerprint, minute, status)
         WHERE f.tenant_id = $1 AND f.fingerprint = age.fingerprint";
    sqlx::query(statement).bind(tenant.uuid()).execute(site.test.admin()).await.unwrap();
}

/// A leave to break a policy as it was kept before anybody decided about one: without an approval.
async fn excepted(site: &Site, stage: &Stage) {
    sqlx::query(
        "INSERT INTO countersign.exceptions
           (tenant_id, id, policy_id, resource_id, reason, expires_at, created_by)
         SELECT p.tenant_id, gen_random_uuid(), p.id, r.id, 'until it is replaced',
           clock_timestamp() + interval '30 days', $2
         FROM countersign.policies p
         JOIN countersign.resources r ON r.tenant_id = p.tenant_id
         WHERE p.tenant_id = $1
         LIMIT 1",
    )
    .bind(stage.tenant.uuid())
    .bind(stage.admin.actor.id.uuid())
    .execute(site.test.admin())
    .await
    .unwrap();
}

/// A tenant that has been through everything there is.
pub(super) async fn lived(site: &Site) -> Stage {
    let stage = Stage::set(site, site.tenant(), "staging").await;
    site.runbook(&stage.admin, REPAIR).await;
    stage.run_through(site, 1, "completed").await;
    make_all(site, &stage).await;
    excepted(site, &stage).await;
    let window = json!({
        "name": "w", "start_time": "2020-01-01T00:00:00", "end_time": "2020-01-01T00:01:00",
    });
    stage.admin.post("/blackout-windows", &window).await.expect(201);
    let mut server = stage.admin.get(&format!("/resources/{}", stage.resource)).await.expect(200);
    let given = server.as_object_mut().unwrap();
    given
        .retain(|key, _| !["id", "created_at", "updated_at", "created_by"].contains(&key.as_str()));
    given.insert("provider".to_owned(), json!("aws"));
    let path = format!("/resources/{}", stage.resource);
    stage.admin.send(Method::PUT, &path, &server).await.expect(200);
    reported(&stage).await;
    aged(site, stage.tenant).await;
    let drift = stage.admin.get("/findings?kind=drift").await.expect(200);
    let cause = json!({
        "finding_id": drift["items"][0]["id"],
        "cause_category": "intentional_override", "confidence_score": 0.9,
    });
    stage.admin.post("/cause-analyses", &cause).await.expect(201);
    let chats = stage.admin.get("/chat-sessions").await.expect(200);
    let path = format!("/chat-sessions/{}/messages", text(&chats["items"][0], "id"));
    let said = json!({"content": "What changed before ten?"});
    stage.admin.post(&path, &said).await.expect(201);
    let setting = json!({"value": {"theme": "dark"}});
    stage.admin.send(Method::PUT, "/settings/gateway", &setting).await.expect(200);
    let ada =
        json!({"username": "ada@example.com", "roles": ["admin"], "email": "ada@example.com"});
    let ada = stage.admin.post("/users", &ada).await.expect(201);
    stage.session(site, &ada).await;
    // An outside system asks, acts, and says what came of it.
    let advised = stage.source.post("/decisions/evaluate", &provision("lens")).await.expect(200);
    let outcome = format!("/decisions/{}/outcome", text(&advised, "id"));
    stage.source.post(&outcome, &json!({"success": true, "notes": "done"})).await.expect(200);
    // Asked for, and waiting for a person.
    let runbook = site.runbook(&stage.admin, WHOLE).await;
    let run = json!({"targets": ["web-1"]});
    stage.admin.post(&format!("/runbooks/{runbook}/run"), &run).await.expect(202);
    site.verified(stage.tenant).await;
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_decision_lens_shows_advice_its_use_and_what_came_of_it() {
    let site = Site::start().await;
    let stage = lived(&site).await;
    let mut tx = site.test.db.tenant(stage.tenant).await.unwrap();
    let intent = "SELECT i.*, o.success, o.recorded_by FROM lens_decision.intents i
         JOIN lens_decision.intent_outcomes o ON o.intent_id = i.id
         WHERE i.deterministic_id = 'lens'";
    let intent = rows(&mut tx, intent).await.remove(0);
    assert_eq!(
        (&intent["intent_type"], &intent["environment"]),
        (&json!("provision_resource"), &json!("staging"))
    );
    assert_eq!(intent["oss_payload"]["payload"]["region"], "westeurope");
    assert_eq!(
        (&intent["success"], &intent["recorded_by"]),
        (&json!(true), &json!("alertmanager"))
    );
    assert!(intent["evaluated_at"].is_string() && intent["risk_score"].is_string());
    let logged = "SELECT * FROM lens_decision.decision_audit_log WHERE deterministic_id = 'lens'";
    let logged = rows(&mut tx, logged).await.remove(0);
    assert_eq!(logged["action"], "escalate");
    assert!(["justification", "signature", "trace_id"].iter().all(|key| logged[key].is_string()));
    let usage = rows(&mut tx, "SELECT * FROM lens_decision.usage_logs").await.remove(0);
    assert_eq!((&usage["endpoint"], &usage["units"]), (&json!("decisions.evaluate"), &json!(1)));
    assert!(usage["api_key"].is_string());
    // Advice is nobody's action, plan or run.
    let actions = rows(&mut tx, "SELECT * FROM lens_governance.actions").await;
    assert!(actions.iter().all(|action| action["type"] == "runbook.run"), "{actions:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_lens_shows_what_the_loop_left_in_its_documents_words() {
    let site = Site::start().await;
    let stage = lived(&site).await;
    let mut tx = site.test.db.tenant(stage.tenant).await.unwrap();
    let promises: Vec<Promise> = serde_json::from_str(CONTRACT).unwrap();
    let mut objects: BTreeMap<(String, String), Vec<&Promise>> = BTreeMap::new();
    for promise in promises.iter().filter(|promise| !promise.field.is_empty()) {
        let name = format!("{} {}", promise.system, promise.object);
        objects.entry((name, promise.view())).or_default().push(promise);
    }
    let (mut empty, mut words, mut keys) = (Vec::new(), 0, 0);
    for ((name, view), fields) in &objects {
        let found = rows(&mut tx, &format!("SELECT * FROM {view}")).await;
        if found.is_empty() {
            empty.push(name.as_str());
        }
        for row in &found {
            let row = if fields[0].shape() { &row["document"] } else { row };
            let there: BTreeSet<&str> = row
                .as_object()
                .unwrap_or_else(|| panic!("{view}: {row}"))
                .keys()
                .map(String::as_str)
                .collect();
            let promised: BTreeSet<&str> = fields.iter().map(|one| one.field.as_str()).collect();
            assert_eq!(there, promised, "{view}");
            keys += there.len();
            for field in fields {
                let Some(known) = field.words() else { continue };
                let shown = &row[&field.field];
                let fits =
                    shown.is_null() || shown.as_str().is_some_and(|word| known.contains(word));
                assert!(fits, "{view}.{} says {shown}, the document knows {known:?}", field.field);
                words += 1;
            }
        }
    }
    println!("lenses: {} objects, {keys} fields and {words} words of records read", objects.len());
    assert_eq!(empty, [""; 0]);
    assert!(words > 100, "{words}");
}

/// Document 001, section 3.5, as it stands there.
const LATEST_OPEN_VIOLATIONS: &str = "
select v.* from violations v
join (
  select resource_id, max(last_seen) as last_seen
  from violations where status='open' and tenant_id=$1
  group by resource_id
) x on x.resource_id = v.resource_id and x.last_seen = v.last_seen
where v.tenant_id = $1
order by v.severity desc";

/// The same.
const ACTIONS_NEEDING_APPROVAL: &str = "
select * from actions where tenant_id=$1 and status='preflight' and (params->>'requires_approval')='true'";

/// Document 002, section 7, as it stands there.
const EXECUTION_STATS: &str = "
SELECT
    r.id AS runbook_id,
    r.name AS runbook_name,
    COUNT(e.id) AS total_executions,
    COUNT(*) FILTER (WHERE e.status = 'completed') AS successful,
    COUNT(*) FILTER (WHERE e.status = 'failed') AS failed,
    AVG(e.duration_ms) AS avg_duration_ms,
    MAX(e.started_at) AS last_execution
FROM runbooks r
LEFT JOIN runbook_executions e ON r.id = e.runbook_id
GROUP BY r.id, r.name";

async fn asked_in(tx: &mut TenantTx, lens: &str, statement: &str) -> Vec<Value> {
    let tenant = tx.tenant();
    sqlx::query(AssertSqlSafe(format!("SET LOCAL search_path = {lens}")))
        .execute(tx.conn())
        .await
        .unwrap();
    let literal = statement.replace("$1", &format!("'{}'::uuid", tenant.uuid()));
    rows(tx, &literal).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documents_own_queries_run_as_they_stand_and_give_the_right_answer() {
    let site = Site::start().await;
    let stage = lived(&site).await;
    let asked = stage.fire(super::stage::alert("Broken", "web-1", 77, "x")).await;
    let asked = stage.asked(&site, &asked).await;
    let mut tx = site.test.db.tenant(stage.tenant).await.unwrap();
    let violations = asked_in(&mut tx, "lens_governance", LATEST_OPEN_VIOLATIONS).await;
    let severities: Vec<String> = violations.iter().map(|row| text(row, "severity")).collect();
    // By severity, not by letters; the older one and the accepted one are not among them.
    assert_eq!(severities, ["critical", "medium", "low"]);
    let actions = asked_in(&mut tx, "lens_governance", ACTIONS_NEEDING_APPROVAL).await;
    let ids: BTreeSet<String> = actions.iter().map(|row| text(row, "id")).collect();
    let waiting = stage.admin.get("/executions?state=awaiting_approval").await.expect(200);
    let waiting = waiting["items"].as_array().unwrap().iter().map(|one| text(one, "intent_id"));
    let waiting: BTreeSet<String> = waiting.map(|id| bare(&id).to_owned()).collect();
    assert_eq!(ids, waiting);
    assert!(ids.len() == 2 && ids.contains(bare(&text(&asked, "intent_id"))), "{ids:?}");
    let mut stats = asked_in(&mut tx, "lens_aiops", EXECUTION_STATS).await;
    let mut ours = asked_in(&mut tx, "lens_aiops", "SELECT * FROM execution_stats").await;
    assert_eq!((stats.len(), ours.len()), (3, 3));
    for rows in [&mut stats, &mut ours] {
        rows.sort_by_key(|row| text(row, "runbook_name"));
    }
    let counted: Vec<(String, Option<i64>, Option<i64>)> = stats
        .iter()
        .map(|row| {
            let count = |key: &str| row[key].as_i64();
            (text(row, "runbook_name"), count("total_executions"), count("successful"))
        })
        .collect();
    let counted: Vec<(&str, Option<i64>, Option<i64>)> =
        counted.iter().map(|(name, all, good)| (name.as_str(), *all, *good)).collect();
    assert_eq!(
        counted,
        [
            ("by the clock", Some(0), Some(0)),
            ("everything", Some(1), Some(0)),
            ("repair", Some(2), Some(1)),
        ]
    );
    // An average has as many digits as its query gives it.
    for (stat, our) in stats.iter_mut().zip(&ours) {
        let (theirs, average) = (stat["avg_duration_ms"].take(), &our["avg_duration_ms"]);
        let off = theirs.as_f64().unwrap_or(-1.0) - average.as_f64().unwrap_or(-1.0);
        assert!(off.abs() < 0.001, "{theirs} {average}");
        stat["avg_duration_ms"] = average.clone();
    }
    assert_eq!(stats, ours);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t2_a_lens_shows_one_tenant_nothing_of_another() {
    let site = Site::start().await;
    lived(&site).await;
    let other = site.another_tenant().await;
    let mut tx = site.test.db.tenant(other).await.unwrap();
    let views: Vec<String> = sqlx::query_scalar(
        "SELECT table_schema || '.' || table_name FROM information_schema.views
         WHERE table_schema LIKE 'lens\\_%'",
    )
    .fetch_all(tx.conn())
    .await
    .unwrap();
    assert!(views.len() > 80, "{}", views.len());
    let theirs = site.tenant().uuid().to_string();
    for view in views {
        let seen = rows(&mut tx, &format!("SELECT * FROM {view}")).await;
        let shown = Value::Array(seen.clone()).to_string();
        assert!(!shown.contains(&theirs), "{view}: {shown}");
        // The other tenant has its own actors, and nothing else.
        let own = ["actor", "tenants", "organizations", "schema_version", "config"];
        assert!(seen.is_empty() || own.iter().any(|word| view.contains(word)), "{view}: {shown}");
    }
}
