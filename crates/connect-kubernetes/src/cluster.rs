//! One cluster: calls to its API server, made again where that may help, and counted.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use connect::outbound::{self, Call, Method, NoTls, Outbound, Reply, Tls};
use model::secret::Secret;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use url::Url;

use crate::discovery::{Resource, Served, Unserved};
use crate::kubeconfig::{Config, Login};
use crate::object::{Key, Kind, is_step};
use crate::retry::{self, Patience};

/// How much of what an API server says is repeated, in characters.
const SAID: usize = 300;

/// Why a cluster gave no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The settings name no API server that can be called.
    #[error("the cluster's address is no URL")]
    Address,
    /// The settings name an API server without TLS and a login for it.
    #[error(
        "a login is sent over TLS alone, and the cluster's address does not begin with https://"
    )]
    Plain,
    /// A certificate of the settings cannot be used.
    #[error("the cluster's certificates, or the one shown to it, cannot be used: {0}")]
    Tls(String),
    /// There was no whole answer, however often it was asked.
    #[error("the API server gave no answer: {0}")]
    Call(outbound::Error),
    /// It has too much to do, however often it was asked.
    #[error("the API server asks to be called less")]
    Throttled,
    /// It failed, however often it was asked.
    #[error("the API server failed with {status}: {said}")]
    Failed {
        /// The status.
        status: u16,
        /// What it says.
        said: String,
    },
    /// It does not know us.
    #[error("the API server does not accept the login: {said}")]
    Unauthorized {
        /// What it says.
        said: String,
    },
    /// It knows us and lets us not.
    #[error("not allowed: {said}")]
    Forbidden {
        /// What it says.
        said: String,
    },
    /// There is no such object.
    #[error("there is no such object")]
    NotFound,
    /// Somebody else has changed or owns what was to be changed.
    #[error("somebody else's change is in the way: {said}")]
    Conflict {
        /// What it says.
        said: String,
    },
    /// It refuses what it was given.
    #[error("refused with {status}: {said}")]
    Refused {
        /// The status.
        status: u16,
        /// What it says.
        said: String,
    },
    /// What was asked about is too long ago: start again from a list.
    #[error("what was asked about is too long ago")]
    Expired,
    /// The cluster knows no such kind, or could not say.
    #[error("{0}")]
    Kind(Unserved),
    /// What names an object cannot be a name.
    #[error("a name or namespace holds what none may")]
    Name,
    /// A manifest lacks what every object has.
    #[error("an object has `apiVersion`, `kind` and `metadata.name`")]
    NoObject,
    /// A list has more objects than are taken.
    #[error("there are more than {most} objects of one kind")]
    TooMany {
        /// What is taken.
        most: usize,
    },
    /// It answered in a form nobody expects.
    #[error("the API server's answer cannot be read")]
    Malformed,
}

/// What reading a cluster may cost.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long one call may take.
    pub timeout: Duration,
    /// How large one answer may be, in bytes.
    pub most_bytes: usize,
    /// Objects asked for at a time; fewer when so many are too large an answer.
    pub page: usize,
    /// Objects of one kind taken at all.
    pub most_objects: usize,
    /// Objects of one kind in one namespace from which a list is cheaper than asking for each.
    pub list_from: usize,
    /// Calls at a time.
    pub at_once: usize,
    /// How often one call is made at most.
    pub tries: u32,
    /// The longest random pause after a first failure; it doubles with each.
    pub first_pause: Duration,
    /// No pause is longer. An API server that asks for more is not waited for.
    pub longest_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            most_bytes: 16 << 20,
            page: 250,
            most_objects: 100_000,
            list_from: 4,
            at_once: 8,
            tries: 5,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
        }
    }
}

/// A cluster. Nothing is called until something is asked.
pub struct Cluster {
    outbound: Outbound,
    server: Url,
    authorization: Option<Secret>,
    pub(crate) namespace: String,
    pub(crate) limits: Limits,
    places: Semaphore,
    calls: AtomicU64,
    throttled: AtomicU64,
    served: RwLock<Option<Arc<Served>>>,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("server", &self.server.as_str()).finish_non_exhaustive()
    }
}

