//! R11: the database's clock is put back by a minute while work is under way, and put right again.

use std::path::Path;

use db::testing::TestServer;
use model::id::ExecutionId;
use serde_json::json;

use super::checker::assert_holds;
use super::clock::FakeClock;
use super::deployment::{Deployment, word};
use super::process::Setup;
use super::runbooks::{Step, runbook};
use super::until;

/// By how much the clock is put back, in seconds.
const BACK_S: i64 = 60;

async fn count(deployment: &Deployment, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(deployment.test.admin()).await.expect("a number")
}

/// A runbook whose first step waits for a file.
async fn gated(deployment: &Deployment, name: &str, gate: &Path) -> String {
    let steps = [Step::act("one").waits_for(gate), Step::act("two"), Step::check("check")];
    deployment.runbook(&runbook(name, &deployment.effects(), &steps)).await
}

/// Waits until the first steps of this many executions are under way.
async fn under_way(deployment: &Deployment, executions: usize) {
    until("steps under way", async || {
        let lines = deployment.lines();
        let begun = lines.iter().filter(|line| line[1] == "one").count();
        (begun == executions).then_some(())
    })
    .await;
}

async fn all_completed(deployment: &Deployment, executions: &[ExecutionId]) {
    let states = deployment.settled(executions).await;
    assert!(states.iter().all(|state| state == "completed"), "{states:?}");
}

/// An approval whose time is up, and that has been told so.
async fn expired(deployment: &Deployment) -> String {
    let steps = [Step::act("never"), Step::check("check")];
    let yaml = runbook("late", &deployment.effects(), &steps);
    let book = deployment.runbook(&format!("{yaml}requires_approval: true\n")).await;
    let path = format!("/runbooks/{book}/run");
    let asked = deployment.post(&deployment.operator, &path, &json!({"targets": ["host"]})).await;
    let approval = word(&asked, "approval_id");
    sqlx::query("UPDATE countersign.approvals SET expires_at = clock_timestamp()")
        .execute(deployment.test.admin())
        .await
        .unwrap();
    let path = format!("/approvals/{approval}");
    until("the approval to expire", async || {
        (deployment.get(&path).await["status"] == "expired").then_some(())
    })
    .await;
    approval
}

#[tokio::test]
async fn r11_a_database_whose_clock_goes_back_starts_nothing_twice_and_no_time_is_negative() {
    let clock = FakeClock::new();
    let server = TestServer::sturdy_of(clock.postgres()).await;
    let deployment = Deployment::start_on(server.database().await).await;
    let approval = expired(&deployment).await;
    let gate = |name: &str| deployment.sshd.dir().join(name);
    let first = gated(&deployment, "first", &gate("first")).await;
    let second = gated(&deployment, "second", &gate("second")).await;
    // Long enough that a busy machine does not look like a dead worker.
    let setup = Setup { lease_s: 4.0, ..deployment.worker() };
    let (mut one, mut other) = (setup.start().await, setup.start().await);

    // What runs goes on, and what is asked for afterwards runs as well.
    let mut before = deployment.approved_many(&first, 3).await;
    under_way(&deployment, 3).await;
    clock.set(-BACK_S);
    std::fs::write(gate("first"), "").unwrap();
    all_completed(&deployment, &before).await;
    before.extend(deployment.approved_many(&first, 2).await);
    all_completed(&deployment, &before).await;

    // What had its end before does not end a second time, and does not begin again.
    let path = format!("/approvals/{approval}/approve");
    let (status, answer) =
        deployment.call(&deployment.approver, &path, Some(&json!({"note": "go"}))).await;
    assert_eq!(status, 409, "{answer:#}");

    // Workers die, and others take up what they left, by the clock as it is now.
    let after = deployment.approved_many(&second, 2).await;
    under_way(&deployment, before.len() + 2).await;
    one.kill().await;
    other.kill().await;
    let (mut one, mut other) = (setup.start().await, setup.start().await);
    until("others to take it up", async || {
        let taken = "SELECT count(*) FROM countersign.executions
                     WHERE lease_epoch > 1 AND lease_until IS NOT NULL";
        (count(&deployment, taken).await == 2).then_some(())
    })
    .await;

    // The clock is put right: every lease is over at once, and whoever holds one does not know.
    clock.set(0);
    std::fs::write(gate("second"), "").unwrap();
    all_completed(&deployment, &after).await;
    let last = deployment.approved_many(&first, 2).await;
    all_completed(&deployment, &last).await;

    let mut lines = deployment.lines();
    lines.retain(|line| line[1] != "check");
    let all = lines.len();
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), all, "nothing took effect twice: {lines:?}");
    assert_eq!(all, 2 * (before.len() + after.len() + last.len()));
    for negative in [
        "SELECT count(*) FROM countersign.executions WHERE duration_ms < 0",
        "SELECT count(*) FROM countersign.step_runs WHERE duration_ms < 0",
    ] {
        assert_eq!(count(&deployment, negative).await, 0, "{negative}");
    }
    let fired = "SELECT count(*) FROM countersign.audit_events WHERE action = 'approval.expired'";
    one.stop().await;
    other.stop().await;
    assert_holds(&deployment, "R11").await;
    assert_eq!(count(&deployment, fired).await, 1);
    drop(deployment);
    server.stop().await;
}
