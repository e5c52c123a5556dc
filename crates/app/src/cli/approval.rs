//! Requests for approval, and votes.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::account::step_up;
use super::listing::Paging;
use super::view::Column;
use super::{Context, End, view};

const COLUMNS: [Column; 6] = [
    ("asked", "/created_at"),
    ("status", "/status"),
    ("tier", "/tier"),
    ("expires", "/expires_at"),
    ("plan", "/plan_id"),
    ("id", "/id"),
];

/// Requests for approval.
#[derive(Debug, Subcommand)]
pub enum Approval {
    /// List requests for approval, newest first
    List(List),
    /// Show a request for approval with its votes
    Show {
        /// Its id
        #[arg(value_name = "APPROVAL")]
        id: String,
    },
}

/// Which requests to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only in this state: pending, approved, denied, expired or void
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,

    /// How much.
    #[command(flatten)]
    paging: Paging,
}

/// A vote.
#[derive(Debug, Args)]
pub struct Vote {
    /// The id of a request for approval, or of a plan
    #[arg(value_name = "ID")]
    id: String,

    /// Why, in words
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,

    /// What one's second factor shows, where the vote asks for it; the session goes on under a new
    /// token
    #[arg(long, value_name = "CODE")]
    code: Option<String>,

    /// Approve alone, under emergency authority one holds
    #[arg(long)]
    break_glass: bool,
}

/// How to vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// For it.
    Approve,
    /// Against it; one vote is enough.
    Deny,
}

impl Approval {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(list) => {
                let filter: Vec<_> =
                    list.status.into_iter().map(|status| ("status", status)).collect();
                list.paging.list(context, &["approvals"], &filter, &COLUMNS).await
            }
            Self::Show { id } => {
                let approval = context.client()?.get(&["approvals", &id], &[]).await?;
                context.show(&approval, shown)
            }
        }
    }
}

impl Vote {
    /// Votes.
    ///
    /// # Errors
    /// When the vote is refused: not one's role, one's own change, too late.
    pub async fn cast(self, context: &Context, choice: Choice) -> Result<End> {
        let verb = match choice {
            Choice::Approve => "approve",
            Choice::Deny => "deny",
        };
        let list = if self.id.starts_with("pln_") { "plans" } else { "approvals" };
        if let Some(code) = &self.code {
            if list == "plans" {
                bail!("--code belongs to one request for approval: name that instead of the plan");
            }
            let approval = context.client()?.get(&["approvals", &self.id], &[]).await?;
            step_up(context, code, view::raw(&approval, "/bound_hash")).await?;
        }
        let body = json!({
            "note": self.note, "source": "cli", "break_glass": self.break_glass,
        });
        let ballot = context.client()?.post(&[list, &self.id, verb], &body).await?;
        context.show(&ballot, |ballot| {
            let missing = ballot["missing"].as_u64().unwrap_or(0);
            match view::raw(ballot, "/result") {
                "approved" => "approved: the execution may start".to_owned(),
                "denied" => "denied: the execution will not start".to_owned(),
                "counted" => format!("counted: {missing} more needed"),
                "repeated" => format!("you said so before; it is {}", view::at(ballot, "/status")),
                _ => view::words(ballot),
            }
        })
    }
}

/// A request for approval with its votes.
pub(super) fn shown(approval: &Value) -> String {
    let mut text = view::facts(
        approval,
        &[
            ("approval", "/id"),
            ("status", "/status"),
            ("tier", "/tier"),
            ("votes needed", "/min_votes"),
            ("of role", "/roles"),
            ("asked by", "/requester_id"),
            ("asked", "/created_at"),
            ("expires", "/expires_at"),
            ("decided", "/decided_at"),
            ("reason", "/reason"),
            ("plan", "/plan_id"),
            ("bound to", "/bound_hash"),
        ],
    );
    for vote in view::items(&approval["votes"]) {
        let (who, what) = (view::at(vote, "/display_name"), view::at(vote, "/decision"));
        text.push_str(&format!("\n  {who}: {what}"));
    }
    let warning = view::warning(approval);
    if !warning.is_empty() {
        text.push_str(&format!("\n\n{warning}"));
    }
    text
}
