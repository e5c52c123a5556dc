//! What came of what was advised: reported once, verified by somebody apart, and learned from.

use std::collections::BTreeSet;

use futures::future::join_all;
use model::actor::Role;
use serde_json::{Value, json};

use super::decisions::{EVALUATE, asker, assert_exact, bytes, generic, grant, provision};
use super::harness::{Caller, Site, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_is_recorded_once_and_another_one_is_refused() {
    let site = Site::start().await;
    let asker = asker(&site).await;
    let answer = bytes(&asker, EVALUATE, &provision("p")).await;
    let decision: Value = serde_json::from_slice(&answer).unwrap();
    let path = format!("/decisions/{}/outcome", text(&decision, "id"));
    assert_eq!(asker.get(&path).await.status.as_u16(), 404);
    let good = json!({"success": true, "notes": "done", "idempotency_key": "k-1"});
    let first = bytes(&asker, &path, &good).await;
    assert_eq!(bytes(&asker, &path, &good).await, first);
    assert_eq!(bytes(&asker, EVALUATE, &provision("p")).await, answer, "whatever came of it");
    assert_eq!(bytes(&asker, &path, &json!({"success": true})).await, first, "the same value");
    for other in [
        json!({"success": false}),
        json!({"success": true, "evidence": [{"link": "https://ci.example.com/1"}]}),
    ] {
        let reply = asker.post(&path, &other).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (409, "outcome_recorded"));
    }
    let shown = asker.get(&path).await.expect(200);
    assert_eq!(shown, serde_json::from_slice::<Value>(&first).unwrap());
    assert_eq!((&shown["verified"], &shown["verified_by"]), (&json!(false), &json!("reporter")));
    let intent = asker.get(&format!("/intents/{}", text(&decision, "intent_id"))).await.expect(200);
    assert_eq!(intent["status"], "succeeded");

    let other = asker.post(EVALUATE, &provision("q")).await.expect(200);
    let taken = format!("/decisions/{}/outcome", text(&other, "id"));
    let reply = asker.post(&taken, &good).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "outcome_key_taken"));
    // At the same time it is still one, and it teaches once.
    let reports: Vec<Value> =
        (0..8).map(|at| json!({"success": false, "notes": format!("{at}")})).collect();
    let at_once = reports.iter().map(|report| asker.post(&taken, report));
    let ids: BTreeSet<String> =
        join_all(at_once).await.into_iter().map(|reply| text(&reply.expect(200), "id")).collect();
    assert_eq!(ids.len(), 1);
    let beliefs = asker.get("/beliefs").await.expect(200);
    assert_eq!(
        (&beliefs[0]["reported_failures"], &beliefs[0]["reported_successes"]),
        (&json!(1), &json!(1))
    );
    for (bad, path) in [
        (json!({}), ""),
        (json!({"success": "yes"}), "/success"),
        (json!({"success": true, "evidence": [{"link": ""}]}), "/evidence/0/link"),
        (
            json!({"success": true, "evidence": [{"link": "x", "sha256": "y"}]}),
            "/evidence/0/sha256",
        ),
        (json!({"success": true, "idempotency_key": ""}), "/idempotency_key"),
    ] {
        let reply = asker.post(&taken, &bad).await;
        assert_eq!((reply.status.as_u16(), reply.path()), (400, path), "{:#}", reply.body);
    }
}

/// Asks, and reports what came of it.
pub(super) async fn taught(
    asker: &Caller,
    reporter: &Caller,
    body: &Value,
    report: &Value,
) -> Value {
    let decision = asker.post(EVALUATE, body).await.expect(200);
    let path = format!("/decisions/{}/outcome", text(&decision, "id"));
    reporter.post(&path, report).await.expect(200);
    decision
}

