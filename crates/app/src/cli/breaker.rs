//! Circuit breakers: where they stand, and the hand that opens or closes one.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::listing::Paging;
use super::view::Column;
use super::{Context, End, given, view};

const COLUMNS: [Column; 6] = [
    ("scope", "/scope"),
    ("of", "/scope_id"),
    ("state", "/state"),
    ("retry at", "/retry_at"),
    ("last failure", "/last_failure_at"),
    ("reason", "/manual_reason"),
];

/// Circuit breakers.
#[derive(Debug, Subcommand)]
pub enum Breaker {
    /// List breakers, newest first
    List(Paging),
    /// Open a breaker: nothing it is about starts until it is closed
    Open(ByHand),
    /// Close a breaker, whatever opened it
    Close(ByHand),
}

/// What a breaker is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// A runbook, by name or id
    Runbook,
    /// A server, by name or id
    Resource,
    /// A typed action: host.service.restart
    Tool,
    /// Everything
    Global,
}

/// A breaker to be opened or closed.
#[derive(Debug, Args)]
pub struct ByHand {
    /// What it is about
    #[arg(value_enum, value_name = "SCOPE")]
    scope: Scope,

    /// Of which; not for `global`
    #[arg(value_name = "OF", required_if_eq_any([("scope", "runbook"), ("scope", "resource"), ("scope", "tool")]))]
    of: Option<String>,

    /// Why, in words
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Breaker {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(paging) => paging.list(context, &["circuit-breakers"], &[], &COLUMNS).await,
            Self::Open(by_hand) => by_hand.run(context, "open").await,
            Self::Close(by_hand) => by_hand.run(context, "close").await,
        }
    }
}

impl ByHand {
    async fn run(self, context: &Context, verb: &str) -> Result<End> {
        let client = context.client()?;
        let of = self.of.as_deref().unwrap_or("global");
        let (scope, id) = match self.scope {
            Scope::Runbook => {
                ("runbook", given::id_of(&client, "runbook", &["runbooks"], "rbk", of).await?)
            }
            Scope::Resource => {
                ("resource", given::id_of(&client, "server", &["resources"], "res", of).await?)
            }
            Scope::Tool => ("tool", of.to_owned()),
            Scope::Global => ("global", "global".to_owned()),
        };
        let body = json!({ "reason": self.reason });
        let done = client.post(&["circuit-breakers", scope, &id, verb], &body).await?;
        context.show(&done, |breaker| view::facts(breaker, &COLUMNS))
    }
}
