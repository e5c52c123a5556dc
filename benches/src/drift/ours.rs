//! Our own program, told what to compare.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::files::Truth;
use super::word;
use crate::process;
use crate::setting::Setting;

/// What one scan took and found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Once {
    pub(crate) cpu: f64,
    pub(crate) wall: f64,
    pub(crate) rss: f64,
    /// How many resources are told.
    pub(crate) found: usize,
    /// Drifts that are not told, or told as something else.
    pub(crate) missed: usize,
    /// What is told and is no drift.
    pub(crate) wrong: usize,
    /// Passwords in clear in what is told.
    pub(crate) clear: usize,
    /// Exactly what drifted is told.
    pub(crate) exact: bool,
}

#[derive(Deserialize)]
struct Told {
    drifts: Vec<Drift>,
}

#[derive(Deserialize)]
struct Drift {
    address: String,
    drift_type: String,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    property_path: String,
}

/// Scans a document, against another one or by itself, and holds what is told against the truth.
pub(crate) async fn scan(
    setting: &Setting,
    document: &Path,
    against: Option<&Path>,
    truth: &Truth,
) -> Result<Once> {
    let mut command = vec![word(&setting.program)];
    command.extend(["drift", "scan", "--largest", "8192", "--report", "json"].map(str::to_owned));
    command.push(word(document));
    if let Some(against) = against {
        command.extend(["--against".to_owned(), word(against)]);
    }
    let taken = process::metered_to(setting, &command, &[], &[0, 1]).await?;
    let told: Told = serde_json::from_str(&taken.said).context("what our scan told")?;
    let found: Truth = told
        .drifts
        .iter()
        .map(|drift| {
            // Several properties are only one drift when they are parts of one.
            let first = |change: &Change| {
                let path = &change.property_path;
                path.split(['.', '[']).next().unwrap_or_default().to_owned()
            };
            let mut names: Vec<String> = drift.changes.iter().map(first).collect();
            names.dedup();
            (drift.address.clone(), drift.drift_type.clone(), names.join(" "))
        })
        .collect();
    Ok(Once {
        cpu: taken.cpu,
        wall: taken.wall,
        rss: taken.rss,
        found: told.drifts.len(),
        missed: truth.difference(&found).count(),
        wrong: found.difference(truth).count(),
        clear: super::peers::in_clear(&taken.said),
        exact: found == *truth && told.drifts.len() == truth.len(),
    })
}
