//! R4: processes of PostgreSQL's are killed while replicas are killed and put to sleep: each time
//! the server drops every session there is.

use std::time::Duration;

use db::testing::TestServer;

use super::chaos::{Plan, Until, endure, wanted};
use super::checker::assert_holds;
use super::control::Fencing;
use super::deployment::Deployment;

/// Runs a plan on a database of its own, which crashes.
async fn holds(plan: &Plan) {
    let server = TestServer::sturdy().await;
    let deployment = Deployment::start_on(server.database().await).await;
    let tally = endure(&deployment, plan, Fencing::Whole, Until::Done).await;
    assert!(tally.crashed > 0, "{plan:?}: {tally:?}");
    assert!(tally.whole(), "{plan:?}: {tally:?}");
    // Whoever answers requests has come back as well.
    deployment.get("/executions").await;
    assert_holds(&deployment, &format!("{plan:?}")).await;
    drop(deployment);
    server.stop().await;
}

#[tokio::test]
async fn r4_while_postgresql_crashes_three_replicas_do_everything_once() {
    let time = Duration::from_secs(25);
    holds(&Plan { seed: 41, executions: 9, step_s: 0.7, time, backends: 3 }).await;
}

#[tokio::test]
async fn r4_in_long_runs_with_eight_crashes_of_postgresql_everything_is_done_once() {
    if wanted() {
        let time = Duration::from_secs(90);
        holds(&Plan { seed: 42, executions: 25, step_s: 2.0, time, backends: 8 }).await;
    }
}
