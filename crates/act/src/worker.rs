//! The worker: claims executions while it has room, and leaves what it cannot finish to others.

use std::sync::Arc;

use db::wake::Topic;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::engine::{Ended, Engine};
use crate::error::Error;
use crate::lease::Claimed;
use crate::ports::Begin;
use crate::store;

/// Claims and carries out executions of all tenants.
#[derive(Debug, Clone)]
pub struct Worker {
    /// What carries them out.
    pub engine: Arc<Engine>,
    /// How many at the same time.
    pub capacity: usize,
}

impl Worker {
    /// Works until `shutdown`. Then it claims nothing more, lets go of what it follows and gives
    /// the leases back: steps that run on targets go on there, and the next worker adopts them.
    pub async fn run(&self, shutdown: CancellationToken) {
        let mut waker = self.engine.db.waker(Topic::Executions);
        let mut busy = JoinSet::new();
        loop {
            while busy.try_join_next().is_some() {}
            let full = busy.len() >= self.capacity;
            let claimed = if full { None } else { self.claim(&shutdown).await };
            if let Some(claimed) = claimed {
                let (engine, shutdown) = (Arc::clone(&self.engine), shutdown.clone());
                busy.spawn(async move { attend(&engine, claimed, &shutdown).await });
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = waker.wait(db::pause::spread(self.engine.settings.poll)) => {}
                Some(_) = busy.join_next() => {}
            }
        }
        while busy.join_next().await.is_some() {}
    }

    async fn claim(&self, shutdown: &CancellationToken) -> Option<Claimed> {
        if shutdown.is_cancelled() {
            return None;
        }
        let settings = &self.engine.settings;
        let claimed = store::claim(&self.engine.db, &settings.worker, settings.lease_ttl).await;
        claimed.unwrap_or_else(|error| {
            tracing::warn!(error = %chain(&error), "no execution could be claimed");
            None
        })
    }
}

/// One execution, until it ends or this worker must go.
async fn attend(engine: &Arc<Engine>, claimed: Claimed, shutdown: &CancellationToken) {
    let execution = claimed.execution;
    let turn = tokio::select! {
        turn = turn(engine, claimed.clone()) => turn,
        () = shutdown.cancelled() => {
            give_back(engine, &claimed).await;
            return;
        }
    };
    match turn {
        Ok(ended) => tracing::info!(%execution, ?ended, "execution"),
        // The lease is kept until it runs out: whatever failed is given time to recover.
        Err(error) => {
            tracing::error!(%execution, error = %chain(&error), "an execution was put off");
        }
    }
}

async fn turn(engine: &Arc<Engine>, claimed: Claimed) -> Result<Option<Ended>, Error> {
    match engine.hooks.begin(&claimed).await.map_err(Error::Finish)? {
        Begin::Refused => Ok(None),
        Begin::Cleared(clearance) => engine.run(clearance, claimed).await.map(Some),
    }
}

async fn give_back(engine: &Engine, claimed: &Claimed) {
    if let Err(error) = engine.release(claimed, None).await {
        tracing::warn!(error = %chain(&error), "a lease could not be given back; it will run out");
    }
}

/// An error with everything that caused it.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
