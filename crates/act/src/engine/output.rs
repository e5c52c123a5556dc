//! Output on its way: masked, capped, put into the object store in pieces, its beginning shown live.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::Digest;
use model::connector::{Login, OutputSink, Pending, Stream};
use model::id::{AttemptId, StepRunId, ToolCallId};
use tokio::sync::Notify;

use super::mask::{Mask, Masked};
use super::strip::{Strip, Tip};
use crate::snapshot::Captured;
use crate::store::printed::{Document, Piece as Stretch, Shelf, Stored, begun, text};

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

/// How far an attempt's output came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Under whose name the pieces lie.
    pub(crate) call: ToolCallId,
    pub(crate) stdout: Tip,
    pub(crate) stderr: Tip,
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
    /// How far the output of attempts came that print for longer than a moment.
    pub(crate) marks: BTreeMap<AttemptId, Mark>,
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
        reel.pieces.is_empty() && reel.started.is_empty() && reel.marks.is_empty()
    }

    fn started(&self, attempt: AttemptId) {
        lock(&self.reel).started.insert(attempt);
    }

    fn mark(&self, attempt: AttemptId, mark: Mark) {
        lock(&self.reel).marks.insert(attempt, mark);
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
    /// The beginning, for people, for later steps, and to be shown live.
    head: Vec<u8>,
    /// The end of the bytes shown live so far.
    shown: usize,
    strip: Strip,
    truncated: bool,
}

/// Everything one attempt prints.
#[derive(Debug)]
pub(crate) struct Sink {
    run: StepRunId,
    attempt: AttemptId,
    sensitive: bool,
    cap: usize,
    live_cap: usize,
    mask: Mask,
    tape: Arc<Tape>,
    streams: Mutex<Streams>,
    /// Something waits to be stored, or the attempt is over.
    ripe: Notify,
    /// Something was stored.
    room: Notify,
    over: AtomicBool,
}

#[derive(Debug, Default)]
struct Streams {
    kept: BTreeMap<&'static str, Kept>,
    /// How far both were when that was last told.
    told: usize,
}

/// What is left of a stream once it is over.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printed {
    /// Its beginning; the whole when it is short.
    pub(crate) head: Vec<u8>,
    pub(crate) bytes: usize,
    pub(crate) truncated: bool,
    /// The hashes of its pieces, when it is long.
    pub(crate) pieces: Vec<Digest>,
}

