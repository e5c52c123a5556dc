//! API keys of programs and AI agents.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::listing::Paging;
use super::view::Column;
use super::{Context, End, given, view};

const COLUMNS: [Column; 9] = [
    ("name", "/name"),
    ("holder", "/type"),
    ("roles", "/roles"),
    ("scopes", "/scopes"),
    ("key", "/key_prefix"),
    ("active", "/is_active"),
    ("last used", "/last_used_at"),
    ("expires", "/expires_at"),
    ("id", "/id"),
];

/// API keys of programs and AI agents.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// List API keys, newest first
    List(Paging),
    /// Make an API key; it is shown once
    Add(Add),
    /// Set how many evaluations of the decision API a key has a month
    Tier {
        /// The key's id or name
        #[arg(value_name = "KEY")]
        key: String,
        /// free (1,000), pro (10,000), premium (50,000) or enterprise (no limit)
        #[arg(value_name = "TIER")]
        tier: String,
    },
    /// Revoke an API key, for good
    Revoke {
        /// The key's id or name
        #[arg(value_name = "KEY")]
        key: String,
    },
}

/// Who holds a key.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Holder {
    /// A program
    Service,
    /// An AI agent
    Agent,
}

/// An API key to be made.
#[derive(Debug, Args)]
pub struct Add {
    /// What people call it
    #[arg(value_name = "NAME")]
    name: String,

    /// A role of its holder; may be repeated
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<String>,

    /// A permission it is for, as `countersign doctor --permissions` names it; may be repeated. All
    /// its holder has when there is none
    #[arg(long = "scope", value_name = "PERMISSION")]
    scopes: Vec<String>,

    /// Who holds it
    #[arg(long, value_enum, value_name = "HOLDER", default_value = "service")]
    holder: Holder,

    /// When it ends, as 2027-01-31T00:00:00Z; never when absent
    #[arg(long, value_name = "TIME")]
    expires_at: Option<jiff::Timestamp>,
}

impl Key {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(paging) => paging.list(context, &["api-keys"], &[], &COLUMNS).await,
            Self::Add(add) => add.run(context).await,
            Self::Tier { key, tier } => {
                let client = context.client()?;
                let id = given::id_of(&client, "key", &["api-keys"], "key", &key).await?;
                let set = client.put(&["api-keys", &id, "tier"], &json!({"tier": tier})).await?;
                context.show(&set, |set| {
                    view::facts(set, &[("tier", "/tier"), ("limit", "/limit"), ("id", "/id")])
                })
            }
            Self::Revoke { key } => {
                let client = context.client()?;
                let id = given::id_of(&client, "key", &["api-keys"], "key", &key).await?;
                let gone = client.delete(&["api-keys", &id]).await?;
                context.show(&gone, |_| format!("revoked: {}", view::clean(&id)))
            }
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<End> {
        let holder = match self.holder {
            Holder::Service => "service",
            Holder::Agent => "agent",
        };
        let body = json!({
            "name": self.name, "type": holder, "roles": self.roles, "scopes": self.scopes,
            "expires_at": self.expires_at,
        });
        let made = context.client()?.post(&["api-keys"], &body).await?;
        context.show(&made, |made| {
            view::facts(made, &[("key", "/key"), ("id", "/id"), ("actor", "/actor_id")])
        })?;
        context.remark("the key is not shown again");
        Ok(End::Good)
    }
}
