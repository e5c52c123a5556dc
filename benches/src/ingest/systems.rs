//! The systems that take alerts, each started when its turn comes and ended after it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::json;
use sqlx::PgPool;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::bodies::Kind;
use crate::deployment::{Postgres, Service};
use crate::load::Target;
use crate::process::{self, Running};
use crate::setting::Setting;
use crate::store;

/// How long a system may take to start, or to finish what it was given.
const WITHIN: Duration = Duration::from_secs(120);

/// A system that takes alerts.
pub(super) trait System: Send {
    fn name(&self) -> &'static str;
    fn kind(&self) -> Kind;
    /// Its turn comes.
    fn begin(&mut self) -> BoxFuture<'_, Result<()>>;
    fn target(&self) -> Target;
    /// CPU seconds so far: of the server process alone, and with its database.
    fn cpu(&self) -> (f64, f64);
    /// Waits until everything the alerts cause is done.
    fn drain(&self) -> BoxFuture<'_, Result<()>>;
    /// Alerts kept.
    fn kept(&self) -> BoxFuture<'_, Result<f64>>;
    /// Its turn is over.
    fn end(&mut self) -> BoxFuture<'_, Result<()>>;
}

/// Countersign on a private PostgreSQL.
pub(super) struct Ours {
    setting: Setting,
    postgres: Postgres,
    admin: PgPool,
    data: PathBuf,
    key: String,
    service: Option<Service>,
}

impl Ours {
    pub(super) async fn prepare(setting: &Setting) -> Result<Self> {
        let postgres = Postgres::start(&setting.dir.join("ingest-pg")).await?;
        let admin = store::admin(postgres.admin_url())?;
        let data = setting.dir.join("ingest");
        let service = Service::start(setting, &data, Some(postgres.url())).await?;
        let api = service.administrator().await?;
        let (key, actor) = api.key("alertmanager", &["operator"]).await?;
        let source = json!({"name": "alertmanager", "kind": "alertmanager", "actor_id": actor});
        api.post("/alert-sources", source).await?;
        service.end().await?;
        Ok(Self { setting: setting.clone(), postgres, admin, data, key, service: None })
    }

    pub(super) const fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    pub(super) const fn admin(&self) -> &PgPool {
        &self.admin
    }

    pub(super) async fn stop(self) -> Result<()> {
        if let Some(service) = self.service {
            service.end().await?;
        }
        self.admin.close().await;
        self.postgres.stop().await;
        Ok(())
    }
}

impl System for Ours {
    fn name(&self) -> &'static str {
        "Countersign"
    }

    fn kind(&self) -> Kind {
        Kind::Webhook
    }

    fn begin(&mut self) -> BoxFuture<'_, Result<()>> {
        async {
            let url = Some(self.postgres.url());
            self.service = Some(Service::start(&self.setting, &self.data, url).await?);
            store::settle(&self.admin).await
        }
        .boxed()
    }

    fn target(&self) -> Target {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Target {
            address: self.service.as_ref().map_or(nowhere, |service| service.address),
            path: "/api/v1/hooks/alertmanager".to_owned(),
            key: Some(self.key.clone()),
        }
    }

    fn cpu(&self) -> (f64, f64) {
        let server = self.service.as_ref().map_or(f64::NAN, Service::cpu);
        (server, server + self.postgres.cpu())
    }

    fn drain(&self) -> BoxFuture<'_, Result<()>> {
        async {
            let begin = Instant::now();
            while store::waiting_events(&self.admin).await? > 0 {
                anyhow::ensure!(begin.elapsed() < WITHIN, "the audit outbox is not drained");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            // Logs that grew are signed once a second.
            tokio::time::sleep(Duration::from_millis(1500)).await;
            Ok(())
        }
        .boxed()
    }

    fn kept(&self) -> BoxFuture<'_, Result<f64>> {
        async { Ok(store::alerts(&self.admin).await? as f64) }.boxed()
    }

    fn end(&mut self) -> BoxFuture<'_, Result<()>> {
        async {
            match self.service.take() {
                Some(service) => service.end().await,
                None => Ok(()),
            }
        }
        .boxed()
    }
}

