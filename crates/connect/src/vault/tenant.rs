//! A tenant's own key: made when the first secret is sealed for it, wrapped by the file's key, and
//! destroyed when the tenant is closed.
//!
//! It lies in a file of its own and never in the database: a backup of the database opens nothing.
//! A file that says that the key was destroyed stays, so that no other takes its place.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{LessSafeKey, NONCE_LEN};
use model::Digest;
use model::id::TenantId;
use model::vault::VaultError;
use zeroize::Zeroizing;

use super::{FileVault, KEY_LEN, decrypt, encrypt, fresh_nonce, key, random, unavailable};

/// What the names of tenants' keys begin with.
pub(super) const PREFIX: &str = "tenant:";

impl FileVault {
    /// The key secrets of a tenant are sealed with, and its name; made when there is none.
    pub(super) fn key_of(&self, tenant: TenantId) -> Result<(LessSafeKey, String), VaultError> {
        if self.destroyed(tenant) {
            return Err(VaultError::UnknownKey { kek_id: format!("{PREFIX}{}", tenant.uuid()) });
        }
        let bytes = match self.read(tenant)? {
            Some(bytes) => bytes,
            None => self.make(tenant)?,
        };
        Ok((key(&bytes[..])?, name(&bytes)))
    }

    /// The key of a tenant that sealed something under this name.
    pub(super) fn known_key_of(
        &self,
        tenant: TenantId,
        kek_id: &str,
    ) -> Result<LessSafeKey, VaultError> {
        if self.destroyed(tenant) {
            return Err(VaultError::UnknownKey { kek_id: kek_id.to_owned() });
        }
        // A tenant without that key is not the one it was sealed for.
        let bytes = self.read(tenant)?.ok_or(VaultError::Altered)?;
        if name(&bytes) != kek_id {
            return Err(VaultError::Altered);
        }
        key(&bytes[..])
    }

    pub(super) fn destroy_key_of(&self, tenant: TenantId) -> Result<(), VaultError> {
        self.make_directory()?;
        let (marker, path) = (self.marker(tenant), self.path(tenant));
        // The mark first: whoever is killed in between leaves a key nobody uses any more.
        write_new(&marker, b"destroyed\n").or_else(known).map_err(|error| told(&marker, &error))?;
        let length = match fs::metadata(&path) {
            Ok(meta) => meta.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(told(&path, &error)),
        };
        let zeros = vec![0; usize::try_from(length).unwrap_or(0)];
        OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|mut file| {
                file.write_all(&zeros)?;
                file.sync_all()
            })
            .and_then(|()| fs::remove_file(&path))
            .and_then(|()| File::open(&self.tenants)?.sync_all())
            .map_err(|error| told(&path, &error))
    }

    fn path(&self, tenant: TenantId) -> PathBuf {
        self.tenants.join(tenant.uuid().to_string())
    }

    fn marker(&self, tenant: TenantId) -> PathBuf {
        self.tenants.join(format!("{}.destroyed", tenant.uuid()))
    }

    fn destroyed(&self, tenant: TenantId) -> bool {
        self.marker(tenant).exists()
    }

    fn read(&self, tenant: TenantId) -> Result<Option<Zeroizing<[u8; KEY_LEN]>>, VaultError> {
        let path = self.path(tenant);
        let wrapped = match fs::read(&path) {
            Ok(wrapped) => wrapped,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(told(&path, &error)),
        };
        let (nonce, sealed) =
            wrapped.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Altered)?;
        let bytes = decrypt(&self.kek, *nonce, &self.aad_of(tenant), sealed)?;
        let bytes = bytes.as_slice().try_into().map_err(|_| VaultError::Altered)?;
        Ok(Some(Zeroizing::new(bytes)))
    }

    /// Made whole under another name, then linked: of two that make one at once, one wins.
    fn make(&self, tenant: TenantId) -> Result<Zeroizing<[u8; KEY_LEN]>, VaultError> {
        self.make_directory()?;
        let mut fresh = Zeroizing::new([0; KEY_LEN]);
        random(&mut fresh[..])?;
        let nonce = fresh_nonce()?;
        let mut wrapped = nonce.to_vec();
        wrapped.extend(encrypt(&self.kek, nonce, &self.aad_of(tenant), &fresh[..])?);
        let mut unique = [0; 8];
        random(&mut unique)?;
        let unique = u64::from_be_bytes(unique);
        let beside = self.tenants.join(format!(".{}-{unique:x}", tenant.uuid()));
        let path = self.path(tenant);
        write_new(&beside, &wrapped).map_err(|error| told(&beside, &error))?;
        let linked = fs::hard_link(&beside, &path).or_else(known);
        let removed = fs::remove_file(&beside);
        linked
            .and(removed)
            .and_then(|()| File::open(&self.tenants)?.sync_all())
            .map_err(|error| told(&path, &error))?;
        self.read(tenant)?.ok_or_else(|| unavailable("the tenant's key is gone again"))
    }

    fn make_directory(&self) -> Result<(), VaultError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.tenants);
        made.map_err(|error| told(&self.tenants, &error))
    }

    fn aad_of(&self, tenant: TenantId) -> Vec<u8> {
        // The name of a deployment holds no NUL.
        [b"tenant key\0", self.deployment.as_bytes(), b"\0", tenant.uuid().as_bytes()].concat()
    }
}

fn name(bytes: &[u8; KEY_LEN]) -> String {
    format!("{PREFIX}{}", &Digest::of(bytes).to_string()[..16])
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// What is there already is as good as made.
fn known(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

fn told(path: &Path, error: &std::io::Error) -> VaultError {
    unavailable(&format!("{}: {error}", path.display()))
}
