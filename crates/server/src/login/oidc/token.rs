//! What an ID token must carry to be believed: OpenID Connect Core 1.0, section 3.1.3.7.
//!
//! Its header chooses nothing but one of the provider's published keys by name, and an algorithm
//! that key can do. Symmetric algorithms and `none` are not known here at all.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use model::Timestamp;
use serde_json::Value;

/// How far clocks may be apart, in seconds.
const LEEWAY_S: i64 = 60;
/// How old a token may be that was made for this login, in seconds.
const OLDEST_S: i64 = 15 * 60;
/// The longest token that is looked at, in bytes.
const MOST: usize = 64 << 10;
/// The longest subject: OpenID Connect Core 1.0, section 2.
const SUBJECT: usize = 255;

/// What a token must be made for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    /// By whom.
    pub(super) issuer: &'a str,
    /// For whom.
    pub(super) client_id: &'a str,
    /// For which login.
    pub(super) nonce: &'a str,
    /// What came with it.
    pub(super) access_token: Option<&'a str>,
    /// Now.
    pub(super) at: Timestamp,
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// It cannot be read.
    #[error("it is no signed token")]
    Shape,
    /// Its header asks for an algorithm that is not taken, or for what must be understood and is not.
    #[error("its algorithm is not taken")]
    Algorithm,
    /// None of the provider's keys is the one it names, or fits its algorithm.
    #[error("none of the provider's keys fits it")]
    NoKey,
    /// Its signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// Another provider made it.
    #[error("it was made by another provider")]
    Issuer,
    /// It was made for another client.
    #[error("it was made for another client")]
    Audience,
    /// It is over.
    #[error("it has expired")]
    Expired,
    /// It is not valid yet, or was made too long ago or in the future.
    #[error("it was not made just now")]
    Time,
    /// It was made for another login.
    #[error("it was made for another login")]
    Nonce,
    /// The access token is another's.
    #[error("the access token does not belong to it")]
    AccessToken,
    /// It says of nobody that they logged in.
    #[error("it names nobody")]
    Subject,
}

/// What the header asks for: an algorithm, and the name of a key.
pub(super) fn asked(token: &str) -> Result<(Algorithm, Option<String>), Refused> {
    if token.len() > MOST {
        return Err(Refused::Shape);
    }
    let head = token.split('.').next().unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(head).map_err(|_| Refused::Shape)?;
    let header: Value = serde_json::from_slice(&bytes).map_err(|_| Refused::Shape)?;
    let algorithm = match header["alg"].as_str().ok_or(Refused::Shape)? {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" => Algorithm::EdDSA,
        _ => return Err(Refused::Algorithm),
    };
    // What must be understood is not: RFC 7515, section 4.1.11.
    if header.get("crit").is_some() {
        return Err(Refused::Algorithm);
    }
    match header.get("kid") {
        None => Ok((algorithm, None)),
        Some(kid) => Ok((algorithm, Some(kid.as_str().ok_or(Refused::Shape)?.to_owned()))),
    }
}

/// Whether a key can do an algorithm, and is there for signing.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let common = &key.common;
    let signs = common.public_key_use.as_ref().is_none_or(|is| *is == PublicKeyUse::Signature);
    let said = common.key_algorithm.is_none_or(|said| said.to_string() == named(algorithm));
    let able = match (&key.algorithm, algorithm) {
        (
            AlgorithmParameters::RSA(_),
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512,
        ) => true,
        (AlgorithmParameters::EllipticCurve(curve), Algorithm::ES256) => {
            curve.curve == EllipticCurve::P256
        }
        (AlgorithmParameters::EllipticCurve(curve), Algorithm::ES384) => {
            curve.curve == EllipticCurve::P384
        }
        (AlgorithmParameters::OctetKeyPair(curve), Algorithm::EdDSA) => {
            curve.curve == EllipticCurve::Ed25519
        }
        _ => false,
    };
    signs && said && able
}

fn named(algorithm: Algorithm) -> String {
    format!("{algorithm:?}")
}