/// Alerta on the same PostgreSQL, in a database of its own.
pub(super) struct Alerta {
    setting: Setting,
    url: String,
    postmaster: u32,
    admin: PgPool,
    running: Option<(Running, SocketAddr)>,
}

impl Alerta {
    pub(super) async fn prepare(setting: &Setting, postgres: &Postgres) -> Result<Self> {
        let server = store::admin(postgres.admin_url())?;
        store::create_database(&server, "alerta").await?;
        server.close().await;
        let url = postgres.with_database("alerta")?;
        let admin = store::admin(&url)?;
        let postmaster = postgres.postmaster().context("the database has ended")?;
        Ok(Self { setting: setting.clone(), url, postmaster, admin, running: None })
    }

    pub(super) async fn stop(self) -> Result<()> {
        if let Some((running, _)) = self.running {
            running.end().await?;
        }
        self.admin.close().await;
        Ok(())
    }

    async fn start(&mut self) -> Result<()> {
        let log = self.setting.dir.join("alerta.log");
        let peers = self.setting.peers.to_string_lossy().into_owned();
        // Its own defaults, but for the database and what it would log to the terminal.
        let environment = [("DATABASE_URL", self.url.as_str()), ("PYTHONDONTWRITEBYTECODE", "1")];
        let arguments = [
            "--bind",
            "127.0.0.1:0",
            "--workers",
            "4",
            "--threads",
            "4",
            "--chdir",
            &peers,
            "alerta_app:app",
        ];
        let program = self.setting.venv.join("bin/gunicorn");
        let mut running = Running::start(&program, &log, &arguments, &environment)?;
        let begin = Instant::now();
        let address: SocketAddr = loop {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let at = said.split("Listening at: http://").nth(1);
            if let Some(address) = at.and_then(|rest| rest.split(' ').next()?.parse().ok()) {
                break address;
            }
            if running.ended()? || begin.elapsed() > WITHIN {
                bail!("Alerta does not start: {said}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        self.running = Some((running, address));
        // The first request makes its tables and its plugins.
        let client = reqwest::Client::builder().build()?;
        for _ in 0..16 {
            client.get(format!("http://{address}/alerts")).send().await?.error_for_status()?;
        }
        Ok(())
    }
}

impl System for Alerta {
    fn name(&self) -> &'static str {
        "Alerta"
    }

    fn kind(&self) -> Kind {
        Kind::Webhook
    }

    fn begin(&mut self) -> BoxFuture<'_, Result<()>> {
        async {
            self.start().await?;
            store::settle(&self.admin).await
        }
        .boxed()
    }

    fn target(&self) -> Target {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Target {
            address: self.running.as_ref().map_or(nowhere, |(_, address)| *address),
            path: "/webhooks/prometheus".to_owned(),
            key: None,
        }
    }

    fn cpu(&self) -> (f64, f64) {
        let server = self.running.as_ref().map_or(f64::NAN, |(one, _)| process::cpu(one.pid()));
        (server, server + process::cpu(self.postmaster))
    }

    fn drain(&self) -> BoxFuture<'_, Result<()>> {
        async { Ok(()) }.boxed()
    }

    fn kept(&self) -> BoxFuture<'_, Result<f64>> {
        async { Ok(store::alerta_alerts(&self.admin).await? as f64) }.boxed()
    }

    fn end(&mut self) -> BoxFuture<'_, Result<()>> {
        async {
            match self.running.take() {
                Some((running, _)) => running.end().await,
                None => Ok(()),
            }
        }
        .boxed()
    }
}

/// Debian's Alertmanager, alone.
pub(super) struct Alertmanager {
    setting: Setting,
    sink: Option<SocketAddr>,
    running: Option<(Running, SocketAddr)>,
}

impl Alertmanager {
    /// With nobody to tell.
    pub(super) fn quiet(setting: &Setting) -> Self {
        Self { setting: setting.clone(), sink: None, running: None }
    }

