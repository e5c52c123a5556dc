//! R3: two servers on one database take each execution once.

use super::checker::assert_holds;
use super::deployment::Deployment;
use super::process::Setup;
use super::runbooks::{Step, runbook};

const EXECUTIONS: usize = 200;

#[tokio::test]
async fn r3_two_servers_claim_two_hundred_executions_once_each() {
    let deployment = Deployment::start().await;
    let look = [Step::check("look")];
    let book = deployment.runbook(&runbook("look", &deployment.effects(), &look)).await;
    let executions = deployment.approved_many(&book, EXECUTIONS).await;
    // The usual lease: nobody dies here, and a busy machine must not look like a dead worker.
    let more = ["--capacity", "16"];
    let setup = Setup { lease_s: 30.0, more: &more, ..deployment.worker() };
    let (mut one, mut other) = (setup.spawn(), setup.spawn());
    let states = deployment.settled(&executions).await;
    assert!(states.iter().all(|state| state == "completed"), "{states:?}");
    let claims: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT owner, count(*), max(epoch) FROM public.claims GROUP BY owner ORDER BY owner",
    )
    .fetch_all(deployment.test.admin())
    .await
    .unwrap();
    let total: i64 = claims.iter().map(|(_, count, _)| count).sum();
    assert_eq!(total, i64::try_from(EXECUTIONS).unwrap(), "{claims:?}");
    assert_eq!(claims.len(), 2, "both worked: {claims:?}");
    assert!(claims.iter().all(|(_, _, epoch)| *epoch == 1), "{claims:?}");
    assert_eq!(deployment.lines().len(), EXECUTIONS, "each took effect once");
    one.stop().await;
    other.stop().await;
    assert_holds(&deployment, "R3").await;
}
