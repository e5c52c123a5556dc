//! R2: three replicas are killed and put to sleep at random while they work.

use std::time::Duration;

use super::chaos::{Plan, Tally, Until, endure, wanted};
use super::checker::assert_holds;
use super::control::Fencing;
use super::deployment::Deployment;

/// The long runs.
const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

const LONG: Plan =
    Plan { seed: 0, executions: 25, step_s: 2.0, time: Duration::from_secs(90), backends: 0 };

/// The short ones: the same faults, and less to do.
const SHORT: Plan =
    Plan { seed: 11, executions: 9, step_s: 0.7, time: Duration::from_secs(25), backends: 0 };

/// Runs a plan with the product's own workers: everything takes effect once.
async fn holds(plan: &Plan) {
    let deployment = Deployment::start().await;
    let tally = endure(&deployment, plan, Fencing::Whole, Until::Done).await;
    assert!(tally.whole(), "{plan:?}: {tally:?}");
    assert_holds(&deployment, &format!("{plan:?}")).await;
}

/// Runs a plan with part of the fencing taken away.
async fn without(fencing: Fencing, plan: &Plan, stop: Until) -> Tally {
    let deployment = Deployment::start().await;
    fencing.prepare(&deployment.test).await;
    endure(&deployment, plan, fencing, stop).await
}

#[tokio::test]
async fn r2_killed_and_put_to_sleep_at_random_three_replicas_do_everything_once() {
    holds(&SHORT).await;
}

/// The faults are such that they do harm where the fencing is not whole.
#[tokio::test]
async fn r2_without_a_guard_on_the_target_the_same_faults_do_things_twice() {
    for fencing in [Fencing::Epoch, Fencing::Naive] {
        // It ends with the first thing done twice.
        let plan = Plan { executions: 25, time: Duration::from_secs(200), ..SHORT };
        let tally = without(fencing, &plan, Until::Twice).await;
        assert!(tally.twice > 0, "{fencing:?}: {tally:?}");
    }
}

#[tokio::test]
async fn r2_in_long_runs_of_five_seeds_everything_is_done_once() {
    if wanted() {
        for seed in SEEDS {
            holds(&Plan { seed, ..LONG }).await;
        }
    }
}

#[tokio::test]
async fn r2_in_long_runs_without_fencing_things_are_done_twice() {
    if wanted() {
        for fencing in [Fencing::Epoch, Fencing::Naive] {
            let tally = without(fencing, &Plan { seed: 1, ..LONG }, Until::Done).await;
            assert!(tally.twice > 0, "{fencing:?}: {tally:?}");
        }
    }
}
