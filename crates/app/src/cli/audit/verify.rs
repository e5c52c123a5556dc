//! `audit verify`: 0 as signed, 2 tampered with, 3 cannot tell.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use jiff::SignedDuration;
use model::Clock as _;
use prove::anchor::Anchor;
use prove::bundle::proof_file::{ProofFile, ProofFileError};
use prove::bundle::verify_bundle_at;
use prove::checkpoint::origin;
use prove::cosignature::WitnessKey;
use prove::directory::Directory;
use prove::policy::Policy;
use prove::verify::report::Report;
use prove::verify::{Options, verify};
use serde_json::{Value, json};

use super::tenant::{Whose, own_keys};
use crate::cli::fault::{Unknowable, chain};
use crate::cli::{Context, End, given, view};
use crate::config::Place;
use crate::output::{self, Format};
use crate::wiring::{self, SystemClock};

/// How old an anchor's newest checkpoint may be: that of the last hour is missing, and the one
/// before it late.
const MAX_ANCHOR_AGE_S: i64 = 2 * 3600;

/// What to hold against what.
#[derive(Debug, Args)]
pub struct Verify {
    /// Whose log.
    #[command(flatten)]
    whose: Whose,

    /// Compare the rows with themselves only: hashes, order, MACs, columns
    #[arg(long, group = "level")]
    db: bool,

    /// Hold the rows against the signed checkpoints in the database, too
    #[arg(long, group = "level")]
    checkpoints: bool,

    /// Hold all of it against an anchor, too [default: the deployment's own]
    #[arg(long, value_name = "DIR", group = "level")]
    anchor: Option<PathBuf>,

    /// Verify an export instead, without any database (offline)
    #[arg(long, value_name = "DIR", group = "level")]
    bundle: Option<PathBuf>,

    /// Verify the proof of one event instead: a `.tlog-proof` file (offline)
    #[arg(long, value_name = "FILE", group = "level")]
    proof: Option<PathBuf>,

    /// The verifier keys to trust, from elsewhere [default: the signer's own list]
    #[arg(long, value_name = "FILE", conflicts_with = "db")]
    keys: Option<PathBuf>,

    /// The key of a witness that must have cosigned the log
    #[arg(long, value_name = "KEY", env = "COUNTERSIGN_WITNESS_KEY", conflicts_with = "db")]
    witness: Option<WitnessKey>,

    /// How old the newest checkpoint in the anchor may be, in seconds
    ///
    /// A server that runs renews it every hour, also when nothing happens: older than two hours, it
    /// ran no more, or what it signed since was cut off, and nothing here can tell which. A log whose
    /// server was stopped on purpose, or a copy, needs a larger number.
    #[arg(long, value_name = "S", default_value_t = MAX_ANCHOR_AGE_S)]
    max_anchor_age: i64,

    /// Where the deployment's state is.
    #[command(flatten)]
    place: Place,
}

impl Verify {
    /// Verifies, and says what was found.
    ///
    /// # Errors
    /// When nothing can be told: the log or the keys cannot be had.
    pub async fn run(self, context: &Context) -> Result<End> {
        if let Some(proof) = &self.proof {
            return self.of_proof(context, proof).map_err(|error| error.context(Unknowable));
        }
        let report = match &self.bundle {
            Some(bundle) => self.of_bundle(bundle),
            None => self.of_database().await,
        };
        match report {
            Ok(report) => say(context, &report),
            Err(error) => {
                if context.format == Format::Json {
                    output::json(&json!({ "ok": false, "cannot_tell": chain(&error) }))?;
                }
                Err(error.context(Unknowable))
            }
        }
    }

    async fn of_database(&self) -> Result<Report> {
        let (db, mac) = wiring::reach_to_read(&self.place).await?;
        let tenant = self.whose.find(&db).await?;
        let origin = origin(&self.place.deployment, tenant);
        // Without any keys checkpoints prove nothing; the empty policy says so.
        let policy = match self.db {
            true => None,
            false => Some(self.keys(&origin)?.unwrap_or_default()),
        };
        let anchor = self.anchor();
        let options = Options {
            origin: &origin,
            policy: policy.as_ref(),
            anchor: anchor.as_ref(),
            witness: self.witness.as_ref(),
            mac: mac.as_ref(),
            now: SystemClock.now(),
            max_anchor_age: Some(SignedDuration::from_secs(self.max_anchor_age)),
        };
        let report = verify(&db, tenant, &options).await;
        db.close().await;
        report.context("reading the log")
    }

    /// The anchor that was named; the deployment's own when no level was.
    fn anchor(&self) -> Option<Anchor> {
        if self.db || self.checkpoints {
            return None;
        }
        let own = Some(self.place.anchor()).filter(|own| own.is_dir());
        self.anchor.clone().or(own).map(|directory| Anchor::new(Directory::new(directory)))
    }

