//! R7: a worker that was asleep for longer than its lease, and wakes up with an effect under way.

use std::time::{Duration, Instant};

use connect_ssh::testing::Sshd;
use rustix::process::Signal;

use super::checker::assert_holds;
use super::deployment::Deployment;
use super::process::Setup;
use super::runbooks::{Step, runbook};
use super::until;
use super::wire::Wire;

/// Nothing is on its way any more when nothing moved for this long.
const QUIET: Duration = Duration::from_millis(500);

/// The lease here.
const LEASE: Duration = Duration::from_secs(3);

/// The least the guard sends is its answer, padded to this.
const ANSWER: usize = 256;

#[tokio::test]
async fn r7_what_a_zombie_starts_is_refused_by_the_target_and_what_it_writes_touches_nothing() {
    let sshd = Sshd::start().unwrap();
    let wire = Wire::to(sshd.port()).await;
    let deployment = Deployment::behind(sshd, wire.port).await;
    let steps = [Step::act("one"), Step::check("check")];
    let book = deployment.runbook(&runbook("once", &deployment.effects(), &steps)).await;
    // The first run leaves the zombie-to-be with an open connection.
    // Long enough that a busy machine does not make a zombie of the other one too.
    let setup = Setup { lease_s: LEASE.as_secs_f64(), ..deployment.worker() };
    let mut zombie = setup.start().await;
    let warm = deployment.approved(&book).await;
    assert_eq!(deployment.settled(&[warm]).await, ["completed"]);
    assert_eq!(wire.connections(), 1);
    wire.quiet(0, QUIET).await;
    // A channel, and the guard at its other end; then the script it waits for is held back.
    wire.hold_after(0, 2);
    let execution = deployment.approved(&book).await;
    // T1 is written and the start is on its way, to its last byte, when the worker falls asleep.
    until("a start on its way", async || (wire.held(0) > 0).then_some(())).await;
    wire.quiet(0, QUIET).await;
    zombie.signal(Signal::STOP);
    let asleep = Instant::now();
    let mut other = setup.start().await;
    let states = deployment.settled(&[execution]).await;
    assert_eq!(states, ["completed"], "{}", other.log.text());
    until("two leases", async || (asleep.elapsed() > 2 * LEASE).then_some(())).await;
    let attempts: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT a.direction || a.attempt_no, a.epoch, a.state
         FROM countersign.attempts a
         JOIN countersign.step_runs r ON r.tenant_id = a.tenant_id AND r.id = a.step_run_id
         WHERE a.execution_id = $1 AND r.step_name = 'one' ORDER BY a.attempt_no",
    )
    .bind(execution.uuid())
    .fetch_all(deployment.test.admin())
    .await
    .unwrap();
    let state = |no: &str, epoch: i64, state: &str| (no.to_owned(), epoch, state.to_owned());
    assert_eq!(attempts, [state("do1", 1, "fenced"), state("do2", 2, "succeeded")]);
    let before = everything(&deployment).await;
    // The start arrives at last, and the guard answers that it came too late.
    wire.release(0);
    until("the guard's answer", async || (wire.answered(0) >= ANSWER).then_some(())).await;
    zombie.signal(Signal::CONT);
    until("the zombie to see it", async || {
        zombie.log.text().contains("the lease is lost").then_some(())
    })
    .await;
    // It works again, for others.
    other.stop().await;
    let next = deployment.approved(&book).await;
    assert_eq!(deployment.settled(&[next]).await, ["completed"], "{}", zombie.log.text());
    zombie.stop().await;
    assert_eq!(everything(&deployment).await[..before.len()], before[..], "not a row was touched");
    let id = execution.to_string();
    let lines = deployment.lines();
    let effects = lines.iter().filter(|line| line[0] == id && line[1] == "one").count();
    assert_eq!(effects, 1, "{lines:?}");
    assert_holds(&deployment, "R7").await;
}

/// Every row about executions there is, oldest first.
async fn everything(deployment: &Deployment) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT row FROM (
           SELECT id, 1 AS kind, e::text AS row FROM countersign.executions e
           UNION ALL SELECT execution_id, 2, r::text FROM countersign.step_runs r
           UNION ALL SELECT execution_id, 3, a::text FROM countersign.attempts a
           UNION ALL SELECT execution_id, 4, t::text FROM countersign.tool_calls t
           UNION ALL SELECT execution_id, 5, v::text FROM countersign.execution_events v) all_rows
         ORDER BY id, kind, row",
    )
    .fetch_all(deployment.test.admin())
    .await
    .unwrap()
}
