//! A witness of logs (C2SP tlog-witness): it remembers the longest log of each name it has seen, and
//! cosigns only what continues that.
//!
//! It is a process of its own with a key of its own, best on a machine of somebody else's. Whoever
//! has the database, the signer and the anchor of a deployment can make another history; they cannot
//! make a witness cosign it. What it refused although the log's own key signed it is kept: two
//! checkpoints of one key that contradict each other are proof.

use std::sync::{Mutex, PoisonError};

use model::Timestamp;

use crate::checkpoint::Checkpoint;
use crate::cosignature::{WitnessKey, cosign};
use crate::directory::{Directory, FileError, Readable};
use crate::keys::SigningKey;
use crate::merkle::empty_root;
use crate::merkle::proof::verify_consistency;
use crate::note::{KeyError, Note};
use crate::policy::{Policy, PolicyParseError};

pub mod api;
pub mod client;
pub mod request;

use request::Request;

/// How many checkpoints of a log that contradict what was cosigned are kept, and how many of which
/// that is not certain.
const MAX_KEPT: usize = 100;

/// Checkpoints of a size that was cosigned, with another root: each proves that the log was forked.
const FORKED: &str = "forked";
/// What was cosigned at those sizes, each the other half of the proof.
const COSIGNED: &str = "contradicted";
/// Checkpoints that came without a proof. Whoever can read the log can make such calls.
const REFUSED: &str = "refused";

const LATEST: &str = "checkpoint";