fn score(decision: &Value) -> f64 {
    decision["risk_score"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_9_what_is_reported_moves_the_advice_and_nothing_that_runs_here() {
    let site = Site::start().await;
    let asker = asker(&site).await;
    let other = site.another_tenant().await;
    let other = site.caller_of(other, "planner", &[Role::Operator]).await;
    let before = score(&asker.post(EVALUATE, &provision("before")).await.expect(200));
    for number in 0..25 {
        let body = provision(&format!("good-{number}"));
        taught(&asker, &asker, &body, &json!({"success": true})).await;
    }
    let after = asker.post(EVALUATE, &provision("after")).await.expect(200);
    assert!(score(&after) < before);
    // Document 003's numbers: Beta(1, 12) and 25 successes.
    let believed = &after["record"]["risk"]["input"]["belief"];
    assert_eq!((&believed["alpha"], &believed["beta"]), (&json!("1.0"), &json!("37.0")));
    taught(&asker, &asker, &provision("bad"), &json!({"success": false})).await;
    let worse = score(&asker.post(EVALUATE, &provision("worse")).await.expect(200));
    assert!(worse > score(&after));
    assert_eq!(score(&other.post(EVALUATE, &provision("theirs")).await.expect(200)), before);

    // What runs here believes as before, remembers nothing of it, and trusts nobody more.
    let beliefs = asker.get("/beliefs").await.expect(200);
    assert_eq!(
        (&beliefs[0]["alpha"], &beliefs[0]["beta"], &beliefs[0]["n"]),
        (&json!(1.0), &json!(12.0), &json!(0))
    );
    assert_eq!(after["memory"], json!([]));
    let autonomy = &after["record"]["autonomy"];
    assert_eq!((&autonomy["earned"], &autonomy["successes"]), (&json!(false), &json!(0)));
    let lens: (f64, f64) = sqlx::query_as("SELECT alpha, beta FROM lens_decision.beta_state")
        .fetch_one(site.test.admin())
        .await
        .unwrap();
    assert_eq!(lens, (2.0, 37.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_person_apart_who_names_the_evidence_verifies_and_memory_follows() {
    let site = Site::start().await;
    let asker = asker(&site).await;
    let ann = site.caller("ann", &[Role::Operator]).await;
    let seen = json!({"success": true, "evidence": [{"link": "https://ci.example.com/1"}]});
    let verified = |decision: Value| {
        let ann = &ann;
        async move {
            let path = format!("/decisions/{}/outcome", text(&decision, "id"));
            ann.get(&path).await.expect(200)["verified"].clone()
        }
    };
    // Whoever asked, however much evidence; whoever looked, without any.
    let own = taught(&asker, &asker, &provision("own"), &seen).await;
    assert_eq!(verified(own).await, false);
    let bare = taught(&asker, &ann, &provision("bare"), &json!({"success": true})).await;
    assert_eq!(verified(bare).await, false);
    let unmoved = asker.post(EVALUATE, &provision("unmoved")).await.expect(200);
    assert_eq!(unmoved["memory"], json!([]));

    let good = taught(&asker, &ann, &provision("good"), &seen).await;
    assert_eq!(verified(good.clone()).await, true);
    let beliefs = asker.get("/beliefs").await.expect(200);
    assert_eq!((&beliefs[0]["beta"], &beliefs[0]["n"]), (&json!(13.0), &json!(1)));
    let remembering = asker.post(EVALUATE, &provision("remembering")).await.expect(200);
    assert_eq!(remembering["memory"][0]["intent_id"], good["intent_id"]);
    assert_eq!(remembering["memory"][0]["similarity"], "1.0");
    // One alike: n/(n+10) of the weight, to three places.
    let parts = &remembering["components"];
    assert_eq!(
        (&parts["memory_weight"], &parts["memory_success_rate"]),
        (&json!("0.091"), &json!("1"))
    );
    assert_exact(&remembering);
    assert!(score(&remembering) < score(&unmoved));
    assert_eq!(remembering["record"]["autonomy"]["successes"], 1);

    let failed = json!({"success": false, "evidence": [{"link": "https://ci.example.com/2"}]});
    taught(&asker, &ann, &provision("failed"), &failed).await;
    let wary = asker.post(EVALUATE, &provision("wary")).await.expect(200);
    assert_eq!(wary["components"]["memory_success_rate"], "0.5");
    assert!(score(&wary) > score(&remembering));
    assert_exact(&wary);
    let columns: (Option<f64>, Option<f64>) = sqlx::query_as(
        "SELECT memory_success_rate, memory_weight FROM lens_decision.decision_audit_log
         WHERE deterministic_id = 'wary'",
    )
    .fetch_one(site.test.admin())
    .await
    .unwrap();
    assert_eq!(columns, (Some(0.5), Some(0.167)));
    // Another type of intent remembers none of it.
    let other = asker.post(EVALUATE, &generic("other", "host.service.start")).await.expect(200);
    assert_eq!(other["memory"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_predicted_is_compared_with_what_was_verified() {
    let site = Site::start().await;
    let asker = asker(&site).await;
    let ann = site.caller("ann", &[Role::Operator]).await;
    let none = asker.get("/calibration").await.expect(200);
    assert_eq!((&none["n"], &none["brier"]), (&json!(0), &Value::Null));
    assert_eq!(none["bins"].as_array().unwrap().len(), 10);
    // All asked about before anything is known: the prior of each is Beta(1, 12), its mean 1/13.
    let mut decisions = Vec::new();
    for number in 0..4 {
        let body = provision(&format!("change-{number}"));
        decisions.push(asker.post(EVALUATE, &body).await.expect(200));
    }
    for (number, decision) in decisions.iter().enumerate() {
        let mean = &decision["record"]["risk"]["assessment"]["estimate"]["mean"];
        assert_eq!(mean, "0.0769230769");
        let path = format!("/decisions/{}/outcome", text(decision, "id"));
        let report = json!({"success": number > 0,
            "evidence": [{"link": "https://ci.example.com/1"}]});
        // What only whoever acted says does not count.
        let reporter = if number == 3 { &asker } else { &ann };
        reporter.post(&path, &report).await.expect(200);
    }
    let told = asker.get("/calibration?days=30").await.expect(200);
    let near = |value: &Value, expected: f64| {
        let value = value.as_f64().unwrap();
        assert!((value - expected).abs() < 1e-8, "{value} is not {expected}");
    };
    assert_eq!(told["n"], 3);
    let mean: f64 = 0.076_923_076_9;
    near(&told["brier"], (2.0 * mean.powi(2) + (1.0 - mean).powi(2)) / 3.0);
    let bin = &told["bins"][0];
    assert_eq!((&bin["from"], &bin["to"], &bin["n"]), (&json!(0.0), &json!(0.1), &json!(3)));
    near(&bin["predicted"], mean);
    near(&bin["observed"], 1.0 / 3.0);
    // Wilson's interval of 1 in 3 at 90 %.
    near(&bin["lower"], 0.078_265_726_3);
    near(&bin["upper"], 0.746_466_131_7);
    assert_eq!(told["bins"][1]["observed"], Value::Null);
    assert_eq!(told["categories"].as_array().unwrap().len(), 1);
    near(&told["categories"][0]["observed"], 1.0 / 3.0);
    let other = site.another_tenant().await;
    let other = site.caller_of(other, "planner", &[Role::Operator]).await;
    assert_eq!(other.get("/calibration").await.expect(200)["n"], 0);
    for bad in ["0", "367", "x"] {
        let reply = asker.get(&format!("/calibration?days={bad}")).await;
        assert_eq!(reply.status.as_u16(), 400, "{bad}");
    }
}

/// Whatever stands where the belief should be, a number to calculate with or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a9_a_belief_that_is_no_number_is_maximum_risk_and_can_be_made_again() {
    let site = Site::start().await;
    let asker = asker(&site).await;
    taught(&asker, &asker, &provision("one"), &json!({"success": true})).await;
    for (number, alpha) in ["NaN", "Infinity", "1e308"].into_iter().enumerate() {
        let set = format!("UPDATE countersign.beta_state SET alpha = '{alpha}'");
        sqlx::query(sqlx::AssertSqlSafe(set)).execute(site.test.admin()).await.unwrap();
        let body = generic(&format!("x-{number}"), "host.service.start");
        let mut lowest = provision(&format!("p-{number}"));
        lowest["payload"]["environment"] = json!("dev");
        let decision = asker.post(EVALUATE, &lowest).await.expect(200);
        let tier = &decision["record"]["risk"]["assessment"]["tier"];
        assert_eq!((&decision["action"], tier), (&json!("deny"), &json!("critical")), "{alpha}");
        assert_eq!(decision["risk_score"], "1.0", "{alpha}");
        assert_exact(&decision);
        let again = format!("/decisions/{}/recompute", text(&decision, "id"));
        let made = asker.get(&again).await.expect(200);
        assert_eq!(made["ok"], true, "{alpha}: {made:#}");
        // Another action of the category believes the same.
        assert_eq!(asker.post(EVALUATE, &body).await.expect(200)["action"], "deny", "{alpha}");
    }
}

/// What an answer says would have had to differ, comes about; and then the answer is another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn advice_becomes_a_yes_after_as_many_verified_successes_as_it_said() {
    let site = Site::start().await;
    let asker = asker(&site).await;
    let ann = site.caller("ann", &[Role::Operator]).await;
    let start = |id: &str| generic(id, "host.service.start");
    let first = asker.post(EVALUATE, &start("first")).await.expect(200);
    let more = |count: u32| json!([{"change": "more_successes", "successes": count}]);
    assert_eq!((&first["action"], &first["counterfactual"]), (&json!("escalate"), &more(58)));
    let seen = json!({"success": true, "evidence": [{"link": "https://ci.example.com/1"}]});
    for number in 0..57 {
        taught(&asker, &ann, &start(&format!("seen-{number}")), &seen).await;
    }
    let nearly = asker.post(EVALUATE, &start("nearly")).await.expect(200);
    assert_eq!((&nearly["action"], &nearly["counterfactual"]), (&json!("escalate"), &more(1)));
    taught(&asker, &ann, &start("seen-57"), &seen).await;
    let last = asker.post(EVALUATE, &start("last")).await.expect(200);
    assert_eq!((&last["action"], &last["counterfactual"]), (&json!("approve"), &json!([])));
    // Where it was not seen it has not been earned.
    let mut elsewhere = start("elsewhere");
    elsewhere["payload"]["environment"] = json!("staging");
    let elsewhere = asker.post(EVALUATE, &elsewhere).await.expect(200);
    assert_eq!(elsewhere["action"], "escalate");
    let change = &elsewhere["counterfactual"][0];
    assert_eq!((&change["change"], &change["class"]), (&json!("environment"), &json!("dev")));
    for decision in [&last, &elsewhere] {
        let again = format!("/decisions/{}/recompute", text(decision, "id"));
        assert_eq!(asker.get(&again).await.expect(200)["ok"], true);
    }
}

/// Ten thousand harmless changes of one principal's, then a dangerous one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m7_ten_thousand_reported_successes_leave_a_dangerous_grant_where_it_was() {
    let site = Site::start().await;
    let asker = asker(&site).await;
    let first = asker.post(EVALUATE, &grant("first")).await.expect(200);
    taught(&asker, &asker, &grant("one"), &json!({"success": true})).await;
    sqlx::query(
        "UPDATE countersign.beta_state SET reported_successes = 10000, reported_n = 10000
         WHERE category = 'security'",
    )
    .execute(site.test.admin())
    .await
    .unwrap();
    let last = asker.post(EVALUATE, &grant("last")).await.expect(200);
    assert!(score(&last) < score(&first) / 100.0);
    let tier = |decision: &Value| decision["record"]["risk"]["assessment"]["tier"].clone();
    assert_eq!((tier(&last), &last["action"]), (json!("critical"), &json!("escalate")));
    assert_eq!((tier(&first), &last["approval"]), (json!("critical"), &first["approval"]));
    // Neither do ten thousand verified ones: autonomy ends at tier medium.
    sqlx::query("UPDATE countersign.beta_state SET beta = 10000, n = 10000")
        .execute(site.test.admin())
        .await
        .unwrap();
    let last = asker.post(EVALUATE, &grant("very last")).await.expect(200);
    assert_eq!((tier(&last), &last["action"]), (json!("critical"), &json!("escalate")));
}
