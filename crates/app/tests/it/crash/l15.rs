//! L15: a database restored from before, beside the anchor and the signer that know more, and the
//! way back: `countersign audit recover`, as an operator types it.

use std::process::Command;

use db::testing::TestServer;
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use super::deployment::Deployment;
use super::o1::{assert_evidence, dump_to, restored, signed_and_anchored};
use super::process::Setup;
use super::runbooks::{Step, runbook};

/// `countersign audit …` beside the data directory as it is: its exit code, and what it says.
fn audit(deployment: &Deployment, url: &str, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["--output", "json", "audit"])
        .args(arguments)
        .arg("--data-dir")
        .arg(deployment.dir.path())
        .env("DATABASE_URL", url)
        .output()
        .unwrap();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), told, complained)
}

/// Every tenant with a log.
async fn logs(admin: &PgPool) -> Vec<String> {
    let tenants: Vec<Uuid> = sqlx::query_scalar("SELECT tenant_id FROM countersign.audit_heads")
        .fetch_all(admin)
        .await
        .unwrap();
    tenants.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn l15_a_restored_database_goes_on_behind_its_anchor_by_the_command_an_operator_types() {
    let mut deployment = Deployment::start().await;
    let steps = [Step::act("one"), Step::check("check").with_evidence()];
    let book = deployment.runbook(&runbook("lost", &deployment.effects(), &steps)).await;
    let kept = deployment.approved(&book).await;
    let mut worker = deployment.worker().start().await;
    assert_eq!(deployment.settled(&[kept]).await, ["completed"]);
    signed_and_anchored(deployment.test.admin()).await;
    let backup = tempfile::tempdir().unwrap();
    let dump = backup.path().join("dump");
    dump_to(&deployment, &dump).await;
    // A day later, as it were: all of this is in the anchor, and in no backup.
    let lost = deployment.approved(&book).await;
    assert_eq!(deployment.settled(&[lost]).await, ["completed"]);
    worker.stop().await;
    signed_and_anchored(deployment.test.admin()).await;
    deployment.api.stop().await;

    let server = TestServer::start().await;
    let (admin_url, url) = restored(&server, &dump).await;
    let admin = PgPool::connect(&admin_url).await.unwrap();
    let mine = deployment.tenant().uuid().to_string();
    let mut recovered = Vec::new();
    for tenant in logs(&admin).await {
        let verify = ["verify", "--tenant", &*tenant];
        let recover = ["recover", "--tenant", &*tenant, "--reason", "the disk was lost"];
        let (code, told, complained) = audit(&deployment, &url, &verify);
        if code == Some(0) {
            // Nothing was added to it since: there is nothing to go on behind.
            let (code, _, complained) = audit(&deployment, &url, &recover);
            assert_eq!(code, Some(1), "{tenant}: {complained}");
            continue;
        }
        assert_eq!(code, Some(2), "{tenant}: {told} {complained}");
        assert_eq!(told["first_bad"]["kind"], "behind_anchor", "{told}");
        let seen = told["anchor"]["size"].clone();
        let (code, begun, complained) = audit(&deployment, &url, &recover);
        assert_eq!(code, Some(0), "{tenant}: {complained}");
        assert_eq!((&begun["from"], &begun["to"]), (&told["size"], &seen), "{begun}");
        recovered.push((tenant, begun));
    }
    assert!(recovered.iter().any(|(tenant, _)| *tenant == mine), "{recovered:?}");

    // It serves, what was kept is read, and changes run again.
    let mut process = Setup::new(deployment.dir.path(), Some(&url)).start().await;
    deployment.url = process.url().unwrap();
    assert_evidence(&deployment, kept).await;
    let (status, _) =
        deployment.call(&deployment.admin, &format!("/executions/{lost}"), None).await;
    assert_eq!(status, 404, "what came after the backup is lost");
    let next = deployment.approved(&book).await;
    super::until("an execution after it", async || {
        let shown = deployment.get(&format!("/executions/{next}")).await;
        (shown["state"] == "completed").then_some(())
    })
    .await;
    assert_evidence(&deployment, next).await;
    signed_and_anchored(&admin).await;
    // The log passes, and says each time what it has not got, and why.
    for (tenant, begun) in &recovered {
        // It serves meanwhile: what it adds is anchored a moment after it is signed.
        let told = super::until("the anchor of all of it", async || {
            let verify = ["verify", "--tenant", tenant];
            let (code, told, complained) = audit(&deployment, &url, &verify);
            assert_eq!(code, Some(0), "{told} {complained}");
            (told["anchor"]["size"] == told["size"]).then_some(told)
        })
        .await;
        let gap = serde_json::json!([[begun["from"], begun["to"]]]);
        assert_eq!(told["gaps"], gap, "{told}");
        assert!(told["size"].as_u64() > begun["to"].as_u64(), "{told}");
    }
    let told = deployment.get("/audit/events?action=audit.recovered").await;
    assert!(told.to_string().contains("the disk was lost"), "{told:#}");
    process.stop().await;
    admin.close().await;
    server.stop().await;
}
