//! Decisions: what was decided and why, asking for one, and making one again.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use judge::policy::{Bundle, Files, shipped};
use model::Digest;
use prove::decision::DecisionSignature;
use serde_json::{Value, json};
use server::cycle::recompute::{Difference, Recomputed, recompute};

use super::listing::Paging;
use super::view::Column;
use super::{Context, End, given, intent, view};
use crate::client::Client;

const COLUMNS: [Column; 9] = [
    ("decided", "/created_at"),
    ("verdict", "/verdict"),
    ("for", "/purpose"),
    ("tier", "/tier"),
    ("risk", "/risk_score"),
    ("class", "/environment_class"),
    ("what", "/summary"),
    ("worked", "/success"),
    ("id", "/id"),
];

const USAGE: [Column; 6] = [
    ("key", "/name"),
    ("tier", "/tier"),
    ("limit", "/limit"),
    ("endpoint", "/endpoint"),
    ("used", "/units"),
    ("last", "/last_at"),
];

/// Decisions: what was decided and why, asking for one, and making one again.
#[derive(Debug, Subcommand)]
pub enum Decision {
    /// List decisions, newest first
    List(List),
    /// Show a decision with every reason and the parts of its score
    ///
    /// With --output json as it was signed.
    Show {
        /// The decision's id
        #[arg(value_name = "DECISION")]
        id: String,
    },
    /// Ask for a decision on what an outside system is about to do itself
    ///
    /// Nothing is started. Exit code 1 when it is denied.
    Evaluate {
        /// The request as JSON, as POST /decisions/evaluate takes it; - is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Say what came of a change that was advised on, once
    Outcome(Outcome),
    /// Make a decision again from its signed record, here, and compare every bit
    ///
    /// Exit code 0 when nothing differs, 2 when something was tampered with, 3 when it cannot be
    /// told.
    Recompute(Recompute),
    /// Show what was used of the decision API in a month
    Usage {
        /// The month, as 2026-11; the present one when absent
        #[arg(long, value_name = "MONTH")]
        period: Option<String>,
    },
}

/// Which decisions.
#[derive(Debug, Args)]
pub struct List {
    /// Only with this verdict: allow, `require_approval`, deny
    #[arg(long, value_name = "VERDICT")]
    verdict: Option<String>,

    /// Only of changes that run here (change) or of advice
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,

    /// Only of intents of this type
    #[arg(long = "type", value_name = "TYPE")]
    intent_type: Option<String>,

    /// Only of the intent its requester calls so
    #[arg(long, value_name = "NAME")]
    deterministic_id: Option<String>,

    /// How much of it.
    #[command(flatten)]
    paging: Paging,
}

/// What came of a change.
#[derive(Debug, Args)]
pub struct Outcome {
    /// The decision's id
    #[arg(value_name = "DECISION")]
    id: String,

    /// Whether it worked: yes or no
    #[arg(long, value_name = "YES|NO", value_parser = given::yes_or_no, action = clap::ArgAction::Set)]
    worked: bool,

    /// In words
    #[arg(long, value_name = "TEXT", default_value = "")]
    notes: String,

    /// A link to what it was seen by; may be repeated
    #[arg(long = "evidence", value_name = "LINK")]
    evidence: Vec<String>,
}

/// What to make again.
#[derive(Debug, Args)]
pub struct Recompute {
    /// The decision's id
    #[arg(value_name = "DECISION")]
    id: String,

    /// A public key to trust, in hexadecimal, from elsewhere; may be repeated
    /// [default: those the server says are its own]
    #[arg(long = "public-key", value_name = "HEX")]
    keys: Vec<Digest>,
}

impl Decision {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(list) => list.run(context).await,
            Self::Show { id } => {
                let decision = context.client()?.get(&["decisions", &id], &[]).await?;
                context.show(&decision, told)
            }
            Self::Evaluate { file } => {
                let text = given::text_of(&file)?;
                let body = serde_json::from_str(&text)
                    .with_context(|| format!("{} is no JSON", file.display()))?;
                let answer = context.client()?.post(&["decisions", "evaluate"], &body).await?;
                context.show(&answer, told)?;
                Ok(End::when(answer["verdict"] != "deny"))
            }
            Self::Outcome(outcome) => outcome.run(context).await,
            Self::Recompute(wanted) => wanted.run(context).await,
            Self::Usage { period } => {
                let query: Vec<_> = period.into_iter().map(|period| ("period", period)).collect();
                let usage = context.client()?.get(&["usage"], &query).await?;
                context.show(&usage, used)
            }
        }
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<End> {
        let wanted = [
            ("verdict", self.verdict),
            ("purpose", self.purpose),
            ("intent_type", self.intent_type),
            ("deterministic_id", self.deterministic_id),
        ];
        let filter: Vec<_> =
            wanted.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.paging.list(context, &["decisions"], &filter, &COLUMNS).await
    }
}

impl Outcome {
    async fn run(self, context: &Context) -> Result<End> {
        let evidence: Vec<Value> = self.evidence.iter().map(|link| json!({"link": link})).collect();
        let body = json!({"success": self.worked, "notes": self.notes, "evidence": evidence});
        let path = ["decisions", self.id.as_str(), "outcome"];
        let outcome = context.client()?.post(&path, &body).await?;
        context.show(&outcome, |outcome| {
            view::facts(
                outcome,
                &[
                    ("worked", "/success"),
                    ("verified", "/verified"),
                    ("by", "/verified_by"),
                    ("category", "/category"),
                    ("recorded", "/recorded_at"),
                    ("id", "/id"),
                ],
            )
        })
    }
}

