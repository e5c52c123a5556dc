//! What an attempt printed, as it is kept: short output in one document, long output in pieces of one
//! size that the document names. And how ranges of it are read, while it comes and after.
//!
//! All offsets are those of the masked bytes. Nothing here holds more than two pieces at a time, save
//! for documents of before there were pieces.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Digest;
use model::id::{ExecutionId, TenantId, ToolCallId};
use model::objects::Objects;
use serde::{Deserialize, Serialize};

use crate::error::Error;

#[cfg(test)]
mod tests;

/// How much of a stream one piece holds; the last one holds the rest.
pub(crate) const PIECE_BYTES: usize = 1 << 20;

/// A stream that is not longer lies in the document itself, and while it comes in the database.
pub(crate) const SHORT_BYTES: usize = 64 * 1024;

/// Bytes of the longest character: less is not cut off from a range that goes on.
const CHARACTER_BYTES: usize = 4;

/// What is missing or is not what was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The document names fewer pieces than it says.
    #[error("a piece is missing")]
    Missing,
    /// A piece ends before its end.
    #[error("a piece is too short")]
    Short,
}

/// One piece of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    /// Its key in the object store.
    pub(crate) key: String,
    /// Its hash.
    pub(crate) sha256: Digest,
}

/// One stream, as documents hold it: as text, as anything else, or in pieces.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Stored {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    /// How many bytes all pieces have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pieces: Vec<Piece>,
    /// Whether the rest was dropped.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) truncated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Stored {
    /// Text as text, anything else in base64: nothing is lost either way.
    pub(crate) fn whole(bytes: &[u8], truncated: bool) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { text: Some(text.to_owned()), truncated, ..Self::default() },
            Err(_) => Self { base64: Some(STANDARD.encode(bytes)), truncated, ..Self::default() },
        }
    }

    /// A stream in pieces, `bytes` long.
    pub(crate) fn in_pieces(pieces: Vec<Piece>, bytes: usize, truncated: bool) -> Self {
        Self { bytes: Some(bytes), pieces, truncated, ..Self::default() }
    }
}

/// What an attempt printed, as it lies in the object store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Document {
    /// The attempt's token.
    pub(crate) token: String,
    /// Whether anything was dropped.
    pub(crate) truncated: bool,
    pub(crate) stdout: Stored,
    pub(crate) stderr: Stored,
}

impl Document {
    /// One stream, and whether its rest was dropped; documents of before say so of both together.
    fn stream(self, stream: &str) -> Stored {
        let told = self.stdout.truncated || self.stderr.truncated;
        let mut stored = if stream == "stdout" { self.stdout } else { self.stderr };
        stored.truncated |= self.truncated && !told;
        stored
    }
}

/// Where the pieces of one attempt's output go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shelf {
    pub(crate) tenant: TenantId,
    pub(crate) execution: ExecutionId,
    /// The call of the tool that prints. Whoever follows an attempt anew has one of their own, so
    /// that nobody writes over what others have written.
    pub(crate) call: ToolCallId,
}

impl Shelf {
    /// The key of the piece `n`.
    pub(crate) fn piece(&self, stream: &str, n: usize) -> String {
        let (tenant, execution) = (self.tenant.uuid(), self.execution.uuid());
        format!("{tenant}/tool-output/{execution}/{}/{stream}/{n}", self.call.uuid())
    }
}

/// One stream, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Here.
    Whole(Vec<u8>),
    /// All in pieces.
    Pieces { pieces: Vec<Piece>, bytes: usize },
    /// It still comes, or nobody followed it to its end: pieces up to `kept`, then what is here.
    Coming { shelf: Shelf, name: &'static str, kept: usize, tail: Vec<u8> },
}

impl Stream {
    /// A stream of a document, and whether its rest was dropped.
    pub(crate) fn of(bytes: &[u8], stream: &str) -> Result<(Self, bool), Error> {
        let document: Document =
            serde_json::from_slice(bytes).map_err(Error::unreadable("output"))?;
        let stored = document.stream(stream);
        let truncated = stored.truncated;
        let stream = match stored {
            Stored { bytes: Some(bytes), pieces, .. } => Self::Pieces { pieces, bytes },
            Stored { base64: Some(text), .. } => {
                Self::Whole(STANDARD.decode(text).map_err(Error::unreadable("output"))?)
            }
            Stored { text, .. } => Self::Whole(text.unwrap_or_default().into_bytes()),
        };
        Ok((stream, truncated))
    }

