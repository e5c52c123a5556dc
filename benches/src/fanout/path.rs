//! Our whole path: from a request over HTTP to a completed execution.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use model::Timestamp;
use serde_json::{Value, json};

use super::hosts::Hosts;
use super::{Once, STEPS};
use crate::deployment::{Api, Postgres, Service, text};
use crate::process::cpu_of_children;
use crate::report::Report;
use crate::setting::Setting;
use crate::{profile, store};

const WITHIN: Duration = Duration::from_secs(120);
/// Executions a profile is taken of.
const WATCHED: u32 = 5;

/// Whether the server still has connections to the hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connections {
    New,
    Kept,
}

/// A deployment that knows the hosts and a runbook of the three steps.
#[derive(Debug)]
pub(super) struct Path {
    postgres: Postgres,
    admin: store::Admin,
    service: Service,
    api: Api,
    runbook: String,
}

impl Path {
    pub(super) async fn prepare(setting: &Setting, hosts: &Hosts) -> Result<Self> {
        let postgres = Postgres::start(&setting.dir.join("fanout-pg")).await?;
        Self::on(setting, postgres, setting.dir.join("fanout"), hosts).await
    }

    /// One whose statements are counted.
    pub(super) async fn watched(setting: &Setting, hosts: &Hosts) -> Result<Self> {
        let postgres = Postgres::start_watched(&setting.dir.join("fanout-watched-pg")).await?;
        Self::on(setting, postgres, setting.dir.join("fanout-watched"), hosts).await
    }

    /// Where the time of an execution on `size` hosts goes.
    pub(super) async fn profile(
        &self,
        setting: &Setting,
        report: &mut Report,
        hosts: &Hosts,
        size: usize,
    ) -> Result<()> {
        self.run(hosts, size, Connections::New).await?;
        let what = format!("one execution on {size} hosts, connections kept,");
        let system = profile::System { postgres: &self.postgres, service: &self.service };
        let work = async {
            for _ in 0..WATCHED {
                self.run(hosts, size, Connections::Kept).await?;
            }
            Ok(f64::from(WATCHED))
        };
        profile::watch(setting, report, &what, system, work).await
    }

    async fn on(
        setting: &Setting,
        postgres: Postgres,
        data: PathBuf,
        hosts: &Hosts,
    ) -> Result<Self> {
        let admin = store::admin(postgres.admin_url())?;
        let service = Service::start(setting, &data, Some(postgres.url())).await?;
        let people = service.administrator().await?;
        let environment = json!({"name": "Loopback", "slug": "loopback", "class": "test"});
        let environment = people.post("/environments", environment).await?;
        let environment = text(&environment, "id")?.to_owned();
        for (at, server) in hosts.servers.iter().enumerate() {
            let secret =
                json!({"name": format!("h{at}"), "kind": "ssh_key", "secret": server.client_key()});
            let credential = people.post("/credentials", secret).await?;
            let resource = json!({"environment_id": environment, "name": format!("h{at}"), "os_type": "linux"});
            let resource = people.post("/resources", resource).await?;
            let connection = json!({
                "host": server.host(), "port": server.port(), "username": server.username(),
                "credential_id": text(&credential, "id")?, "guard_dir": server.guard_dir(),
            });
            let connections = format!("/resources/{}/connections", text(&resource, "id")?);
            let connection = people.post(&connections, connection).await?;
            let keys = format!("/connections/{}/host-keys", text(&connection, "id")?);
            people.post(&keys, json!({"public_key": server.host_key()})).await?;
        }
        let runbook = people.post("/runbooks", json!({"yaml": yaml()})).await?;
        let runbook = text(&runbook, "id")?.to_owned();
        let (key, _) = people.key("fan-out", &["operator"]).await?;
        let api = people.with(&key);
        Ok(Self { postgres, admin, service, api, runbook })
    }

    /// One execution on the first `size` hosts.
    pub(super) async fn run(
        &self,
        hosts: &Hosts,
        size: usize,
        connections: Connections,
    ) -> Result<Once> {
        if connections == Connections::New {
            hosts.cut();
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let targets: Vec<String> = (0..size).map(|at| format!("h{at}")).collect();
        let (cpu, sshd) = (self.cpu(), cpu_of_children("sshd"));
        let (begin, asked) = (now(), Instant::now());
        let path = format!("/runbooks/{}/run", self.runbook);
        let answer = self.api.post(&path, json!({"targets": targets})).await?;
        let path = format!("/executions/{}", text(&answer, "execution_id")?);
        let end = loop {
            // Looking costs the server something: seldom, and the end is read from the record.
            tokio::time::sleep(Duration::from_millis(200)).await;
            let execution = self.api.get(&path).await?;
            match state(&execution)? {
                "completed" => break ended(&execution)?,
                "approved" | "in_progress" | "verifying" => {}
                other => bail!("the execution is {other}: {answer} {execution}"),
            }
            anyhow::ensure!(asked.elapsed() < WITHIN, "the execution does not end");
        };
        while store::waiting_events(&self.admin).await? > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let wall = end.duration_since(begin).as_secs_f64();
        Ok(Once { wall, cpu: self.cpu() - cpu, sshd: cpu_of_children("sshd") - sshd })
    }

    fn cpu(&self) -> f64 {
        self.service.cpu() + self.postgres.cpu()
    }

    pub(super) async fn stop(self) -> Result<()> {
        self.service.end().await?;
        self.admin.close().await;
        self.postgres.stop().await;
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "compared with the database's clock of this machine")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// The execution itself, whether it comes bare or with its steps.
fn of(answer: &Value) -> &Value {
    answer.get("execution").unwrap_or(answer)
}

fn state(answer: &Value) -> Result<&str> {
    text(of(answer), "state")
}

fn ended(answer: &Value) -> Result<Timestamp> {
    text(of(answer), "completed_at")?.parse().context("the time of its end")
}

/// The steps as a runbook: reading alone, so that policy lets it run at once.
fn yaml() -> String {
    let [uptime, disk, there] = STEPS;
    format!(
        "name: three-steps
description: The three steps of the comparison.
category: measurement
mode: auto
status: active
timeout_seconds: 300
config:
  max_parallel: 50
steps:
  - name: Uptime
    command: {uptime}
    timeout_seconds: 30
    semantics: read
    action: host.read
  - name: Disk
    command: {disk}
    timeout_seconds: 30
    semantics: read
    action: host.read
  - name: Verify there is room for temporary files
    command: {there}
    timeout_seconds: 30
    semantics: read
    action: host.read
    stage: verify
"
    )
}