impl Recompute {
    async fn run(self, context: &Context) -> Result<End> {
        let client = context.client()?;
        let decision = client.get(&["decisions", &self.id], &[]).await?;
        // The server compares the copies its tables hold, which are not to be had from outside.
        let server = client.get(&["decisions", &self.id, "recompute"], &[]).await?;
        let canon = model::canonical::to_bytes(&decision["record"])?;
        let signed = DecisionSignature {
            signature: view::raw(&decision, "/signature").to_owned(),
            key_fingerprint: view::raw(&decision, "/key_fingerprint")
                .parse()
                .context("the fingerprint of the signing key")?,
        };
        let given = !self.keys.is_empty();
        let trusted: Vec<[u8; 32]> = if given {
            self.keys.iter().map(|key| *key.as_bytes()).collect()
        } else {
            let own: Vec<Digest> = serde_json::from_value(server["trusted_keys"].clone())?;
            own.iter().map(|key| *key.as_bytes()).collect()
        };
        let bundle = bundle(&client, &decision).await?;
        let mut made = recompute(&canon, &signed, &trusted, bundle.as_ref());
        let copies: Vec<Difference> = serde_json::from_value(server["differences"].clone())?;
        let copies = copies.into_iter().filter(|one| one.with != "recomputed");
        made.differences.extend(copies);
        made.ok = made.ok && made.differences.is_empty();
        let answer = json!({
            "decision_id": decision["id"],
            "keys": if given { "given" } else { "the server's own" },
            "recomputed": made,
        });
        context.show(&answer, |_| compared(&made, given))?;
        Ok(match (made.ok, made.tampered()) {
            (true, _) => End::Good,
            (false, true) => End::Tampered,
            (false, false) => End::CannotTell,
        })
    }
}

/// The policy a decision names: one the server keeps, or the one this program ships.
async fn bundle(client: &Client, decision: &Value) -> Result<Option<Bundle>> {
    let id = view::raw(decision, "/policy_bundle_id");
    if id.is_empty() {
        return Ok(Some(shipped().clone()));
    }
    let files: Files = serde_json::from_value(client.get(&["policies", id], &[]).await?)?;
    Ok(Bundle::compile(files).ok())
}

/// A decision in words.
fn told(decision: &Value) -> String {
    let facts = view::facts(
        decision,
        &[
            ("decided", "/created_at"),
            ("what", "/intent_type"),
            ("for", "/purpose"),
            ("name", "/deterministic_id"),
            ("intent", "/intent_id"),
            ("id", "/id"),
        ],
    );
    let mut text = format!("{facts}\n\n{}", intent::decision(decision));
    let parts = &decision["components"];
    if parts.is_object() {
        let of = |pointer| view::at(parts, pointer);
        text.push_str(&format!(
            "\n\nrisk  {} = {} x {} - {}",
            of("/score"),
            of("/mean"),
            of("/context_factor"),
            of("/cut"),
        ));
        text.push_str(&format!(
            "\n      {} of the posterior, {} of memory, {} of the environment",
            of("/terms/posterior"),
            of("/terms/memory"),
            of("/terms/context"),
        ));
    }
    let otherwise = view::items(&decision["counterfactual"]);
    if !otherwise.is_empty() {
        text.push_str("\n\nwhat would have had to differ:");
        for one in otherwise {
            text.push_str(&format!("\n  {}", intent::difference(one)));
        }
    }
    text
}

/// What came of making it again, in words.
fn compared(made: &Recomputed, given: bool) -> String {
    let shown =
        |score: &Option<String>| score.as_deref().map_or_else(|| "-".to_owned(), view::line);
    let head = match (made.ok, made.tampered()) {
        (true, _) => "as it was decided and signed",
        (false, true) => "TAMPERED WITH",
        (false, false) => "cannot tell",
    };
    let keys = if given { "a given key" } else { "what the server says are its keys" };
    let mut text = format!(
        "{head}\n  signature  {}, by {keys}\n  record     sha256 {}\n  score      {} recorded, {} made again",
        made.signature,
        made.record_sha256,
        shown(&made.score),
        shown(&made.recomputed_score),
    );
    for one in &made.differences {
        text.push_str(&format!(
            "\n  differs    {}: recorded {}, {} {}",
            view::line(&one.path),
            view::words(&one.recorded),
            if one.with == "recomputed" { "made again" } else { one.with.as_str() },
            view::words(&one.found),
        ));
    }
    for why in &made.cannot_tell {
        text.push_str(&format!("\n  because    {}", view::line(why)));
    }
    text
}

/// A month's use, in words.
fn used(usage: &Value) -> String {
    let limit = match &usage["limit"] {
        Value::Null => "without a limit".to_owned(),
        limit => format!("of {limit}, {} left", view::at(usage, "/remaining")),
    };
    let head = format!(
        "{}: {} evaluations {limit} (tier {}), until {}",
        view::at(usage, "/period"),
        view::at(usage, "/used"),
        view::at(usage, "/tier"),
        view::at(usage, "/resets_at"),
    );
    let items = view::items(usage);
    if items.is_empty() { head } else { format!("{head}\n\n{}", view::table(items, &USAGE)) }
}
