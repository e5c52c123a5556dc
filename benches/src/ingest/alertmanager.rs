//! Debian's Alertmanager, alone, in memory.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::bodies::Kind;
use super::systems::{System, WITHIN};
use crate::load::Target;
use crate::process::{self, Running};
use crate::setting::Setting;

/// A process of it for each turn.
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
        // An alert counts once its group was told: after a second, and again two seconds later.
        const QUIET: Duration = Duration::from_millis(2500);
        async move {
            let begin = Instant::now();
            let mut before = self.counted().await?;
            loop {
                tokio::time::sleep(QUIET).await;
                let now = self.counted().await?;
                if (now - before).abs() < 0.5 {
                    return Ok(());
                }
                anyhow::ensure!(begin.elapsed() < WITHIN, "Alertmanager does not come to rest");
                before = now;
            }
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
