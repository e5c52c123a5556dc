//! Taking in deliveries of alerts: one transaction, a fixed number of statements whatever their
//! number and size.
//!
//! One commit per alert gives about 170 alerts a second on a plain disk; one per batch a hundred
//! times that. Rows are locked in the order of fingerprint and beginning ([`fold`]), so writers
//! that share alerts wait for each other but cannot deadlock.

use std::collections::{BTreeSet, HashMap};

use db::TenantTx;
use db::jobs::DEFAULT_MAX_ATTEMPTS;
use db::wake::Topic;
use jiff_sqlx::ToSqlx;
use model::Digest;
use model::audit::{Event, Origin};
use model::finding::{RuleAction, SourceStatus};
use model::id::{AlertRuleId, AlertSourceId, FindingId, JobId, QuarantineId};
use model::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::rule;
use crate::alert::rule::{Rule, Ruleset, Ruling};
use crate::alert::state::{Change, Problem, fold};
use crate::alert::{Batch, Quarantined};
use crate::source::Sender;

/// The job that looks for runbooks for a new alert; its parameter is `finding_id`.
pub const ASSESS: &str = "assess";

/// What came of a delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IngestReport {
    /// Problems that were not known before.
    pub new: u64,
    /// Known problems that were only counted.
    pub repeated: u64,
    /// Known problems that are now resolved.
    pub resolved: u64,
    /// Alerts set aside.
    pub quarantined: u64,
    /// Jobs queued: one a new firing alert that a rule gives to the loop.
    pub queued: u64,
    /// The finding of each of its problems, in the order of fingerprint and beginning.
    pub findings: Vec<FindingId>,
}

/// A problem of the batch, on its way into the tables.
struct Entry<'a> {
    fresh: FindingId,
    problem: Problem<'a>,
    resolved: bool,
    content_hash: i64,
}

/// What a finding's row said after the notice was counted.
#[derive(FromRow)]
struct Counted {
    id: Uuid,
    fingerprint: String,
    began_at: jiff_sqlx::Timestamp,
    content_hash: i64,
}

/// One body, and from where it came.
#[derive(Debug)]
pub struct Delivery {
    /// What it held.
    pub batch: Batch,
    /// From where.
    pub origin: Origin,
}

/// Stores deliveries of one sender and gives a report for each, as if they had come one after the
/// other.
///
/// Findings are counted up or made, alerts ruled on, jobs queued, faults set aside; each delivery
/// has its audit event. Nothing is kept unless the caller commits.
///
/// The rules are asked once, when a problem is first heard of.
///
/// # Errors
/// When the database fails; then nothing of them may be acknowledged.
pub async fn ingest(
    tx: &mut TenantTx,
    sender: &Sender,
    deliveries: &[Delivery],
) -> Result<Vec<IngestReport>, db::Error> {
    let mut reports: Vec<IngestReport> = deliveries
        .iter()
        .map(|one| IngestReport {
            quarantined: one.batch.quarantined.len() as u64,
            ..IngestReport::default()
        })
        .collect();
    quarantine(tx, sender, deliveries).await?;
    let notices = deliveries.iter().map(|one| one.batch.notices.as_slice());
    let entries: Vec<Entry<'_>> = fold(notices).into_iter().map(Entry::new).collect();
    if !entries.is_empty() {
        store(tx, sender, &entries, &mut reports).await?;
    }
    let events: Vec<Event> = deliveries
        .iter()
        .zip(&reports)
        .map(|(delivery, report)| received(sender, delivery, report))
        .collect();
    tx.audit_many(&events).await?;
    Ok(reports)
}

fn received(sender: &Sender, delivery: &Delivery, report: &IngestReport) -> Event {
    let Delivery { batch, origin } = delivery;
    let subject = sender.source_id.map_or_else(|| sender.who.id.to_string(), |id| id.to_string());
    Event::new(sender.who.clone(), "alerts.received", "alert_source", &subject)
        .with("received", batch.notices.len() + batch.quarantined.len())
        .with("new", report.new)
        .with("repeated", report.repeated)
        .with("resolved", report.resolved)
        .with("quarantined", report.quarantined)
        .with("truncated_by_sender", batch.truncated.to_string())
        .with("body_sha256", batch.digest.to_string())
        .from_origin(origin.clone())
}

