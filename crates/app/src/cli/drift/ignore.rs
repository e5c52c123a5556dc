//! Differences that do not count for a tenant.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::listing::Paging;
use crate::cli::view::Column;
use crate::cli::{Context, End, given, view};

const COLUMNS: [Column; 7] = [
    ("type", "/resource_type"),
    ("address", "/address"),
    ("property", "/property_path"),
    ("reason", "/reason"),
    ("until", "/expires_at"),
    ("source", "/iac_repository_id"),
    ("id", "/id"),
];

/// What a tenant says does not count.
#[derive(Debug, Subcommand)]
pub enum Ignore {
    /// List what does not count, newest first
    List(Paging),
    /// Say that something does not count from now on
    Add(Add),
    /// Let something count again
    Remove {
        /// The rule
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// What does not count.
#[derive(Debug, Args)]
pub struct Add {
    /// The property, and what lies in it; * is any step, ** any number of them. Absent, whatever
    /// differs of the resource, that it is gone included
    #[arg(value_name = "PROPERTY")]
    property: Option<String>,

    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Until when; for good when absent
    #[arg(long, value_name = "TIME")]
    until: Option<jiff::Timestamp>,

    /// The type of resources, with * and ?
    #[arg(long = "type", value_name = "TYPE", default_value = "*")]
    kind: String,

    /// The address in the code, with * and ?
    #[arg(long, value_name = "ADDRESS", default_value = "*")]
    address: String,

    /// Only of this source: its name or id
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
}

impl Ignore {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        let path = ["drift-ignore-rules"];
        match self {
            Self::List(paging) => paging.list(context, &path, &[], &COLUMNS).await,
            Self::Add(add) => {
                let client = context.client()?;
                let source = match &add.source {
                    Some(source) => Some(
                        given::id_of(&client, "source", &["iac-repositories"], "rep", source)
                            .await?,
                    ),
                    None => None,
                };
                let body = json!({
                    "iac_repository_id": source, "resource_type": add.kind,
                    "address": add.address, "property_path": add.property,
                    "reason": add.reason, "expires_at": add.until,
                });
                let made = client.post(&path, &body).await?;
                context.show(&made, |made| view::facts(made, &COLUMNS))
            }
            Self::Remove { id } => {
                context.client()?.delete(&["drift-ignore-rules", &id]).await?;
                context.remark("it counts again");
                Ok(End::Good)
            }
        }
    }
}
