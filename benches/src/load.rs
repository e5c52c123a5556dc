//! The load generator: HTTP/1.1 over a fixed number of connections, bounded in count and time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long an answer may take before the run counts as broken.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Where requests go.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) key: Option<String>,
}

/// How requests follow each other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// The next one when the last was answered.
    Closed,
    /// So many a second, answered or not.
    Open(f64),
}

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) span: Duration,
    /// At most so many requests.
    pub(crate) most: u64,
    pub(crate) pace: Pace,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Requests answered with 2xx.
    pub(crate) answered: u64,
    /// From the first request to the last answer, in seconds.
    pub(crate) wall: f64,
    /// In microseconds, sorted.
    pub(crate) latencies: Vec<u32>,
}

/// Makes the body of the n-th request.
pub(crate) type Body = Arc<dyn Fn(u64) -> Bytes + Send + Sync>;

/// What is asked: one body after another of one address, or one address after another.
#[derive(Clone)]
enum Asked {
    Post(Body),
    Get(Arc<[String]>),
}

impl Asked {
    fn request(&self, target: &Target, number: u64) -> Result<Request<Full<Bytes>>> {
        let (method, path, body) = match self {
            Self::Post(body) => (Method::POST, &target.path, body(number)),
            Self::Get(paths) => {
                let at = usize::try_from(number)? % paths.len().max(1);
                (Method::GET, paths.get(at).context("no path to read")?, Bytes::new())
            }
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", target.address.to_string())
            .header("content-type", "application/json");
        if let Some(key) = &target.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        Ok(request.body(Full::new(body))?)
    }
}

/// Sends requests until the time or the number is up. Anything but 2xx ends it with an error.
pub(crate) async fn run(target: &Target, load: Load, body: &Body) -> Result<Tally> {
    ask(target, load, &Asked::Post(Arc::clone(body))).await
}

/// Reads these paths in turns, and goes round; the target's own path is not used.
pub(crate) async fn read(target: &Target, load: Load, paths: &[String]) -> Result<Tally> {
    ask(target, load, &Asked::Get(paths.into())).await
}

async fn ask(target: &Target, load: Load, asked: &Asked) -> Result<Tally> {
    let next = Arc::new(AtomicU64::new(0));
    let begin = Instant::now();
    let mut lines = JoinSet::new();
    for _ in 0..load.connections {
        let (target, next, asked) = (target.clone(), Arc::clone(&next), asked.clone());
        lines.spawn(async move { line(&target, load, &asked, &next, begin).await });
    }
    let mut tally = Tally::default();
    while let Some(done) = lines.join_next().await {
        tally.latencies.extend(done??);
    }
    tally.wall = begin.elapsed().as_secs_f64();
    tally.answered = tally.latencies.len() as u64;
    tally.latencies.sort_unstable();
    Ok(tally)
}

/// One connection.
async fn line(
    target: &Target,
    load: Load,
    asked: &Asked,
    next: &AtomicU64,
    begin: Instant,
) -> Result<Vec<u32>> {
    let mut latencies = Vec::new();
    let mut wire = Wire { target, sender: None };
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= load.most || begin.elapsed() >= load.span {
            return Ok(latencies);
        }
        // Who is late for a planned moment counts from that moment on, not from when it is free.
        let from = match load.pace {
            Pace::Closed => Instant::now(),
            Pace::Open(rate) => {
                let planned = begin + Duration::from_secs_f64(number as f64 / rate);
                if planned >= begin + load.span {
                    return Ok(latencies);
                }
                if planned > Instant::now() {
                    tokio::time::sleep_until(planned.into()).await;
                    Instant::now()
                } else {
                    planned
                }
            }
        };
        let request = asked.request(target, number)?;
        timeout(ANSWER_WITHIN, wire.send(request)).await.context("no answer in time")??;
        latencies.push(u32::try_from(from.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
}

struct Wire<'a> {
    target: &'a Target,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Wire<'_> {
    /// Sends on the open connection, or on a new one where the server closes them.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<()> {
        let open = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !open {
            self.sender = Some(self.connect().await?);
        }
        let sender = self.sender.as_mut().context("just connected")?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let said = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!("{status}: {}", String::from_utf8_lossy(&said));
        }
        Ok(())
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.target.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // It ends with its connection; what goes wrong shows at the sender.
        tokio::spawn(async move { connection.await.ok() });
        Ok(sender)
    }
}
