//! The loop, once all the way round, on a real host; and the ways it must not go.

use model::actor::Role;
use prove::decision::{DecisionSignature, verify_decision};
use prove::verify::report::Kind;
use serde_json::{Value, json};

use super::harness::{Caller, Site, text};
use super::stage::{REPAIR, Stage, alert};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_1_3_5_15_and_17_an_alert_becomes_a_verified_signed_learned_from_change() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let admin = &stage.admin;
    let runbook = site.runbook(admin, REPAIR).await;

    // Alert, finding, runbook, decision.
    let finding = stage.fire(alert("BrokenWeb", "web-1", 1, "by hand")).await;
    let asked = stage.asked(&site, &finding).await;
    assert_eq!(asked["verdict"], "require_approval");
    assert_eq!(asked["state"], "awaiting_approval");
    let (execution, approval) = (text(&asked, "execution_id"), text(&asked, "approval_id"));
    let plan = admin.get(&format!("/plans/{}", text(&asked, "plan_id"))).await.expect(200);
    assert_eq!(plan["intact"], true);
    assert!(plan["steps"][1]["commands"]["web-1"].as_str().unwrap().contains("by hand"));
    assert!(stage.effects().is_empty(), "nothing ran before the approval");

    // Behaviour 3: whoever asked does not approve, nor does a program.
    let vote = format!("/approvals/{approval}/approve");
    let refused = stage.source.post(&vote, &json!({})).await;
    assert_eq!(refused.status.as_u16(), 403, "{:#}", refused.body);
    let mut requester = stage.source.actor.clone();
    requester.roles.insert(Role::Approver);
    sqlx::query("UPDATE countersign.actors SET roles = '{operator,approver}' WHERE id = $1")
        .bind(requester.id.uuid())
        .execute(site.test.admin())
        .await
        .unwrap();
    let refused = stage.source.post(&vote, &json!({})).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "own_request"));

    // Approved by another, executed, verified.
    assert_eq!(stage.approve(&approval).await["result"], "approved");
    let done = site.reaches(admin, &execution, "completed").await;
    assert_eq!(stage.effects(), ["prepared", "repaired by hand"]);
    let states: Vec<_> =
        done["steps"].as_array().unwrap().iter().map(|step| &step["state"]).collect();
    assert_eq!(states, ["succeeded", "succeeded", "succeeded"]);
    // Behaviour 5, in the small: one attempt a step.
    assert_eq!(site.count(stage.tenant, "attempts").await, 3);
    // Behaviour 15: the evidence that was required is there, and is what it was.
    let evidence = text(&done["evidence"][0], "id");
    let evidence =
        admin.get(&format!("/executions/{execution}/evidence/{evidence}")).await.expect(200);
    assert!(evidence.to_string().contains("it is up"), "{evidence:#}");
    printed(&stage, &execution, &text(&done["steps"][2], "id")).await;

    learned(&site, &stage, &runbook, &finding, &asked).await;
    recomputed(&site, &stage, &text(&asked, "decision_id")).await;
    tampered(&site, &stage).await;
}

/// What a step printed: the first part of it when that is asked for, and by ranges.
async fn printed(stage: &Stage, execution: &str, step: &str) {
    for (query, expected) in [("", Value::Null), ("?preview=true", json!("it is up\n"))] {
        let shown = stage.admin.get(&format!("/executions/{execution}{query}")).await.expect(200);
        assert_eq!(shown["steps"][2]["stdout"], expected, "{query}");
    }
    let odd = stage.admin.get(&format!("/executions/{execution}?preview=some")).await;
    assert_eq!(odd.status.as_u16(), 400);
    let path = format!("/executions/{execution}/steps/{step}/output");
    let told = stage.admin.get(&path).await.expect(200);
    let expected = json!({
        "text": "it is up\n", "from": 0, "next": 9, "size": 9, "ended": true, "truncated": false,
        "attempt": 1,
    });
    assert_eq!(told, expected);
    let part = stage.admin.get(&format!("{path}?from=3&most=4")).await.expect(200);
    assert_eq!((&part["text"], &part["next"]), (&json!("is u"), &json!(7)));
    let nothing = stage.admin.get(&format!("{path}?stream=stderr&from=5")).await.expect(200);
    assert_eq!((&nothing["text"], &nothing["size"]), (&json!(""), &json!(0)));
    assert_eq!(stage.admin.get(&format!("{path}?attempt=2")).await.status.as_u16(), 404);
    for bad in ["stream=both", "most=0", "most=1048577", "from=-1", "attempt=x"] {
        let reply = stage.admin.get(&format!("{path}?{bad}")).await;
        assert_eq!(reply.status.as_u16(), 400, "{bad}");
    }
}

