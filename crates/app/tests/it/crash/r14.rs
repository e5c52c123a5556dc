//! R14: going back, through the real binary.

use model::id::ExecutionId;

use super::checker::assert_holds;
use super::deployment::Deployment;
use super::runbooks::{Step, runbook};

const NAMES: [&str; 3] = ["one", "two", "three"];

fn steps(fails: usize) -> Vec<Step> {
    let mut steps: Vec<Step> = NAMES.iter().map(|name| Step::act(name)).collect();
    steps[fails] = steps[fails].clone().then("exit 3");
    steps.push(Step::check("check"));
    steps
}

/// The lines of an execution, `<step> <direction>`.
fn lines(deployment: &Deployment, execution: ExecutionId) -> Vec<String> {
    let id = execution.to_string();
    let lines = deployment.lines().into_iter();
    lines.filter(|line| line[0] == id).map(|line| format!("{} {}", line[1], line[2])).collect()
}

#[tokio::test]
async fn r14_whatever_step_fails_all_before_it_are_undone_in_reverse() {
    let deployment = Deployment::start().await;
    let mut worker = deployment.worker().start().await;
    for fails in 0..NAMES.len() {
        let name = format!("fails-at-{}", NAMES[fails]);
        let yaml = runbook(&name, &deployment.effects(), &steps(fails));
        let book = deployment.runbook(&yaml).await;
        let execution = deployment.approved(&book).await;
        assert_eq!(deployment.settled(&[execution]).await, ["rolled_back"]);
        let done = NAMES[..=fails].iter().map(|name| format!("{name} do"));
        let undone = NAMES[..=fails].iter().rev().map(|name| format!("{name} undo"));
        let expected: Vec<String> = done.chain(undone).collect();
        assert_eq!(lines(&deployment, execution), expected, "the failing step included");
    }
    worker.stop().await;
    assert_holds(&deployment, "R14").await;
}

#[tokio::test]
async fn r14_the_first_undo_that_fails_ends_it_for_a_person_to_see() {
    let deployment = Deployment::start().await;
    let mut worker = deployment.worker().start().await;
    let mut steps = steps(2);
    steps[1] = steps[1].clone().undo("exit 9");
    let yaml = runbook("undo-fails", &deployment.effects(), &steps);
    let book = deployment.runbook(&yaml).await;
    let execution = deployment.approved(&book).await;
    assert_eq!(deployment.settled(&[execution]).await, ["rollback_failed"]);
    let expected = ["one do", "two do", "three do", "three undo", "two undo"];
    assert_eq!(lines(&deployment, execution), expected, "nothing after it is touched");
    let shown = deployment.get(&format!("/executions/{execution}")).await;
    assert_eq!(shown["state"], "rollback_failed");
    let error = shown["error_message"].as_str().unwrap_or_default();
    assert!(error.contains("undo of two on host"), "{shown:#}");
    // It stays that way: a fresh server does not take it up.
    worker.stop().await;
    let mut fresh = deployment.worker().start().await;
    let yaml = runbook("fine", &deployment.effects(), &[Step::act("fine"), Step::check("check")]);
    let fine = deployment.runbook(&yaml).await;
    let fine = deployment.approved(&fine).await;
    assert_eq!(deployment.settled(&[fine]).await, ["completed"]);
    assert_eq!(deployment.state(execution).await, "rollback_failed");
    assert_eq!(lines(&deployment, execution).len(), expected.len());
    fresh.stop().await;
    assert_holds(&deployment, "R14").await;
}
