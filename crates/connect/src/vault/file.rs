//! A key-encryption key in a file.
//!
//! It protects backups and database dumps, not a machine whose root is lost: `serve` says so at
//! start. The file's 32 bytes make a pair; its public half lies beside it as `<file>.pub`, and is
//! all that a process needs that seals and does not open. Keys from before the present one lie
//! beside it as `<file>.<id>` and go on opening what they wrapped.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use model::Digest;
use model::connector::Pending;
use model::vault::{Sealed, VaultError};
use zeroize::Zeroizing;

use super::cipher::{self, KEY_LEN, Pair, unavailable};
use super::kek::{Kek, Wrapped};

/// What HPKE seals here.
const INFO: &[u8] = b"countersign tenant key";

/// A key-encryption key from a file.
pub struct FileKek {
    path: PathBuf,
    /// Newest first.
    ring: RwLock<Vec<Held>>,
}

/// One key of the ring.
#[derive(Clone)]
struct Held {
    id: String,
    public: Vec<u8>,
    private: Zeroizing<Vec<u8>>,
    /// The bytes of the file, which wrapped data keys themselves before tenants had keys.
    bytes: Zeroizing<[u8; KEY_LEN]>,
}

impl std::fmt::Debug for FileKek {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileKek").field("path", &self.path).finish_non_exhaustive()
    }
}

impl FileKek {
    /// Opens the key file, making one (mode 0600) if there is none, and those from before it.
    ///
    /// # Errors
    /// When it cannot be made or read, or does not hold 32 bytes.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        let ring = read_ring(path)?;
        Ok(Self { path: path.to_owned(), ring: RwLock::new(ring) })
    }

    /// Makes a new key the present one; the one before goes on opening what it wrapped. Gives the
    /// fingerprint of the new one.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn renew(path: &Path) -> Result<String, VaultError> {
        let before = Held::of(key_file(path)?)?;
        // The old key has its second name before it loses its first.
        match fs::hard_link(path, older(path, &before.id)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            linked => linked.map_err(|error| describe(path, &error))?,
        }
        let beside = write_fresh(path)?;
        fs::rename(&beside, path).map_err(|error| describe(path, &error))?;
        let ring = read_ring(path)?;
        let newest = ring.first().ok_or_else(|| unavailable("there is no key"))?;
        Ok(newest.id.clone())
    }

    /// The key of this id, looked for on disk when it is not known yet.
    fn held(&self, kek_id: &str) -> Result<Held, VaultError> {
        let known = |ring: &[Held]| ring.iter().find(|held| held.id == kek_id).cloned();
        if let Some(held) = known(&self.ring()) {
            return Ok(held);
        }
        self.read_again()?;
        known(&self.ring()).ok_or_else(|| VaultError::UnknownKey { kek_id: kek_id.to_owned() })
    }

    fn newest(&self) -> Result<Held, VaultError> {
        self.ring().into_iter().next().ok_or_else(|| unavailable("there is no key"))
    }

    fn ring(&self) -> Vec<Held> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn read_again(&self) -> Result<(), VaultError> {
        let fresh = read_ring(&self.path)?;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
}

impl Kek for FileKek {
    fn fingerprints(&self) -> Result<Vec<String>, VaultError> {
        Ok(self.ring().into_iter().map(|held| held.id).collect())
    }

    fn wrap<'a>(
        &'a self,
        bound: &'a [u8],
        key: &'a [u8],
    ) -> Pending<'a, Result<Wrapped, VaultError>> {
        Box::pin(async move {
            // The present key may have been made a moment ago by somebody else.
            self.read_again()?;
            let newest = self.newest()?;
            wrap_to(&newest.id, &newest.public, bound, key)
        })
    }

    fn unwrap<'a>(
        &'a self,
        bound: &'a [u8],
        wrapped: &'a Wrapped,
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, VaultError>> {
        Box::pin(async move {
            let held = self.held(&wrapped.kek_id)?;
            cipher::open_with(&held.private, INFO, bound, &wrapped.bytes)
        })
    }

    fn rewrap<'a>(
        &'a self,
        bound: &'a [u8],
        wrapped: &'a Wrapped,
    ) -> Pending<'a, Result<Wrapped, VaultError>> {
        Box::pin(async move {
            // So that the key it is wrapped by now is known.
            self.read_again()?;
            let key = self.unwrap(bound, wrapped).await?;
            self.wrap(bound, &key).await
        })
    }

    fn first_data_key(
        &self,
        aad: &[u8],
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let ring = self.ring();
        let held = ring
            .iter()
            .find(|held| first_id(&held.bytes[..]) == sealed.kek_id)
            .ok_or_else(|| VaultError::UnknownKey { kek_id: sealed.kek_id.clone() })?;
        let (nonce, wrapped) =
            sealed.wrapped_dek.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Altered)?;
        cipher::decrypt(&cipher::aes(&held.bytes[..])?, *nonce, aad, wrapped)
    }
}

/// The public half of a key file: seals, and cannot open.
#[derive(Debug)]
pub struct PublicKek {
    path: PathBuf,
}

impl PublicKek {
    /// The public half that lies beside the key file `key`, which itself is not looked at.
    ///
    /// # Errors
    /// When there is none.
    pub fn beside(key: &Path) -> Result<Self, VaultError> {
        let public = Self { path: public_path(key) };
        public.read()?;
        Ok(public)
    }

    fn read(&self) -> Result<Vec<u8>, VaultError> {
        let text = fs::read_to_string(&self.path).map_err(|error| describe(&self.path, &error))?;
        let public = hex_bytes(text.trim()).filter(|bytes| bytes.len() == KEY_LEN);
        public.ok_or_else(|| unavailable(&format!("{}: holds no public key", self.path.display())))
    }
}

