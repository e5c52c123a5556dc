//! Many things in one request, a line each (NDJSON): read as they come in, kept in batches.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

use axum::body::Body as RawBody;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;
use utoipa::ToSchema;

use crate::body;
use crate::problem::{Answer, FieldFault, Problem};

/// Lines a request may have.
pub const MOST_LINES: u64 = 100_000;
/// Lines that are kept together.
pub const BATCH: usize = 1_000;
/// Bytes after which a batch is kept whatever its lines: several are in memory at once, parsed.
const BATCH_BYTES: usize = 4 << 20;
/// Refusals that are told; beyond that they are counted.
const MOST_TOLD: usize = 1_000;

/// A line that was not kept, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RefusedLine {
    /// Which line, from 1.
    pub line: u64,
    /// What was wrong with it.
    pub detail: String,
    /// The fields at fault.
    pub errors: Vec<FieldFault>,
}

/// What came of an import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportOut {
    /// Lines read.
    pub lines: u64,
    /// What was not known before.
    pub new: u64,
    /// What was known, and was seen or said again.
    pub repeated: u64,
    /// Lines that were refused.
    pub refused: u64,
    /// The first thousand of them, each with what is wrong.
    pub errors: Vec<RefusedLine>,
}

impl ImportOut {
    /// The answer to an import: what came of its batches, and what was refused before.
    #[must_use]
    pub fn of(lines: u64, kept: Kept, mut refused: Refused) -> Self {
        refused.append(kept.refused);
        refused.told.sort_by_key(|one| one.line);
        refused.told.truncate(MOST_TOLD);
        let repeated = kept.all.saturating_sub(kept.new);
        Self { lines, new: kept.new, repeated, refused: refused.count, errors: refused.told }
    }
}

/// What was refused of a request so far.
#[derive(Debug, Default)]
pub struct Refused {
    told: Vec<RefusedLine>,
    count: u64,
}

impl Refused {
    /// Notes that a line was refused.
    pub fn add(&mut self, line: u64, problem: Problem) {
        self.count += 1;
        if self.told.len() < MOST_TOLD {
            let problem = problem.brief();
            self.told.push(RefusedLine { line, detail: problem.detail, errors: problem.errors });
        }
    }

    fn append(&mut self, other: Self) {
        self.count += other.count;
        // Those of the reader and of every batch together are put in order and cut at the end.
        let room = (2 * MOST_TOLD).saturating_sub(self.told.len());
        self.told.extend(other.told.into_iter().take(room));
    }
}

/// What came of batches.
#[derive(Debug, Default)]
pub struct Kept {
    /// What was not known before.
    pub new: u64,
    /// What was kept, known before or not.
    pub all: u64,
    /// What the database refused.
    pub refused: Refused,
}

/// Batches that are being kept while the next ones are read. Two are under way at once only when no
/// object is in both, so that what comes later in a request counts.
#[derive(Debug)]
pub struct Keeping<N> {
    under_way: VecDeque<(BTreeSet<N>, JoinHandle<Answer<Kept>>)>,
    at_once: usize,
    kept: Kept,
}

impl<N: Ord> Keeping<N> {
    /// Keeps up to so many batches at once.
    #[must_use]
    pub const fn new(at_once: usize) -> Self {
        let kept = Kept { new: 0, all: 0, refused: Refused { told: Vec::new(), count: 0 } };
        Self { under_way: VecDeque::new(), at_once, kept }
    }

    /// Begins to keep a batch of the objects of these names, when there is room. Who breaks off
    /// does not break off what was begun.
    ///
    /// # Errors
    /// Those of a batch before.
    pub async fn add(
        &mut self,
        names: BTreeSet<N>,
        work: impl Future<Output = Answer<Kept>> + Send + 'static,
    ) -> Answer<()> {
        while self.under_way.len() >= self.at_once.max(1)
            || self.under_way.iter().any(|(others, _)| !others.is_disjoint(&names))
        {
            self.next().await?;
        }
        self.under_way.push_back((names, tokio::spawn(work)));
        Ok(())
    }

