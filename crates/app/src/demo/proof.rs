//! The last story: the audit log proves itself, and names the row that was changed.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use model::Clock as _;
use model::id::{EventId, TenantId};
use prove::anchor::Anchor;
use prove::checkpoint::origin;
use prove::directory::Directory;
use prove::verify::report::Report;
use prove::verify::{Options, verify};

use super::server::{DEPLOYMENT, Server};
use super::store;
use super::timeline::Timeline;
use super::wait::until;
use crate::cli::view::{at, raw};
use crate::client::Client;
use crate::config::Place;
use crate::wiring::{self, SystemClock};

/// How long the sequencer may take to sign and anchor what happened.
const ANCHORED_WITHIN: Duration = Duration::from_secs(30);
/// The event that is altered: who approved.
const ACTION: &str = "approval.voted";

/// Verifies, alters, verifies again.
///
/// # Errors
/// When the log does not hold before, or holds after.
pub(super) async fn audit(timeline: &Timeline, server: &Server, admin: &Client) -> Result<()> {
    let account = admin.get(&["account"], &[]).await?;
    let tenant: TenantId = raw(&account, "/tenant_id").parse()?;
    let place = place(server);
    let command = format!(
        "countersign audit verify --data-dir {} --deployment {DEPLOYMENT}",
        server.data_dir.display()
    );
    timeline.command(&command);
    let db = wiring::reach(&place).await?;
    // The sequencer signs and anchors a moment after an event was committed.
    let report = until("the audit log is anchored and verified", ANCHORED_WITHIN, async || {
        let report = verified(&db, &place, tenant).await?;
        let anchored = report.anchor.as_ref().is_some_and(|anchor| anchor.size == report.size);
        if report.exit_code() == 2 {
            bail!("the log does not hold: {report:?}");
        }
        Ok((report.ok && anchored && report.size > 0).then_some(report))
    })
    .await?;
    timeline.good(&format!(
        "ok: {} events, signed and anchored (exit code {})",
        report.size,
        report.exit_code()
    ));
    let event = latest_vote(admin).await?;
    let seq = event["seq"].as_u64().context("an event without a place")?;
    timeline.event(&format!(
        "event {seq} says: {} by {}",
        at(&event, "/event/action"),
        at(&event, "/event/actor/display_name"),
    ));
    timeline.command(&format!("psql (as the database's superuser)\n{}", store::ALTERATION));
    let id: EventId = raw(&event, "/id").parse()?;
    let (_, admin_url) = db::private::urls(&place.data_dir)?;
    store::alter_event(&admin_url, id.uuid()).await?;
    timeline.bad(&format!("event {seq} is altered: it was ada who approved, it says now"));
    timeline.command(&command);
    let report = verified(&db, &place, tenant).await?;
    let Some(bad) = &report.first_bad else {
        bail!("the alteration went unnoticed: {report:?}");
    };
    if report.exit_code() != 2 || bad.seq != seq {
        bail!("the altered row is {seq}, and audit verify says: {report:?}");
    }
    timeline.good(&format!(
        "tampered: event {} is bad, {} (exit code {})",
        bad.seq,
        serde_json::to_value(bad.kind)?.as_str().unwrap_or_default().replace('_', " "),
        report.exit_code()
    ));
    timeline.detail(&format!("expected {}\nfound    {}", bad.expected, bad.found));
    Ok(())
}

fn place(server: &Server) -> Place {
    Place {
        data_dir: server.data_dir.clone(),
        database_url: None,
        deployment: DEPLOYMENT.to_owned(),
        pg_bin_dir: None,
        anchor_dir: None,
    }
}

async fn latest_vote(admin: &Client) -> Result<serde_json::Value> {
    let query = [("action", ACTION.to_owned()), ("limit", "1".to_owned())];
    let page = admin.get(&["audit", "events"], &query).await?;
    let found = page.pointer("/items/0").cloned();
    found.with_context(|| format!("no {ACTION} is in the log"))
}

/// What `countersign audit verify` does.
async fn verified(db: &db::Db, place: &Place, tenant: TenantId) -> Result<Report> {
    let origin = origin(&place.deployment, tenant);
    let policy = wiring::signer(place)?.policy(&origin)?;
    let anchor = Anchor::new(Directory::new(place.anchor()));
    let options = Options {
        origin: &origin,
        policy: Some(&policy),
        anchor: Some(&anchor),
        mac: None,
        now: SystemClock.now(),
        max_anchor_age: None,
    };
    Ok(verify(db, tenant, &options).await?)
}