/// Outcome, posterior, breaker, finding.
async fn learned(site: &Site, stage: &Stage, runbook: &str, finding: &str, asked: &Value) {
    let admin = &stage.admin;
    let outcomes = admin.get("/outcomes").await.expect(200);
    assert_eq!(outcomes["items"].as_array().unwrap().len(), 1);
    assert_eq!(outcomes["items"][0]["success"], true);
    assert_eq!(outcomes["items"][0]["verified_by"], "machine");
    let beliefs = admin.get("/beliefs").await.expect(200);
    assert_eq!(beliefs[0]["category"], "compute");
    assert_eq!(beliefs[0]["n"], 1);
    let prior = judge::constants::ConstantSet::arf_1()
        .prior(judge::action::Category::Compute)
        .map(|prior| prior.beta())
        .unwrap();
    assert_eq!(beliefs[0]["beta"].as_f64().unwrap(), prior + 1.0);
    let breakers = admin.get("/circuit-breakers").await.expect(200);
    let scopes: Vec<_> =
        breakers["items"].as_array().unwrap().iter().map(|one| &one["scope_id"]).collect();
    assert!(scopes.contains(&&json!(runbook)), "the breaker was told: {breakers:#}");
    let fixed = admin.get(&format!("/findings/{finding}")).await.expect(200);
    assert_eq!(fixed["status"], "fixed");
    let intent = admin.get(&format!("/intents/{}", text(asked, "intent_id"))).await.expect(200);
    assert_eq!(intent["status"], "succeeded");
    let report = site.verified(stage.tenant).await;
    assert!(report.ok, "{report:?}");
    assert!(report.size >= 20, "{report:?}");
    let logged = admin.get("/audit/events?limit=100").await.expect(200).to_string();
    for action in [
        "alerts.received",
        "intent.created",
        "decision.made",
        "approval.requested",
        "approval.vote_refused",
        "approval.voted",
        "execution.approved",
        "step.started",
        "step.ended",
        "evidence.stored",
        "execution.completed",
        "outcome.recorded",
    ] {
        assert!(logged.contains(&format!("\"{action}\"")), "no {action} in the log");
    }
}

/// Behaviour 17: the decision again, from nothing but its signed record.
async fn recomputed(site: &Site, stage: &Stage, decision: &str) {
    let shown = stage.admin.get(&format!("/decisions/{decision}")).await.expect(200);
    let canon = model::canonical::to_bytes(&shown["record"]).unwrap();
    let signed = DecisionSignature {
        signature: text(&shown, "signature"),
        key_fingerprint: text(&shown, "key_fingerprint").parse().unwrap(),
    };
    verify_decision(&canon, &signed, site.decision_keys()).unwrap();
    let record: judge::risk::Record =
        serde_json::from_value(shown["record"]["risk"].clone()).unwrap();
    record.verify().unwrap();

    let mut altered = shown["record"].clone();
    altered["verdict"] = json!("allow");
    let altered = model::canonical::to_bytes(&altered).unwrap();
    verify_decision(&altered, &signed, site.decision_keys()).unwrap_err();
    let mut record = record;
    record.assessment.tier = model::level::Tier::Low;
    record.verify().unwrap_err();
}

/// Behaviour 1: one byte of one event, changed behind everybody's back, is named.
async fn tampered(site: &Site, stage: &Stage) {
    let changed: i64 = sqlx::query_scalar(
        "UPDATE countersign.audit_events
         SET canon = overlay(canon PLACING '\\x58'::bytea FROM length(canon) - 5)
         WHERE tenant_id = $1 AND seq = 7 RETURNING seq",
    )
    .bind(stage.tenant.uuid())
    .fetch_one(site.test.admin())
    .await
    .unwrap();
    let report = site.verify_now(stage.tenant).await;
    let bad = report.first_bad.expect("something is wrong");
    assert_eq!(
        (report.ok, bad.seq, bad.kind),
        (false, u64::try_from(changed).unwrap(), Kind::LeafMismatch)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_3_a_denied_approval_cannot_become_approved() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, REPAIR).await;
    let finding = stage.fire(alert("Broken", "web-1", 1, "x")).await;
    let asked = stage.asked(&site, &finding).await;
    let approval = text(&asked, "approval_id");
    let denied =
        stage.approver.post(&format!("/approvals/{approval}/deny"), &json!({})).await.expect(200);
    assert_eq!(denied["status"], "denied");
    let other = site.caller("bob", &[Role::Approver]).await;
    let late = other.post(&format!("/approvals/{approval}/approve"), &json!({})).await;
    assert_eq!((late.status.as_u16(), late.code()), (409, "already_decided"));
    let ended = site.reaches(&stage.admin, &text(&asked, "execution_id"), "denied").await;
    assert_eq!(ended["started_at"], Value::Null);
    assert!(stage.effects().is_empty());
}

/// An execution that was asked for and does not start: a window is active.
struct Frozen {
    execution: String,
    /// Its approval, not given yet.
    first: String,
    /// The window's path: without it, what is approved starts.
    window: String,
}

