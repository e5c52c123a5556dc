//! `.tlog-proof` files: one event, its inclusion proof and a signed checkpoint (C2SP tlog-proof).
//!
//! The event's canonical bytes travel as the extra data: the leaf hash is made from them, so they
//! are as good as signed.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Timestamp;

use crate::checkpoint::{Checkpoint, decimal, decode_hash};
use crate::cosignature::WitnessKey;
use crate::directory::Directory;
use crate::merkle::proof::{ProofError, inclusion, subtree_hash, verify_inclusion};
use crate::merkle::{Hash, leaf};
use crate::policy::{Policy, PolicyError};
use crate::publish::{COSIGNED, published, read};
use crate::tile::reader::{Reader, TileError};
use crate::verify::witnessed;

use super::{BundleError, claimed};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Why a proof cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeProofError {
    /// The log is not published, or cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] BundleError),
    /// A tile is missing.
    #[error("a tile of the log cannot be read")]
    Tile(#[from] TileError),
    /// The event is not in the published log yet.
    #[error("the event is not covered by a checkpoint yet")]
    NotYet(#[from] ProofError),
}

impl MakeProofError {
    /// Whether the log simply has no checkpoint yet.
    #[must_use]
    pub const fn unpublished(&self) -> bool {
        matches!(self, Self::Log(BundleError::NoCheckpoint))
    }
}

/// Why a proof is refused.
#[derive(Debug, thiserror::Error)]
pub enum ProofFileError {
    /// It is not in the format.
    #[error("this is no tlog-proof: {0}")]
    Malformed(&'static str),
    /// It does not carry the event.
    #[error("the proof does not carry its event")]
    NoEvent,
    /// The checkpoint is not believed.
    #[error("the checkpoint is refused")]
    Policy(#[from] PolicyError),
    /// The event is not in the log.
    #[error("the event is not shown to be in the log")]
    Inclusion(#[from] ProofError),
    /// The witness did not cosign the checkpoint.
    #[error("the checkpoint is not cosigned by the witness {name}")]
    NotCosigned {
        /// The witness.
        name: String,
    },
}

/// One event with everything that shows it was logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// The event's canonical bytes.
    pub event: Option<Vec<u8>>,
    /// Its place in the log.
    pub index: u64,
    /// The inclusion proof.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// A proof that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The event's canonical bytes.
    pub event: Vec<u8>,
    /// Its place in the log.
    pub index: u64,
    /// What signed it.
    pub checkpoint: Checkpoint,
    /// When the witness cosigned that, when its key was given.
    pub cosigned_at: Option<Timestamp>,
}

impl ProofFile {
    /// Makes the proof of an event from the published log; says how many tiles were read as well.
    ///
    /// # Errors
    /// When the event is not covered by a checkpoint yet, or a tile is missing.
    pub fn make(
        log: &Directory,
        index: u64,
        event: Vec<u8>,
    ) -> Result<(Self, usize), MakeProofError> {
        let (note, edge) =
            published(log).map_err(BundleError::File)?.ok_or(BundleError::NoCheckpoint)?;
        let latest = claimed(&note)?;
        // The newest checkpoint a witness cosigned says more, if it covers the event.
        let cosigned = log.read_text(COSIGNED).map_err(BundleError::File)?;
        let cosigned = cosigned.and_then(|note| Some((claimed(&note).ok()?, note)));
        let covers = |checkpoint: &Checkpoint| (index + 1..=latest.size).contains(&checkpoint.size);
        let (checkpoint, note) = match cosigned {
            Some((checkpoint, note)) if covers(&checkpoint) => (checkpoint, note),
            _ => (latest, note),
        };
        let tile = |place| read(log, place);
        let mut reader = match edge {
            Some(edge) if edge.root() == checkpoint.root => Reader::with_edge(&edge, tile),
            _ => Reader::new(checkpoint.size, tile),
        };
        let hashes = inclusion(index, checkpoint.size)?
            .into_iter()
            .map(|subtree| subtree_hash(subtree, &mut reader))
            .collect::<Result<_, _>>()?;
        let made = Self { event: Some(event), index, hashes, checkpoint: note };
        Ok((made, reader.tiles_read()))
    }

    /// Checks the proof against the keys that are trusted for the log `origin`, and, with the key of
    /// a witness, against its cosignature.
    ///
    /// # Errors
    /// When the checkpoint is refused or not cosigned, or the event is not in its tree.
    pub fn verify(
        &self,
        policy: &Policy,
        origin: &str,
        witness: Option<&WitnessKey>,
    ) -> Result<Proven, ProofFileError> {
        let event = self.event.clone().ok_or(ProofFileError::NoEvent)?;
        let checkpoint = policy.open(&self.checkpoint, origin)?;
        let cosigned_at = match witness {
            Some(key) => {
                let at = witnessed(key, &self.checkpoint).map_err(PolicyError::from)?;
                let name = key.name().to_owned();
                Some(at.ok_or(ProofFileError::NotCosigned { name })?)
            }
            None => None,
        };
        let hash = leaf(&event);
        verify_inclusion(&hash, self.index, checkpoint.size, &self.hashes, &checkpoint.root)?;
        Ok(Proven { event, index: self.index, checkpoint, cosigned_at })
    }
}

impl fmt::Display for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(event) = &self.event {
            writeln!(f, "extra {}", STANDARD.encode(event))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for ProofFile {
    type Err = ProofFileError;

    fn from_str(text: &str) -> Result<Self, ProofFileError> {
        let malformed = ProofFileError::Malformed;
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or_else(|| malformed("it has no checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(malformed("the first line names another format"));
        }
        let event = lines
            .next_if(|line| line.starts_with("extra "))
            .and_then(|line| line.strip_prefix("extra "))
            .map(|extra| STANDARD.decode(extra))
            .transpose()
            .map_err(|_| malformed("the extra data is no base64"))?;
        let index = lines
            .next()
            .and_then(|line| decimal(line.strip_prefix("index ")?))
            .ok_or_else(|| malformed("the index is missing"))?;
        let hashes = lines
            .map(decode_hash)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| malformed("a line of the proof is no hash"))?;
        Ok(Self { event, index, hashes, checkpoint: checkpoint.to_owned() })
    }
}

/// Reads and checks a `.tlog-proof` file.
///
/// # Errors
/// When it is malformed or refused.
pub fn verify_proof(
    text: &str,
    policy: &Policy,
    origin: &str,
    witness: Option<&WitnessKey>,
) -> Result<Proven, ProofFileError> {
    text.parse::<ProofFile>()?.verify(policy, origin, witness)
}

#[cfg(test)]
mod tests;
