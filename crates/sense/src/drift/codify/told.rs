//! What drifted, as a scan prints it.

use serde::Deserialize;

use crate::drift::{Change, ChangeType, Drift, DriftType, path};

/// Why it cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("it is not what `countersign drift scan --report json` prints")]
pub struct BadDrifts(#[source] serde_json::Error);

#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    Report { drifts: Vec<Told> },
    List(Vec<Told>),
}

#[derive(Deserialize)]
struct Told {
    address: String,
    r#type: String,
    #[serde(default)]
    id: Option<String>,
    drift_type: DriftType,
    #[serde(default)]
    changes: Vec<ToldChange>,
    #[serde(default)]
    declared_state: Option<serde_json::Value>,
    #[serde(default)]
    actual_state: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct ToldChange {
    property_path: String,
    change_type: ChangeType,
    #[serde(default)]
    declared_value: Option<serde_json::Value>,
    #[serde(default)]
    actual_value: Option<serde_json::Value>,
}

/// Reads a report, or the list of drifts in one.
///
/// # Errors
/// When it is neither.
pub fn read(text: &str) -> Result<Vec<Drift>, BadDrifts> {
    let drifts = match serde_json::from_str(text).map_err(BadDrifts)? {
        File::Report { drifts } | File::List(drifts) => drifts,
    };
    let change = |told: ToldChange| Change {
        steps: path::parse(&told.property_path),
        path: told.property_path,
        change: told.change_type,
        declared: told.declared_value,
        actual: told.actual_value,
    };
    let drift = |told: Told| Drift {
        address: told.address,
        kind: told.r#type,
        id: told.id,
        drift: told.drift_type,
        changes: told.changes.into_iter().map(change).collect(),
        declared: told.declared_state,
        actual: told.actual_state,
    };
    Ok(drifts.into_iter().map(drift).collect())
}
