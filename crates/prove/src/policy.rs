//! Verifier policy: which keys may sign which sizes of a log.
//!
//! The file has a line for each key, `<verifier key> <from> <to>`; `to` is `-` while the key is in
//! use. A rotated key stays listed with the size it was retired at, so that old checkpoints stay
//! good and new ones by the old key do not.

use std::fmt;
use std::str::FromStr;

use crate::checkpoint::{Checkpoint, CheckpointError, decimal};
use crate::note::{KeyError, Note, NoteError, VerifierKey};

/// Why a checkpoint is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The note is malformed, or its signatures do not hold.
    #[error("the note is refused")]
    Note(#[from] NoteError),
    /// The text that was signed is no checkpoint.
    #[error("what was signed is no checkpoint")]
    Checkpoint(#[from] CheckpointError),
    /// It is the checkpoint of another log.
    #[error("the checkpoint is of the log {found}, not of {expected}")]
    Origin {
        /// The log that was asked about.
        expected: String,
        /// The log it speaks of.
        found: String,
    },
    /// Its keys were not in use at this size.
    #[error("the keys that signed were not in use at size {size}")]
    Range {
        /// The size of the checkpoint.
        size: u64,
    },
}

/// A line of the policy that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy line {line}: expected a verifier key, the first size and the last size or `-`")]
pub struct PolicyParseError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with the key, when it is the key.
    #[source]
    pub key: Option<KeyError>,
}

/// A key and the sizes it may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// The key.
    pub key: VerifierKey,
    /// The smallest size it may sign.
    pub from: u64,
    /// The largest size it may sign; none while it is in use.
    pub to: Option<u64>,
}

impl Trusted {
    fn covers(&self, size: u64) -> bool {
        size >= self.from && self.to.is_none_or(|to| size <= to)
    }
}

/// The keys that are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The lines, oldest key first.
    pub trusted: Vec<Trusted>,
}

impl Policy {
    /// Trusts these keys whatever the size.
    #[must_use]
    pub fn of(keys: impl IntoIterator<Item = VerifierKey>) -> Self {
        let trusted = keys.into_iter().map(|key| Trusted { key, from: 0, to: None }).collect();
        Self { trusted }
    }

    /// Opens a checkpoint of `origin`.
    ///
    /// # Errors
    /// When it is malformed, of another log, or not signed by a key in use at its size.
    pub fn open(&self, note: &str, origin: &str) -> Result<Checkpoint, PolicyError> {
        let note: Note = note.parse()?;
        let (text, signers) = note.open(&self.trusted.iter().map(|trusted| &trusted.key))?;
        let checkpoint: Checkpoint = text.parse()?;
        if checkpoint.origin != origin {
            return Err(PolicyError::Origin {
                expected: origin.to_owned(),
                found: checkpoint.origin,
            });
        }
        let in_use = self
            .trusted
            .iter()
            .any(|trusted| trusted.covers(checkpoint.size) && signers.contains(&&trusted.key));
        if in_use { Ok(checkpoint) } else { Err(PolicyError::Range { size: checkpoint.size }) }
    }

    /// Follows the keys in use: new ones count from `size` on, missing ones end there.
    ///
    /// Says whether anything changed.
    pub fn follow(&mut self, in_use: &[VerifierKey], size: u64) -> bool {
        let before = self.clone();
        for trusted in &mut self.trusted {
            if trusted.to.is_none() && !in_use.contains(&trusted.key) {
                trusted.to = Some(size);
            }
        }
        for key in in_use {
            let listed = |trusted: &Trusted| trusted.to.is_none() && trusted.key == *key;
            if !self.trusted.iter().any(listed) {
                self.trusted.push(Trusted { key: key.clone(), from: size, to: None });
            }
        }
        *self != before
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Trusted { key, from, to } in &self.trusted {
            match to {
                Some(to) => writeln!(f, "{key} {from} {to}")?,
                None => writeln!(f, "{key} {from} -")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Policy {
    type Err = PolicyParseError;

    fn from_str(text: &str) -> Result<Self, PolicyParseError> {
        let mut trusted = Vec::new();
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let wrong = |key| PolicyParseError { line, key };
            let mut parts = content.split_whitespace();
            let (Some(key), Some(from), Some(to), None) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                return Err(wrong(None));
            };
            let key = key.parse().map_err(|key| wrong(Some(key)))?;
            let from = decimal(from).ok_or_else(|| wrong(None))?;
            let to = match to {
                "-" => None,
                to => Some(decimal(to).ok_or_else(|| wrong(None))?),
            };
            trusted.push(Trusted { key, from, to });
        }
        Ok(Self { trusted })
    }
}

#[cfg(test)]
mod tests;
