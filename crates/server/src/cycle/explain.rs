//! Explain: what a scan found is told why, what belongs to it, and what to do.
//!
//! A finished scan queues a job. The job goes through the scan's open drifts in the order in which
//! they were noticed, a batch a transaction: a job that is repeated finds what it said, and says it
//! no second time. What has been looked at and can no longer change is not looked at again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use db::jobs::Claimed;
use db::{Db, TenantTx};
use jiff::SignedDuration;
use judge::drift::correlate::Rules;
use judge::store::explained::{self, Said, ToSay};
use learn::store::registry::{self, Predicted};
use model::Timestamp;
use model::audit::{Event, Who};
use model::id::{FindingId, ModelId, ScanId, TenantId};
use sense::around::{Around, Drifted};
use sense::store::around;
use serde_json::json;
use tokio::sync::mpsc;

use super::Error;

mod happened;
mod predictor;
mod sight;

use predictor::Predictor;
use sight::{Known, Sight};

/// The subject of the jobs this takes.
pub const SUBJECT: &str = sense::store::scan::EXPLAIN;

/// Drifts that are explained and written together.
const BATCH: usize = 2_000;
/// Drifts noticed within this long are looked at among the same events.
const GROUP: SignedDuration = SignedDuration::from_hours(24);
/// After how long nothing that is told belongs to a drift any more: the longest window, and two days
/// for what is told late.
const SETTLED: SignedDuration = SignedDuration::from_hours(72);
/// How long before it was noticed a call may have made a drift.
const CALLED: SignedDuration = SignedDuration::from_hours(24);
/// How long a job is leased for again after each batch.
const LEASE: Duration = Duration::from_secs(60);
/// What the model is called that says why something drifted.
pub(super) const MODEL: &str = "drift-cause";

/// What came of explaining a scan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Explained {
    /// Drifts of the scan that are not gone.
    pub drifts: usize,
    /// Drifts of which something else is said now than before.
    pub told: usize,
    /// Events that were found to belong to those.
    pub correlations: usize,
}