/// Why a witness cannot answer. What it cannot remember it does not sign.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The state cannot be read or written.
    #[error("the state of the witness is not accessible")]
    File(#[from] FileError),
    /// The list of logs cannot be read.
    #[error("the list of logs is damaged")]
    Logs(#[from] PolicyParseError),
    /// Its state is not its own.
    #[error("{origin}: what was cosigned last does not bear this witness's cosignature")]
    ForeignState {
        /// The log.
        origin: String,
    },
    /// Its name may not name a key, or its clock is before 1970.
    #[error("nothing can be cosigned under this name at this time")]
    Key(#[from] KeyError),
}

/// What a witness answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 200: its signature line.
    Cosigned(String),
    /// 400: this is no such call.
    Malformed(&'static str),
    /// 403: none of the log's keys signed it.
    Forbidden,
    /// 404: it knows no log of this name.
    Unknown,
    /// 409: it cosigned this size last, or has seen another root of this size.
    Conflict(u64),
    /// 422: the proof does not show that the log continues the one it knows.
    Inconsistent,
}

/// A witness.
#[derive(Debug)]
pub struct Witness {
    key: SigningKey,
    own: WitnessKey,
    logs: Logs,
    state: Directory,
    /// Comparing with what is known and remembering what is new are one step.
    turn: Mutex<()>,
}

/// The file with the keys of the logs a witness watches: lines of verifier policies, of one log or
/// many. It is read at every call, so that a log may be added or a key rotated meanwhile.
#[derive(Debug, Clone)]
pub struct Logs {
    /// Where it lies.
    pub directory: Directory,
    /// Its name there.
    pub file: String,
}

impl Logs {
    fn of(&self, origin: &str) -> Result<Policy, WitnessError> {
        let text = self.directory.read_text(&self.file)?.unwrap_or_default();
        let Policy { mut trusted } = text.parse()?;
        trusted.retain(|trusted| trusted.key.name() == origin);
        Ok(Policy { trusted })
    }
}

impl Witness {
    /// A witness of this name whose state lies in a directory of its own.
    ///
    /// # Errors
    /// When the name may not name a key.
    pub fn new(
        key: SigningKey,
        name: &str,
        logs: Logs,
        state: Directory,
    ) -> Result<Self, WitnessError> {
        let own = WitnessKey::new(name, key.public())?;
        Ok(Self { key, own, logs, state, turn: Mutex::new(()) })
    }

    /// What its cosignatures are checked with.
    #[must_use]
    pub const fn key(&self) -> &WitnessKey {
        &self.own
    }

    /// The checkpoint it cosigned last; none when it never did.
    ///
    /// # Errors
    /// When its state cannot be read, or is not its own.
    pub fn latest(&self, origin: &str) -> Result<Option<Checkpoint>, WitnessError> {
        let Some(text) = self.state.below(origin).read_text(LATEST)? else { return Ok(None) };
        let foreign = || WitnessError::ForeignState { origin: origin.to_owned() };
        let note: Note = text.parse().map_err(|_| foreign())?;
        match self.own.cosigned(&note) {
            Ok(Some(_)) => {}
            _ => return Err(foreign()),
        }
        let checkpoint: Checkpoint = note.unverified_text().parse().map_err(|_| foreign())?;
        if checkpoint.origin == origin { Ok(Some(checkpoint)) } else { Err(foreign()) }
    }

    /// Answers an `add-checkpoint` call.
    ///
    /// # Errors
    /// When the state or the list of logs cannot be used: then nothing is cosigned.
    pub fn add_checkpoint(&self, body: &str, now: Timestamp) -> Result<Answer, WitnessError> {
        let Ok(request) = body.parse::<Request>() else {
            return Ok(Answer::Malformed("it is no add-checkpoint call"));
        };
        let Ok(note) = request.note.parse::<Note>() else {
            return Ok(Answer::Malformed("it holds no signed note"));
        };
        let Ok(claimed) = note.unverified_text().parse::<Checkpoint>() else {
            return Ok(Answer::Malformed("what is signed is no checkpoint"));
        };
        // The name becomes a directory only once it is one of the list.
        let policy = self.logs.of(&claimed.origin)?;
        if policy.trusted.is_empty() || !plain(&claimed.origin) {
            return Ok(Answer::Unknown);
        }
        let Ok(checkpoint) = policy.open(&request.note, &claimed.origin) else {
            return Ok(Answer::Forbidden);
        };
        if request.old > checkpoint.size {
            return Ok(Answer::Malformed("the old size is larger than the checkpoint's"));
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.judge(&request, &checkpoint, &note, now)
    }

    fn judge(
        &self,
        request: &Request,
        checkpoint: &Checkpoint,
        note: &Note,
        now: Timestamp,
    ) -> Result<Answer, WitnessError> {
        let Checkpoint { origin, size, root } = checkpoint;
        let last = self.latest(origin)?;
        let (known, known_root) =
            last.map_or_else(|| (0, empty_root()), |last| (last.size, last.root));
        if *size == known && *root != known_root {
            // Whatever size the caller started from: the two contradict each other.
            self.keep_forked(checkpoint, &request.note)?;
            return Ok(Answer::Conflict(known));
        }
        if request.old != known {
            if *size < known {
                tracing::warn!(origin, size, known, "a log is shorter than it was");
            }
            return Ok(Answer::Conflict(known));
        }
        if verify_consistency((known, &known_root), (*size, root), &request.proof).is_err() {
            if *size != known {
                self.keep_refused(checkpoint, &request.note)?;
            }
            return Ok(Answer::Inconsistent);
        }
        let line = cosign(&self.key, self.own.name(), note.unverified_text(), now)?;
        let text = format!("{line}\n");
        // Of what others signed under it only the log's own lines are of interest.
        let lines = note.signatures().iter().filter(|line| line.name == *origin).cloned();
        let kept = Note::new(note.unverified_text().to_owned(), vec![line]).and(lines.take(8));
        // Durable before it leaves: what is not remembered could be contradicted later.
        let state = self.state.below(origin);
        state.write(LATEST, kept.to_string().as_bytes(), Readable::ByAll)?;
        Ok(Answer::Cosigned(text))
    }

    /// Keeps a signed checkpoint of the size that was cosigned last, with another root, and beside
    /// it what was cosigned. Only who has the log's key can make one, and nothing else counts
    /// against it: the first of them stay.
    fn keep_forked(&self, checkpoint: &Checkpoint, note: &str) -> Result<(), WitnessError> {
        let Checkpoint { origin, size, root } = checkpoint;
        tracing::error!(
            origin,
            size,
            root = hex::encode(root),
            "the log's own key signed another history than the one that was cosigned"
        );
        let log = self.state.below(origin);
        let kept = notes_in(&log, FORKED)?;
        let name = name_of(checkpoint);
        if kept.len() >= MAX_KEPT || kept.contains(&name) {
            return Ok(());
        }
        if let Some(cosigned) = log.read_text(LATEST)? {
            log.write(&format!("{COSIGNED}/{size:020}"), cosigned.as_bytes(), Readable::ByAll)?;
        }
        log.write(&format!("{FORKED}/{name}"), note.as_bytes(), Readable::ByAll)?;
        Ok(())
    }

    /// Keeps a signed checkpoint that was not shown to continue the log that was cosigned. A call
    /// whose proof alone is wrong is kept as well, as nobody can tell them apart; so anybody can make
    /// many, and the oldest make room.
    fn keep_refused(&self, checkpoint: &Checkpoint, note: &str) -> Result<(), WitnessError> {
        let Checkpoint { origin, size, root } = checkpoint;
        tracing::error!(
            origin,
            size,
            root = hex::encode(root),
            "a checkpoint of the log's own key does not continue the log that was cosigned"
        );
        let log = self.state.below(origin);
        let kept = notes_in(&log, REFUSED)?;
        let name = name_of(checkpoint);
        if kept.iter().any(|kept| kept.ends_with(&name)) {
            return Ok(());
        }
        let number = |name: &String| name.split('-').next()?.parse::<u64>().ok();
        let next = kept.iter().filter_map(number).max().map_or(0, |last| last.saturating_add(1));
        log.write(&format!("{REFUSED}/{next:020}-{name}"), note.as_bytes(), Readable::ByAll)?;
        // Their names begin with the order they came in.
        let surplus = (kept.len() + 1).saturating_sub(MAX_KEPT);
        for oldest in kept.iter().take(surplus) {
            log.remove(&format!("{REFUSED}/{oldest}"))?;
        }
        Ok(())
    }

    /// The checkpoints of a log that were kept: first those that contradict what was cosigned, then
    /// those that were not shown to continue it, each in the order of their names.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn refused(&self, origin: &str) -> Result<Vec<String>, WitnessError> {
        let log = self.state.below(origin);
        let mut notes = Vec::new();
        for directory in [FORKED, REFUSED] {
            for name in notes_in(&log, directory)? {
                notes.extend(log.read_text(&format!("{directory}/{name}"))?);
            }
        }
        Ok(notes)
    }
}

/// What a kept checkpoint is called.
fn name_of(Checkpoint { size, root, .. }: &Checkpoint) -> String {
    format!("{size:020}-{}", hex::encode(root))
}

/// The names of the notes in a directory, sorted, without what a crash left half written.
fn notes_in(log: &Directory, directory: &str) -> Result<Vec<String>, FileError> {
    let mut names = log.list(directory)?;
    names.retain(|name| !name.contains('.'));
    Ok(names)
}

/// Whether the name of a log may be a directory below the witness's.
fn plain(origin: &str) -> bool {
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.len() <= 200;
    origin.split('/').all(part) && !origin.contains('\0')
}

#[cfg(test)]
mod tests;
