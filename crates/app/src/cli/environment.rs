//! Deployment environments.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

use super::listing::Paging;
use super::view::Column;
use super::{Context, End, given, view};

const COLUMNS: [Column; 6] = [
    ("slug", "/slug"),
    ("name", "/name"),
    ("class", "/class"),
    ("tags", "/tags"),
    ("active", "/is_active"),
    ("id", "/id"),
];

/// Deployment environments.
#[derive(Debug, Subcommand)]
pub enum Environment {
    /// List environments
    List(Paging),
    /// Add an environment
    Add(Add),
}

/// An environment to be added.
#[derive(Debug, Args)]
pub struct Add {
    /// Its name in selectors and policies
    #[arg(value_name = "SLUG")]
    slug: String,

    /// What policy knows of it: dev, test, staging or prod
    #[arg(long, value_name = "CLASS")]
    class: String,

    /// What people call it; the slug when absent
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// A label; may be repeated
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = given::pair)]
    tags: Vec<(String, String)>,
}

impl Environment {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(paging) => paging.list(context, &["environments"], &[], &COLUMNS).await,
            Self::Add(add) => {
                let body = json!({
                    "slug": add.slug, "class": add.class, "name": add.name.as_ref().unwrap_or(&add.slug),
                    "tags": given::object(&add.tags),
                });
                let made = context.client()?.post(&["environments"], &body).await?;
                context.show(&made, |made| view::facts(made, &COLUMNS))
            }
        }
    }
}