/// Takes a scan's job to its end.
///
/// # Errors
/// When the database fails: the job is tried again.
pub async fn explain(db: &Db, job: &Claimed) -> Result<(), Error> {
    let scan = job.params.get("scan_id").and_then(|id| id.as_str()?.parse::<ScanId>().ok());
    let Some(scan) = scan else {
        let mut tx = db.tenant(job.tenant).await?;
        job.bury(&mut tx, "the job names no scan").await?;
        tx.commit().await?;
        return Ok(());
    };
    Box::pin(scan_of(db, job.tenant, scan, Some(job))).await?;
    let mut tx = db.tenant(job.tenant).await?;
    job.complete(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Explains what a scan found and is not gone: what its job does, for whoever measures it.
///
/// # Errors
/// When the database fails. What was said up to there stays.
pub async fn explain_scan(db: &Db, tenant: TenantId, scan: ScanId) -> Result<Explained, Error> {
    Box::pin(scan_of(db, tenant, scan, None)).await
}

async fn scan_of(
    db: &Db,
    tenant: TenantId,
    scan: ScanId,
    job: Option<&Claimed>,
) -> Result<Explained, Error> {
    let mut tx = db.tenant(tenant).await?;
    let noticed = around::noticed(&mut tx, scan).await?;
    let known = Arc::new(known(&mut tx).await?);
    let now = tx.now().await?;
    drop(tx);
    let mut done = Explained { drifts: noticed.len(), ..Explained::default() };
    let mut rest = noticed.as_slice();
    while let Some((_, first)) = rest.first() {
        let end = rest.partition_point(|(_, at)| *at <= *first + GROUP);
        let (group, later) = rest.split_at(end);
        rest = later;
        let look = Look { db, tenant, scan, known: &known, now, job };
        Box::pin(look.group(group, &mut done)).await?;
    }
    Ok(done)
}

/// What is the same for all drifts of a tenant.
async fn known(tx: &mut TenantTx) -> Result<Known, Error> {
    let windows = gate::store::windows::enabled(tx).await?;
    let model = registry::active(tx, MODEL).await?;
    Ok(Known {
        looked: around::kept(tx).await?,
        // A window nobody can read closes the gate; of the past it says nothing.
        windows: windows.into_iter().flatten().collect(),
        predictor: model.and_then(Predictor::of),
        outcomes: explained::outcomes(tx).await?,
    })
}

/// A drift to be looked at, with what was said of it before and what tells its state from others.
struct Asked {
    drift: Drifted,
    said: Said,
}

struct Look<'a> {
    db: &'a Db,
    tenant: TenantId,
    scan: ScanId,
    known: &'a Arc<Known>,
    now: Timestamp,
    job: Option<&'a Claimed>,
}

impl Look<'_> {
    /// Explains the drifts of a day, among the events around that day; those are read only when
    /// there is something to be explained.
    async fn group(
        &self,
        group: &[(FindingId, Timestamp)],
        done: &mut Explained,
    ) -> Result<(), Error> {
        let mut sight: Option<Thread> = None;
        for batch in group.chunks(BATCH) {
            let ids: Vec<FindingId> = batch.iter().map(|(id, _)| *id).collect();
            let mut tx = self.db.tenant(self.tenant).await?;
            let asked = self.asked(&mut tx, &ids).await?;
            if asked.is_empty() {
                continue;
            }
            let thread = match &mut sight {
                Some(thread) => thread,
                None => sight.insert(self.open(&mut tx, group).await?),
            };
            let told = thread.explain(asked).await?;
            self.say(&mut tx, &told).await?;
            tx.commit().await?;
            done.told += told.len();
            done.correlations += told.iter().map(|one| one.belonging.len()).sum::<usize>();
            if let Some(job) = self.job {
                job.renew(self.db, LEASE).await?;
            }
        }
        Ok(())
    }

    /// The drifts of a batch of which something else may have to be said than before.
    async fn asked(&self, tx: &mut TenantTx, ids: &[FindingId]) -> Result<Vec<Asked>, Error> {
        let mut said: BTreeMap<FindingId, Said> = explained::said(tx, ids).await?;
        let drifts = around::drifts(tx, ids).await?;
        let asked = drifts.into_iter().filter_map(|drift| {
            let said = said.remove(&drift.finding).unwrap_or_default();
            let settled = drift.began_at + SETTLED < self.now
                && said.advised
                && said.of == Some(self.known.of(&drift, &said));
            (!settled).then_some(Asked { drift, said })
        });
        Ok(asked.collect())
    }

    /// Reads what happened around a day and has somebody look at it.
    async fn open(
        &self,
        tx: &mut TenantTx,
        group: &[(FindingId, Timestamp)],
    ) -> Result<Thread, Error> {
        let first = group.first().map_or(self.now, |(_, at)| *at);
        let last = group.last().map_or(self.now, |(_, at)| *at);
        let (before, after) = Rules::shipped().longest();
        let (from, to) = (first - CALLED - before, last + after);
        let mut happened: Vec<Around> = around::changes(tx, from, to).await?;
        happened.extend(around::alerts(tx, from, to).await?);
        happened.extend(around::security(tx, from, to).await?);
        happened.extend(around::executions(tx, from, to).await?);
        let noticed = around::noticed_between(tx, first - GROUP, last).await?;
        Ok(Thread::start(Arc::clone(self.known), happened, noticed))
    }

    async fn say(&self, tx: &mut TenantTx, told: &[ToSay]) -> Result<(), Error> {
        if told.is_empty() {
            return Ok(());
        }
        explained::say(tx, told).await?;
        let mut causes: BTreeMap<&str, u64> = BTreeMap::new();
        for one in told {
            *causes.entry(one.explained.cause.word()).or_default() += 1;
        }
        let mut event =
            Event::new(Who::service(), "drift_scan.explained", "drift_scan", &self.scan)
                .with("findings", told.len() as u64)
                .with("causes", json!(causes));
        if let Some(predictor) = &self.known.predictor {
            let id: ModelId = predictor.id();
            let said: Vec<Predicted> = told.iter().filter_map(|one| predictor.kept(one)).collect();
            registry::keep_predictions(tx, id, &said).await?;
            event = event.with("ml_model_id", id.to_string());
        }
        tx.audit(&event).await?;
        Ok(())
    }
}

/// Somebody who looks at drifts among the events of a day, on a thread of their own: what they look
/// at is large, and looking takes longer than anybody else should wait.
struct Thread {
    ask: mpsc::Sender<Vec<Asked>>,
    hear: mpsc::Receiver<Vec<ToSay>>,
}

impl Thread {
    fn start(
        known: Arc<Known>,
        happened: Vec<Around>,
        noticed: BTreeMap<model::id::EnvironmentId, Vec<Timestamp>>,
    ) -> Self {
        let (ask, mut asked) = mpsc::channel::<Vec<Asked>>(1);
        let (tell, hear) = mpsc::channel(1);
        // It ends when nobody asks any more.
        drop(tokio::task::spawn_blocking(move || {
            let happened = happened::Happened::of(happened);
            let sight = Sight::new(&known, &happened, &noticed);
            while let Some(batch) = asked.blocking_recv() {
                let told = batch.iter().filter_map(|one| sight.look(&one.drift, &one.said));
                if tell.blocking_send(told.collect()).is_err() {
                    break;
                }
            }
        }));
        Self { ask, hear }
    }

    async fn explain(&mut self, batch: Vec<Asked>) -> Result<Vec<ToSay>, Error> {
        let ended = || Error::Db(db::Error::internal("whoever explains drifts stopped"));
        self.ask.send(batch).await.map_err(|_| ended())?;
        self.hear.recv().await.ok_or_else(ended)
    }
}
