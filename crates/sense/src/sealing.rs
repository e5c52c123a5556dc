//! Sealing credentials under their tenant's key, and opening them.

use std::sync::Arc;

use db::{Db, TenantTx};
use model::audit::{Event, Who};
use model::id::{CredentialId, TenantId};
use model::secret::Secret;
use model::vault::{Purpose, Sealed, TenantKey, Vault, VaultError};

use crate::inventory::{CredentialKind, SealedCredential};
use crate::store::{credential, tenant_key};

/// Why a secret could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("the tenant's key cannot be read or kept")]
    Database(#[from] db::Error),
    /// The vault failed.
    #[error("the secret cannot be sealed or opened")]
    Vault(#[from] VaultError),
}

impl CredentialKind {
    /// Who has to open a credential of this kind.
    #[must_use]
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::SshKey | Self::Password => Purpose::Change,
            Self::Hmac | Self::Oidc => Purpose::Request,
        }
    }
}

/// The key that seals for this purpose; the tenant's first one is made when it is needed.
///
/// # Errors
/// When the database or the key store fails.
pub async fn key(
    tx: &mut TenantTx,
    vault: &Arc<dyn Vault>,
    purpose: Purpose,
) -> Result<TenantKey, Error> {
    match tenant_key::newest(tx, purpose).await? {
        Some(key) => Ok(key),
        None => next_key(tx, vault, purpose, 0).await,
    }
}

/// Makes the key that seals for this purpose from now on, or finds the one somebody else made at
/// the same moment. `after` is the generation before it.
///
/// # Errors
/// When the database or the key store fails.
pub async fn next_key(
    tx: &mut TenantTx,
    vault: &Arc<dyn Vault>,
    purpose: Purpose,
    after: u32,
) -> Result<TenantKey, Error> {
    let made = vault.new_key(tx.tenant(), purpose).await?;
    if tenant_key::insert(tx, &made, after).await? {
        let event = Event::new(Who::service(), "tenant_key.created", "tenant_key", &made.id)
            .with("purpose", purpose.word())
            .with("kek_id", made.kek_id.clone());
        tx.audit(&event).await?;
    }
    Ok(tenant_key::newest(tx, purpose).await?.unwrap_or(made))
}

/// Seals a secret as this version of a credential.
///
/// # Errors
/// When the database or the key store fails.
pub async fn seal(
    tx: &mut TenantTx,
    vault: &Arc<dyn Vault>,
    (id, version, kind): (CredentialId, u32, CredentialKind),
    secret: &Secret,
) -> Result<Sealed, Error> {
    let key = key(tx, vault, kind.purpose()).await?;
    let place = credential::place(tx.tenant(), id, version);
    Ok(vault.seal(&key, &place, secret)?)
}

/// Opens a credential. A secret that does not open is an event by `who`: somebody moved or altered
/// it, or asked for what this process may not have.
///
/// # Errors
/// When it does not open.
pub async fn open(
    db: &Db,
    vault: &Arc<dyn Vault>,
    (tenant, who): (TenantId, &Who),
    stored: &SealedCredential,
) -> Result<Secret, Error> {
    let (id, version) = (stored.credential.id, stored.credential.version);
    let place = credential::place(tenant, id, version);
    match vault.open(stored.key.as_ref(), place, &stored.sealed).await {
        Ok(secret) => Ok(secret),
        Err(error) => {
            tracing::error!(credential = %id, version, %error, "a secret does not open");
            let event = Event::new(who.clone(), "credential.not_opened", "credential", &id)
                .with("version", version)
                .failed(error.to_string());
            let mut tx = db.tenant(tenant).await?;
            tx.audit(&event).await?;
            tx.commit().await?;
            Err(error.into())
        }
    }
}
