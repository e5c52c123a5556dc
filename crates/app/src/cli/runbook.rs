//! Runbooks: what may be done, and when.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::listing::Paging;
use super::view::Column;
use super::{Context, End, execution, given, view};
use crate::output::{self, Format};

pub mod lint;

const COLUMNS: [Column; 7] = [
    ("name", "/name"),
    ("status", "/status"),
    ("mode", "/mode"),
    ("version", "/version"),
    ("category", "/category"),
    ("updated", "/updated_at"),
    ("id", "/id"),
];

/// Runbooks: what may be done, and when.
#[derive(Debug, Subcommand)]
pub enum Runbook {
    /// List runbooks, newest first
    List(List),
    /// Show a runbook
    Show(Named),
    /// Import runbooks: the one of each name becomes what the document says
    Import(Import),
    /// Print a runbook as YAML
    Export(Named),
    /// Judge documents without importing them (offline)
    ///
    /// Every problem is told as `FILE:LINE:COLUMN`. Exit code 1 when a document would be refused.
    Lint(lint::Lint),
    /// Let alerts start a runbook; it needs a verify step
    Activate(Named),
    /// Let alerts start a runbook no longer
    Deactivate(Named),
    /// Ask to run a runbook
    ///
    /// The answer is a decision: the execution may start, waits for approval, or was refused.
    Run(Run),
}

/// Which runbooks to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only of this status: draft, active or disabled
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,

    /// How much.
    #[command(flatten)]
    paging: Paging,
}

/// A runbook by name or id.
#[derive(Debug, Args)]
pub struct Named {
    /// The runbook's name or id
    #[arg(value_name = "RUNBOOK")]
    runbook: String,
}

/// Documents to import.
#[derive(Debug, Args)]
pub struct Import {
    /// YAML documents, `-` for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// What changed, in words
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    summary: String,

    /// Activate them too
    #[arg(long)]
    activate: bool,
}

/// What to run, and where.
#[derive(Debug, Args)]
pub struct Run {
    /// What and where.
    #[command(flatten)]
    pub what: What,

    /// Why, in words
    #[arg(long = "reason", value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,

    /// Your own name for the request: the same name again is the same request
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Watch the execution until it ends
    #[arg(long)]
    watch: bool,
}

/// A runbook on targets.
#[derive(Debug, Args)]
pub struct What {
    /// The runbook's name or id
    #[arg(value_name = "RUNBOOK")]
    runbook: String,

    /// A server it runs on, by name or id; may be repeated
    #[arg(long = "on", value_name = "SERVER", required_unless_present = "alert")]
    on: Vec<String>,

    /// A value for a variable of the runbook; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = given::pair)]
    set: Vec<(String, String)>,

    /// The alert it answers, which also says where when --on is absent
    #[arg(long, value_name = "ID")]
    alert: Option<String>,
}

impl What {
    /// The runbook's id, and what the API asks for.
    ///
    /// # Errors
    /// When there is no such runbook.
    pub async fn resolve(&self, client: &crate::client::Client) -> Result<(String, Value)> {
        let id = given::id_of(client, "runbook", &["runbooks"], "rbk", &self.runbook).await?;
        let body = json!({
            "targets": self.on, "variables": given::object(&self.set), "finding_id": self.alert,
        });
        Ok((id, body))
    }
}

impl Runbook {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(list) => {
                let filter: Vec<_> =
                    list.status.into_iter().map(|status| ("status", status)).collect();
                list.paging.list(context, &["runbooks"], &filter, &COLUMNS).await
            }
            Self::Show(named) => named.show(context).await,
            Self::Import(import) => import.run(context).await,
            Self::Export(named) => named.export(context).await,
            Self::Lint(lint) => lint.run(context),
            Self::Activate(named) => named.set(context, "active").await,
            Self::Deactivate(named) => named.set(context, "disabled").await,
            Self::Run(run) => run.run(context).await,
        }
    }
}

impl Named {
    async fn show(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let id = given::id_of(&client, "runbook", &["runbooks"], "rbk", &self.runbook).await?;
        let runbook = client.get(&["runbooks", &id], &[]).await?;
        if context.format == Format::Json {
            return context.show(&runbook, |_| String::new());
        }
        let yaml = client.get_text(&["runbooks", &id, "yaml"]).await?;
        let facts = [
            ("id", "/id"),
            ("version", "/version"),
            ("created", "/created_at"),
            ("updated", "/updated_at"),
        ];
        output::result(&format!(
            "{}\n\n{}",
            view::facts(&runbook, &facts),
            view::clean(yaml.trim_end())
        ));
        Ok(End::Good)
    }

