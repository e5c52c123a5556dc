//! Executions: what runs and what ran.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::listing::Paging;
use super::view::Column;
use super::{Context, End, given, view};

pub mod live;
pub mod progress;
pub mod watch;

const COLUMNS: [Column; 6] = [
    ("asked", "/created_at"),
    ("state", "/state"),
    ("what", "/summary"),
    ("took ms", "/duration_ms"),
    ("error", "/error_message"),
    ("id", "/id"),
];

/// Executions: what runs and what ran.
#[derive(Debug, Subcommand)]
pub enum Execution {
    /// List executions, newest first
    List(List),
    /// Show an execution with its steps and its evidence
    Show(Show),
    /// Watch an execution until it ends
    ///
    /// Exit code 0 when it completed, 3 when it waits for a person to say what happened, 1 when it
    /// ended in any other way. With --output json one event a line, as the API gives it.
    Watch(One),
    /// Stop an execution before its next step; what it did is undone
    Cancel(One),
    /// Say what became of a step whose end cannot be known
    Resolve(Resolve),
    /// Print a piece of evidence, after its hash was checked
    Evidence {
        /// The execution's id
        #[arg(value_name = "EXECUTION")]
        id: String,
        /// The evidence's id, as `execution show` has it
        #[arg(value_name = "EVIDENCE")]
        evidence: String,
    },
}

/// Which executions to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only in this state: `awaiting_approval`, `completed`, `needs_human` …
    #[arg(long, value_name = "STATE")]
    state: Option<String>,

    /// Only of this runbook, by name or id
    #[arg(long, value_name = "RUNBOOK")]
    runbook: Option<String>,

    /// How much.
    #[command(flatten)]
    paging: Paging,
}

/// An execution.
#[derive(Debug, Args)]
pub struct One {
    /// The execution's id
    #[arg(value_name = "EXECUTION")]
    id: String,
}

/// What to show of an execution.
#[derive(Debug, Args)]
pub struct Show {
    /// The execution's id
    #[arg(value_name = "EXECUTION")]
    id: String,

    /// Print what each step printed, too
    #[arg(long)]
    full: bool,
}

/// What became of a step.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("choice").required(true).args(["succeeded", "failed", "retry"])))]
pub struct Resolve {
    /// The execution's id
    #[arg(value_name = "EXECUTION")]
    id: String,

    /// The step, by its id or name; not needed when only one is in doubt
    #[arg(value_name = "STEP")]
    step: Option<String>,

    /// On this server, when the step is in doubt on several
    #[arg(long, value_name = "SERVER")]
    on: Option<String>,

    /// It worked
    #[arg(long)]
    succeeded: bool,

    /// It did not work
    #[arg(long)]
    failed: bool,

    /// It may run again
    #[arg(long)]
    retry: bool,
}

impl Execution {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(list) => list.run(context).await,
            Self::Show(show) => {
                let preview = [("preview", "true".to_owned())];
                let path = ["executions", &show.id];
                let execution = context.client()?.get(&path, &preview).await?;
                context.show(&execution, |execution| shown(execution, show.full))
            }
            Self::Watch(one) => watch::watch(context, &context.client()?, &one.id).await,
            Self::Cancel(one) => {
                let path = ["executions", &one.id, "cancel"];
                let now = context.client()?.post(&path, &json!({})).await?;
                context.show(&now, |now| match view::raw(now, "/state") {
                    "cancelled" => "cancelled before it started".to_owned(),
                    state => format!("{}: it stops before its next step", view::line(state)),
                })
            }
            Self::Resolve(resolve) => resolve.run(context).await,
            Self::Evidence { id, evidence } => {
                let path = ["executions", &id, "evidence", &evidence];
                let found = context.client()?.get(&path, &[]).await?;
                context.show(&found, |found| {
                    view::clean(&serde_json::to_string_pretty(found).unwrap_or_default())
                })
            }
        }
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<End> {
        let mut filter = Vec::new();
        filter.extend(self.state.map(|state| ("state", state)));
        if let Some(runbook) = self.runbook {
            let client = context.client()?;
            let id = given::id_of(&client, "runbook", &["runbooks"], "rbk", &runbook).await?;
            filter.push(("runbook_id", id));
        }
        self.paging.list(context, &["executions"], &filter, &COLUMNS).await
    }
}

