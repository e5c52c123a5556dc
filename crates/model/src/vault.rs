//! Sealing secrets: what is stored of them, and what it is bound to.

use std::fmt::Debug;

use crate::id::TenantId;
use crate::secret::Secret;

/// Where a sealed secret lives. It is authenticated with the ciphertext, so that a row moved to
/// another place, tenant or version cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The table.
    pub table: &'a str,
    /// The row.
    pub row: uuid::Uuid,
    /// The field.
    pub field: &'a str,
    /// The version of the secret, from 1.
    pub version: u32,
}

/// A sealed secret, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The algorithm: `AES-256-GCM`.
    pub alg: String,
    /// The key-encryption key that wraps the data key.
    pub kek_id: String,
    /// The wrapped data key, fresh for this version.
    pub wrapped_dek: Vec<u8>,
    /// The nonce of the ciphertext.
    pub nonce: Vec<u8>,
    /// The ciphertext with its tag.
    pub ciphertext: Vec<u8>,
    /// The format of the authenticated place.
    pub aad_version: i16,
}

/// Why a secret could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The ciphertext does not belong to this place, or was altered.
    #[error("the sealed secret does not belong here, or was altered")]
    Altered,
    /// The key-encryption key is not the one that wrapped it.
    #[error("key-encryption key {kek_id} is not at hand")]
    UnknownKey {
        /// The key asked for.
        kek_id: String,
    },
    /// The key store failed.
    #[error("the key store failed: {reason}")]
    Unavailable {
        /// In its words.
        reason: String,
    },
}

/// Seals and opens secrets.
pub trait Vault: Send + Sync + Debug {
    /// Seals `secret` for `place` under a fresh data key.
    ///
    /// # Errors
    /// When the key store fails.
    fn seal(&self, place: &Place<'_>, secret: &Secret) -> Result<Sealed, VaultError>;

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// When it was sealed for another place, was altered, or its key is not at hand.
    fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Secret, VaultError>;
}
