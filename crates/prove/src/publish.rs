//! Publishing a log: tiles, a signed checkpoint, and a copy in the anchor.
//!
//! Each step may be the last before a crash. Tiles come first and never change; the signer's state
//! is next, then the checkpoint file, the database, the anchor. Whatever is missing is made again
//! the next time, with the same bytes.

use db::{AuditKey, Db, TenantTx};
use model::id::{EventId, TenantId};

use crate::anchor::{Anchor, AnchorError, read_leaves};
use crate::checkpoint::{Checkpoint, origin};
use crate::continuation;
use crate::directory::{Directory, FileError, Readable};
use crate::merkle::proof::ProofError;
use crate::merkle::{Hash, Range};
use crate::signer::{Request, SignError, Signer};
use crate::store::checkpoints;
use crate::store::events::{self, Logged};
use crate::tile::builder::{BuildError, Builder, Resource};
use crate::tile::reader::{Reader, TileError};
use crate::tile::{Kind, Place, WIDTH};
use crate::witness::client::{Client, CosignError, Cosigned};

/// Events read from the database at a time.
const CHUNK: i64 = 4096;

const LATEST: &str = "checkpoint";
const EDGE: &str = "edge";
/// The newest checkpoint that a witness cosigned, with its line.
pub(crate) const COSIGNED: &str = "cosigned";

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

