//! A shop in each cloud, on fakes of their inventories: the true drift is found and no other.

mod azure;
mod google;

use std::time::Duration;

use connect::Outbound;
use connect::outbound::Rules as Ways;
use connect_clouds::Limits;
use jiff::Timestamp;
use model::time::Clock;
use sense::drift::Drift;
use sense::drift::compare::Comparison;
use sense::drift::rules::Rules;
use sense::drift::seal::Sealer;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Cloud;
use crate::By;
use crate::document::{self, Content};

/// A resource on both sides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Both {
    r#type: String,
    name: String,
    state: Json,
    #[serde(default)]
    asset: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    live: Json,
}

struct NewYear;

impl Clock for NewYear {
    fn now(&self) -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }
}

/// Calls to this machine.
fn outbound() -> Outbound {
    let rules = Ways::default().allowing("127.0.0.1:*".parse().unwrap()).at_most(8 << 20);
    // Generous: the machine may be busy with other tests.
    Outbound::new(rules.within(Duration::from_secs(60))).unwrap()
}

/// As fast as the machine goes, and in small pages.
fn unhurried() -> Limits {
    let first_wait = Duration::from_millis(1);
    Limits { share: 1_000.0, first_wait, page: 3, ..Limits::default() }
}

/// A state of these.
fn state(estate: &[Both]) -> String {
    let resources = estate.iter().map(|both| {
        json!({
            "mode": "managed", "type": both.r#type, "name": both.name,
            "provider": "provider[\"registry.terraform.io/hashicorp/x\"]",
            "instances": [{ "schema_version": 0, "attributes": both.state }],
        })
    });
    let resources: Vec<Json> = resources.collect();
    json!({
        "version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "outputs": {},
        "resources": resources,
    })
    .to_string()
}

async fn compared(cloud: &Cloud, text: &str) -> Comparison {
    let sealer = Sealer::new(b"a key of the tests");
    let Content::State(declared) = document::read(text).unwrap() else { panic!("a state") };
    let by = By { rules: Rules::shipped(), sealer: &sealer };
    super::state(cloud, declared, by).await.unwrap()
}

/// What drifted, a line each.
fn lines(drifts: &[Drift]) -> Vec<String> {
    let mut lines = Vec::new();
    for drift in drifts {
        let of = format!("{} {}", drift.drift.word(), drift.address);
        if drift.changes.is_empty() {
            lines.push(of.clone());
        }
        lines.extend(drift.changes.iter().map(|change| {
            let shown = |value: &Option<Json>| {
                value.as_ref().map_or_else(|| "-".to_owned(), Json::to_string)
            };
            let path = &change.path;
            format!("{of} {path}: {} -> {}", shown(&change.declared), shown(&change.actual))
        }));
    }
    lines.sort();
    lines
}

/// What was not checked and why, a line each.
fn left(done: &Comparison) -> Vec<String> {
    let left = done.not_checked.iter().map(|not| {
        let failed = if not.failed { "failed" } else { "never" };
        format!("{} {failed}: {}", not.id.as_deref().unwrap_or(&not.kind), not.why)
    });
    left.collect()
}
