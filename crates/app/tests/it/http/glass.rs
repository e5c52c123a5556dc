//! Breaking the glass: emergency authority, loud and reviewed.

use model::Clock as _;
use model::actor::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Site, SystemClock, text};
use super::identity::{person, refused};
use super::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn breaking_the_glass_replaces_votes_alone_is_loud_and_is_reviewed_by_somebody_else() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let runbook = site.runbook(&stage.admin, super::stage::REPAIR).await;
    let holder = person(&site, "ann-s", &[Role::Approver, Role::Operator]).await;
    let operator = person(&site, "opa-s", &[Role::Operator]).await;
    let other = person(&site, "bob-s", &[Role::Approver]).await;
    let ann = &holder.caller;
    // Her own request: she may not approve it, and two others would have to.
    let run = json!({"targets": ["web-1"], "variables": {"NOTE": "x"}});
    let asked = ann.post(&format!("/runbooks/{runbook}/run"), &run).await.expect(202);
    let approval = format!("/approvals/{}", text(&asked, "approval_id"));
    let alone = json!({"break_glass": true, "note": "down"});
    let vote = format!("{approval}/approve");
    assert_eq!(refused(&ann.post(&vote, &json!({})).await), (403, "own_request"));
    assert_eq!(refused(&ann.post(&vote, &alone).await), (409, "glass_not_broken"));
    // A reason, a bound, a person, a role.
    let reason = "Checkout is down and nobody else answers";
    assert_eq!(ann.post("/break-glass", &json!({"reason": "because"})).await.path(), "/reason");
    let long = ann.post("/break-glass", &json!({"reason": reason, "minutes": 121})).await;
    assert_eq!(long.path(), "/minutes");
    let wanted = json!({"reason": reason, "minutes": 10});
    assert_eq!(refused(&operator.caller.post("/break-glass", &wanted).await), (403, "forbidden"));
    let key = site.key_of(ann.actor.clone()).await;
    assert_eq!(refused(&key.post("/break-glass", &wanted).await), (403, "not_a_person"));
    let glass = ann.post("/break-glass", &wanted).await.expect(201);
    let glass_path = format!("/break-glass/{}", text(&glass, "id"));
    assert_eq!(glass["review"], "open");
    // It is hers alone, and gives an approval, not a start that guards would refuse.
    assert_eq!(refused(&other.caller.post(&vote, &alone).await), (409, "glass_not_broken"));
    let day = |days: i64| {
        let at = model::Timestamp::from_second(SystemClock.now().as_second() + days * 86_400);
        at.unwrap().strftime("%Y-%m-%dT%H:%M:%S").to_string()
    };
    let freeze = json!({"name": "freeze", "start_time": day(-2), "end_time": day(300)});
    let window = stage.admin.post("/blackout-windows", &freeze).await.expect(201);
    assert_eq!(ann.post(&vote, &alone).await.expect(200)["result"], "approved");
    let shown = stage.admin.get(&approval).await.expect(200);
    assert_eq!(
        [&shown["alone"], &shown["alone_name"]],
        [&json!(ann.actor.id), &json!(ann.actor.display_name)]
    );
    assert_eq!(shown["expires_at"], glass["expires_at"], "the start must come while it lasts");
    let execution = text(&asked, "execution_id");
    site.until("the start that the freeze keeps back", || async {
        let seen = ann.get(&format!("/executions/{execution}")).await.expect(200);
        assert_eq!(seen["state"], "approved", "{seen:#}");
        let kept: bool = sqlx::query_scalar(
            "SELECT next_run_at > clock_timestamp() FROM countersign.executions WHERE id = $1",
        )
        .bind(execution.parse::<model::id::ExecutionId>().unwrap().uuid())
        .fetch_one(site.test.admin())
        .await
        .unwrap();
        kept.then_some(())
    })
    .await;
    assert!(stage.effects().is_empty(), "the freeze was broken too");
    let over = format!("/blackout-windows/{}", text(&window, "id"));
    stage.admin.send(Method::DELETE, &over, &Value::Null).await.expect(204);
    site.reaches(ann, &execution, "completed").await;
    // Not a second time before somebody else has looked at the first.
    ann.post(&format!("{glass_path}/end"), &Value::Null).await.expect(204);
    assert_eq!(refused(&ann.post("/break-glass", &wanted).await), (409, "review_open"));
    let review = json!({"verdict": "justified", "notes": "went through it"});
    let review_path = format!("{glass_path}/review");
    assert_eq!(refused(&ann.post(&review_path, &review).await), (403, "own_review"));
    let by_key = site.key_of(other.caller.actor.clone()).await;
    assert_eq!(refused(&by_key.post(&review_path, &review).await), (403, "not_a_person"));
    let closed = other.caller.post(&review_path, &review).await.expect(200);
    assert_eq!((&closed["review"], &closed["verdict"]), (&json!("closed"), &json!("justified")));
    assert_eq!(closed["approvals"][0], asked["approval_id"]);
    let twice = other.caller.post(&review_path, &review).await;
    assert_eq!(refused(&twice), (409, "already_reviewed"));
    ann.post("/break-glass", &wanted).await.expect(201);
    all_is_in_the_log(&site, &stage).await;
}

