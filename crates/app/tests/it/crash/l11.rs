//! L11: the signer is away, or what the log is written to. What runs is finished, what only reads
//! runs, and what would change something waits; people are told.

use std::path::Path;
use std::process::Command;

use model::id::ExecutionId;
use serde_json::{Value, json};

use super::deployment::Deployment;
use super::process::Setup;
use super::runbooks::{Step, runbook};
use super::until;

/// Takes a directory away, so that nothing in it can be read or written even by root.
fn take_away(dir: &Path, name: &str) {
    std::fs::rename(dir.join(name), dir.join(format!("{name}.away"))).unwrap();
    std::fs::write(dir.join(name), "in the way").unwrap();
}

fn bring_back(dir: &Path, name: &str) {
    std::fs::remove_file(dir.join(name)).unwrap();
    std::fs::rename(dir.join(format!("{name}.away")), dir.join(name)).unwrap();
}

/// The same deployment, whose process that answers was started with these arguments.
async fn restarted(deployment: &mut Deployment, more: &[&str]) {
    deployment.api.kill().await;
    let url = deployment.test.url.clone();
    let dir = deployment.dir.path().to_owned();
    let setup = Setup { role: "api", more, ..Setup::new(&dir, Some(&url)) };
    deployment.api = setup.spawn();
    deployment.url = deployment.api.ready().await;
}

async fn text(deployment: &Deployment, path: &str) -> String {
    let answer = deployment.http.get(format!("{}{path}", deployment.url)).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    answer.text().await.unwrap()
}

async fn waits_for(deployment: &Deployment, execution: ExecutionId, reason: &str) {
    until(reason, async || {
        let (state, why): (String, Option<String>) =
            sqlx::query_as("SELECT state, error_message FROM countersign.executions WHERE id = $1")
                .bind(execution.uuid())
                .fetch_one(deployment.test.admin())
                .await
                .unwrap();
        assert_eq!(state, "approved", "{why:?}");
        why.is_some_and(|why| why.contains(reason)).then_some(())
    })
    .await;
}

async fn in_outbox(deployment: &Deployment) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM countersign.audit_outbox WHERE tenant_id = $1")
        .bind(deployment.tenant().uuid())
        .fetch_one(deployment.test.admin())
        .await
        .unwrap()
}

/// What `countersign doctor` finds of the service.
fn doctor(deployment: &Deployment) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["--output", "json", "--server", &deployment.url, "doctor", "--data-dir"])
        .arg(deployment.dir.path())
        .args(["--database-url", &deployment.test.url, "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = told["checks"].as_array().unwrap();
    checks.iter().find(|check| check["what"] == "service").unwrap().clone()
}

#[tokio::test]
async fn l11_with_the_signer_away_what_runs_is_finished_and_what_would_change_something_waits() {
    let mut deployment = Deployment::start().await;
    restarted(&mut deployment, &["--audit-lag-s", "2"]).await;
    let effects = deployment.effects();
    let go = deployment.sshd.dir().join("go");
    let long = [Step::act("long").waits_for(&go), Step::check("check")];
    let long = deployment.runbook(&runbook("long", &effects, &long)).await;
    let change = [Step::act("change"), Step::check("check")];
    let change = deployment.runbook(&runbook("change", &effects, &change)).await;
    let look = deployment.runbook(&runbook("look", &effects, &[Step::check("look")])).await;
    let more = ["--audit-lag-s", "2"];
    let worker = Setup { more: &more, ..deployment.worker() };
    let mut worker = worker.start().await;
    let running = deployment.approved(&long).await;
    until("the long step", async || (deployment.lines().len() == 1).then_some(())).await;

    take_away(deployment.dir.path(), "signer");
    deployment.runbook(&runbook("more", &effects, &[Step::check("look")])).await;
    until("the alarm under /readyz", async || {
        let said = text(&deployment, "/readyz").await;
        (said.starts_with("ready\n") && said.contains("logs behind: ")).then_some(())
    })
    .await;
    let figures = text(&deployment, "/metrics").await;
    let held = figures.lines().find_map(|line| line.strip_prefix("countersign_audit_held_logs "));
    assert!(held.unwrap().parse::<f64>().unwrap() >= 1.0, "{figures}");
    let found = doctor(&deployment);
    assert_eq!(found["health"], "bad", "{found}");
    assert!(found["found"].as_str().unwrap().contains("logs behind"), "{found}");

    let waiting = deployment.approved(&change).await;
    waits_for(&deployment, waiting, "the audit log is ").await;
    let looked = deployment.approved(&look).await;
    assert_eq!(deployment.settled(&[looked]).await, ["completed"], "it changes nothing");
    std::fs::write(&go, "").unwrap();
    assert_eq!(deployment.settled(&[running]).await, ["completed"], "it had begun");
    // The events themselves get their places, and wait for their signature there.
    until("an empty outbox", async || (in_outbox(&deployment).await == 0).then_some(())).await;
    assert_eq!(deployment.state(waiting).await, "approved");

    bring_back(deployment.dir.path(), "signer");
    assert_eq!(deployment.settled(&[waiting]).await, ["completed"]);
    until("no alarm", async || (text(&deployment, "/readyz").await == "ready\n").then_some(()))
        .await;
    assert_eq!(doctor(&deployment)["health"], "good");
    let log = deployment.api.log.text();
    assert!(log.contains("alarm: the audit log is behind"), "{log}");
    worker.stop().await;
}

#[tokio::test]
async fn l11_with_the_store_of_the_log_away_events_wait_where_that_is_the_policy() {
    let mut deployment = Deployment::start().await;
    restarted(&mut deployment, &["--audit-unsigned", "wait"]).await;
    let failures = |deployment: &Deployment| {
        deployment.api.log.text().matches("a log could not be published").count()
    };
    let class = |name: &str| json!({"name": name, "slug": name, "class": "test"});
    let dir = deployment.dir.path().to_owned();
    take_away(&dir, "log");
    deployment.post(&deployment.admin, "/environments", &class("one")).await;
    until("a failure", async || (failures(&deployment) > 0).then_some(())).await;
    deployment.post(&deployment.admin, "/environments", &class("two")).await;
    let before = failures(&deployment);
    until("more failures", async || (failures(&deployment) > before + 2).then_some(())).await;
    assert!(in_outbox(&deployment).await > 0, "sequenced nevertheless");
    bring_back(&dir, "log");
    until("an empty outbox", async || (in_outbox(&deployment).await == 0).then_some(())).await;
}
