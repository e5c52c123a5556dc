//! Findings and their alerts, read from the database.

use std::collections::BTreeMap;

use db::object::{self, Column, Holds, Kind, ListRequest};
use db::{Page, TenantTx};
use jiff::ToSpan as _;
use jiff_sqlx::ToSqlx as _;
use model::Timestamp;
use model::finding::{Alert, SourceStatus};
use model::id::{ActorId, FindingId};
use model::level::EnvironmentClass;
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::{instant, word};
use crate::finding::{AlertPart, Finding, SEVERITIES};

#[derive(FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    title: String,
    severity: String,
    severity_raw: String,
    status: String,
    fingerprint: String,
    began_at: jiff_sqlx::Timestamp,
    seen_count: i64,
    first_seen: jiff_sqlx::Timestamp,
    last_seen: jiff_sqlx::Timestamp,
    resolved_at: Option<jiff_sqlx::Timestamp>,
    resource_id: Option<Uuid>,
    environment_id: Option<Uuid>,
    alert_name: String,
    instance: String,
    job: String,
    source_name: String,
    source_status: String,
    ends_at: Option<jiff_sqlx::Timestamp>,
    labels_json: Json<BTreeMap<String, String>>,
    annotations_json: Json<BTreeMap<String, String>>,
    action_taken: String,
    matched_rule_id: Option<Uuid>,
    analyzed: bool,
    analyzed_at: Option<jiff_sqlx::Timestamp>,
    trigger_report: Option<Value>,
    received_at: jiff_sqlx::Timestamp,
}

impl Row {
    fn finding(self) -> Result<Finding, db::Error> {
        Ok(Finding {
            id: self.id.into(),
            kind: self.kind,
            title: self.title,
            severity: word(&self.severity)?,
            severity_raw: self.severity_raw,
            status: word(&self.status)?,
            fingerprint: self.fingerprint,
            began_at: self.began_at.to_jiff(),
            seen_count: self.seen_count,
            first_seen: self.first_seen.to_jiff(),
            last_seen: self.last_seen.to_jiff(),
            resolved_at: instant(self.resolved_at),
            resource_id: self.resource_id.map(Into::into),
            environment_id: self.environment_id.map(Into::into),
            alert: AlertPart {
                name: self.alert_name,
                instance: self.instance,
                job: self.job,
                source: self.source_name,
                source_status: word(&self.source_status)?,
                ends_at: instant(self.ends_at),
                labels: self.labels_json.0,
                annotations: self.annotations_json.0,
                action: word(&self.action_taken)?,
                matched_rule: self.matched_rule_id.map(Into::into),
                analyzed: self.analyzed,
                analyzed_at: instant(self.analyzed_at),
                trigger_report: self.trigger_report,
                received_at: self.received_at.to_jiff(),
            },
        })
    }
}

/// By what alerts are listed.
pub const LISTED: Kind = Kind {
    word: "alert",
    table: "(SELECT f.*, a.finding_id, a.alert_name, a.instance, a.job, a.source_name AS source,
               a.source_status, a.ends_at, a.action_taken, a.matched_rule_id, a.analyzed
             FROM countersign.alerts a
             JOIN countersign.findings f ON f.tenant_id = a.tenant_id AND f.id = a.finding_id)",
    columns: &[
        Column::new("finding_id", Holds::Id).twin(),
        Column::new("title", Holds::Text).search_index("countersign.findings_like"),
        Column::new("severity", Holds::Text).ranked("severity_rank", &SEVERITIES),
        Column::new("severity_raw", Holds::Text).filter(),
        Column::new("status", Holds::Text).filter(),
        Column::new("fingerprint", Holds::Text).behind("kind", &["alert"]),
        Column::new("resource_id", Holds::Id).filter(),
        Column::new("environment_id", Holds::Id).filter(),
        Column::new("began_at", Holds::Time).filter(),
        Column::new("first_seen", Holds::Time).filter().age(),
        Column::new("last_seen", Holds::Time).filter(),
        Column::new("resolved_at", Holds::Time).filter(),
        Column::new("alert_name", Holds::Text).filter(),
        Column::new("instance", Holds::Text).filter(),
        Column::new("job", Holds::Text).filter(),
        Column::new("source", Holds::Text).filter(),
        Column::new("source_status", Holds::Text).filter(),
        Column::new("ends_at", Holds::Time).filter(),
        Column::new("action_taken", Holds::Text).filter(),
        Column::new("matched_rule_id", Holds::Id).filter(),
        Column::new("analyzed", Holds::Boolean).filter(),
    ],
    natural: &[],
};

