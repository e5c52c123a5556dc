//! L10: a real witness beside a real deployment.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::deployment::Deployment;
use super::process::{Process, Setup};
use super::runbooks::{Step, runbook};
use super::until;

const NAME: &str = "witness.example/w1";
const ANSWERS: &str = "the witness answers on http://";

fn witness(dir: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_countersign"), "audit", "witness"])
        .args(["--name", NAME, "--state"])
        .arg(dir.join("witness"))
        .arg("--logs")
        .arg(dir.join("logs"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A running witness, and where it answers.
async fn running(dir: &Path, listen: &str) -> (Process, String) {
    let mut command = witness(dir);
    command.args(["--listen", listen]);
    let mut process = Process::of(command);
    let address = process.says(ANSWERS).await;
    (process, address)
}

/// The keys of every log of a deployment, as an operator gathers them.
fn gather(deployment: &Deployment, to: &Path) {
    let signer = deployment.dir.path().join("signer");
    let mut keys = String::new();
    for name in std::fs::read_dir(signer).unwrap().flatten() {
        for tenant in std::fs::read_dir(name.path()).unwrap().flatten() {
            keys.push_str(&std::fs::read_to_string(tenant.path().join("policy")).unwrap());
        }
    }
    std::fs::write(to.join("logs"), keys).unwrap();
}

async fn witnessed(deployment: &Deployment) -> i64 {
    sqlx::query_scalar("SELECT witnessed FROM countersign.audit_heads WHERE tenant_id = $1")
        .bind(deployment.tenant().uuid())
        .fetch_one(deployment.test.admin())
        .await
        .unwrap()
}

/// `audit verify` with this witness: its exit code and what it says.
fn verified(deployment: &Deployment, key: &str) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["--output", "json", "audit", "verify", "--witness", key, "--data-dir"])
        .arg(deployment.dir.path())
        .args(["--database-url", &deployment.test.url])
        .args(["--tenant", &deployment.tenant().to_string()])
        .output()
        .unwrap();
    let told = serde_json::from_slice(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), told.unwrap_or_else(|error| panic!("{error}: {complained}")))
}

/// Whether something waits for the witness for longer than the limit of two seconds.
async fn behind(deployment: &Deployment) -> bool {
    let behind: Option<bool> = sqlx::query_scalar(
        "SELECT countersign.audit_waiting_since($1, true)
           < clock_timestamp() - interval '2.5 seconds'",
    )
    .bind(deployment.tenant().uuid())
    .fetch_one(deployment.test.admin())
    .await
    .unwrap();
    behind == Some(true)
}

#[tokio::test]
async fn l10_a_deployment_is_cosigned_and_goes_on_without_its_witness_unless_it_is_required() {
    let mut deployment = Deployment::start().await;
    let dir = tempfile::tempdir().unwrap();
    let printed = witness(dir.path()).arg("--print-key").output().unwrap();
    let key = String::from_utf8(printed.stdout).unwrap().trim().to_owned();
    assert!(key.starts_with(NAME), "{key}: {}", String::from_utf8_lossy(&printed.stderr));
    let (mut beside, address) = running(dir.path(), "127.0.0.1:0").await;
    let second = witness(dir.path()).args(["--listen", "127.0.0.1:0"]).output().unwrap();
    assert!(!second.status.success(), "one at a time");

    let policy = deployment.dir.path().join("signer/audit.local");
    let policy = policy.join(deployment.tenant().uuid().to_string()).join("policy");
    until("a signed log", async || policy.exists().then_some(())).await;
    gather(&deployment, dir.path());
    deployment.api.kill().await;
    let url = format!("http://{address}");
    let more = ["--witness-url", &url, "--witness-key", &key, "--witness-required"];
    let more: Vec<&str> = more.into_iter().chain(["--audit-lag-s", "2"]).collect();
    let (database, data) = (deployment.test.url.clone(), deployment.dir.path().to_owned());
    let setup = Setup { role: "api", more: &more, ..Setup::new(&data, Some(&database)) };
    deployment.api = setup.spawn();
    deployment.url = deployment.api.ready().await;
    until("a cosignature", async || (witnessed(&deployment).await > 0).then_some(())).await;
    let change = [Step::act("change"), Step::check("check")];
    let change = deployment.runbook(&runbook("change", &deployment.effects(), &change)).await;
    // The process that was killed may have signed without anchoring: what comes now does both.
    let told = until("a log that verifies", async || {
        let (code, told) = verified(&deployment, &key);
        assert_ne!(code, Some(2), "{told}");
        (code == Some(0)).then_some(told)
    })
    .await;
    assert!(told["witness"]["size"].as_u64().is_some_and(|size| size > 0), "{told}");

    let worker = Setup { more: &more, ..deployment.worker() };
    let mut worker = worker.start().await;
    let first = deployment.approved(&change).await;
    assert_eq!(deployment.settled(&[first]).await, ["completed"]);

    // The witness is gone: the log grows and is signed, and nothing new is started.
    beside.kill().await;
    let look = runbook("look", &deployment.effects(), &[Step::check("look")]);
    deployment.runbook(&look).await;
    until("the alarm under /readyz", async || {
        let ready = format!("{}/readyz", deployment.url);
        let said = deployment.http.get(ready).send().await.unwrap().text().await.unwrap();
        said.contains("logs behind: ").then_some(())
    })
    .await;
    // The alarm may still be about what a busy machine signed late: what holds a start is asked.
    until("a log behind its witness", async || behind(&deployment).await.then_some(())).await;
    let waiting = deployment.approved(&change).await;
    until("a start that is put off", async || {
        let why: Option<String> =
            sqlx::query_scalar("SELECT error_message FROM countersign.executions WHERE id = $1")
                .bind(waiting.uuid())
                .fetch_one(deployment.test.admin())
                .await
                .unwrap();
        why.is_some_and(|why| why.contains("not cosigned by the witness")).then_some(())
    })
    .await;
    let known = witnessed(&deployment).await;
    until("a checkpoint without the witness", async || {
        let signed: i64 = sqlx::query_scalar(
            "SELECT max(size) FROM countersign.audit_checkpoints WHERE tenant_id = $1",
        )
        .bind(deployment.tenant().uuid())
        .fetch_one(deployment.test.admin())
        .await
        .unwrap();
        (signed > known).then_some(())
    })
    .await;
    let (_beside, _) = running(dir.path(), &address).await;
    assert_eq!(deployment.settled(&[waiting]).await, ["completed"]);
    worker.stop().await;
}
