//! Sealing with a key-encryption key in a file.
//!
//! Every secret version has its own data key, which its tenant's key wraps; the file's key wraps
//! tenants' keys only. All layers authenticate the place the secret belongs to. A tenant whose key
//! is destroyed has no secrets any more, wherever copies of them lie. A file key protects backups and database dumps,
//! not a machine whose root is lost: `serve` says so at start.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use model::Digest;
use model::id::TenantId;
use model::secret::Secret;
use model::vault::{Place, Sealed, Vault, VaultError};
use zeroize::Zeroizing;

mod tenant;

const ALGORITHM: &str = "AES-256-GCM";
const KEY_LEN: usize = 32;
/// The format of the authenticated place, below.
const AAD_VERSION: i16 = 1;

/// A key-encryption key from a file.
pub struct FileVault {
    kek: LessSafeKey,
    kek_id: String,
    deployment: String,
    /// Where the tenants' keys are, each wrapped.
    tenants: PathBuf,
}

impl std::fmt::Debug for FileVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileVault").field("kek_id", &self.kek_id).finish_non_exhaustive()
    }
}

impl FileVault {
    /// Opens the key file, making one (mode 0600) if there is none.
    ///
    /// # Errors
    /// When it cannot be made or read, or does not hold 32 bytes.
    pub fn open(path: &Path, deployment: &str) -> Result<Self, VaultError> {
        let bytes = key_file(path)?;
        let kek_id = format!("file:{}", &Digest::of(&bytes[..]).to_string()[..16]);
        let beside = path.file_name().unwrap_or_default().to_string_lossy();
        let tenants = path.with_file_name(format!("{beside}-tenants"));
        Ok(Self { kek: key(&bytes[..])?, kek_id, deployment: deployment.to_owned(), tenants })
    }

    /// Destroys a tenant's key: nothing that was sealed for the tenant can be opened any more, and
    /// nothing is sealed for it. Safe to repeat.
    ///
    /// # Errors
    /// When the key cannot be removed.
    pub fn destroy(&self, tenant: TenantId) -> Result<(), VaultError> {
        self.destroy_key_of(tenant)
    }

    /// The name of the key in use.
    #[must_use]
    pub fn kek_id(&self) -> &str {
        &self.kek_id
    }

    /// Length-prefixed, so that no two places give the same bytes.
    fn aad(&self, place: &Place<'_>, purpose: &str) -> Vec<u8> {
        let version = place.version.to_be_bytes();
        let tenant = place.tenant.uuid();
        let parts: [&[u8]; 7] = [
            purpose.as_bytes(),
            self.deployment.as_bytes(),
            tenant.as_bytes().as_slice(),
            place.table.as_bytes(),
            place.row.as_bytes(),
            place.field.as_bytes(),
            &version,
        ];
        let mut aad = AAD_VERSION.to_be_bytes().to_vec();
        for part in parts {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            aad.extend_from_slice(&length.to_be_bytes());
            aad.extend_from_slice(part);
        }
        aad
    }
}

impl Vault for FileVault {
    fn seal(&self, place: &Place<'_>, secret: &Secret) -> Result<Sealed, VaultError> {
        let (kek, kek_id) = self.key_of(place.tenant)?;
        let mut dek = Zeroizing::new([0; KEY_LEN]);
        random(&mut dek[..])?;
        let nonce = fresh_nonce()?;
        let ciphertext =
            encrypt(&key(&dek[..])?, nonce, &self.aad(place, "secret"), secret.expose())?;
        // The wrapping nonce travels in front of the wrapped key.
        let wrap_nonce = fresh_nonce()?;
        let mut wrapped_dek = wrap_nonce.to_vec();
        wrapped_dek.extend(encrypt(&kek, wrap_nonce, &self.aad(place, "data key"), &dek[..])?);
        Ok(Sealed {
            alg: ALGORITHM.to_owned(),
            kek_id,
            wrapped_dek,
            nonce: nonce.to_vec(),
            ciphertext,
            aad_version: AAD_VERSION,
        })
    }

    fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Secret, VaultError> {
        let of_tenant = sealed.kek_id.starts_with(tenant::PREFIX);
        if !of_tenant && sealed.kek_id != self.kek_id {
            return Err(VaultError::UnknownKey { kek_id: sealed.kek_id.clone() });
        }
        if sealed.alg != ALGORITHM || sealed.aad_version != AAD_VERSION {
            return Err(VaultError::Altered);
        }
        let (wrap_nonce, wrapped) =
            sealed.wrapped_dek.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Altered)?;
        let aad = self.aad(place, "data key");
        let dek = if of_tenant {
            let kek = self.known_key_of(place.tenant, &sealed.kek_id)?;
            decrypt(&kek, *wrap_nonce, &aad, wrapped)?
        } else {
            // Sealed before tenants had keys of their own.
            decrypt(&self.kek, *wrap_nonce, &aad, wrapped)?
        };
        let nonce: [u8; NONCE_LEN] =
            sealed.nonce.as_slice().try_into().map_err(|_| VaultError::Altered)?;
        let plain = decrypt(&key(&dek)?, nonce, &self.aad(place, "secret"), &sealed.ciphertext)?;
        Ok(Secret::new(plain.to_vec()))
    }
}

fn unavailable(reason: &(impl ToString + ?Sized)) -> VaultError {
    VaultError::Unavailable { reason: reason.to_string() }
}

fn random(bytes: &mut [u8]) -> Result<(), VaultError> {
    rand::fill(bytes).map_err(|_| unavailable("the system has no randomness to give"))
}

fn fresh_nonce() -> Result<[u8; NONCE_LEN], VaultError> {
    let mut nonce = [0; NONCE_LEN];
    random(&mut nonce)?;
    Ok(nonce)
}

fn key(bytes: &[u8]) -> Result<LessSafeKey, VaultError> {
    let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| VaultError::Altered)?;
    Ok(LessSafeKey::new(key))
}

fn encrypt(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let mut sealed = plain.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed)
        .map_err(|_| unavailable("encryption failed"))?;
    Ok(sealed)
}

fn decrypt(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let length = key
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut buffer[..])
        .map_err(|_| VaultError::Altered)?
        .len();
    buffer.truncate(length);
    Ok(buffer)
}

/// The key file's 32 bytes.
///
/// A missing file is made whole under another name and then linked, so that neither a crash nor a
/// process starting at the same moment finds half a key.
fn key_file(path: &Path) -> Result<Zeroizing<[u8; KEY_LEN]>, VaultError> {
    let describe = |error: std::io::Error| unavailable(&format!("{}: {error}", path.display()));
    if !path.exists() {
        let mut fresh = Zeroizing::new([0; KEY_LEN]);
        random(&mut fresh[..])?;
        let beside = path.with_extension(format!("new-{}", std::process::id()));
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .map_err(describe)?;
        file.write_all(&fresh[..]).map_err(describe)?;
        file.sync_all().map_err(describe)?;
        match std::fs::hard_link(&beside, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            linked => linked.map_err(describe)?,
        }
        std::fs::remove_file(&beside).map_err(describe)?;
    }
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    let mut file = OpenOptions::new().read(true).open(path).map_err(describe)?;
    file.read_exact(&mut bytes[..]).map_err(|_| {
        unavailable(&format!("{}: holds no key of {KEY_LEN} bytes", path.display()))
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
