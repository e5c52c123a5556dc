//! The two ciphers: AES-256-GCM for secrets, HPKE (RFC 9180) for keys sealed to a public half.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, X25519};
use aws_lc_rs::rand;
use model::vault::VaultError;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256 as HPKE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey, HpkePublicKey};
use zeroize::Zeroizing;

/// The length of every key here, in bytes.
pub(super) const KEY_LEN: usize = 32;
/// The length of an encapsulated secret of X25519, in bytes.
const ENCAPSULATED_LEN: usize = 32;

pub(super) fn unavailable(reason: &(impl ToString + ?Sized)) -> VaultError {
    VaultError::Unavailable { reason: reason.to_string() }
}

pub(super) fn random(bytes: &mut [u8]) -> Result<(), VaultError> {
    rand::fill(bytes).map_err(|_| unavailable("the system has no randomness to give"))
}

pub(super) fn fresh_nonce() -> Result<[u8; NONCE_LEN], VaultError> {
    let mut nonce = [0; NONCE_LEN];
    random(&mut nonce)?;
    Ok(nonce)
}

pub(super) fn aes(bytes: &[u8]) -> Result<LessSafeKey, VaultError> {
    let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| VaultError::Altered)?;
    Ok(LessSafeKey::new(key))
}

pub(super) fn encrypt(
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

pub(super) fn decrypt(
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

/// A pair: what seals, and what opens.
pub(super) struct Pair {
    pub(super) public: Vec<u8>,
    pub(super) private: Zeroizing<Vec<u8>>,
}

impl Pair {
    pub(super) fn generate() -> Result<Self, VaultError> {
        let (public, private) =
            HPKE.generate_key_pair().map_err(|_| unavailable("no key can be made"))?;
        Ok(Self { public: public.0, private: Zeroizing::new(private.secret_bytes().to_vec()) })
    }

    /// The pair of a private half.
    pub(super) fn of(private: Zeroizing<Vec<u8>>) -> Result<Self, VaultError> {
        let key =
            PrivateKey::from_private_key(&X25519, &private).map_err(|_| VaultError::Altered)?;
        let public = key.compute_public_key().map_err(|_| VaultError::Altered)?;
        Ok(Self { public: public.as_ref().to_vec(), private })
    }
}

/// Seals `plain` to a public half, bound to `aad`. What is encapsulated travels in front.
pub(super) fn seal_to(
    public: &[u8],
    info: &[u8],
    aad: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let public = HpkePublicKey(public.to_vec());
    let (encapsulated, sealed) =
        HPKE.seal(info, aad, plain, &public).map_err(|_| VaultError::Altered)?;
    let mut whole = encapsulated.0;
    whole.extend(sealed);
    Ok(whole)
}

/// Opens what was sealed to the public half of `private`.
pub(super) fn open_with(
    private: &[u8],
    info: &[u8],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (encapsulated, sealed) =
        sealed.split_at_checked(ENCAPSULATED_LEN).ok_or(VaultError::Altered)?;
    let private = HpkePrivateKey::from(private.to_vec());
    HPKE.open(&EncapsulatedSecret(encapsulated.to_vec()), info, aad, sealed, &private)
        .map(Zeroizing::new)
        .map_err(|_| VaultError::Altered)
}
