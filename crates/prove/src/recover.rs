//! Going on after a backup: the anchor, or the signer, has seen a longer log than the database has now.
//!
//! Nobody can bring the events in between back, and nobody may sign another history over them. So
//! their places become a gap: the hashes that were signed stand there, the log goes on behind it, and a
//! signed event says what is lost and who decided it. `audit verify` passes, and shows the gap.

use db::{Db, TenantTx};
use model::audit::{Event, Who};
use model::id::TenantId;

use crate::anchor::{Anchor, AnchorError, read_leaves};
use crate::checkpoint::Checkpoint;
use crate::directory::Directory;
use crate::merkle::{Hash, Range, leaf};
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
    /// Neither anchor nor signer has seen more than the database has.
    #[error("the log is not behind its anchor or its signer: there is nothing to recover")]
    NotBehind,
    /// The signer has signed more than the anchor has, and the log's own tiles do not say what.
    #[error(
        "{signed} entries were signed and {anchored} anchored, and the tiles of the log do not give \
         what was signed: put the log's directory back as it was"
    )]
    SignerAhead {
        /// What the signer signed last.
        signed: u64,
        /// What the anchor has.
        anchored: u64,
    },
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

/// What was seen of a log outside the database.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The anchor.
    pub anchor: &'a Anchor,
    /// What the signer signed last. It may be ahead of an anchor that was away.
    pub signed: Option<&'a Checkpoint>,
    /// The directory of the log, whose tiles were written before that was signed.
    pub log: &'a Directory,
}

/// Begins a recovery epoch of a tenant's log behind what was seen of it. Everything the database has
/// must be as it was seen.
///
/// # Errors
/// When the log is not behind, or is something else than behind.
pub async fn recover(
    db: &Db,
    tenant: TenantId,
    options: &Options<'_>,
    seen: Seen<'_>,
    who: &Who,
    reason: &str,
) -> Result<Recovered, RecoverError> {
    let report = verify(db, tenant, &Options { anchor: Some(seen.anchor), ..*options }).await?;
    let behind = report.first_bad.as_ref().is_none_or(|bad| bad.kind == Kind::BehindAnchor);
    let Some(anchored) = report.anchor.as_ref().map(|state| state.size) else {
        return Err(RecoverError::Tampered(Box::new(report)));
    };
    if !behind || report.cannot_tell.is_some() {
        return Err(RecoverError::Tampered(Box::new(report)));
    }
    let from = report.size;
    let signed = seen.signed.map_or(0, |signed| signed.size);
    if from >= anchored.max(signed) {
        return Err(RecoverError::NotBehind);
    }
    let leaves = match seen.signed.filter(|signed| signed.size > anchored) {
        None => seen.anchor.leaves(options.origin, anchored)?,
        Some(signed) => {
            let ahead = RecoverError::SignerAhead { signed: signed.size, anchored };
            signed_leaves(seen, options.origin, signed, anchored).ok_or(ahead)?
        }
    };
    let mut tx = db.tenant(tenant).await?;
    // Between what is anchored and what is signed nobody has compared yet.
    if !same_rows(&mut tx, &leaves, anchored.min(from), from).await? {
        return Err(RecoverError::Tampered(Box::new(report)));
    }
    tx.rollback().await?;
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

/// The leaf hashes of what the signer signed, from the log's own tiles: they must give the root that
/// was signed, and begin as what is anchored.
fn signed_leaves(
    seen: Seen<'_>,
    origin: &str,
    signed: &Checkpoint,
    anchored: u64,
) -> Option<Vec<Hash>> {
    let leaves = read_leaves(seen.log, origin, signed.size).ok()?;
    let mut range = Range::new();
    leaves.iter().for_each(|leaf| range.push(*leaf));
    let begins = leaves.starts_with(&seen.anchor.leaves(origin, anchored).ok()?);
    (begins && range.root() == signed.root).then_some(leaves)
}

/// Whether the rows of these places have these hashes; places without a row were compared before.
async fn same_rows(
    tx: &mut TenantTx,
    leaves: &[Hash],
    from: u64,
    to: u64,
) -> Result<bool, db::Error> {
    let mut at = from;
    while at < to {
        let most = i64::try_from(to - at).unwrap_or(CHUNK).min(CHUNK);
        let rows = events::from_place(tx, at, most).await?;
        let Some(last) = rows.last() else { return Ok(true) };
        let same = |row: &events::Logged| {
            let expected = usize::try_from(row.seq).ok().and_then(|seq| leaves.get(seq));
            expected == Some(&leaf(&row.canon))
        };
        if !rows.iter().filter(|row| u64::try_from(row.seq).is_ok_and(|seq| seq < to)).all(same) {
            return Ok(false);
        }
        at = u64::try_from(last.seq).map_err(db::Error::internal)? + 1;
    }
    Ok(true)
}

/// Rows compared at a time.
const CHUNK: i64 = 4096;

#[cfg(test)]
mod tests;
