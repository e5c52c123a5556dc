//! Servers, how to reach them, and their host keys.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::listing::Paging;
use super::view::Column;
use super::{Context, End, given, view};

pub mod add;
pub mod pin;

const COLUMNS: [Column; 7] = [
    ("name", "/name"),
    ("hostname", "/hostname"),
    ("os", "/os_type"),
    ("team", "/owner_team"),
    ("tags", "/tags"),
    ("status", "/status"),
    ("id", "/id"),
];

/// Servers, how to reach them, and their host keys.
#[derive(Debug, Subcommand)]
pub enum Server {
    /// List servers, newest first
    List(Paging),
    /// Show a server, how it is reached, and its pinned host keys
    Show(Named),
    /// Add a server: the server, its connection, its login and its host key at once
    ///
    /// Nothing connects before a host key is pinned. Give the key as it stands in
    /// `/etc/ssh/ssh_host_ed25519_key.pub` of the server, or --scan to look at the key it shows
    /// and confirm its fingerprint.
    Add(Box<add::Add>),
    /// Pin a host key of a server
    Pin(pin::Pin),
    /// Take a pinned host key away
    Unpin(pin::Unpin),
    /// Replace the key or password a server is logged in to with
    ///
    /// Approvals of plans that use the old one no longer count.
    Credential(add::Replace),
}

/// A server by name or id.
#[derive(Debug, Args)]
pub struct Named {
    /// The server's name or id
    #[arg(value_name = "SERVER")]
    server: String,
}

impl Server {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(paging) => paging.list(context, &["resources"], &[], &COLUMNS).await,
            Self::Show(named) => named.show(context).await,
            Self::Add(add) => add.run(context).await,
            Self::Pin(pin) => pin.run(context).await,
            Self::Unpin(unpin) => unpin.run(context).await,
            Self::Credential(replace) => replace.run(context).await,
        }
    }
}

impl Named {
    async fn show(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let id = given::id_of(&client, "server", &["resources"], "res", &self.server).await?;
        let server = client.get(&["resources", &id], &[]).await?;
        let mut connections = client.get(&["resources", &id, "connections"], &[]).await?;
        for connection in connections.as_array_mut().into_iter().flatten() {
            let keys = ["connections", view::raw(connection, "/id"), "host-keys"];
            connection["host_keys"] = client.get(&keys, &[]).await?;
        }
        let whole = json!({ "resource": server, "connections": connections });
        context.show(&whole, shown)
    }
}

fn shown(whole: &Value) -> String {
    let mut text = view::facts(&whole["resource"], &COLUMNS);
    for connection in view::items(&whole["connections"]) {
        text.push_str(&format!(
            "\n\n{}@{}:{} over {}{}",
            view::at(connection, "/username"),
            view::at(connection, "/host"),
            view::at(connection, "/port"),
            view::at(connection, "/transport"),
            if connection["is_active"] == false { ", switched off" } else { "" },
        ));
        let keys = view::items(&connection["host_keys"]);
        if keys.is_empty() {
            text.push_str("\n  no host key is pinned: nothing connects");
        }
        for key in keys {
            let (fingerprint, at) = (view::at(key, "/fingerprint"), view::at(key, "/pinned_at"));
            text.push_str(&format!("\n  {fingerprint}  pinned {at}"));
        }
    }
    text
}
