//! A real Prometheus with real rules, and a real Alertmanager that tells the product.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::directory;
use super::hosts::{Host, SERVICE};
use super::process::{Running, Start, free_port};
use super::programs::Programs;
use super::wait::until;

const PROMETHEUS: &str = include_str!("../../../../content/demo/prometheus.yml");
const RULES: &str = include_str!("../../../../content/demo/rules.yml");
const ALERTMANAGER: &str = include_str!("../../../../content/demo/alertmanager.yml");

/// How long each may take to come up, on a busy machine.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// How often another port is tried when somebody else took the free one first.
const PORT_TRIES: usize = 20;
const GRACE: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(5);

/// Both, running.
#[derive(Debug)]
pub(super) struct Monitoring {
    /// Where Prometheus listens.
    pub(super) prometheus_url: String,
    /// Where Alertmanager listens.
    pub(super) alertmanager_url: String,
    http: reqwest::Client,
    prometheus: Running,
    alertmanager: Running,
}

/// What a monitor needs to be started.
struct Monitor<'a> {
    name: &'a str,
    program: &'a Path,
    dir: &'a Path,
    arguments: Vec<OsString>,
}

impl Monitoring {
    /// Starts both, and waits until Prometheus sees all hosts and knows its Alertmanager.
    ///
    /// # Errors
    /// When one does not come up.
    pub(super) async fn start(
        programs: &Programs,
        root: &Path,
        (countersign, key): (&str, &str),
        hosts: &[Host],
    ) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        let (alertmanager, at) =
            start_alertmanager(programs, &http, &root.join("alertmanager"), countersign, key)
                .await?;
        let (prometheus, prometheus_url) =
            start_prometheus(programs, &http, &root.join("prometheus"), &at, hosts).await?;
        let alertmanager_url = format!("http://{at}");
        let mut monitoring =
            Self { prometheus_url, alertmanager_url, http, prometheus, alertmanager };
        monitoring.sees_everything(hosts.len()).await?;
        Ok(monitoring)
    }

    /// Waits until every target is up and the Alertmanager is known: an alert before that would
    /// be told late.
    async fn sees_everything(&mut self, hosts: usize) -> Result<()> {
        until("Prometheus sees every host", UP_WITHIN, async || {
            self.prometheus.check()?;
            self.alertmanager.check()?;
            let targets = self.ask("targets").await?;
            let active = targets.pointer("/data/activeTargets").and_then(Value::as_array);
            let up = active.map_or(0, |targets| {
                targets.iter().filter(|target| target["health"] == "up").count()
            });
            let known = self.ask("alertmanagers").await?;
            let known = known.pointer("/data/activeAlertmanagers").and_then(Value::as_array);
            Ok((up == hosts && known.is_some_and(|known| !known.is_empty())).then_some(()))
        })
        .await
    }

    async fn ask(&self, what: &str) -> Result<Value> {
        let url = format!("{}/api/v1/{what}", self.prometheus_url);
        let answer = self.http.get(url).send().await.context("Prometheus does not answer")?;
        Ok(answer.json().await?)
    }

    /// Waits until an alert fires in Prometheus.
    ///
    /// # Errors
    /// When it does not.
    pub(super) async fn fires(&self, alert: &str, server: &str) -> Result<()> {
        until(&format!("{alert} fires in Prometheus"), UP_WITHIN, async || {
            let answer = self.ask("alerts").await?;
            let alerts = answer.pointer("/data/alerts").and_then(Value::as_array);
            let fires = |one: &Value| {
                one["state"] == "firing"
                    && one["labels"]["alertname"] == alert
                    && one["labels"]["instance"] == server
            };
            Ok(alerts.is_some_and(|alerts| alerts.iter().any(fires)).then_some(()))
        })
        .await
    }

    /// Ends both.
    pub(super) async fn end(self) {
        tokio::join!(self.prometheus.end(GRACE), self.alertmanager.end(GRACE));
    }
}

async fn start_alertmanager(
    programs: &Programs,
    http: &reqwest::Client,
    dir: &Path,
    countersign: &str,
    key: &str,
) -> Result<(Running, String)> {
    directory::make(dir)?;
    directory::write_secret(&dir.join("key"), key)?;
    let config = dir.join("alertmanager.yml");
    directory::write(&config, &ALERTMANAGER.replace("@COUNTERSIGN@", countersign))?;
    let monitor = Monitor {
        name: "alertmanager",
        program: &programs.alertmanager,
        dir,
        arguments: vec![
            flag("--config.file=", &config),
            flag("--storage.path=", &dir.join("data")),
            "--cluster.listen-address=".into(),
        ],
    };
    monitor.start(programs, http).await
}

async fn start_prometheus(
    programs: &Programs,
    http: &reqwest::Client,
    dir: &Path,
    alertmanager: &str,
    hosts: &[Host],
) -> Result<(Running, String)> {
    directory::make(dir)?;
    let targets: String = hosts
        .iter()
        .map(|host| {
            format!(
                "      - targets: [\"127.0.0.1:{}\"]\n        \
                 labels: {{ instance: {}, service: {SERVICE} }}\n",
                host.service_port, host.name
            )
        })
        .collect();
    let config = dir.join("prometheus.yml");
    let text = PROMETHEUS.replace("@ALERTMANAGER@", alertmanager).replace("@TARGETS@\n", &targets);
    directory::write(&config, &text)?;
    directory::write(&dir.join("rules.yml"), RULES)?;
    let monitor = Monitor {
        name: "prometheus",
        program: &programs.prometheus,
        dir,
        arguments: vec![
            flag("--config.file=", &config),
            flag("--storage.tsdb.path=", &dir.join("data")),
            "--rules.alert.resend-delay=1s".into(),
        ],
    };
    let (running, at) = monitor.start(programs, http).await?;
    Ok((running, format!("http://{at}")))
}

fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(name);
    flag.push(path);
    flag
}

impl Monitor<'_> {
    /// Starts it on a free port and waits until it is ready; gives its address.
    async fn start(self, programs: &Programs, http: &reqwest::Client) -> Result<(Running, String)> {
        for _ in 0..PORT_TRIES {
            let address = format!("127.0.0.1:{}", free_port()?);
            let mut arguments = self.arguments.clone();
            arguments.push(format!("--web.listen-address={address}").into());
            arguments.push("--log.level=warn".into());
            let mut running = Running::start(&Start {
                name: self.name,
                setpriv: &programs.hosts.setpriv,
                at_our_death: "KILL",
                program: self.program,
                arguments: &arguments,
                log: self.dir.join("log"),
            })?;
            let url = format!("http://{address}/-/ready");
            let up = until(&format!("{} is ready", self.name), UP_WITHIN, async || {
                running.check()?;
                let answer = http.get(&url).send().await;
                Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
            })
            .await;
            match up {
                Ok(()) => return Ok((running, address)),
                Err(_) if running.said().contains("address already in use") => {
                    running.end(GRACE).await;
                }
                Err(error) => return Err(error),
            }
        }
        bail!("no port could be had for {}", self.name)
    }
}