/// The one key a token was signed with.
fn key<'a>(keys: &'a [Jwk], algorithm: Algorithm, kid: Option<&str>) -> Result<&'a Jwk, Refused> {
    let mut fitting = keys
        .iter()
        .filter(|key| fits(key, algorithm))
        .filter(|key| kid.is_none() || key.common.key_id.as_deref() == kid);
    let first = fitting.next().ok_or(Refused::NoKey)?;
    // Without a name, and with several keys, nobody can say which is meant.
    if kid.is_none() && fitting.next().is_some() { Err(Refused::NoKey) } else { Ok(first) }
}

/// The claims of a token that was made by one of `keys`, for `expected`.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn verify(token: &str, keys: &[Jwk], expected: &Expected<'_>) -> Result<Value, Refused> {
    let (algorithm, kid) = asked(token)?;
    let key = key(keys, algorithm, kid.as_deref())?;
    let key = DecodingKey::from_jwk(key).map_err(|_| Refused::NoKey)?;
    let mut signature = Validation::new(algorithm);
    // The claims are judged below, by our clock.
    signature.required_spec_claims.clear();
    signature.validate_exp = false;
    signature.validate_aud = false;
    let read = jsonwebtoken::decode::<Value>(token, &key, &signature)
        .map_err(|_| Refused::Signature)?
        .claims;
    claims(&read, algorithm, expected)?;
    Ok(read)
}

fn claims(read: &Value, algorithm: Algorithm, expected: &Expected<'_>) -> Result<(), Refused> {
    if read["iss"].as_str() != Some(expected.issuer) {
        return Err(Refused::Issuer);
    }
    audience(read, expected.client_id)?;
    let now = expected.at.as_second();
    let moment = |name: &str| read.get(name).map(|value| seconds(value).ok_or(Refused::Time));
    let expires = moment("exp").ok_or(Refused::Expired)??;
    if now >= expires.saturating_add(LEEWAY_S) {
        return Err(Refused::Expired);
    }
    let made = moment("iat").ok_or(Refused::Time)??;
    if made > now + LEEWAY_S || made < now - OLDEST_S {
        return Err(Refused::Time);
    }
    if moment("nbf").transpose()?.is_some_and(|from| from > now + LEEWAY_S) {
        return Err(Refused::Time);
    }
    let nonce = read["nonce"].as_str().unwrap_or_default();
    if verify_slices_are_equal(nonce.as_bytes(), expected.nonce.as_bytes()).is_err() {
        return Err(Refused::Nonce);
    }
    if let (Some(claimed), Some(token)) = (read.get("at_hash"), expected.access_token)
        && claimed.as_str() != Some(&half_hash(algorithm, token))
    {
        return Err(Refused::AccessToken);
    }
    match read["sub"].as_str() {
        Some(subject)
            if (1..=SUBJECT).contains(&subject.chars().count())
                && !subject.contains(char::is_control) =>
        {
            Ok(())
        }
        _ => Err(Refused::Subject),
    }
}

/// Seconds since the epoch; some providers write fractions.
fn seconds(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too large saturates")]
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

fn audience(read: &Value, client_id: &str) -> Result<(), Refused> {
    let several = match &read["aud"] {
        Value::String(one) if one == client_id => false,
        Value::Array(all) if all.iter().any(|one| one.as_str() == Some(client_id)) => all.len() > 1,
        _ => return Err(Refused::Audience),
    };
    match read.get("azp") {
        Some(party) if party.as_str() == Some(client_id) => Ok(()),
        None if !several => Ok(()),
        _ => Err(Refused::Audience),
    }
}

/// The left half of the hash the algorithm is named for, as `at_hash` has it.
fn half_hash(algorithm: Algorithm, token: &str) -> String {
    let hash = match algorithm {
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &digest::SHA384,
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => &digest::SHA512,
        _ => &digest::SHA256,
    };
    let whole = digest::digest(hash, token.as_bytes());
    let (half, _) = whole.as_ref().split_at(whole.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(half)
}

#[cfg(test)]
mod tests;
