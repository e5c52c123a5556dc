//! The Ed25519 keys that sign checkpoints and decisions, and their rotation.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Digest;

use crate::directory::{Directory, FileError, Readable};
use crate::note::{ED25519, KeyError, Note, Signature, VerifierKey, key_id, valid_name};

/// Why keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// A key file cannot be read or written.
    #[error("the key file is not accessible")]
    File(#[from] FileError),
    /// A key file holds no key.
    #[error("{file} holds no Ed25519 key in PKCS#8 PEM")]
    NoKey {
        /// The file.
        file: String,
    },
    /// The cryptographic library refused to make a key.
    #[error("no key can be made")]
    Generate,
    /// The last key in use cannot be retired.
    #[error("the only key in use cannot be retired: rotate first")]
    OnlyKey,
    /// The name may not name a key.
    #[error("{name:?} may not name a key")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        #[source]
        source: KeyError,
    },
}

/// A key that signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.fingerprint())
    }
}

impl SigningKey {
    /// The key made from 32 secret bytes.
    ///
    /// # Errors
    /// When the library refuses them.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyringError> {
        Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|_| KeyringError::Generate)
            .and_then(Self::from_pair)
    }

    fn from_pair(pair: Ed25519KeyPair) -> Result<Self, KeyringError> {
        let public = pair.public_key().as_ref().try_into().map_err(|_| KeyringError::Generate)?;
        Ok(Self { pair, public })
    }

    fn generate() -> Result<Self, KeyringError> {
        Ed25519KeyPair::generate().map_err(|_| KeyringError::Generate).and_then(Self::from_pair)
    }

    fn from_pem(pem: &str) -> Option<Self> {
        let body: String = pem
            .trim()
            .strip_prefix("-----BEGIN PRIVATE KEY-----")?
            .strip_suffix("-----END PRIVATE KEY-----")?
            .split_whitespace()
            .collect();
        let pair = Ed25519KeyPair::from_pkcs8(&STANDARD.decode(body).ok()?).ok()?;
        Self::from_pair(pair).ok()
    }

    fn to_pem(&self) -> Result<String, KeyringError> {
        let der = self.pair.to_pkcs8v1().map_err(|_| KeyringError::Generate)?;
        let body = STANDARD.encode(der);
        Ok(format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"))
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The SHA-256 of the public half, the name of the key in decisions.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.public)
    }

    /// The 64 bytes of an Ed25519 signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    /// The public half under a name.
    ///
    /// # Errors
    /// When the name may not name a key.
    pub fn verifier(&self, name: &str) -> Result<VerifierKey, KeyringError> {
        VerifierKey::new(name, &self.public)
            .map_err(|source| KeyringError::Name { name: name.to_owned(), source })
    }
}

/// The keys in use. All of them sign: after a rotation both the old and the new do, until the old
/// one is retired.
#[derive(Debug)]
pub struct Keyring {
    /// Oldest first.
    older: Vec<SigningKey>,
    newest: SigningKey,
    /// The public halves of keys that sign no more.
    retired: Vec<[u8; 32]>,
}

const SUFFIX: &str = ".key";
const RETIRED: &str = ".retired";

