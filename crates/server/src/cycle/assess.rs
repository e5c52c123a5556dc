//! Assess: an alert looks for its runbooks, and each match asks the gate.

use std::collections::BTreeMap;

use act::runbook::select;
use act::runbook::store as runbooks;
use act::runbook::trigger;
use db::TenantTx;
use db::jobs::Claimed;
use gate::store::approvals::Source;
use model::audit::{Event, Who};
use model::finding::{Alert, SourceStatus};
use model::id::FindingId;
use model::intent::TriggerKind;
use sense::inventory::Selector;
use sense::store::{finding, target};
use serde_json::{Value, json};

use super::ask::{Ask, ask};
use super::weigh::candidate;
use super::{Error, Loop, store, told};

/// The subject of the jobs this takes.
pub const SUBJECT: &str = sense::store::ingest::ASSESS;

/// Takes an alert's job to its end: everything it leads to, and the job itself, in one
/// transaction, so that a repeated job finds what it did and does it no second time.
///
/// # Errors
/// When the database fails: the job is tried again.
pub async fn assess(cycle: &Loop, job: &Claimed) -> Result<(), Error> {
    let mut tx = cycle.app().db.tenant(job.tenant).await?;
    let Some(id) = finding_of(job) else {
        job.bury(&mut tx, "the job names no finding").await?;
        tx.commit().await?;
        return Ok(());
    };
    let alert = finding::alert(&mut tx, id).await?;
    let report = if alert.status == SourceStatus::Resolved {
        json!({"resolved": "resolved before it was looked at: nothing to do"})
    } else {
        matches(cycle, &mut tx, &alert).await?
    };
    finding::mark_analyzed(&mut tx, id, &report).await?;
    job.complete(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

fn finding_of(job: &Claimed) -> Option<FindingId> {
    job.params.get("finding_id")?.as_str()?.parse().ok()
}

/// Asks for every runbook the alert starts, and gives the whole report: why each trigger matched
/// or did not, and what came of each match.
async fn matches(cycle: &Loop, tx: &mut TenantTx, alert: &Alert) -> Result<Value, Error> {
    let now = tx.now().await?;
    let armed = runbooks::armed::all(tx).await?;
    let last = runbooks::armed::last_triggered(tx, &armed).await?;
    let reports = trigger::reports(alert, &armed, now, &last);
    let mut outcomes = Vec::new();
    for found in trigger::best_matches(alert, &armed, now, &last) {
        let Some(one) = armed.iter().find(|one| one.id == found.runbook_id) else { continue };
        // One runbook's trouble is not the others': what it wrote is undone, and told.
        let mark = tx.mark().await?;
        let outcome = match start(cycle, tx, alert, one, &found).await {
            Ok(Some(asked)) => json!({"runbook": one.runbook.name, "asked": asked}),
            Ok(None) => json!({"runbook": one.runbook.name, "cooldown": "started just now"}),
            Err(Error::Db(error)) if error.kind() == db::Kind::Unavailable => {
                return Err(error.into());
            }
            Err(error) => {
                tx.back_to(mark).await?;
                let event =
                    Event::new(Who::service(), "alert.runbook_failed", "finding", &alert.id)
                        .with("runbook", one.runbook.name.clone())
                        .failed(told(&error));
                tx.audit(&event).await?;
                json!({"runbook": one.runbook.name, "error": told(&error)})
            }
        };
        outcomes.push(outcome);
    }
    Ok(json!({"triggers": reports, "started": outcomes}))
}

async fn start(
    cycle: &Loop,
    tx: &mut TenantTx,
    alert: &Alert,
    armed: &trigger::Armed,
    found: &trigger::Match,
) -> Result<Option<super::Asked>, Error> {
    let sender = finding::sender(tx, alert.id).await?;
    let requester = api::identity::store::load_actor(tx, sender)
        .await?
        .ok_or_else(|| Error::NotActive(alert.source.clone()))?;
    let estate = target::targets(tx, &Selector::default()).await?;
    let offered: Vec<_> = estate.iter().map(candidate).collect();
    let chosen = select::select_targets(&armed.runbook, Some(alert), &offered)?;
    let targets: Vec<_> = estate
        .into_iter()
        .filter(|facts| chosen.iter().any(|one| one.target.resource_id == facts.target.resource_id))
        .collect();
    let author = store::author(tx, armed.id, armed.version).await?;
    let cooldown = store::cooldown_s(tx, found.trigger_id).await?;
    // Nothing is written before a plan can be made, so the cooldown is taken by starts alone.
    let ask_for = Ask {
        requester: &requester,
        trigger: TriggerKind::Alert,
        deterministic_id: format!("alert/{}/{}", alert.id, armed.id),
        runbook_id: armed.id,
        version: armed.version,
        author,
        runbook: &armed.runbook,
        alert: Some(alert),
        matched: Some((found.trigger_id, cooldown)),
        targets: &targets,
        variables: &BTreeMap::new(),
        text: format!("{} is firing on {}", alert.name, found.target),
        source: Source::Auto,
    };
    super::ask::plan(&ask_for)?;
    if !runbooks::armed::take_start(tx, found.trigger_id, &found.target, cooldown).await? {
        return Ok(None);
    }
    Ok(Some(ask(cycle, tx, &ask_for).await?))
}
