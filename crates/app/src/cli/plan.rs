//! Plans: exactly what would be done, where, and why it may be.

use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

use super::{Context, End, approval, intent, view};
use crate::client::Client;
use crate::output::Format;

/// Plans.
#[derive(Debug, Subcommand)]
pub enum Plan {
    /// Show a plan: its commands on each target, why it may run, and who approved it
    ///
    /// With --output json the plan alone, as the API gives it.
    Show {
        /// The plan's id
        #[arg(value_name = "PLAN")]
        id: String,
    },
}

impl Plan {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        let Self::Show { id } = self;
        let client = context.client()?;
        let plan = client.get(&["plans", &id], &[]).await?;
        if context.format == Format::Json {
            return context.show(&plan, |_| String::new());
        }
        let around = around(&client, &plan).await?;
        context.show(&plan, |plan| shown(plan, &around))
    }
}

/// The decision on a plan, and the approval asked for it.
async fn around(client: &Client, plan: &Value) -> Result<(Option<Value>, Option<Value>)> {
    let intent = client.get(&["intents", view::raw(plan, "/intent_id")], &[]).await?;
    let decision = match view::raw(&intent, "/decision_id") {
        "" => None,
        id => Some(client.get(&["decisions", id], &[]).await?),
    };
    let query = [("plan_id", view::raw(plan, "/id").to_owned()), ("limit", "1".to_owned())];
    let asked = client.get(&["approvals"], &query).await?;
    Ok((decision, view::items(&asked).first().cloned()))
}

fn shown(plan: &Value, (decision, approval): &(Option<Value>, Option<Value>)) -> String {
    let mut text = view::facts(
        plan,
        &[
            ("plan", "/summary"),
            ("runbook", "/document/runbook/name"),
            ("version", "/document/runbook/version"),
            ("targets", "/blast_radius/targets"),
            ("scope", "/blast_radius/scope"),
            ("environments", "/blast_radius/environments"),
            ("irreversible", "/blast_radius/irreversible"),
            ("hash", "/plan_hash"),
            ("made", "/created_at"),
            ("id", "/id"),
        ],
    );
    if plan["intact"] == false {
        text.push_str("\n\nTHE STORED PLAN NO LONGER HAS THIS HASH: it will not run");
    }
    let warning = view::warning(plan);
    if !warning.is_empty() {
        text.push_str(&format!("\n\n{warning}"));
    }
    text.push_str(&format!("\n\n{}", steps(plan)));
    if let Some(decision) = decision {
        text.push_str(&format!("\n\n{}", intent::decision(decision)));
    }
    if let Some(approval) = approval {
        text.push_str(&format!("\n\n{}", approval::shown(approval)));
    }
    text
}

/// Every step with its commands, targets that run the same one together.
pub(super) fn steps(plan: &Value) -> String {
    let steps = view::items(&plan["steps"]).iter().map(|step| {
        let mut text = format!(
            "{}. {}  [{}, {}, {}]",
            view::at(step, "/order"),
            view::at(step, "/name"),
            view::at(step, "/stage"),
            view::at(step, "/action"),
            view::at(step, "/semantics"),
        );
        for (what, pointer) in [("on", "/commands"), ("undo on", "/undo")] {
            for (targets, command) in together(step.pointer(pointer)) {
                let command = view::indent(&view::clean(&command), "       ");
                text.push_str(&format!("\n     {what} {targets}:\n{command}"));
            }
        }
        text
    });
    steps.collect::<Vec<_>>().join("\n")
}

fn together(commands: Option<&Value>) -> Vec<(String, String)> {
    let mut groups: Vec<(Vec<String>, &str)> = Vec::new();
    for (target, command) in commands.and_then(Value::as_object).into_iter().flatten() {
        let command = command.as_str().unwrap_or_default();
        match groups.iter_mut().find(|(_, known)| *known == command) {
            Some((targets, _)) => targets.push(view::line(target)),
            None => groups.push((vec![view::line(target)], command)),
        }
    }
    groups.into_iter().map(|(targets, command)| (targets.join(", "), command.to_owned())).collect()
}

#[cfg(test)]
mod tests;
