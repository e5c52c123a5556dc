//! `audit export`: the published log as files an auditor can verify without us.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use prove::bundle::export;
use prove::checkpoint::origin;
use prove::directory::Directory;
use serde_json::json;

use super::tenant::{Whose, own_keys};
use crate::cli::{Context, End, view};
use crate::config::Place;
use crate::wiring;

/// Where to.
#[derive(Debug, Args)]
pub struct Export {
    /// An empty directory, or one that is not there yet
    #[arg(value_name = "DIR")]
    to: PathBuf,

    /// Whose log.
    #[command(flatten)]
    whose: Whose,

    /// Where the deployment's state is.
    #[command(flatten)]
    place: Place,
}

impl Export {
    /// Exports it.
    ///
    /// # Errors
    /// When nothing is published yet, or the directory cannot be written.
    pub async fn run(self, context: &Context) -> Result<End> {
        if std::fs::read_dir(&self.to).is_ok_and(|mut entries| entries.next().is_some()) {
            bail!("{} is not empty", self.to.display());
        }
        // An id needs no database: the published files are enough.
        let tenant = match self.whose.id() {
            Some(id) => id,
            None => {
                let (db, _) = wiring::reach_to_read(&self.place).await?;
                let found = self.whose.find(&db).await;
                db.close().await;
                found?
            }
        };
        let origin = origin(&self.place.deployment, tenant);
        let keys = own_keys(&self.place, &origin)?;
        let keys = keys.with_context(|| format!("nothing of {origin} was signed here yet"))?;
        let log = wiring::logs(&self.place).below(&origin);
        let to = Directory::new(std::path::absolute(&self.to)?);
        let made = tokio::task::spawn_blocking(move || export(&log, &keys, &to)).await?;
        let checkpoint = made.context("the export")?;
        let told = json!({
            "directory": self.to.display().to_string(),
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root,
        });
        context.show(&told, |told| {
            format!(
                "{} events of {} in {}\nverify them:  countersign audit verify --bundle {} --keys KEYS",
                view::at(told, "/size"),
                view::at(told, "/origin"),
                self.to.display(),
                self.to.display(),
            )
        })
    }
}
