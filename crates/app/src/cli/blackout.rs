//! Windows in which nothing, or only something, may start.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::listing::Paging;
use super::view::Column;
use super::{Context, End, given, view};

const COLUMNS: [Column; 9] = [
    ("name", "/name"),
    ("kind", "/kind"),
    ("from", "/start_time"),
    ("to", "/end_time"),
    ("zone", "/timezone"),
    ("repeats", "/recurrence"),
    ("on", "/recurrence_pattern"),
    ("active until", "/active_until"),
    ("id", "/id"),
];

/// Windows in which nothing, or only something, may start.
#[derive(Debug, Subcommand)]
pub enum Blackout {
    /// List windows, newest first
    List(Paging),
    /// Add a window
    Add(Add),
    /// Remove a window
    Remove {
        /// Its name or id
        #[arg(value_name = "WINDOW")]
        window: String,
    },
}

/// What a window does.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Kind {
    /// Nothing starts while it is active
    Deny,
    /// Things start only while it is active
    #[value(name = "allow_only")]
    AllowOnly,
}

/// When a window comes again.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Recurrence {
    /// Never
    None,
    /// Every day
    Daily,
    /// On days of the week
    Weekly,
    /// On days of the month
    Monthly,
}

/// A window to be added.
#[derive(Debug, Args)]
pub struct Add {
    /// What people call it
    #[arg(value_name = "NAME")]
    name: String,

    /// Start of the first occurrence, on the clocks of --zone: 2026-01-01T22:00
    #[arg(long, value_name = "TIME")]
    from: jiff::civil::DateTime,

    /// End of the first occurrence; may be the next day
    #[arg(long, value_name = "TIME")]
    to: jiff::civil::DateTime,

    /// IANA time zone
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    zone: String,

    /// What it does
    #[arg(long, value_enum, value_name = "KIND", default_value = "deny")]
    kind: Kind,

    /// When it comes again
    #[arg(long, value_enum, value_name = "RECURRENCE", default_value = "none")]
    recurrence: Recurrence,

    /// Days for weekly and monthly: mon,fri or 1,-1; the day it starts on when absent
    #[arg(long, value_name = "DAYS", value_delimiter = ',', allow_hyphen_values = true)]
    days: Vec<String>,

    /// Only these servers, by tag; may be repeated
    #[arg(long = "server-tag", value_name = "TAG")]
    server_tags: Vec<String>,

    /// Only servers of these environments; may be repeated
    #[arg(long = "environment", value_name = "SLUG")]
    environments: Vec<String>,

    /// Only these runbooks, by name; may be repeated
    #[arg(long = "runbook", value_name = "NAME")]
    runbooks: Vec<String>,

    /// Why it is there
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
}

impl Blackout {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(paging) => paging.list(context, &["blackout-windows"], &[], &COLUMNS).await,
            Self::Add(add) => {
                let made = context.client()?.post(&["blackout-windows"], &add.body()).await?;
                context.show(&made, |made| view::facts(made, &COLUMNS))
            }
            Self::Remove { window } => {
                let client = context.client()?;
                let id = given::id_of(&client, "window", &["blackout-windows"], "blk", &window);
                let id = id.await?;
                let gone = client.delete(&["blackout-windows", &id]).await?;
                context.show(&gone, |_| format!("removed: {}", view::clean(&window)))
            }
        }
    }
}

impl Add {
    fn body(&self) -> serde_json::Value {
        let (recurrence, pattern) = match self.recurrence {
            Recurrence::None => ("none", json!(null)),
            Recurrence::Daily => ("daily", json!(null)),
            Recurrence::Weekly => ("weekly", json!({ "days_of_week": self.days })),
            Recurrence::Monthly => {
                // What is no number is left to the server, which says so.
                let day =
                    |day: &String| day.parse::<i64>().map_or_else(|_| json!(day), |day| json!(day));
                let days: Vec<_> = self.days.iter().map(day).collect();
                ("monthly", json!({ "days_of_month": days }))
            }
        };
        let pattern = if self.days.is_empty() { json!(null) } else { pattern };
        json!({
            "name": self.name,
            "description": self.description,
            "kind": match self.kind { Kind::Deny => "deny", Kind::AllowOnly => "allow_only" },
            "start_time": self.from,
            "end_time": self.to,
            "timezone": self.zone,
            "recurrence": recurrence,
            "recurrence_pattern": pattern,
            "affected_servers": { "tags": self.server_tags, "names": [], "environments": self.environments },
            "affected_runbooks": { "ids": [], "names": self.runbooks, "categories": [] },
        })
    }
}

#[cfg(test)]
mod tests;
