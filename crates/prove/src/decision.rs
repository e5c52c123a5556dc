//! Signatures of decisions: each decision is signed over its canonical bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use model::Digest;

use crate::keys::SigningKey;

/// Put before the bytes, so that no signature of a decision is one of anything else.
const DOMAIN: &[u8] = b"countersign decision v1\n";

/// A signature and the key that made it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DecisionSignature {
    /// The Ed25519 signature, in base64.
    pub signature: String,
    /// The SHA-256 of the public key, in hexadecimal.
    pub key_fingerprint: Digest,
}

/// Why a signature of a decision is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// None of the given keys has this fingerprint.
    #[error("the key {fingerprint} is not among the given ones")]
    UnknownKey {
        /// The fingerprint in the signature.
        fingerprint: Digest,
    },
    /// The signature is malformed or not of these bytes.
    #[error("the signature does not belong to these bytes")]
    BadSignature,
}

/// Signs the canonical bytes of a decision.
#[must_use]
pub fn sign_decision(key: &SigningKey, canonical: &[u8]) -> DecisionSignature {
    DecisionSignature {
        signature: STANDARD.encode(key.sign(&message(canonical))),
        key_fingerprint: key.fingerprint(),
    }
}

/// Checks the signature of a decision against the public keys that are trusted.
///
/// # Errors
/// When the key is not trusted or the signature is not of these bytes.
pub fn verify_decision(
    canonical: &[u8],
    signed: &DecisionSignature,
    trusted: &[[u8; 32]],
) -> Result<(), DecisionError> {
    let public = trusted
        .iter()
        .find(|public| Digest::of(*public) == signed.key_fingerprint)
        .ok_or(DecisionError::UnknownKey { fingerprint: signed.key_fingerprint })?;
    let bytes = STANDARD.decode(&signed.signature).map_err(|_| DecisionError::BadSignature)?;
    let signature = Signature::from_slice(&bytes).map_err(|_| DecisionError::BadSignature)?;
    VerifyingKey::from_bytes(public)
        .and_then(|key| key.verify_strict(&message(canonical), &signature))
        .map_err(|_| DecisionError::BadSignature)
}

fn message(canonical: &[u8]) -> Vec<u8> {
    [DOMAIN, canonical].concat()
}

#[cfg(test)]
mod tests;
