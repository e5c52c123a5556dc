//! A call and its answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use model::secret::Secret;
use serde::de::DeserializeOwned;

use super::Error;

/// The header `Authorization` of a login: `user:password` by RFC 7617, and anything else as a token
/// by RFC 6750.
#[must_use]
pub fn login(login: &Secret) -> Secret {
    let text = login.expose().trim_ascii_end();
    if text.contains(&b':') {
        return Secret::from(format!("Basic {}", STANDARD.encode(text)));
    }
    Secret::new([b"Bearer ", text].concat())
}

/// A call to be made.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    pub(super) method: Method,
    pub(super) url: &'a str,
    pub(super) headers: Vec<(&'static str, Text)>,
    pub(super) signed: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// The value of a header.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Plain(String),
    Secret(Secret),
}

impl Text {
    /// As sent. Line breaks and other control characters are refused.
    pub(super) fn value(&self) -> Result<HeaderValue, Error> {
        match self {
            Self::Plain(text) => HeaderValue::from_str(text).map_err(|_| Error::Header),
            Self::Secret(secret) => {
                let mut value =
                    HeaderValue::from_bytes(secret.expose()).map_err(|_| Error::Header)?;
                value.set_sensitive(true);
                Ok(value)
            }
        }
    }
}

impl<'a> Call<'a> {
    /// A call by `method`.
    #[must_use]
    pub fn new(method: Method, url: &'a str) -> Self {
        Self { method, url, headers: Vec::new(), signed: HeaderMap::new(), body: Vec::new() }
    }

    /// A call that asks.
    #[must_use]
    pub fn get(url: &'a str) -> Self {
        Self::new(Method::GET, url)
    }

    /// A call that tells `body`, of this media type.
    #[must_use]
    pub fn post(url: &'a str, media_type: &str, body: Vec<u8>) -> Self {
        Self { body, ..Self::new(Method::POST, url) }
            .header(header::CONTENT_TYPE.as_str(), media_type)
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, Text::Plain(value.into())));
        self
    }

    /// With headers as a library has signed them; what a connection sets itself is left out.
    #[must_use]
    pub fn signed(self, headers: HeaderMap) -> Self {
        Self { signed: headers, ..self }
    }

    /// With a body, whose media type a header says.
    #[must_use]
    pub fn with_body(self, body: Vec<u8>) -> Self {
        Self { body, ..self }
    }

    /// With a header that nobody may see in a log.
    #[must_use]
    pub fn secret_header(mut self, name: &'static str, value: Secret) -> Self {
        self.headers.push((name, Text::Secret(value)));
        self
    }
}

/// An answer. Redirections are answers like others: nobody follows them.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Vec<u8>,
}

impl Reply {
    /// Its body read as JSON.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is none of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|_| Error::Malformed)
    }
}

/// What became of an answer that comes in lines.
#[derive(Debug, Clone)]
pub enum Lines {
    /// It was no success, and is here whole.
    Refused(Reply),
    /// It ended, or whoever read it broke off.
    Ended,
    /// It went on when the time was over.
    TimeOver,
}