/// What is left of an attempt's output once it is over.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output {
    pub(crate) stdout: Printed,
    pub(crate) stderr: Printed,
    pub(crate) seen: bool,
    pub(crate) sensitive: bool,
    /// The object store did not take all of it.
    pub(crate) lost: bool,
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
        Self {
            run,
            attempt,
            sensitive,
            cap,
            live_cap,
            mask: Mask::of(login),
            tape,
            streams: Mutex::default(),
            ripe: Notify::new(),
            room: Notify::new(),
            over: AtomicBool::new(false),
        }
    }

    /// The target dropped what came after the cap.
    pub(super) fn cut(&self) {
        let mut streams = lock(&self.streams);
        let cap = self.cap as u64;
        let at_cap = streams.kept.values().any(|kept| kept.offset >= cap);
        for kept in streams.kept.values_mut() {
            kept.truncated |= !at_cap || kept.offset >= cap;
        }
    }

    /// Nothing more comes: what was held back belongs to no secret.
    pub(super) fn end(&self) {
        {
            let mut streams = lock(&self.streams);
            for (&name, kept) in &mut streams.kept {
                let rest = kept.masked.finish(&self.mask);
                self.keep(name, kept, &rest);
                self.show(name, kept, true);
            }
        }
        self.over.store(true, Ordering::Release);
        self.ripe.notify_one();
    }

    /// Whether it is over.
    pub(super) fn over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Waits until something is to be stored, or it is over.
    pub(super) async fn ripe(&self) {
        self.ripe.notified().await;
    }

    /// The next piece of a stream to be stored.
    pub(super) fn next(&self, stream: &str, rest: bool) -> Option<(usize, Vec<u8>)> {
        lock(&self.streams).kept.get(stream)?.strip.next(rest)
    }

    /// What became of it.
    pub(super) fn stored(&self, stream: &str, bytes: usize, digest: Option<Digest>) {
        if let Some(kept) = lock(&self.streams).kept.get_mut(stream) {
            match digest {
                Some(digest) => kept.strip.stored(bytes, digest),
                None => {
                    kept.strip.lose();
                    kept.truncated = true;
                }
            }
        }
        self.room.notify_one();
    }

    /// How much of a stream waits to be stored, and whether it is long.
    pub(super) fn waiting(&self, stream: &str) -> (usize, bool) {
        let streams = lock(&self.streams);
        let strip = streams.kept.get(stream).map(|kept| &kept.strip);
        strip.map_or((0, false), |strip| (strip.waiting(), strip.long()))
    }

    /// Tells how far it came, unless that was told; at its end only what was told before and what
    /// is long.
    pub(super) fn tell(&self, call: ToolCallId) {
        let mut streams = lock(&self.streams);
        let tip =
            |name: &str| streams.kept.get(name).map(|kept| kept.strip.tip()).unwrap_or_default();
        let (stdout, stderr) = (tip("stdout"), tip("stderr"));
        let size = stdout.size() + stderr.size();
        let long = streams.kept.values().any(|kept| kept.strip.long());
        if size == streams.told || (self.over() && streams.told == 0 && !long) {
            return;
        }
        streams.told = size;
        self.tape.mark(self.attempt, Mark { call, stdout, stderr });
    }

    /// What is left, once all is stored.
    pub(super) fn finish(&self) -> Output {
        let mut output = Output { sensitive: self.sensitive, ..Output::default() };
        for (name, kept) in std::mem::take(&mut *lock(&self.streams)).kept {
            output.seen |= kept.offset > 0;
            output.lost |= kept.strip.lost();
            let (bytes, long) = (kept.strip.size(), kept.strip.long());
            let pieces = if long { kept.strip.pieces() } else { Vec::new() };
            let printed = Printed { head: kept.head, bytes, truncated: kept.truncated, pieces };
            match name {
                "stdout" => output.stdout = printed,
                _stderr => output.stderr = printed,
            }
        }
        output
    }

    fn keep(&self, name: &'static str, kept: &mut Kept, bytes: &[u8]) {
        let room = self.cap.saturating_sub(kept.strip.size());
        kept.truncated |= bytes.len() > room;
        let bytes = bytes.get(..room).unwrap_or(bytes);
        let head = PREVIEW_BYTES.max(self.live_cap).saturating_sub(kept.head.len());
        kept.head.extend_from_slice(bytes.get(..head).unwrap_or(bytes));
        kept.strip.add(bytes);
        if kept.strip.ripe() {
            self.ripe.notify_one();
        }
        self.show(name, kept, false);
    }

    /// Shows what is new, up to the live cap and never half a character.
    fn show(&self, stream: &'static str, kept: &mut Kept, last: bool) {
        let until = kept.head.len().min(self.live_cap);
        let new = kept.head.get(kept.shown..until).unwrap_or_default();
        let whole = if last { new.len() } else { new.len() - begun(new) };
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
        let kept = streams.kept.entry(name).or_insert_with(fresh);
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

    fn room(&self) -> Pending<'_, ()> {
        let full = || lock(&self.streams).kept.values().any(|kept| kept.strip.full());
        Box::pin(async move {
            while full() {
                self.room.notified().await;
            }
        })
    }
}

impl Output {
    /// The beginning, for people and for later steps; nothing of what is sensitive.
    pub(crate) fn preview(&self) -> Option<Captured> {
        if self.sensitive {
            return None;
        }
        let first = |printed: &Printed| {
            let bytes = printed.head.get(..PREVIEW_BYTES).unwrap_or(&printed.head);
            text(bytes.get(..bytes.len() - begun(bytes)).unwrap_or_default())
        };
        let cut = |printed: &Printed| printed.truncated || printed.bytes > PREVIEW_BYTES;
        Some(Captured {
            stdout: first(&self.stdout),
            stderr: first(&self.stderr),
            truncated: cut(&self.stdout) || cut(&self.stderr),
        })
    }

    /// The whole, for the object store: what is short itself, of what is long where its pieces are.
    pub(crate) fn document(&self, token: &str, shelf: &Shelf) -> Document {
        let stored = |name: &str, printed: &Printed| {
            if printed.pieces.is_empty() {
                return Stored::whole(&printed.head, printed.truncated);
            }
            let place = |(n, sha256): (usize, &Digest)| {
                let key = shelf.piece(name, n);
                Stretch { key, sha256: *sha256 }
            };
            let pieces = printed.pieces.iter().enumerate().map(place).collect();
            Stored::in_pieces(pieces, printed.bytes, printed.truncated)
        };
        Document {
            token: token.to_owned(),
            truncated: self.stdout.truncated || self.stderr.truncated,
            stdout: stored("stdout", &self.stdout),
            stderr: stored("stderr", &self.stderr),
        }
    }
}

#[cfg(test)]
mod tests;
