//! A deployment of ours: a private PostgreSQL, the released server on it, and its API.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use db::private::{Options, PrivateServer};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::process::{self, Running};
use crate::setting::Setting;

/// How long a server may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

const PASSWORD: &str = "only for measurements, once";

/// A PostgreSQL of the measurement's own, as the product runs it.
#[derive(Debug)]
pub(crate) struct Postgres {
    server: PrivateServer,
}

impl Postgres {
    /// Starts one in `dir`.
    pub(crate) async fn start(dir: &Path) -> Result<Self> {
        Self::start_with(dir, Vec::new()).await
    }

    /// Starts one that counts statements.
    pub(crate) async fn start_watched(dir: &Path) -> Result<Self> {
        let library = ("shared_preload_libraries".to_owned(), "pg_stat_statements".to_owned());
        Self::start_with(dir, vec![library]).await
    }

    /// Starts one that can write the plans of its statements into its log.
    pub(crate) async fn start_explaining(dir: &Path) -> Result<Self> {
        let library = ("session_preload_libraries".to_owned(), "auto_explain".to_owned());
        Self::start_with(dir, vec![library]).await
    }

    async fn start_with(dir: &Path, settings: Vec<(String, String)>) -> Result<Self> {
        let mut options = Options::new(dir);
        options.search_path = std::env::var_os("PATH");
        options.settings = settings;
        Ok(Self { server: PrivateServer::start(options).await? })
    }

    pub(crate) fn url(&self) -> &str {
        self.server.url()
    }

    pub(crate) fn admin_url(&self) -> &str {
        self.server.admin_url()
    }

    /// The administrator's connection string for another database of the server.
    pub(crate) fn with_database(&self, name: &str) -> Result<String> {
        let (head, options) = self.admin_url().split_once('?').context("no options in the URL")?;
        let (server, _) = head.rsplit_once('/').context("no database in the URL")?;
        // Other clients do not know all of our driver's options.
        let host = options.split('&').find(|option| option.starts_with("host="));
        Ok(format!("{server}/{name}?{}", host.unwrap_or_default()))
    }

    /// Its log.
    pub(crate) fn log(&self) -> &Path {
        self.server.log()
    }

    /// Its first process.
    pub(crate) fn postmaster(&self) -> Option<u32> {
        self.server.postmaster()
    }

    /// CPU seconds of it and its backends so far.
    pub(crate) fn cpu(&self) -> f64 {
        self.server.postmaster().map_or(f64::NAN, process::cpu)
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

/// A running server of ours.
#[derive(Debug)]
pub(crate) struct Service {
    running: Running,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    data: PathBuf,
}

impl Service {
    /// Starts it on this database, or on a private one of its own, and waits until it is ready.
    pub(crate) async fn start(setting: &Setting, data: &Path, url: Option<&str>) -> Result<Self> {
        let log = data.with_extension("log");
        let place = data.to_string_lossy().into_owned();
        let arguments = ["serve", "--data-dir", &place, "--listen", "127.0.0.1:0"];
        let environment: Vec<(&str, &str)> = url.iter().map(|url| ("DATABASE_URL", *url)).collect();
        let mut running = Running::start(&setting.program, &log, &arguments, &environment)?;
        let address = said_address(&mut running, &log).await?;
        let service = Self { running, address, data: data.to_owned() };
        ready(address).await?;
        Ok(service)
    }

    pub(crate) const fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// CPU seconds of the process, and of its private database where it has one.
    pub(crate) fn cpu(&self) -> f64 {
        process::cpu(self.running.pid())
    }

    pub(crate) async fn end(self) -> Result<()> {
        self.running.end().await
    }

    /// The API as the administrator of the first start, or of a later one.
    pub(crate) async fn administrator(&self) -> Result<Api> {
        let anonymous = Api::new(self.address, "")?;
        let log_in = |password: &str| json!({"username": "admin", "password": password});
        let kept = self.data.join("first-password");
        if let Ok(first) = std::fs::read_to_string(&kept) {
            let session = anonymous.post("/login", log_in(first.trim())).await?;
            let api = Api::new(self.address, text(&session, "token")?)?;
            let change = json!({"current_password": first.trim(), "new_password": PASSWORD});
            api.post("/account/password", change).await?;
            std::fs::remove_file(&kept)?;
        }
        let session = anonymous.post("/login", log_in(PASSWORD)).await?;
        Api::new(self.address, text(&session, "token")?)
    }
}

/// The address it says it listens on. Looked for often: start times are measured with it.
async fn said_address(running: &mut Running, log: &Path) -> Result<SocketAddr> {
    let begin = Instant::now();
    loop {
        let said = std::fs::read_to_string(log).unwrap_or_default();
        let address = said.lines().find_map(|line| {
            let (_, rest) = line.split_once("countersign serves on http://")?;
            rest.trim().parse().ok()
        });
        if let Some(address) = address {
            return Ok(address);
        }
        if running.ended()? || begin.elapsed() > READY_WITHIN {
            bail!("the server does not start: {said}");
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn ready(address: SocketAddr) -> Result<()> {
    let client = Client::builder().build()?;
    let begin = Instant::now();
    loop {
        let answer = client.get(format!("http://{address}/readyz")).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        if begin.elapsed() > READY_WITHIN {
            bail!("the server does not become ready");
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A text of an answer.
pub(crate) fn text<'a>(answer: &'a Value, name: &str) -> Result<&'a str> {
    answer.get(name).and_then(Value::as_str).with_context(|| format!("no {name} in {answer}"))
}

/// The API as somebody.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
    token: String,
}

impl Api {
    fn new(address: SocketAddr, token: &str) -> Result<Self> {
        let base = format!("http://{address}/api/v1");
        Ok(Self { client: Client::builder().build()?, base, token: token.to_owned() })
    }

    /// The same as another caller.
    pub(crate) fn with(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Lines of JSON.
    pub(crate) async fn lines(&self, path: &str, body: String) -> Result<Value> {
        let request = self.client.post(format!("{}{path}", self.base));
        let request = request.header("content-type", "application/x-ndjson").body(body);
        self.answer(path, request).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.answer(path, request).await
    }

    async fn answer(&self, path: &str, mut request: RequestBuilder) -> Result<Value> {
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let said = answer.text().await?;
        if !status.is_success() {
            bail!("{path}: {status}: {said}");
        }
        if said.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&said)?) }
    }

    /// A fresh API key with these roles, and its actor.
    pub(crate) async fn key(&self, name: &str, roles: &[&str]) -> Result<(String, String)> {
        let made = self.post("/api-keys", json!({"name": name, "roles": roles})).await?;
        Ok((text(&made, "key")?.to_owned(), text(&made, "actor_id")?.to_owned()))
    }
}
