//! The signed log: list, verify, export.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::listing::Paging;
use super::view::Column;
use super::{Context, End};

pub mod export;
pub mod recover;
pub mod tenant;
pub mod verify;
pub mod witness;

const COLUMNS: [Column; 6] = [
    ("seq", "/seq"),
    ("when", "/event/occurred_at"),
    ("action", "/event/action"),
    ("actor", "/event/actor/display_name"),
    ("target", "/event/target/id"),
    ("id", "/id"),
];

/// The signed log: list, verify, export.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List audit events, newest first
    List(List),
    /// Hold the log against everything that was signed (reads the database)
    ///
    /// Exit code 0: everything is as it was signed. 2: it was tampered with, and the first bad
    /// event is named. 3: cannot tell, for the reason given. With --output json:
    /// `{ok, tenant, size, first_bad: {seq, kind, expected, found}, bounded_by: [a, b],
    /// anchor: {size, age}, witness: {size, at}, cannot_tell}`.
    Verify(Box<verify::Verify>),
    /// Copy the published log for an auditor: checkpoint, tiles, events, keys
    Export(Box<export::Export>),
    /// Go on behind the anchor, after a backup was restored (the server is stopped)
    ///
    /// A database that was restored is behind what was anchored since, and `audit verify` says so.
    /// Nobody can bring the events in between back: their hashes stay in their places, the log goes
    /// on behind them, and a signed event says what is lost and why. `audit verify` then passes and
    /// shows the gap. Everything before it must be as it was signed, or nothing is done.
    Recover(Box<recover::Recover>),
    /// Run a witness: cosign checkpoints of logs that continue what it has seen
    ///
    /// For a machine of somebody else's than the deployment's. It speaks the C2SP tlog-witness
    /// protocol. The deployment is told of it with `serve --witness-url` and `--witness-key`; who
    /// verifies gives the key to `audit verify --witness`. A log that was forked or restored gets no
    /// cosignature, and what its key signed instead is kept below the witness's directory.
    Witness(Box<witness::Witness>),
}

/// Which events to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only of this action: execution.created
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,

    /// Only by this actor
    #[arg(long, value_name = "ID")]
    actor: Option<String>,

    /// Only about this kind of thing: execution
    #[arg(long, value_name = "TYPE")]
    target_type: Option<String>,

    /// Only about this thing
    #[arg(long, value_name = "ID")]
    target: Option<String>,

    /// How much.
    #[command(flatten)]
    paging: Paging,
}

impl Audit {
    /// Does it.
    ///
    /// # Errors
    /// When the log cannot be had.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(list) => list.run(context).await,
            Self::Verify(verify) => verify.run(context).await,
            Self::Export(export) => export.run(context).await,
            Self::Recover(recover) => recover.run(context).await,
            Self::Witness(witness) => witness.run(context).await,
        }
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<End> {
        let wanted = [
            ("action", self.action),
            ("actor_id", self.actor),
            ("target_type", self.target_type),
            ("target_id", self.target),
        ];
        let filter: Vec<_> =
            wanted.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.paging.list(context, &["audit", "events"], &filter, &COLUMNS).await
    }
}