/// A page of alerts with their findings, newest first unless sorted.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &mut TenantTx, wanted: &ListRequest) -> Result<Page<Finding>, db::Error> {
    let page = object::ids(tx, &LISTED, wanted).await?;
    let rows: Vec<Row> = sqlx::query_as(include_str!("finding/get.sql"))
        .bind(tx.tenant().uuid())
        .bind(&page.items)
        .fetch_all(tx.conn())
        .await?;
    let found = rows.into_iter().map(Row::finding).collect::<Result<_, _>>()?;
    Ok(object::in_order(page, found, |finding: &Finding| finding.id.uuid()))
}

/// One finding.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn get(tx: &mut TenantTx, id: FindingId) -> Result<Finding, db::Error> {
    let tenant = tx.tenant().uuid();
    let row: Row = sqlx::query_as(include_str!("finding/get.sql"))
        .bind(tenant)
        .bind([id.uuid()])
        .fetch_one(tx.conn())
        .await?;
    row.finding()
}

/// An alert that came here, with what is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The alert, with its status now.
    pub alert: Alert,
    /// One line: what, and where.
    pub title: String,
    /// When the first notice of it came.
    pub at: Timestamp,
    /// How many notices came.
    seen_count: i64,
}

impl Received {
    /// The alert as the first notice of it said: what was resolved later was firing then.
    #[must_use]
    pub fn as_it_came(&self) -> Alert {
        let only_resolved = self.alert.status == SourceStatus::Resolved && self.seen_count <= 1;
        let status = if only_resolved { SourceStatus::Resolved } else { SourceStatus::Firing };
        Alert { status, ..self.alert.clone() }
    }
}

/// The alerts that came since then, newest first.
///
/// # Errors
/// When the database fails.
pub async fn received(
    tx: &mut TenantTx,
    since: Timestamp,
    most: usize,
) -> Result<Vec<Received>, db::Error> {
    let tenant = tx.tenant().uuid();
    // Ids are made when a finding is first seen: those of before need not be looked at. The clocks
    // that make them may differ by a little.
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT a.finding_id
         FROM countersign.alerts a
         WHERE a.tenant_id = $1 AND a.received_at >= $2 AND a.finding_id >= $3
         ORDER BY a.finding_id DESC
         LIMIT $4",
    )
    .bind(tenant)
    .bind(since.to_sqlx())
    .bind(first_id(since.checked_sub(1.hour()).unwrap_or(since)))
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(tx.conn())
    .await?;
    let rows: Vec<Row> = sqlx::query_as(include_str!("finding/get.sql"))
        .bind(tenant)
        .bind(&ids)
        .fetch_all(tx.conn())
        .await?;
    let found = rows.into_iter().map(|row| row.finding().map(Received::of));
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    found.sort_by_key(|one| std::cmp::Reverse(one.alert.id));
    Ok(found)
}

/// The lowest version 7 UUID of a time.
fn first_id(at: Timestamp) -> Uuid {
    let millis = u128::try_from(at.as_millisecond()).unwrap_or_default();
    Uuid::from_u128(millis << 80)
}

