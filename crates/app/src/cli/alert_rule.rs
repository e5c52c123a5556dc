//! Alert rules: what becomes of an alert, by its name and severity.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::view::Column;
use super::{Context, End, given, listing, view};

const COLUMNS: [Column; 7] = [
    ("priority", "/priority"),
    ("name", "/name"),
    ("alerts", "/alert_name_pattern"),
    ("severity", "/severity_pattern"),
    ("action", "/action"),
    ("enabled", "/enabled"),
    ("id", "/id"),
];

/// Alert rules.
#[derive(Debug, Subcommand)]
pub enum AlertRule {
    /// List alert rules in the order they are asked
    List,
    /// Add an alert rule
    Add(Add),
    /// Remove an alert rule
    Remove {
        /// Its name or id
        #[arg(value_name = "RULE")]
        rule: String,
    },
}

/// What becomes of an alert.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Action {
    /// Look for runbooks at once
    #[value(name = "auto_analyze")]
    AutoAnalyze,
    /// Keep it, and do nothing
    Ignore,
    /// Leave it to people
    Manual,
}

/// A rule to be added.
#[derive(Debug, Args)]
pub struct Add {
    /// What people call it
    #[arg(value_name = "NAME")]
    name: String,

    /// What becomes of alerts it matches
    #[arg(long, value_enum, value_name = "ACTION")]
    action: Action,

    /// A glob over the alert's name: * any text, ? one character
    #[arg(long = "alert", value_name = "GLOB", default_value = "*")]
    alert: String,

    /// A glob over the severity, the sender's word or ours
    #[arg(long, value_name = "GLOB", default_value = "*")]
    severity: String,

    /// Lower is asked first
    #[arg(long, value_name = "N", default_value_t = 100)]
    priority: i32,
}

impl AlertRule {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List => listing::short(context, &["alert-rules"], &COLUMNS).await,
            Self::Add(add) => {
                let body = json!({
                    "name": add.name,
                    "priority": add.priority,
                    "alert_name_pattern": add.alert,
                    "severity_pattern": add.severity,
                    "action": match add.action {
                        Action::AutoAnalyze => "auto_analyze",
                        Action::Ignore => "ignore",
                        Action::Manual => "manual",
                    },
                });
                let made = context.client()?.post(&["alert-rules"], &body).await?;
                context.show(&made, |made| view::facts(made, &COLUMNS))
            }
            Self::Remove { rule } => {
                let client = context.client()?;
                let id = given::id_of(&client, "alert rule", &["alert-rules"], "alr", &rule);
                let gone = client.delete(&["alert-rules", &id.await?]).await?;
                context.show(&gone, |_| format!("removed: {}", view::clean(&rule)))
            }
        }
    }
}
