//! Crashes, races and stops of the real binary, on a real database and a real sshd.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "all of it is tests, helpers included"
)]

mod asking;
mod chaos;
mod checker;
mod clock;
mod control;
mod demo_estate;
mod deployment;
mod history;
mod line;
mod process;
mod runbooks;
mod wire;

mod h5;
mod l10;
mod l11;
mod l15;
mod l6;
mod o1;
mod o3;
mod r1;
mod r10;
mod r11;
mod r12;
mod r14;
mod r2;
mod r3;
mod r4;
mod r5;
mod r6;
mod r7;
mod r8;
mod s1;
mod s4;
mod s6;
mod startup;

use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine: a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(400);

/// The lease of workers here (decision 21).
const LEASE: Duration = Duration::from_secs(1);

/// Asks again until there is an answer.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