async fn all_is_in_the_log(site: &Site, stage: &Stage) {
    assert!(site.verified(site.tenant()).await.ok);
    for (action, count) in [
        ("started", 2),
        ("used", 1),
        ("ended", 1),
        ("refused", 1),
        ("reviewed", 1),
        ("review_refused", 2),
    ] {
        let path = format!("/audit/events?action=break_glass.{action}");
        let events = stage.admin.get(&path).await.expect(200);
        assert_eq!(events["items"].as_array().unwrap().len(), count, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_approved_under_emergency_authority_that_was_given_back_does_not_begin() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let runbook = site.runbook(&stage.admin, super::stage::REPAIR).await;
    let ann = person(&site, "ann-s", &[Role::Approver, Role::Operator]).await.caller;
    let run = json!({"targets": ["web-1"], "variables": {"NOTE": "x"}});
    let asked = ann.post(&format!("/runbooks/{runbook}/run"), &run).await.expect(202);
    let wanted = json!({"reason": "Checkout is down and nobody else answers", "minutes": 10});
    let glass = ann.post("/break-glass", &wanted).await.expect(201);
    // Something keeps the start back for as long as the authority lasts.
    let day = |days: i64| {
        let at = model::Timestamp::from_second(SystemClock.now().as_second() + days * 86_400);
        at.unwrap().strftime("%Y-%m-%dT%H:%M:%S").to_string()
    };
    let freeze = json!({"name": "freeze", "start_time": day(-2), "end_time": day(300)});
    let window = stage.admin.post("/blackout-windows", &freeze).await.expect(201);
    let vote = format!("/approvals/{}/approve", text(&asked, "approval_id"));
    let alone = json!({"break_glass": true, "note": "down"});
    assert_eq!(ann.post(&vote, &alone).await.expect(200)["result"], "approved");
    ann.post(&format!("/break-glass/{}/end", text(&glass, "id")), &Value::Null).await.expect(204);
    let over = format!("/blackout-windows/{}", text(&window, "id"));
    stage.admin.send(Method::DELETE, &over, &Value::Null).await.expect(204);
    site.reaches(&ann, &text(&asked, "execution_id"), "expired").await;
    assert!(stage.effects().is_empty(), "it began all the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn breaking_the_glass_is_one_at_a_time_for_a_person_and_ends_by_itself() {
    let site = Site::start().await;
    let ann = person(&site, "ann-s", &[Role::Approver]).await;
    let wanted = json!({"reason": "Checkout is down and nobody else answers"});
    let tries = (0..5).map(|_| ann.caller.post("/break-glass", &wanted));
    let all = futures::future::join_all(tries).await;
    assert_eq!(all.iter().filter(|reply| reply.status.as_u16() == 201).count(), 1);
    // A second account of hers is she.
    let second = person(&site, "ann-t", &[Role::Approver]).await;
    sqlx::query("UPDATE countersign.users SET upn = 'ann@example.com' WHERE id = $1")
        .bind(second.user.uuid())
        .execute(site.test.admin())
        .await
        .unwrap();
    sqlx::query("UPDATE countersign.break_glass SET person = 'ann@example.com'")
        .execute(site.test.admin())
        .await
        .unwrap();
    assert_eq!(refused(&second.caller.post("/break-glass", &wanted).await), (409, "review_open"));
    let glass = ann.caller.get("/break-glass").await.expect(200)["items"][0].clone();
    let review = json!({"verdict": "justified", "notes": "x"});
    let path = format!("/break-glass/{}/review", text(&glass, "id"));
    assert_eq!(refused(&second.caller.post(&path, &review).await), (403, "own_review"));
}
