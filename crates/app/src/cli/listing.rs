//! Lists: a page, or all of it.

use anyhow::Result;
use clap::Args;

use super::view::{self, Column};
use super::{Context, End};
use crate::client::{Query, whole};

/// How much of a list is wanted.
#[derive(Debug, Clone, Args)]
pub struct Paging {
    /// How many to list, at most 100
    #[arg(long, value_name = "N", default_value_t = 20, conflicts_with = "all",
        value_parser = clap::value_parser!(u16).range(1..=100))]
    pub limit: u16,

    /// Where to go on: what the page before said
    #[arg(long, value_name = "CURSOR", conflicts_with = "all")]
    pub cursor: Option<String>,

    /// List everything, page by page
    #[arg(long)]
    pub all: bool,
}

impl Paging {
    /// Prints the wanted part of a list.
    ///
    /// # Errors
    /// When the list cannot be had.
    pub async fn list(
        &self,
        context: &Context,
        path: &[&str],
        filter: &Query<'_>,
        columns: &[Column],
    ) -> Result<End> {
        let client = context.client()?;
        let mut query = filter.to_vec();
        if self.all {
            query.push(("limit", "100".to_owned()));
            let items = client.all(path, &query).await?;
            return context.show(&whole(&items), |list| shown(view::items(list), columns));
        }
        query.push(("limit", self.limit.to_string()));
        query.extend(self.cursor.iter().map(|cursor| ("cursor", cursor.clone())));
        let page = client.get(path, &query).await?;
        context.show(&page, |page| shown(view::items(page), columns))?;
        if let Some(cursor) = page["next_cursor"].as_str() {
            context.remark(&format!("there are more: --cursor {}, or --all", view::clean(cursor)));
        }
        Ok(End::Good)
    }
}

/// Prints a list the API gives whole.
///
/// # Errors
/// When the list cannot be had.
pub async fn short(context: &Context, path: &[&str], columns: &[Column]) -> Result<End> {
    let list = context.client()?.get(path, &[]).await?;
    context.show(&list, |list| shown(view::items(list), columns))
}

fn shown(items: &[serde_json::Value], columns: &[Column]) -> String {
    if items.is_empty() { "none".to_owned() } else { view::table(items, columns) }
}
