//! A server with its connection, its login and its host key, in one command.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::{Value, json};

use super::pin::{HostKey, pin};
use crate::cli::{Context, End, given, view};
use crate::client::Client;

/// A server to be added.
#[derive(Debug, Args)]
pub struct Add {
    /// What people call it; alerts find it by this or its host name
    #[arg(value_name = "NAME")]
    name: String,

    /// Host name or address
    #[arg(long, value_name = "HOST")]
    host: String,

    /// TCP port
    #[arg(long, value_name = "PORT", default_value_t = 22)]
    port: u16,

    /// The login there
    #[arg(long, value_name = "USER")]
    user: String,

    /// The environment it is in, by slug or id
    #[arg(long, value_name = "ENVIRONMENT")]
    environment: String,

    /// How we prove who we are.
    #[command(flatten)]
    login: Secret,

    /// The host key.
    #[command(flatten)]
    host_key: HostKey,

    /// Its name in the network, when alerts use another than --host
    #[arg(long, value_name = "HOSTNAME")]
    hostname: Option<String>,

    /// What it runs: linux or windows
    #[arg(long, value_name = "OS", default_value = "linux")]
    os: String,

    /// The team that owns it
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,

    /// A label; may be repeated
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = given::pair)]
    tags: Vec<(String, String)>,

    /// Guard directory there [default: $HOME/.countersign/guard]
    #[arg(long, value_name = "DIR")]
    guard_dir: Option<String>,
}

/// How we prove who we are.
#[derive(Debug, Args)]
#[group(id = "login", required = true, multiple = false)]
pub struct Secret {
    /// An unencrypted OpenSSH private key, `-` for standard input; it is sealed at once
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,

    /// A file with the password, `-` for standard input; it is sealed at once
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// A credential there is already, by name or id
    #[arg(long, value_name = "CREDENTIAL")]
    credential: Option<String>,
}

impl Secret {
    /// The kind and text of a new secret, when one was given.
    fn given(&self) -> Result<Option<(&'static str, String)>> {
        if let Some(file) = &self.ssh_key {
            return Ok(Some(("ssh_key", given::text_of(file)?)));
        }
        let Some(file) = &self.password_file else { return Ok(None) };
        let password = given::text_of(file)?;
        Ok(Some(("password", password.trim_end_matches(['\n', '\r']).to_owned())))
    }

    async fn credential(&self, client: &Client, server: &str) -> Result<String> {
        if let Some((kind, secret)) = self.given()? {
            let body = json!({ "name": format!("{server} login"), "kind": kind, "secret": secret });
            let kept = client.post(&["credentials"], &body).await.context("the credential")?;
            return Ok(view::raw(&kept, "/id").to_owned());
        }
        let given = self.credential.as_deref().unwrap_or_default();
        given::id_of(client, "credential", &["credentials"], "crd", given).await
    }
}

impl Add {
    /// Adds it.
    ///
    /// # Errors
    /// When the server refuses a part; what was added before stays and is named.
    pub async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        // Whatever can be refused without leaving something behind comes first.
        let lines = self.host_key.lines(&self.host, self.port).await?;
        let environment =
            given::id_of(&client, "environment", &["environments"], "env", &self.environment);
        let environment = environment.await?;
        let server = client.post(&["resources"], &self.resource(&environment)).await?;
        let id = view::raw(&server, "/id").to_owned();
        let connected = self.connect(&client, &id, &lines).await;
        let connection = connected.with_context(|| {
            format!("the server {} ({id}) was added, but cannot be reached yet", self.name)
        })?;
        let made = json!({ "resource": server, "connection": connection });
        context.show(&made, |made| {
            format!(
                "added {} ({}): {}@{}:{}, {} host key{} pinned",
                view::at(made, "/resource/name"),
                view::at(made, "/resource/id"),
                view::at(made, "/connection/username"),
                view::at(made, "/connection/host"),
                view::at(made, "/connection/port"),
                lines.len(),
                if lines.len() == 1 { "" } else { "s" },
            )
        })
    }

    fn resource(&self, environment: &str) -> Value {
        // An address is no name alerts would use.
        let named = self.host.parse::<std::net::IpAddr>().is_err().then(|| self.host.clone());
        json!({
            "environment_id": environment,
            "name": self.name,
            "hostname": self.hostname.clone().or(named),
            "os_type": self.os,
            "owner_team": self.team,
            "tags": given::object(&self.tags),
        })
    }

    async fn connect(&self, client: &Client, id: &str, keys: &[String]) -> Result<Value> {
        let credential = self.login.credential(client, &self.name).await?;
        let body = json!({
            "host": self.host, "port": self.port, "username": self.user,
            "credential_id": credential, "guard_dir": self.guard_dir,
        });
        let connection = client.post(&["resources", id, "connections"], &body).await;
        let connection = connection.context("its connection")?;
        pin(client, view::raw(&connection, "/id"), keys).await?;
        Ok(connection)
    }
}

/// A new secret for a server.
#[derive(Debug, Args)]
pub struct Replace {
    /// The server's name or id
    #[arg(value_name = "SERVER")]
    server: String,

    /// An unencrypted OpenSSH private key, `-` for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "password_file")]
    ssh_key: Option<PathBuf>,

    /// A file with the password, `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "ssh_key")]
    password_file: Option<PathBuf>,
}

impl Replace {
    /// Replaces it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let connection = super::pin::connection_of(&client, &self.server).await?;
        let id = view::raw(&connection, "/credential_id");
        anyhow::ensure!(!id.is_empty(), "the connection of {} has no credential", self.server);
        let login =
            Secret { ssh_key: self.ssh_key, password_file: self.password_file, credential: None };
        let secret = login.given()?.map(|(_, secret)| secret);
        let body = json!({ "secret": secret });
        let now = client.put(&["credentials", id, "secret"], &body).await?;
        context.show(&now, |now| {
            view::facts(now, &[("credential", "/name"), ("kind", "/kind"), ("version", "/version")])
        })
    }
}