impl Resolve {
    async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let execution = client.get(&["executions", &self.id], &[]).await?;
        let step = self.step_of(&execution)?;
        let choice = match (self.succeeded, self.failed) {
            (true, _) => "mark_succeeded",
            (_, true) => "mark_failed",
            _ => "retry",
        };
        let path = ["executions", &self.id, "steps", &step, "resolve"];
        let now = client.post(&path, &json!({ "choice": choice })).await?;
        context.show(&now, |now| format!("the execution is {} now", view::at(now, "/state")))
    }

    /// The id of the step that is meant, among those in doubt.
    fn step_of(&self, execution: &Value) -> Result<String> {
        let steps = view::items(&execution["steps"]);
        if let Some(given) = &self.step
            && steps.iter().any(|step| view::raw(step, "/id") == given)
        {
            return Ok(given.clone());
        }
        let meant = |step: &&Value| {
            let named = self.step.as_deref().is_none_or(|name| view::raw(step, "/name") == name);
            let here = self.on.as_deref().is_none_or(|on| view::raw(step, "/target") == on);
            view::raw(step, "/state") == "unknown" && named && here
        };
        let found: Vec<&Value> = steps.iter().filter(meant).collect();
        match found.as_slice() {
            [one] => Ok(view::raw(one, "/id").to_owned()),
            [] => bail!("no such step of this execution is in doubt"),
            several => {
                let told = |step: &&Value| {
                    format!("{} on {}", view::at(step, "/name"), view::at(step, "/target"))
                };
                let names: Vec<String> = several.iter().map(told).collect();
                bail!("several steps are in doubt, say which: {}", names.join(", "))
            }
        }
    }
}

fn shown(execution: &Value, full: bool) -> String {
    let mut text = view::facts(
        execution,
        &[
            ("execution", "/summary"),
            ("state", "/state"),
            ("error", "/error_message"),
            ("went back", "/rollback_reason"),
            ("asked", "/created_at"),
            ("asked by", "/initiated_by"),
            ("started", "/started_at"),
            ("ended", "/completed_at"),
            ("took ms", "/duration_ms"),
            ("intent", "/intent_id"),
            ("plan", "/plan_id"),
            ("approval", "/approval_id"),
            ("id", "/id"),
        ],
    );
    if execution["cancel_requested"] == true {
        text.push_str("\nsomebody asked to stop it");
    }
    let steps = view::items(&execution["steps"]);
    if !steps.is_empty() {
        let columns = [
            ("step", "/order"),
            ("name", "/name"),
            ("stage", "/stage"),
            ("on", "/target"),
            ("state", "/state"),
            ("exit", "/exit_code"),
            ("took ms", "/duration_ms"),
            ("error", "/error"),
        ];
        text.push_str(&format!("\n\n{}", view::table(steps, &columns)));
    }
    for step in steps {
        // What a failed step printed is what people come for.
        if full || matches!(view::raw(step, "/state"), "failed" | "timed_out" | "unknown") {
            text.push_str(&printed(step));
        }
    }
    let evidence = view::items(&execution["evidence"]);
    if !evidence.is_empty() {
        let columns =
            [("evidence", "/type"), ("of", "/query"), ("sha-256", "/sha256"), ("id", "/id")];
        text.push_str(&format!("\n\n{}", view::table(evidence, &columns)));
    }
    text
}

/// What a step printed.
fn printed(step: &Value) -> String {
    let mut text = String::new();
    for (stream, pointer) in [("stdout", "/stdout"), ("stderr", "/stderr")] {
        let output = view::raw(step, pointer);
        if output.is_empty() {
            continue;
        }
        let (name, target) = (view::at(step, "/name"), view::at(step, "/target"));
        let output = view::indent(&view::clean(output.trim_end()), "  ");
        text.push_str(&format!("\n\n{name} on {target}, {stream}:\n{output}"));
    }
    if step["truncated"] == true && !text.is_empty() {
        text.push_str("\n  … cut off at the cap");
    }
    text
}

#[cfg(test)]
mod tests;