/// What is to be asked of an API server.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// The path, step by step.
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) accept: &'static str,
    /// The body with its media type.
    pub(crate) body: Option<(&'static str, Vec<u8>)>,
}

impl Ask {
    pub(crate) fn get<S: AsRef<str>>(path: &[S]) -> Self {
        Self {
            method: Method::GET,
            path: path.iter().map(|step| step.as_ref().to_owned()).collect(),
            query: Vec::new(),
            accept: "application/json",
            body: None,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

/// What an API server says instead of an answer (`metav1.Status`).
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Status {
    kind: String,
    message: String,
    reason: String,
    details: Details,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Details {
    name: String,
}

impl Cluster {
    /// The cluster of these settings, called through `outbound`: the deployment's rules say where
    /// calls may go, the settings whose certificate is believed there and who we are.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Plain`] and [`Error::Tls`].
    pub fn new(outbound: &Outbound, config: Config, limits: Limits) -> Result<Self, Error> {
        Outbound::check(&config.server).map_err(|_| Error::Address)?;
        let server = Url::parse(&config.server).map_err(|_| Error::Address)?;
        if server.scheme() != "https" && !matches!(config.login, Login::Anonymous) {
            return Err(Error::Plain);
        }
        let unusable = |error: &dyn std::error::Error| Error::Tls(error.to_string());
        let mut tls = Tls::default();
        if let Some(authority) = &config.authority {
            tls = tls.believing(authority).map_err(|error| unusable(&error))?;
        }
        let mut authorization = None;
        match config.login {
            Login::Anonymous => {}
            Login::Token(token) => {
                authorization = Some(Secret::new([b"Bearer ", token.expose()].concat()));
            }
            Login::Certificate { chain, key } => {
                tls = tls.showing(&chain, &key).map_err(|error| unusable(&error))?;
            }
        }
        let outbound = outbound.speaking(&tls).map_err(|error: NoTls| unusable(&error))?;
        Ok(Self {
            outbound: outbound.limited(limits.timeout, limits.most_bytes),
            server,
            authorization,
            namespace: config.namespace,
            places: Semaphore::new(limits.at_once.max(1)),
            limits,
            calls: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            served: RwLock::new(None),
        })
    }

    /// How many calls were made, those made again among them.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// How many of them the API server put off.
    pub fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// The object of this key, as its API version shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`] only when the API server says of this very object that it is not there.
    pub async fn get(&self, key: &Key) -> Result<Value, Error> {
        let ask = Ask::get(&self.path_of(key).await?);
        self.json(&ask, Some(&key.name)).await
    }

    /// The path of an object.
    pub(crate) async fn path_of(&self, key: &Key) -> Result<Vec<String>, Error> {
        let resource = self.resource(&key.kind).await?;
        let namespace = key.namespace.as_deref().unwrap_or(&self.namespace);
        let mut path = resource.path(resource.namespaced.then_some(namespace))?;
        if !is_step(&key.name) {
            return Err(Error::Name);
        }
        path.push(key.name.clone());
        Ok(path)
    }

    /// The resource of a kind: as known, else as asked anew, because kinds come and go.
    pub(crate) async fn resource(&self, kind: &Kind) -> Result<Resource, Error> {
        if let Some(known) = self.known()
            && let Ok(resource) = known.find(kind)
        {
            return Ok(resource.clone());
        }
        self.discover().await?.find(kind).cloned().map_err(Error::Kind)
    }

    fn known(&self) -> Option<Arc<Served>> {
        self.served.read().ok()?.clone()
    }

    pub(crate) fn learn(&self, served: Served) -> Arc<Served> {
        let served = Arc::new(served);
        if let Ok(mut known) = self.served.write() {
            *known = Some(Arc::clone(&served));
        }
        served
    }

    /// Asks, and reads the answer. `name` is the object's that the question is about: without one,
    /// "not found" is about the path.
    pub(crate) async fn json(&self, ask: &Ask, name: Option<&str>) -> Result<Value, Error> {
        let reply = self.ask(ask).await?;
        if reply.status.is_success() {
            return reply.json().map_err(|_| Error::Malformed);
        }
        Err(refusal(&reply, name))
    }

    /// Asks, again where that may help. The answer is the last one.
    pub(crate) async fn ask(&self, ask: &Ask) -> Result<Reply, Error> {
        let url = self.url(ask);
        let patience = self.patience();
        let mut tried = 0;
        loop {
            let answer = {
                let _place = self.places.acquire().await;
                self.calls.fetch_add(1, Ordering::Relaxed);
                self.outbound.send(self.call(ask, &url)).await
            };
            tried += 1;
            let (passes, asked) = match &answer {
                Ok(reply) => (retry::passes(reply.status), retry::asked(&reply.headers)),
                Err(error) => (again(*error), None),
            };
            if answer.as_ref().is_ok_and(|reply| reply.status.as_u16() == 429) {
                self.throttled.fetch_add(1, Ordering::Relaxed);
            }
            let pause = retry::pause(patience, tried, asked, retry::chance());
            match pause.filter(|_| passes) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return answer.map_err(Error::Call),
            }
        }
    }

    pub(crate) const fn patience(&self) -> Patience {
        let Limits { tries, first_pause, longest_pause, .. } = self.limits;
        Patience { tries, first_pause, longest_pause }
    }

    /// Asks for an answer in lines, once.
    pub(crate) async fn ask_lines(
        &self,
        ask: &Ask,
        within: Duration,
        each: impl FnMut(&[u8]) -> std::ops::ControlFlow<()>,
    ) -> Result<outbound::Lines, Error> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let url = self.url(ask);
        self.outbound.lines(self.call(ask, &url), within, each).await.map_err(Error::Call)
    }

    fn call<'a>(&self, ask: &Ask, url: &'a str) -> Call<'a> {
        let mut call = Call::new(ask.method.clone(), url).header("accept", ask.accept);
        if let Some(authorization) = &self.authorization {
            call = call.secret_header("authorization", authorization.clone());
        }
        match &ask.body {
            Some((media_type, body)) => {
                call.header("content-type", *media_type).with_body(body.clone())
            }
            None => call,
        }
    }

