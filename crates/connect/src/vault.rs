//! Sealing: a key-encryption key wraps tenants' keys, a tenant's key wraps data keys, a data key
//! encrypts one version of one secret. Every layer authenticates the place it belongs to.

mod cipher;
mod file;
mod kek;
mod transit;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::aead::NONCE_LEN;
use model::connector::Pending;
use model::id::{TenantId, TenantKeyId};
use model::secret::Secret;
use model::vault::{Place, Purpose, Sealed, TenantKey, Vault, VaultError};
use tokio::time::Instant;
use zeroize::Zeroizing;

use cipher::{KEY_LEN, Pair};

pub use file::{FileKek, PublicKek};
pub use kek::{Kek, Wrapped};
pub use transit::{Settings as TransitSettings, Transit};

const ALGORITHM: &str = "AES-256-GCM";
/// The format of the authenticated place, below.
const AAD_VERSION: i16 = 1;
/// What HPKE seals under a tenant's key.
const INFO: &[u8] = b"countersign data key";
/// How long an opened tenant's key is kept, so that not every step asks the key store.
const KEEP: Duration = Duration::from_secs(300);
/// How many opened tenants' keys are kept at most.
const MOST_KEPT: usize = 1_024;

/// Secrets under two key-encryption keys: one for what changes need, one for what requests need.
pub struct Envelope {
    deployment: String,
    change: Arc<dyn Kek>,
    request: Arc<dyn Kek>,
    opened: Mutex<HashMap<TenantKeyId, Opened>>,
    keep: Duration,
}

/// The half of a tenant's key that opens, in memory.
struct Opened {
    pair: Arc<Pair>,
    at: Instant,
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope")
            .field("change", &self.change)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

impl Envelope {
    /// Secrets of `deployment`: those for changes under `change`, those for requests under
    /// `request`.
    #[must_use]
    pub fn new(deployment: &str, change: Arc<dyn Kek>, request: Arc<dyn Kek>) -> Self {
        let deployment = deployment.to_owned();
        Self { deployment, change, request, opened: Mutex::default(), keep: KEEP }
    }

    fn kek(&self, purpose: Purpose) -> &dyn Kek {
        match purpose {
            Purpose::Change => &*self.change,
            Purpose::Request => &*self.request,
        }
    }

    /// Length-prefixed, so that no two places give the same bytes.
    fn aad(&self, place: &Place<'_>, purpose: &str) -> Vec<u8> {
        joined(&[
            purpose.as_bytes(),
            self.deployment.as_bytes(),
            place.tenant.uuid().as_bytes(),
            place.table.as_bytes(),
            place.row.as_bytes(),
            place.field.as_bytes(),
            &place.version.to_be_bytes(),
        ])
    }

    /// What a wrapped tenant's key is bound to.
    fn bound(&self, key: TenantKeyId, tenant: TenantId, purpose: Purpose) -> Vec<u8> {
        joined(&[
            b"tenant key",
            self.deployment.as_bytes(),
            tenant.uuid().as_bytes(),
            key.uuid().as_bytes(),
            purpose.word().as_bytes(),
        ])
    }

