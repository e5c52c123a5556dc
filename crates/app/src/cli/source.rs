//! Where alerts come from.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::listing;
use super::view::Column;
use super::{Context, End, given, view};

const COLUMNS: [Column; 6] = [
    ("name", "/name"),
    ("kind", "/kind"),
    ("active", "/is_active"),
    ("rotating", "/rotating"),
    ("actor", "/actor_id"),
    ("id", "/id"),
];

/// Where alerts come from.
#[derive(Debug, Subcommand)]
pub enum Source {
    /// List alert sources
    List,
    /// Make an alert source known, with an API key of its own
    ///
    /// The key is shown once; for Alertmanager with the receiver to put into its configuration.
    Add(Add),
}

/// What a source sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Alertmanager's webhook, version 4
    Alertmanager,
    /// Anything, signed, with a mapping that says where the fields are
    Generic,
}

/// A source to be made known.
#[derive(Debug, Args)]
pub struct Add {
    /// Its name; triggers match on it
    #[arg(value_name = "NAME")]
    name: String,

    /// What it sends
    #[arg(long, value_enum, value_name = "KIND", default_value = "alertmanager")]
    kind: Kind,

    /// For generic sources: a JSON file with pointers to the fields of an alert
    #[arg(long, value_name = "FILE", required_if_eq("kind", "generic"))]
    mapping: Option<PathBuf>,

    /// For generic sources: a file with the secret it signs with, `-` for standard input
    #[arg(long, value_name = "FILE", required_if_eq("kind", "generic"))]
    secret_file: Option<PathBuf>,

    /// The actor of an API key there is already, instead of making one
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
}

impl Source {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List => listing::short(context, &["alert-sources"], &COLUMNS).await,
            Self::Add(add) => add.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<End> {
        if self.kind == Kind::Alertmanager && (self.mapping.is_some() || self.secret_file.is_some())
        {
            bail!("--mapping and --secret-file are for --kind generic");
        }
        let client = context.client()?;
        let mapping: Option<Value> = match &self.mapping {
            Some(file) => Some(
                serde_json::from_str(&given::text_of(file)?)
                    .with_context(|| format!("{} is no JSON", file.display()))?,
            ),
            None => None,
        };
        let secret = self.secret_file.as_deref().map(given::text_of).transpose()?;
        let key = match self.actor {
            Some(_) => None,
            None => {
                let wanted = json!({ "name": self.name, "roles": ["operator"] });
                Some(client.post(&["api-keys"], &wanted).await.context("its API key")?)
            }
        };
        let made_for = key.as_ref().map(|key| view::raw(key, "/actor_id").to_owned());
        let body = json!({
            "name": self.name,
            "kind": match self.kind { Kind::Alertmanager => "alertmanager", Kind::Generic => "generic" },
            "actor_id": self.actor.or(made_for),
            "mapping": mapping,
            "secret": secret.as_deref().map(|secret| secret.trim_end_matches(['\n', '\r'])),
        });
        let made = client.post(&["alert-sources"], &body).await;
        if let (Err(_), Some(key)) = (&made, &key) {
            // A key nobody knows would stay behind.
            client
                .delete(&["api-keys", view::raw(key, "/id")])
                .await
                .context("revoking its key")?;
        }
        let made = json!({ "source": made?, "api_key": key });
        context.show(&made, |made| told(made, &client.address(), self.kind))
    }
}

fn told(made: &Value, server: &str, kind: Kind) -> String {
    let mut text = view::facts(&made["source"], &COLUMNS);
    let Some(key) = made.pointer("/api_key/key").and_then(Value::as_str) else { return text };
    let key = view::clean(key);
    text.push_str(&format!("\n\nits API key, shown once:  {key}\n"));
    if kind == Kind::Alertmanager {
        text.push_str(&format!(
            "\na receiver for alertmanager.yml:\n\n  - name: countersign\n    webhook_configs:\n      \
             - url: {server}/api/v1/hooks/alertmanager\n        send_resolved: true\n        \
             http_config:\n          authorization:\n            type: Bearer\n            \
             credentials: {key}"
        ));
    } else {
        let name = view::at(made, "/source/name");
        text.push_str(&format!("\nit sends to:  {server}/api/v1/hooks/generic/{name}"));
    }
    text
}
