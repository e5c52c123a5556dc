//! What comes back from a host: the step's bytes, and how it ended.
//!
//! Both streams start with the call's nonce; whatever a login shell prints before it is noise. The
//! last 256 bytes of standard output are the ending. Everything between is the step's, byte for
//! byte: since the ending is recognised by its place at the very end, output cannot pass for it. The
//! nonce at its beginning only tells what may be passed on before the end is there.

use model::connector::{Offsets, OutputSink, Stream};

use crate::guard::Nonce;

/// Bytes of the ending (`printf %-256s` in the guard).
const ENDING: usize = 256;

/// How much a login shell may print before the guard speaks.
const NOISE_MAX: usize = 64 * 1024;

/// How much of the noise is kept, to explain a host on which the guard never spoke.
const NOISE_SHOWN: usize = 200;

/// Blocks of `ulimit -f` are twice as large in some shells; the rest is leeway for the last write.
const LEEWAY: u64 = 64 * 1024;

/// How the guard ended its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The step ran to its end; the result as the guard wrote it.
    End { result: String },
    /// What is held for the token: link, result, whether it lives.
    Guard { link: String, result: String, alive: String },
    /// The fence stands.
    Won,
    /// Nothing was started, because the host cannot keep a guard.
    Unusable { why: String },
    /// The keeper on the host was killed: how the step ended is not known.
    Gone,
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// More than a login shell says before the guard speaks.
    #[error("more than 64 KiB before the guard's first word")]
    Noise,
    /// More than the guard keeps.
    #[error("more output than the guard keeps")]
    TooMuch,
    /// The guard never spoke.
    #[error("no answer from the guard, the host said {0:?}")]
    Silent(String),
    /// The end of the answer is missing or unknown.
    #[error("the answer breaks off")]
    Incomplete,
}

/// An answer as it comes in.
pub(crate) struct Answer<'a> {
    nonce: String,
    cap: u64,
    sink: Option<&'a dyn OutputSink>,
    stdout: Voice,
    stderr: Voice,
}

impl<'a> Answer<'a> {
    /// An answer whose step output, up to `cap` bytes a stream, goes to `sink` from `from` on.
    pub(crate) fn new(
        nonce: &Nonce,
        cap: u64,
        from: Offsets,
        sink: Option<&'a dyn OutputSink>,
    ) -> Self {
        Self {
            nonce: nonce.as_str().to_owned(),
            cap,
            sink,
            stdout: Voice::new(from.stdout, ENDING),
            stderr: Voice::new(from.stderr, 0),
        }
    }

    /// Takes what came on a stream.
    pub(crate) fn hear(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Fault> {
        let voice = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let (cap, sink) = (self.cap, self.sink);
        voice.hear(&self.nonce, bytes, |offset, bytes| {
            let room = usize::try_from(cap.saturating_sub(offset)).unwrap_or(usize::MAX);
            let kept = bytes.get(..room).unwrap_or(bytes);
            if let Some(sink) = sink
                && !kept.is_empty()
            {
                sink.write(stream, offset, kept);
            }
        })?;
        if voice.offset > cap.saturating_mul(2).saturating_add(LEEWAY) {
            return Err(Fault::TooMuch);
        }
        Ok(())
    }

    /// Waits until whoever takes the output takes more.
    pub(crate) async fn room(&self) {
        if let Some(sink) = self.sink {
            sink.room().await;
        }
    }

    /// Whether the step printed more than is kept.
    pub(crate) fn truncated(&self) -> bool {
        self.stdout.offset > self.cap || self.stderr.offset > self.cap
    }

    /// How it ended, once the host has closed the stream after it.
    pub(crate) fn ending(&self) -> Result<Ending, Fault> {
        if !self.stdout.marked {
            let noise = if self.stderr.marked { &self.stdout } else { &self.stderr };
            let noise = if noise.buffer.is_empty() { &self.stdout } else { noise };
            let shown = noise.buffer.get(..NOISE_SHOWN).unwrap_or(&noise.buffer);
            return Err(Fault::Silent(String::from_utf8_lossy(shown).trim().to_owned()));
        }
        if self.stdout.buffer.len() != ENDING {
            return Err(Fault::Incomplete);
        }
        let text = std::str::from_utf8(&self.stdout.buffer).map_err(|_| Fault::Incomplete)?;
        let text = text.strip_prefix(&self.nonce).ok_or(Fault::Incomplete)?;
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        let owned = |word: &str| word.to_owned();
        match words.as_slice() {
            ["end", result] => Ok(Ending::End { result: owned(result) }),
            ["guard", link, result, alive] => {
                Ok(Ending::Guard { link: owned(link), result: owned(result), alive: owned(alive) })
            }
            ["won"] => Ok(Ending::Won),
            ["unusable", why] => Ok(Ending::Unusable { why: owned(why) }),
            ["gone"] => Ok(Ending::Gone),
            _ => Err(Fault::Incomplete),
        }
    }
}

/// One stream of an answer.
struct Voice {
    /// Whether the nonce has come.
    marked: bool,
    /// Before the nonce the noise; after it what is held back.
    buffer: Vec<u8>,
    /// How much of the buffer was searched for the nonce.
    searched: usize,
    /// The offset of the buffer's first byte in the step's output.
    offset: u64,
    /// How many bytes are held back, because they may be the ending.
    hold: usize,
}

impl Voice {
    const fn new(offset: u64, hold: usize) -> Self {
        Self { marked: false, buffer: Vec::new(), searched: 0, offset, hold }
    }

    fn hear(
        &mut self,
        nonce: &str,
        bytes: &[u8],
        mut emit: impl FnMut(u64, &[u8]),
    ) -> Result<(), Fault> {
        self.buffer.extend_from_slice(bytes);
        if !self.marked && !self.find(nonce)? {
            return Ok(());
        }
        let ready = self.ready(nonce.as_bytes());
        if let Some(bytes) = self.buffer.get(..ready).filter(|bytes| !bytes.is_empty()) {
            emit(self.offset, bytes);
            self.offset = self.offset.saturating_add(ready as u64);
            self.buffer.drain(..ready);
        }
        Ok(())
    }

    /// How many bytes cannot belong to the ending any more.
    fn ready(&self, nonce: &[u8]) -> usize {
        let tail = self.buffer.len().saturating_sub(self.hold);
        let rest = self.buffer.get(tail..).unwrap_or_default();
        // The ending starts where the nonce starts, or may be about to.
        let starts = |at: &usize| {
            let from = rest.get(*at..).unwrap_or_default();
            from.starts_with(nonce) || nonce.starts_with(from)
        };
        tail + (0..rest.len()).find(starts).unwrap_or(rest.len())
    }

    /// Looks for `nonce:` and drops everything up to it.
    fn find(&mut self, nonce: &str) -> Result<bool, Fault> {
        let mark = format!("{nonce}:");
        let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
        let found = unsearched.windows(mark.len()).position(|window| window == mark.as_bytes());
        if let Some(at) = found {
            self.buffer.drain(..self.searched + at + mark.len());
            self.marked = true;
            return Ok(true);
        }
        if self.buffer.len() > NOISE_MAX {
            return Err(Fault::Noise);
        }
        self.searched = self.buffer.len().saturating_sub(mark.len() - 1);
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
