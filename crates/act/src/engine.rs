//! The engine: carries out what the planner decides, each effect between two transactions.
//!
//! T1 writes the intent of every attempt, commits, and only then the effect begins under the
//! attempt's token; T2 writes what came of it. Both carry the lease's epoch, and a write of an old
//! epoch touches nothing. What the database cannot prevent, an effect by a worker that does not
//! know yet that its lease is gone, the guard on the target does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use db::Db;
use gate::clear::{Clearance, Scope};
use model::audit::Who;
use model::connector::Connector;
use model::execution::ExecutionState;
use model::objects::Objects;
use model::time::Timestamp;

use crate::decide::Terms;
use crate::error::Error;
use crate::lease::{Claimed, Lease};
use crate::ports::{Hooks, Logins};
use crate::store;

mod audit;
mod drive;
mod effect;
mod evidence;
mod keeper;
mod mask;
mod output;
mod points;
mod strip;
#[cfg(test)]
mod tests;

pub(crate) use output::{Mark, Piece, Reel, Shown};
pub use points::POINTS;

/// Times and limits of a worker. All times two workers must agree on are the database's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What this worker is called in leases.
    pub worker: String,
    /// As whom it writes audit events.
    pub who: Who,
    /// How long a lease lasts without renewal.
    pub lease_ttl: Duration,
    /// How often it is renewed.
    pub heartbeat: Duration,
    /// How long to wait before asking a silent target again, and before looking for work.
    pub poll: Duration,
    /// How long beyond its own timeout an effect may keep a target silent before its end counts
    /// as unknown.
    pub grace: Duration,
    /// How much output of one attempt is kept, stdout and stderr each, in bytes.
    pub output_cap: usize,
    /// How much of each is shown live, in bytes.
    pub live_cap: usize,
}

impl Settings {
    /// The usual times: a lease of 30 s renewed every 10 s (`security.md` 4a), 16 MiB of output
    /// (decision 26).
    #[must_use]
    pub const fn new(worker: String, who: Who) -> Self {
        Self {
            worker,
            who,
            lease_ttl: Duration::from_secs(30),
            heartbeat: Duration::from_secs(10),
            poll: Duration::from_secs(2),
            grace: Duration::from_secs(60),
            output_cap: 16 << 20,
            live_cap: 256 << 10,
        }
    }
}

/// How one worker's turn at an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It is over.
    Finished(ExecutionState),
    /// A person must say what happened.
    NeedsHuman,
    /// Given back, to be taken up at this time.
    Waiting(Timestamp),
    /// The lease went to somebody else: everything was dropped.
    Lost,
}

/// Carries out executions.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The database.
    pub db: Db,
    /// Connectors by the transport of the target: `ssh`.
    pub connectors: BTreeMap<String, Arc<dyn Connector>>,
    /// Where output and evidence go.
    pub objects: Arc<dyn Objects>,
    /// Who opens sealed secrets.
    pub logins: Arc<dyn Logins>,
    /// How conditions and slots are read.
    pub terms: Arc<dyn Terms>,
    /// What others do at the beginning and the end.
    pub hooks: Arc<dyn Hooks>,
    /// Times and limits.
    pub settings: Settings,
    #[cfg(test)]
    pub(crate) stop: tests::Stop,
}

impl Engine {
    /// Carries an execution on until it ends, waits, or is lost. Dropping the future stops this
    /// worker's part at any point; the next worker takes up from there.
    ///
    /// # Errors
    /// When the clearance is for something else, or the database or the object store fail. The
    /// execution is then taken up again by whoever claims it next.
    pub async fn run(
        self: &Arc<Self>,
        clearance: Clearance,
        claimed: Claimed,
    ) -> Result<Ended, Error> {
        let same = clearance.tenant() == claimed.tenant
            && clearance.execution() == claimed.execution
            && clearance.epoch() == claimed.epoch;
        if !same {
            return Err(Error::NotCleared);
        }
        self.reach("act.claim.after").await;
        let mut tx = self.db.tenant(claimed.tenant).await.map_err(Error::db("beginning"))?;
        let loaded = store::load::load(&mut tx, claimed.execution).await?;
        let shown = store::load::shown(&mut tx, claimed.execution).await?;
        tx.rollback().await.map_err(Error::db("beginning"))?;
        if loaded.epoch != claimed.epoch {
            return Ok(Ended::Lost);
        }
        let undoing = loaded.snapshot.state == ExecutionState::RollingBack;
        if loaded.plan_hash != clearance.plan_hash()
            || (clearance.scope() == Scope::RollbackOnly && !undoing)
        {
            return Err(Error::NotCleared);
        }
        let lease = Arc::new(Lease::new(claimed, self.settings.lease_ttl));
        let tape = Arc::new(output::Tape::after(shown));
        let drive = Box::pin(drive::drive(self, &lease, loaded, &tape));
        tokio::select! {
            ended = drive => ended,
            () = self.keep(&lease) => Ok(Ended::Lost),
        }
    }

    /// Renews the lease until it is lost.
    async fn keep(&self, lease: &Lease) {
        loop {
            tokio::time::sleep(self.settings.heartbeat).await;
            let asked_at = Instant::now();
            match self.renew(lease).await {
                Ok(Some(cancel)) => lease.renewed(asked_at, cancel),
                Ok(None) => {
                    let execution = lease.claimed.execution;
                    tracing::warn!(%execution, "the lease is lost; another worker goes on");
                    return;
                }
                // Nothing new is started meanwhile; what runs on the targets goes on.
                Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
            }
        }
    }

    async fn renew(&self, lease: &Lease) -> Result<Option<bool>, db::Error> {
        let mut tx = self.db.urgent(lease.claimed.tenant).await?;
        let held = store::claim::renew(&mut tx, &lease.claimed, self.settings.lease_ttl).await?;
        tx.commit().await?;
        Ok(held)
    }

    /// Gives an execution back, to be taken up at `until` or at once.
    ///
    /// # Errors
    /// When the database cannot be reached; then the lease runs out by itself.
    pub async fn release(&self, claimed: &Claimed, until: Option<Timestamp>) -> Result<(), Error> {
        let failed = || Error::db("giving an execution back");
        let mut tx = self.db.tenant(claimed.tenant).await.map_err(failed())?;
        store::claim::release(&mut tx, claimed, until).await.map_err(failed())?;
        tx.commit().await.map_err(failed())
    }

    /// Passes a point at which tests can stop this worker or kill the process.
    async fn reach(&self, point: &'static str) {
        db::failpoint::reach(point);
        #[cfg(test)]
        self.stop.at(point).await;
        #[cfg(not(test))]
        std::future::ready(()).await;
    }
}
