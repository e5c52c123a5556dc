//! The manifests of some objects, picked out of all.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use connect_terraform::Terraform;
use sense::drift::compare::{Resource, State};
use sense::drift::manifest::removal;
use sense::drift::{ChangeType, path};
use serde::Deserialize;
use serde_json::{Value, json};
use survey::document::Content;

use super::input::{Input, LARGEST_MIB};
use crate::cli::{Context, End, given};
use crate::output;

/// Which manifests.
#[derive(Debug, Args)]
pub struct Manifests {
    /// A directory with manifests, or a file of them; - is standard input
    #[arg(value_name = "PATH")]
    path: PathBuf,

    /// An object as a scan calls it: Deployment/shop/web; may be repeated
    #[arg(long, value_name = "ADDRESS", required = true)]
    only: Vec<String>,

    /// Instead, what takes away of them what was added beside their manifests, by a scan's report
    /// in JSON: a line each of kind, namespace or -, name, and a merge patch
    #[arg(long, value_name = "FILE")]
    removals: Option<PathBuf>,
}

impl Manifests {
    pub(super) async fn run(self, _context: &Context) -> Result<End> {
        // A directory of Terraform's is refused below; nothing is run for it.
        let terraform = Terraform {
            program: "terraform".into(),
            environment: std::collections::BTreeMap::new(),
            limit: Duration::from_secs(60),
        };
        let input = Input::read(&self.path, &terraform, LARGEST_MIB).await?;
        let Content::Manifests(objects) = input.content()? else {
            bail!("{} holds no manifests", input.name());
        };
        let found = self.only.iter().map(|wanted| {
            let found = objects.iter().find(|object| called(object, wanted));
            match found.map(|object| &object.state) {
                Some(State::Read(value)) => Ok((wanted.as_str(), value.to_json())),
                Some(State::Raw(_)) | None => bail!("{} declares no {wanted}", input.name()),
            }
        });
        let found = found.collect::<Result<Vec<(&str, Value)>>>()?;
        match &self.removals {
            Some(report) => {
                let report: Report = serde_json::from_str(&given::text_of(report)?)
                    .with_context(|| format!("{} is no report of a scan", report.display()))?;
                let lines = found.iter().filter_map(|(wanted, object)| report.line(wanted, object));
                output::result(&lines.collect::<Vec<_>>().join("\n"));
            }
            None => {
                let items: Vec<&Value> = found.iter().map(|(_, object)| object).collect();
                output::json(&json!({"apiVersion": "v1", "kind": "List", "items": items}))?;
            }
        }
        Ok(End::Good)
    }
}

/// As much of a scan's report as says what was added.
#[derive(Deserialize)]
struct Report {
    drifts: Vec<Drifted>,
}

#[derive(Deserialize)]
struct Drifted {
    address: String,
    changes: Vec<Changed>,
}

#[derive(Deserialize)]
struct Changed {
    property_path: String,
    change_type: ChangeType,
}

impl Report {
    /// What takes away what was added to an object, when something was.
    fn line(&self, address: &str, declared: &Value) -> Option<String> {
        let drifted = self.drifts.iter().find(|drift| drift.address == address)?;
        let added = drifted.changes.iter().filter(|one| one.change_type == ChangeType::Added);
        let added: Vec<_> = added.map(|one| path::parse(&one.property_path)).collect();
        let patch = removal(declared, added.iter().map(Vec::as_slice))?;
        let (kind, rest) = address.split_once('/')?;
        let (namespace, name) = rest.split_once('/').unwrap_or(("-", rest));
        Some(format!("{kind} {namespace} {name} {patch}"))
    }
}

/// Whether an object is the one a scan calls so. A scan names the namespace that the cluster puts an
/// object into whose manifest names none.
fn called(object: &Resource<'_>, wanted: &str) -> bool {
    let address = object.address.as_deref().unwrap_or_default();
    let mut parts = wanted.split('/');
    let without = match (parts.next(), parts.next(), parts.next()) {
        (Some(kind), Some(_), Some(name)) => format!("{kind}/{name}"),
        _ => wanted.to_owned(),
    };
    address == wanted || address == without
}
