//! A key-encryption key in Vault's transit engine (or `OpenBao`'s), over its HTTP API.
//!
//! The key never leaves Vault: it wraps, unwraps and rewraps. A policy that lets processes which
//! answer requests `encrypt` alone, and workers `decrypt` and `rewrap`, makes the first seal-only.
//! What is wrapped is bound to its place twice: the place is the context a derived key is made
//! from, and its digest travels with the key, for keys that are not derived. `associated_data` is
//! not used, because `rewrap` does not take it (hashicorp/vault issue 31791).

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use model::Digest;
use model::connector::Pending;
use model::secret::Secret;
use model::vault::VaultError;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::{Zeroize as _, Zeroizing};

use super::cipher::{KEY_LEN, unavailable};
use super::kek::{Kek, Wrapped};
use crate::outbound::{Call, Outbound, Reply, Rules};

/// How long Vault may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The length of the digest of a place, in bytes.
const DIGEST_LEN: usize = 32;

/// Where the key is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Vault's address: `https://vault.example:8200`.
    pub address: String,
    /// Where the transit engine is mounted: `transit`.
    pub mount: String,
    /// The key's name.
    pub key: String,
    /// The file that holds the token; read at every call, so that an agent may renew it.
    pub token_file: PathBuf,
}

/// A key of a transit engine.
#[derive(Debug)]
pub struct Transit {
    settings: Settings,
    outbound: Outbound,
}

/// What Vault answers to every verb used here.
#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    ciphertext: String,
    #[serde(default)]
    plaintext: String,
}

#[derive(Deserialize, Default)]
struct Complaint {
    #[serde(default)]
    errors: Vec<String>,
}

impl Transit {
    /// The key of these settings, called under `rules`: those of an address the operator named.
    ///
    /// # Errors
    /// When the rules' certificates cannot be used.
    pub fn new(settings: Settings, rules: Rules) -> Result<Self, VaultError> {
        let outbound =
            Outbound::new(rules.anywhere().within(TIMEOUT)).map_err(|error| unavailable(&error))?;
        Ok(Self { settings, outbound })
    }

    fn kek_id(&self) -> String {
        format!("transit:{}/{}", self.settings.mount, self.settings.key)
    }

    async fn call(&self, verb: &str, mut body: Value) -> Result<Data, VaultError> {
        let Settings { address, mount, key, token_file } = &self.settings;
        let url = format!("{}/v1/{mount}/{verb}/{key}", address.trim_end_matches('/'));
        let token = tokio::fs::read(token_file)
            .await
            .map(Zeroizing::new)
            .map_err(|error| unavailable(&format!("{}: {error}", token_file.display())))?;
        let token = Secret::new(token.trim_ascii().to_vec());
        let sent = serde_json::to_vec(&body).map_err(|error| unavailable(&error))?;
        if let Some(Value::String(text)) = body.get_mut("plaintext") {
            text.zeroize();
        }
        let mut call = Call::new(Method::POST, &url);
        call = call.header("content-type", "application/json").header("x-vault-request", "true");
        let call = call.secret_header("x-vault-token", token).with_body(sent);
        let reply = self.outbound.send(call).await.map_err(|error| unavailable(&error))?;
        if reply.status.is_success() {
            let answer: Answer = reply.json().map_err(|error| unavailable(&error))?;
            return Ok(answer.data);
        }
        Err(self.complaint(&reply))
    }

    /// Vault's refusals, by what can be done about them.
    fn complaint(&self, reply: &Reply) -> VaultError {
        let said = reply.json::<Complaint>().unwrap_or_default().errors.join("; ");
        let said: String = said.chars().filter(|c| !c.is_control()).take(300).collect();
        let kek_id = self.kek_id();
        match reply.status.as_u16() {
            400 if said.contains("disallowed by policy") => VaultError::Retired { kek_id },
            400 if said.contains("encryption key not found") => VaultError::UnknownKey { kek_id },
            400 => VaultError::Altered,
            403 => VaultError::Refused { reason: said },
            404 => VaultError::UnknownKey { kek_id },
            status => unavailable(&format!("Vault answered {status}: {said}")),
        }
    }

    fn own(&self, wrapped: &Wrapped) -> Result<String, VaultError> {
        if wrapped.kek_id != self.kek_id() {
            return Err(VaultError::UnknownKey { kek_id: wrapped.kek_id.clone() });
        }
        String::from_utf8(wrapped.bytes.clone()).map_err(|_| VaultError::Altered)
    }
}

impl Kek for Transit {
    fn fingerprints(&self) -> Result<Vec<String>, VaultError> {
        Ok(vec![self.kek_id()])
    }

    fn wrap<'a>(
        &'a self,
        bound: &'a [u8],
        key: &'a [u8],
    ) -> Pending<'a, Result<Wrapped, VaultError>> {
        Box::pin(async move {
            let mut plain = Zeroizing::new(Digest::of(bound).as_bytes().to_vec());
            plain.extend_from_slice(key);
            let body = json!({
                "plaintext": STANDARD.encode(&plain[..]), "context": STANDARD.encode(bound),
            });
            let data = self.call("encrypt", body).await?;
            Ok(Wrapped { kek_id: self.kek_id(), bytes: data.ciphertext.into_bytes() })
        })
    }

    fn unwrap<'a>(
        &'a self,
        bound: &'a [u8],
        wrapped: &'a Wrapped,
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, VaultError>> {
        Box::pin(async move {
            let body = json!({"ciphertext": self.own(wrapped)?, "context": STANDARD.encode(bound)});
            let encoded = Zeroizing::new(self.call("decrypt", body).await?.plaintext);
            let plain = STANDARD.decode(encoded.as_bytes()).map_err(|_| VaultError::Altered)?;
            let plain = Zeroizing::new(plain);
            match plain.split_at_checked(DIGEST_LEN) {
                Some((digest, key))
                    if digest == Digest::of(bound).as_bytes() && key.len() == KEY_LEN =>
                {
                    Ok(Zeroizing::new(key.to_vec()))
                }
                _ => Err(VaultError::Altered),
            }
        })
    }

    fn rewrap<'a>(
        &'a self,
        bound: &'a [u8],
        wrapped: &'a Wrapped,
    ) -> Pending<'a, Result<Wrapped, VaultError>> {
        Box::pin(async move {
            let body = json!({"ciphertext": self.own(wrapped)?, "context": STANDARD.encode(bound)});
            let data = self.call("rewrap", body).await?;
            Ok(Wrapped { kek_id: self.kek_id(), bytes: data.ciphertext.into_bytes() })
        })
    }
}

#[cfg(test)]
mod tests;