impl Received {
    fn of(finding: Finding) -> Self {
        let (title, at, seen_count) =
            (finding.title.clone(), finding.alert.received_at, finding.seen_count);
        Self { alert: alert_of(finding), title, at, seen_count }
    }
}

/// The alert of a finding, as the rest of the loop sees it.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn alert(tx: &mut TenantTx, id: FindingId) -> Result<Alert, db::Error> {
    Ok(alert_of(get(tx, id).await?))
}

fn alert_of(finding: Finding) -> Alert {
    Alert {
        id: finding.id,
        fingerprint: finding.fingerprint,
        name: finding.alert.name,
        severity: finding.severity,
        severity_raw: finding.severity_raw,
        instance: finding.alert.instance,
        job: finding.alert.job,
        source: finding.alert.source,
        status: finding.alert.source_status,
        starts_at: finding.began_at,
        labels: finding.alert.labels,
        annotations: finding.alert.annotations,
    }
}

/// The body of an alert as it was last received.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn raw(tx: &mut TenantTx, id: FindingId) -> Result<Value, db::Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_scalar(
        "SELECT raw_alert_json
         FROM countersign.alerts
         WHERE tenant_id = $1 AND finding_id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?)
}

/// Notes that the runbooks for an alert were looked for, and why each trigger matched or did not.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn mark_analyzed(
    tx: &mut TenantTx,
    id: FindingId,
    trigger_report: &Value,
) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let done = sqlx::query(
        "UPDATE countersign.alerts
         SET analyzed = true, analyzed_at = clock_timestamp(), trigger_report = $3
         WHERE tenant_id = $1 AND finding_id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(trigger_report)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}

/// Notes that a verified change put a finding right.
///
/// # Errors
/// When the database fails.
pub async fn fixed(tx: &mut TenantTx, id: FindingId) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "UPDATE countersign.findings
         SET status = 'fixed', resolved_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2 AND status = 'open'",
    )
    .bind(tenant)
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whose key sent an alert first: the requester of whatever it leads to.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn sender(tx: &mut TenantTx, id: FindingId) -> Result<ActorId, db::Error> {
    let tenant = tx.tenant().uuid();
    let actor: uuid::Uuid = sqlx::query_scalar(
        "SELECT sender_actor_id
         FROM countersign.alerts
         WHERE tenant_id = $1 AND finding_id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    Ok(actor.into())
}

/// What people know a finding by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// One line.
    pub title: String,
    /// Where it stands.
    pub status: String,
    /// The class of its environment; production where that is not known.
    pub class: EnvironmentClass,
}

/// A finding as people know it, held until the transaction ends.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn said(tx: &mut TenantTx, id: FindingId) -> Result<Said, db::Error> {
    let tenant = tx.tenant().uuid();
    let row: Option<(String, String, Option<String>)> = sqlx::query_as(
        "SELECT f.title, f.status, e.class
         FROM countersign.findings f
         LEFT JOIN countersign.environments e
           ON e.tenant_id = f.tenant_id AND e.id = f.environment_id
         WHERE f.tenant_id = $1 AND f.id = $2
         FOR NO KEY UPDATE OF f",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    let (title, status, class) = row.ok_or(db::Error::NotFound)?;
    let class = class.as_deref().map_or(Ok(EnvironmentClass::Prod), super::word)?;
    Ok(Said { title, status, class })
}

/// Keeps a finding as escalated, with who did it last and why.
///
/// # Errors
/// When the database fails.
pub async fn escalate(
    tx: &mut TenantTx,
    id: FindingId,
    by: ActorId,
    why: &str,
) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "UPDATE countersign.findings
         SET status = 'escalated', resolution_type = 'escalated', escalated_by = $3,
             escalated_at = clock_timestamp(), escalation_reason = $4
         WHERE tenant_id = $1 AND id = $2
           AND status IN ('open', 'suppressed', 'accepted', 'escalated')",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(by.uuid())
    .bind(why)
    .execute(tx.conn())
    .await?;
    Ok(())
}
