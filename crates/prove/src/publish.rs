//! Publishing a log: tiles, a signed checkpoint, and a copy in the anchor.
//!
//! Each step may be the last before a crash. Tiles come first and never change; the signer's state
//! is next, then the checkpoint file, the database, the anchor. Whatever is missing is made again
//! the next time, with the same bytes.

use db::{AuditKey, Db, TenantTx};
use model::id::{EventId, TenantId};

use crate::anchor::{Anchor, AnchorError};
use crate::checkpoint::{Checkpoint, origin};
use crate::directory::{Directory, FileError, Readable};
use crate::merkle::proof::{ProofError, consistency, subtree_hash};
use crate::merkle::{Hash, Range};
use crate::signer::{Request, SignError, Signer};
use crate::store::checkpoints;
use crate::store::events::{self, Logged};
use crate::tile::builder::{BuildError, Builder, Resource};
use crate::tile::reader::{Reader, TileError};
use crate::tile::{Place, WIDTH};

/// Events read from the database at a time.
const CHUNK: i64 = 4096;

const LATEST: &str = "checkpoint";
const EDGE: &str = "edge";

/// Why a log was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The database does not answer.
    #[error("the log cannot be read or its checkpoint recorded")]
    Database(#[from] db::Error),
    /// A file cannot be read or written.
    #[error("the directory of the log is not accessible")]
    File(#[from] FileError),
    /// A place of the log is empty or taken twice.
    #[error("{origin}: expected event {expected}, found {found:?}")]
    Gap {
        /// The log.
        origin: String,
        /// The place.
        expected: u64,
        /// What came instead.
        found: Option<i64>,
    },
    /// An event was changed after it was sequenced.
    #[error("{origin}: event {seq} does not bear the application's MAC")]
    Mac {
        /// The log.
        origin: String,
        /// The place.
        seq: u64,
    },
    /// The tiles cannot be grown.
    #[error("the tiles cannot be built")]
    Build(#[from] BuildError),
    /// A tile cannot be read back.
    #[error("the tiles cannot be read back")]
    Tile(#[from] TileError),
    /// The log shrank.
    #[error("the log does not continue the signed one")]
    Proof(#[from] ProofError),
    /// The signer refused.
    #[error("the checkpoint is not signed")]
    Sign(#[from] SignError),
    /// The anchor refused or is away.
    #[error("the checkpoint is not anchored")]
    Anchor(#[from] AnchorError),
    /// A blocking task was cut off.
    #[error("the work was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// Where a deployment's logs lie, and who signs them.
#[derive(Debug)]
pub struct Publisher {
    /// The deployment's name, part of every origin.
    pub deployment: String,
    /// The directory of all logs; each lies below its origin.
    pub logs: Directory,
    /// Who signs.
    pub signer: Signer,
    /// Where copies go.
    pub anchor: Option<Anchor>,
    /// The key of the row MACs.
    pub audit_key: AuditKey,
}

impl Publisher {
    /// Publishes what was sequenced since the last time, and signs again when nothing was.
    ///
    /// # Errors
    /// When a step fails; what was done before it stays and is not done again. After
    /// [`PublishError::Anchor`] only the anchor is missing.
    pub async fn publish(&self, db: &Db, tenant: TenantId) -> Result<Checkpoint, PublishError> {
        let origin = origin(&self.deployment, tenant);
        let mut tx = db.tenant(tenant).await?;
        let size = events::log_size(&mut tx).await?;
        let last = self.signer.last(&origin)?;
        let signed = last.as_ref().map_or(0, |last| last.size);
        if size < signed {
            return Err(SignError::Smaller { origin, asked: size, signed }.into());
        }
        let log = self.logs.below(&origin);
        let mut builder = resume(&log, signed)?;
        while builder.range().size() < size {
            builder = self.grow(&mut tx, &origin, builder, size).await?;
        }
        let range = builder.range().clone();
        write_all(&log, builder.finish()).await?;
        let checkpoint = Checkpoint { origin, size: range.size(), root: range.root() };
        let proof = if signed == 0 { Vec::new() } else { continuation(&log, signed, &range)? };
        let note = self.signer.sign(&Request { checkpoint: checkpoint.clone(), proof })?;
        log.write(EDGE, &edge_bytes(&range), Readable::ByAll)?;
        log.write(LATEST, note.as_bytes(), Readable::ByAll)?;
        drop_superseded(&log, signed, size)?;
        checkpoints::record(&mut tx, size, &checkpoint.root, &note).await?;
        tx.commit().await?;
        if let Some(anchor) = self.anchor.clone() {
            let checkpoint = checkpoint.clone();
            tokio::task::spawn_blocking(move || anchor.publish(&checkpoint, &note, &log)).await??;
        }
        Ok(checkpoint)
    }

    /// Reads the next events, checks them once more, and puts them into tiles.
    async fn grow(
        &self,
        tx: &mut TenantTx,
        origin: &str,
        mut builder: Builder,
        size: u64,
    ) -> Result<Builder, PublishError> {
        let from = builder.range().size();
        let most = i64::try_from(size - from).unwrap_or(CHUNK).min(CHUNK);
        let rows = events::from_place(tx, from, most).await?;
        if rows.is_empty() {
            return Err(PublishError::Gap {
                origin: origin.to_owned(),
                expected: from,
                found: None,
            });
        }
        for (expected, Logged { seq, id, canon, mac, .. }) in (from..).zip(&rows) {
            if u64::try_from(*seq) != Ok(expected) {
                let origin = origin.to_owned();
                return Err(PublishError::Gap { origin, expected, found: Some(*seq) });
            }
            // The rows lay in the database since they were sequenced: what somebody changed there
            // must not be signed.
            if !self.audit_key.verify(tx.tenant(), EventId::from(*id), canon, mac) {
                return Err(PublishError::Mac { origin: origin.to_owned(), seq: expected });
            }
            builder.push(canon)?;
        }
        write_all(&self.logs.below(origin), builder.take_finished()).await?;
        Ok(builder)
    }
}

/// The published log in a directory: its checkpoint's note and its right edge.
///
/// # Errors
/// When a file cannot be read.
pub fn published(log: &Directory) -> Result<Option<(String, Option<Range>)>, FileError> {
    let Some(note) = log.read_text(LATEST)? else { return Ok(None) };
    let edge = log.read(EDGE)?.and_then(|bytes| parse_edge(&bytes));
    Ok(Some((note, edge)))
}

fn resume(log: &Directory, size: u64) -> Result<Builder, PublishError> {
    match Builder::resume(size, |place| read(log, place)) {
        Ok(builder) => Ok(builder),
        Err(BuildError::Edge { path }) => {
            tracing::warn!(log = %log.path().display(), path, "rebuilding the tiles of a log");
            Ok(Builder::new())
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn read(log: &Directory, place: Place) -> Option<Vec<u8>> {
    log.read(&place.path()).ok().flatten()
}

async fn write_all(log: &Directory, resources: Vec<Resource>) -> Result<(), PublishError> {
    let log = log.clone();
    let written = tokio::task::spawn_blocking(move || {
        resources
            .iter()
            .try_for_each(|resource| log.write_once(&resource.place.path(), &resource.bytes))
    });
    Ok(written.await??)
}

/// Why the log continues the one of `signed` entries.
fn continuation(log: &Directory, signed: u64, range: &Range) -> Result<Vec<Hash>, PublishError> {
    let mut reader = Reader::with_edge(range, |place| read(log, place));
    consistency(signed, range.size())?
        .into_iter()
        .map(|subtree| Ok(subtree_hash(subtree, &mut reader)?))
        .collect()
}

/// Removes partial tiles whose full version exists now.
fn drop_superseded(log: &Directory, before: u64, size: u64) -> Result<(), FileError> {
    let (mut level, mut old, mut new) = (0, before, size);
    while new > 0 {
        if old % WIDTH > 0 && new / WIDTH > old / WIDTH {
            let place = |kind| Place { kind, index: old / WIDTH, width: WIDTH };
            let hashes = place(crate::tile::Kind::Hashes(level));
            log.remove_directory(&hashes.partial_directory())?;
            if level == 0 {
                let entries = place(crate::tile::Kind::Entries);
                log.remove_directory(&entries.partial_directory())?;
            }
        }
        level += 1;
        old /= WIDTH;
        new /= WIDTH;
    }
    Ok(())
}

/// The right edge of a tree: its size, then the roots of its perfect subtrees.
fn edge_bytes(range: &Range) -> Vec<u8> {
    let mut bytes = range.size().to_be_bytes().to_vec();
    bytes.extend(range.peaks().iter().flatten());
    bytes
}

fn parse_edge(bytes: &[u8]) -> Option<Range> {
    let (size, peaks) = bytes.split_first_chunk()?;
    let (peaks, rest) = peaks.as_chunks::<32>();
    if !rest.is_empty() {
        return None;
    }
    Range::from_parts(u64::from_be_bytes(*size), peaks.to_vec())
}

#[cfg(test)]
mod tests;