    async fn export(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let id = given::id_of(&client, "runbook", &["runbooks"], "rbk", &self.runbook).await?;
        let yaml = client.get_text(&["runbooks", &id, "yaml"]).await?;
        match context.format {
            Format::Json => output::json(&json!({ "id": id, "yaml": yaml }))?,
            // As it is: it goes into a file and comes back.
            Format::Human => output::result(yaml.trim_end_matches('\n')),
        }
        Ok(End::Good)
    }

    async fn set(self, context: &Context, status: &str) -> Result<End> {
        let client = context.client()?;
        let id = given::id_of(&client, "runbook", &["runbooks"], "rbk", &self.runbook).await?;
        let now = client.put(&["runbooks", &id, "status"], &json!({ "status": status })).await?;
        context.show(&now, |now| format!("{} is {status}", view::at(now, "/document/name")))
    }
}

impl Import {
    async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let mut made = Vec::new();
        for file in &self.files {
            let yaml = given::text_of(file)?;
            let body = json!({ "yaml": yaml, "change_summary": self.summary });
            let imported = client.post(&["runbooks"], &body).await;
            let imported = imported.with_context(|| file.display().to_string())?;
            let id = view::raw(&imported, "/id");
            if self.activate {
                let path = ["runbooks", id, "status"];
                let active = client.put(&path, &json!({ "status": "active" })).await;
                active.with_context(|| format!("{}: activating it", file.display()))?;
            }
            context.remark(&told(&file.display().to_string(), &imported));
            made.push(imported);
        }
        if context.format == Format::Json {
            // One document, one answer, as the API gave it.
            match made.as_slice() {
                [one] => output::json(one)?,
                all => output::json(&all)?,
            }
        }
        Ok(End::Good)
    }
}

fn told(file: &str, imported: &Value) -> String {
    let mut text = format!(
        "{}: {}, version {} ({})",
        view::clean(file),
        view::at(imported, "/change"),
        view::at(imported, "/version"),
        view::at(imported, "/id"),
    );
    for warning in view::items(&imported["warnings"]) {
        text.push_str(&format!(
            "\n{}:{}:{}: warning: {}",
            view::clean(file),
            view::at(warning, "/line"),
            view::at(warning, "/column"),
            view::at(warning, "/message"),
        ));
    }
    text
}

impl Run {
    async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let (id, mut body) = self.what.resolve(&client).await?;
        body["intent"] = json!(self.reason);
        body["deterministic_id"] = json!(self.name);
        let asked = client.post(&["runbooks", &id, "run"], &body).await?;
        let refused = matches!(view::raw(&asked, "/state"), "denied" | "blocked");
        let execution = view::raw(&asked, "/execution_id").to_owned();
        if self.watch && !refused {
            context.remark(&outcome(&asked));
            return execution::watch::watch(context, &client, &execution).await;
        }
        context.show(&asked, outcome)?;
        Ok(End::when(!refused))
    }
}

/// What came of a request, and what comes next.
fn outcome(asked: &Value) -> String {
    let execution = view::at(asked, "/execution_id");
    let plan = view::at(asked, "/plan_id");
    let mut text = view::facts(
        asked,
        &[
            ("verdict", "/verdict"),
            ("state", "/state"),
            ("execution", "/execution_id"),
            ("plan", "/plan_id"),
            ("approval", "/approval_id"),
        ],
    );
    if asked["repeated"] == true {
        text.push_str("\nthe same was asked before: this is its answer");
    }
    text.push_str(&match view::raw(asked, "/state") {
        "awaiting_approval" => format!(
            "\n\nsomebody else must approve:  countersign approve {}\nwhat they approve:           \
             countersign plan show {plan}",
            view::at(asked, "/approval_id")
        ),
        "denied" | "blocked" => format!("\n\nwhy:  countersign plan show {plan}"),
        _ => format!("\n\nwatch it:  countersign execution watch {execution}"),
    });
    text
}
