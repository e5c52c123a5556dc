//! C2SP cosignatures (`cosignature/v1`): what a witness says of a checkpoint, and when.
//!
//! A cosignature is one more signature line under a note. It is by another type of key than the
//! log's, and covers the time as well: as of then, this was the longest log of this name the witness
//! had seen, and it continued every one seen before.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature as DalekSignature, VerifyingKey};
use model::Timestamp;

use crate::keys::SigningKey;
use crate::note::{KeyError, Note, NoteError, Signature, key_id, valid_name};

/// The type byte of timestamped Ed25519 cosignatures.
const COSIGNATURE: u8 = 4;

/// The public half of a witness's key, under the name it cosigns with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl WitnessKey {
    /// A key under a name.
    ///
    /// # Errors
    /// When the name may not name a key, or the bytes are no Ed25519 public key.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, KeyError> {
        if !valid_name(name) {
            return Err(KeyError);
        }
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError)?;
        Ok(Self { name: name.to_owned(), id: key_id(name, COSIGNATURE, public), key })
    }

    /// The name it cosigns with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When this witness cosigned a note, the latest time if it did so more than once; none when
    /// it did not.
    ///
    /// # Errors
    /// When a line bears its name and is not its.
    pub fn cosigned(&self, note: &Note) -> Result<Option<Timestamp>, NoteError> {
        let mut latest = None;
        for line in note.signatures() {
            if line.name != self.name || line.id != self.id {
                continue;
            }
            let at = self.opens(note.unverified_text(), line).ok_or_else(|| {
                let key = format!("{}+{}", line.name, hex::encode(line.id));
                NoteError::BadSignature { key }
            })?;
            latest = latest.max(Some(at));
        }
        Ok(latest)
    }

    /// Whether a signature line is this witness's.
    #[must_use]
    pub fn made(&self, line: &Signature) -> bool {
        line.name == self.name && line.id == self.id
    }

    fn opens(&self, text: &str, line: &Signature) -> Option<Timestamp> {
        let (seconds, signature) = line.bytes.split_first_chunk::<8>()?;
        let seconds = i64::try_from(u64::from_be_bytes(*seconds)).ok()?;
        let at = Timestamp::from_second(seconds).ok()?;
        let signature = DalekSignature::from_slice(signature).ok()?;
        let message = message(text, seconds);
        self.key.verify_strict(message.as_bytes(), &signature).ok().map(|()| at)
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![COSIGNATURE];
        typed.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id), STANDARD.encode(typed))
    }
}

impl FromStr for WitnessKey {
    type Err = WitnessKeyError;

    fn from_str(text: &str) -> Result<Self, WitnessKeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(typed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(WitnessKeyError);
        };
        let typed = STANDARD.decode(typed).map_err(|_| WitnessKeyError)?;
        let (&kind, public) = typed.split_first().ok_or(WitnessKeyError)?;
        let public = public.try_into().map_err(|_| WitnessKeyError)?;
        let key = Self::new(name, public).map_err(|_| WitnessKeyError)?;
        let same = kind == COSIGNATURE && hex::encode(key.id) == id;
        if same { Ok(key) } else { Err(WitnessKeyError) }
    }
}

/// A text that is no witness's key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a witness's key: name+8 hexadecimal digits+base64, of the type for cosignatures")]
pub struct WitnessKeyError;

/// Cosigns the text of a checkpoint as of `at`, whole seconds of it.
///
/// # Errors
/// When the name may not name a key, or the time is before 1970.
pub fn cosign(
    key: &SigningKey,
    name: &str,
    text: &str,
    at: Timestamp,
) -> Result<Signature, KeyError> {
    if !valid_name(name) {
        return Err(KeyError);
    }
    let seconds = at.as_second();
    let mut bytes = u64::try_from(seconds).map_err(|_| KeyError)?.to_be_bytes().to_vec();
    bytes.extend(key.sign(message(text, seconds).as_bytes()));
    Ok(Signature { name: name.to_owned(), id: key_id(name, COSIGNATURE, key.public()), bytes })
}

/// What is signed: a line that says what this is, a line with the time, the checkpoint.
fn message(text: &str, seconds: i64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

#[cfg(test)]
mod tests;
