//! Who changed what drifted, by AWS's own record.
//!
//! It is asked about what drifted and nothing else, at the pace CloudTrail has and for minutes at
//! most. What it does not say keeps no scan from being recorded: it is said, and that is all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use connect_aws::{Aws, Error, Event};
use jiff::SignedDuration;
use model::Timestamp;
use sense::change_event::{ChangeKind, Happened};
use sense::drift::Drift;
use serde_json::json;

/// How far back a call may have made what a scan finds.
const BACK: SignedDuration = SignedDuration::from_hours(24);
/// Resources that are asked about: CloudTrail answers two questions a second, of which we take half.
const MOST_ASKED: usize = 100;
/// Calls that are told, the latest.
const MOST_TOLD: usize = 1_000;
/// How long asking may take, of a hundred resources with a page each more than twice as long as it
/// does.
const LONGEST: Duration = Duration::from_secs(240);
/// Characters that are kept of a text.
const LONGEST_TEXT: usize = 255;
/// Names of resources that are kept of a call: as many as an event may have.
const MOST_NAMES: usize = 1_000;

/// What the record says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trail {
    /// The calls that changed something, the oldest first.
    pub happened: Vec<Happened>,
    /// What is not known, and why.
    pub unknown: Option<String>,
}

/// Whether something that drifted is AWS's.
#[must_use]
pub fn concerns(drift: &Drift) -> bool {
    ["AWS::", "aws_"].iter().any(|begin| drift.kind.starts_with(begin))
}

/// Asks who changed what drifted.
pub async fn of(aws: &Aws, drifts: &[Drift], now: Timestamp) -> Trail {
    within(aws, drifts, now, LONGEST).await
}

async fn within(aws: &Aws, drifts: &[Drift], now: Timestamp, longest: Duration) -> Trail {
    let names: BTreeSet<&str> = drifts
        .iter()
        .filter(|drift| concerns(drift))
        .filter_map(|drift| drift.id.as_deref())
        .collect();
    let mut asking = Asking::default();
    let all = asking.all(aws, &names, now);
    let late = tokio::time::timeout(longest, all).await.is_err();
    let Asking { asked, found, failed } = asking;
    let latest = found.len().saturating_sub(MOST_TOLD);
    let happened = found.into_values().skip(latest).map(|event| happened(&event)).collect();
    let why = match failed {
        Some(error) => Some(said(&error)),
        None if late => Some(format!("it took more than {} seconds", longest.as_secs())),
        None if asked < names.len() => Some(format!("no more than {MOST_ASKED} are asked about")),
        None => None,
    };
    let unknown = why.map(|why| {
        let all = names.len();
        format!("who changed it is known of {asked} of {all} resources alone: {why}")
    });
    Trail { happened, unknown }
}

/// What was found so far: what is given up keeps it.
#[derive(Default)]
struct Asking {
    /// Resources about which there was an answer.
    asked: usize,
    found: BTreeMap<(Timestamp, String), Event>,
    failed: Option<Error>,
}

impl Asking {
    async fn all(&mut self, aws: &Aws, names: &BTreeSet<&str>, now: Timestamp) {
        for name in names.iter().take(MOST_ASKED) {
            let name = BTreeSet::from([(*name).to_owned()]);
            match aws.events(&name, now - BACK, now).await {
                Ok(events) => {
                    self.asked += 1;
                    let changing = events.into_iter().filter(|event| !event.read_only);
                    self.found.extend(changing.map(|one| ((one.at, one.id.clone()), one)));
                }
                // It was tried as often as it may be: what fails for one fails for the next.
                Err(error) => {
                    self.failed = Some(error);
                    return;
                }
            }
        }
    }
}

fn said(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// As much of a text as is kept. Callers send what they like.
fn cut(text: &str) -> String {
    text.chars().filter(|one| *one != '\0').take(LONGEST_TEXT).collect()
}

/// A call as something that happened. The same call is told the same every time.
fn happened(event: &Event) -> Happened {
    let text = |text: &Option<String>| text.as_deref().map(cut);
    let resources = event.resources.iter().map(|name| cut(name)).filter(|name| !name.is_empty());
    Happened {
        kind: ChangeKind::AuditEvent,
        occurred_at: event.at,
        ended_at: None,
        external_system: "cloudtrail".to_owned(),
        external_id: cut(&event.id),
        actor: text(&event.actor).or_else(|| text(&event.user)).filter(|name| !name.is_empty()),
        summary: cut(&event.name),
        service: None,
        severity: None,
        environment_id: None,
        paths: Vec::new(),
        addresses: Vec::new(),
        resources: resources.take(MOST_NAMES).collect(),
        shared_ids: Vec::new(),
        data: json!({
            "event_source": text(&event.source), "user": text(&event.user),
            "actor_type": text(&event.actor_type), "role": text(&event.role),
            "user_agent": text(&event.user_agent), "source_ip": text(&event.source_ip),
            "read_only": event.read_only, "error": text(&event.error),
        }),
    }
}

#[cfg(test)]
mod tests;
