//! The lease of one worker on one execution: how long effects may be started under it.

use std::time::{Duration, Instant};

use model::execution::ExecutionState;
use model::id::{ExecutionId, TenantId};
use tokio::sync::watch;

/// An execution a worker has claimed.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub execution: ExecutionId,
    /// The epoch of this lease; every write carries it.
    pub epoch: i64,
    /// Where the execution stood.
    pub state: ExecutionState,
    /// When the claim was asked for, by this machine's own clock.
    pub asked_at: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Pulse {
    /// When the last renewal that came through was asked for.
    renewed: Instant,
    cancel: bool,
}

/// A held lease.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) claimed: Claimed,
    ttl: Duration,
    pulse: watch::Sender<Pulse>,
}

impl Lease {
    pub(crate) fn new(claimed: Claimed, ttl: Duration) -> Self {
        let pulse = Pulse { renewed: claimed.asked_at, cancel: false };
        Self { claimed, ttl, pulse: watch::Sender::new(pulse) }
    }

    /// Notes a renewal that was asked for at `asked_at`.
    pub(crate) fn renewed(&self, asked_at: Instant, cancel: bool) {
        self.pulse.send_modify(|pulse| {
            pulse.renewed = asked_at;
            pulse.cancel |= cancel;
        });
    }

    /// Notes that a person asked to stop.
    pub(crate) fn cancel(&self, requested: bool) {
        if requested {
            self.pulse.send_modify(|pulse| pulse.cancel = true);
        }
    }

    /// Whether a person asked to stop.
    pub(crate) fn cancelled(&self) -> bool {
        self.pulse.borrow().cancel
    }

    /// Whether an effect may be started now. Half the lease is the margin for a request that is
    /// on its way: whoever cannot renew stops well before somebody else may take over.
    pub(crate) fn fresh(&self) -> bool {
        self.pulse.borrow().renewed.elapsed() <= self.ttl / 2
    }

    /// Waits until an effect may be started. A lost lease never gets there: its holder is dropped.
    pub(crate) async fn wait_fresh(&self) {
        let mut pulse = self.pulse.subscribe();
        while !self.fresh() {
            if pulse.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits for a person to ask to stop.
    pub(crate) async fn wait_cancelled(&self) {
        let mut pulse = self.pulse.subscribe();
        if pulse.wait_for(|pulse| pulse.cancel).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
