//! Intents: what was asked for, and what the gate would say.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::listing::Paging;
use super::runbook::What;
use super::view::Column;
use super::{Context, End, view};
use crate::output::Format;

const COLUMNS: [Column; 6] = [
    ("asked", "/created_at"),
    ("status", "/status"),
    ("trigger", "/trigger"),
    ("class", "/environment_class"),
    ("what", "/summary"),
    ("id", "/id"),
];

/// Intents: what was asked for, and what the gate would say.
#[derive(Debug, Subcommand)]
pub enum Intent {
    /// List intents, newest first
    List(Paging),
    /// Show an intent and the decision on it
    ///
    /// With --output json the intent alone, as the API gives it.
    Show {
        /// The intent's id
        #[arg(value_name = "INTENT")]
        id: String,
    },
    /// Ask what the gate would say, without asking for anything
    ///
    /// Exit code 1 when it would deny.
    Evaluate(Evaluate),
}

/// What would run, and where.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// What and where.
    #[command(flatten)]
    what: What,
}

impl Intent {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(paging) => paging.list(context, &["intents"], &[], &COLUMNS).await,
            Self::Show { id } => show(context, &id).await,
            Self::Evaluate(evaluate) => evaluate.run(context).await,
        }
    }
}

async fn show(context: &Context, id: &str) -> Result<End> {
    let client = context.client()?;
    let intent = client.get(&["intents", id], &[]).await?;
    let decided = match view::raw(&intent, "/decision_id") {
        id if !id.is_empty() && context.format == Format::Human => {
            Some(client.get(&["decisions", id], &[]).await?)
        }
        _ => None,
    };
    context.show(&intent, |intent| {
        let facts = view::facts(
            intent,
            &[
                ("intent", "/summary"),
                ("why", "/intent"),
                ("status", "/status"),
                ("trigger", "/trigger"),
                ("asked by", "/requester_id"),
                ("asked", "/created_at"),
                ("class", "/environment_class"),
                ("category", "/category"),
                ("alert", "/finding_id"),
                ("runbook", "/runbook_id"),
                ("name", "/deterministic_id"),
                ("id", "/id"),
            ],
        );
        decided
            .as_ref()
            .map_or_else(|| facts.clone(), |decided| format!("{facts}\n\n{}", decision(decided)))
    })
}

impl Evaluate {
    async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let (id, mut body) = self.what.resolve(&client).await?;
        body["runbook_id"] = json!(id);
        let answer = client.post(&["intents", "evaluate"], &body).await?;
        context.show(&answer, evaluation)?;
        Ok(End::when(answer["verdict"] != "deny"))
    }
}

fn evaluation(answer: &Value) -> String {
    let mut text = decision(answer);
    let risk = &answer["risk"];
    text.push_str(&format!(
        "\n\nrisk  tier {}, probability of failure {} (model {}, {} outcomes seen)\nreach {} target(s), {}, {}",
        view::at(risk, "/assessment/tier"),
        rounded(view::raw(risk, "/assessment/score")),
        view::at(risk, "/assessment/model"),
        view::at(risk, "/assessment/estimate/n"),
        view::at(risk, "/input/blast/targets"),
        view::at(risk, "/input/blast/environments"),
        if risk.pointer("/input/blast/irreversible") == Some(&json!(true)) {
            "some of it cannot be undone"
        } else {
            "all of it can be undone"
        },
    ));
    let otherwise = view::items(&answer["counterfactual"]);
    if !otherwise.is_empty() {
        text.push_str("\n\nwhat would have had to differ:");
        for one in otherwise {
            text.push_str(&format!("\n  {}", difference(one)));
        }
    }
    text
}

/// A number for people: the signed record has every digit.
fn rounded(number: &str) -> String {
    number.parse::<f64>().map_or_else(|_| view::line(number), |number| format!("{number:.3}"))
}

/// One thing that would have changed the verdict.
pub(super) fn difference(change: &Value) -> String {
    let of = |pointer| view::at(change, pointer);
    match view::raw(change, "/change") {
        "environment" => format!("an environment of class {}", of("/class")),
        "fewer_targets" => format!("at most {} target(s)", of("/targets")),
        "lower_tier" => format!("risk tier {}", of("/tier")),
        "more_successes" => format!("{} more verified successes", of("/successes")),
        "reversible" => "every step reversible".to_owned(),
        _ => view::words(change),
    }
}

/// A verdict with every reason, and the guards that say no.
pub(super) fn decision(decision: &Value) -> String {
    let mut text = format!("verdict  {}", view::at(decision, "/verdict"));
    // A guard that lets pass has nothing to say; those that do not are told below, with their time.
    let said = |reason: &&Value| reason["judge"] != "guard";
    for reason in view::items(&decision["reasons"]).iter().filter(said) {
        text.push_str(&format!(
            "\n  {}: {} [{}, {}]",
            view::at(reason, "/judge"),
            view::at(reason, "/message"),
            view::at(reason, "/code"),
            view::at(reason, "/verdict"),
        ));
    }
    let (quiet, loud): (Vec<&Value>, Vec<&Value>) =
        view::items(&decision["guards"]).iter().partition(|guard| guard["verdict"] == "allow");
    for guard in loud {
        let until = match view::at(guard, "/until").as_str() {
            "-" => String::new(),
            until => format!(", until {until}"),
        };
        let (name, message) = (view::at(guard, "/guard"), view::at(guard, "/message"));
        text.push_str(&format!("\n  guard {name}: {message}{until}"));
    }
    if !quiet.is_empty() {
        let names: Vec<String> = quiet.iter().map(|guard| view::at(guard, "/guard")).collect();
        text.push_str(&format!("\n  guards that let pass: {}", names.join(", ")));
    }
    if decision["approval"].is_object() {
        text.push_str(&format!(
            "\n  needs {} vote(s) of {}, tier {}",
            view::at(decision, "/approval/min_votes"),
            view::at(decision, "/approval/roles"),
            view::at(decision, "/approval/tier"),
        ));
    }
    text
}
