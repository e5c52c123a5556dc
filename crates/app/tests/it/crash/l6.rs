//! L6: `audit verify` as anybody runs it, and an anchor nobody renews any more.

use std::fs::File;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::deployment::Deployment;
use super::until;

/// `audit verify`, with these options more: its exit code and what it says.
fn verified(deployment: &Deployment, more: &[&str]) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["--output", "json", "audit", "verify", "--data-dir"])
        .arg(deployment.dir.path())
        .args(["--database-url", &deployment.test.url])
        .args(["--tenant", &deployment.tenant().to_string()])
        .args(more)
        .output()
        .unwrap();
    let told = serde_json::from_slice(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), told.unwrap_or_else(|error| panic!("{error}: {complained}")))
}

#[tokio::test]
async fn l6_an_anchor_nobody_renewed_for_hours_is_no_proof_unless_that_is_asked_for() {
    let mut deployment = Deployment::start().await;
    until("a log that is as it was signed", async || {
        let (code, told) = verified(&deployment, &[]);
        assert_ne!(code, Some(2), "{told}");
        (code == Some(0)).then_some(())
    })
    .await;
    deployment.api.stop().await;
    let anchored = deployment.dir.path().join("anchor/audit.local");
    let anchored = anchored.join(deployment.tenant().uuid().to_string()).join("checkpoint");
    let written = File::open(&anchored).unwrap().metadata().unwrap().modified().unwrap();
    let aged = |minutes: u64| {
        let at = written - Duration::from_secs(60 * minutes);
        File::open(&anchored).unwrap().set_modified(at).unwrap();
    };
    // One hourly checkpoint may be late.
    aged(110);
    assert_eq!(verified(&deployment, &[]).0, Some(0));
    aged(3 * 60);
    let (code, told) = verified(&deployment, &[]);
    assert_eq!((code, &told["ok"]), (Some(3), &Value::Bool(false)), "{told}");
    assert!(told["cannot_tell"].as_str().is_some_and(|why| why.contains("s old")), "{told}");
    assert!(told["anchor"]["age"].as_i64().is_some_and(|age| age > 7_200), "{told}");
    assert_eq!(verified(&deployment, &["--max-anchor-age", "20000"]).0, Some(0));
}
