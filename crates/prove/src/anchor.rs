//! The anchor: checkpoints and leaf hashes kept where whoever administers the database cannot
//! reach them.
//!
//! A directory, meant to be mounted from elsewhere or written by another account. Checkpoints
//! prove that a log was changed; the level-0 tiles (32 bytes an event) name the event.

use std::sync::{Arc, Mutex, PoisonError};

use model::Timestamp;

use crate::checkpoint::Checkpoint;
use crate::directory::{Directory, FileError, Readable};
use crate::merkle::Hash;
use crate::note::Note;
use crate::tile::{Kind, Place, WIDTH, parse_hashes};

/// Why something cannot be anchored, or an anchor not be used.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// A file cannot be read or written.
    #[error("the anchor is not accessible")]
    File(#[from] FileError),
    /// It has seen a longer log.
    #[error("{origin}: the anchor has seen {anchored} entries, refusing {offered}")]
    Behind {
        /// The log.
        origin: String,
        /// What it has seen.
        anchored: u64,
        /// What was offered.
        offered: u64,
    },
    /// It has seen another log of this size.
    #[error("{origin}: the anchor has seen another root at size {size}")]
    Forked {
        /// The log.
        origin: String,
        /// The size.
        size: u64,
    },
    /// Its checkpoint cannot be read.
    #[error("{origin}: the checkpoint in the anchor is damaged")]
    Damaged {
        /// The log.
        origin: String,
    },
    /// A tile is missing, in the log or in the anchor.
    #[error("{origin}: the tile {path} is missing or damaged")]
    Tile {
        /// The log.
        origin: String,
        /// Which tile.
        path: String,
    },
}

const LATEST: &str = "checkpoint";

/// A directory that only ever grows.
#[derive(Debug, Clone)]
pub struct Anchor {
    root: Directory,
    /// Comparing with what is there and writing what is new are one step, for all that share it.
    turn: Arc<Mutex<()>>,
}

/// The newest checkpoint in an anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    /// The signed note, not yet verified.
    pub note: String,
    /// What it says.
    pub checkpoint: Checkpoint,
    /// When it was written.
    pub at: Timestamp,
}

impl Anchor {
    /// The anchor in this directory.
    #[must_use]
    pub fn new(root: Directory) -> Self {
        Self { root, turn: Arc::default() }
    }

