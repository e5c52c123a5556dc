//! Retention: how long what is kept, legal holds, and the archive things go to afterwards.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::listing::{self, Paging};
use super::view::Column;
use super::{Context, End, view};

const COLUMNS: [Column; 8] = [
    ("subject", "/subject"),
    ("state", "/state"),
    ("rows", "/rows"),
    ("bytes", "/bytes"),
    ("stored", "/stored_at"),
    ("removed", "/removed_at"),
    ("copy until", "/restored_until"),
    ("id", "/id"),
];

const RULES: [Column; 6] = [
    ("class", "/class"),
    ("keep", "/keep"),
    ("unit", "/unit"),
    ("default", "/default"),
    ("least", "/least"),
    ("own", "/own"),
];

const PLANS: [Column; 4] =
    [("subject", "/subject"), ("class", "/class"), ("go", "/go"), ("stay", "/stay")];

const HOLDS: [Column; 7] = [
    ("class", "/class"),
    ("reason", "/reason"),
    ("in force", "/in_force"),
    ("set", "/set_at"),
    ("lifted", "/lifted_at"),
    ("lifted because", "/lift_reason"),
    ("id", "/id"),
];

/// Retention, legal holds, and the archive.
#[derive(Debug, Subcommand)]
pub enum Archive {
    /// List the pieces of the archive, newest first
    List(List),
    /// Archive now what is due; the server does it every hour
    Run,
    /// Bring a copy of a piece back for reading, for seven days
    ///
    /// The copy never goes into the tables it came from. An object whose checksum is not the one
    /// that was recorded is refused and named.
    Restore {
        /// The piece's id
        #[arg(value_name = "PIECE")]
        piece: String,
    },
    /// Read the rows of a copy
    Read(Read),
    /// Remove a copy before its time
    Forget {
        /// The piece's id
        #[arg(value_name = "PIECE")]
        piece: String,
    },
    /// Show what a run would take, and why the rest stays
    Plan,
    /// Show how long what is kept
    Rules,
    /// Set how long things of a class are kept
    Keep(Keep),
    /// List legal holds, newest first
    Holds(Paging),
    /// Set a legal hold: what it covers stays until it is lifted
    Hold(Hold),
    /// Lift a legal hold
    Lift {
        /// The hold's id
        #[arg(value_name = "HOLD")]
        hold: String,

        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Which pieces to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only of this kind: findings, changes, `audit_events`
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,

    /// Only those that hold this thing
    #[arg(long, value_name = "ID")]
    holds: Option<String>,

    /// How much.
    #[command(flatten)]
    paging: Paging,
}

/// Which rows to read.
#[derive(Debug, Args)]
pub struct Read {
    /// The piece's id
    #[arg(value_name = "PIECE")]
    piece: String,

    /// Only of this table
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,

    /// From this row on
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u64,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100,
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// A rule.
#[derive(Debug, Args)]
pub struct Keep {
    /// The class: findings, correlations, evidence, audit, models …
    #[arg(value_name = "CLASS")]
    class: String,

    /// How many days, or versions; the default when absent
    #[arg(value_name = "N")]
    keep: Option<u32>,
}

/// A hold to be set.
#[derive(Debug, Args)]
pub struct Hold {
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Only things of this class; everything when absent
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
}

impl Archive {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(list) => list.run(context).await,
            Self::Run => {
                let done = context.client()?.post(&["archives", "run"], &json!({})).await?;
                context.show(&done, told)
            }
            Self::Restore { piece } => {
                let path = ["archives", &piece, "restore"];
                let copy = context.client()?.post(&path, &json!({})).await?;
                context.show(&copy, |copy| {
                    format!(
                        "{} rows, here until {}\nread them:  countersign archive read {}",
                        view::at(copy, "/rows"),
                        view::at(copy, "/until"),
                        view::at(copy, "/id"),
                    )
                })
            }
            Self::Read(read) => read.run(context).await,
            Self::Forget { piece } => {
                let gone = context.client()?.delete(&["archives", &piece, "rows"]).await?;
                context.show(&gone, |_| "removed".to_owned())
            }
            Self::Plan => listing::short(context, &["retention", "plan"], &PLANS).await,
            Self::Rules => listing::short(context, &["retention"], &RULES).await,
            Self::Keep(keep) => {
                let body = json!({ "class": keep.class, "keep": keep.keep });
                let set = context.client()?.put(&["retention"], &body).await?;
                context.show(&set, |set| view::facts(set, &RULES))
            }
            Self::Holds(paging) => paging.list(context, &["legal-holds"], &[], &HOLDS).await,
            Self::Hold(hold) => {
                let body = json!({ "class": hold.class, "reason": hold.reason });
                let made = context.client()?.post(&["legal-holds"], &body).await?;
                context.show(&made, |made| view::facts(made, &HOLDS))
            }
            Self::Lift { hold, reason } => {
                let path = ["legal-holds", &hold, "lift"];
                let lifted = context.client()?.post(&path, &json!({ "reason": reason })).await?;
                context.show(&lifted, |lifted| view::facts(lifted, &HOLDS))
            }
        }
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<End> {
        let wanted = [("subject", self.subject), ("holds", self.holds)];
        let filter: Vec<_> =
            wanted.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.paging.list(context, &["archives"], &filter, &COLUMNS).await
    }
}

impl Read {
    async fn run(self, context: &Context) -> Result<End> {
        let mut query = vec![("from", self.from.to_string()), ("limit", self.limit.to_string())];
        query.extend(self.table.map(|table| ("table", table)));
        let rows = context.client()?.get(&["archives", &self.piece, "rows"], &query).await?;
        context.show(&rows, |rows| {
            let lines = view::items(rows).iter().map(|row| {
                format!("{} {}", view::at(row, "/table"), view::line(&row["row"].to_string()))
            });
            lines.collect::<Vec<_>>().join("\n")
        })
    }
}

fn told(done: &Value) -> String {
    let at = |pointer| view::at(done, pointer);
    format!(
        "{} pieces with {} rows stored, {} pieces removed from the database, {} rows deleted",
        at("/stored"),
        at("/rows"),
        at("/removed"),
        at("/deleted")
    )
}
