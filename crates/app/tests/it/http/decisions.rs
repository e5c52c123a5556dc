//! The decision API: an outside system asks, acts itself, and says what came of it.

use std::collections::BTreeSet;

use futures::future::join_all;
use judge::decimal::Decimal;
use model::actor::Role;
use prove::decision::{DecisionSignature, verify_decision};
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Caller, Site, text};
use super::stage::{REPAIR, Stage};

pub(crate) fn provision(id: &str) -> Value {
    json!({
        "deterministic_id": id, "intent_type": "provision_resource",
        "payload": {
            "resource_type": "vm", "region": "westeurope", "size": "Standard_D2s_v3",
            "environment": "staging", "configuration": {"cpu": 0.5},
        },
        "requester": "ada@example.com", "provenance": {"agent": "planner"},
        "estimated_cost": "70.00",
    })
}

fn deploy(id: &str, service: &str) -> Value {
    json!({
        "deterministic_id": id, "intent_type": "deploy_config",
        "payload": {
            "service_name": service, "change_scope": "canary", "deployment_target": "prod",
            "risk_level_hint": 0.2, "configuration": {"flag": true},
        },
    })
}

pub(super) fn grant(id: &str) -> Value {
    json!({
        "deterministic_id": id, "intent_type": "grant_access",
        "payload": {
            "principal": "ci@example.com", "permission_level": "admin",
            "resource_scope": "/subscriptions/s1", "justification": "a release",
        },
    })
}

pub(super) fn generic(id: &str, action: &str) -> Value {
    json!({
        "deterministic_id": id, "intent_type": "generic",
        "payload": {"action": action, "environment": "dev", "targets": ["checkout"]},
    })
}

pub(super) const EVALUATE: &str = "/decisions/evaluate";

/// The bytes of an answer that must be 200.
pub(super) async fn bytes(caller: &Caller, path: &str, body: &Value) -> Vec<u8> {
    let reply = caller.request(Method::POST, path).json(body).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 200);
    reply.bytes().await.unwrap().to_vec()
}

pub(super) async fn asker(site: &Site) -> Caller {
    site.caller("planner", &[Role::Operator]).await
}

