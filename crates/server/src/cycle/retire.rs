//! Retiring: what is old goes to the archive, every hour, by one process at a time.
//!
//! The archive packs and stores; of the signed log it is `prove` that says what may leave and that
//! takes it out, once the event that says so is signed.

use std::sync::Arc;
use std::time::Duration;

use archive::log;
use archive::run::{Archiver, Done, LEADER};
use archive::store::catalogue::{self, Piece};
use db::Db;
use model::id::TenantId;
use model::objects::Objects;
use prove::checkpoint::origin;
use prove::directory::Directory;
use prove::prune;
use prove::publish::Publisher;
use prove::store::events;
use tokio_util::sync::CancellationToken;

use super::store;

/// How often it is looked whether something is due. It matters by the day.
const EVERY: Duration = Duration::from_secs(3600);
/// How long after the start it is looked for the first time: a server that comes up has other
/// things to do.
const FIRST: Duration = Duration::from_secs(120);

/// Why something was not retired. Nothing is lost by it, and it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum RetireError {
    /// The archive's part failed.
    #[error("archiving failed")]
    Archive(#[from] archive::Error),
    /// The log's part failed.
    #[error("pruning the log failed")]
    Prune(#[from] prune::PruneError),
    /// The signer cannot be asked.
    #[error("the signer of the log cannot be asked")]
    Sign(#[from] prove::signer::SignError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] db::Error),
}

/// Retires until told to stop.
pub async fn retire(
    db: Db,
    objects: Arc<dyn Objects>,
    publisher: Arc<Publisher>,
    stop: CancellationToken,
) {
    let archiver = Archiver::new(db, objects);
    let mut wait = FIRST;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = EVERY;
        tokio::select! {
            // Whatever is cut off here is taken up by the next run.
            () = stop.cancelled() => return,
            done = once(&archiver, &publisher) => match done {
                Ok(done) if done != Done::default() => tracing::info!(?done, "old things retired"),
                Ok(_) => {}
                Err(error) => tracing::warn!(error = chain(&error), "retiring failed"),
            }
        }
    }
}

/// Retires once whatever is due of every tenant; nothing while another process does.
///
/// # Errors
/// When the tenants cannot be listed. One tenant's trouble does not keep the others.
pub async fn once(archiver: &Archiver, publisher: &Publisher) -> Result<Done, RetireError> {
    let Some(_leading) = archiver.db.lead(LEADER).await? else { return Ok(Done::default()) };
    let tenants = store::tenants(&archiver.db).await?;
    let mut done = archiver.everyone(&tenants).await?;
    for tenant in tenants {
        match prune_log(archiver, publisher, tenant).await {
            Ok(more) => done.add(more),
            Err(error) => {
                tracing::warn!(%tenant, error = chain(&error), "a log was not pruned");
            }
        }
    }
    Ok(done)
}

/// Takes one tenant's log as far as it goes: finishes what was begun, then packs what is due.
///
/// # Errors
/// When a part fails: the next run goes on where this one ended.
pub async fn prune_log(
    archiver: &Archiver,
    publisher: &Publisher,
    tenant: TenantId,
) -> Result<Done, RetireError> {
    let origin = origin(&publisher.deployment, tenant);
    let directory = publisher.logs.below(&origin);
    let signed = publisher.signer.last(&origin)?.map_or(0, |last| last.size);
    let mut done = Done::default();
    let mut tx = archiver.db.tenant(tenant).await?;
    let terms = log::terms(&mut tx).await?;
    let head = events::head(&mut tx).await?;
    let kept = match terms.cutoff {
        Some(cutoff) => prune::first_kept(&mut tx, cutoff).await?,
        None => head.minimum,
    };
    tx.rollback().await?;
    // Files that a killed process left.
    prune::drop_bundles(&directory, head.minimum).map_err(prune::PruneError::from)?;
    let end = prune::place(kept, signed);
    let mut from = head.minimum;
    for piece in terms.pieces {
        let Some((_, until)) = log::places(&piece) else { continue };
        if until > end {
            // A hold, or a longer rule, that came after it was begun. What is stored already waits
            // until it may go: a piece cut otherwise would never fit beside it.
            if piece.state != "planned" {
                return Ok(done);
            }
            abandon(archiver, tenant, &piece).await?;
            continue;
        }
        if piece.state == "planned" {
            done.add(put(archiver, &directory, (tenant, signed), &piece).await?);
        } else if take_out(archiver, &directory, (tenant, signed), &piece).await? {
            done.removed += 1;
        }
        from = from.max(until);
    }
    while from < end {
        let until = end.min(from + log::MOST);
        let piece = archiver.begin_log(tenant, from, until).await?;
        done.add(put(archiver, &directory, (tenant, signed), &piece).await?);
        from = until;
    }
    Ok(done)
}

async fn abandon(archiver: &Archiver, tenant: TenantId, piece: &Piece) -> Result<(), RetireError> {
    let mut tx = archiver.db.tenant(tenant).await?;
    catalogue::abandon(&mut tx, piece.archive_id()).await?;
    tx.commit().await?;
    Ok(())
}

async fn put(
    archiver: &Archiver,
    log: &Directory,
    (tenant, signed): (TenantId, u64),
    piece: &Piece,
) -> Result<Done, RetireError> {
    let Some((from, until)) = log::places(piece) else { return Ok(Done::default()) };
    let range = prune::range_at(log, until, signed)?;
    let said = prune::event(archiver.who.clone(), piece.archive_id(), from, &range);
    let rows = archiver.put_log(tenant, piece, said).await?;
    Ok(Done { stored: 1, rows, ..Done::default() })
}

/// Says whether the events left the log: not before the event that says so is signed, and only if
/// they are those that were packed.
async fn take_out(
    archiver: &Archiver,
    directory: &Directory,
    (tenant, signed): (TenantId, u64),
    piece: &Piece,
) -> Result<bool, RetireError> {
    let Some((_, until)) = log::places(piece) else { return Ok(false) };
    let mut tx = archiver.db.tenant(tenant).await?;
    if !log::unchanged(&mut tx, piece).await? {
        tracing::error!(
            %tenant, archive = %piece.archive_id(),
            "events of the log are not those that were archived; they stay: run `audit verify`"
        );
        return Ok(false);
    }
    if !prune::remove(&mut tx, directory, piece.archive_id(), until, signed).await? {
        return Ok(false);
    }
    archiver.took_out_log(&mut tx, piece).await?;
    tx.commit().await?;
    prune::drop_bundles(directory, until).map_err(prune::PruneError::from)?;
    Ok(true)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
