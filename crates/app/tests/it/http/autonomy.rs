//! What has earned running unasked, as it is told and as the gate decides by it.

use model::actor::Role;
use serde_json::{Value, json};

use super::decisions::{EVALUATE, asker, generic};
use super::harness::{Caller, Site, text};
use super::outcomes::taught;

const START: &str = "host.service.start";

/// What is told of the one kind of change there is.
async fn told(caller: &Caller) -> Value {
    let answer = caller.get("/autonomy").await.expect(200);
    assert_eq!(answer["limits"]["min_successes"], 20);
    let items = answer["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{answer:#}");
    items[0].clone()
}

/// The gate decides about another change of the kind: whether it may run unasked, and what of
/// autonomy it decided by.
async fn decided(caller: &Caller, id: &str) -> (bool, Value) {
    let decision = caller.post(EVALUATE, &generic(id, START)).await.expect(200);
    (decision["action"] == "approve", decision["record"]["autonomy"].clone())
}

/// What is told is what the gate would decide by.
fn assert_agree(told: &Value, by: &Value) {
    for field in ["earned", "successes", "failures"] {
        assert_eq!(told[field], by[field], "{field}: {told:#} {by:#}");
    }
    let bound: f64 = by["failure_bound"].as_str().unwrap().parse().unwrap();
    assert_eq!(told["failure_bound"].as_f64(), Some(bound));
}

/// Puts a policy in force: the one that ships, with this rule.
async fn policy(admin: &Caller, rule: &str) {
    let shipped = admin.get("/policies/shipped").await.expect(200);
    let mut files = shipped["files"].clone();
    let path = "assistant/decision.rego";
    files[path] = json!(format!("{}\n{rule}\n", text(&files, path)));
    let stored = json!({"name": "stricter", "files": files});
    let stored = admin.post("/policies", &stored).await.expect(201);
    let path = format!("/policies/{}/activate", text(&stored, "id"));
    admin.post(&path, &Value::Null).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_to_be_earned_is_what_the_gate_lets_run() {
    let site = Site::start().await;
    let asker = asker(&site).await;
    let ann = site.caller("ann", &[Role::Operator]).await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let none = asker.get("/autonomy").await.expect(200);
    assert_eq!((&none["items"], &none["more"]), (&json!([]), &json!(false)));
    assert_eq!(
        none["limits"],
        json!({"min_successes": 20, "max_failure_bound": 0.05, "certainty": 0.95,
            "max_tier": "medium"})
    );
    let seen = |success: bool| json!({"success": success, "evidence": [{"link": "https://ci.example.com/1"}]});
    for number in 0..57 {
        let body = generic(&format!("seen-{number}"), START);
        taught(&asker, &ann, &body, &seen(true)).await;
    }
    // What is only reported earns nothing.
    taught(&asker, &asker, &generic("word", START), &json!({"success": true})).await;
    let nearly = told(&asker).await;
    let (unasked, by) = decided(&asker, "nearly").await;
    assert_agree(&nearly, &by);
    assert_eq!((unasked, &nearly["earned"], &nearly["needed"]), (false, &json!(false), &json!(58)));
    assert_eq!(
        (&nearly["category"], &nearly["environment_class"], &nearly["action"], &nearly["tier"]),
        (&json!("compute"), &json!("dev"), &json!(START), &json!("low"))
    );
    taught(&asker, &ann, &generic("seen-57", START), &seen(true)).await;
    let last = told(&asker).await;
    let (unasked, by) = decided(&asker, "last").await;
    assert_agree(&last, &by);
    assert_eq!((unasked, &last["earned"], &last["successes"]), (true, &json!(true), &json!(58)));

    // A policy asks for more, in the environments it names: told, and decided, alike.
    let rule = "autonomy := {\"min_successes\": 100} if \"dev\" in input.context.environments";
    policy(&admin, rule).await;
    let more = told(&asker).await;
    let (unasked, by) = decided(&asker, "more").await;
    assert_agree(&more, &by);
    assert_eq!((unasked, &more["earned"], &more["needed"]), (false, &json!(false), &json!(100)));
    assert_eq!(more["limits"]["min_successes"], 100);

    taught(&asker, &ann, &generic("failed", START), &seen(false)).await;
    let failed = told(&asker).await;
    assert_agree(&failed, &decided(&asker, "failed again").await.1);
    assert_eq!((&failed["failures"], &failed["needed"]), (&json!(1), &json!(100)));

    for (query, count) in [("?category=compute", 1), ("?category=network", 0)] {
        let narrowed = asker.get(&format!("/autonomy{query}")).await.expect(200);
        assert_eq!(narrowed["items"].as_array().unwrap().len(), count, "{query}");
    }
    let refused = asker.get("/autonomy?category=weather").await;
    assert_eq!((refused.status.as_u16(), refused.path()), (400, "query.category"));
    let other = site.another_tenant().await;
    let other = site.caller_of(other, "planner", &[Role::Operator]).await;
    assert_eq!(other.get("/autonomy").await.expect(200)["items"], json!([]));
}
