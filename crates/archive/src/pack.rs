//! What an object of the archive looks like: lines of JSON, sorted and compressed, beside a manifest.
//!
//! A line is `{"table":"findings","row":{…}}`, the row as PostgreSQL writes it. `zstd -d` and any
//! reader of NDJSON are enough to read it without us.

use std::collections::BTreeMap;
use std::io::Read as _;

use model::Digest;
use model::id::{ArchiveId, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The name of the format.
pub const FORMAT: &str = "countersign-archive/1";

/// zstd's own default.
const LEVEL: i32 = 3;

/// The largest object that is unpacked, in bytes of lines: what is larger was not packed by us.
const LARGEST: u64 = 4 << 30;

/// A row, as the database gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The table it is of.
    pub table: String,
    /// The row as JSON, on one line.
    pub json: String,
}

/// Lines to be archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// How many of each table.
    pub counts: BTreeMap<String, u64>,
    /// The lines themselves.
    pub bytes: Vec<u8>,
}

impl Lines {
    /// The lines of these rows, in an order of their own: the same rows give the same bytes.
    #[must_use]
    pub fn of(mut rows: Vec<Row>) -> Self {
        for row in &mut rows {
            // What came in as JSON text keeps its own white space. Within a JSON document a line
            // break can be nothing else: in strings it is escaped.
            if row.json.contains(['\n', '\r']) {
                row.json = row.json.replace(['\n', '\r'], " ");
            }
        }
        rows.sort_unstable();
        let mut counts = BTreeMap::new();
        let mut bytes = Vec::with_capacity(rows.iter().map(|row| row.json.len() + 48).sum());
        for row in rows {
            bytes.extend_from_slice(b"{\"table\":\"");
            bytes.extend_from_slice(row.table.as_bytes());
            bytes.extend_from_slice(b"\",\"row\":");
            bytes.extend_from_slice(row.json.as_bytes());
            bytes.extend_from_slice(b"}\n");
            *counts.entry(row.table).or_default() += 1;
        }
        Self { counts, bytes }
    }

    /// How many there are.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Their SHA-256.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// Compressed.
    ///
    /// # Errors
    /// When the compressor fails.
    pub fn compress(&self) -> std::io::Result<Vec<u8>> {
        zstd::bulk::compress(&self.bytes, LEVEL)
    }
}

/// Why an object is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Its checksum is another.
    #[error("has SHA-256 {found}, where {expected} was recorded")]
    Checksum {
        /// What was recorded.
        expected: Digest,
        /// What it has.
        found: Digest,
    },
    /// It cannot be unpacked.
    #[error("cannot be unpacked: {reason}")]
    Packed {
        /// Why.
        reason: String,
    },
    /// It has another number of rows.
    #[error("has {found} rows, where {expected} were recorded")]
    Count {
        /// What was recorded.
        expected: u64,
        /// What it has.
        found: u64,
    },
}

/// The lines of a compressed object.
///
/// # Errors
/// When it is no such object.
pub fn decompress(object: &[u8]) -> Result<Vec<u8>, Damage> {
    let packed = |error: std::io::Error| Damage::Packed { reason: error.to_string() };
    let reader = zstd::stream::read::Decoder::new(object).map_err(packed)?;
    let mut bytes = Vec::new();
    let read = reader.take(LARGEST).read_to_end(&mut bytes).map_err(packed)?;
    if u64::try_from(read).is_ok_and(|read| read < LARGEST) {
        return Ok(bytes);
    }
    Err(Damage::Packed { reason: "it is larger than anything that was packed".to_owned() })
}

#[derive(Deserialize)]
struct Line<'a> {
    table: &'a str,
    #[serde(borrow)]
    row: &'a RawValue,
}

/// The rows of unpacked lines.
///
/// # Errors
/// When one of them is no line of ours.
pub fn rows(lines: &[u8]) -> Result<Vec<Row>, Damage> {
    let text =
        std::str::from_utf8(lines).map_err(|error| Damage::Packed { reason: error.to_string() })?;
    text.lines()
        .enumerate()
        .map(|(at, line)| {
            let line: Line<'_> = serde_json::from_str(line).map_err(|error| Damage::Packed {
                reason: format!("line {}: {error}", at.saturating_add(1)),
            })?;
            Ok(Row { table: line.table.to_owned(), json: line.row.get().to_owned() })
        })
        .collect()
}

/// What stands beside an object, for whoever finds it without us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// The piece of the archive.
    pub archive: ArchiveId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Of which kind.
    pub subject: String,
    /// Of which class.
    pub class: String,
    /// Where the object is.
    pub object: String,
    /// Its SHA-256.
    pub sha256: Digest,
    /// Its size, in bytes.
    pub bytes: u64,
    /// The SHA-256 of its lines.
    pub content_sha256: Digest,
    /// How many rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// When it was made.
    pub made_at: jiff::Timestamp,
}

impl Manifest {
    /// As it is stored.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Where the object of a piece lies.
#[must_use]
pub fn object_key(tenant: TenantId, subject: &str, archive: ArchiveId) -> String {
    format!("{}/archive/{subject}/{}.ndjson.zst", tenant.uuid(), archive.uuid())
}

/// Where an object of these bytes lies: whoever puts the same piece at the same moment, from other
/// rows, overwrites nothing.
#[must_use]
pub fn keyed(object_key: &str, sha256: Digest) -> String {
    let digest = sha256.to_string();
    let short = digest.get(..16).unwrap_or(&digest);
    format!("{}.{short}.ndjson.zst", object_key.trim_end_matches(".ndjson.zst"))
}

/// Where its manifest lies.
#[must_use]
pub fn manifest_key(object_key: &str) -> String {
    format!("{}.manifest.json", object_key.trim_end_matches(".ndjson.zst"))
}

#[cfg(test)]
mod tests;
