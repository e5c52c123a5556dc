//! The sequencer at work: drains every outbox, then publishes what grew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use db::wake::Topic;
use db::{Db, Leadership};
use model::id::TenantId;
use tokio::time::Instant;

use super::{MAX_BATCH, judge};
use crate::publish::{PublishError, Publisher, Unsigned, WitnessedError, chain};
use crate::store::{checkpoints, lag, outbox};
use crate::witness::client::CosignError;

/// How long the sequencer waits when nobody wakes it.
const POLL: Duration = Duration::from_millis(500);

/// How long it lets events gather once it is woken: a round costs about as much for a hundred
/// events as for one.
const GATHER: Duration = Duration::from_millis(20);

/// How often a log that grows gets a new checkpoint.
const SIGN_EVERY: Duration = Duration::from_secs(1);

/// How often a witness that is away, or refuses, is asked again at least.
const SELDOM: Duration = Duration::from_secs(60);

/// How long to wait before trying again to lead, or after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Events that got their place.
    pub appended: usize,
    /// Rows set aside.
    pub quarantined: usize,
}

/// Begins an epoch of sequencing.
///
/// # Errors
/// When the database cannot be asked.
pub async fn begin_epoch(db: &Db) -> Result<i64, db::Error> {
    let mut tx = db.across().await?;
    let epoch = outbox::begin_epoch(&mut tx).await?;
    tx.commit().await?;
    Ok(epoch)
}

/// Gives every waiting event of every tenant its place.
///
/// # Errors
/// When the epoch has ended, or the database does not answer. Trouble with one tenant is reported
/// after the others had their turn.
pub async fn drain(db: &Db, epoch: i64) -> Result<Drained, db::Error> {
    drain_but(db, epoch, &BTreeSet::new()).await
}

/// The same, but for tenants whose events wait.
async fn drain_but(
    db: &Db,
    epoch: i64,
    waiting: &BTreeSet<TenantId>,
) -> Result<Drained, db::Error> {
    let mut tx = db.across().await?;
    let tenants = outbox::pending(&mut tx).await?;
    tx.commit().await?;
    let mut drained = Drained::default();
    let mut failed = None;
    for tenant in tenants.into_iter().filter(|tenant| !waiting.contains(tenant)) {
        if let Err(error) = drain_tenant(db, tenant, epoch, &mut drained).await {
            failed = Some(error);
        }
    }
    failed.map_or(Ok(drained), Err)
}

async fn drain_tenant(
    db: &Db,
    tenant: TenantId,
    epoch: i64,
    drained: &mut Drained,
) -> Result<(), db::Error> {
    loop {
        let batch = drain_batch(db, tenant, epoch).await?;
        drained.appended += batch.appended;
        drained.quarantined += batch.quarantined;
        if batch.appended + batch.quarantined < MAX_BATCH {
            return Ok(());
        }
    }
}

/// One batch of one tenant, in one transaction.
async fn drain_batch(db: &Db, tenant: TenantId, epoch: i64) -> Result<Drained, db::Error> {
    let mut tx = db.tenant(tenant).await?;
    // First the lock: two sequencers must not take rows in one order and append in another.
    outbox::lock_head(&mut tx, epoch).await?;
    let most = i32::try_from(MAX_BATCH).map_err(db::Error::internal)?;
    let waiting = outbox::take(&mut tx, most).await?;
    let batch = judge(tenant, db.audit_key(), &waiting);
    outbox::append(&mut tx, epoch, &batch).await?;
    // Watchers read the log, so it is the log that wakes them.
    tx.signal(Topic::Events);
    tx.commit().await?;
    for (row, fault) in &batch.bad {
        tracing::error!(
            tenant = %tenant, event = %row.id, fault = fault.word(),
            "the audit outbox held a row the application did not write; it is quarantined"
        );
    }
    Ok(Drained { appended: batch.good.len(), quarantined: batch.bad.len() })
}

/// Signs every log that grew or whose checkpoint is due; says which could not be.
///
/// # Errors
/// When the database does not answer.
pub async fn publish_due(
    db: &Db,
    publisher: &Publisher,
    again: &BTreeSet<TenantId>,
) -> Result<BTreeSet<TenantId>, db::Error> {
    let mut tx = db.across().await?;
    let due = checkpoints::unsigned(&mut tx).await?;
    tx.commit().await?;
    let due: BTreeSet<TenantId> =
        due.into_iter().map(|(tenant, _)| tenant).chain(again.iter().copied()).collect();
    let mut failed = BTreeSet::new();
    for tenant in due {
        if let Err(error) = publisher.publish(db, tenant).await {
            let error = chain(&error);
            tracing::error!(tenant = %tenant, error, "a log could not be published");
            failed.insert(tenant);
        }
    }
    Ok(failed)
}

