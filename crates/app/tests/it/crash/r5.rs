//! R5: PostgreSQL ends at once, in the middle of transactions, and comes back.

use std::sync::atomic::{AtomicBool, Ordering};

use db::testing::TestServer;
use futures::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::asking::Asking;
use super::checker::assert_holds;
use super::deployment::{Deployment, word};
use super::runbooks::{Step, runbook};
use super::until;

/// How often it ends.
const ROUNDS: usize = 3;

/// How many runs there are before it does.
const MORE: usize = 20;

/// Who asks for runs all the while, and who is in the middle of a transaction at the end.
const ASKING: usize = 4;
const HELD: usize = 3;

/// Whoever asked, and what came back when it did.
type Asked<'a> = (Asking<'a>, Option<Value>);

/// Asks for one run after another until one is not acknowledged, or it is told to stop.
async fn keeps_asking<'a>(
    deployment: &'a Deployment,
    path: &str,
    stop: &AtomicBool,
) -> Vec<Asked<'a>> {
    let mut asked: Vec<Asked<'a>> = Vec::new();
    while !stop.load(Ordering::SeqCst) && asked.last().is_none_or(|(_, answer)| answer.is_some()) {
        let body = json!({"targets": ["host"]});
        asked.push(first(Asking::new(deployment, &deployment.operator, path, body)).await);
    }
    asked
}

async fn first(asking: Asking<'_>) -> Asked<'_> {
    let (status, answer) = asking.once().await;
    let acknowledged = (200..300).contains(&status);
    assert!(acknowledged || status == 503, "{status} {answer:#}");
    (asking, acknowledged.then_some(answer))
}

/// Ends the server, as `pg_ctl stop -m immediate` does, once there are this many runs, and
/// transactions that are in the middle.
async fn end(server: &TestServer, deployment: &Deployment, runs: usize) {
    until("runs, and open transactions", async || {
        let (open, made): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM pg_stat_activity
                     WHERE application_name = 'countersign' AND wait_event_type = 'Lock'
                       AND datname = current_database()),
                    (SELECT count(*) FROM countersign.executions)",
        )
        .fetch_one(deployment.test.admin())
        .await
        .expect("two numbers");
        let enough = usize::try_from(made).is_ok_and(|made| made >= runs);
        (enough && usize::try_from(open) == Ok(HELD)).then_some(())
    })
    .await;
    let starts = server.starts();
    let pid = server.postmaster().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    kill_process(pid.expect("it runs"), Signal::QUIT).expect("it is ours");
    until("another start", async || (server.starts() > starts).then_some(())).await;
    server.ready().await;
}

/// The ids in a column, as text.
async fn ids(deployment: &Deployment, sql: &'static str) -> Vec<String> {
    let ids: Vec<uuid::Uuid> =
        sqlx::query_scalar(sql).fetch_all(deployment.test.admin()).await.expect("the ids");
    let mut ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.sort();
    ids
}

/// What was answered under each key, in the same form and order.
fn answered(answers: &[Value], key: &str) -> Vec<String> {
    let bare = |answer| word(answer, key).split_once('_').map(|(_, id)| id.to_owned());
    let mut ids: Vec<String> = answers.iter().filter_map(bare).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn r5_what_was_acknowledged_is_there_and_what_was_not_is_carried_out_once_when_asked_again() {
    let server = TestServer::sturdy().await;
    let deployment = Deployment::start_on(server.database().await).await;
    let book = runbook("asked", &deployment.effects(), &[Step::act("one"), Step::check("check")]);
    let path = format!("/runbooks/{}/run", deployment.runbook(&book).await);
    let (mut runs, mut classes, mut again) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        // These get into the middle of their transactions, and no further.
        let mut held = deployment.test.admin().begin().await.unwrap();
        sqlx::query("LOCK TABLE countersign.environments IN SHARE MODE")
            .execute(&mut *held)
            .await
            .unwrap();
        let class = |number: usize| {
            let slug = format!("e{round}-{number}");
            let body = json!({"name": slug, "slug": slug, "class": "dev"});
            first(Asking::new(&deployment, &deployment.admin, "/environments", body))
        };
        let stop = AtomicBool::new(false);
        let ending = async {
            end(&server, &deployment, runs.len() + MORE).await;
            stop.store(true, Ordering::SeqCst);
        };
        let asking = join_all((0..ASKING).map(|_| keeps_asking(&deployment, &path, &stop)));
        let holding = join_all((0..HELD).map(class));
        let (asked, made, ()) = tokio::join!(asking, holding, ending);
        // Its connection is gone, and with it the lock.
        drop(held);
        for (asked, answers) in
            [(asked.into_iter().flatten().collect(), &mut runs), (made, &mut classes)]
        {
            let asked: Vec<Asked<'_>> = asked;
            for (asking, answer) in asked {
                again += usize::from(answer.is_none());
                // What was answered is answered alike; what was not is carried out now.
                let (_, now) = asking.answered().await;
                assert_eq!(answer.as_ref().unwrap_or(&now), &now);
                answers.push(now);
            }
        }
    }
    assert!(again >= ROUNDS * HELD, "only {again} were in the middle of something");
    println!("R5: {} runs, {} classes, {again} asked again", runs.len(), classes.len());
    let there = ids(&deployment, "SELECT id FROM countersign.executions").await;
    assert_eq!(there, answered(&runs, "execution_id"), "one execution each, and no other");
    let there =
        ids(&deployment, "SELECT id FROM countersign.environments WHERE slug <> 'test'").await;
    assert_eq!(there, answered(&classes, "id"), "one environment each, and no other");
    assert_holds(&deployment, "R5").await;
    drop(deployment);
    server.stop().await;
}
