//! R8: a target that goes away after a start, and comes back as after a reboot.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::checker::assert_holds;
use super::deployment::Deployment;
use super::runbooks::{Step, runbook};
use super::until;

/// The link by which the guard knows of a started step: `started:<epoch>:<boot>:<pid>.<tick>`.
fn started_link(guard: &Path) -> (std::path::PathBuf, String) {
    let links = fs::read_dir(guard).unwrap().map(|entry| entry.unwrap().path());
    let started = links.filter_map(|path| {
        let link = fs::read_link(&path).ok()?.to_str()?.to_owned();
        link.starts_with("started:").then_some((path, link))
    });
    let found: Vec<_> = started.collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

fn kill(pid: &str) {
    // Fails only when it has ended before.
    kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap(), Signal::KILL).ok();
}

/// Kills the keepers of all steps, and the step of this link.
fn power_off(guard: &Path, link: &str) {
    let step = link.rsplit(':').next().unwrap().split('.').next().unwrap();
    for entry in fs::read_dir(guard).unwrap().flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "by") {
            let keeper = fs::read_to_string(entry.path()).unwrap();
            kill(keeper.split(' ').next().unwrap());
        }
    }
    kill(step);
}

#[tokio::test]
async fn r8_a_target_that_reboots_in_the_middle_of_a_step_needs_a_person() {
    let mut deployment = Deployment::start().await;
    let never = deployment.sshd.dir().join("never");
    let stuck = [
        Step::act("stuck").then(format!(
            "echo half way; while [ ! -e {} ]; do sleep 0.05; done",
            never.display()
        )),
        Step::check("check"),
    ];
    let stuck = deployment.runbook(&runbook("stuck", &deployment.effects(), &stuck)).await;
    let quick = [Step::act("quick"), Step::check("check")];
    let quick = deployment.runbook(&runbook("quick", &deployment.effects(), &quick)).await;
    let mut worker = deployment.worker().start().await;
    let execution = deployment.approved(&stuck).await;
    until("output to be shown", async || {
        let shown: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM countersign.execution_events
                            WHERE execution_id = $1 AND kind = 'output')",
        )
        .bind(execution.uuid())
        .fetch_one(deployment.test.admin())
        .await
        .unwrap();
        shown.then_some(())
    })
    .await;
    let (path, link) = started_link(&deployment.sshd.guard_dir());
    deployment.sshd.stop();
    power_off(&deployment.sshd.guard_dir(), &link);
    let parts: Vec<&str> = link.split(':').collect();
    let rebooted =
        format!("{}:{}:00000000-0000-4000-8000-000000000000:{}", parts[0], parts[1], parts[3]);
    fs::remove_file(&path).unwrap();
    symlink(rebooted, &path).unwrap();
    deployment.sshd.restart().unwrap();
    let states = deployment.settled(&[execution]).await;
    assert_eq!(states, ["needs_human"], "{}", worker.log.text());
    // What came after it was worked on, by this server and by a fresh one, and it was not.
    let after = deployment.approved(&quick).await;
    assert_eq!(deployment.settled(&[after]).await, ["completed"]);
    worker.stop().await;
    let mut fresh = deployment.worker().start().await;
    let after = deployment.approved(&quick).await;
    assert_eq!(deployment.settled(&[after]).await, ["completed"]);
    assert_eq!(deployment.state(execution).await, "needs_human");
    let lines = deployment.lines();
    assert_eq!(lines.iter().filter(|line| line[1] == "stuck").count(), 1, "{lines:?}");
    let shown = deployment.get(&format!("/executions/{execution}?preview=true")).await;
    let step: Vec<&Value> =
        shown["steps"].as_array().unwrap().iter().filter(|step| step["name"] == "stuck").collect();
    assert_eq!(step[0]["state"], "unknown", "{shown:#}");
    assert_eq!(step[0]["stdout"], "half way\n", "the last known output is shown: {shown:#}");
    fresh.stop().await;
    assert_holds(&deployment, "R8").await;
}