/// The parts of a score, added and multiplied with nothing but decimal digits.
pub(super) fn assert_exact(decision: &Value) {
    let parts = &decision["components"];
    let of = |value: &Value| value.as_str().unwrap().parse::<Decimal>().unwrap();
    let score = of(&decision["risk_score"]);
    assert_eq!(of(&parts["score"]), score);
    let product = of(&parts["mean"]).times(of(&parts["context_factor"])).unwrap();
    assert_eq!(product.minus(of(&parts["cut"])).unwrap(), score, "{parts:#}");
    let terms = &parts["terms"];
    let sum = of(&terms["posterior"]).plus(of(&terms["memory"])).unwrap();
    assert_eq!(sum.plus(of(&terms["context"])).unwrap(), score, "{parts:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_of_intent_is_judged_and_signed_and_nothing_is_started() {
    let site = Site::start().await;
    let asker = asker(&site).await;
    let (mut ids, mut categories) = (Vec::new(), Vec::new());
    let asked = [
        (provision("p-1"), "escalate", "medium"),
        (deploy("d-1", "checkout"), "escalate", "high"),
        (deploy("d-2", "orders database"), "escalate", "high"),
        (grant("g-1"), "escalate", "critical"),
        (generic("x-1", "kubectl.get"), "approve", "read"),
        (generic("x-2", "make it so"), "escalate", "high"),
    ];
    for (body, action, tier) in &asked {
        let decision = asker.post(EVALUATE, body).await.expect(200);
        assert_eq!((&decision["action"], &decision["purpose"]), (&json!(action), &json!("advice")));
        assert_eq!(decision["record"]["risk"]["assessment"]["tier"], *tier, "{body:#}");
        assert_exact(&decision);
        let canon = model::canonical::to_bytes(&decision["record"]).unwrap();
        let signed = DecisionSignature {
            signature: text(&decision, "signature"),
            key_fingerprint: text(&decision, "key_fingerprint").parse().unwrap(),
        };
        verify_decision(&canon, &signed, site.decision_keys()).unwrap();
        let id = text(&decision, "id");
        assert_eq!(asker.get(&format!("/decisions/{id}")).await.expect(200), decision);
        categories.push(decision["record"]["risk"]["input"]["category"].clone());
        ids.push(id);
    }
    assert_eq!(
        categories,
        ["compute", "default", "database", "security", "compute", "default"].map(Value::from)
    );
    for table in ["plans", "plan_steps", "approvals", "executions", "jobs", "rate_slots"] {
        assert_eq!(site.count(site.tenant(), table).await, 0, "{table}");
    }
    let intents = asker.get("/intents").await.expect(200);
    let purposes: BTreeSet<_> =
        intents["items"].as_array().unwrap().iter().map(|one| text(one, "purpose")).collect();
    assert_eq!(purposes, BTreeSet::from(["advice".to_owned()]));

    // The database itself has no place for a plan of advice.
    let refused = sqlx::query(
        "INSERT INTO countersign.plans (tenant_id, id, intent_id, plan_hash, document, summary,
           blast_radius, author_actor_id)
         SELECT tenant_id, gen_random_uuid(), id, decode(repeat('00', 32), 'hex'), '', '', '{}',
           requester_actor_id
         FROM countersign.intents LIMIT 1",
    )
    .execute(site.test.admin())
    .await
    .unwrap_err();
    assert!(refused.to_string().contains("plans_purpose_fk"), "{refused}");

    let listed = |query: &'static str| {
        let asker = &asker;
        async move {
            let page = asker.get(&format!("/decisions?{query}")).await.expect(200);
            let items = page["items"].as_array().unwrap().clone();
            items.iter().map(|one| text(one, "deterministic_id")).collect::<Vec<_>>()
        }
    };
    assert_eq!(listed("verdict=approve").await, ["x-1"]);
    assert_eq!(listed("intent_type=deploy_config&category=database").await, ["d-2"]);
    assert_eq!(listed("deterministic_id=g-1&purpose=advice").await, ["g-1"]);
    assert_eq!(listed("environment_class=dev&limit=1").await, ["x-2"]);
    assert_eq!(listed("purpose=change").await, [""; 0]);
    assert_eq!(listed("outcome=true").await, [""; 0]);
    assert_eq!(listed("outcome=false").await.len(), 6);
    for bad in ["verdict=maybe", "purpose=x", "environment_class=moon", "verdikt=deny"] {
        assert_eq!(asker.get(&format!("/decisions?{bad}")).await.status.as_u16(), 400, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_10_the_same_question_gets_the_same_bytes_and_another_one_is_refused() {
    let site = Site::start().await;
    let asker = asker(&site).await;
    let first = bytes(&asker, EVALUATE, &provision("one")).await;
    // Keys in another order, a default written out: the same question.
    let mut again = provision("one");
    again["policy_violations"] = json!([]);
    assert_eq!(bytes(&asker, EVALUATE, &again).await, first);
    let reply = asker.post(EVALUATE, &provision("one")).await;
    assert_eq!(reply.headers["idempotency-replayed"], "true");
    let others = [
        ("/payload/size", json!("Standard_D4s_v3")),
        ("/payload/configuration/cpu", json!(0.25)),
        ("/estimated_cost", json!("71.00")),
        ("/requester", json!("eve@example.com")),
        ("/policy_violations", json!(["x"])),
    ];
    for (at, value) in others {
        let mut other = provision("one");
        other["policy_violations"] = json!([]);
        *other.pointer_mut(at).unwrap() = value;
        let reply = asker.post(EVALUATE, &other).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (409, "deterministic_id_taken"), "{at}");
    }
    let theirs = site.another_tenant().await;
    let theirs = site.caller_of(theirs, "planner", &[Role::Operator]).await;
    assert_ne!(bytes(&theirs, EVALUATE, &provision("one")).await, first);

    // At the same time it is still one.
    let two = provision("two");
    let at_once = (0..10).map(|_| bytes(&asker, EVALUATE, &two));
    let answers: BTreeSet<Vec<u8>> = join_all(at_once).await.into_iter().collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(site.count(site.tenant(), "decisions").await, 2);
    assert_eq!(site.count(site.tenant(), "usage_logs").await, 2, "repeating is no evaluation");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_an_intent_is_said_with_its_path() {
    let site = Site::start().await;
    let asker = asker(&site).await;
    let wrong = [
        (provision("a"), "/intent_type", json!("terminate"), "/intent_type"),
        (provision("a"), "/deterministic_id", json!("x".repeat(65)), "/deterministic_id"),
        (provision("a"), "/deterministic_id", json!("alert/1"), "/deterministic_id"),
        (provision("a"), "/payload", json!([]), "/payload"),
        (provision("a"), "/payload/region", json!("mars"), "/payload/region"),
        (provision("a"), "/payload/resource_type", json!("car"), "/payload/resource_type"),
        (provision("a"), "/payload/size", json!(""), "/payload/size"),
        (provision("a"), "/payload/environment", json!("moon"), "/payload/environment"),
        (provision("a"), "/payload/configuration", json!(7), "/payload/configuration"),
        (provision("a"), "/estimated_cost", json!("-1"), "/estimated_cost"),
        (provision("a"), "/estimated_cost", json!(7), "/estimated_cost"),
        (deploy("a", "checkout"), "/payload/service_name", json!("ab"), "/payload/service_name"),
        (deploy("a", "checkout"), "/payload/change_scope", json!("x"), "/payload/change_scope"),
        (
            deploy("a", "checkout"),
            "/payload/risk_level_hint",
            json!(1.5),
            "/payload/risk_level_hint",
        ),
        (grant("a"), "/payload/resource_scope", json!("s1"), "/payload/resource_scope"),
        (grant("a"), "/payload/permission_level", json!("root"), "/payload/permission_level"),
        (grant("a"), "/payload/principal", json!(""), "/payload/principal"),
        (generic("a", "x"), "/payload/targets", json!([]), "/payload/targets"),
        (generic("a", "x"), "/payload/targets", json!([""]), "/payload/targets/0"),
    ];
    for (mut body, at, value, path) in wrong {
        *body.pointer_mut(at).unwrap() = value.clone();
        let reply = asker.post(EVALUATE, &body).await;
        assert_eq!((reply.status.as_u16(), reply.path()), (400, path), "{value} {:#}", reply.body);
    }
    let mut body = grant("a");
    body["payload"]["environment"] = json!("dev");
    let reply = asker.post(EVALUATE, &body).await;
    assert_eq!(reply.status.as_u16(), 400, "a grant has no environment: {:#}", reply.body);
    for table in ["intents", "decisions", "usage_logs"] {
        assert_eq!(site.count(site.tenant(), table).await, 0, "{table}");
    }
    let viewer = site.caller("viewer", &[Role::Viewer]).await;
    assert_eq!(viewer.post(EVALUATE, &provision("a")).await.status.as_u16(), 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn violations_guards_and_policy_deny_advice_as_they_deny_changes() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let mut reported = provision("reported");
    reported["policy_violations"] = json!(["encryption is off"]);
    let denied = admin.post(EVALUATE, &reported).await.expect(200);
    assert_eq!(denied["action"], "deny");
    assert!(denied["reasons"].to_string().contains("encryption is off"));
    let intent = admin.get(&format!("/intents/{}", text(&denied, "intent_id"))).await.expect(200);
    assert_eq!(intent["status"], "denied");

    // A policy knows the region and the price.
    let files = json!({"name": "regions", "files": {"p.rego": r#"package policy.assistant.v1

import rego.v1

default decision := "deny"

decision := "require_approval" if {
	input.intent.payload.region == "westeurope"
	to_number(input.intent.monthly_cost) < 100
}
"#}});
    let stored = admin.post("/policies", &files).await.expect(201);
    let path = format!("/policies/{}/activate", text(&stored, "id"));
    admin.post(&path, &Value::Null).await.expect(200);
    let cheap = admin.post(EVALUATE, &provision("cheap")).await.expect(200);
    assert_eq!(cheap["action"], "escalate", "{:#}", cheap["reasons"]);
    let mut elsewhere = provision("elsewhere");
    elsewhere["payload"]["region"] = json!("eastus");
    assert_eq!(admin.post(EVALUATE, &elsewhere).await.expect(200)["action"], "deny");
    // The price of the table counts, whatever the estimate says.
    let mut dear = provision("dear");
    dear["payload"]["size"] = json!("Standard_D16s_v3");
    assert_eq!(admin.post(EVALUATE, &dear).await.expect(200)["action"], "deny");
    let again = format!("/decisions/{}/recompute", text(&cheap, "id"));
    assert_eq!(admin.get(&again).await.expect(200)["ok"], true);

    let window = json!({
        "name": "freeze", "start_time": "2020-01-01T00:00:00", "end_time": "2020-01-01T23:59:00",
        "recurrence": "daily", "affected_servers": {"environments": ["staging"]},
    });
    admin.post("/blackout-windows", &window).await.expect(201);
    let night = json!({
        "name": "the last minute", "start_time": "2020-01-01T23:59:00",
        "end_time": "2020-01-02T00:00:00", "recurrence": "daily",
        "affected_servers": {"environments": ["staging"]},
    });
    admin.post("/blackout-windows", &night).await.expect(201);
    let frozen = admin.post(EVALUATE, &provision("frozen")).await.expect(200);
    assert_eq!(frozen["action"], "deny");
    assert_eq!(frozen["guards"][0]["code"], "blackout", "{:#}", frozen["guards"]);
    let again = format!("/decisions/{}/recompute", text(&frozen, "id"));
    assert_eq!(admin.get(&again).await.expect(200)["ok"], true, "guards are facts");
}

/// Runs the command line as this caller: how it ended, and what it said.
async fn run(site: &Site, caller: &Caller, arguments: &[&str]) -> (i32, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(arguments);
    command.env("COUNTERSIGN_URL", &site.url).env("COUNTERSIGN_KEY", &caller.key);
    let done = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// What the command says of a decision, and how it ends; with the keys the server names, or these.
async fn command(site: &Site, caller: &Caller, decision: &str, keys: &[String]) -> (i32, String) {
    let mut arguments = vec!["--output", "json", "decision", "recompute", decision];
    arguments.extend(keys.iter().flat_map(|key| ["--public-key", key.as_str()]));
    run(site, caller, &arguments).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_asks_shows_reports_and_counts() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let file = site.dir.path().join("request.json");
    std::fs::write(&file, deploy("by hand", "checkout").to_string()).unwrap();
    let path = file.to_str().unwrap();
    let (code, said) = run(&site, &admin, &["decision", "evaluate", path]).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("verdict  require_approval"), "{said}");
    assert!(said.contains("= 0.0909090909 x 1.5 - 0"), "{said}");
    let decision = admin.get("/decisions").await.expect(200)["items"][0].clone();
    let id = text(&decision, "id");
    for (arguments, wanted) in [
        (vec!["decision", "list", "--purpose", "advice"], "deploy configuration of checkout"),
        (vec!["decision", "show", &id], "by hand"),
        (vec!["decision", "recompute", &id], "as it was decided and signed"),
        (vec!["decision", "outcome", &id, "--worked", "yes", "--notes", "x"], "reporter"),
        (vec!["decision", "usage"], "1 evaluations without a limit (tier enterprise)"),
        (vec!["key", "tier", "test", "free"], "1000"),
        (vec!["decision", "usage"], "free"),
    ] {
        let (code, said) = run(&site, &admin, &arguments).await;
        assert_eq!(code, 0, "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
    let mut denied = deploy("denied", "checkout");
    denied["policy_violations"] = json!(["no"]);
    std::fs::write(&file, denied.to_string()).unwrap();
    let (code, said) = run(&site, &admin, &["decision", "evaluate", path]).await;
    assert_eq!(code, 1, "{said}");
    let contrary = ["decision", "outcome", &id, "--worked", "no"];
    let (code, said) = run(&site, &admin, &contrary).await;
    assert!(code == 1 && said.contains("outcome"), "{code} {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_17_any_decision_is_made_again_and_what_was_tampered_with_is_named() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let asker = &stage.admin;
    let runbook = site.runbook(asker, REPAIR).await;
    let body = json!({"targets": ["web-1"], "variables": {"NOTE": "x"}});
    let asked = asker.post(&format!("/runbooks/{runbook}/run"), &body).await.expect(202);
    let advised = asker.post(EVALUATE, &deploy("d", "checkout")).await.expect(200);
    let of = |id: &str| format!("/decisions/{id}/recompute");
    for id in [text(&asked, "decision_id"), text(&advised, "id")] {
        let made = asker.get(&of(&id)).await.expect(200);
        assert_eq!((&made["ok"], &made["signature"]), (&json!(true), &json!("valid")), "{made:#}");
        assert_eq!(made["risk_score"], made["recomputed_score"]);
        assert_eq!((&made["differences"], &made["cannot_tell"]), (&json!([]), &json!([])));
        // The command does it again by itself, and trusts whom it is told to trust.
        let keys: Vec<String> =
            site.decision_keys().iter().map(|key| model::Digest::from(*key).to_string()).collect();
        let (code, said) = command(&site, asker, &id, &keys).await;
        assert_eq!(code, 0, "{said}");
        let (code, said) = command(&site, asker, &id, &["00".repeat(32)]).await;
        assert_eq!(code, 3, "a key nobody knows proves nothing: {said}");
        assert!(said.contains("unknown_key"), "{said}");
    }
    let decision = advised["id"].as_str().unwrap().split_once('_').unwrap().1.to_owned();
    let run = |sql: &str| {
        let sql = sql.replace("$1", &format!("'{decision}'"));
        let admin = site.test.admin().clone();
        async move {
            let done = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&admin).await.unwrap();
            assert_eq!(done.rows_affected(), 1);
        }
    };
    // A copy beside the record.
    run("UPDATE countersign.risk_assessments r
         SET inputs = jsonb_set(inputs, '{predictive}', '\"0.1\"')
         FROM countersign.decisions d WHERE d.id = $1 AND r.id = d.risk_id")
    .await;
    let made = asker.get(&of(&text(&advised, "id"))).await.expect(200);
    assert_eq!((&made["ok"], &made["signature"]), (&json!(false), &json!("valid")));
    assert_eq!(
        paths(&made),
        [("/risk/input/predictive".to_owned(), "risk_assessments".to_owned())]
    );
    let (code, said) = command(&site, asker, &text(&advised, "id"), &[]).await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("/risk/input/predictive"), "{said}");
    run("UPDATE countersign.risk_assessments r
         SET inputs = jsonb_set(inputs, '{predictive}', '\"0.2\"')
         FROM countersign.decisions d WHERE d.id = $1 AND r.id = d.risk_id")
    .await;
    run("UPDATE countersign.decisions SET verdict = 'allow' WHERE id = $1").await;
    let made = asker.get(&of(&text(&advised, "id"))).await.expect(200);
    assert_eq!(paths(&made), [("/verdict".to_owned(), "decisions".to_owned())]);
    run("UPDATE countersign.decisions SET verdict = 'require_approval' WHERE id = $1").await;
    run("UPDATE countersign.intents i SET payload = jsonb_set(payload, '{payload,service_name}', '\"x\"')
         FROM countersign.decisions d WHERE d.id = $1 AND i.id = d.intent_id")
    .await;
    let made = asker.get(&of(&text(&advised, "id"))).await.expect(200);
    let at = "/inputs/question/intent/payload/service_name".to_owned();
    assert_eq!(paths(&made), [(at, "intents".to_owned())]);
    altered_bytes(&site, asker, &text(&advised, "id")).await;
}

/// Where a decision made again differs, and from what.
fn paths(made: &Value) -> Vec<(String, String)> {
    let all = made["differences"].as_array().unwrap().clone();
    all.iter().map(|one| (text(one, "path"), text(one, "with"))).collect()
}

/// The signed bytes themselves: an input of the risk, the guards' answers, the policy's question.
async fn altered_bytes(site: &Site, asker: &Caller, id: &str) {
    let decision: uuid::Uuid = id.split_once('_').unwrap().1.parse().unwrap();
    let original: Vec<u8> =
        sqlx::query_scalar("SELECT canon FROM countersign.decisions WHERE id = $1::uuid")
            .bind(decision)
            .fetch_one(site.test.admin())
            .await
            .unwrap();
    for (at, value, named) in [
        ("/risk/input/predictive", json!("0.9"), "/risk/assessment/losses/approve"),
        ("/risk/input/constants/production_factor", json!("1.0"), "/components/context_factor"),
        ("/guards/0/verdict", json!("deny"), "/verdict"),
        ("/inputs/question/actor/roles", json!(["viewer"]), "/verdict"),
        ("/verdict", json!("allow"), "/verdict"),
    ] {
        let mut record: Value = serde_json::from_slice(&original).unwrap();
        *record.pointer_mut(at).unwrap_or_else(|| panic!("{at}")) = value;
        let altered = model::canonical::to_bytes(&record).unwrap();
        sqlx::query("UPDATE countersign.decisions SET canon = $2 WHERE id = $1::uuid")
            .bind(decision)
            .bind(altered)
            .execute(site.test.admin())
            .await
            .unwrap();
        let made = asker.get(&format!("/decisions/{id}/recompute")).await.expect(200);
        assert_eq!((&made["ok"], &made["signature"]), (&json!(false), &json!("bad")), "{at}");
        let paths = paths(&made);
        assert!(
            paths.iter().any(|(path, with)| path == named && with == "recomputed"),
            "{at}: {paths:?}"
        );
        let copied = at.starts_with("/risk") || at.starts_with("/guards") || at == "/verdict";
        assert_eq!(
            paths.iter().any(|(path, with)| path == at && with != "recomputed"),
            copied,
            "{at}: {paths:?}"
        );
        let (code, said) = command(site, asker, id, &[]).await;
        assert!(code == 2 && said.contains(named), "{at}: {code} {said}");
    }
}
