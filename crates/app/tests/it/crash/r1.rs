//! R1: the server is killed at every named point, and a fresh one takes up what it left.

use std::os::unix::process::ExitStatusExt as _;

use act::engine::POINTS;
use model::id::ExecutionId;

use super::checker::assert_holds;
use super::deployment::Deployment;
use super::runbooks::{Step, runbook};
use super::{LEASE, until};

/// Executions under way at each crash.
const AT_ONCE: usize = 2;

/// Points of the step protocol, on the way forwards.
fn steps() -> Vec<&'static str> {
    let of_steps = |point: &&str| point.starts_with("act.t") || point.starts_with("act.effect");
    POINTS.iter().copied().filter(of_steps).collect()
}

/// Points of the way back.
fn back() -> Vec<&'static str> {
    let of_back = |point: &&str| point.contains("undo") || point.contains("rolling_back");
    POINTS.iter().copied().filter(of_back).collect()
}

/// All other points: claims, states, evidence, ends.
fn states() -> Vec<&'static str> {
    let rest = |point: &&str| !steps().contains(point) && !back().contains(point);
    POINTS.iter().copied().filter(rest).collect()
}

/// Runs executions of this runbook into a crash at `point`, and on to their end.
async fn dies_and_is_taken_up(deployment: &Deployment, book: &str, point: &str, end: &str) {
    let executions = deployment.approved_many(book, AT_ONCE).await;
    let mut dying = dying_at(deployment, point);
    let status = until("the crash, or the end", async || {
        let over = deployment.over(&executions).await;
        dying.ended().map(Some).or_else(|| over.then_some(None))
    })
    .await;
    // What ends everything may let both end before it strikes; the crash comes nevertheless.
    let status = match status {
        Some(status) => status,
        None if point.starts_with("act.finish") => dying.end().await,
        None => panic!("{point} was not passed: {}", dying.log.text()),
    };
    assert_eq!(status.signal(), Some(9), "{point}: {}", dying.log.text());
    let died_at = clock(deployment).await;
    let left = left(deployment, &executions).await;
    let mut fresh = deployment.worker().spawn();
    fresh.ready().await;
    let ready_at = clock(deployment).await;
    let states = deployment.settled(&executions).await;
    assert!(states.iter().all(|state| state == end), "{point}: {states:?} {}", fresh.log.text());
    for execution in left {
        let waited = taken_up_at(deployment, execution, died_at).await - ready_at;
        assert!(waited < 2.0 * LEASE.as_secs_f64(), "{point}: taken up after {waited} s");
    }
    fresh.stop().await;
    assert_holds(deployment, point).await;
}

fn dying_at(deployment: &Deployment, point: &str) -> super::process::Process {
    super::process::Setup { failpoint: Some(point), ..deployment.worker() }.spawn()
}

/// Those of these that are still to be worked on.
async fn left(deployment: &Deployment, executions: &[ExecutionId]) -> Vec<ExecutionId> {
    let mut left = Vec::new();
    for execution in executions {
        if !deployment.over(&[*execution]).await {
            left.push(*execution);
        }
    }
    left
}

/// Seconds by the database's clock.
async fn clock(deployment: &Deployment) -> f64 {
    sqlx::query_scalar("SELECT extract(epoch FROM clock_timestamp())::float8")
        .fetch_one(deployment.test.admin())
        .await
        .expect("the database's clock")
}

/// When an execution was first claimed after the crash.
async fn taken_up_at(deployment: &Deployment, execution: ExecutionId, died_at: f64) -> f64 {
    sqlx::query_scalar(
        "SELECT extract(epoch FROM min(ts))::float8 FROM public.claims
         WHERE execution = $1 AND extract(epoch FROM ts)::float8 > $2",
    )
    .bind(execution.uuid())
    .bind(died_at)
    .fetch_one(deployment.test.admin())
    .await
    .expect("it was claimed")
}

/// Two steps and a check that leaves evidence.
async fn forwards(deployment: &Deployment) -> String {
    let steps = [
        Step::act("one"),
        Step::act("two").semantics("idempotent"),
        Step::check("check").with_evidence(),
    ];
    deployment.runbook(&runbook("forwards", &deployment.effects(), &steps)).await
}

/// Three steps, the last of which fails at `fails`.
async fn backwards(deployment: &Deployment, fails: &'static str) -> String {
    let step = |name| {
        let step = Step::act(name);
        if name == fails { step.then("exit 3") } else { step }
    };
    let check = Step::check("check").then(if fails == "check" { "exit 3" } else { "true" });
    let steps = [step("one"), step("two"), step("three"), check];
    let name = format!("fails-at-{fails}");
    deployment.runbook(&runbook(&name, &deployment.effects(), &steps)).await
}

#[test]
fn r1_every_point_is_on_a_path() {
    let mut on_paths = [steps(), back(), states()].concat();
    on_paths.sort_unstable();
    let mut all = POINTS.to_vec();
    all.sort_unstable();
    assert_eq!(on_paths, all);
}

#[tokio::test]
async fn r1_killed_at_every_boundary_of_a_step_a_fresh_server_goes_on() {
    let deployment = Deployment::start().await;
    let book = forwards(&deployment).await;
    for point in steps() {
        dies_and_is_taken_up(&deployment, &book, point, "completed").await;
    }
}

#[tokio::test]
async fn r1_killed_around_every_change_of_state_a_fresh_server_goes_on() {
    let deployment = Deployment::start().await;
    let book = forwards(&deployment).await;
    for point in states() {
        dies_and_is_taken_up(&deployment, &book, point, "completed").await;
    }
}

#[tokio::test]
async fn r1_killed_at_every_point_of_the_way_back_a_fresh_server_goes_on() {
    let deployment = Deployment::start().await;
    let book = backwards(&deployment, "three").await;
    for point in back() {
        deployment.forget_failures().await;
        dies_and_is_taken_up(&deployment, &book, point, "rolled_back").await;
    }
}

/// Whether the long runs are wanted (`make chaos`).
fn chaos() -> bool {
    let asked = std::env::var_os("COUNTERSIGN_CHAOS").is_some();
    if !asked {
        println!("not run: set COUNTERSIGN_CHAOS, or use `make chaos`");
    }
    asked
}

#[tokio::test]
async fn r1_killed_at_every_point_of_every_way_back_a_fresh_server_goes_on() {
    if !chaos() {
        return;
    }
    let deployment = Deployment::start().await;
    for fails in ["one", "two", "three", "check"] {
        let book = backwards(&deployment, fails).await;
        for point in POINTS {
            // No evidence is asked for, and nothing is checked unless the check is what fails.
            let passed =
                !point.contains("evidence") && (fails == "check" || !point.contains("verifying"));
            if passed {
                deployment.forget_failures().await;
                dies_and_is_taken_up(&deployment, &book, point, "rolled_back").await;
            }
        }
    }
}

#[tokio::test]
async fn r1_killed_at_every_later_boundary_of_a_step_a_fresh_server_goes_on() {
    if !chaos() {
        return;
    }
    let deployment = Deployment::start().await;
    let (there, back_again) = (forwards(&deployment).await, backwards(&deployment, "three").await);
    for time in 2..=2 * AT_ONCE {
        for point in steps() {
            let point = format!("{point}:{time}");
            dies_and_is_taken_up(&deployment, &there, &point, "completed").await;
        }
        for point in back().into_iter().filter(|point| !point.contains("state")) {
            deployment.forget_failures().await;
            let point = format!("{point}:{time}");
            dies_and_is_taken_up(&deployment, &back_again, &point, "rolled_back").await;
        }
    }
}
