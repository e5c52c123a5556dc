//! The one HTTP client: the API as a person's or a script's command sees it.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde_json::{Value, json};
use uuid::Uuid;

pub mod error;
pub mod events;
pub mod saved;
pub mod sse;

pub use error::Error;

/// Where the API begins on a server.
const PREFIX: [&str; 2] = ["api", "v1"];
/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may be silent; a stream of events sends something every 15 seconds.
const SILENCE: Duration = Duration::from_secs(75);
/// Answers that hold a fresh secret: the server must not keep them for a repetition.
const NEVER_KEPT: [&[&str]; 2] = [&["login"], &["account", "password"]];

/// A query: names and values.
pub type Query<'a> = [(&'a str, String)];

/// A server and whom to be there.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    key: Option<String>,
    timeout: Duration,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the server at `address`, as whoever `key` belongs to.
    ///
    /// # Errors
    /// When `address` is no HTTP address, or TLS cannot be set up.
    pub fn new(address: &str, key: Option<String>, timeout: Duration) -> Result<Self, Error> {
        let unusable = || Error::Address { given: address.to_owned() };
        let base = Url::parse(address).map_err(|_| unusable())?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(unusable());
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE)
            // A key must not follow a redirect to somewhere else.
            .redirect(reqwest::redirect::Policy::none());
        if loopback(&base) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(Error::Setup)?;
        Ok(Self { http, base, key, timeout })
    }

    /// The server's address, as it is saved with a session.
    #[must_use]
    pub fn address(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    fn url(&self, path: &[&str], query: &Query<'_>) -> Result<Url, Error> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Error::Address { given: self.base.to_string() })?
            .pop_if_empty()
            .extend(PREFIX)
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.http.request(method, url);
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Sends, and once more when the connection broke and repeating is safe.
    async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &Query<'_>,
        body: Option<&Value>,
    ) -> Result<Response, Error> {
        let url = self.url(path, query)?;
        let kept = method == Method::POST && !NEVER_KEPT.contains(&path);
        let key = kept.then(|| Uuid::now_v7().to_string());
        let repeatable = key.is_some() || method == Method::GET || method == Method::PUT;
        let mut again = repeatable;
        loop {
            let mut request = self.request(method.clone(), url.clone()).timeout(self.timeout);
            if let Some(key) = &key {
                request = request.header("idempotency-key", key);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            match request.send().await {
                Ok(response) => return read_status(response).await,
                Err(error) if again && !error.is_connect() && !error.is_timeout() => again = false,
                Err(source) => return Err(self.unreachable(source)),
            }
        }
    }

    /// The address is in the sentence; the error need not repeat it.
    fn unreachable(&self, source: reqwest::Error) -> Error {
        Error::Unreachable { server: self.address(), source: source.without_url() }
    }

    async fn json(&self, response: Response) -> Result<Value, Error> {
        let unreadable = |what: String| Error::Unreadable { server: self.address(), what };
        let bytes = response.bytes().await.map_err(|error| unreadable(error.to_string()))?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))
    }

    /// Reads.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses, or answers something else than JSON.
    pub async fn get(&self, path: &[&str], query: &Query<'_>) -> Result<Value, Error> {
        let response = self.send(Method::GET, path, query, None).await?;
        self.json(response).await
    }

    /// Reads a text.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn get_text(&self, path: &[&str]) -> Result<String, Error> {
        let response = self.send(Method::GET, path, &[], None).await?;
        let unreadable = |what: String| Error::Unreadable { server: self.address(), what };
        response.text().await.map_err(|error| unreadable(error.to_string()))
    }

    /// Asks for something; a repetition after a broken connection has no second effect.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Error> {
        let response = self.send(Method::POST, path, &[], Some(body)).await?;
        self.json(response).await
    }

    /// Tells many things, a line of JSON each. Not repeated by itself.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn lines(&self, path: &[&str], lines: String) -> Result<Value, Error> {
        let request = self.request(Method::POST, self.url(path, &[])?).timeout(self.timeout);
        let request = request.header("content-type", "application/x-ndjson").body(lines);
        let response = request.send().await.map_err(|error| self.unreachable(error))?;
        self.json(read_status(response).await?).await
    }

    /// Replaces.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn put(&self, path: &[&str], body: &Value) -> Result<Value, Error> {
        let response = self.send(Method::PUT, path, &[], Some(body)).await?;
        self.json(response).await
    }

    /// Changes what `body` names.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn patch(&self, path: &[&str], body: &Value) -> Result<Value, Error> {
        let response = self.send(Method::PATCH, path, &[], Some(body)).await?;
        self.json(response).await
    }

    /// Removes.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn delete(&self, path: &[&str]) -> Result<Value, Error> {
        let response = self.send(Method::DELETE, path, &[], None).await?;
        self.json(response).await
    }

    /// Whether the server says it is ready, and what it says below that.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn ready(&self) -> Result<(bool, String), Error> {
        let mut url = self.base.clone();
        url.set_path("readyz");
        let answer = self.http.get(url).timeout(self.timeout).send().await;
        let answer = answer.map_err(|source| self.unreachable(source))?;
        let ready = answer.status().is_success();
        let said = answer.text().await.unwrap_or_default();
        Ok((ready, said.strip_prefix("ready\n").unwrap_or_default().to_owned()))
    }

    /// Every item of a list, page by page.
    ///
    /// # Errors
    /// When a page cannot be had.
    pub async fn all(&self, path: &[&str], query: &Query<'_>) -> Result<Vec<Value>, Error> {
        let mut items = Vec::new();
        let mut pages = self.pages(path, query);
        while let Some(page) = pages.next().await? {
            items.extend(page);
        }
        Ok(items)
    }

    /// The pages of a list.
    #[must_use]
    pub fn pages<'a>(&'a self, path: &'a [&'a str], query: &'a Query<'a>) -> Pages<'a> {
        Pages { client: self, path, query, cursor: Cursor::First }
    }

    /// Opens a stream of events after the event `after`.
    pub(crate) async fn open_stream(
        &self,
        path: &[&str],
        after: Option<i64>,
    ) -> Result<Response, Error> {
        let url = self.url(path, &[])?;
        let mut request = self.request(Method::GET, url).header(ACCEPT, "text/event-stream");
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let answer = request.send().await;
        let response = answer.map_err(|source| self.unreachable(source))?;
        read_status(response).await
    }
}

