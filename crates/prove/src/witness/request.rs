//! What is asked of a witness: the size it knows, the proof from there, the checkpoint.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{decimal, decode_hash};
use crate::merkle::Hash;

/// The most hashes a proof may have.
const MAX_HASHES: usize = 63;

/// The body of an `add-checkpoint` call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The size of the checkpoint the witness cosigned last, 0 when it never did.
    pub old: u64,
    /// Why the log of the checkpoint continues that one.
    pub proof: Vec<Hash>,
    /// The checkpoint, signed.
    pub note: String,
}

/// A text that is no such call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `old` and a size, at most 63 hashes, an empty line and a signed checkpoint")]
pub struct RequestError;

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for Request {
    type Err = RequestError;

    fn from_str(text: &str) -> Result<Self, RequestError> {
        let (head, note) = text.split_once("\n\n").ok_or(RequestError)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| decimal(line.strip_prefix("old ")?));
        let proof: Vec<Hash> = lines.map(decode_hash).collect::<Option<_>>().ok_or(RequestError)?;
        if proof.len() > MAX_HASHES {
            return Err(RequestError);
        }
        Ok(Self { old: old.ok_or(RequestError)?, proof, note: note.to_owned() })
    }
}
