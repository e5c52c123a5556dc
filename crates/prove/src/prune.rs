//! Pruning a log from its beginning (C2SP tlog-tiles: the minimum index).
//!
//! Events older than the tenant keeps are in the archive; here they leave as whole bundles. The
//! tiles stay, so the tree, its checkpoints and every proof given out before stay what they were.
//! That it was done is an event of the log itself, signed before anything leaves: a log that begins
//! later than its own events say was cut by somebody else.

use db::TenantTx;
use model::Timestamp;
use model::audit::{Event, Who};
use model::id::ArchiveId;
use serde::Deserialize;

use crate::directory::{Directory, FileError, Readable};
use crate::merkle::proof::{Nodes as _, Subtree, perfect_parts};
use crate::merkle::{Hash, Range};
use crate::publish::read;
use crate::store::events;
use crate::tile::reader::{Reader, TileError};
use crate::tile::{Kind, Place, WIDTH};

/// What the event is called that says that a log begins later.
pub const PRUNED: &str = "audit.pruned";

/// What the event is called that says that a log has a gap.
pub const RECOVERED: &str = "audit.recovered";

/// Why a log was not pruned.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// The database failed.
    #[error("the log cannot be read or pruned")]
    Database(#[from] db::Error),
    /// A file cannot be read or removed.
    #[error("the directory of the log is not accessible")]
    File(#[from] FileError),
    /// A tile that must stay is not there.
    #[error("the tiles of the log are not whole")]
    Tile(#[from] TileError),
}

/// The place before which a log may be pruned: whole bundles, all of them signed, and never the
/// last of them. `kept` is the first place that must stay.
#[must_use]
pub const fn place(kept: u64, signed: u64) -> u64 {
    let right_edge = signed.saturating_sub(1) / WIDTH * WIDTH;
    let whole = if kept < signed { kept } else { signed } / WIDTH * WIDTH;
    if whole < right_edge { whole } else { right_edge }
}

/// The first place that must stay: that of the first event since `cutoff`.
///
/// # Errors
/// When the log cannot be read.
pub async fn first_kept(tx: &mut TenantTx, cutoff: Timestamp) -> Result<u64, db::Error> {
    match events::first_since(tx, cutoff).await? {
        Some(place) => Ok(place),
        None => events::log_size(tx).await,
    }
}

/// The root of the first `size` entries of a published log, with the hashes it is made of.
///
/// # Errors
/// When a tile is missing.
pub fn range_at(log: &Directory, size: u64, published: u64) -> Result<Range, PruneError> {
    let mut reader = Reader::new(published, |place| read(log, place));
    let peaks = perfect_parts(Subtree { start: 0, end: size })
        .into_iter()
        .map(|(level, index)| reader.node(level, index))
        .collect::<Result<Vec<Hash>, _>>()?;
    Range::from_parts(size, peaks)
        .ok_or_else(|| TileError::Outside { size: published, level: 0, index: size }.into())
}

/// The event that says that the log begins at `range`'s end from now on.
#[must_use]
pub fn event(who: Who, piece: ArchiveId, from: u64, range: &Range) -> Event {
    Event::new(who, PRUNED, "archive", &piece)
        .with("from", from)
        .with("minimum", range.size())
        .with("root", hex::encode(range.root()))
}

/// What of it a verifier needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The log may begin at this place.
    Pruned(u64),
    /// These places may be known by their hashes alone.
    Recovered(u64, u64),
}

impl Notice {
    /// Reads the notice out of an event's canonical bytes; none of other events.
    #[must_use]
    pub fn read(action: &str, canon: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Canon {
            context: Context,
        }
        #[derive(Deserialize)]
        struct Context {
            minimum: Option<u64>,
            from: Option<u64>,
            to: Option<u64>,
        }
        if action != PRUNED && action != RECOVERED {
            return None;
        }
        let Context { minimum, from, to } = serde_json::from_slice::<Canon>(canon).ok()?.context;
        if action == PRUNED { minimum.map(Self::Pruned) } else { Some(Self::Recovered(from?, to?)) }
    }
}

/// Takes the events of a stored piece out of the log, within the transaction, once the event that
/// says so is signed. Says whether it is.
///
/// # Errors
/// When a hold keeps them (constraint `legal_hold`), the log begins elsewhere, or the tiles are not
/// whole: then nothing may be committed.
pub async fn remove(
    tx: &mut TenantTx,
    log: &Directory,
    piece: ArchiveId,
    end: u64,
    signed: u64,
) -> Result<bool, PruneError> {
    let Some(said) = events::place_of(tx, PRUNED, "archive", &piece.to_string()).await? else {
        return Ok(false);
    };
    if said >= signed {
        return Ok(false);
    }
    let range = range_at(log, end, signed)?;
    let edge = range.peaks().concat();
    events::prune(tx, piece, &edge).await?;
    Ok(true)
}

const MINIMUM: &str = "minimum";

/// The first place whose event a published log still has.
///
/// # Errors
/// When the directory cannot be read.
pub fn minimum(log: &Directory) -> Result<u64, FileError> {
    let text = log.read_text(MINIMUM)?.unwrap_or_default();
    Ok(crate::checkpoint::decimal(text.trim_end()).unwrap_or(0))
}

/// Writes where a published log begins.
///
/// # Errors
/// When it cannot be written.
pub fn set_minimum(log: &Directory, minimum: u64) -> Result<(), FileError> {
    log.write(MINIMUM, format!("{minimum}\n").as_bytes(), Readable::ByAll)
}

/// Removes the bundles before `end` from a published log. The tiles stay. Safe to repeat.
///
/// # Errors
/// When a file cannot be removed.
pub fn drop_bundles(log: &Directory, end: u64) -> Result<(), FileError> {
    let from = minimum(log)?;
    // First where it begins: whoever exports meanwhile looks for nothing before it.
    if from < end {
        set_minimum(log, end)?;
    }
    for index in (0..end / WIDTH).rev() {
        let place = Place { kind: Kind::Entries, index, width: WIDTH };
        if !log.remove(&place.path())? && index * WIDTH < from {
            // What is before was removed earlier.
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
