//! Alerts: what came in, and what became of it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use model::Clock as _;
use serde_json::{Map, Value, json};

use super::alert_rule::AlertRule;
use super::listing::Paging;
use super::view::Column;
use super::{Context, End, given, view};
use crate::wiring::SystemClock;

const COLUMNS: [Column; 7] = [
    ("last seen", "/last_seen"),
    ("severity", "/severity"),
    ("alert", "/alert_name"),
    ("instance", "/instance"),
    ("status", "/status"),
    ("action", "/action_taken"),
    ("id", "/id"),
];

/// Alerts, and the rules that say what becomes of them.
#[derive(Debug, Subcommand)]
pub enum Alert {
    /// List alerts, newest first
    List(List),
    /// Show an alert, with why each runbook's triggers matched or did not
    Show {
        /// The alert's id
        #[arg(value_name = "ALERT")]
        id: String,
    },
    /// Send an alert, as Alertmanager would
    Send(Send),
    /// List alerts that could not be read, with what is wrong with them
    Quarantined(Paging),
    /// Rules: what becomes of an alert
    #[command(subcommand)]
    Rules(AlertRule),
}

/// Which alerts to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only of this severity: low, medium, high or critical
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,

    /// Only in this state: open, suppressed, fixed, accepted or escalated
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,

    /// Only of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Only with this text in the title
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

    /// How much.
    #[command(flatten)]
    paging: Paging,
}

/// An alert to be sent.
#[derive(Debug, Args)]
pub struct Send {
    /// The alert's name
    #[arg(value_name = "NAME", required_unless_present = "body")]
    name: Option<String>,

    /// A label, instance and severity among them; may be repeated
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = given::pair)]
    labels: Vec<(String, String)>,

    /// An annotation; may be repeated
    #[arg(long = "annotation", value_name = "NAME=VALUE", value_parser = given::pair)]
    annotations: Vec<(String, String)>,

    /// When it began; now when absent
    #[arg(long, value_name = "TIME")]
    starts_at: Option<jiff::Timestamp>,

    /// Say that it is over; needs the --starts-at it was sent with
    #[arg(long, requires = "starts_at")]
    resolved: bool,

    /// Send this file as it is, `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "labels", "annotations"])]
    body: Option<PathBuf>,
}

impl Alert {
    /// Does it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::List(list) => list.run(context).await,
            Self::Show { id } => {
                let alert = context.client()?.get(&["alerts", &id], &[]).await?;
                context.show(&alert, shown)
            }
            Self::Send(send) => send.run(context).await,
            Self::Quarantined(paging) => {
                let columns = [
                    ("received", "/received_at"),
                    ("source", "/source"),
                    ("path", "/path"),
                    ("reason", "/reason"),
                    ("id", "/id"),
                ];
                paging.list(context, &["quarantined-alerts"], &[], &columns).await
            }
            Self::Rules(rule) => rule.run(context).await,
        }
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<End> {
        let wanted = [
            ("severity", self.severity),
            ("status", self.status),
            ("alert_name", self.name),
            ("q", self.search),
        ];
        let filter: Vec<_> =
            wanted.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.paging.list(context, &["alerts"], &filter, &COLUMNS).await
    }
}

impl Send {
    async fn run(self, context: &Context) -> Result<End> {
        let body = match &self.body {
            Some(file) => serde_json::from_str(&given::text_of(file)?)
                .with_context(|| format!("{} is no JSON", file.display()))?,
            None => self.as_alertmanager(SystemClock.now()),
        };
        let receipt = context.client()?.post(&["hooks", "alertmanager"], &body).await?;
        context.show(&receipt, |receipt| {
            view::facts(
                receipt,
                &[
                    ("new", "/new"),
                    ("repeated", "/repeated"),
                    ("resolved", "/resolved"),
                    ("quarantined", "/quarantined"),
                    ("alerts", "/finding_ids"),
                ],
            )
        })
    }

    fn as_alertmanager(&self, now: jiff::Timestamp) -> Value {
        let mut labels = Map::new();
        labels.insert("alertname".to_owned(), json!(self.name));
        labels.extend(self.labels.iter().map(|(name, value)| (name.clone(), json!(value))));
        let status = if self.resolved { "resolved" } else { "firing" };
        // A time of zero is how Alertmanager says that there is no end yet.
        let ends_at =
            if self.resolved { now.to_string() } else { "0001-01-01T00:00:00Z".to_owned() };
        json!({
            "version": "4",
            "groupKey": "{}:{}",
            "truncatedAlerts": 0,
            "status": status,
            "receiver": "countersign",
            "groupLabels": {},
            "commonLabels": labels,
            "commonAnnotations": {},
            "externalURL": "",
            "alerts": [{
                "status": status,
                "labels": labels,
                "annotations": given::object(&self.annotations),
                "startsAt": self.starts_at.unwrap_or(now),
                "endsAt": ends_at,
                "generatorURL": "",
                "fingerprint": fingerprint(&labels),
            }],
        })
    }
}

/// What tells the alert from others: the same labels give the same.
fn fingerprint(labels: &Map<String, Value>) -> String {
    let digest = model::Digest::of(Value::from(labels.clone()).to_string().as_bytes());
    hex::encode(digest.as_bytes().get(..8).unwrap_or_default())
}

fn shown(alert: &Value) -> String {
    let mut text = view::facts(
        alert,
        &[
            ("alert", "/title"),
            ("severity", "/severity"),
            ("status", "/status"),
            ("source", "/source"),
            ("began", "/began_at"),
            ("seen", "/seen_count"),
            ("last seen", "/last_seen"),
            ("resolved", "/resolved_at"),
            ("labels", "/labels"),
            ("annotations", "/annotations"),
            ("action", "/action_taken"),
            ("rule", "/matched_rule_id"),
            ("server", "/resource_id"),
            ("id", "/id"),
        ],
    );
    let reports = view::items(&alert["trigger_report"]["triggers"]);
    if !reports.is_empty() {
        text.push_str("\n\nrunbooks:");
    }
    for report in reports {
        text.push_str(&format!("\n  {}", told(report)));
    }
    let started = view::items(&alert["trigger_report"]["started"]);
    if !started.is_empty() {
        text.push_str("\n\nwhat came of it:");
    }
    for one in started {
        text.push_str(&format!("\n  {}", view::words(one)));
    }
    text
}

/// How one trigger came out: what failed is why it did not match.
fn told(report: &Value) -> String {
    let name = format!("{} / {}", view::at(report, "/runbook"), view::at(report, "/trigger"));
    if report["chosen"] == true {
        return format!("{name}: chosen");
    }
    if report["matched"] == true {
        return format!("{name}: matches, but another trigger of the runbook comes first");
    }
    let failed =
        view::items(&report["verdicts"]).iter().filter(|verdict| verdict["holds"] == false);
    let reasons: Vec<String> = failed.map(|verdict| view::at(verdict, "/reason")).collect();
    format!("{name}: {}", reasons.join("; "))
}

#[cfg(test)]
mod tests;
