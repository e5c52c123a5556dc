//! Host keys: pinned as given, or looked at and confirmed by a person.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use connect_ssh::ScannedKey;
use serde_json::{Value, json};

use crate::cli::{Context, End, given, prompt, view};
use crate::client::Client;
use crate::output;

/// How long a server may take to show its keys.
const SCAN_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a host key comes from.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("pinned").required(true).args(["host_keys", "scan"])))]
pub struct HostKey {
    /// A host key, `ssh-ed25519 AAAA…`, read on the server itself; may be repeated
    #[arg(long = "host-key", id = "host_keys", value_name = "LINE", conflicts_with = "scan")]
    host_keys: Vec<String>,

    /// Look at the keys the server shows, and ask for confirmation
    #[arg(long)]
    scan: bool,

    /// With --scan: take the key of this fingerprint, SHA256:…, without asking
    #[arg(long, value_name = "FINGERPRINT", requires = "scan")]
    fingerprint: Option<String>,
}

impl HostKey {
    /// The keys to be pinned.
    ///
    /// # Errors
    /// When the server shows none, or nobody confirms them.
    pub async fn lines(&self, host: &str, port: u16) -> Result<Vec<String>> {
        if !self.scan {
            return Ok(self.host_keys.clone());
        }
        let found = connect_ssh::scan(host, port, SCAN_TIMEOUT).await;
        let found = found.with_context(|| format!("looking at the host keys of {host}:{port}"))?;
        match &self.fingerprint {
            Some(wanted) => named(&found, wanted),
            None => confirmed(host, port, found),
        }
    }
}

fn named(found: &[ScannedKey], wanted: &str) -> Result<Vec<String>> {
    let lines: Vec<String> =
        found.iter().filter(|key| key.fingerprint == wanted).map(|key| key.line.clone()).collect();
    if lines.is_empty() {
        let shown: Vec<&str> = found.iter().map(|key| key.fingerprint.as_str()).collect();
        bail!("the server shows no key {wanted}, but {}: nothing was pinned", shown.join(", "));
    }
    Ok(lines)
}

fn confirmed(host: &str, port: u16, found: Vec<ScannedKey>) -> Result<Vec<String>> {
    output::note(&format!(
        "{} shows these keys. Whoever answers can show any: compare with what\n  \
         ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\nsays on the server itself.",
        view::line(&format!("{host}:{port}"))
    ));
    for key in &found {
        let kind = key.line.split_whitespace().next().unwrap_or_default();
        output::note(&format!("  {}  {kind}", key.fingerprint));
    }
    let without = "give --fingerprint with the one you expect, or --host-key";
    if !prompt::confirm("are they this server's?", without)? {
        bail!("not confirmed: nothing was added or pinned");
    }
    Ok(found.into_iter().map(|key| key.line).collect())
}

/// Pins keys to a connection.
///
/// # Errors
/// When the server refuses one.
pub async fn pin(client: &Client, connection: &str, keys: &[String]) -> Result<()> {
    for key in keys {
        let body = json!({ "public_key": key });
        let pinned = client.post(&["connections", connection, "host-keys"], &body).await;
        pinned.context("pinning its host key")?;
    }
    Ok(())
}

/// The connection of a server.
///
/// # Errors
/// When it has none, or more than one.
pub async fn connection_of(client: &Client, server: &str) -> Result<Value> {
    let id = given::id_of(client, "server", &["resources"], "res", server).await?;
    let connections = client.get(&["resources", &id, "connections"], &[]).await?;
    match view::items(&connections) {
        [one] => Ok(one.clone()),
        [] => bail!("{server} has no connection"),
        _ => bail!("{server} has several connections: use the API to say which one"),
    }
}

/// A host key to be pinned.
#[derive(Debug, Args)]
pub struct Pin {
    /// The server's name or id
    #[arg(value_name = "SERVER")]
    server: String,

    /// The host key.
    #[command(flatten)]
    host_key: HostKey,
}

impl Pin {
    /// Pins it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let connection = connection_of(&client, &self.server).await?;
        let port = connection["port"].as_u64().and_then(|port| u16::try_from(port).ok());
        let port = port.context("the connection has no port")?;
        let lines = self.host_key.lines(view::raw(&connection, "/host"), port).await?;
        ensure!(!lines.is_empty(), "no host key was given");
        let id = view::raw(&connection, "/id");
        pin(&client, id, &lines).await?;
        show_keys(context, &client, id).await
    }
}

/// A pinned host key to be taken away.
#[derive(Debug, Args)]
pub struct Unpin {
    /// The server's name or id
    #[arg(value_name = "SERVER")]
    server: String,

    /// Its fingerprint, SHA256:…, as `server show` has it
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: String,
}

impl Unpin {
    /// Takes it away.
    ///
    /// # Errors
    /// When no such key is pinned.
    pub async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let connection = connection_of(&client, &self.server).await?;
        let id = view::raw(&connection, "/id");
        let keys = client.get(&["connections", id, "host-keys"], &[]).await?;
        let is_it = |key: &&Value| view::raw(key, "/fingerprint") == self.fingerprint;
        let Some(key) = view::items(&keys).iter().find(is_it) else {
            bail!("{} has no pinned key {}", self.server, self.fingerprint);
        };
        let body = json!({ "public_key": view::raw(key, "/public_key") });
        client.post(&["connections", id, "host-keys", "unpin"], &body).await?;
        show_keys(context, &client, id).await
    }
}

async fn show_keys(context: &Context, client: &Client, connection: &str) -> Result<End> {
    let keys = client.get(&["connections", connection, "host-keys"], &[]).await?;
    context.show(&keys, |keys| {
        let keys = view::items(keys);
        if keys.is_empty() {
            return "no host key is pinned: nothing connects".to_owned();
        }
        view::table(keys, &[("pinned", "/fingerprint"), ("at", "/pinned_at"), ("by", "/pinned_by")])
    })
}
