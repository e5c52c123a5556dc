//! Output on its way: masked, capped, kept whole for the object store, shown live in pieces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::connector::{Login, OutputSink, Stream};
use model::id::{AttemptId, StepRunId};
use serde_json::{Value, json};

use super::mask::{Mask, Masked};
use crate::snapshot::Captured;

/// How much of each stream is kept beside the step, for people and for later steps, in bytes.
pub(crate) const PREVIEW_BYTES: usize = 64 * 1024;

/// A piece of output to be shown live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) run: StepRunId,
    pub(crate) attempt: AttemptId,
    pub(crate) stream: &'static str,
    pub(crate) text: String,
    /// How many bytes of the stream, as kept, are shown once this piece is.
    pub(crate) until: usize,
}

/// How much of each stream was shown, by attempt.
pub(crate) type Shown = BTreeMap<(AttemptId, &'static str), usize>;

/// What all attempts of one execution print, until it is written down.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    reel: Mutex<Reel>,
    /// So that whoever follows an attempt anew shows nothing twice.
    shown: Mutex<Shown>,
}

/// What has come in since the last time.
#[derive(Debug, Default)]
pub(crate) struct Reel {
    pub(crate) pieces: Vec<Piece>,
    /// Attempts whose first output shows that their target has started them.
    pub(crate) started: BTreeSet<AttemptId>,
}

impl Tape {
    /// A tape that goes on where an earlier worker's ended.
    pub(crate) fn after(shown: Shown) -> Self {
        Self { shown: Mutex::new(shown), ..Self::default() }
    }

    /// Takes what has come in since the last time.
    pub(crate) fn take(&self) -> Reel {
        std::mem::take(&mut *lock(&self.reel))
    }

    /// Whether nothing has come in since the last time.
    pub(crate) fn blank(&self) -> bool {
        let reel = lock(&self.reel);
        reel.pieces.is_empty() && reel.started.is_empty()
    }

    fn started(&self, attempt: AttemptId) {
        lock(&self.reel).started.insert(attempt);
    }

    fn shown(&self, attempt: AttemptId, stream: &'static str) -> usize {
        lock(&self.shown).get(&(attempt, stream)).copied().unwrap_or_default()
    }

    fn push(&self, piece: Piece) {
        lock(&self.shown).insert((piece.attempt, piece.stream), piece.until);
        let mut reel = lock(&self.reel);
        match reel.pieces.last_mut() {
            Some(last) if last.attempt == piece.attempt && last.stream == piece.stream => {
                last.text.push_str(&piece.text);
                last.until = piece.until;
            }
            Some(_) | None => reel.pieces.push(piece),
        }
    }
}

/// A lock whose holder never panics while holding it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Default)]
struct Kept {
    /// The target's offset up to which bytes were seen.
    offset: u64,
    masked: Masked,
    bytes: Vec<u8>,
    /// The end of the bytes shown live so far.
    shown: usize,
    truncated: bool,
}

/// Everything one attempt printed.
#[derive(Debug)]
pub(crate) struct Sink {
    run: StepRunId,
    attempt: AttemptId,
    sensitive: bool,
    cap: usize,
    live_cap: usize,
    mask: Mask,
    tape: Arc<Tape>,
    streams: Mutex<BTreeMap<&'static str, Kept>>,
}

/// What is left of an attempt's output once it is over.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) truncated: bool,
    pub(crate) seen: bool,
    pub(crate) sensitive: bool,
}

impl Sink {
    pub(crate) fn new(
        run: StepRunId,
        attempt: AttemptId,
        sensitive: bool,
        caps: (usize, usize),
        login: Option<&Login>,
        tape: Arc<Tape>,
    ) -> Self {
        let (cap, live_cap) = caps;
        let mask = Mask::of(login);
        let streams = Mutex::default();
        Self { run, attempt, sensitive, cap, live_cap, mask, tape, streams }
    }

    /// Ends both streams.
    pub(crate) fn finish(&self) -> Output {
        let mut streams = lock(&self.streams);
        let mut output = Output { sensitive: self.sensitive, ..Output::default() };
        for (name, kept) in std::mem::take(&mut *streams) {
            let mut kept = kept;
            output.seen |= kept.offset > 0;
            let rest = kept.masked.finish(&self.mask);
            self.keep(name, &mut kept, &rest);
            self.show(name, &mut kept, true);
            output.truncated |= kept.truncated;
            match name {
                "stdout" => output.stdout = kept.bytes,
                _stderr => output.stderr = kept.bytes,
            }
        }
        output
    }

    fn keep(&self, name: &'static str, kept: &mut Kept, bytes: &[u8]) {
        let room = self.cap.saturating_sub(kept.bytes.len());
        kept.truncated |= bytes.len() > room;
        kept.bytes.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        self.show(name, kept, false);
    }

    /// Shows what is new, up to the live cap and never half a character.
    fn show(&self, stream: &'static str, kept: &mut Kept, last: bool) {
        let until = kept.bytes.len().min(self.live_cap);
        let new = kept.bytes.get(kept.shown..until).unwrap_or_default();
        let whole = if last { new.len() } else { new.len() - cut_character(new) };
        if whole == 0 {
            return;
        }
        let text = text(new.get(..whole).unwrap_or_default());
        kept.shown += whole;
        let (run, attempt, until) = (self.run, self.attempt, kept.shown);
        self.tape.push(Piece { run, attempt, stream, text, until });
    }
}

impl OutputSink for Sink {
    fn write(&self, stream: Stream, offset: u64, bytes: &[u8]) {
        let name = match stream {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        };
        let mut streams = lock(&self.streams);
        let fresh = || Kept { shown: self.tape.shown(self.attempt, name), ..Kept::default() };
        let kept = streams.entry(name).or_insert_with(fresh);
        // After a reconnection the target may send again what is known.
        let known = usize::try_from(kept.offset.saturating_sub(offset)).unwrap_or(usize::MAX);
        let Some(new) = bytes.get(known..).filter(|new| !new.is_empty()) else { return };
        if kept.offset == 0 {
            self.tape.started(self.attempt);
        }
        kept.offset = offset.saturating_add(bytes.len() as u64);
        if self.sensitive {
            return;
        }
        let passed = kept.masked.pass(&self.mask, new);
        self.keep(name, kept, &passed);
    }
}

/// How many bytes at the end are the beginning of a character that goes on.
fn cut_character(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.len() - error.valid_up_to(),
        Ok(_) | Err(_) => 0,
    }
}

/// Bytes as text the database takes: what is no text is replaced, a NUL by its picture.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{2400}")
}

impl Output {
    /// The beginning, for people and for later steps; nothing of what is sensitive.
    pub(crate) fn preview(&self) -> Option<Captured> {
        if self.sensitive {
            return None;
        }
        let first = |bytes: &[u8]| {
            let bytes = bytes.get(..PREVIEW_BYTES.min(bytes.len())).unwrap_or_default();
            text(bytes.get(..bytes.len() - cut_character(bytes)).unwrap_or_default())
        };
        Some(Captured {
            stdout: first(&self.stdout),
            stderr: first(&self.stderr),
            truncated: self.truncated
                || self.stdout.len() > PREVIEW_BYTES
                || self.stderr.len() > PREVIEW_BYTES,
        })
    }

    /// The whole, for the object store.
    pub(crate) fn document(&self, token: &str) -> Value {
        json!({
            "token": token,
            "truncated": self.truncated,
            "stdout": stored(&self.stdout),
            "stderr": stored(&self.stderr),
        })
    }
}

/// Text as text, anything else in base64: nothing is lost either way.
fn stored(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}

#[cfg(test)]
mod tests;
