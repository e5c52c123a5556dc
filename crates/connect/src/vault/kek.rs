//! What a key-encryption key does, wherever it is kept.

use std::fmt::Debug;

use model::connector::Pending;
use model::vault::{Sealed, VaultError};
use zeroize::Zeroizing;

/// A wrapped key, and what wrapped it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// The key-encryption key.
    pub kek_id: String,
    /// The key, wrapped.
    pub bytes: Vec<u8>,
}

/// A key-encryption key. What it wraps is bound to bytes that say where it belongs.
pub trait Kek: Send + Sync + Debug {
    /// By what this key is known, newest first: how two hosts find out whether they have the same.
    ///
    /// # Errors
    /// When it is not at hand.
    fn fingerprints(&self) -> Result<Vec<String>, VaultError>;

    /// Wraps a key.
    fn wrap<'a>(
        &'a self,
        bound: &'a [u8],
        key: &'a [u8],
    ) -> Pending<'a, Result<Wrapped, VaultError>>;

    /// Unwraps a key, also one an older version of this key wrapped.
    fn unwrap<'a>(
        &'a self,
        bound: &'a [u8],
        wrapped: &'a Wrapped,
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, VaultError>>;

    /// Wraps a wrapped key by the newest version.
    fn rewrap<'a>(
        &'a self,
        bound: &'a [u8],
        wrapped: &'a Wrapped,
    ) -> Pending<'a, Result<Wrapped, VaultError>>;

    /// The data key of a secret from before tenants had keys, which a key file wrapped itself.
    ///
    /// # Errors
    /// When this is not that key, or may not open.
    fn first_data_key(&self, _: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        Err(VaultError::UnknownKey { kek_id: sealed.kek_id.clone() })
    }
}
