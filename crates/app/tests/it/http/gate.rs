//! The gate over HTTP: what is asked twice, what nobody may decide, what arrives as text.

use judge::risk::Record;
use serde_json::{Value, json};

use super::harness::{Caller, Reply, Site, text};
use super::stage::{REPAIR, Stage, alert};

/// The score the gate would give now.
async fn score(caller: &Caller, runbook: &str) -> f64 {
    let body = json!({"runbook_id": runbook, "targets": ["web-1"], "variables": {"NOTE": "x"}});
    let said = caller.post("/intents/evaluate", &body).await.expect(200);
    let record: Record = serde_json::from_value(said["risk"].clone()).unwrap();
    record.verify().unwrap();
    record.assessment.estimate.mean.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_9_two_tenants_do_not_teach_each_other_and_what_is_learned_survives() {
    let site = Site::start().await;
    let ours = Stage::set(&site, site.tenant(), "test").await;
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    let ours_runbook = site.runbook(&ours.admin, REPAIR).await;
    let theirs_runbook = site.runbook(&theirs.admin, REPAIR).await;
    let before = score(&ours.admin, &ours_runbook).await;
    assert_eq!(before, score(&theirs.admin, &theirs_runbook).await);

    ours.run_through(&site, 1, "completed").await;
    let better = score(&ours.admin, &ours_runbook).await;
    assert!(better < before, "a success lowers it: {before} → {better}");
    assert_eq!(score(&theirs.admin, &theirs_runbook).await, before, "the other tenant learned it");
    assert_eq!(theirs.admin.get("/beliefs").await.expect(200), json!([]));

    let hopeless = REPAIR.replace("&& echo it is up", "&& exit 1");
    site.runbook(&ours.admin, &hopeless).await;
    ours.run_through(&site, 2, "rolled_back").await;
    let worse = score(&ours.admin, &ours_runbook).await;
    assert!(worse > better, "a failure raises it: {better} → {worse}");

    let beliefs = ours.admin.get("/beliefs").await.expect(200);
    let key = ours.admin.actor.clone();
    let site = site.restarted().await;
    let again = site.key_of(key).await;
    assert_eq!(again.get("/beliefs").await.expect(200), beliefs);
    assert_eq!(score(&again, &ours_runbook).await, worse);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_10_the_same_request_is_the_same_decision_and_another_one_is_refused() {
    let site = Site::start().await;
    let ours = Stage::set(&site, site.tenant(), "test").await;
    let theirs = Stage::set(&site, site.another_tenant().await, "test").await;
    let body = |note: &str| json!({"targets": ["web-1"], "variables": {"NOTE": note}, "deterministic_id": "deploy-1"});
    let run = format!("/runbooks/{}/run", site.runbook(&ours.admin, REPAIR).await);
    let first = ours.admin.post(&run, &body("a")).await.expect(202);
    let second = ours.admin.post(&run, &body("a")).await.expect(202);
    assert_eq!(first["decision_id"], second["decision_id"]);
    assert_eq!(first["execution_id"], second["execution_id"]);
    assert_eq!((&first["repeated"], &second["repeated"]), (&json!(false), &json!(true)));
    let other = ours.admin.post(&run, &body("b")).await;
    assert_eq!((other.status.as_u16(), other.code()), (409, "deterministic_id_taken"));
    assert_eq!(site.count(ours.tenant, "executions").await, 1);
    let run = format!("/runbooks/{}/run", site.runbook(&theirs.admin, REPAIR).await);
    let free = theirs.admin.post(&run, &body("b")).await.expect(202);
    assert_eq!(free["repeated"], false);

    // At the same time it is still one.
    let run = format!("/runbooks/{}/run", site.runbook(&ours.admin, REPAIR).await);
    let body =
        json!({"targets": ["web-1"], "variables": {"NOTE": "c"}, "deterministic_id": "deploy-2"});
    let asked = futures::future::join_all((0..10).map(|_| ours.admin.post(&run, &body))).await;
    let mut decisions: Vec<String> =
        asked.into_iter().map(|reply| text(&reply.expect(202), "decision_id")).collect();
    decisions.dedup();
    assert_eq!(decisions.len(), 1);
    assert_eq!(site.count(ours.tenant, "executions").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_11_a_label_that_is_a_command_reaches_the_host_as_text() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, REPAIR).await;
    let canary = stage.sshd.home().join("canary");
    let hostile = format!("$(touch {0})`touch {0}`'; touch {0}; echo \"$HOME", canary.display());
    for (number, note) in ["$(reboot)", &hostile].into_iter().enumerate() {
        let finding = stage.fire(alert("Broken", "web-1", number, note)).await;
        let asked = stage.asked(&site, &finding).await;
        stage.approve(&text(&asked, "approval_id")).await;
        site.reaches(&stage.admin, &text(&asked, "execution_id"), "completed").await;
        let effects = stage.effects();
        assert_eq!(effects.last(), Some(&format!("repaired {note}")));
    }
    assert!(!canary.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_12_without_a_policy_every_write_is_denied() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let runbook = site.runbook(&stage.admin, REPAIR).await;
    // It compiles, has no test to fail, and says nothing the gate can read.
    let broken = json!({"name": "broken", "files": {
        "decision.rego": "package policy.assistant.v1\n\nimport rego.v1\n\ndecision := 7\n",
    }});
    let stored = stage.admin.post("/policies", &broken).await;
    if stored.status.is_success() {
        let path = format!("/policies/{}/activate", text(&stored.body, "id"));
        stage.admin.post(&path, &Value::Null).await.expect(200);
    } else {
        assert_eq!(stored.status.as_u16(), 400, "{:#}", stored.body);
        let good = json!({"name": "good", "files": {
            "decision.rego": "package policy.assistant.v1\n\nimport rego.v1\n\ndecision := \"allow\" if input.nothing\n",
        }});
        let stored = stage.admin.post("/policies", &good).await.expect(201);
        let path = format!("/policies/{}/activate", text(&stored, "id"));
        stage.admin.post(&path, &Value::Null).await.expect(200);
    }
    let body = json!({"targets": ["web-1"], "variables": {"NOTE": "x"}});
    let asked = stage.admin.post(&format!("/runbooks/{runbook}/run"), &body).await.expect(202);
    assert_eq!((&asked["verdict"], &asked["state"]), (&json!("deny"), &json!("denied")));
    assert_eq!(asked["approval_id"], Value::Null);
    let shown =
        stage.admin.get(&format!("/decisions/{}", text(&asked, "decision_id"))).await.expect(200);
    assert!(shown["reasons"].to_string().contains("policy"), "{:#}", shown["reasons"]);

    // A bundle altered behind the gate's back is no policy either.
    sqlx::query("UPDATE countersign.policy_bundles SET body = '{\"x.rego\": \"nonsense\"}'")
        .execute(site.test.admin())
        .await
        .unwrap();
    let site = site.restarted().await;
    let admin = site.key_of(stage.admin.actor.clone()).await;
    let asked = admin.post(&format!("/runbooks/{runbook}/run"), &body).await.expect(202);
    assert_eq!((&asked["verdict"], &asked["state"]), (&json!("deny"), &json!("denied")));
    assert_eq!(site.count(stage.tenant, "attempts").await, 0);
    assert!(stage.effects().is_empty());
}

/// The surface of approvals is the API with its keys: a captured vote is a request sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a6_a_captured_vote_sent_again_counts_once_and_not_after_its_time() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, REPAIR).await;
    let finding = stage.fire(alert("Broken", "web-1", 1, "x")).await;
    let asked = stage.asked(&site, &finding).await;
    let vote = format!("/approvals/{}/approve", text(&asked, "approval_id"));
    let captured = || {
        let request = stage.approver.request(reqwest::Method::POST, &vote);
        request.header("idempotency-key", "captured").json(&json!({"note": "looked at it"}))
    };
    let first = Reply::of(captured().send().await.unwrap()).await;
    assert_eq!((first.status.as_u16(), &first.body["result"]), (200, &json!("approved")));
    let again = Reply::of(captured().send().await.unwrap()).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &first.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    // Without its key, and with another: the person has voted, and it is decided.
    let bare = stage.approver.post(&vote, &json!({"note": "looked at it"})).await;
    assert!([200, 409].contains(&bare.status.as_u16()), "{:#}", bare.body);
    let denied = stage.approver.post(&vote.replace("/approve", "/deny"), &json!({})).await;
    assert_eq!(denied.status.as_u16(), 409, "{:#}", denied.body);
    assert_eq!(site.count(stage.tenant, "approval_votes").await, 1);
    site.reaches(&stage.admin, &text(&asked, "execution_id"), "completed").await;
    site.verified(stage.tenant).await;
    let voted = stage.admin.get("/audit/events?action=approval.voted").await.expect(200);
    assert_eq!(voted["items"].as_array().unwrap().len(), 1);

    // Six minutes later the time to vote, five minutes here, is over: by the database's clock.
    let finding = stage.fire(alert("Broken", "web-1", 2, "x")).await;
    let asked = stage.asked(&site, &finding).await;
    let approval = text(&asked, "approval_id");
    sqlx::query(
        "UPDATE countersign.approvals
         SET created_at = clock_timestamp() - interval '6 minutes',
             expires_at = clock_timestamp() - interval '1 minute'
         WHERE status = 'pending'",
    )
    .execute(site.test.admin())
    .await
    .unwrap();
    let late = stage.approver.post(&format!("/approvals/{approval}/approve"), &json!({})).await;
    assert_eq!(late.status.as_u16(), 409, "{:#}", late.body);
    assert!(["approval_expired", "already_decided"].contains(&late.code()), "{:#}", late.body);
    assert_eq!(site.count(stage.tenant, "approval_votes").await, 1);
    site.reaches(&stage.admin, &text(&asked, "execution_id"), "expired").await;
}