    /// The newest checkpoint of a log; none when it was never anchored.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn latest(&self, origin: &str) -> Result<Option<Anchored>, AnchorError> {
        let log = self.root.below(origin);
        let (Some(note), Some(at)) = (log.read_text(LATEST)?, log.written_at(LATEST)?) else {
            return Ok(None);
        };
        let checkpoint =
            unverified(&note).ok_or_else(|| AnchorError::Damaged { origin: origin.to_owned() })?;
        Ok(Some(Anchored { note, checkpoint, at }))
    }

    /// The size and the note of every checkpoint of a log, smallest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn checkpoints(&self, origin: &str) -> Result<Vec<(u64, String)>, AnchorError> {
        let log = self.root.below(origin);
        let mut notes = Vec::new();
        for name in log.list("checkpoints")? {
            let Ok(size) = name.parse() else { continue };
            if let Some(note) = log.read_text(&format!("checkpoints/{name}"))? {
                notes.push((size, note));
            }
        }
        Ok(notes)
    }

    /// Adds a checkpoint and the leaf hashes up to it, which `log` holds as tiles.
    ///
    /// # Errors
    /// When the anchor has seen a longer log, or another one; then nothing is written.
    pub fn publish(
        &self,
        checkpoint: &Checkpoint,
        note: &str,
        log: &Directory,
    ) -> Result<(), AnchorError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let Checkpoint { origin, size, root } = checkpoint;
        let mut from = 0;
        if let Some(Anchored { checkpoint: last, .. }) = self.latest(origin)? {
            if *size < last.size {
                return Err(AnchorError::Behind {
                    origin: origin.clone(),
                    anchored: last.size,
                    offered: *size,
                });
            }
            if *size == last.size && *root != last.root {
                return Err(AnchorError::Forked { origin: origin.clone(), size: *size });
            }
            from = last.size;
        }
        let anchored = self.root.below(origin);
        for place in level_zero(from, *size) {
            let path = place.path();
            let bytes = log
                .read(&path)?
                .filter(|bytes| parse_hashes(bytes, place.width).is_some())
                .ok_or_else(|| AnchorError::Tile { origin: origin.clone(), path: path.clone() })?;
            anchored.write_once(&path, &bytes)?;
            if place.width == WIDTH {
                // Everything the narrower versions say, the full tile says too.
                anchored.remove_directory(&place.partial_directory())?;
            }
        }
        // A key rotation re-signs a size: the newest note of it is as good as the first.
        anchored.write(&format!("checkpoints/{size:020}"), note.as_bytes(), Readable::ByAll)?;
        anchored.write(LATEST, note.as_bytes(), Readable::ByAll)?;
        Ok(())
    }

    /// Puts a witness's cosignature under a checkpoint that was added before.
    ///
    /// # Errors
    /// When it cannot be written, or the anchor has seen another root of this size; then nothing is
    /// written.
    pub fn cosigned(&self, checkpoint: &Checkpoint, note: &str) -> Result<(), AnchorError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let Checkpoint { origin, size, .. } = checkpoint;
        let Some(Anchored { checkpoint: last, .. }) = self.latest(origin)? else { return Ok(()) };
        let anchored = self.root.below(origin);
        let path = format!("checkpoints/{size:020}");
        let Some(present) = anchored.read_text(&path)? else {
            // The checkpoint itself is not here (yet): a cosignature comes with the next.
            return Ok(());
        };
        let present =
            unverified(&present).ok_or_else(|| AnchorError::Damaged { origin: origin.clone() })?;
        if present != *checkpoint || (last.size == *size && last != *checkpoint) {
            return Err(AnchorError::Forked { origin: origin.clone(), size: *size });
        }
        anchored.write(&path, note.as_bytes(), Readable::ByAll)?;
        if last == *checkpoint {
            anchored.write(LATEST, note.as_bytes(), Readable::ByAll)?;
        }
        Ok(())
    }

    /// The leaf hashes of a log's first `size` entries.
    ///
    /// # Errors
    /// When a tile is missing or damaged.
    pub fn leaves(&self, origin: &str, size: u64) -> Result<Vec<Hash>, AnchorError> {
        read_leaves(&self.root.below(origin), origin, size)
    }
}

/// The leaf hashes of a log's first `size` entries, from the tiles in a directory.
pub(crate) fn read_leaves(
    log: &Directory,
    origin: &str,
    size: u64,
) -> Result<Vec<Hash>, AnchorError> {
    let mut leaves = Vec::new();
    for place in level_zero(0, size) {
        let full = place.full();
        let hashes = match log.read(&place.path())? {
            Some(bytes) => parse_hashes(&bytes, place.width),
            None => log.read(&full.path())?.and_then(|bytes| parse_hashes(&bytes, full.width)),
        };
        let hashes = hashes
            .ok_or_else(|| AnchorError::Tile { origin: origin.to_owned(), path: place.path() })?;
        leaves.extend(hashes.into_iter().take(usize::try_from(place.width).unwrap_or(0)));
    }
    Ok(leaves)
}

/// The level-0 tiles that entries `from..size` touch.
fn level_zero(from: u64, size: u64) -> impl Iterator<Item = Place> {
    (from / WIDTH..size.div_ceil(WIDTH))
        .filter_map(move |index| Place::holding(Kind::Hashes(0), index * WIDTH, size))
}

/// What a note claims, before anybody has checked it.
fn unverified(note: &str) -> Option<Checkpoint> {
    let text = note.parse::<Note>().ok()?;
    text.unverified_text().parse().ok()
}

#[cfg(test)]
mod tests;