    /// The half of a tenant's key that opens: from memory, or unwrapped.
    async fn pair(&self, key: &TenantKey) -> Result<Arc<Pair>, VaultError> {
        if let Some(opened) = self.opened().get(&key.id)
            && opened.at.elapsed() < self.keep
            && opened.pair.public == key.public
        {
            return Ok(Arc::clone(&opened.pair));
        }
        let bound = self.bound(key.id, key.tenant, key.purpose);
        let wrapped = Wrapped { kek_id: key.kek_id.clone(), bytes: key.wrapped.clone() };
        let private = self.kek(key.purpose).unwrap(&bound, &wrapped).await?;
        let pair = Arc::new(Pair::of(private)?);
        if pair.public != key.public {
            return Err(VaultError::Altered);
        }
        let mut opened = self.opened();
        if opened.len() >= MOST_KEPT {
            opened.clear();
        }
        opened.insert(key.id, Opened { pair: Arc::clone(&pair), at: Instant::now() });
        Ok(pair)
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<TenantKeyId, Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn data_key(
        &self,
        key: Option<&TenantKey>,
        place: &Place<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        if sealed.alg != ALGORITHM || sealed.aad_version != AAD_VERSION {
            return Err(VaultError::Altered);
        }
        let aad = self.aad(place, "data key");
        let Some(key) = key else { return self.change.first_data_key(&aad, sealed) };
        if sealed.kek_id != key.id.to_string() || key.tenant != place.tenant {
            return Err(VaultError::Altered);
        }
        let pair = self.pair(key).await?;
        cipher::open_with(&pair.private, INFO, &aad, &sealed.wrapped_dek)
    }

    /// A data key wrapped to a tenant's key.
    fn wrap(&self, key: &TenantKey, place: &Place<'_>, dek: &[u8]) -> Result<Vec<u8>, VaultError> {
        if key.tenant != place.tenant {
            return Err(VaultError::Altered);
        }
        cipher::seal_to(&key.public, INFO, &self.aad(place, "data key"), dek)
    }
}

impl Vault for Envelope {
    fn new_key(
        &self,
        tenant: TenantId,
        purpose: Purpose,
    ) -> Pending<'_, Result<TenantKey, VaultError>> {
        Box::pin(async move {
            let (id, pair) = (TenantKeyId::generate(), Pair::generate()?);
            let bound = self.bound(id, tenant, purpose);
            let Wrapped { kek_id, bytes: wrapped } =
                self.kek(purpose).wrap(&bound, &pair.private).await?;
            Ok(TenantKey { id, tenant, purpose, public: pair.public, kek_id, wrapped })
        })
    }

    fn seal(
        &self,
        key: &TenantKey,
        place: &Place<'_>,
        secret: &Secret,
    ) -> Result<Sealed, VaultError> {
        let mut dek = Zeroizing::new([0; KEY_LEN]);
        cipher::random(&mut dek[..])?;
        let nonce = cipher::fresh_nonce()?;
        let aad = self.aad(place, "secret");
        let ciphertext = cipher::encrypt(&cipher::aes(&dek[..])?, nonce, &aad, secret.expose())?;
        Ok(Sealed {
            alg: ALGORITHM.to_owned(),
            kek_id: key.id.to_string(),
            wrapped_dek: self.wrap(key, place, &dek[..])?,
            nonce: nonce.to_vec(),
            ciphertext,
            aad_version: AAD_VERSION,
        })
    }

    fn open<'a>(
        &'a self,
        key: Option<&'a TenantKey>,
        place: Place<'a>,
        sealed: &'a Sealed,
    ) -> Pending<'a, Result<Secret, VaultError>> {
        Box::pin(async move {
            let dek = self.data_key(key, &place, sealed).await?;
            let nonce: [u8; NONCE_LEN] =
                sealed.nonce.as_slice().try_into().map_err(|_| VaultError::Altered)?;
            let aad = self.aad(&place, "secret");
            let plain = cipher::decrypt(&cipher::aes(&dek)?, nonce, &aad, &sealed.ciphertext)?;
            Ok(Secret::new(plain.to_vec()))
        })
    }

    fn rewrap_key<'a>(&'a self, key: &'a TenantKey) -> Pending<'a, Result<TenantKey, VaultError>> {
        Box::pin(async move {
            let bound = self.bound(key.id, key.tenant, key.purpose);
            let wrapped = Wrapped { kek_id: key.kek_id.clone(), bytes: key.wrapped.clone() };
            let Wrapped { kek_id, bytes: wrapped } =
                self.kek(key.purpose).rewrap(&bound, &wrapped).await?;
            Ok(TenantKey { kek_id, wrapped, ..key.clone() })
        })
    }

    fn rewrap<'a>(
        &'a self,
        from: Option<&'a TenantKey>,
        to: &'a TenantKey,
        place: Place<'a>,
        sealed: &'a Sealed,
    ) -> Pending<'a, Result<Sealed, VaultError>> {
        Box::pin(async move {
            let dek = self.data_key(from, &place, sealed).await?;
            let wrapped_dek = self.wrap(to, &place, &dek)?;
            Ok(Sealed { kek_id: to.id.to_string(), wrapped_dek, ..sealed.clone() })
        })
    }
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut whole = AAD_VERSION.to_be_bytes().to_vec();
    for part in parts {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        whole.extend_from_slice(&length.to_be_bytes());
        whole.extend_from_slice(part);
    }
    whole
}

#[cfg(test)]
mod tests;
