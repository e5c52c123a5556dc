//! What the product is told before anything happens: people, servers, keys, rules, runbooks.

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use server::demo::{DemoEstateOut, DemoHostOut, DemoRunbookOut, DemoSourceOut};

use super::hosts::{Host, SERVICE};
use super::people::{Person, first_login};
use super::server::TIMEOUT;
use crate::cli::view::raw;
use crate::client::Client;

const ESTATE: &str = include_str!("../../../../content/demo/estate.yaml");

/// Where all hosts are.
const ADDRESS: &str = "127.0.0.1";

/// The runbooks that are imported: those for hosts without a system service manager.
const RUNBOOKS: [&str; 4] = [
    include_str!("../../../../content/runbooks/clear-stale-lock.yaml"),
    include_str!("../../../../content/runbooks/disk-cleanup.yaml"),
    include_str!("../../../../content/runbooks/restart-supervised-service.yaml"),
    include_str!("../../../../content/demo/runbooks/previous-release.yaml"),
];

/// The estate as it is shipped: bodies of requests.
#[derive(Debug, Deserialize)]
pub(super) struct Estate {
    environment: Value,
    servers: Vec<Value>,
    people: Vec<Value>,
    source: Source,
    alert_rules: Vec<Value>,
    alert: Value,
}

#[derive(Debug, Deserialize)]
struct Source {
    name: String,
    roles: Vec<String>,
}

impl Estate {
    /// Reads what is shipped.
    ///
    /// # Errors
    /// When that is damaged.
    pub(super) fn shipped() -> Result<Self> {
        serde_saphyr::from_str(ESTATE).context("content/demo/estate.yaml")
    }

    /// The names of the servers.
    pub(super) fn servers(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().map(|server| raw(server, "/name"))
    }

    /// Makes the accounts; everybody sets a password of their own.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn add_people(&self, url: &str, admin: &Client) -> Result<Vec<Person>> {
        let mut people = Vec::new();
        for wanted in &self.people {
            let made = admin.post(&["users"], wanted).await?;
            let one_time = raw(&made, "/one_time_password");
            people.push(first_login(url, raw(wanted, "/username"), one_time).await?);
        }
        Ok(people)
    }

    /// The roles of an account, in words.
    pub(super) fn roles(&self, username: &str) -> String {
        let person = self.people.iter().find(|person| raw(person, "/username") == username);
        person.map(|person| crate::cli::view::at(person, "/roles")).unwrap_or_default()
    }

    /// Makes the source of alerts known and gives its key.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn add_source(&self, admin: &Client) -> Result<String> {
        let Source { name, roles } = &self.source;
        let key = admin.post(&["api-keys"], &json!({ "name": name, "roles": roles })).await?;
        let source =
            json!({ "name": name, "kind": "alertmanager", "actor_id": raw(&key, "/actor_id") });
        admin.post(&["alert-sources"], &source).await?;
        for rule in &self.alert_rules {
            admin.post(&["alert-rules"], rule).await?;
        }
        Ok(raw(&key, "/key").to_owned())
    }

    /// Adds the environment and its servers: sealed keys to log in with, pinned host keys.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn add_servers(&self, admin: &Client, hosts: &[Host]) -> Result<()> {
        let environment = admin.post(&["environments"], &self.environment).await?;
        for wanted in &self.servers {
            let host = host_of(wanted, hosts)?;
            let name = &host.name;
            let mut body = wanted.clone();
            body["environment_id"] = environment["id"].clone();
            let resource = admin.post(&["resources"], &body).await?;
            let key = json!({ "name": format!("login of {name}"), "kind": "ssh_key", "secret": host.login_key });
            let credential = admin.post(&["credentials"], &key).await?;
            let connection = json!({
                "host": ADDRESS, "port": host.port, "username": host.username,
                "credential_id": credential["id"], "guard_dir": host.guard_dir(),
            });
            let path = ["resources", raw(&resource, "/id"), "connections"];
            let connection = admin.post(&path, &connection).await?;
            let path = ["connections", raw(&connection, "/id"), "host-keys"];
            admin.post(&path, &json!({ "public_key": host.host_key })).await?;
        }
        Ok(())
    }

    /// The same, for somebody to send themselves: bodies of requests, and what is in none of them.
    ///
    /// # Errors
    /// When a host is missing, or what is shipped is damaged.
    pub(super) fn told(&self, hosts: &[Host]) -> Result<DemoEstateOut> {
        let told = |wanted: &Value| {
            let host = host_of(wanted, hosts)?;
            anyhow::Ok(DemoHostOut {
                name: host.name.clone(),
                resource: serde_json::from_value(wanted.clone())
                    .context("content/demo/estate.yaml: servers")?,
                host: ADDRESS.to_owned(),
                port: host.port,
                username: host.username.clone(),
                host_key: host.host_key.clone(),
                login_key: host.login_key.clone(),
                guard_dir: host.guard_dir().to_string_lossy().into_owned(),
                service: SERVICE.to_owned(),
            })
        };
        let Source { name, roles } = &self.source;
        Ok(DemoEstateOut {
            environment: self.environment.clone(),
            hosts: self.servers.iter().map(told).collect::<Result<_>>()?,
            runbooks: runbooks()?,
            source: DemoSourceOut { name: name.clone(), roles: roles.clone() },
            alert_rules: self.alert_rules.clone(),
            alert: self.alert.clone(),
        })
    }
}

/// The host of a server.
fn host_of<'a>(server: &Value, hosts: &'a [Host]) -> Result<&'a Host> {
    let name = raw(server, "/name");
    let found = hosts.iter().find(|host| host.name == name);
    found.with_context(|| format!("no host {name} was started"))
}

/// What is looked for in a runbook.
#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

/// The runbooks that suit the hosts.
fn runbooks() -> Result<Vec<DemoRunbookOut>> {
    let named = RUNBOOKS.iter().map(|yaml| {
        let Named { name } = serde_saphyr::from_str(yaml).context("a shipped runbook")?;
        anyhow::Ok(DemoRunbookOut { name, yaml: (*yaml).to_owned() })
    });
    named.collect()
}

/// A runbook that was imported.
#[derive(Debug)]
pub(super) struct Imported {
    /// Its name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: u64,
    /// How many warnings lint had.
    pub(super) warnings: usize,
}

/// Imports the shipped runbooks as their author.
///
/// # Errors
/// When one is refused.
pub(super) async fn import_runbooks(author: &Client) -> Result<Vec<Imported>> {
    let mut imported = Vec::new();
    for yaml in RUNBOOKS {
        let made = author.post(&["runbooks"], &json!({ "yaml": yaml })).await?;
        let runbook = author.get(&["runbooks", raw(&made, "/id")], &[]).await?;
        imported.push(Imported {
            name: raw(&runbook, "/document/name").to_owned(),
            version: made["version"].as_u64().unwrap_or_default(),
            warnings: made["warnings"].as_array().map_or(0, Vec::len),
        });
    }
    Ok(imported)
}

/// A client with an API key.
///
/// # Errors
/// When it cannot be set up.
pub(super) fn holder(url: &str, key: &str) -> Result<Client> {
    Ok(Client::new(url, Some(key.to_owned()), TIMEOUT)?)
}
