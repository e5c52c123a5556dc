//! Work beside requests: named, supervised, stopped together.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// How long a failed task rests before it is started again.
const REST: Duration = Duration::from_secs(1);

/// The tasks of one process.
#[derive(Debug, Default)]
pub struct Tasks {
    set: JoinSet<()>,
    stop: CancellationToken,
}

impl Tasks {
    /// The token that is cancelled when the process stops.
    #[must_use]
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs `work` until the process stops. Should it end or panic before, it is started again.
    pub fn spawn<F, W>(&mut self, name: &'static str, mut work: W)
    where
        W: FnMut(CancellationToken) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.set.spawn(async move {
            while !stop.is_cancelled() {
                match AbortOnDropHandle::new(tokio::spawn(work(stop.clone()))).await {
                    Ok(()) if stop.is_cancelled() => break,
                    Ok(()) => tracing::warn!(task = name, "task ended early; starting it again"),
                    Err(error) => {
                        tracing::error!(task = name, %error, "task failed; starting it again");
                    }
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(REST) => {}
                }
            }
        });
    }

    /// Tells every task to stop and waits for them, at most `grace`.
    pub async fn stop(mut self, grace: Duration) {
        self.stop.cancel();
        let all = async { while self.set.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            tracing::warn!("some tasks did not stop in time; they are ended");
            self.set.abort_all();
        }
    }
}