    fn url(&self, ask: &Ask) -> String {
        let mut url = self.server.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&ask.path);
        }
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&ask.query);
        }
        url.into()
    }
}

/// Whether a call that gave no answer may give one soon.
fn again(error: outbound::Error) -> bool {
    match error {
        outbound::Error::Unreachable | outbound::Error::TooSlow | outbound::Error::Malformed => {
            true
        }
        outbound::Error::Url(_) | outbound::Error::Header | outbound::Error::TooLarge { .. } => {
            false
        }
    }
}

/// What an answer that is no success means.
pub(crate) fn refusal(reply: &Reply, name: Option<&str>) -> Error {
    let said: Status = reply.json().unwrap_or_default();
    let about = said.kind == "Status" && said.reason == "NotFound";
    let text = said.message.chars().filter(|c| !c.is_control()).take(SAID).collect::<String>();
    let status = reply.status.as_u16();
    match status {
        401 => Error::Unauthorized { said: text },
        403 => Error::Forbidden { said: text },
        // A proxy, another server or a path nobody serves says 404 as well: of those no object is
        // known to be absent.
        404 if about && name.is_some_and(|name| name == said.details.name) => Error::NotFound,
        404 => Error::Failed { status, said: text },
        409 => Error::Conflict { said: text },
        410 => Error::Expired,
        429 => Error::Throttled,
        400..500 => Error::Refused { status, said: text },
        _ => Error::Failed { status, said: text },
    }
}
