//! What people say of drift: that it may stand for a while, and that others must know.

use model::Clock as _;
use model::actor::Role;
use serde_json::{Value, json};

use super::drift_scans::{Source, open_door};
use super::harness::{Caller, Site, SystemClock, text};

/// A month from now.
fn far() -> String {
    let month = std::time::Duration::from_secs(30 * 24 * 3600);
    (SystemClock.now() + month).to_string()
}

/// A source with one drift, and its finding.
async fn drifted(site: &Site) -> (Source, String) {
    let source = Source::set(site).await;
    let scan = source.begin().await;
    source.tell(&scan, &[open_door()]).await.expect(200);
    source.finish(&scan, json!([])).await;
    let found = source.admin.get("/findings?kind=drift").await.expect(200);
    let finding = text(&found["items"][0], "id");
    (source, finding)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behaviour_16_an_exception_is_pending_until_another_approves_it_and_ends_by_itself() {
    let site = Site::start().await;
    let (source, finding) = drifted(&site).await;
    let admin = &source.admin;
    let approver = site.caller("ann2", &[Role::Approver]).await;
    let shown = async || admin.get(&format!("/findings/{finding}")).await.expect(200);

    let path = format!("/findings/{finding}/accept");
    let wanted = json!({"reason": "until the migration", "expires_at": far()});
    let asked = admin.post(&path, &wanted).await.expect(202);
    assert_eq!(asked["verdict"], "require_approval", "{asked:#}");
    let exception = format!("/exceptions/{}", text(&asked, "exception_id"));
    assert_eq!(admin.get(&exception).await.expect(200)["status"], "pending");
    assert_eq!(shown().await["status"], "open", "asking changes nothing");

    let approval = text(&asked, "approval_id");
    let vote = format!("/approvals/{approval}/approve");
    assert_eq!(admin.post(&vote, &json!({})).await.status.as_u16(), 403);
    let voted = approver.post(&vote, &json!({"note": "fine"})).await.expect(200);
    assert_eq!(voted["result"], "approved", "{voted:#}");
    assert_eq!(admin.get(&exception).await.expect(200)["status"], "approved");
    let accepted = shown().await;
    assert_eq!(
        (&accepted["status"], &accepted["resolution_type"]),
        (&json!("accepted"), &json!("accepted"))
    );
    // A scan that still finds it leaves it accepted.
    let scan = source.begin().await;
    source.tell(&scan, &[open_door()]).await.expect(200);
    source.finish(&scan, json!([])).await;
    assert_eq!(shown().await["status"], "accepted");

    sqlx::query("UPDATE countersign.exceptions SET expires_at = clock_timestamp()")
        .execute(site.test.admin())
        .await
        .unwrap();
    let open = site
        .until("the end of the exception", || async {
            let shown = shown().await;
            (shown["status"] == "open").then_some(shown)
        })
        .await;
    assert_eq!(open["resolution_type"], Value::Null);
    assert_eq!(admin.get(&exception).await.expect(200)["status"], "expired");
    assert!(site.verified(admin.actor.tenant_id).await.ok);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exception_that_is_denied_changes_nothing_and_bad_wishes_are_refused() {
    let site = Site::start().await;
    let (source, finding) = drifted(&site).await;
    let admin = &source.admin;
    let path = format!("/findings/{finding}/accept");
    let asked = admin.post(&path, &json!({"reason": "r", "expires_at": far()})).await.expect(202);
    let approver = site.caller("ann2", &[Role::Approver]).await;
    let vote = format!("/approvals/{}/deny", text(&asked, "approval_id"));
    approver.post(&vote, &json!({"note": "no"})).await.expect(200);
    let exception = format!("/exceptions/{}", text(&asked, "exception_id"));
    assert_eq!(admin.get(&exception).await.expect(200)["status"], "rejected");
    let shown = admin.get(&format!("/findings/{finding}")).await.expect(200);
    assert_eq!(shown["status"], "open");

    for (wanted, field) in [
        (json!({"reason": " ", "expires_at": far()}), "/reason"),
        (json!({"reason": "r", "expires_at": "2020-01-01T00:00:00Z"}), "/expires_at"),
        (json!({"reason": "r", "expires_at": "2099-01-01T00:00:00Z"}), "/expires_at"),
    ] {
        let refused = admin.post(&path, &wanted).await;
        assert_eq!((refused.status.as_u16(), refused.path()), (400, field), "{wanted}");
    }
    let viewer = site.caller("eve", &[Role::Viewer]).await;
    viewer.post(&path, &json!({"reason": "r", "expires_at": far()})).await.expect(403);

    // Escalated is said, and so is that nobody was told.
    let path = format!("/findings/{finding}/escalate");
    viewer.post(&path, &json!({"reason": "r"})).await.expect(403);
    let told = admin.post(&path, &json!({"reason": "an intrusion?"})).await.expect(200);
    assert_eq!(told, json!({"status": "escalated", "delivery": "not configured"}));
    let shown = admin.get(&format!("/findings/{finding}")).await.expect(200);
    assert_eq!(
        (&shown["status"], &shown["resolution_type"]),
        (&json!("escalated"), &json!("escalated"))
    );
    let told = (&shown["escalated_by"], &shown["escalation_reason"]);
    assert_eq!(told, (&json!(admin.actor.id.to_string()), &json!("an intrusion?")));
    // Whoever reads the finding reads who handed it on, and why; of what is escalated once more, the
    // last.
    let operator = site.caller("olga", &[Role::Operator]).await;
    operator.post(&path, &json!({"reason": "  still there "})).await.expect(200);
    let shown = viewer.get(&format!("/findings/{finding}")).await.expect(200);
    assert_eq!(
        (&shown["escalated_by"], &shown["escalation_reason"]),
        (&json!(operator.actor.id.to_string()), &json!("still there"))
    );
    let at: model::Timestamp = text(&shown, "escalated_at").parse().unwrap();
    assert!((SystemClock.now() - at).get_seconds().abs() < 60, "{shown:#}");
}

/// A policy of a provider's, and a resource with two violations: of it and of another policy.
struct Broken {
    policy: String,
    resource: String,
    of_it: String,
    of_another: String,
}

impl Broken {
    async fn set(admin: &Caller) -> Self {
        let environment = json!({"name": "shop", "slug": "shop", "class": "test"});
        let environment = admin.post("/environments", &environment).await.expect(201);
        let resource = json!({
            "environment_id": environment["id"], "name": "appliance",
        });
        let resource = text(&admin.post("/resources", &resource).await.expect(201), "id");
        let (policy, another) = (policy(admin, "tls-1.2").await, policy(admin, "tags").await);
        let of_it = violation(admin, &policy, &resource, "tls").await;
        let of_another = violation(admin, &another, &resource, "tags").await;
        Self { policy, resource, of_it, of_another }
    }

    fn wanted(&self) -> Value {
        json!({
            "policy_id": self.policy, "resource_id": self.resource, "reason": "until it is replaced",
            "expires_at": far(),
        })
    }
}

async fn policy(admin: &Caller, name: &str) -> String {
    let policy = json!({
        "external_id": name, "name": name, "provider": "azure", "type": "custom",
        "status": "active",
    });
    text(&admin.post("/provider-policies", &policy).await.expect(201), "id")
}

async fn violation(admin: &Caller, policy: &str, resource: &str, fingerprint: &str) -> String {
    let violation = json!({
        "kind": "violation", "fingerprint": fingerprint, "title": fingerprint, "severity": "high",
        "resource_id": resource, "violation": {"policy_id": policy},
    });
    text(&admin.post("/findings", &violation).await.expect(200), "id")
}

async fn stands(admin: &Caller, finding: &str) -> String {
    text(&admin.get(&format!("/findings/{finding}")).await.expect(200), "status")
}

/// Asks, and has somebody else approve; gives the exception.
async fn granted(admin: &Caller, approver: &Caller, wanted: &Value) -> String {
    let asked = admin.post("/exceptions", wanted).await.expect(202);
    let vote = format!("/approvals/{}/approve", text(&asked, "approval_id"));
    assert_eq!(approver.post(&vote, &json!({})).await.expect(200)["result"], "approved");
    text(&asked, "exception_id")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exception_of_a_policy_holds_for_its_violations_when_another_approved_it() {
    let site = Site::start().await;
    let admin = &site.caller("ada", &[Role::Admin]).await;
    let approver = &site.caller("ann", &[Role::Approver]).await;
    let broken = Broken::set(admin).await;
    let asked = admin.post("/exceptions", &broken.wanted()).await.expect(202);
    assert_eq!(asked["verdict"], "require_approval", "{asked:#}");
    let exception = format!("/exceptions/{}", text(&asked, "exception_id"));
    let shown = admin.get(&exception).await.expect(200);
    assert_eq!((&shown["status"], &shown["policy_id"]), (&json!("pending"), &json!(broken.policy)));
    assert_eq!(shown["created_by"], admin.actor.id.to_string());
    assert_eq!(stands(admin, &broken.of_it).await, "open", "asking changes nothing");

    // What is approved says which policy, which resource, until when and why.
    let approval = format!("/approvals/{}", text(&asked, "approval_id"));
    let plan = text(&approver.get(&approval).await.expect(200), "plan_id");
    let plan = approver.get(&format!("/plans/{plan}")).await.expect(200).to_string();
    for said in [&broken.policy, &broken.resource, "tls-1.2", "appliance", "until it is replaced"] {
        assert!(plan.contains(said), "{said}: {plan}");
    }
    let vote = format!("{approval}/approve");
    assert_eq!(admin.post(&vote, &json!({})).await.status.as_u16(), 403, "never the asker");
    approver.post(&vote, &json!({"note": "fine"})).await.expect(200);
    assert_eq!(admin.get(&exception).await.expect(200)["status"], "approved");
    assert_eq!(stands(admin, &broken.of_it).await, "accepted");
    assert_eq!(stands(admin, &broken.of_another).await, "open", "of another policy");

    // What is reported while it holds stands from the beginning; elsewhere nothing does.
    let again = violation(admin, &broken.policy, &broken.resource, "tls on another port").await;
    assert_eq!(stands(admin, &again).await, "accepted");
    let detail = admin.get(&format!("/findings/{again}/detail")).await.expect(200);
    assert_eq!(detail["violation"]["exception_id"], asked["exception_id"]);
    let reported = violation(admin, &broken.policy, &broken.resource, "tls").await;
    assert_eq!((&reported, stands(admin, &reported).await), (&broken.of_it, "accepted".to_owned()));

    // Every step is in the log, with who and what.
    site.verified(admin.actor.tenant_id).await;
    let events = admin.get("/audit/events?action=exception.approved").await.expect(200);
    let event = &events["items"][0]["event"];
    assert_eq!(event["actor"]["id"], approver.actor.id.to_string());
    assert!(event.to_string().contains(&broken.policy), "{event:#}");

    sqlx::query("UPDATE countersign.exceptions SET expires_at = clock_timestamp()")
        .execute(site.test.admin())
        .await
        .unwrap();
    site.until("the end of the exception", || async {
        (stands(admin, &broken.of_it).await == "open").then_some(())
    })
    .await;
    assert_eq!(stands(admin, &again).await, "open");
    assert_eq!(admin.get(&exception).await.expect(200)["status"], "expired");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exception_ends_when_it_is_revoked_and_another_one_still_holds() {
    let site = Site::start().await;
    let admin = &site.caller("ada", &[Role::Admin]).await;
    let approver = &site.caller("ann", &[Role::Approver]).await;
    let broken = Broken::set(admin).await;
    let of_policy = granted(admin, approver, &broken.wanted()).await;
    // Of the resource, whatever it breaks.
    let wide = json!({"resource_id": broken.resource, "reason": "it goes", "expires_at": far()});
    let of_resource = granted(admin, approver, &wide).await;
    assert_eq!(stands(admin, &broken.of_another).await, "accepted");

    let viewer = site.caller("eve", &[Role::Viewer]).await;
    let end = |id: &str| format!("/exceptions/{id}/revoke");
    let why = json!({"reason": "it was replaced"});
    viewer.post(&end(&of_policy), &why).await.expect(403);
    let refused = approver.post(&end(&of_policy), &json!({"reason": " "})).await;
    assert_eq!((refused.status.as_u16(), refused.path()), (400, "/reason"));
    approver.post(&end(&of_policy), &why).await.expect(204);
    assert_eq!(stands(admin, &broken.of_it).await, "accepted", "the other one holds for it");
    approver.post(&end(&of_resource), &why).await.expect(204);
    assert_eq!(stands(admin, &broken.of_it).await, "open");
    assert_eq!(stands(admin, &broken.of_another).await, "open");
    let shown = admin.get(&format!("/exceptions/{of_policy}")).await.expect(200);
    assert_eq!((&shown["status"], &shown["revoke_reason"]), (&json!("expired"), &why["reason"]));
    assert_eq!(shown["revoked_by"], approver.actor.id.to_string());
    let again = admin.post(&end(&of_policy), &why).await;
    assert_eq!((again.status.as_u16(), again.code()), (409, "exception_over"));

    // One that waits is withdrawn, and nobody can approve it any more.
    let asked = admin.post("/exceptions", &broken.wanted()).await.expect(202);
    admin.post(&end(&text(&asked, "exception_id")), &why).await.expect(204);
    let vote = format!("/approvals/{}/approve", text(&asked, "approval_id"));
    let late = approver.post(&vote, &json!({})).await;
    assert_eq!(late.status.as_u16(), 409, "{:#}", late.body);
    let path = format!("/exceptions/{}", text(&asked, "exception_id"));
    assert_eq!(admin.get(&path).await.expect(200)["status"], "rejected");
    assert_eq!(stands(admin, &broken.of_it).await, "open");
    site.verified(admin.actor.tenant_id).await;
    let events = admin.get("/audit/events?action=exception.revoked").await.expect(200);
    assert_eq!(events["items"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_exception_cannot_be_about_is_refused() {
    let site = Site::start().await;
    let admin = &site.caller("ada", &[Role::Admin]).await;
    let broken = Broken::set(admin).await;
    let nothing = model::id::ProviderPolicyId::generate().to_string();
    let (bundle, past) = (model::id::ResourceId::generate().to_string(), "2020-01-01T00:00:00Z");
    for (field, value, at) in [
        ("reason", json!(" "), "/reason"),
        ("expires_at", json!(past), "/expires_at"),
        ("expires_at", json!("2099-01-01T00:00:00Z"), "/expires_at"),
        ("recertify_at", json!("2099-01-01T00:00:00Z"), "/recertify_at"),
        ("policy_id", json!(nothing), "/policy_id"),
        ("resource_id", json!(bundle), "/resource_id"),
        ("finding_id", json!(broken.of_it), "/finding_id"),
    ] {
        let mut wanted = broken.wanted();
        wanted[field] = value;
        let refused = admin.post("/exceptions", &wanted).await;
        assert_eq!((refused.status.as_u16(), refused.path()), (400, at), "{wanted}");
    }
    let about_nothing = json!({"reason": "r", "expires_at": far()});
    let refused = admin.post("/exceptions", &about_nothing).await;
    assert_eq!((refused.status.as_u16(), refused.path()), (400, "/policy_id"));
    let approver = site.caller("ann", &[Role::Approver]).await;
    approver.post("/exceptions", &broken.wanted()).await.expect(403);
    assert_eq!(site.count(admin.actor.tenant_id, "exceptions").await, 0);
    // By this door a finding may be meant as well.
    let finding = json!({"finding_id": broken.of_it, "reason": "r", "expires_at": far()});
    granted(admin, &approver, &finding).await;
    assert_eq!(stands(admin, &broken.of_it).await, "accepted");
}