/// Stores what was said of each problem and counts it for the deliveries that said it.
async fn store(
    tx: &mut TenantTx,
    sender: &Sender,
    entries: &[Entry<'_>],
    reports: &mut [IngestReport],
) -> Result<(), db::Error> {
    let found = count(tx, entries).await?;
    let (new, known): (Vec<_>, Vec<_>) =
        entries.iter().zip(&found).partition(|(entry, (id, _))| entry.fresh == *id);
    let new: Vec<&Entry<'_>> = new.into_iter().map(|(entry, _)| entry).collect();
    let queued = admit(tx, sender, &new).await?;
    let changed: Vec<(FindingId, &Entry<'_>)> = known
        .iter()
        .filter(|(entry, (_, content_hash))| entry.content_hash != *content_hash)
        .map(|(entry, (id, _))| (*id, *entry))
        .collect();
    let resolved = update(tx, &changed).await?;
    for (entry, (id, _)) in entries.iter().zip(&found) {
        let before = match (entry.fresh == *id, resolved.contains(id)) {
            (true, _) => None,
            (false, true) => Some(SourceStatus::Firing),
            // Whatever it was, nothing of it changed.
            (false, false) => Some(SourceStatus::Resolved),
        };
        for (delivery, change) in entry.problem.changes(before) {
            let Some(report) = reports.get_mut(delivery) else { continue };
            report.findings.push(*id);
            match change {
                Change::New => {
                    report.new += 1;
                    report.queued += u64::from(queued.contains(id));
                }
                Change::Resolved => report.resolved += 1,
                Change::Repeated => report.repeated += 1,
            }
        }
    }
    Ok(())
}

impl<'a> Entry<'a> {
    fn new(problem: Problem<'a>) -> Self {
        let resolved = match problem.known.status {
            SourceStatus::Firing => false,
            SourceStatus::Resolved => true,
        };
        let end = problem.known.ends_at.map_or(0, Timestamp::as_microsecond);
        let text =
            [problem.notice.raw.as_bytes(), &[u8::from(resolved)], &end.to_be_bytes()].concat();
        let digest = Digest::of(&text);
        let content_hash =
            digest.as_bytes().first_chunk().map_or(0, |first| i64::from_be_bytes(*first));
        Self { fresh: FindingId::generate(), problem, resolved, content_hash }
    }

    fn labels(&self) -> Result<String, db::Error> {
        serde_json::to_string(&self.problem.notice.labels).map_err(db::Error::internal)
    }

    fn annotations(&self) -> Result<String, db::Error> {
        serde_json::to_string(&self.problem.notice.annotations).map_err(db::Error::internal)
    }
}

/// One column of a batch, as the array a statement takes.
fn column<'a, T, U>(entries: &'a [T], value: impl FnMut(&'a T) -> U) -> Vec<U> {
    entries.iter().map(value).collect()
}

/// Makes the findings that are not known and counts up those that are; gives the id and the
/// content hash each had before, in the order of `entries`. An id that is the entry's own is new.
async fn count(
    tx: &mut TenantTx,
    entries: &[Entry<'_>],
) -> Result<Vec<(FindingId, i64)>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<Counted> = sqlx::query_as(include_str!("ingest/count.sql"))
        .bind(tenant)
        .bind(column(entries, |e| e.fresh.uuid()))
        .bind(column(entries, |e| e.problem.notice.fingerprint.as_str()))
        .bind(column(entries, |e| e.problem.notice.starts_at.to_sqlx()))
        .bind(column(entries, |e| e.problem.notice.title()))
        .bind(column(entries, |e| e.problem.notice.severity.word()))
        .bind(column(entries, |e| e.problem.notice.severity_raw.as_str()))
        .bind(column(entries, |e| e.resolved))
        .bind(column(entries, |e| i64::try_from(e.problem.known.seen).unwrap_or(i64::MAX)))
        .bind(column(entries, |e| e.content_hash))
        .fetch_all(tx.conn())
        .await?;
    let mut found: HashMap<(String, i64), (FindingId, i64)> = rows
        .into_iter()
        .map(|row| {
            let key = (row.fingerprint, row.began_at.to_jiff().as_microsecond());
            (key, (row.id.into(), row.content_hash))
        })
        .collect();
    entries
        .iter()
        .map(|entry| {
            let notice = &entry.problem.notice;
            let key = (notice.fingerprint.clone(), notice.starts_at.as_microsecond());
            found.remove(&key).ok_or(db::Error::NotFound)
        })
        .collect()
}

/// Rules on the new alerts, stores them and queues a job for each that is firing and for the loop.
async fn admit(
    tx: &mut TenantTx,
    sender: &Sender,
    new: &[&Entry<'_>],
) -> Result<BTreeSet<FindingId>, db::Error> {
    if new.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rules: Vec<Rule> = rule::all(tx).await?;
    let rules = Ruleset::new(rules);
    let rulings: Vec<Ruling> = column(new, |e| {
        let notice = &e.problem.notice;
        rules.decide(&notice.name, &notice.severity_raw, notice.severity)
    });
    let labels: Vec<String> = new.iter().map(|e| e.labels()).collect::<Result<_, _>>()?;
    let annotations: Vec<String> = new.iter().map(|e| e.annotations()).collect::<Result<_, _>>()?;
    let tenant = tx.tenant().uuid();
    sqlx::query(include_str!("ingest/admit.sql"))
        .bind(tenant)
        .bind(sender.source_id.map(AlertSourceId::uuid))
        .bind(sender.name.as_str())
        .bind(column(new, |e| e.fresh.uuid()))
        .bind(column(new, |e| e.problem.notice.name.as_str()))
        .bind(column(new, |e| e.problem.notice.instance.as_str()))
        .bind(column(new, |e| e.problem.notice.job.as_str()))
        .bind(column(new, |e| e.problem.known.status.word()))
        .bind(column(new, |e| e.problem.notice.starts_at.to_sqlx()))
        .bind(column(new, |e| e.problem.known.ends_at.map(ToSqlx::to_sqlx)))
        .bind(labels)
        .bind(annotations)
        .bind(column(new, |e| e.problem.notice.raw.as_str()))
        .bind(column(&rulings, |ruling| ruling.rule.map(AlertRuleId::uuid)))
        .bind(column(&rulings, |ruling| ruling.action.word()))
        .bind(sender.who.id.uuid())
        .execute(tx.conn())
        .await?;
    let due: Vec<FindingId> = new
        .iter()
        .zip(&rulings)
        .filter(|(entry, ruling)| !entry.resolved && ruling.action == RuleAction::AutoAnalyze)
        .map(|(entry, _)| entry.fresh)
        .collect();
    queue(tx, &due).await?;
    Ok(due.into_iter().collect())
}

/// Queues one job a finding, all in one statement.
async fn queue(tx: &mut TenantTx, due: &[FindingId]) -> Result<(), db::Error> {
    if due.is_empty() {
        return Ok(());
    }
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "INSERT INTO countersign.jobs
           (tenant_id, id, subject, type, params, idempotency_key, max_attempts)
         SELECT $1, job.id, $2, $2, jsonb_build_object('finding_id', job.finding), job.finding, $3
         FROM unnest($4::uuid[], $5::text[]) AS job (id, finding)
         ON CONFLICT ON CONSTRAINT jobs_idempotency_key DO NOTHING",
    )
    .bind(tenant)
    .bind(ASSESS)
    .bind(DEFAULT_MAX_ATTEMPTS)
    .bind(column(due, |_| JobId::generate().uuid()))
    .bind(column(due, ToString::to_string))
    .execute(tx.conn())
    .await?;
    tx.signal(Topic::Jobs);
    Ok(())
}

/// Takes over what known alerts now say; gives those that are resolved by it. A firing notice of a
/// resolved alert is late and changes nothing.
async fn update(
    tx: &mut TenantTx,
    changed: &[(FindingId, &Entry<'_>)],
) -> Result<BTreeSet<FindingId>, db::Error> {
    if changed.is_empty() {
        return Ok(BTreeSet::new());
    }
    let labels: Vec<String> = changed.iter().map(|(_, e)| e.labels()).collect::<Result<_, _>>()?;
    let annotations: Vec<String> =
        changed.iter().map(|(_, e)| e.annotations()).collect::<Result<_, _>>()?;
    let tenant = tx.tenant().uuid();
    let resolved: Vec<Uuid> = sqlx::query_scalar(include_str!("ingest/update.sql"))
        .bind(tenant)
        .bind(column(changed, |(id, _)| id.uuid()))
        .bind(column(changed, |(_, e)| e.resolved))
        .bind(column(changed, |(_, e)| e.problem.known.ends_at.map(ToSqlx::to_sqlx)))
        .bind(labels)
        .bind(annotations)
        .bind(column(changed, |(_, e)| e.problem.notice.raw.as_str()))
        .bind(column(changed, |(_, e)| e.content_hash))
        .bind(column(changed, |(_, e)| e.problem.notice.title()))
        .bind(column(changed, |(_, e)| e.problem.notice.severity.word()))
        .bind(column(changed, |(_, e)| e.problem.notice.severity_raw.as_str()))
        .fetch_all(tx.conn())
        .await?;
    Ok(resolved.into_iter().map(Into::into).collect())
}

/// Keeps what could not be read.
async fn quarantine(
    tx: &mut TenantTx,
    sender: &Sender,
    deliveries: &[Delivery],
) -> Result<(), db::Error> {
    let faults: Vec<&Quarantined> =
        deliveries.iter().flat_map(|one| &one.batch.quarantined).collect();
    if faults.is_empty() {
        return Ok(());
    }
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "INSERT INTO countersign.quarantined_alerts
           (tenant_id, id, source_id, source_name, position, path, reason, raw)
         SELECT $1, bad.id, $2, $3, bad.position, bad.path, bad.reason, bad.raw
         FROM unnest($4::uuid[], $5::integer[], $6::text[], $7::text[], $8::text[])
           AS bad (id, position, path, reason, raw)",
    )
    .bind(tenant)
    .bind(sender.source_id.map(AlertSourceId::uuid))
    .bind(sender.name.as_str())
    .bind(column(&faults, |_| QuarantineId::generate().uuid()))
    .bind(column(&faults, |bad| i32::try_from(bad.index).unwrap_or(i32::MAX)))
    .bind(column(&faults, |bad| bad.path.as_str()))
    .bind(column(&faults, |bad| bad.reason.as_str()))
    .bind(column(&faults, |bad| bad.raw.as_str()))
    .execute(tx.conn())
    .await?;
    Ok(())
}
