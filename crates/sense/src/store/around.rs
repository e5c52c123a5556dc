//! Drifts of a scan and what happened around them, read from the database in few statements.

use std::collections::{BTreeMap, BTreeSet};

use db::TenantTx;
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx as _};
use model::Timestamp;
use model::id::{EnvironmentId, FindingId, ScanId};
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::word;
use crate::around::{Drifted, Environment, Known};
use crate::drift::{Axes, Change, path};

mod events;

pub use events::{MOST_EVENTS, alerts, changes, executions, kept, security};

/// When each drift was noticed that a scan saw and that is not gone, the earliest first.
///
/// # Errors
/// When the database fails.
pub async fn noticed(
    tx: &mut TenantTx,
    scan: ScanId,
) -> Result<Vec<(FindingId, Timestamp)>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<(Uuid, SqlTimestamp)> = sqlx::query_as(
        "SELECT f.id, f.began_at
         FROM countersign.drift_scans s
         JOIN countersign.drift_events d
           ON d.tenant_id = s.tenant_id AND d.iac_repository_id = s.iac_repository_id
             AND d.scan_id = s.id
         JOIN countersign.findings f ON f.tenant_id = d.tenant_id AND f.id = d.finding_id
         WHERE s.tenant_id = $1 AND s.id = $2 AND f.status <> 'fixed'
         ORDER BY f.began_at, f.id",
    )
    .bind(tenant)
    .bind(scan.uuid())
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|(id, at)| (id.into(), at.to_jiff())).collect())
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    began_at: SqlTimestamp,
    environment_id: Option<Uuid>,
    slug: Option<String>,
    class: Option<String>,
    timezone: Option<String>,
    drift_type: String,
    metadata: Value,
    risk_assessment: Value,
    resource_id: Option<Uuid>,
    external_id: Option<String>,
    name: Option<String>,
    declared_in: Option<String>,
    resource_tags: Option<Json<BTreeMap<String, Value>>>,
    service: Option<String>,
    repeats: i64,
}

#[derive(FromRow)]
struct ChangeRow {
    finding_id: Uuid,
    property_path: String,
    change_type: String,
    declared_value: Option<Value>,
    actual_value: Option<Value>,
    is_security_critical: bool,
}

/// Drifts with all that is known of them, in the order asked for; those that are gone are left out.
///
/// # Errors
/// When the database fails, or holds what it cannot.
pub async fn drifts(tx: &mut TenantTx, ids: &[FindingId]) -> Result<Vec<Drifted>, db::Error> {
    let tenant = tx.tenant().uuid();
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<Row> = sqlx::query_as(include_str!("around/drifts.sql"))
        .bind(tenant)
        .bind(&ids)
        .fetch_all(tx.conn())
        .await?;
    let changes: Vec<ChangeRow> = sqlx::query_as(
        "SELECT finding_id, property_path, change_type, declared_value, actual_value,
           is_security_critical
         FROM countersign.drift_changes
         WHERE tenant_id = $1 AND finding_id = ANY ($2)
         ORDER BY finding_id, property_path, change_type, id",
    )
    .bind(tenant)
    .bind(&ids)
    .fetch_all(tx.conn())
    .await?;
    let mut of: BTreeMap<Uuid, Vec<(Change, bool)>> = BTreeMap::new();
    for row in changes {
        let change = Change {
            steps: path::parse(&row.property_path),
            path: row.property_path,
            change: word(&row.change_type)?,
            declared: row.declared_value,
            actual: row.actual_value,
        };
        of.entry(row.finding_id).or_default().push((change, row.is_security_critical));
    }
    rows.into_iter()
        .map(|row| {
            let changes = of.remove(&row.id).unwrap_or_default();
            row.drifted(changes)
        })
        .collect()
}

impl Row {
    fn drifted(self, changes: Vec<(Change, bool)>) -> Result<Drifted, db::Error> {
        let said = |name: &str| self.metadata.get(name).and_then(Value::as_str).map(str::to_owned);
        let ids = [said("id"), self.external_id.clone()];
        let external: BTreeSet<String> = ids.into_iter().flatten().collect();
        let environment = match (self.environment_id, self.slug, self.class) {
            (Some(id), Some(slug), Some(class)) => {
                let zone = self.timezone;
                Some(Environment { id: id.into(), slug, class: word(&class)?, zone })
            }
            _ => None,
        };
        let known = match (self.resource_id, self.name) {
            (Some(id), Some(name)) => {
                let tags = self.resource_tags.map(|tags| tags.0).unwrap_or_default();
                let tag = |(key, value): (String, Value)| match value {
                    Value::String(text) => format!("{key}={text}"),
                    other => format!("{key}={other}"),
                };
                Some(Known { id: id.into(), name, tags: tags.into_iter().map(tag).collect() })
            }
            _ => None,
        };
        // A report of somebody else's says what it likes of the axes.
        let axes: Axes = serde_json::from_value(self.risk_assessment).unwrap_or_default();
        Ok(Drifted {
            finding: self.id.into(),
            began_at: self.began_at.to_jiff(),
            environment,
            address: said("address").unwrap_or_default(),
            kind: said("type").unwrap_or_default(),
            external: external.into_iter().collect(),
            declared_in: self.declared_in,
            service: self.service,
            known,
            drift: word(&self.drift_type)?,
            axes: axes.within(),
            changes,
            repeats: u32::try_from(self.repeats).unwrap_or(u32::MAX),
        })
    }
}

/// When drifts were noticed between two moments, by environment, the earliest first.
///
/// # Errors
/// When the database fails.
pub async fn noticed_between(
    tx: &mut TenantTx,
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeMap<EnvironmentId, Vec<Timestamp>>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<(Uuid, SqlTimestamp)> = sqlx::query_as(
        "SELECT environment_id, first_seen
         FROM countersign.findings
         WHERE tenant_id = $1 AND kind = 'drift' AND environment_id IS NOT NULL
           AND first_seen >= $2 AND first_seen <= $3
         ORDER BY first_seen",
    )
    .bind(tenant)
    .bind(from.to_sqlx())
    .bind(to.to_sqlx())
    .fetch_all(tx.conn())
    .await?;
    let mut all: BTreeMap<EnvironmentId, Vec<Timestamp>> = BTreeMap::new();
    for (environment, at) in rows {
        all.entry(environment.into()).or_default().push(at.to_jiff());
    }
    Ok(all)
}
