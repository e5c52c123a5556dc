//! Who changed what drifted, by AWS's own record, for whoever records the scan: there it says why.

use anyhow::Result;
use model::Clock as _;
use sense::change_event::Happened;
use sense::drift::Drift;
use serde_json::{Value, json};
use survey::trail::{self, Trail};

use super::live;
use crate::cli::Context;
use crate::client::Client;
use crate::wiring::SystemClock;

/// Asks CloudTrail, where something of AWS's drifted. What cannot be read is said, and keeps no scan
/// from being recorded.
pub(super) async fn of(context: &Context, region: Option<&str>, drifts: &[Drift]) -> Trail {
    if !drifts.iter().any(trail::concerns) {
        return Trail::default();
    }
    let trail = match live::aws(region) {
        Ok(aws) => trail::of(&aws, drifts, SystemClock.now()).await,
        Err(error) => {
            let unknown = format!("who changed it is not known, CloudTrail is not asked: {error}");
            Trail { unknown: Some(unknown), ..Trail::default() }
        }
    };
    if let Some(unknown) = &trail.unknown {
        context.remark(unknown);
    }
    trail
}

/// Tells the server what happened.
pub(super) async fn tell(client: &Client, all: &[Happened]) -> Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = all.iter().map(|one| line(one).to_string()).collect();
    client.lines(&["change-events"], lines.join("\n")).await?;
    Ok(())
}

pub(super) fn line(one: &Happened) -> Value {
    json!({
        "kind": one.kind, "occurred_at": one.occurred_at, "ended_at": one.ended_at,
        "external_system": one.external_system, "external_id": one.external_id,
        "actor": one.actor, "summary": one.summary, "service": one.service,
        "severity": one.severity, "environment_id": one.environment_id, "paths": one.paths,
        "addresses": one.addresses, "resources": one.resources, "shared_ids": one.shared_ids,
        "data": one.data,
    })
}
