//! The systems that take alerts, each started when its turn comes and ended after it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::json;
use tokio::process::Command;

use super::bodies::Kind;
use crate::deployment::{Postgres, Service};
use crate::load::{Body, Target};
use crate::process::{self, Running};
use crate::report::Report;
use crate::setting::Setting;
use crate::{profile, store};

/// How long a system may take to start, or to finish what it was given.
pub(super) const WITHIN: Duration = Duration::from_secs(120);

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
    admin: store::Admin,
    data: PathBuf,
    key: String,
    service: Option<Service>,
}

impl Ours {
    pub(super) async fn prepare(setting: &Setting) -> Result<Self> {
        let postgres = Postgres::start(&setting.dir.join("ingest-pg")).await?;
        Self::on(setting, postgres, setting.dir.join("ingest")).await
    }

    /// One whose statements are counted, for requests of this many alerts.
    pub(super) async fn watched(setting: &Setting, size: u64) -> Result<Self> {
        let name = format!("ingest-watched-{size}");
        let postgres = Postgres::start_watched(&setting.dir.join(format!("{name}-pg"))).await?;
        Self::on(setting, postgres, setting.dir.join(name)).await
    }

    /// Where the time goes.
    pub(super) async fn profile(&self, report: &mut Report, what: &str, body: &Body) -> Result<()> {
        let service = self.service.as_ref().context("it does not run")?;
        let target = self.target();
        let system = profile::System { postgres: &self.postgres, service };
        profile::take(&self.setting, report, what, system, &target, body).await
    }

    async fn on(setting: &Setting, postgres: Postgres, data: PathBuf) -> Result<Self> {
        let admin = store::admin(postgres.admin_url())?;
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

    pub(super) const fn admin(&self) -> &store::Admin {
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
    admin: store::Admin,
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
        // Its workers would all make the tables at once, and trip over each other.
        let made = Command::new(setting.venv.join("bin/python"))
            .args(["-c", "import alerta_app"])
            .current_dir(&setting.peers)
            .env("DATABASE_URL", &url)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .await?;
        if !made.status.success() {
            bail!("Alerta makes no tables: {}", String::from_utf8_lossy(&made.stderr));
        }
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
        let mut answered = 0;
        while answered < 16 {
            match client.get(format!("http://{address}/alerts")).send().await {
                Ok(answer) => drop(answer.error_for_status()?),
                // A worker that is still starting resets the connection.
                Err(error) if begin.elapsed() > WITHIN => return Err(error.into()),
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            }
            answered += 1;
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
