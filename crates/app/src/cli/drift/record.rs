//! What a scan found, told to a server: there it becomes findings, and what is gone is closed.

use anyhow::{Result, bail};
use sense::drift::Drift;
use sense::drift::compare::Comparison;
use sense::drift::seal::kept;
use sense::scan::Against;
use serde_json::{Value, json};
use survey::trail::Trail;

use super::trail;
use crate::cli::{given, view};
use crate::client::Client;

/// How many bytes of lines go in one request.
const BYTES_AT_ONCE: usize = 4 << 20;
/// Characters of a remark that a server takes.
const LONGEST_REMARK: usize = 1_000;

/// Tells everything; gives the scan.
pub(super) async fn record(
    client: &Client,
    repository: &str,
    against: Against,
    found: &Comparison,
    trail: &Trail,
) -> Result<Value> {
    // Before its end, which has somebody look for what belongs to it.
    trail::tell(client, &trail.happened).await?;
    let path = ["iac-repositories"];
    let repository = given::id_of(client, "source", &path, "rep", repository).await?;
    let wanted = json!({"iac_repository_id": repository, "against": against.word()});
    let begun = client.post(&["drift-scans"], &wanted).await?;
    let scan = view::raw(&begun, "/id").to_owned();
    let mut lines = String::new();
    let mut drifts = found.drifts.iter().peekable();
    while let Some(drift) = drifts.next() {
        lines.push_str(&line(drift).to_string());
        lines.push('\n');
        if lines.len() >= BYTES_AT_ONCE || drifts.peek().is_none() {
            let path = ["drift-scans", scan.as_str(), "drifts"];
            let told = client.lines(&path, std::mem::take(&mut lines)).await?;
            // A scan that leaves something out must not close it.
            if told["refused"] != 0 {
                bail!(
                    "the server refused {} of what drifted, so the scan was not ended: {}",
                    told["refused"],
                    told["errors"]
                );
            }
        }
    }
    client.post(&["drift-scans", &scan, "finish"], &end(found, trail)).await?;
    Ok(client.get(&["drift-scans", &scan], &[]).await?)
}

/// The same on another host's standard output, for the server that asked: how it was compared, each
/// drift, who called what, and the end.
pub(super) fn lines(against: Against, found: &Comparison, trail: &Trail) -> String {
    let head = std::iter::once(json!({"against": against.word()}));
    let calls = trail.happened.iter().map(|one| json!({"happened": trail::line(one)}));
    let end = std::iter::once(end(found, trail));
    let all = head.chain(found.drifts.iter().map(line)).chain(calls).chain(end);
    all.map(|line| line.to_string()).collect::<Vec<_>>().join("\n")
}

fn end(found: &Comparison, trail: &Trail) -> Value {
    let not_checked = found
        .not_checked
        .iter()
        .map(|not| json!({"type": not.kind, "id": not.id, "why": not.why, "failed": not.failed}));
    let remark = trail.unknown.as_deref();
    let remark = remark.map(|text| text.chars().take(LONGEST_REMARK).collect::<String>());
    json!({
        "remark": remark, "in_sync": found.in_sync, "not_checked": not_checked.collect::<Vec<_>>(),
        "undeclared": found.undeclared,
    })
}

fn line(drift: &Drift) -> Value {
    let changes: Vec<Value> = drift
        .changes
        .iter()
        .map(|change| {
            json!({
                "property_path": change.path, "change_type": change.change,
                "declared_value": change.declared.as_ref().map(kept),
                "actual_value": change.actual.as_ref().map(kept),
            })
        })
        .collect();
    json!({
        "address": drift.address, "type": drift.kind, "id": drift.id, "drift_type": drift.drift,
        "changes": changes, "declared_state": drift.declared.as_ref().map(kept),
        "actual_state": drift.actual.as_ref().map(kept),
    })
}
