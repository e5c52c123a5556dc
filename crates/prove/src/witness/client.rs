//! Asking a witness: each published checkpoint is shown to it with the proof that it continues the
//! one it knows, and its cosignature is published beside it.

use std::fmt;

use futures::future::BoxFuture;
use model::Timestamp;

use crate::checkpoint::{Checkpoint, CheckpointError, decimal};
use crate::cosignature::WitnessKey;
use crate::directory::{Directory, FileError, Readable};
use crate::merkle::Hash;
use crate::merkle::proof::{ProofError, consistency, subtree_hash};
use crate::note::{Note, NoteError, signature_lines};
use crate::publish::{COSIGNED, published, read};
use crate::tile::reader::{Reader, TileError};

use super::request::Request;

/// How old a cosignature of an idle log may become before another is asked for, in seconds.
pub(crate) const REFRESH_S: i64 = 3600;

/// What a witness answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// The way to a witness: carries a body to its `add-checkpoint`.
pub trait Carrier: Send + Sync + fmt::Debug {
    /// Posts the body; gives the answer, or why there was none.
    fn post(&self, body: String) -> BoxFuture<'_, Result<Reply, String>>;
}

/// A witness, as a deployment knows it.
#[derive(Debug)]
pub struct Client {
    /// What its cosignatures are checked with.
    pub key: WitnessKey,
    /// The way to it.
    pub carrier: Box<dyn Carrier>,
}

/// A checkpoint with a cosignature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// What was cosigned.
    pub checkpoint: Checkpoint,
    /// The note, with the witness's line.
    pub note: String,
    /// When.
    pub at: Timestamp,
    /// Whether it was cosigned just now.
    pub new: bool,
}

/// Why a witness does not cosign. Nothing but the last two is harmless.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has cosigned a longer log: this one was restored, or somebody else goes on with it.
    #[error("the witness has cosigned {witness} entries of this log, which has {ours} here")]
    Longer {
        /// What it cosigned.
        witness: u64,
        /// What there is here.
        ours: u64,
    },
    /// It has cosigned another log of this name.
    #[error(
        "the witness has cosigned another history of this log: its {size} entries are not ours"
    )]
    Forked {
        /// The size it cosigned.
        size: u64,
    },
    /// It watches no log of this name.
    #[error("the witness does not watch this log: it needs the log's key")]
    Unknown,
    /// It trusts none of the keys that signed.
    #[error("the witness trusts none of the keys that signed the checkpoint")]
    Key,
}

