//! Signed webhooks: HMAC-SHA256 over the bytes as they came in.
//!
//! The header is `X-Countersign-Signature: sha256=<hex>`; while a secret is being replaced it may
//! carry several, separated by commas, and the current and the previous secret both count. What is
//! signed is settled per source, never by the request, so that nobody can choose the weaker form.

#[cfg(test)]
mod tests;

use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};
use model::secret::Secret;
use serde::{Deserialize, Serialize};

/// The header with the signature.
pub const SIGNATURE_HEADER: &str = "x-countersign-signature";

/// The header with the time of signing, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-countersign-timestamp";

/// How far the time of signing may lie from the present.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// The most signatures one header may carry: each costs an HMAC over the whole body per secret.
const MAX_SIGNATURES: usize = 4;

/// What a source signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signed {
    /// The raw body. A repeated delivery passes; it can only raise a counter.
    #[default]
    Body,
    /// The timestamp header, a dot and the raw body: a delivery passes for [`TOLERANCE`] only.
    TimestampAndBody,
}

/// The secrets of a source.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// The one senders are to use.
    pub current: Secret,
    /// The one before, while senders change over.
    pub previous: Option<Secret>,
}

/// What a request brought to prove where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    /// The signature header.
    pub signature: Option<&'a str>,
    /// The timestamp header.
    pub timestamp: Option<&'a str>,
}

/// Why a request proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no signature, or none of a kind that counts.
    #[error("no sha256 signature in the header {SIGNATURE_HEADER}")]
    Missing,
    /// There are too many.
    #[error("more than {MAX_SIGNATURES} signatures in the header {SIGNATURE_HEADER}")]
    TooMany,
    /// No signature fits the body under any secret.
    #[error("the signature does not fit the body")]
    Wrong,
    /// The time of signing is missing or no number.
    #[error("the header {TIMESTAMP_HEADER} must be a count of seconds since 1970")]
    NoTimestamp,
    /// The time of signing is too far from the present.
    #[error("the request was signed more than five minutes from now")]
    Stale,
}

/// Checks that `body`, byte for byte, was signed with one of `secrets`. Call it before parsing.
///
/// # Errors
/// When it was not, or not in time.
pub fn verify(
    body: &[u8],
    proof: Proof<'_>,
    signed: Signed,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<(), SignatureError> {
    let offered = offered(proof.signature.unwrap_or_default())?;
    let prefix = match signed {
        Signed::Body => String::new(),
        Signed::TimestampAndBody => {
            let text = proof.timestamp.ok_or(SignatureError::NoTimestamp)?;
            fresh(text, now)?;
            format!("{text}.")
        }
    };
    let message = [prefix.as_bytes(), body].concat();
    let fits = |secret: &Secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
        // Compares in constant time.
        offered.iter().any(|tag| hmac::verify(&key, &message, tag).is_ok())
    };
    if fits(&secrets.current) || secrets.previous.as_ref().is_some_and(fits) {
        Ok(())
    } else {
        Err(SignatureError::Wrong)
    }
}

/// The signature a sender puts into the header.
#[must_use]
pub fn sign(body: &[u8], secret: &Secret) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
    format!("sha256={}", hex::encode(hmac::sign(&key, body)))
}

fn offered(header: &str) -> Result<Vec<Vec<u8>>, SignatureError> {
    let tags: Vec<_> = header
        .split(',')
        .filter_map(|part| part.trim().strip_prefix("sha256="))
        .filter_map(|digits| hex::decode(digits).ok())
        .take(MAX_SIGNATURES + 1)
        .collect();
    match tags.len() {
        0 => Err(SignatureError::Missing),
        count if count > MAX_SIGNATURES => Err(SignatureError::TooMany),
        _ => Ok(tags),
    }
}

fn fresh(text: &str, now: Timestamp) -> Result<(), SignatureError> {
    let at = text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let at = at.ok_or(SignatureError::NoTimestamp)?;
    if now.duration_since(at).abs() > TOLERANCE { Err(SignatureError::Stale) } else { Ok(()) }
}