fn loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An answer, or the problem it is.
async fn read_status(response: Response) -> Result<Response, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_json = kind.is_some_and(|kind| kind.contains("json"));
    let server = response.url().origin().ascii_serialization();
    let bytes = response.bytes().await.unwrap_or_default();
    match serde_json::from_slice(&bytes) {
        Ok(problem) if is_json => Err(Error::Problem(Box::new(problem))),
        _ => Err(Error::Unreadable { server, what: format!("it answered {status}") }),
    }
}

/// Where a list goes on.
#[derive(Debug)]
enum Cursor {
    First,
    At(String),
    End,
}

/// The pages of a list, one after another.
#[derive(Debug)]
pub struct Pages<'a> {
    client: &'a Client,
    path: &'a [&'a str],
    query: &'a Query<'a>,
    cursor: Cursor,
}

impl Pages<'_> {
    /// The items of the next page; none after the last.
    ///
    /// # Errors
    /// When the page cannot be had.
    pub async fn next(&mut self) -> Result<Option<Vec<Value>>, Error> {
        let mut query = self.query.to_vec();
        match &self.cursor {
            Cursor::End => return Ok(None),
            Cursor::First => {}
            Cursor::At(cursor) => query.push(("cursor", cursor.clone())),
        }
        let mut page = self.client.get(self.path, &query).await?;
        self.cursor = match page.get("next_cursor").and_then(Value::as_str) {
            Some(cursor) => Cursor::At(cursor.to_owned()),
            None => Cursor::End,
        };
        // Short lists come whole, without a page around them.
        let items = if page.is_array() { page } else { page["items"].take() };
        match items {
            Value::Array(items) => Ok(Some(items)),
            _ => Err(Error::Unreadable {
                server: self.client.address(),
                what: "a list without items".to_owned(),
            }),
        }
    }
}

/// A page that holds all of a list, in the API's shape.
#[must_use]
pub fn whole(items: &[Value]) -> Value {
    json!({ "items": items, "next_cursor": null, "has_next": false })
}

#[cfg(test)]
mod tests;