impl Kek for PublicKek {
    fn fingerprints(&self) -> Result<Vec<String>, VaultError> {
        Ok(vec![id(&self.read()?)])
    }

    fn wrap<'a>(
        &'a self,
        bound: &'a [u8],
        key: &'a [u8],
    ) -> Pending<'a, Result<Wrapped, VaultError>> {
        Box::pin(async move {
            let public = self.read()?;
            wrap_to(&id(&public), &public, bound, key)
        })
    }

    fn unwrap<'a>(
        &'a self,
        _: &'a [u8],
        _: &'a Wrapped,
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, VaultError>> {
        Box::pin(async { Err(VaultError::SealOnly) })
    }

    fn rewrap<'a>(
        &'a self,
        _: &'a [u8],
        _: &'a Wrapped,
    ) -> Pending<'a, Result<Wrapped, VaultError>> {
        Box::pin(async { Err(VaultError::SealOnly) })
    }

    fn first_data_key(&self, _: &[u8], _: &Sealed) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        Err(VaultError::SealOnly)
    }
}

fn wrap_to(id: &str, public: &[u8], bound: &[u8], key: &[u8]) -> Result<Wrapped, VaultError> {
    let bytes = cipher::seal_to(public, INFO, bound, key)?;
    Ok(Wrapped { kek_id: id.to_owned(), bytes })
}

impl Held {
    fn of(bytes: Zeroizing<[u8; KEY_LEN]>) -> Result<Self, VaultError> {
        let pair = Pair::of(derived(&bytes[..])?)?;
        Ok(Self { id: id(&pair.public), public: pair.public, private: pair.private, bytes })
    }
}

/// The private half that a key file's bytes make. The bytes themselves are another key.
fn derived(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            KEY_LEN
        }
    }
    let mut private = Zeroizing::new(vec![0; KEY_LEN]);
    Salt::new(HKDF_SHA256, b"countersign")
        .extract(bytes)
        .expand(&[b"key-encryption key, X25519".as_slice()], Length)
        .and_then(|okm| okm.fill(&mut private))
        .map_err(|_| unavailable("no key can be derived"))?;
    Ok(private)
}

fn id(public: &[u8]) -> String {
    format!("file:{}", &Digest::of(public).to_string()[..16])
}

/// The id of a key file in secrets from before tenants had keys.
fn first_id(bytes: &[u8]) -> String {
    format!("file:{}", &Digest::of(bytes).to_string()[..16])
}

fn public_path(path: &Path) -> PathBuf {
    path.with_extension("pub")
}

fn older(path: &Path, id: &str) -> PathBuf {
    path.with_extension(id.trim_start_matches("file:"))
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.len().is_multiple_of(2).then_some(())?;
    text.as_bytes().chunks(2).map(digit).collect()
}

fn describe(path: &Path, error: &std::io::Error) -> VaultError {
    unavailable(&format!("{}: {error}", path.display()))
}

/// The key in the file and those from before it, newest first. Sees to it that the public half
/// lies beside it.
fn read_ring(path: &Path) -> Result<Vec<Held>, VaultError> {
    let newest = Held::of(key_file(path)?)?;
    let text: String = newest.public.iter().map(|byte| format!("{byte:02x}")).collect();
    let public = public_path(path);
    if fs::read_to_string(&public).ok().as_deref().map(str::trim) != Some(&text) {
        let beside = path.with_extension(format!("pub-{}", std::process::id()));
        fs::write(&beside, format!("{text}\n")).map_err(|error| describe(&beside, &error))?;
        fs::rename(&beside, &public).map_err(|error| describe(&public, &error))?;
    }
    let mut ring = vec![newest];
    let (Some(dir), Some(stem)) = (path.parent(), path.file_name()) else { return Ok(ring) };
    let prefix = format!("{}.", stem.to_string_lossy());
    for entry in fs::read_dir(dir).map_err(|error| describe(dir, &error))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let of_old = |rest: &str| rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_hexdigit());
        if name.strip_prefix(&prefix).is_some_and(of_old) {
            ring.push(Held::of(read_key(&entry.path())?)?);
        }
    }
    Ok(ring)
}

/// The key file's 32 bytes.
///
/// A missing file is made whole under another name and then linked, so that neither a crash nor a
/// process starting at the same moment finds half a key.
fn key_file(path: &Path) -> Result<Zeroizing<[u8; KEY_LEN]>, VaultError> {
    if !path.exists() {
        let beside = write_fresh(path)?;
        match fs::hard_link(&beside, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            linked => linked.map_err(|error| describe(path, &error))?,
        }
        fs::remove_file(&beside).map_err(|error| describe(&beside, &error))?;
    }
    read_key(path)
}

/// Fresh key bytes under a name of their own.
fn write_fresh(path: &Path) -> Result<PathBuf, VaultError> {
    let mut fresh = Zeroizing::new([0; KEY_LEN]);
    cipher::random(&mut fresh[..])?;
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let write = || {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&fresh[..])?;
        file.sync_all()
    };
    write().map_err(|error| describe(&beside, &error))?;
    Ok(beside)
}

fn read_key(path: &Path) -> Result<Zeroizing<[u8; KEY_LEN]>, VaultError> {
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    let mut file =
        OpenOptions::new().read(true).open(path).map_err(|error| describe(path, &error))?;
    file.read_exact(&mut bytes[..]).map_err(|_| {
        unavailable(&format!("{}: holds no key of {KEY_LEN} bytes", path.display()))
    })?;
    Ok(bytes)
}