impl Frozen {
    async fn of(site: &Site, stage: &Stage) -> Self {
        let window = json!({
            "name": "freeze", "start_time": "2020-01-01T00:00:00",
            "end_time": "2020-01-02T00:00:00", "recurrence": "daily",
        });
        let finding = stage.fire(alert("Broken", "web-1", 1, "x")).await;
        let asked = stage.asked(site, &finding).await;
        let window = stage.admin.post("/blackout-windows", &window).await.expect(201);
        Self {
            execution: text(&asked, "execution_id"),
            first: text(&asked, "approval_id"),
            window: format!("/blackout-windows/{}", text(&window, "id")),
        }
    }
}

/// The second approval of an execution, whose first one became void.
async fn asked_again(site: &Site, admin: &Caller, execution: &str, first: &str) -> String {
    let path = format!("/executions/{execution}");
    let second = site
        .until("the second approval", || async {
            let shown = admin.get(&path).await.expect(200);
            let approval = text(&shown, "approval_id");
            (approval != first).then_some(approval)
        })
        .await;
    let old = admin.get(&format!("/approvals/{first}")).await.expect(200);
    assert_eq!(old["status"], "void");
    assert_eq!(admin.get(&path).await.expect(200)["state"], "awaiting_approval");
    second
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_4_a_runbook_edited_after_the_approval_is_asked_about_again() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let admin = &stage.admin;
    let runbook = site.runbook(admin, REPAIR).await;
    let Frozen { execution, first, window } = Frozen::of(&site, &stage).await;
    stage.approve(&first).await;
    let edited = REPAIR.replace("echo prepared", "echo otherwise");
    assert_eq!(site.runbook(admin, &edited).await, runbook);
    admin.send(reqwest::Method::DELETE, &window, &Value::Null).await.expect(204);
    let second = asked_again(&site, admin, &execution, &first).await;
    let other = site.caller("bob", &[Role::Approver]).await;
    let late = other.post(&format!("/approvals/{first}/approve"), &json!({})).await;
    assert_eq!((late.status.as_u16(), late.code()), (409, "already_decided"));
    assert!(stage.effects().is_empty(), "nothing ran on the old approval");
    stage.approve(&second).await;
    site.reaches(admin, &execution, "completed").await;
    assert_eq!(stage.effects(), ["otherwise", "repaired x"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a7_whoever_lost_the_role_between_vote_and_start_carries_no_start() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let admin = &stage.admin;
    site.runbook(admin, REPAIR).await;
    let (bea, user) = site.person_of(stage.tenant, "bea", &[Role::Approver]).await;
    let Frozen { execution, first, window } = Frozen::of(&site, &stage).await;
    let voted = bea.post(&format!("/approvals/{first}/approve"), &json!({})).await.expect(200);
    assert_eq!(voted["result"], "approved");
    let less = json!({"roles": ["viewer"]});
    admin.send(reqwest::Method::PATCH, &format!("/users/{user}"), &less).await.expect(200);
    admin.send(reqwest::Method::DELETE, &window, &Value::Null).await.expect(204);
    let second = asked_again(&site, admin, &execution, &first).await;
    assert!(stage.effects().is_empty(), "nothing ran on a vote that no longer counts");
    stage.approve(&second).await;
    site.reaches(admin, &execution, "completed").await;
}

/// The runbook whose repair is never good enough.
fn hopeless() -> String {
    REPAIR.replace("test -e \"$HOME/repaired\" && echo it is up", "echo it is down; exit 1")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_6_what_is_not_verified_is_undone_in_reverse() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, &hopeless()).await;
    let ended = stage.run_through(&site, 1, "rolled_back").await;
    assert_eq!(stage.effects(), ["prepared", "repaired x", "unrepaired", "unprepared"]);
    assert!(!stage.sshd.home().join("repaired").exists());
    assert!(ended["rollback_reason"].is_string(), "{ended:#}");
    let outcomes = stage.admin.get("/outcomes").await.expect(200);
    assert_eq!(outcomes["items"][0]["success"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_6_a_step_that_fails_is_undone_too() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let failing = REPAIR.replace("touch \"$HOME/repaired\"", "touch \"$HOME/repaired\"; exit 3");
    site.runbook(&stage.admin, &failing).await;
    let ended = stage.run_through(&site, 1, "rolled_back").await;
    assert_eq!(stage.effects(), ["prepared", "repaired x", "unrepaired", "unprepared"]);
    assert_eq!(ended["steps"][1]["exit_code"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_6_a_rollback_that_fails_is_seen() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let stuck = hopeless().replace("echo unrepaired >> \"$HOME/effects\"", "exit 9");
    site.runbook(&stage.admin, &stuck).await;
    let ended = stage.run_through(&site, 1, "rollback_failed").await;
    assert_eq!(stage.effects(), ["prepared", "repaired x"], "it stops where it failed");
    assert!(ended["error_message"].is_string(), "{ended:#}");
}