    /// What came of all of them, when all have ended: also after an error nothing goes on behind the
    /// answer.
    ///
    /// # Errors
    /// Those of the first batch that failed.
    pub async fn done(mut self) -> Answer<Kept> {
        let mut first = Ok(());
        while !self.under_way.is_empty() {
            first = first.and(self.next().await);
        }
        first.map(|()| self.kept)
    }

    async fn next(&mut self) -> Answer<()> {
        // It leaves the queue when it has ended: who stops waiting loses nothing.
        let Some((_, batch)) = self.under_way.front_mut() else { return Ok(()) };
        let kept = batch.await.map_err(db::Error::internal)?;
        self.under_way.pop_front();
        let kept = kept?;
        self.kept.new += kept.new;
        self.kept.all += kept.all;
        self.kept.refused.append(kept.refused);
        Ok(())
    }
}

/// The lines of a request, one batch after another.
pub struct Lines {
    stream: axum::body::BodyDataStream,
    rest: BytesMut,
    ended: bool,
    line: u64,
    /// The longest line, in bytes.
    longest: usize,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("line", &self.line).finish_non_exhaustive()
    }
}

impl Lines {
    /// Begins to read a body; a line may have `longest` bytes.
    ///
    /// # Errors
    /// 415 when it is something else than NDJSON.
    pub fn of(headers: &HeaderMap, body: RawBody, longest: usize) -> Answer<Self> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-ndjson") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body is of another kind",
                "send one JSON object a line as `Content-Type: application/x-ndjson`",
            ));
        }
        let stream = body.into_data_stream();
        Ok(Self { stream, rest: BytesMut::new(), ended: false, line: 0, longest })
    }

    /// How many lines were read so far.
    #[must_use]
    pub const fn read(&self) -> u64 {
        self.line
    }

    /// The next batch: what can be read, with the number of its line; what cannot goes to
    /// `refused`. Nothing when the body has ended.
    ///
    /// # Errors
    /// When the sender breaks off, or there are more than [`MOST_LINES`]. What was kept before
    /// stays.
    pub async fn batch<T: DeserializeOwned>(
        &mut self,
        refused: &mut Refused,
    ) -> Answer<Option<Vec<(u64, T)>>> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH && bytes < BATCH_BYTES {
            let Some(line) = self.next().await? else { break };
            bytes += line.len();
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match body::parse(&line, self.longest) {
                Ok(one) => batch.push((self.line, one)),
                Err(problem) => refused.add(self.line, problem),
            }
        }
        Ok(Some(batch).filter(|batch| !batch.is_empty() || !self.ended))
    }

    async fn next(&mut self) -> Answer<Option<Bytes>> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = self.rest.split_to(end + 1).freeze();
                return self.count(line.slice(..end)).map(Some);
            }
            // An endless line is not collected: what is kept of it is refused for its length.
            let full = self.rest.len() > self.longest;
            if full {
                let message =
                    format!("line {} is longer than {} bytes", self.line + 1, self.longest);
                return Err(Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "too_large",
                    "The body is too large",
                    message,
                ));
            }
            match self.stream.next().await {
                Some(Ok(bytes)) => self.rest.extend_from_slice(&bytes),
                Some(Err(_)) => return Err(Problem::invalid("", "body", "the body broke off")),
                None => {
                    self.ended = true;
                    let last = self.rest.split().freeze();
                    if last.is_empty() {
                        return Ok(None);
                    }
                    return self.count(last).map(Some);
                }
            }
        }
    }

    fn count(&mut self, line: Bytes) -> Answer<Bytes> {
        self.line += 1;
        if self.line > MOST_LINES {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "The body is too large",
                format!("a request may have {MOST_LINES} lines; what came before is kept"),
            ));
        }
        Ok(line)
    }
}