impl Keyring {
    /// A ring of these keys, oldest first.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(mut keys: Vec<SigningKey>) -> Result<Self, KeyringError> {
        let newest = keys.pop().ok_or(KeyringError::OnlyKey)?;
        Ok(Self { older: keys, newest, retired: Vec::new() })
    }

    /// The keys in a directory; makes the first one where there is none.
    ///
    /// # Errors
    /// When a file cannot be read or written, or holds no key.
    pub fn open_or_create(directory: &Directory) -> Result<Self, KeyringError> {
        let mut keys = read_keys(directory, |file| file.ends_with(SUFFIX))?;
        if keys.is_empty() {
            keys.push(add_key(directory)?);
        }
        let retired = read_keys(directory, |file| file.ends_with(RETIRED))?;
        let retired = retired.iter().map(|key| *key.public()).collect();
        Ok(Self { retired, ..Self::of(keys)? })
    }

    /// The public halves of all keys a directory has seen, retired ones included: what signatures
    /// of decisions are checked with.
    ///
    /// # Errors
    /// When a file cannot be read or holds no key.
    pub fn public_keys(directory: &Directory) -> Result<Vec<[u8; 32]>, KeyringError> {
        let every = |file: &str| file.ends_with(SUFFIX) || file.ends_with(RETIRED);
        Ok(read_keys(directory, every)?.iter().map(|key| *key.public()).collect())
    }

    /// Adds a new key beside those in use: from now on both sign.
    ///
    /// # Errors
    /// When the key cannot be made or written.
    pub fn rotate(&mut self, directory: &Directory) -> Result<&SigningKey, KeyringError> {
        let before = std::mem::replace(&mut self.newest, add_key(directory)?);
        self.older.push(before);
        Ok(&self.newest)
    }

    /// Takes the oldest key out of use; its file stays, renamed.
    ///
    /// # Errors
    /// When it is the only one, or its file cannot be renamed.
    pub fn retire_oldest(&mut self, directory: &Directory) -> Result<(), KeyringError> {
        if self.older.is_empty() {
            return Err(KeyringError::OnlyKey);
        }
        let files = directory.list("")?;
        if let Some(oldest) = files.iter().find(|name| name.ends_with(SUFFIX)) {
            directory.rename(oldest, &format!("{oldest}{RETIRED}"))?;
        }
        self.retired.push(*self.older.remove(0).public());
        Ok(())
    }

    /// The key that signs decisions.
    #[must_use]
    pub const fn newest(&self) -> &SigningKey {
        &self.newest
    }

    /// The newest key alone.
    #[must_use]
    pub fn into_newest(self) -> SigningKey {
        self.newest
    }

    /// The public halves of every key it has seen, those retired included: what its signatures are
    /// checked with.
    #[must_use]
    pub fn trusted(&self) -> Vec<[u8; 32]> {
        self.retired.iter().copied().chain(self.keys().map(|key| *key.public())).collect()
    }

    /// By what the keys are known: the newest, then those before it.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<Digest> {
        let mut prints: Vec<_> = self.keys().map(SigningKey::fingerprint).collect();
        prints.reverse();
        prints
    }

    fn keys(&self) -> impl Iterator<Item = &SigningKey> {
        self.older.iter().chain(std::iter::once(&self.newest))
    }

    /// The public halves under a name, oldest first.
    ///
    /// # Errors
    /// When the name may not name a key.
    pub fn verifiers(&self, name: &str) -> Result<Vec<VerifierKey>, KeyringError> {
        self.keys().map(|key| key.verifier(name)).collect()
    }

    /// A note with a signature line of every key in use.
    ///
    /// # Errors
    /// When the name may not name a key.
    pub fn sign_note(&self, name: &str, text: String) -> Result<Note, KeyringError> {
        if !valid_name(name) {
            return Err(KeyringError::Name { name: name.to_owned(), source: KeyError });
        }
        let signatures = self
            .keys()
            .map(|key| Signature {
                name: name.to_owned(),
                id: key_id(name, ED25519, &key.public),
                bytes: key.sign(text.as_bytes()),
            })
            .collect();
        Ok(Note::new(text, signatures))
    }
}

fn read_keys(
    directory: &Directory,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<SigningKey>, KeyringError> {
    let mut keys = Vec::new();
    for file in directory.list("")?.into_iter().filter(|file| wanted(file)) {
        let pem = directory.read_text(&file)?.unwrap_or_default();
        keys.push(SigningKey::from_pem(&pem).ok_or(KeyringError::NoKey { file })?);
    }
    Ok(keys)
}

/// Makes the key with the next number and writes it to its file.
fn add_key(directory: &Directory) -> Result<SigningKey, KeyringError> {
    let key = SigningKey::generate()?;
    let next = directory
        .list("")?
        .iter()
        .filter_map(|name| name.strip_prefix("signing-")?.get(..4)?.parse::<u32>().ok())
        .max()
        .unwrap_or(0)
        .saturating_add(1);
    let file = format!("signing-{next:04}{SUFFIX}");
    directory.write(&file, key.to_pem()?.as_bytes(), Readable::ByOwner)?;
    Ok(key)
}

#[cfg(test)]
mod tests;