/// Why there is no cosignature.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// The witness does not answer: it would not for another log either.
    #[error("the witness gives no answer: {0}")]
    Away(String),
    /// It answers, but not as a witness does. That may be for this log alone.
    #[error("the witness gives an answer that is none: {0}")]
    Answer(String),
    /// It refuses.
    #[error("the witness refuses")]
    Refused(#[from] Refusal),
    /// A file cannot be read or written.
    #[error("the directory of the log is not accessible")]
    File(#[from] FileError),
    /// A tile cannot be read.
    #[error("the tiles cannot be read")]
    Tile(#[from] TileError),
    /// There is no proof from that size.
    #[error("the log has no proof from what the witness knows")]
    Proof(#[from] ProofError),
    /// A note in the directory is damaged.
    #[error("a note in the directory of the log is damaged")]
    Note(#[from] NoteError),
    /// It is no checkpoint.
    #[error("a note in the directory of the log is no checkpoint")]
    Checkpoint(#[from] CheckpointError),
}

/// The newest checkpoint in a published log that this witness cosigned; none before the first.
///
/// # Errors
/// When it cannot be read, or bears a line in the witness's name that is not its.
pub fn cosigned(log: &Directory, key: &WitnessKey) -> Result<Option<Cosigned>, CosignError> {
    let Some(text) = log.read_text(COSIGNED)? else { return Ok(None) };
    let note: Note = text.parse()?;
    let Some(at) = key.cosigned(&note)? else { return Ok(None) };
    let checkpoint = note.unverified_text().parse()?;
    Ok(Some(Cosigned { checkpoint, note: text, at, new: false }))
}

impl Client {
    /// Has the newest checkpoint of a published log cosigned and publishes it, unless it is already;
    /// none when nothing is published yet.
    ///
    /// # Errors
    /// When the witness is away or refuses; the log goes on without it.
    pub async fn cosign(
        &self,
        log: &Directory,
        now: Timestamp,
    ) -> Result<Option<Cosigned>, CosignError> {
        let Some((text, edge)) = published(log)? else { return Ok(None) };
        let note: Note = text.parse()?;
        let checkpoint: Checkpoint = note.unverified_text().parse()?;
        let last = cosigned(log, &self.key)?;
        let fresh = |last: &Cosigned| {
            last.checkpoint == checkpoint && now.duration_since(last.at).as_secs() < REFRESH_S
        };
        if last.as_ref().is_some_and(fresh) {
            return Ok(last);
        }
        let tile = |place| read(log, place);
        let prove = |old: u64| -> Result<Vec<Hash>, CosignError> {
            let mut reader = match &edge {
                Some(edge) if edge.root() == checkpoint.root => Reader::with_edge(edge, tile),
                _ => Reader::new(checkpoint.size, tile),
            };
            let subtrees = consistency(old, checkpoint.size)?;
            subtrees.into_iter().map(|part| Ok(subtree_hash(part, &mut reader)?)).collect()
        };
        let mut old = last.map_or(0, |last| last.checkpoint.size).min(checkpoint.size);
        let mut told = self.ask(old, prove(old)?, &text).await?;
        if let Told::Knows(witness) = told {
            // It knows another size than we thought: from that one, once.
            let ours = checkpoint.size;
            if witness > ours {
                return Err(Refusal::Longer { witness, ours }.into());
            }
            if witness == old {
                return Err(Refusal::Forked { size: witness }.into());
            }
            old = witness;
            told = self.ask(old, prove(old)?, &text).await?;
        }
        let lines = match told {
            Told::Lines(lines) => lines,
            Told::Knows(witness) if witness == checkpoint.size => {
                return Err(Refusal::Forked { size: witness }.into());
            }
            Told::Knows(_) => {
                return Err(answer("it is asked by somebody else as well"));
            }
            Told::Inconsistent => return Err(Refusal::Forked { size: old }.into()),
        };
        self.publish(log, checkpoint, note, &lines).map(Some)
    }

    async fn ask(&self, old: u64, proof: Vec<Hash>, note: &str) -> Result<Told, CosignError> {
        let body = Request { old, proof, note: note.to_owned() }.to_string();
        let Reply { status, body } = self.carrier.post(body).await.map_err(CosignError::Away)?;
        let text = String::from_utf8(body).unwrap_or_default();
        match status {
            200 => Ok(Told::Lines(text)),
            409 => {
                let size = decimal(text.trim_end_matches('\n'));
                let size = size.ok_or_else(|| answer("409 without a size"))?;
                Ok(Told::Knows(size))
            }
            422 => Ok(Told::Inconsistent),
            404 => Err(Refusal::Unknown.into()),
            403 => Err(Refusal::Key.into()),
            other => Err(answer(&format!("status {other}"))),
        }
    }

    /// Takes over the lines that are this witness's, once they hold.
    fn publish(
        &self,
        log: &Directory,
        checkpoint: Checkpoint,
        note: Note,
        lines: &str,
    ) -> Result<Cosigned, CosignError> {
        let lines = signature_lines(lines).ok_or_else(|| answer("no signature lines"))?;
        let note = note.and(lines.into_iter().filter(|line| self.key.made(line)));
        let at = self.key.cosigned(&note).map_err(|_| answer("a signature that does not hold"))?;
        let at = at.ok_or_else(|| answer("no signature by the key that is expected of it"))?;
        let note = note.to_string();
        log.write(COSIGNED, note.as_bytes(), Readable::ByAll)?;
        Ok(Cosigned { checkpoint, note, at, new: true })
    }
}

/// What a witness told.
enum Told {
    Lines(String),
    Knows(u64),
    Inconsistent,
}

fn answer(why: &str) -> CosignError {
    CosignError::Answer(why.to_owned())
}
