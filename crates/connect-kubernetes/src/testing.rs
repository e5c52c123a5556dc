//! A fake API server on loopback: stateful, in memory, close enough to the real one for kubectl.
//!
//! It keeps objects with their owners (`managedFields`), gives them the defaults a real API server
//! gives, applies, patches, lists in pages and lets itself be watched. Nothing runs: of controllers
//! there is what they write on objects anybody reads, and admission plugins there are none.

mod defaults;
mod fields;
mod http;
mod kinds;
mod merge;
mod selector;
mod store;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use store::{By, Store};

/// Who may speak to a fake API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Door {
    /// Whoever reaches it, without TLS.
    #[default]
    Open,
    /// Who bears its token, with TLS under an authority of its own.
    Token,
    /// Who shows a certificate of its authority, with TLS.
    Certificate,
}

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is answered with a status; a text that begins with `<` is no JSON.
    Status {
        /// The status.
        status: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u32>,
        /// What is said.
        body: String,
    },
    /// The connection breaks in the middle of the answer.
    Cut,
    /// There is no answer.
    Silence,
}

impl Fault {
    /// The answer of a server that has too much to do.
    #[must_use]
    pub fn busy(retry_after: u32) -> Self {
        let body = "too many requests, please try again later".to_owned();
        Self::Status { status: 429, retry_after: Some(retry_after), body }
    }

    /// Any other status.
    #[must_use]
    pub fn status(status: u16, body: &str) -> Self {
        Self::Status { status, retry_after: None, body: body.to_owned() }
    }
}

/// What requests share.
#[derive(Debug)]
struct Shared {
    token: Option<String>,
    together: bool,
    moved: tokio::sync::watch::Sender<u64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    store: Store,
    denied: BTreeSet<(String, String)>,
    /// What goes wrong with the next request that has this text in its method, path and query.
    faults: VecDeque<(String, Fault)>,
    asked: Vec<String>,
    open: usize,
    most_open: usize,
    stale: Option<&'static str>,
}

impl State {
    fn denies(&self, plural: &str, verb: &str) -> bool {
        ["*", verb]
            .iter()
            .any(|verb| self.denied.contains(&(plural.to_owned(), (*verb).to_owned())))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request, and takes what is to go wrong with it.
    fn take_fault(&self, asked: &str) -> Option<Fault> {
        let mut state = self.lock();
        state.asked.push(asked.to_owned());
        state.open += 1;
        state.most_open = state.most_open.max(state.open);
        let place = state.faults.iter().position(|(part, _)| asked.contains(part.as_str()))?;
        state.faults.remove(place).map(|(_, fault)| fault)
    }
}

/// A running fake API server with the namespaces `default` and `kube-system`. It ends when dropped.
#[derive(Debug)]
pub struct FakeCluster {
    shared: Arc<Shared>,
    address: SocketAddr,
    door: Door,
    papers: Option<tls::Papers>,
    server: JoinHandle<()>,
}

impl Drop for FakeCluster {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeCluster {
    /// Starts one.
    ///
    /// # Errors
    /// When there is no port to be had, or no certificate to be made.
    pub async fn start(door: Door) -> std::io::Result<Self> {
        Self::starting(door, true).await
    }

    /// Starts one that tells of its kinds group by group, as all did before Kubernetes 1.27.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_old(door: Door) -> std::io::Result<Self> {
        Self::starting(door, false).await
    }

