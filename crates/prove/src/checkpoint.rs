//! Checkpoints: what a log says about itself (C2SP tlog-checkpoint, without extension lines).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::id::TenantId;

use crate::merkle::Hash;

/// A text that is no checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a checkpoint: three lines with origin, size and root")]
pub struct CheckpointError;

/// The name of a tenant's log in a deployment: `audit.<deployment>/<tenant>`.
///
/// It is the first line of its checkpoints, the name its keys sign with, and the directory its
/// tiles lie in.
#[must_use]
pub fn origin(deployment: &str, tenant: TenantId) -> String {
    format!("audit.{deployment}/{}", tenant.uuid())
}

/// Whether a deployment may bear this name: it becomes part of key names and of directories.
#[must_use]
pub fn valid_deployment(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    (1..=100).contains(&name.len())
        && name.chars().all(plain)
        && !name.contains("..")
        && !name.starts_with(['-', '.'])
        && !name.ends_with('.')
}

/// The size and root of a log at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// The root of its tree.
    pub root: Hash,
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, STANDARD.encode(self.root))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root), Some(""), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError);
        };
        if origin.is_empty() {
            return Err(CheckpointError);
        }
        let size = decimal(size).ok_or(CheckpointError)?;
        let root = decode_hash(root).ok_or(CheckpointError)?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

/// A number in the one form the formats allow: digits, no leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    if digits && canonical { text.parse().ok() } else { None }
}

/// A hash in the one base64 form the formats allow.
pub(crate) fn decode_hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}