/// Sequences and publishes until `stop` is done. Any number of processes may run it: one leads,
/// the others wait for it to end.
pub async fn run(db: Db, publisher: Arc<Publisher>, stop: impl Future<Output = ()> + Send) {
    tokio::pin!(stop);
    loop {
        let turn = async {
            match db.lead("audit.sequencer").await {
                Ok(Some(mut leadership)) => {
                    if let Err(error) = lead(&db, &publisher, &mut leadership).await {
                        let error = chain(&error);
                        tracing::warn!(error, "the audit sequencer stopped; trying again");
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(error = chain(&error), "the audit sequencer cannot start");
                }
            }
            tokio::time::sleep(db::pause::spread(RETRY)).await;
        };
        tokio::select! {
            () = &mut stop => return,
            () = turn => {}
        }
    }
}

/// Leads until something fails: sequences and signs, and beside that has cosigned what is signed.
async fn lead(
    db: &Db,
    publisher: &Publisher,
    leadership: &mut Leadership,
) -> Result<(), PublishError> {
    tokio::select! {
        ended = sequence(db, publisher, leadership) => ended,
        () = cosign(db, publisher) => Ok(()),
    }
}

async fn sequence(
    db: &Db,
    publisher: &Publisher,
    leadership: &mut Leadership,
) -> Result<(), PublishError> {
    let epoch = begin_epoch(db).await?;
    tracing::info!(epoch, "sequencing the audit log");
    let mut waker = db.waker(Topic::Audit);
    let mut so_far = SoFar::default();
    loop {
        leadership.confirm().await?;
        round(db, publisher, epoch, &mut so_far).await?;
        waker.wait(POLL).await;
        tokio::time::sleep(GATHER).await;
    }
}

/// What a leader knows from its earlier rounds.
#[derive(Debug, Default)]
pub(crate) struct SoFar {
    /// The logs that could not be published.
    again: BTreeSet<TenantId>,
    signed_at: Option<Instant>,
}

/// One round: gives waiting events their places, and signs when that is due.
pub(crate) async fn round(
    db: &Db,
    publisher: &Publisher,
    epoch: i64,
    so_far: &mut SoFar,
) -> Result<Drained, PublishError> {
    if so_far.signed_at.is_none() && publisher.unsigned == Unsigned::Wait {
        // A new leader does not know yet which logs cannot be signed: it asks before it lets
        // anything in.
        let mut tx = db.across().await?;
        let pending = outbox::pending(&mut tx).await?;
        tx.commit().await?;
        so_far.again = publish_due(db, publisher, &pending.into_iter().collect()).await?;
    }
    let drained = match publisher.unsigned {
        Unsigned::Sequence => drain(db, epoch).await,
        Unsigned::Wait => drain_but(db, epoch, &so_far.again).await,
    };
    if so_far.signed_at.is_none_or(|at| at.elapsed() >= SIGN_EVERY) {
        so_far.signed_at = Some(Instant::now());
        so_far.again = publish_due(db, publisher, &so_far.again).await?;
    }
    Ok(drained?)
}

/// Shows the witness what is signed, for as long as there is one. It may be away for as long as it
/// likes: it is asked again, ever more seldom, and nothing waits here.
async fn cosign(db: &Db, publisher: &Publisher) {
    if publisher.witness.is_none() {
        std::future::pending::<()>().await;
    }
    let mut patience = SIGN_EVERY;
    let mut rest: BTreeMap<TenantId, Instant> = BTreeMap::new();
    loop {
        tokio::time::sleep(patience).await;
        match cosign_due(db, publisher, &mut rest).await {
            Ok(true) => patience = SIGN_EVERY,
            Ok(false) => patience = (patience * 2).min(SELDOM),
            Err(error) => {
                tracing::warn!(error = chain(&error), "what to have cosigned cannot be read");
                patience = (patience * 2).min(SELDOM);
            }
        }
    }
}

/// Has every log cosigned that needs it; says whether the witness answers.
///
/// A log it refuses, or gives no proper answer for, rests for a while: it will hardly think better of
/// it, and the others must have their turn. Only no answer at all ends the round.
///
/// # Errors
/// When the database does not answer.
pub async fn cosign_due(
    db: &Db,
    publisher: &Publisher,
    rest: &mut BTreeMap<TenantId, Instant>,
) -> Result<bool, db::Error> {
    let mut tx = db.across().await?;
    let due = lag::uncosigned(&mut tx).await?;
    tx.commit().await?;
    rest.retain(|_, until| *until > Instant::now());
    for tenant in due {
        if rest.contains_key(&tenant) {
            continue;
        }
        match publisher.cosign(db, tenant).await {
            Ok(_) => {}
            Err(WitnessedError::Cosign(CosignError::Refused(refusal))) => {
                tracing::error!(tenant = %tenant, %refusal, "the witness refuses the audit log");
                rest.insert(tenant, Instant::now() + SELDOM);
            }
            Err(WitnessedError::Cosign(error @ CosignError::Away(_))) => {
                tracing::warn!(error = chain(&error), "the audit log is not cosigned");
                return Ok(false);
            }
            Err(error) => {
                tracing::error!(tenant = %tenant, error = chain(&error), "a log is not cosigned");
                rest.insert(tenant, Instant::now() + SELDOM);
            }
        }
    }
    Ok(true)
}
