//! What a provider says of itself, and its keys: asked for once in a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use connect::Outbound;
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::fetch::{self, Unanswered, address};

/// How long a description and its keys are believed without being asked for again.
const BELIEVED: Duration = Duration::from_secs(15 * 60);
/// How long a token with an unknown key does not make keys asked for again.
const PAUSE: Duration = Duration::from_secs(10);
/// Providers remembered at most.
const MOST: usize = 256;

/// A provider's description: OpenID Connect Discovery 1.0, what of it is used.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    pub(super) userinfo_endpoint: Option<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

/// Why a description is of no use.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Fault {
    /// It could not be had.
    #[error(transparent)]
    Unanswered(Unanswered),
    /// It is not what it should be.
    #[error("the provider's description cannot be used: {0}")]
    Unusable(String),
}

impl Metadata {
    /// Reads a description.
    ///
    /// # Errors
    /// [`Fault::Unusable`] when it is another issuer's, sends people or codes in the clear, or has
    /// no PKCE with S256.
    fn read(issuer: &str, bytes: &[u8]) -> Result<Self, Fault> {
        let read: Self =
            serde_json::from_slice(bytes).map_err(|error| Fault::Unusable(error.to_string()))?;
        if read.issuer != issuer {
            return Err(Fault::Unusable("it names another issuer".to_owned()));
        }
        let mut endpoints =
            vec![&read.authorization_endpoint, &read.token_endpoint, &read.jwks_uri];
        endpoints.extend(&read.userinfo_endpoint);
        for endpoint in endpoints {
            address(endpoint).map_err(Fault::Unanswered)?;
        }
        if let Some(methods) = &read.code_challenge_methods_supported
            && !methods.iter().any(|method| method == "S256")
        {
            return Err(Fault::Unusable("it does not know PKCE with S256".to_owned()));
        }
        Ok(read)
    }

    /// Whether the client's secret goes into the form: only where the header is not taken.
    pub(super) fn secret_in_form(&self) -> bool {
        let Some(methods) = &self.token_endpoint_auth_methods_supported else { return false };
        let knows = |wanted: &str| methods.iter().any(|method| method == wanted);
        !knows("client_secret_basic") && knows("client_secret_post")
    }
}

/// Keys a token may be signed with. One that cannot be read is as good as none.
fn keys(bytes: &[u8]) -> Result<Vec<Jwk>, Fault> {
    let set: Value =
        serde_json::from_slice(bytes).map_err(|error| Fault::Unusable(error.to_string()))?;
    let keys = set["keys"].as_array().cloned().unwrap_or_default();
    Ok(keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
}

struct Remembered {
    metadata: Metadata,
    read: Instant,
    keys: Vec<Jwk>,
    keys_read: Option<Instant>,
}

/// What is known of the providers.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<Mutex<HashMap<String, Remembered>>>);

impl Known {
    /// Providers, asked where they are not known.
    pub(super) fn asking(&self, outbound: Outbound) -> Providers {
        Providers { known: self.clone(), outbound }
    }
}

/// The providers of one tenant.
pub(super) struct Providers {
    known: Known,
    /// How they are asked.
    pub(super) outbound: Outbound,
}

impl Providers {
    /// What a provider says of itself.
    ///
    /// # Errors
    /// [`Fault`].
    pub(super) async fn metadata(&self, issuer: &str) -> Result<Metadata, Fault> {
        if let Some(known) = self.known.0.lock().await.get(issuer)
            && known.read.elapsed() < BELIEVED
        {
            return Ok(known.metadata.clone());
        }
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let bytes = fetch::get(&self.outbound, &url, None).await.map_err(Fault::Unanswered)?;
        let metadata = Metadata::read(issuer, &bytes)?;
        let mut all = self.known.0.lock().await;
        if all.len() >= MOST {
            all.clear();
        }
        let fresh = Remembered {
            metadata: metadata.clone(),
            read: Instant::now(),
            keys: Vec::new(),
            keys_read: None,
        };
        all.insert(issuer.to_owned(), fresh);
        Ok(metadata)
    }

    /// A provider's keys, read anew when they are old or none of them is called `kid`.
    ///
    /// # Errors
    /// [`Fault`].
    pub(super) async fn keys(&self, of: &Metadata, kid: Option<&str>) -> Result<Vec<Jwk>, Fault> {
        if let Some(known) = self.known.0.lock().await.get(&of.issuer)
            && let Some(read) = known.keys_read
        {
            let called = |key: &Jwk| key.common.key_id.as_deref() == kid;
            let there = kid.is_none() || known.keys.iter().any(called);
            if read.elapsed() < PAUSE || (there && read.elapsed() < BELIEVED) {
                return Ok(known.keys.clone());
            }
        }
        let bytes =
            fetch::get(&self.outbound, &of.jwks_uri, None).await.map_err(Fault::Unanswered)?;
        let keys = keys(&bytes)?;
        if let Some(known) = self.known.0.lock().await.get_mut(&of.issuer) {
            known.keys.clone_from(&keys);
            known.keys_read = Some(Instant::now());
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described() -> Value {
        json!({
            "issuer": "https://id.example.com", "jwks_uri": "https://id.example.com/keys",
            "authorization_endpoint": "https://id.example.com/auth",
            "token_endpoint": "https://id.example.com/token",
            "code_challenge_methods_supported": ["plain", "S256"],
        })
    }

    fn read(document: &Value) -> Result<Metadata, Fault> {
        Metadata::read("https://id.example.com", document.to_string().as_bytes())
    }

    #[test]
    fn a_description_of_another_issuer_or_in_the_clear_or_without_pkce_is_of_no_use() {
        assert!(read(&described()).is_ok());
        for (field, value) in [
            ("issuer", json!("https://id.example.com/")),
            ("issuer", json!("https://evil.example.com")),
            ("token_endpoint", json!("http://id.example.com/token")),
            ("jwks_uri", json!("file:///keys")),
            ("userinfo_endpoint", json!("http://169.254.169.254/")),
            ("code_challenge_methods_supported", json!(["plain"])),
            ("authorization_endpoint", Value::Null),
        ] {
            let mut document = described();
            document[field] = value.clone();
            assert!(read(&document).is_err(), "{field} {value}");
        }
    }

    #[test]
    fn the_secret_goes_into_the_form_only_where_the_header_is_not_taken() {
        for (methods, in_form) in [
            (Value::Null, false),
            (json!(["client_secret_post"]), true),
            (json!(["client_secret_post", "client_secret_basic"]), false),
        ] {
            let mut document = described();
            document["token_endpoint_auth_methods_supported"] = methods.clone();
            assert_eq!(read(&document).unwrap().secret_in_form(), in_form, "{methods}");
        }
    }

    #[test]
    fn a_key_nobody_can_read_does_not_hide_the_others() {
        let good = json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let set = json!({"keys": [{"kty": 7}, "x", good]});
        let keys = keys(set.to_string().as_bytes()).unwrap();
        assert!(keys.iter().any(|key| key.common.key_id.as_deref() == Some("a")));
    }
}
