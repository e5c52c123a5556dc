//! Sealing secrets: what is stored of them, and what it is bound to.
//!
//! Three layers. A key-encryption key outside the database (a file, or a key of Vault's transit
//! engine) wraps each tenant's keys; a tenant's key wraps the data key of each secret version; the
//! data key encrypts the secret. A tenant's key is a pair: whoever has the public half, which the
//! database holds in clear, can seal; only whoever may use the key-encryption key can open.

use std::fmt::Debug;

use crate::connector::Pending;
use crate::id::{TenantId, TenantKeyId};
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
    /// What wraps the data key: the id of a tenant's key, or of the key file itself in rows from
    /// before tenants had keys.
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

crate::words! {
    /// Who has to open a secret.
    Purpose {
        /// Whoever carries changes out: logins to targets.
        Change = "change",
        /// Whoever answers requests: what requests are verified with.
        Request = "request",
    }
}

/// A key of a tenant, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantKey {
    /// Its id.
    pub id: TenantKeyId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Who has to open what it seals.
    pub purpose: Purpose,
    /// The half that seals.
    pub public: Vec<u8>,
    /// The key-encryption key that wraps the other half.
    pub kek_id: String,
    /// The wrapped half that opens.
    pub wrapped: Vec<u8>,
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
    /// The key store does not use so old a version of the key any more.
    #[error(
        "what key-encryption key {kek_id} wrapped is older than what the key store still opens"
    )]
    Retired {
        /// The key asked for.
        kek_id: String,
    },
    /// This process may seal and not open.
    #[error("this process seals secrets and cannot open them: workers can")]
    SealOnly,
    /// The key store does not let this process do it.
    #[error("the key store refuses this process: {reason}")]
    Refused {
        /// In its words.
        reason: String,
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
    /// Makes a key for a tenant.
    ///
    /// # Errors
    /// When the key store fails.
    fn new_key(
        &self,
        tenant: TenantId,
        purpose: Purpose,
    ) -> Pending<'_, Result<TenantKey, VaultError>>;

    /// Seals `secret` for `place` under a fresh data key, which `key` wraps. Takes nothing but
    /// public halves.
    ///
    /// # Errors
    /// When the system gives no randomness, or the key is of another tenant.
    fn seal(
        &self,
        key: &TenantKey,
        place: &Place<'_>,
        secret: &Secret,
    ) -> Result<Sealed, VaultError>;

    /// Opens what was sealed for `place`. `key` is the one it was sealed under; none for rows from
    /// before tenants had keys.
    ///
    /// # Errors
    /// When it was sealed for another place, was altered, or its key is not at hand.
    fn open<'a>(
        &'a self,
        key: Option<&'a TenantKey>,
        place: Place<'a>,
        sealed: &'a Sealed,
    ) -> Pending<'a, Result<Secret, VaultError>>;

    /// A tenant's key wrapped by the newest key-encryption key.
    ///
    /// # Errors
    /// As [`Vault::open`].
    fn rewrap_key<'a>(&'a self, key: &'a TenantKey) -> Pending<'a, Result<TenantKey, VaultError>>;

    /// The same secret with its data key wrapped by `to` instead of `from`. The secret itself is
    /// not opened.
    ///
    /// # Errors
    /// As [`Vault::open`].
    fn rewrap<'a>(
        &'a self,
        from: Option<&'a TenantKey>,
        to: &'a TenantKey,
        place: Place<'a>,
        sealed: &'a Sealed,
    ) -> Pending<'a, Result<Sealed, VaultError>>;
}

/// A vault without any key, for processes that keep no secrets.
#[derive(Debug, Clone, Copy)]
pub struct NoVault;

impl NoVault {
    fn refuse<T: Send + 'static>() -> Pending<'static, Result<T, VaultError>> {
        Box::pin(async { Err(Self::error()) })
    }

    fn error() -> VaultError {
        VaultError::Unavailable { reason: "this process has no keys".to_owned() }
    }
}

impl Vault for NoVault {
    fn new_key(&self, _: TenantId, _: Purpose) -> Pending<'_, Result<TenantKey, VaultError>> {
        Self::refuse()
    }

    fn seal(&self, _: &TenantKey, _: &Place<'_>, _: &Secret) -> Result<Sealed, VaultError> {
        Err(Self::error())
    }

    fn open<'a>(
        &'a self,
        _: Option<&'a TenantKey>,
        _: Place<'a>,
        _: &'a Sealed,
    ) -> Pending<'a, Result<Secret, VaultError>> {
        Self::refuse()
    }

    fn rewrap_key<'a>(&'a self, _: &'a TenantKey) -> Pending<'a, Result<TenantKey, VaultError>> {
        Self::refuse()
    }

    fn rewrap<'a>(
        &'a self,
        _: Option<&'a TenantKey>,
        _: &'a TenantKey,
        _: Place<'a>,
        _: &'a Sealed,
    ) -> Pending<'a, Result<Sealed, VaultError>> {
        Self::refuse()
    }
}