/// Why a log was not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum WitnessedError {
    /// The database does not answer.
    #[error("what the witness says cannot be recorded")]
    Database(#[from] db::Error),
    /// There is no cosignature.
    #[error("the checkpoint is not cosigned")]
    Cosign(#[from] CosignError),
    /// The anchor is away.
    #[error("the cosignature is not anchored")]
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
    /// Who else watches the logs.
    pub witness: Option<Client>,
    /// What becomes of events while a log cannot be signed.
    pub unsigned: Unsigned,
}

/// What becomes of events while their log cannot be signed and anchored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unsigned {
    /// They are sequenced all the same, and signed later.
    #[default]
    Sequence,
    /// They wait in the outbox, each with its MAC.
    Wait,
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
        let mut builder = self.resume(&mut tx, &origin, signed).await?;
        while builder.range().size() < size {
            builder = self.grow(&mut tx, &origin, builder, size).await?;
        }
        let range = builder.range().clone();
        write_all(&self.logs.below(&origin), builder.finish()).await?;
        let (checkpoint, note) = self.seal(origin, signed, &range)?;
        checkpoints::record(&mut tx, size, &checkpoint.root, &note).await?;
        tx.commit().await?;
        if let Some(anchor) = self.anchor.clone() {
            let (checkpoint, log) = (checkpoint.clone(), self.logs.below(&checkpoint.origin));
            tokio::task::spawn_blocking(move || anchor.publish(&checkpoint, &note, &log)).await??;
        }
        Ok(checkpoint)
    }

    /// Goes over places whose events are lost, by the hashes that a recovery put there. Those beyond
    /// what is signed must be the anchor's: whoever can write to the database makes gaps as well.
    async fn pass_gap(
        &self,
        tx: &mut TenantTx,
        origin: &str,
        builder: &mut Builder,
        found: Option<i64>,
    ) -> Result<(), PublishError> {
        let expected = builder.range().size();
        let missing = || PublishError::Gap { origin: origin.to_owned(), expected, found };
        for (first, leaves) in events::gaps(tx).await? {
            let (leaves, _) = leaves.as_chunks::<32>();
            let gone = expected.checked_sub(first).and_then(|gone| usize::try_from(gone).ok());
            if let Some(rest) = gone.and_then(|gone| leaves.get(gone..)).filter(|r| !r.is_empty()) {
                let end = expected.saturating_add(u64::try_from(rest.len()).unwrap_or(u64::MAX));
                let signed = self.signer.last(origin)?.map_or(0, |last| last.size);
                if end > signed && !self.anchored(origin, expected, end, rest) {
                    return Err(missing());
                }
                rest.iter().for_each(|leaf| builder.push_hash(*leaf));
                return Ok(());
            }
        }
        Err(missing())
    }

    /// Whether the anchor has these hashes at these places.
    fn anchored(&self, origin: &str, from: u64, end: u64, hashes: &[Hash]) -> bool {
        let known = self.anchor.as_ref().and_then(|anchor| anchor.leaves(origin, end).ok());
        let (known, from) = (known.unwrap_or_default(), usize::try_from(from).ok());
        from.and_then(|from| known.get(from..)) == Some(hashes)
    }

    /// A builder that goes on where the signed log ends. When tiles of its right edge are missing,
    /// they are made again from the events that are still there and the hashes of those that are not.
    async fn resume(
        &self,
        tx: &mut TenantTx,
        origin: &str,
        signed: u64,
    ) -> Result<Builder, PublishError> {
        let log = self.logs.below(origin);
        let path = match Builder::resume(signed, |place| read(&log, place)) {
            Ok(builder) => return Ok(builder),
            Err(BuildError::Edge { path }) => path,
            Err(error) => return Err(error.into()),
        };
        let first = signed / WIDTH * WIDTH;
        let head = events::head(tx).await?;
        let lost = events::gaps(tx).await?.iter().any(|(from, leaves)| {
            let end = from.saturating_add(u64::try_from(leaves.len() / 32).unwrap_or(u64::MAX));
            *from < signed && first < end
        });
        if lost && let Ok(builder) = Builder::resume_hashes(signed, |place| read(&log, place)) {
            // The bundle that is missing holds lost events: nobody can make it.
            return Ok(builder);
        }
        tracing::warn!(log = %log.path().display(), path, "rebuilding the tiles of a log");
        let mut builder = Builder::new();
        if head.minimum == 0 {
            return Ok(builder);
        }
        let edge = head.edge.as_chunks::<32>().0.to_vec();
        let before = Range::from_parts(head.minimum, edge);
        for leaf in self.pruned_leaves(origin, head.minimum, before.as_ref())? {
            builder.push_hash(leaf);
        }
        write_all(&log, builder.take_finished()).await?;
        Ok(builder)
    }

    /// The hashes of what was pruned: from the tiles, which stay, or from the anchor's.
    fn pruned_leaves(
        &self,
        origin: &str,
        minimum: u64,
        before: Option<&Range>,
    ) -> Result<Vec<Hash>, PublishError> {
        let log = self.logs.below(origin);
        let own = read_leaves(&log, origin, minimum);
        let anchored = self.anchor.as_ref().map(|anchor| anchor.leaves(origin, minimum));
        for leaves in std::iter::once(own).chain(anchored).flatten() {
            let mut range = Range::new();
            leaves.iter().for_each(|leaf| range.push(*leaf));
            if Some(&range) == before {
                return Ok(leaves);
            }
        }
        let path = Place { kind: Kind::Hashes(0), index: 0, width: WIDTH }.path();
        Err(AnchorError::Tile { origin: origin.to_owned(), path }.into())
    }

    /// Signs a log whose tiles are written to its end, and publishes the checkpoint beside them.
    pub(crate) fn seal(
        &self,
        origin: String,
        signed: u64,
        range: &Range,
    ) -> Result<(Checkpoint, String), PublishError> {
        let log = self.logs.below(&origin);
        let checkpoint = Checkpoint { origin, size: range.size(), root: range.root() };
        let proof = if signed == 0 { Vec::new() } else { continuation(&log, signed, range)? };
        let note = self.signer.sign(&Request { checkpoint: checkpoint.clone(), proof })?;
        log.write(EDGE, &edge_bytes(range), Readable::ByAll)?;
        log.write(LATEST, note.as_bytes(), Readable::ByAll)?;
        drop_superseded(&log, signed, range.size())?;
        Ok((checkpoint, note))
    }

    /// Has the newest checkpoint of a tenant's log cosigned, unless it is already; none when there
    /// is no witness or no checkpoint. What the witness thinks of it is recorded.
    ///
    /// # Errors
    /// When there is no cosignature: nothing else waits for it.
    pub async fn cosign(
        &self,
        db: &Db,
        tenant: TenantId,
    ) -> Result<Option<Cosigned>, WitnessedError> {
        let Some(witness) = &self.witness else { return Ok(None) };
        let log = self.logs.below(&origin(&self.deployment, tenant));
        let mut tx = db.tenant(tenant).await?;
        let now = tx.now().await?;
        tx.rollback().await?;
        let asked = witness.cosign(&log, now).await;
        let mut tx = db.tenant(tenant).await?;
        match &asked {
            Ok(Some(Cosigned { checkpoint, note, new, .. })) => {
                if *new {
                    checkpoints::record(&mut tx, checkpoint.size, &checkpoint.root, note).await?;
                }
                checkpoints::witnessed(&mut tx, Some(checkpoint.size), None).await?;
            }
            Ok(None) => {}
            Err(CosignError::Refused(refusal)) => {
                checkpoints::witnessed(&mut tx, None, Some(&refusal.to_string())).await?;
            }
            Err(_) => {}
        }
        tx.commit().await?;
        let cosigned = asked?;
        if let (Some(cosigned), Some(anchor)) = (cosigned.clone(), self.anchor.clone()) {
            let Cosigned { checkpoint, note, .. } = cosigned;
            tokio::task::spawn_blocking(move || anchor.cosigned(&checkpoint, &note)).await??;
        }
        Ok(cosigned)
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
        if rows.first().is_none_or(|first| u64::try_from(first.seq) != Ok(from)) {
            self.pass_gap(tx, origin, &mut builder, rows.first().map(|first| first.seq)).await?;
            write_all(&self.logs.below(origin), builder.take_finished()).await?;
            return Ok(builder);
        }
        for (expected, Logged { seq, id, canon, mac, .. }) in (from..).zip(&rows) {
            if u64::try_from(*seq) != Ok(expected) {
                // A gap is gone over when the next rows are read.
                break;
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

pub(crate) fn read(log: &Directory, place: Place) -> Option<Vec<u8>> {
    log.read(&place.path()).ok().flatten()
}

async fn write_all(log: &Directory, resources: Vec<Resource>) -> Result<(), PublishError> {
    let log = log.clone();
    Ok(tokio::task::spawn_blocking(move || write(&log, &resources)).await??)
}

pub(crate) fn write(log: &Directory, resources: &[Resource]) -> Result<(), FileError> {
    resources
        .iter()
        .try_for_each(|resource| log.write_once(&resource.place.path(), &resource.bytes))
}

/// Why the log continues the one of `signed` entries.
fn continuation(log: &Directory, signed: u64, range: &Range) -> Result<Vec<Hash>, PublishError> {
    let mut reader = Reader::with_edge(range, |place| read(log, place));
    continuation::hashes(&mut reader, signed, range.size())
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

/// An error with everything that led to it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
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
