//! What people say of drift: that it may stand for a while, and that others must know.

use model::Clock as _;
use model::actor::Role;
use serde_json::{Value, json};

use super::drift_scans::{Source, open_door};
use super::harness::{Site, SystemClock, text};

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
}
