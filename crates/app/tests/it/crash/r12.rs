//! R12: a server that is told to stop while steps run.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::checker::assert_holds;
use super::deployment::Deployment;
use super::process::Setup;
use super::runbooks::{Step, runbook};
use super::until;

const RUNNING: usize = 20;

/// What [`Setup`] gives a process to end in.
const GRACE: Duration = Duration::from_secs(10);

async fn readiness(http: &reqwest::Client, url: &str) -> Option<u16> {
    let answer = http.get(format!("{url}/readyz")).send().await.ok()?;
    Some(answer.status().as_u16())
}

#[tokio::test]
async fn r12_a_server_told_to_stop_leaves_its_steps_running_for_the_next_one() {
    let deployment = Deployment::start().await;
    let gate = deployment.sshd.dir().join("gate");
    let steps = [Step::act("slow").waits_for(&gate), Step::check("check")];
    let book = deployment.runbook(&runbook("slow", &deployment.effects(), &steps)).await;
    // The usual lease: what the next server takes up was given back, and has not run out.
    let setup = Setup { lease_s: 30.0, more: &["--drain-s", "1"], ..deployment.whole() };
    let mut first = setup.spawn();
    let url = first.ready().await;
    let http = reqwest::Client::builder().build().unwrap();
    assert_eq!(readiness(&http, &url).await, Some(200));
    let executions = deployment.approved_many(&book, RUNNING).await;
    until("all steps to run", async || (deployment.lines().len() == RUNNING).then_some(())).await;
    first.signal(Signal::TERM);
    let told = Instant::now();
    until("readiness to be denied", async || (readiness(&http, &url).await? == 503).then_some(()))
        .await;
    // It claims nothing any more.
    let late = deployment.approved(&book).await;
    let status = first.end().await;
    assert!(status.success(), "{status}: {}", first.log.text());
    assert!(told.elapsed() < GRACE, "it took {:?}", told.elapsed());
    assert_eq!(deployment.state(late).await, "approved");
    assert_eq!(deployment.lines().len(), RUNNING);
    let mut next = setup.spawn();
    next.ready().await;
    until("the late one to run", async || (deployment.lines().len() == RUNNING + 1).then_some(()))
        .await;
    std::fs::write(&gate, "").unwrap();
    let all = [executions.as_slice(), &[late]].concat();
    let states = deployment.settled(&all).await;
    assert!(states.iter().all(|state| state == "completed"), "{states:?}");
    let adopted: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM countersign.attempts a
         WHERE a.recovered AND a.attempt_no = 1 AND a.state = 'succeeded' AND a.epoch = 1",
    )
    .fetch_one(deployment.test.admin())
    .await
    .unwrap();
    assert_eq!(adopted, i64::try_from(RUNNING).unwrap());
    let slow = deployment.lines().iter().filter(|line| line[1] == "slow").count();
    assert_eq!(slow, RUNNING + 1, "one effect each");
    next.stop().await;
    assert_holds(&deployment, "R12").await;
}
