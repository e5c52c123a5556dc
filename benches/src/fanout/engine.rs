//! Our engine alone: the SSH connector with its guard, in a process of its own.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use connect_ssh::{Settings, Ssh};
use futures::future::try_join_all;
use model::connector::{Connector as _, Effect, Ended, Endpoint, Login, OutputSink, Stream};
use model::id::{ConnectionId, CredentialId, ResourceId, StepRunId};
use model::level::EnvironmentClass;
use model::plan::Target;
use model::secret::Secret;
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Deserialize)]
struct Spec {
    hosts: Vec<Host>,
    steps: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Host {
    host: String,
    port: u16,
    username: String,
    key_file: String,
    host_key: String,
    guard_dir: String,
}

/// Output is taken and not kept: nobody else in the comparison keeps it.
struct Drop;

impl OutputSink for Drop {
    fn write(&self, _: Stream, _: u64, _: &[u8]) {}
}

/// Runs the steps on every host and prints what it took.
pub(crate) async fn run(spec: &str) -> Result<()> {
    let spec: Spec = serde_json::from_slice(&fs::read(spec)?)?;
    let steps = Arc::new(spec.steps);
    let endpoints = spec.hosts.into_iter().map(endpoint).collect::<Result<Vec<_>>>()?;
    let (wall, cpu) = (Instant::now(), cpu());
    let ssh = Arc::new(Ssh::new(Settings::default()));
    let work = endpoints.into_iter().map(|endpoint| {
        let (ssh, steps) = (Arc::clone(&ssh), Arc::clone(&steps));
        let work = tokio::spawn(async move { on(&ssh, &endpoint, &steps).await });
        async move { work.await? }
    });
    try_join_all(work).await?;
    let taken = json!({"wall": wall.elapsed().as_secs_f64(), "cpu": self::cpu() - cpu});
    println!("{taken}");
    Ok(())
}

/// The steps on one host, one after another, each behind a token of its own.
async fn on(ssh: &Ssh, endpoint: &Endpoint, steps: &[String]) -> Result<()> {
    for step in steps {
        let effect = Effect {
            token: format!("{}.do.1", StepRunId::generate().uuid()),
            epoch: 1,
            script: step.clone(),
            timeout: Duration::from_secs(30),
            output_cap: 1 << 20,
        };
        let ended = ssh.run(endpoint, &effect, &Drop).await?;
        if !matches!(ended, Ended::Exited { code: 0, .. }) {
            bail!("{step}: {ended:?}");
        }
    }
    Ok(())
}

fn endpoint(host: Host) -> Result<Endpoint> {
    let target = Target {
        resource_id: ResourceId::generate(),
        connection_id: ConnectionId::generate(),
        name: format!("h{}", host.port),
        host: host.host,
        port: host.port,
        username: host.username,
        transport: "ssh".to_owned(),
        credential_id: Some(CredentialId::generate()),
        credential_version: Some(1),
        host_keys: vec![host.host_key],
        guard_dir: Some(host.guard_dir),
        environment: EnvironmentClass::Test,
    };
    let key = fs::read_to_string(&host.key_file)?;
    Ok(Endpoint { target, login: Some(Login::Key(Secret::from(key))) })
}

/// CPU seconds of this process so far.
fn cpu() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}
