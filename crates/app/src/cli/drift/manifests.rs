//! The manifests of some objects, picked out of all.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use connect_terraform::Terraform;
use sense::drift::compare::{Resource, State};
use serde_json::{Value, json};

use super::input::{Content, Input};
use crate::cli::{Context, End};
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
}

impl Manifests {
    pub(super) async fn run(self, _context: &Context) -> Result<End> {
        // A directory of Terraform's is refused below; nothing is run for it.
        let terraform = Terraform {
            program: "terraform".into(),
            environment: std::collections::BTreeMap::new(),
            limit: Duration::from_secs(60),
        };
        let input = Input::read(&self.path, &terraform).await?;
        let Content::Manifests(objects) = input.content()? else {
            bail!("{} holds no manifests", input.name());
        };
        let items = self.only.iter().map(|wanted| {
            let found = objects.iter().find(|object| called(object, wanted));
            match found.map(|object| &object.state) {
                Some(State::Read(value)) => Ok(value.to_json()),
                Some(State::Raw(_)) | None => bail!("{} declares no {wanted}", input.name()),
            }
        });
        let items = items.collect::<Result<Vec<Value>>>()?;
        output::json(&json!({"apiVersion": "v1", "kind": "List", "items": items}))?;
        Ok(End::Good)
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