    async fn starting(door: Door, together: bool) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            token: (door == Door::Token).then(|| format!("fake-{}", uuid::Uuid::now_v7())),
            together,
            moved: tokio::sync::watch::Sender::new(0),
            state: Mutex::default(),
        });
        let own = Arc::clone(&shared);
        let router = Router::new()
            .fallback(move |request: Request<Body>| http::serve(Arc::clone(&own), request));
        let papers = match door {
            Door::Open => None,
            Door::Token | Door::Certificate => Some(tls::Papers::new()?),
        };
        let server = match &papers {
            None => tokio::spawn(async move {
                axum::serve(listener, router).await.ok();
            }),
            Some(papers) => {
                let listener = papers.listener(listener, door == Door::Certificate)?;
                tokio::spawn(async move {
                    axum::serve(listener, router).await.ok();
                })
            }
        };
        let cluster = Self { shared, address, door, papers, server };
        for name in ["default", "kube-system"] {
            cluster
                .put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
        }
        Ok(cluster)
    }

    /// Its address: `http://127.0.0.1:40001`.
    #[must_use]
    pub fn server(&self) -> String {
        let scheme = if self.papers.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// A kubeconfig for it, JSON, which is YAML.
    #[must_use]
    pub fn kubeconfig(&self) -> String {
        let mut cluster = json!({"server": self.server()});
        let mut user = json!({});
        if let Some(token) = &self.shared.token {
            user["token"] = token.clone().into();
        }
        if let Some(papers) = &self.papers {
            cluster["certificate-authority-data"] = STANDARD.encode(papers.authority()).into();
            if self.door == Door::Certificate {
                let (chain, key) = papers.client();
                user["client-certificate-data"] = STANDARD.encode(chain).into();
                user["client-key-data"] = STANDARD.encode(key).into();
            }
        }
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "fake",
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
            "clusters": [{"name": "fake", "cluster": cluster}],
            "users": [{"name": "fake", "user": user}],
        })
        .to_string()
    }

    /// Keeps an object, in the place of the one that is there. Gives it as it is kept.
    ///
    /// # Panics
    /// When the API server would refuse it.
    pub fn put(&self, object: Value) -> Value {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let known = kinds::of_kind(&text(&object["apiVersion"]), &text(&object["kind"]))
            .expect("the fake API server knows the kind");
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default").to_owned();
        let namespace = if known.namespaced { namespace } else { String::new() };
        let place = (known.plural, namespace.clone(), text(&object["metadata"]["name"]));
        let by = By {
            manager: "somebody".to_owned(),
            subresource: String::new(),
            dry: false,
            force: true,
        };
        let mut state = self.shared.lock();
        let kept = match state.store.get(&place) {
            Some(_) => state.store.replace(known, &place, object, &by),
            None => state.store.create(known, &namespace, object, &by),
        };
        let version = state.store.version;
        drop(state);
        self.shared.moved.send_replace(version);
        kept.map_err(|refused| refused.message).expect("the fake API server takes the object")
    }

    /// An object as it is kept; the namespace is empty for kinds that have none.
    #[must_use]
    pub fn object(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        let known = kinds::KNOWN.iter().find(|known| known.plural == plural)?;
        self.shared.lock().store.get(&(known.plural, namespace.to_owned(), name.to_owned()))
    }

    /// Forbids a verb (`*`: every one) on the objects of a plural.
    pub fn deny(&self, plural: &str, verb: &str) {
        self.shared.lock().denied.insert((plural.to_owned(), verb.to_owned()));
    }

    /// Lets something go wrong with the next request that has `part` in its method, path and query
    /// (`GET /api/v1/namespaces?limit=5`), as often as it is called.
    pub fn fail(&self, part: &str, fault: Fault) {
        self.shared.lock().faults.push_back((part.to_owned(), fault));
    }

    /// Leaves a group of kinds without the server that answers for it.
    pub fn lose(&self, group: &'static str) {
        self.shared.lock().stale = Some(group);
    }

    /// Forgets what happened before now, and what is left of lists begun before.
    pub fn compact(&self) {
        let mut state = self.shared.lock();
        state.store.oldest = state.store.version;
        state.store.happened.clear();
        state.store.pages.clear();
    }

    /// How many requests were open at once, at most.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.shared.lock().most_open
    }

    /// What was asked so far, method, path and query.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.shared.lock().asked.clone()
    }
}
