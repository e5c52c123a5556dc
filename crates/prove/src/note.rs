//! C2SP signed notes: text with signature lines, and the keys that check them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature as DalekSignature, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// The type byte of plain Ed25519 signatures.
pub(crate) const ED25519: u8 = 1;

/// The most signature lines a note may have; the format asks to accept 16.
pub const MAX_SIGNATURES: usize = 16;

/// The longest note read, in bytes: 16 post-quantum signatures fit.
pub const MAX_NOTE_BYTES: usize = 128 * 1024;

/// Why a note is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is not in the format of a signed note.
    #[error("this is no signed note: {0}")]
    Malformed(&'static str),
    /// A key that is known did not make the signature that bears its name.
    #[error("the signature of the known key {key} does not verify")]
    BadSignature {
        /// Name and id of the key.
        key: String,
    },
    /// No signature is by a key that is known.
    #[error("no signature is by a known key")]
    NoKnownKey,
}

/// A text that is no verifier key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a verifier key: name+8 hexadecimal digits+base64 of an Ed25519 public key")]
pub struct KeyError;

/// The public half of a key, under the name it signs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    /// A key under a name.
    ///
    /// # Errors
    /// When the name may not name a key, or the bytes are no Ed25519 public key.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, KeyError> {
        if !valid_name(name) {
            return Err(KeyError);
        }
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError)?;
        Ok(Self { name: name.to_owned(), id: key_id(name, ED25519, public), key })
    }

    /// The name it signs with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The short id in signature lines.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        DalekSignature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![ED25519];
        typed.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id), STANDARD.encode(typed))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(typed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError);
        };
        let typed = STANDARD.decode(typed).map_err(|_| KeyError)?;
        let (&kind, public) = typed.split_first().ok_or(KeyError)?;
        let public = public.try_into().map_err(|_| KeyError)?;
        let key = Self::new(name, public)?;
        if kind == ED25519 && hex::encode(key.id) == id { Ok(key) } else { Err(KeyError) }
    }
}

/// The first four bytes of `SHA-256(name || "\n" || type || public key)`.
pub(crate) fn key_id(name: &str, kind: u8, public: &[u8; 32]) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update([b'\n', kind]);
    hash.update(public);
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
    [a, b, c, d]
}

/// Whether a key may bear this name.
#[must_use]
pub fn valid_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c == '+' || c.is_whitespace() || c.is_control())
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key.
    pub name: String,
    /// The short id of the key.
    pub id: [u8; 4],
    /// The signature itself.
    pub bytes: Vec<u8>,
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(&self.bytes);
        write!(f, "\u{2014} {} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A signed note. Its text means nothing before [`Note::open`] has accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// A note with these signatures; the text must end in a newline.
    #[must_use]
    pub const fn new(text: String, signatures: Vec<Signature>) -> Self {
        Self { text, signatures }
    }

    /// Its signature lines.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The same with further signature lines; those it has already are not repeated.
    #[must_use]
    pub fn and(mut self, more: impl IntoIterator<Item = Signature>) -> Self {
        for signature in more {
            if !self.signatures.contains(&signature) {
                self.signatures.push(signature);
            }
        }
        self
    }

    /// The text, which nobody has vouched for yet.
    pub(crate) fn unverified_text(&self) -> &str {
        &self.text
    }

    /// Gives the text and the keys that signed it.
    ///
    /// Lines of unknown keys are ignored; a line of a known key that does not verify spoils the
    /// whole note.
    ///
    /// # Errors
    /// When a known key's line does not verify, or no line is by a known key.
    pub fn open<'k>(
        &self,
        known: &(impl IntoIterator<Item = &'k VerifierKey> + Clone),
    ) -> Result<(&str, Vec<&'k VerifierKey>), NoteError> {
        let mut signers: Vec<&VerifierKey> = Vec::new();
        for line in &self.signatures {
            let key =
                known.clone().into_iter().find(|key| key.name == line.name && key.id == line.id);
            let Some(key) = key else { continue };
            if !key.verifies(&self.text, &line.bytes) {
                return Err(NoteError::BadSignature {
                    key: format!("{}+{}", line.name, hex::encode(line.id)),
                });
            }
            if !signers.contains(&key) {
                signers.push(key);
            }
        }
        if signers.is_empty() { Err(NoteError::NoKnownKey) } else { Ok((&self.text, signers)) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        if text.len() > MAX_NOTE_BYTES {
            return Err(NoteError::Malformed("it is too long"));
        }
        if text.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Malformed("it has control characters"));
        }
        let (body, lines) =
            text.rsplit_once("\n\n").ok_or(NoteError::Malformed("it has no signatures"))?;
        let lines =
            lines.strip_suffix('\n').ok_or(NoteError::Malformed("the last line has no newline"))?;
        let signatures = lines
            .split('\n')
            .map(signature_line)
            .collect::<Option<Vec<_>>>()
            .ok_or(NoteError::Malformed("a signature line has the wrong form"))?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Malformed("it has too many signatures"));
        }
        Ok(Self { text: format!("{body}\n"), signatures })
    }
}

/// Signature lines alone, as a witness answers them; none when one has the wrong form.
#[must_use]
pub fn signature_lines(text: &str) -> Option<Vec<Signature>> {
    let lines = text.strip_suffix('\n')?;
    let signatures: Vec<_> = lines.split('\n').map(signature_line).collect::<Option<_>>()?;
    (signatures.len() <= MAX_SIGNATURES).then_some(signatures)
}

fn signature_line(line: &str) -> Option<Signature> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let decoded = STANDARD.decode(encoded).ok()?;
    let (id, bytes) = decoded.split_first_chunk::<4>()?;
    (valid_name(name) && !bytes.is_empty()).then(|| Signature {
        name: name.to_owned(),
        id: *id,
        bytes: bytes.to_vec(),
    })
}

#[cfg(test)]
mod tests;
