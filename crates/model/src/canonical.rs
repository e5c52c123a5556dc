//! Canonical JSON (RFC 8785, restricted to I-JSON without floats) and the hashes made from it.
//!
//! Everything that is hashed or signed goes through here. Numbers that are no integers travel as
//! strings (shortest round-trip), so that another machine gets the same bytes.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The largest integer every JSON reader holds exactly: 2^53 - 1 (RFC 7493, section 2.2).
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Why a value has no canonical form.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// A number is no integer of at most 53 bits.
    #[error("{path}: {number} is no integer of at most 53 bits; write it as a string")]
    Number {
        /// Where in the value, as a JSON pointer.
        path: String,
        /// The number found.
        number: String,
    },
    /// The value could not be turned into JSON at all.
    #[error("the value cannot be written as JSON")]
    Serialize(#[source] serde_json::Error),
}

/// A SHA-256, shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is no SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits")]
pub struct DigestError;

impl Digest {
    /// The SHA-256 of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The hash of the canonical form of `value`.
    ///
    /// # Errors
    /// When `value` has no canonical form.
    pub fn of_canonical<T: Serialize>(value: &T) -> Result<Self, CanonicalError> {
        Ok(Self::of(&to_bytes(value)?))
    }

    /// The 32 raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for Digest {
    type Error = DigestError;

    fn try_from(bytes: &[u8]) -> Result<Self, DigestError> {
        bytes.try_into().map(Self).map_err(|_| DigestError)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| DigestError)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The canonical bytes of `value`.
///
/// # Errors
/// When the value holds a float or an integer beyond 53 bits, or is no JSON.
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let value = serde_json::to_value(value).map_err(CanonicalError::Serialize)?;
    let mut out = Vec::with_capacity(256);
    write(&value, &mut String::new(), &mut out)?;
    Ok(out)
}

fn write(value: &Value, path: &mut String, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => {
            let safe = number.as_u64().is_some_and(|n| n <= MAX_SAFE_INTEGER)
                || number.as_i64().is_some_and(|n| n.unsigned_abs() <= MAX_SAFE_INTEGER);
            if !safe {
                return Err(CanonicalError::Number {
                    path: path.clone(),
                    number: number.to_string(),
                });
            }
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::String(text) => write_string(text, out)?,
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                nested(item, &at.to_string(), path, out)?;
            }
            out.push(b']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (at, (key, item)) in entries.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_string(key, out)?;
                out.push(b':');
                nested(item, key, path, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn nested(
    item: &Value,
    key: &str,
    path: &mut String,
    out: &mut Vec<u8>,
) -> Result<(), CanonicalError> {
    let length = path.len();
    path.push('/');
    path.push_str(key);
    write(item, path, out)?;
    path.truncate(length);
    Ok(())
}

/// `serde_json` escapes strings exactly as RFC 8785 asks: the two-character forms, then `\u00xx`.
fn write_string(text: &str, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    serde_json::to_writer(out, text).map_err(CanonicalError::Serialize)
}

#[cfg(test)]
mod tests;
