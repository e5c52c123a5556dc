//! Going on after a backup: the anchor has seen a longer log than the database has now.
//!
//! Nobody can bring the events in between back, and nobody may sign another history over them. So
//! their places become a gap: the anchor's hashes stand there, the log goes on behind it, and a
//! signed event says what is lost and who decided it. `audit verify` passes, and shows the gap.

use db::Db;
use model::audit::{Event, Who};
use model::id::TenantId;

use crate::anchor::{Anchor, AnchorError};
use crate::prune::RECOVERED;
use crate::sequence::task::begin_epoch;
use crate::store::events;
use crate::verify::report::{Kind, Report};
use crate::verify::{Options, verify};

/// Why the log was not taken up.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The database failed.
    #[error("the log cannot be read or continued")]
    Database(#[from] db::Error),
    /// The anchor cannot be read.
    #[error("the anchor cannot be read")]
    Anchor(#[from] AnchorError),
    /// The anchor has seen no more than the database has.
    #[error("the log is not behind its anchor: there is nothing to recover")]
    NotBehind,
    /// Something else is wrong with the log than that its end is missing.
    #[error("the log is not merely behind its anchor: `audit verify` says what else is wrong")]
    Tampered(Box<Report>),
}

/// What was made a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The first place that is lost.
    pub from: u64,
    /// The place where the log goes on.
    pub to: u64,
    /// The number of the epoch that begins.
    pub epoch: i64,
}

/// Begins a recovery epoch of a tenant's log behind what the anchor has seen. Everything the
/// database has must be as the anchor knows it.
///
/// # Errors
/// When the log is not behind its anchor, or is something else than behind.
pub async fn recover(
    db: &Db,
    tenant: TenantId,
    options: &Options<'_>,
    anchor: &Anchor,
    who: &Who,
    reason: &str,
) -> Result<Recovered, RecoverError> {
    let report = verify(db, tenant, &Options { anchor: Some(anchor), ..*options }).await?;
    let behind = report.first_bad.as_ref().is_some_and(|bad| bad.kind == Kind::BehindAnchor);
    let Some(anchored) = report.anchor.as_ref().map(|state| state.size) else {
        return Err(RecoverError::Tampered(Box::new(report)));
    };
    if report.ok {
        return Err(RecoverError::NotBehind);
    }
    if !behind || report.cannot_tell.is_some() {
        return Err(RecoverError::Tampered(Box::new(report)));
    }
    let from = report.size;
    let leaves = anchor.leaves(options.origin, anchored)?;
    let lost = usize::try_from(from).ok().and_then(|from| leaves.get(from..));
    let epoch = begin_epoch(db).await?;
    let mut tx = db.tenant(tenant).await?;
    let to = events::bridge(&mut tx, epoch, &lost.unwrap_or_default().concat()).await?;
    let to = u64::try_from(to).map_err(db::Error::internal)?;
    let event = Event::new(who.clone(), RECOVERED, "audit_log", &options.origin)
        .with("from", from)
        .with("to", to)
        .with("epoch", epoch)
        .with("reason", reason);
    tx.audit(&event).await?;
    tx.commit().await?;
    Ok(Recovered { from, to, epoch })
}

#[cfg(test)]
mod tests;
