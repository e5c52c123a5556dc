//! One object of somebody else's store, read: where a state of Terraform's may be.
//!
//! The stores' libraries sign and this process calls: over the one way out, which vets every
//! address and follows no redirection. Nothing is written, listed or locked.

mod crypto;
mod service;

use std::sync::Arc;
use std::time::Duration;

use model::secret::Secret;
use object_store::aws::AmazonS3Builder;
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _, RetryConfig};
use serde::Deserialize;
use url::Url;

use crate::outbound::{self, Call, Outbound, UrlFault};
use service::Way;

#[cfg(test)]
mod tests;

/// How often a call is made again that failed at the store.
const RETRIES: usize = 2;

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remote {
    /// `s3://bucket/key`, with `?region=` and, for a store that is not AWS's, `endpoint=`.
    S3 {
        /// The bucket.
        bucket: String,
        /// The key in it.
        key: String,
        /// The region; `us-east-1` where none is said.
        region: Option<String>,
        /// Where the store is.
        endpoint: Option<String>,
    },
    /// `gs://bucket/object`, with `?endpoint=`.
    Google {
        /// The bucket.
        bucket: String,
        /// The object in it.
        key: String,
        /// Where the store is.
        endpoint: Option<String>,
    },
    /// `az://account/container/blob`, with `?endpoint=`.
    Azure {
        /// The storage account.
        account: String,
        /// The container.
        container: String,
        /// The blob in it.
        key: String,
        /// Where the store is.
        endpoint: Option<String>,
    },
    /// `https://…`.
    Http {
        /// The address.
        url: String,
    },
}

/// Why a text is the address of no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRemote {
    /// It is none of the known forms.
    #[error(
        "is no address of an object: write s3://bucket/key, gs://bucket/object, \
         az://account/container/blob or https://…"
    )]
    Form,
    /// It is the address of something, but at fault.
    #[error(transparent)]
    Url(UrlFault),
}

/// Why an object could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// There is none.
    #[error("there is no such object")]
    NotFound,
    /// The login was refused, or there was none and one is wanted.
    #[error("the store refuses the login, or asks for one")]
    Denied,
    /// The login is not of the form this kind of store takes. What it holds is not told.
    #[error("the login is not {0}")]
    Login(&'static str),
    /// It is larger than what is taken.
    #[error("the object has more than {most_bytes} bytes")]
    TooLarge {
        /// The limit.
        most_bytes: usize,
    },
    /// There was no answer.
    #[error("the store cannot be reached")]
    Call(#[source] outbound::Error),
    /// The store leads elsewhere, or answers with what is not understood.
    #[error("the store does not answer with the object")]
    Answer,
}

/// The login of an S3 store.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    access_key_id: String,
    secret_access_key: String,
    #[serde(default)]
    session_token: Option<String>,
}

impl Remote {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, BadRemote> {
        if text.starts_with("https://") || text.starts_with("http://") {
            Outbound::check(text).map_err(BadRemote::Url)?;
            return Ok(Self::Http { url: text.to_owned() });
        }
        let url = Url::parse(text).map_err(|_| BadRemote::Form)?;
        let known = url.username().is_empty() && url.password().is_none() && url.port().is_none();
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && url.fragment().is_none();
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(BadRemote::Form)?;
        let key = url.path().trim_start_matches('/').to_owned();
        if !known || !plain || key.is_empty() || Key::parse(&key).is_err() {
            return Err(BadRemote::Form);
        }
        let (mut region, mut endpoint) = (None, None);
        for (name, value) in url.query_pairs() {
            match &*name {
                "region" if url.scheme() == "s3" => region = Some(value.into_owned()),
                "endpoint" => {
                    Outbound::check(&value).map_err(BadRemote::Url)?;
                    endpoint = Some(value.into_owned());
                }
                _ => return Err(BadRemote::Form),
            }
        }
        let host = host.to_owned();
        match url.scheme() {
            "s3" => Ok(Self::S3 { bucket: host, key, region, endpoint }),
            "gs" => Ok(Self::Google { bucket: host, key, endpoint }),
            "az" => {
                let (container, blob) = key.split_once('/').ok_or(BadRemote::Form)?;
                let (container, key) = (container.to_owned(), blob.to_owned());
                Ok(Self::Azure { account: host, container, key, endpoint })
            }
            _ => Err(BadRemote::Form),
        }
    }

