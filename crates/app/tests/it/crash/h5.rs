//! H5: the control plane is killed while the remote prints.

use super::checker::assert_holds;
use super::deployment::{Deployment, word};
use super::process::Setup;
use super::runbooks::{Step, runbook};
use super::until;

const LINES: usize = 150;

/// What the step prints, all of it.
fn printed() -> String {
    (1..=LINES).map(|line| format!("line {line}\n")).collect()
}

/// What was shown live, in order.
async fn shown(deployment: &Deployment, execution: model::id::ExecutionId) -> String {
    let pieces: Vec<String> = sqlx::query_scalar(
        "SELECT message FROM countersign.execution_events
         WHERE execution_id = $1 AND kind = 'output' ORDER BY seq",
    )
    .bind(execution.uuid())
    .fetch_all(deployment.test.admin())
    .await
    .unwrap();
    pieces.concat()
}

#[tokio::test]
async fn h5_killed_while_the_remote_prints_nothing_is_lost_repeated_or_collected_twice() {
    let deployment = Deployment::start().await;
    let prints = format!(
        "i=0; while [ $i -lt {LINES} ]; do i=$((i + 1)); echo line $i; sleep 0.02; done; exit 7"
    );
    let steps =
        [Step::act("print").then(prints).exits_with_7().with_evidence(), Step::check("check")];
    let book = deployment.runbook(&runbook("print", &deployment.effects(), &steps)).await;
    // Long enough that a busy machine does not look like a dead worker before one dies.
    let setup = Setup { lease_s: 4.0, ..deployment.whole() };
    let mut first = setup.start().await;
    let execution = deployment.approved(&book).await;
    until("the first lines", async || {
        shown(&deployment, execution).await.contains("line 20\n").then_some(())
    })
    .await;
    first.kill().await;
    let before = shown(&deployment, execution).await;
    assert!(!before.contains(&format!("line {LINES}\n")), "it was killed too late");
    let mut next = setup.start().await;
    assert_eq!(deployment.settled(&[execution]).await, ["completed"], "{}", next.log.text());
    let live = shown(&deployment, execution).await;
    assert_eq!(live, printed(), "shown live: each line once, in order");
    let seen = deployment.get(&format!("/executions/{execution}?preview=true")).await;
    let step = &seen["steps"][0];
    assert_eq!((step["stdout"].as_str(), step["exit_code"].as_i64()), (Some(&*printed()), Some(7)));
    let evidence = word(&seen["evidence"][0], "id");
    let kept = deployment.get(&format!("/executions/{execution}/evidence/{evidence}")).await;
    assert!(kept.to_string().contains(&printed().replace('\n', "\\n")), "{kept:#}");
    let attempts: Vec<(i32, bool, Option<i32>)> = sqlx::query_as(
        "SELECT a.attempt_no, a.recovered, a.exit_code FROM countersign.attempts a
         JOIN countersign.step_runs r ON r.tenant_id = a.tenant_id AND r.id = a.step_run_id
         WHERE a.execution_id = $1 AND r.step_name = 'print'",
    )
    .bind(execution.uuid())
    .fetch_all(deployment.test.admin())
    .await
    .unwrap();
    assert_eq!(attempts, [(1, true, Some(7))], "adopted, and its code collected once");
    next.stop().await;
    assert_holds(&deployment, "H5").await;
}