    /// With a live webhook that takes whatever comes.
    pub(super) async fn loud(setting: &Setting) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sink = Some(listener.local_addr()?);
        tokio::spawn(swallow(listener));
        Ok(Self { setting: setting.clone(), sink, running: None })
    }

    async fn start(&mut self) -> Result<()> {
        let name = if self.sink.is_some() { "alertmanager-loud" } else { "alertmanager" };
        let dir = self.setting.dir.join(name);
        drop(std::fs::remove_dir_all(&dir));
        std::fs::create_dir_all(&dir)?;
        let hook = self.sink.map_or_else(String::new, |sink| {
            format!("\n    webhook_configs: [{{url: \"http://{sink}/\", max_alerts: 1000}}]")
        });
        let config = dir.join("config.yml");
        std::fs::write(
            &config,
            format!(
                "route: {{receiver: all, group_by: [alertname], group_wait: 1s, \
                 group_interval: 2s, repeat_interval: 4h}}\nreceivers:\n  - name: all{hook}\n"
            ),
        )?;
        let log = dir.join("log");
        let arguments = [
            format!("--config.file={}", config.display()),
            format!("--storage.path={}", dir.join("data").display()),
            "--web.listen-address=127.0.0.1:0".to_owned(),
            "--cluster.listen-address=".to_owned(),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let program = PathBuf::from("/usr/bin/prometheus-alertmanager");
        let mut running = Running::start(&program, &log, &arguments, &[])?;
        let begin = Instant::now();
        let address = loop {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let at = said.split("address=127.0.0.1:").nth(1);
            let port = at.and_then(|rest| rest.split_whitespace().next()?.parse::<u16>().ok());
            let port = match port {
                Some(0) | None => process::listening(running.pid()),
                port => port,
            };
            if let Some(port) = port {
                break SocketAddr::from(([127, 0, 0, 1], port));
            }
            if running.ended()? || begin.elapsed() > WITHIN {
                bail!("Alertmanager does not start: {said}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        self.running = Some((running, address));
        Ok(())
    }

    async fn counted(&self) -> Result<f64> {
        let (_, address) = self.running.as_ref().context("it does not run")?;
        let client = reqwest::Client::builder().build()?;
        let text = client.get(format!("http://{address}/metrics")).send().await?.text().await?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("alertmanager_alerts{state=\"active\"}"));
        Ok(line.context("no count of alerts")?.trim().parse()?)
    }
}

/// Answers every request with 200, whatever it is.
async fn swallow(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut buffer = vec![0; 1 << 16];
            let mut head = Vec::new();
            while let Ok(read) = stream.read(&mut buffer).await {
                if read == 0 {
                    return;
                }
                head.extend_from_slice(buffer.get(..read).unwrap_or_default());
                while let Some(end) = whole(&head) {
                    head.drain(..end);
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

/// The length of the first request in `bytes`, once it is there with its body.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(bytes.get(..head)?).to_ascii_lowercase();
    let length =
        text.split("content-length: ").nth(1)?.split("\r\n").next()?.parse::<usize>().ok()?;
    let end = head + length;
    (bytes.len() >= end).then_some(end)
}

impl System for Alertmanager {
    fn name(&self) -> &'static str {
        "Alertmanager"
    }

    fn kind(&self) -> Kind {
        Kind::List
    }

    fn begin(&mut self) -> BoxFuture<'_, Result<()>> {
        self.start().boxed()
    }

    fn target(&self) -> Target {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Target {
            address: self.running.as_ref().map_or(nowhere, |(_, address)| *address),
            path: "/api/v2/alerts".to_owned(),
            key: None,
        }
    }

    fn cpu(&self) -> (f64, f64) {
        let server = self.running.as_ref().map_or(f64::NAN, |(one, _)| process::cpu(one.pid()));
        (server, server)
    }

    fn drain(&self) -> BoxFuture<'_, Result<()>> {
        // A group is told after a second, and again two seconds later.
        let wait =
            if self.sink.is_some() { Duration::from_secs(4) } else { Duration::from_millis(1500) };
        async move {
            tokio::time::sleep(wait).await;
            Ok(())
        }
        .boxed()
    }

    fn kept(&self) -> BoxFuture<'_, Result<f64>> {
        self.counted().boxed()
    }

    fn end(&mut self) -> BoxFuture<'_, Result<()>> {
        async {
            match self.running.take() {
                Some((running, _)) => running.end().await,
                None => Ok(()),
            }
        }
        .boxed()
    }
}
