//! The lenses over what the loop left: every document finds its own words for it.

use std::collections::{BTreeMap, BTreeSet};

use db::TenantTx;
use model::id::TenantId;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::decisions::provision;
use super::harness::{Site, text};
use super::objects::make_all;
use super::stage::{REPAIR, Stage};

const CONTRACT: &str = include_str!("../../../../db/tests/it/contract/seed-model.json");

/// A row of the contract.
#[derive(Debug, Clone, Deserialize)]
struct Promise {
    system: String,
    object: String,
    field: String,
    #[serde(rename = "type")]
    kind: String,
    note: String,
}

impl Promise {
    fn shape(&self) -> bool {
        self.object.starts_with(|first: char| first.is_ascii_uppercase())
    }

    fn view(&self) -> String {
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
    fn words(&self) -> Option<BTreeSet<String>> {
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

async fn rows(tx: &mut TenantTx, statement: &str) -> Vec<Value> {
    let wrapped = format!("SELECT to_jsonb(o) FROM ({statement}) o");
    sqlx::query_scalar(AssertSqlSafe(wrapped))
        .fetch_all(tx.conn())
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"))
}

/// What has no endpoint of its own yet, written past the API: violations of every severity, two of
/// them of one resource, and a drift with its change.
async fn unserved(site: &Site, tenant: TenantId, resource: &str) {
    let resource: model::id::ResourceId = resource.parse().unwrap();
    let statements = [
        "UPDATE countersign.resources SET provider = 'aws' WHERE tenant_id = $1 AND id = $2",
        "INSERT INTO countersign.findings (tenant_id, id, kind, resource_id, fingerprint, began_at,
           title, reason, severity, status, first_seen, last_seen, severity_score,
           confidence_score)
         SELECT $1, one.id::uuid, one.kind, $2, one.id, now(), one.severity, 'it breaks a rule',
           one.severity, one.status, now(), timestamptz '2026-03-01' + one.minute * interval '1 min',
           0.7, 0.9
         FROM (VALUES
           ('00000000-0000-7000-8000-000000000001', 'violation', 'high', 'open', 1),
           ('00000000-0000-7000-8000-000000000002', 'violation', 'low', 'open', 5),
           ('00000000-0000-7000-8000-000000000003', 'violation', 'critical', 'open', 5),
           ('00000000-0000-7000-8000-000000000004', 'violation', 'medium', 'open', 5),
           ('00000000-0000-7000-8000-000000000005', 'violation', 'high', 'accepted', 9),
           ('00000000-0000-7000-8000-000000000006', 'drift', 'high', 'open', 5)
         ) AS one (id, kind, severity, status, minute)",
        "INSERT INTO countersign.violations (tenant_id, finding_id, policy_id)
         SELECT f.tenant_id, f.id, (SELECT min(p.id::text)::uuid FROM countersign.policies p
           WHERE p.tenant_id = $1 AND $2::uuid IS NOT NULL)
         FROM countersign.findings f WHERE f.tenant_id = $1 AND f.kind = 'violation'",
        "INSERT INTO countersign.drift_events (tenant_id, finding_id, drift_type, actual_state,
           declared_state)
         SELECT f.tenant_id, f.id, 'modified', '{\"size\": 2}', '{\"size\": 1}'
         FROM countersign.findings f
         WHERE f.tenant_id = $1 AND f.kind = 'drift' AND $2::uuid IS NOT NULL",
        "INSERT INTO countersign.drift_changes (tenant_id, id, finding_id, property_path,
           declared_value, actual_value, change_type)
         SELECT d.tenant_id, d.finding_id, d.finding_id, '$.size', '1', '2', 'modified'
         FROM countersign.drift_events d WHERE d.tenant_id = $1 AND $2::uuid IS NOT NULL",
    ];
    for statement in statements {
        sqlx::query(AssertSqlSafe(statement))
            .bind(tenant.uuid())
            .bind(resource.uuid())
            .execute(site.test.admin())
            .await
            .unwrap();
    }
}