    /// How many bytes there are.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.len(),
            Self::Pieces { bytes, .. } => *bytes,
            Self::Coming { kept, tail, .. } => kept + tail.len(),
        }
    }

    /// How much of it lies in pieces.
    fn kept(&self) -> usize {
        match self {
            Self::Whole(_) => 0,
            Self::Pieces { bytes, .. } => *bytes,
            Self::Coming { kept, .. } => *kept,
        }
    }

    fn here(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Pieces { .. } => &[],
            Self::Coming { tail, .. } => tail,
        }
    }

    async fn piece(&self, objects: &dyn Objects, n: usize) -> Result<Vec<u8>, Error> {
        match self {
            Self::Pieces { pieces, .. } => {
                let missing = || Error::unreadable("output")(Fault::Missing);
                fetch(objects, pieces.get(n).ok_or_else(missing)?).await
            }
            // Its hash is written down at its end.
            Self::Coming { shelf, name, .. } => {
                objects.get(&shelf.piece(name, n)).await.map_err(Error::Objects)
            }
            Self::Whole(_) => Err(Error::unreadable("output")(Fault::Missing)),
        }
    }

    /// The bytes from `from` on up to `to`.
    async fn bytes(
        &self,
        objects: &dyn Objects,
        (from, to): (usize, usize),
    ) -> Result<Vec<u8>, Error> {
        let mut found = Vec::with_capacity(to.saturating_sub(from));
        let kept = self.kept();
        while from + found.len() < to.min(kept) {
            let at = from + found.len();
            let piece = self.piece(objects, at / PIECE_BYTES).await?;
            let end = PIECE_BYTES.min(at % PIECE_BYTES + to.min(kept) - at);
            let short = || Error::unreadable("output")(Fault::Short);
            found.extend_from_slice(piece.get(at % PIECE_BYTES..end).ok_or_else(short)?);
        }
        let at = (from + found.len()).max(kept);
        let rest = self.here().get(at - kept..to.max(at) - kept);
        found.extend_from_slice(rest.unwrap_or_default());
        Ok(found)
    }
}

/// A piece whose hash is the one that was written down.
pub(crate) async fn fetch(objects: &dyn Objects, piece: &Piece) -> Result<Vec<u8>, Error> {
    checked(objects, &piece.key, piece.sha256.as_bytes()).await
}

/// An object whose hash is the one that was written down.
pub(crate) async fn checked(
    objects: &dyn Objects,
    key: &str,
    sha256: &[u8],
) -> Result<Vec<u8>, Error> {
    let bytes = objects.get(key).await.map_err(Error::Objects)?;
    if Digest::of(&bytes).as_bytes().as_slice() != sha256 {
        return Err(Error::Altered);
    }
    Ok(bytes)
}

/// A range of a stream, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) text: String,
    /// The first byte of it.
    pub(crate) from: usize,
    /// The first byte after it.
    pub(crate) next: usize,
}

/// At most `most` bytes from `from` on, never half a character at the end: what is only begun comes
/// with the next range, unless nothing more comes. What is no text is replaced.
pub(crate) async fn range(
    objects: &dyn Objects,
    stream: &Stream,
    (from, most): (usize, usize),
    ended: bool,
) -> Result<Range, Error> {
    let size = stream.size();
    let from = from.min(size);
    let to = from.saturating_add(most.max(CHARACTER_BYTES)).min(size);
    let bytes = stream.bytes(objects, (from, to)).await?;
    let whole = if ended && to == size { bytes.len() } else { bytes.len() - begun(&bytes) };
    let text = text(bytes.get(..whole).unwrap_or_default());
    Ok(Range { text, from, next: from + whole })
}

/// How many bytes at the end are the beginning of a character that goes on.
pub(crate) fn begun(bytes: &[u8]) -> usize {
    // Only the last few bytes can be: what comes before them may be no text at all.
    let first = bytes.len().saturating_sub(CHARACTER_BYTES - 1);
    let tail = bytes.get(first..).unwrap_or_default();
    let starts = |at: &usize| {
        let rest = tail.get(*at..).unwrap_or_default();
        let error = std::str::from_utf8(rest).err();
        error.is_some_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (0..tail.len()).find(starts).map_or(0, |at| tail.len() - at)
}

/// Bytes as text the database takes: what is no text is replaced, a NUL by its picture.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{2400}")
}
