//! Watching an execution until it ends.

use std::io::IsTerminal as _;

use anyhow::{Context as _, Result};
use model::execution::ExecutionState;
use serde_json::Value;

use super::live::{Live, plain};
use super::progress::{Progress, Seen, end_of};
use crate::cli::{Context, End, view};
use crate::client::Client;
use crate::output::{self, Format};

/// How an execution is shown.
enum Screen {
    Json,
    Plain,
    Live(Box<Live>),
}

impl Screen {
    fn of(format: Format) -> Self {
        match format {
            Format::Json => Self::Json,
            Format::Human if std::io::stdout().is_terminal() && std::io::stderr().is_terminal() => {
                Self::Live(Box::default())
            }
            Format::Human => Self::Plain,
        }
    }

    fn show(&mut self, event: &Value, seen: &Seen) {
        match self {
            Self::Json => output::result(&output::inert(&event.to_string())),
            Self::Plain => plain(&view::at(event, "/ts"), seen),
            Self::Live(live) => live.show(seen),
        }
    }

    /// A line for people.
    fn remark(&self, line: &str) {
        match self {
            Self::Json => {}
            Self::Plain => output::note(line),
            Self::Live(live) => live.above(line),
        }
    }

    fn finish(&mut self) {
        if let Self::Live(live) = self {
            live.finish();
        }
    }
}

/// Watches an execution until it ends, or waits for a person to say what happened.
///
/// # Errors
/// When there is no such execution, or the server is away for half a minute.
pub async fn watch(context: &Context, client: &Client, id: &str) -> Result<End> {
    let mut screen = Screen::of(context.format);
    let ended = follow(client, id, &mut screen).await;
    screen.finish();
    let state = ended?;
    let execution = client.get(&["executions", id], &[]).await?;
    context.remark(&summary(&execution));
    Ok(end_of(state))
}

async fn follow(client: &Client, id: &str, screen: &mut Screen) -> Result<ExecutionState> {
    waits(screen, client, id).await?;
    let mut progress = Progress::default();
    let mut approved = false;
    let mut events = client.events(&["executions", id, "events"]);
    loop {
        let Some(event) = events.next().await? else {
            // In order: either all is over, or the server is on its way out.
            let state = state_of(client, id).await?;
            if state.terminal() {
                return Ok(state);
            }
            continue;
        };
        let event: Value = serde_json::from_str(&event.data).context("an event is no JSON")?;
        let seen = progress.take(&event);
        screen.show(&event, &seen);
        if let Seen::State { to, .. } = &seen {
            approved |= *to == Some(ExecutionState::Approved);
            // Approved, and asked for again: what was approved no longer holds.
            if approved && matches!(to, None | Some(ExecutionState::AwaitingApproval)) {
                approved = false;
                waits(screen, client, id).await?;
            }
        }
        // An old event may tell of a doubt that somebody has settled since.
        if matches!(&seen, Seen::State { to: Some(ExecutionState::NeedsHuman), .. })
            && state_of(client, id).await? == ExecutionState::NeedsHuman
        {
            return Ok(ExecutionState::NeedsHuman);
        }
    }
}

/// What people can do about an execution that waits for them.
async fn waits(screen: &Screen, client: &Client, id: &str) -> Result<()> {
    let execution = client.get(&["executions", id], &[]).await?;
    if view::raw(&execution, "/state") == ExecutionState::AwaitingApproval.word() {
        let approval = view::at(&execution, "/approval_id");
        screen.remark(&format!("waits for approval:  countersign approve {approval}"));
    }
    Ok(())
}

async fn state_of(client: &Client, id: &str) -> Result<ExecutionState> {
    let execution = client.get(&["executions", id], &[]).await?;
    view::raw(&execution, "/state").parse().context("the server tells of a state unknown here")
}

/// How it ended, and what comes next.
fn summary(execution: &Value) -> String {
    let id = view::at(execution, "/id");
    let state = view::at(execution, "/state");
    let why = match view::at(execution, "/error_message").as_str() {
        "-" => String::new(),
        why => format!(": {why}"),
    };
    let next = match state.as_str() {
        "completed" => String::new(),
        "needs_human" => format!(
            "\nnobody knows what became of a step. Look at the server, then:  \
             countersign execution resolve {id} --succeeded | --failed | --retry"
        ),
        _ => format!("\nmore:  countersign execution show {id}"),
    };
    format!("{state}{why}{next}")
}