/// A tenant that has been through everything there is.
async fn lived(site: &Site) -> Stage {
    let stage = Stage::set(site, site.tenant(), "staging").await;
    site.runbook(&stage.admin, REPAIR).await;
    stage.run_through(site, 1, "completed").await;
    make_all(site, &stage).await;
    let window = json!({
        "name": "w", "start_time": "2020-01-01T00:00:00", "end_time": "2020-01-01T00:01:00",
    });
    stage.admin.post("/blackout-windows", &window).await.expect(201);
    unserved(site, stage.tenant, &stage.resource).await;
    let cause = json!({
        "finding_id": "fnd_00000000-0000-7000-8000-000000000006",
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

/// The objects of the contract that nothing in the program makes yet.
const NOT_MADE_YET: &[&str] = &["carapulse EvidenceRequirement"];

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
    assert_eq!(empty, NOT_MADE_YET);
    assert!(words > 100, "{words}");
}

/// Path, lens, and the fields both have; `ours=theirs` where the document calls one otherwise.
const SAME: &[(&str, &str, &str)] = &[
    (
        "/resource-edges",
        "lens_assistant.context_edges",
        "id=edge_id from_id=from_node_id to_id=to_node_id relation",
    ),
    (
        "/iac-repositories",
        "lens_drift.iac_repositories",
        "id environment_id name repository_url branch tool last_sync_at",
    ),
    (
        "/correlations",
        "lens_drift.correlation_events",
        "id finding_id=drift_event_id correlation_type external_id external_system event_data
         correlation_score",
    ),
    (
        "/operational-contexts",
        "lens_drift.operational_context",
        "id finding_id=drift_event_id context_type context_data incident_impact",
    ),
    ("/costs", "lens_governance.cost_timeseries", "service day"),
    (
        "/provider-policies",
        "lens_governance.policies",
        "external_id=id name provider type effect scope status metadata",
    ),
    (
        "/recommendations",
        "lens_governance.recommendations",
        "id kind severity title description confidence",
    ),
    (
        "/recommendations",
        "lens_drift.recommendations",
        "id finding_id=drift_event_id recommendation_type priority confidence=confidence_score
         rationale implementation_steps risk_assessment estimated_effort implemented_at
         implementation_result",
    ),
    (
        "/models",
        "lens_drift.ml_models",
        "id name version model_type framework artifact_path features target_classes metrics
         deployed_at is_active metadata",
    ),
    (
        "/predictions",
        "lens_drift.ml_predictions",
        "id finding_id=drift_event_id ml_model_id prediction_result prediction_metadata",
    ),
    (
        "/model-performance",
        "lens_drift.ml_performance_metrics",
        "id ml_model_id evaluation_date training_data_size accuracy precision_macro recall_macro
         f1_score_macro confusion_matrix feature_importance cross_validation_scores",
    ),
    (
        "/iac-resources",
        "lens_drift.iac_resources",
        "id iac_repository_id resource_type address=resource_id declared_state",
    ),
    (
        "/notification-channels",
        "lens_drift.notification_channels",
        "id name channel_type configuration is_active",
    ),
    (
        "/notifications",
        "lens_drift.notifications",
        "id finding_id=drift_event_id channel_id notification_type subject message priority sent_at
         delivered_at read_at metadata",
    ),
    ("/exceptions", "lens_governance.exceptions", "id reason status"),
    (
        "/llm-providers",
        "lens_aiops.llm_providers",
        "id name provider_type model_id is_default config=config_json",
    ),
    (
        "/chat-sessions",
        "lens_aiops.chat_sessions",
        "id user_id finding_id=alert_id title llm_provider_id",
    ),
    (
        "/terminal-sessions",
        "lens_aiops.terminal_sessions",
        "id user_id connection_id=server_credential_id finding_id=alert_id recording_path",
    ),
    (
        "/drift-metrics",
        "lens_drift.drift_metrics_daily",
        "id environment_id date total_drifts resolved_drifts top_cause_categories
         severity_distribution recommendation_adoption_rate",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_the_same_through_the_api_and_through_its_lens() {
    let site = Site::start().await;
    let stage = lived(&site).await;
    let mut tx = site.test.db.tenant(stage.tenant).await.unwrap();
    let mut compared = 0;
    for (path, view, fields) in SAME {
        let shown = stage.admin.get(path).await.expect(200)["items"][0].clone();
        let seen = rows(&mut tx, &format!("SELECT * FROM {view}")).await;
        for field in fields.split_whitespace() {
            let (ours, theirs) = field.split_once('=').unwrap_or((field, field));
            assert_eq!(bare(&shown[ours]), seen[0][theirs], "{view}.{theirs}");
            compared += 1;
        }
    }
    println!("lenses: {compared} fields of records compared with the API");
}

/// An id as the database has it.
fn bare(value: &Value) -> Value {
    let id = value.as_str().and_then(|text| text.split_once('_')).map(|(_, id)| id);
    id.filter(|id| Uuid::try_parse(id).is_ok()).map_or_else(|| value.clone(), |id| json!(id))
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
    let ids: Vec<&Value> = actions.iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, [&bare(&asked["intent_id"])]);
    let mut stats = asked_in(&mut tx, "lens_aiops", EXECUTION_STATS).await;
    let mut ours = asked_in(&mut tx, "lens_aiops", "SELECT * FROM execution_stats").await;
    assert_eq!((stats.len(), ours.len()), (2, 2));
    // Another runbook never ran.
    for rows in [&mut stats, &mut ours] {
        rows.retain(|row| row["total_executions"] != 0);
    }
    assert_eq!((stats.len(), stats[0]["total_executions"].as_i64()), (1, Some(2)));
    assert_eq!(stats[0]["successful"], 1);
    // An average has as many digits as its query gives it.
    stats[0]["avg_duration_ms"] = ours[0]["avg_duration_ms"].clone();
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
