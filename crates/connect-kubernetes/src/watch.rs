//! What happens to the objects of a kind, as it happens.

use std::ops::ControlFlow;
use std::time::Duration;

use connect::outbound::{self, Lines};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::cluster::{Ask, Cluster, Error, refusal};
use crate::list::Listed;
use crate::object::Kind;
use crate::retry;

/// How much longer than it was asked to an API server may take to end a watch.
const GRACE: Duration = Duration::from_secs(5);

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// All there is: the beginning, and again after a gap nobody can fill.
    Listed(Listed),
    /// An object came.
    Added(Value),
    /// An object is another.
    Modified(Value),
    /// An object went; this was its last state.
    Deleted(Value),
}

/// From where on to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// From a list made first.
    List,
    /// From behind this moment, a list's or a watch's.
    Version(String),
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

/// How far a watch has come.
struct Progress<'a, F> {
    version: String,
    fault: Option<Error>,
    stopped: bool,
    each: &'a mut F,
}

impl<F: FnMut(Event) -> ControlFlow<()>> Progress<'_, F> {
    fn take(&mut self, line: &[u8]) -> ControlFlow<()> {
        let Ok(Line { kind, object }) = serde_json::from_slice(line) else {
            self.fault = Some(Error::Malformed);
            return ControlFlow::Break(());
        };
        if kind == "ERROR" {
            let gone = object["code"] == 410 || object["reason"] == "Expired";
            let said = object["message"].as_str().unwrap_or_default().chars().take(300).collect();
            let status = object["code"].as_u64().and_then(|code| u16::try_from(code).ok());
            self.fault = Some(if gone {
                Error::Expired
            } else {
                Error::Failed { status: status.unwrap_or(500), said }
            });
            return ControlFlow::Break(());
        }
        if let Some(version) = object["metadata"]["resourceVersion"].as_str() {
            version.clone_into(&mut self.version);
        }
        let event = match kind.as_str() {
            "ADDED" => Event::Added(object),
            "MODIFIED" => Event::Modified(object),
            "DELETED" => Event::Deleted(object),
            // A bookmark says how far we are and nothing else; so may kinds nobody knows yet.
            _ => return ControlFlow::Continue(()),
        };
        let go_on = (self.each)(event);
        self.stopped = go_on.is_break();
        go_on
    }
}

impl Cluster {
    /// Hands what happens to the objects of a kind to `each`, in one namespace or in all, until
    /// `within` is over or `each` breaks off. Gives the moment up to which all was handed: go on from
    /// there.
    ///
    /// Where the API server has forgotten the moment, everything is listed anew.
    ///
    /// # Errors
    /// When a list cannot be read or the API server refuses to be watched.
    pub async fn watch(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        since: Since,
        within: Duration,
        mut each: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<String, Error> {
        let end = Instant::now() + within;
        let resource = self.resource(kind).await?;
        let path = resource.path(namespace.filter(|_| resource.namespaced))?;
        let (mut since, mut idle) = (since, 0);
        loop {
            let version = match since {
                Since::Version(version) => version,
                Since::List => {
                    let listed = self.list(kind, namespace, None).await?;
                    let version = listed.resource_version.clone();
                    if each(Event::Listed(listed)).is_break() {
                        return Ok(version);
                    }
                    version
                }
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(version);
            }
            let seconds = left.as_secs().max(1);
            let ask = Ask::get(&path)
                .with("watch", "true")
                .with("allowWatchBookmarks", "true")
                .with("resourceVersion", version.clone())
                .with("timeoutSeconds", seconds.to_string());
            let (each, from) = (&mut each, version.clone());
            let mut progress = Progress { version, fault: None, stopped: false, each };
            let ended = self.ask_lines(&ask, left + GRACE, |line| progress.take(line)).await;
            since = match (ended, progress.fault) {
                (_, Some(Error::Expired)) => Since::List,
                (_, Some(fault)) => return Err(fault),
                (Ok(Lines::Refused(reply)), None) => match refusal(&reply, None) {
                    Error::Expired => Since::List,
                    error => return Err(error),
                },
                // A watch that is cut is gone on with: nothing that came before is lost.
                (
                    Err(Error::Call(outbound::Error::Malformed))
                    | Ok(Lines::Ended | Lines::TimeOver),
                    None,
                ) => Since::Version(progress.version),
                (Err(error), None) => return Err(error),
            };
            if let (true, Since::Version(version)) = (progress.stopped, &since) {
                return Ok(version.clone());
            }
            // A server that ends every watch at once is not asked without end.
            idle = if since == Since::Version(from) || since == Since::List { idle + 1 } else { 0 };
            if idle > 0 && Instant::now() < end {
                let pause = retry::pause(self.patience(), idle, None, retry::chance());
                let fault = match since {
                    Since::List => Error::Expired,
                    Since::Version(_) => Error::Call(outbound::Error::Malformed),
                };
                let pause = pause.ok_or(fault)?;
                tokio::time::sleep_until(end.min(Instant::now() + pause)).await;
            }
        }
    }
}
