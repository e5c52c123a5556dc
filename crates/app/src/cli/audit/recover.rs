//! `audit recover`: goes on behind what the anchor has seen, after a backup was restored.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use model::Clock as _;
use model::audit::Who;
use prove::anchor::Anchor;
use prove::checkpoint::origin;
use prove::directory::Directory;
use prove::recover::{RecoverError, Seen, recover};
use prove::signer::last_in;
use prove::verify::Options;
use serde_json::json;

use super::tenant::{Whose, own_keys};
use crate::cli::{Context, End, view};
use crate::config::Place;
use crate::wiring::{self, SystemClock};

/// What to recover.
#[derive(Debug, Args)]
pub struct Recover {
    /// Whose log.
    #[command(flatten)]
    whose: Whose,

    /// Why the log is behind: it stands in the log for good
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Where the deployment's state is.
    #[command(flatten)]
    place: Place,
}

impl Recover {
    /// Begins a recovery epoch.
    ///
    /// # Errors
    /// When the log is not behind its anchor, or is something else than behind.
    pub async fn run(self, context: &Context) -> Result<End> {
        let db = wiring::reach(&self.place).await?;
        let tenant = self.whose.find(&db).await?;
        let origin = origin(&self.place.deployment, tenant);
        let Some(policy) = own_keys(&self.place, &origin)? else {
            bail!("nothing of {origin} was signed here yet: there is nothing to hold it against");
        };
        let anchor = Anchor::new(Directory::new(self.place.anchor()));
        let options = Options {
            origin: &origin,
            policy: Some(&policy),
            anchor: None,
            witness: None,
            mac: Some(db.audit_key()),
            now: SystemClock.now(),
            max_anchor_age: None,
        };
        let state = Directory::new(self.place.data_dir.join("signer"));
        let signed = last_in(&state, &origin).context("what was signed last")?;
        let log = wiring::logs(&self.place).below(&origin);
        let seen = Seen { anchor: &anchor, signed: signed.as_ref(), log: &log };
        let done = recover(&db, tenant, &options, seen, &Who::service(), &self.reason).await;
        db.close().await;
        let done = match done {
            Err(RecoverError::Tampered(report)) => {
                let why = serde_json::to_string(&report.first_bad)?;
                bail!("the log is not merely behind its anchor: {why}");
            }
            other => other.context("recovering the log")?,
        };
        let told = json!({ "from": done.from, "to": done.to, "epoch": done.epoch });
        context.show(&told, |told| {
            format!(
                "events {} to {} are lost; the log goes on behind them\n`audit verify` shows the gap",
                view::at(told, "/from"),
                done.to - 1
            )
        })
    }
}
