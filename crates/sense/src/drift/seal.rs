//! Secrets as they are compared, stored and shown: keyed digests that say whether two are the same
//! and nothing else.

use aws_lc_rs::hmac;
use serde_json::json;

use super::value::Value;

/// How many bytes of a digest are kept: enough that two secrets differ.
const BYTES: usize = 16;
/// The one member of the object that a secret is shown as.
const MEMBER: &str = "sealed";

/// The digest of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal([u8; BYTES]);

impl Seal {
    /// As JSON: `{"sealed": "<hex>"}`.
    #[must_use]
    pub fn to_json(self) -> serde_json::Value {
        json!({ MEMBER: hex::encode(self.0) })
    }

    /// From JSON as [`Self::to_json`] writes it.
    #[must_use]
    pub fn from_json(json: &serde_json::Value) -> Option<Self> {
        let members = json.as_object()?;
        let text = members.get(MEMBER).filter(|_| members.len() == 1)?.as_str()?;
        let mut digest = [0; BYTES];
        hex::decode_to_slice(text, &mut digest).ok()?;
        Some(Self(digest))
    }
}

/// A value as a finding keeps it: that something is a secret, and not its digest, which says
/// nothing under the key of another run.
#[must_use]
pub fn kept(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Array(items) => items.iter().map(kept).collect(),
        serde_json::Value::Object(_) if Seal::from_json(value).is_some() => json!({ MEMBER: true }),
        serde_json::Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), kept(value)));
            serde_json::Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

/// Makes digests under one key. Digests of different keys never compare equal.
#[derive(Debug, Clone)]
pub struct Sealer {
    key: hmac::Key,
}

impl Sealer {
    /// Seals under this key: a tenant's own where states are kept, one of the moment where not.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// The digest of a value. Numbers and flags have that of their text, as they compare with it.
    #[must_use]
    pub fn seal(&self, value: &Value<'_>) -> Seal {
        if let Value::Sealed(seal) = value {
            return *seal;
        }
        let text = match value {
            Value::Text(text) => text.as_ref().to_owned(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Sealed(_)
            | Value::Unknown => value.to_json().to_string(),
        };
        let tag = hmac::sign(&self.key, text.as_bytes());
        let mut digest = [0; BYTES];
        for (to, from) in digest.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        Seal(digest)
    }
}