    fn keys(&self, origin: &str) -> Result<Option<Policy>> {
        match &self.keys {
            Some(file) => Ok(Some(keys_of(file)?)),
            None => own_keys(&self.place, origin),
        }
    }

    /// One event: its place in the log, what signed that, and the event itself.
    fn of_proof(&self, context: &Context, file: &Path) -> Result<End> {
        let text = given::text_of(file)?;
        let proof: ProofFile = text.parse()?;
        // Only where to look: what it says is believed after its signature was checked.
        let origin = proof.checkpoint.lines().next().unwrap_or_default();
        let keys = self
            .keys(origin)?
            .context("no keys to trust: give --keys with what the operator published")?;
        let told = match proof.verify(&keys, origin, self.witness.as_ref()) {
            Ok(proven) => json!({
                "ok": true,
                "origin": origin,
                "seq": proven.index,
                "size": proven.checkpoint.size,
                "cosigned_at": proven.cosigned_at.map(|at| at.to_string()),
                "event": serde_json::from_slice::<Value>(&proven.event).unwrap_or_default(),
            }),
            Err(error @ ProofFileError::NotCosigned { .. }) => return Err(error.into()),
            Err(error) => json!({ "ok": false, "refused": chain(&error.into()) }),
        };
        let good = told["ok"] == true;
        context.show(&told, |told| {
            if !good {
                return format!("TAMPERED WITH: {}", view::at(told, "/refused"));
            }
            let cosigned = match told["cosigned_at"].as_str() {
                Some(at) => format!("\n  cosigned         {at}"),
                None => String::new(),
            };
            format!(
                "as it was signed: event {} of {}, under a checkpoint of {} events{cosigned}\n{}",
                view::at(told, "/seq"),
                view::at(told, "/origin"),
                view::at(told, "/size"),
                view::clean(&told["event"].to_string()),
            )
        })?;
        Ok(if good { End::Good } else { End::Tampered })
    }

    fn of_bundle(&self, bundle: &Path) -> Result<Report> {
        let export = Directory::new(bundle);
        let note = export.read_text("checkpoint")?;
        let note = note.with_context(|| format!("{} holds no checkpoint", bundle.display()))?;
        // Only where to look: what it says is believed after its signature was checked.
        let origin = note.lines().next().unwrap_or_default();
        let keys = self.keys(origin)?.context(
            "no keys to trust: give --keys with what the operator published. The export's own \
             file of keys proves nothing",
        )?;
        let now = Some(SystemClock.now());
        Ok(verify_bundle_at(&export, &keys, self.witness.as_ref(), now)?)
    }
}

fn keys_of(file: &Path) -> Result<Policy> {
    let text = given::text_of(file)?;
    text.parse().with_context(|| format!("{}", file.display()))
}

fn say(context: &Context, report: &Report) -> Result<End> {
    match context.format {
        Format::Json => output::json(report)?,
        Format::Human => output::result(&told(report)),
    }
    Ok(match report.exit_code() {
        0 => End::Good,
        2 => End::Tampered,
        _ => End::CannotTell,
    })
}

/// The answer in words.
fn told(report: &Report) -> String {
    let mut text = match (&report.first_bad, report.ok) {
        (Some(_), _) => "TAMPERED WITH".to_owned(),
        (None, true) => "as it was signed".to_owned(),
        (None, false) => "cannot tell".to_owned(),
    };
    text = format!("{text}: {} events of {}", report.size, report.tenant);
    if report.minimum > 0 {
        text.push_str(&format!("\n  pruned           before event {}", report.minimum));
    }
    for [from, to] in &report.gaps {
        text.push_str(&format!("\n  gap              events {from} to {} are lost", to - 1));
    }
    if let Some(bad) = &report.first_bad {
        let kind = json!(bad.kind);
        text.push_str(&format!(
            "\n  first bad event  {} ({})\n  expected         {}\n  found            {}",
            bad.seq,
            view::words(&kind).replace('_', " "),
            view::line(&bad.expected),
            view::line(&bad.found),
        ));
    }
    if let Some([from, to]) = report.bounded_by {
        text.push_str(&format!("\n  it lies between  {from} and {to}"));
    }
    if let Some(why) = &report.cannot_tell {
        text.push_str(&format!("\n  because          {}", view::line(why)));
    }
    if let Some(witness) = &report.witness {
        text.push_str(&format!("\n  witness          {} events, {}", witness.size, witness.at));
    }
    if let Some(anchor) = &report.anchor {
        text.push_str(&format!(
            "\n  anchor           {} events, {} s ago",
            anchor.size, anchor.age
        ));
    }
    text
}

#[cfg(test)]
mod tests;