    /// The object, whole, when it has at most `most_bytes`.
    ///
    /// The login of an S3 store is `{"access_key_id": …, "secret_access_key": …}`, with a
    /// `session_token` where there is one; of Google's the key of a service account as Google gives
    /// it; of Azure's an account's key or a shared access signature; over HTTP `user:password` or a
    /// token. Without one the object has to be public.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read(
        &self,
        outbound: &Outbound,
        login: Option<&Secret>,
        (within, most_bytes): (Duration, usize),
    ) -> Result<Vec<u8>, Unread> {
        let outbound = outbound.limited(within, most_bytes);
        let read = async {
            match self {
                Self::Http { url } => over_http(&outbound, url, login).await,
                Self::S3 { key, .. } | Self::Google { key, .. } | Self::Azure { key, .. } => {
                    let way = Way::new(outbound);
                    let store = self.store(&way, login)?;
                    object(&*store, key, &way).await
                }
            }
        };
        let late = Unread::Call(outbound::Error::TooSlow);
        tokio::time::timeout(within, read).await.unwrap_or(Err(late)).and_then(|bytes| {
            if bytes.len() > most_bytes { Err(Unread::TooLarge { most_bytes }) } else { Ok(bytes) }
        })
    }

    /// The store's library, told where it is and how it is opened.
    fn store(&self, way: &Way, login: Option<&Secret>) -> Result<Box<dyn ObjectStore>, Unread> {
        let login = login.map(|login| login.expose_str().unwrap_or_default().trim());
        let retry = RetryConfig { max_retries: RETRIES, ..RetryConfig::default() };
        match self {
            Self::S3 { bucket, region, endpoint, .. } => {
                let mut built = AmazonS3Builder::new()
                    .with_bucket_name(bucket)
                    .with_region(region.as_deref().unwrap_or("us-east-1"))
                    .with_retry(retry)
                    // Where calls may go is for the way out to say.
                    .with_allow_http(true)
                    .with_crypto_provider(Arc::new(crypto::Provider))
                    .with_http_connector(way.clone());
                built = match login {
                    None => built.with_skip_signature(true),
                    Some(text) => {
                        let keys: Keys = serde_json::from_str(text)
                            .map_err(|_| Unread::Login("JSON with the keys of an account"))?;
                        let built = built
                            .with_access_key_id(keys.access_key_id)
                            .with_secret_access_key(keys.secret_access_key);
                        match keys.session_token {
                            Some(token) => built.with_token(token),
                            None => built,
                        }
                    }
                };
                if let Some(endpoint) = endpoint {
                    built = built.with_endpoint(endpoint);
                }
                built.build().map(|store| Box::new(store) as _).map_err(|_| Unread::Answer)
            }
            Self::Google { bucket, endpoint, .. } => {
                let wrong = Unread::Login("the key of a service account");
                let mut built = GoogleCloudStorageBuilder::new()
                    .with_bucket_name(bucket)
                    .with_retry(retry)
                    .with_crypto_provider(Arc::new(crypto::Provider))
                    .with_http_connector(way.clone());
                built = match login {
                    // Nobody's key: without one the library looks for files and metadata services.
                    None => built.with_bearer_token("").with_skip_signature(true),
                    Some(key) => built.with_service_account_key(key),
                };
                if let Some(endpoint) = endpoint {
                    built = built.with_base_url(endpoint);
                }
                built.build().map(|store| Box::new(store) as _).map_err(|_| wrong)
            }
            Self::Azure { account, container, endpoint, .. } => {
                let wrong = Unread::Login("an account's key or a shared access signature");
                let mut built = MicrosoftAzureBuilder::new()
                    .with_account(account)
                    .with_container_name(container)
                    .with_retry(retry)
                    .with_allow_http(true)
                    .with_crypto_provider(Arc::new(crypto::Provider))
                    .with_http_connector(way.clone());
                built = match login {
                    None => built.with_skip_signature(true),
                    Some(signature) if signature.contains("sig=") => {
                        built.with_config(AzureConfigKey::SasKey, signature.trim_start_matches('?'))
                    }
                    Some(key) => built.with_access_key(key),
                };
                if let Some(endpoint) = endpoint {
                    built = built.with_endpoint(endpoint.clone());
                }
                built.build().map(|store| Box::new(store) as _).map_err(|_| wrong)
            }
            Self::Http { .. } => Err(Unread::Answer),
        }
    }
}

async fn object(store: &dyn ObjectStore, key: &str, way: &Way) -> Result<Vec<u8>, Unread> {
    let key = Key::parse(key).map_err(|_| Unread::NotFound)?;
    let read = async { store.get(&key).await?.bytes().await };
    match read.await {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(error) => Err(match (way.trouble(), error) {
            (Some(outbound::Error::TooLarge { most_bytes }), _) => Unread::TooLarge { most_bytes },
            (Some(trouble), _) => Unread::Call(trouble),
            (None, object_store::Error::NotFound { .. }) => Unread::NotFound,
            (
                None,
                object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. },
            ) => Unread::Denied,
            // What a store says may hold what was signed.
            (None, _) => Unread::Answer,
        }),
    }
}

async fn over_http(
    outbound: &Outbound,
    url: &str,
    login: Option<&Secret>,
) -> Result<Vec<u8>, Unread> {
    let mut call = Call::get(url);
    if let Some(login) = login {
        call = call.secret_header("authorization", crate::outbound::login(login));
    }
    let reply = outbound.send(call).await.map_err(|error| match error {
        outbound::Error::TooLarge { most_bytes } => Unread::TooLarge { most_bytes },
        other => Unread::Call(other),
    })?;
    match reply.status.as_u16() {
        200 => Ok(reply.body),
        401 | 403 => Err(Unread::Denied),
        404 | 410 => Err(Unread::NotFound),
        _ => Err(Unread::Answer),
    }
}
