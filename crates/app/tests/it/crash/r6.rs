//! R6: the line to the database breaks at a COMMIT, before it or after it. Nobody but the database
//! knows which; what the transaction was known by says it.

use serde_json::json;

use super::asking::Asking;
use super::checker::assert_holds;
use super::deployment::{Deployment, word};
use super::line::{Line, Loss};
use super::runbooks::{Step, runbook};
use super::until;
use crate::http::{alert, group};

const LOSSES: [Loss; 2] = [Loss::Answer, Loss::Commit];

/// How it comes out what became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The log is asked for the event it told.
    Event,
    /// The lease runs out, and whoever comes next finds what is there.
    Lease,
}

/// Transactions of a worker, and what is said in each and in no other.
const WORK: [(&str, &str, By); 6] = [
    ("the claim", "countersign.claim_execution(", By::Lease),
    ("the start", "INSERT INTO countersign.rate_slots", By::Lease),
    ("T1", "INSERT INTO countersign.attempts", By::Event),
    ("the login", "credential.opened", By::Event),
    ("T2", "UPDATE countersign.attempts AS attempt", By::Event),
    ("the end", "INSERT INTO countersign.outcomes", By::Event),
];

/// A deployment whose processes reach the database over a line that can break.
async fn over_a_line() -> (Deployment, Line) {
    let mut test = db::testing::database().await;
    let line = Line::to(&test.url);
    test.url.clone_from(&line.url);
    (Deployment::start_on(test).await, line)
}

async fn count(deployment: &Deployment, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(deployment.test.admin()).await.expect("a number")
}

#[tokio::test]
async fn r6_a_worker_whose_commits_go_unanswered_does_nothing_twice_and_loses_nothing() {
    let (deployment, line) = over_a_line().await;
    let steps = [Step::act("one"), Step::act("two"), Step::check("check")];
    let book = deployment.runbook(&runbook("once", &deployment.effects(), &steps)).await;
    for (what, part, by) in WORK {
        for loss in LOSSES {
            let execution = deployment.approved(&book).await;
            line.lose(part, loss);
            let mut worker = deployment.worker().spawn();
            until("the line to break", async || line.struck().then_some(())).await;
            let states = deployment.settled(&[execution]).await;
            let log = worker.log.text();
            assert_eq!(states, ["completed"], "{what}, {loss:?}: {log}");
            let settled = match loss {
                Loss::Answer => "broke during a commit; it was kept",
                Loss::Commit => "broke during a commit; it is undone",
            };
            if by == By::Event {
                // The database knows it before the worker has heard of it.
                until(what, async || worker.log.text().contains(settled).then_some(())).await;
            }
            worker.stop().await;
            let id = execution.to_string();
            let lines = deployment.lines();
            for step in ["one", "two", "check"] {
                let effects = lines.iter().filter(|line| line[0] == id && line[1] == step);
                let effects = effects.count();
                // A check may be made again.
                let right = effects == 1 || (step == "check" && effects > 1);
                assert!(right, "{what}, {loss:?}: {step} took effect {effects} times: {log}");
            }
        }
    }
    assert_holds(&deployment, "R6").await;
}

#[tokio::test]
async fn r6_a_request_whose_commit_goes_unanswered_is_carried_out_once() {
    let (deployment, line) = over_a_line().await;
    let rule = json!({"name": "all", "action": "auto_analyze"});
    deployment.post(&deployment.admin, "/alert-rules", &rule).await;
    let steps = [Step::act("one"), Step::check("check")];
    let yaml = runbook("asked", &deployment.effects(), &steps);
    let book = deployment.runbook(&format!("{yaml}requires_approval: true\n")).await;
    let (operator, approver) = (deployment.operator.as_str(), deployment.approver.as_str());
    let run = format!("/runbooks/{book}/run");
    let mut executions = Vec::new();
    for (number, loss) in LOSSES.into_iter().enumerate() {
        // Whoever was kept is told so; whoever was not may ask again.
        let in_time = loss == Loss::Answer;
        let ask = Asking::new(&deployment, operator, &run, json!({"targets": ["host"]}));
        line.lose("INSERT INTO countersign.intents", loss);
        let (at_once, asked) = ask.answered().await;
        assert_eq!((at_once, line.struck()), (in_time, true), "asking, {loss:?}");
        let approve = format!("/approvals/{}/approve", word(&asked, "approval_id"));
        let vote = Asking::new(&deployment, approver, &approve, json!({"note": "go"}));
        line.lose("INSERT INTO countersign.approval_votes", loss);
        let (at_once, ballot) = vote.answered().await;
        assert_eq!((at_once, line.struck()), (in_time, true), "voting, {loss:?}");
        assert_eq!((word(&ballot, "result"), word(&ballot, "status")), approved(), "{loss:?}");
        executions.push(word(&asked, "execution_id").parse().unwrap());
        let alert = group(&[alert("Broken", "host", number, "x")]);
        let fire = Asking::new(&deployment, operator, "/hooks/alertmanager", alert);
        line.lose("INSERT INTO countersign.findings", loss);
        let (at_once, _) = fire.answered().await;
        assert_eq!((at_once, line.struck()), (in_time, true), "an alert, {loss:?}");
    }
    let executions_there = "SELECT count(*) FROM countersign.executions";
    assert_eq!(count(&deployment, executions_there).await, 2);
    assert_eq!(count(&deployment, "SELECT count(*) FROM countersign.approvals").await, 2);
    assert_eq!(count(&deployment, "SELECT count(*) FROM countersign.approval_votes").await, 2);
    assert_eq!(count(&deployment, "SELECT count(*) FROM countersign.findings").await, 2);
    assert_eq!(count(&deployment, "SELECT count(*) FROM countersign.jobs").await, 2);
    // The keys themselves: taken, or answered, and nobody was told.
    for part in ["INSERT INTO countersign.idempotency_keys", "UPDATE countersign.idempotency_keys"]
    {
        for loss in LOSSES {
            let before = count(&deployment, executions_there).await;
            let ask = Asking::new(&deployment, operator, &run, json!({"targets": ["host"]}));
            line.lose(part, loss);
            let (_, asked) = ask.answered().await;
            assert!(line.struck(), "{part}, {loss:?}");
            let (_, again) = ask.answered().await;
            assert_eq!(asked, again, "{part}, {loss:?}: a repetition gets the answer");
            assert_eq!(count(&deployment, executions_there).await, before + 1, "{part}, {loss:?}");
        }
    }
    let mut worker = deployment.worker().start().await;
    let states = deployment.settled(&executions).await;
    assert_eq!(states, ["completed", "completed"], "{}", worker.log.text());
    worker.stop().await;
    assert_holds(&deployment, "R6").await;
}

fn approved() -> (String, String) {
    ("approved".to_owned(), "approved".to_owned())
}
