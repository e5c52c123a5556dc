//! What happened between two moments: what was told, alerts, findings of security, our executions.

use std::collections::BTreeMap;

use db::TenantTx;
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx as _};
use model::Timestamp;
use model::id::{ExecutionId, FindingId};
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::around::{Around, Called};
use crate::store::word;

/// Events of one source that are looked at together, the latest ones.
pub const MOST_EVENTS: i64 = 500_000;

/// What this program itself is called among the systems events are from.
const OURSELVES: &str = "countersign";

#[derive(FromRow)]
struct ChangeRow {
    kind: String,
    external_system: String,
    external_id: String,
    occurred_at: SqlTimestamp,
    until: Option<SqlTimestamp>,
    environment_id: Option<Uuid>,
    service: Option<String>,
    actor: Option<String>,
    severity: Option<String>,
    summary: String,
    paths: Vec<String>,
    addresses: Vec<String>,
    resources: Vec<String>,
    shared_ids: Vec<String>,
    data: Option<Value>,
}

/// What was told of outside. Incidents and maintenances without an end last, a week at most.
///
/// # Errors
/// When the database fails.
pub async fn changes(
    tx: &mut TenantTx,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Around>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<ChangeRow> = sqlx::query_as(
        "SELECT kind, external_system, external_id, occurred_at,
           CASE WHEN ended_at IS NULL AND kind IN ('incident', 'maintenance')
             THEN least(greatest(clock_timestamp(), occurred_at), occurred_at + interval '7 days')
             ELSE ended_at END AS until,
           environment_id, service, actor, severity, summary, paths, addresses, resources,
           shared_ids, CASE kind WHEN 'audit_event' THEN data END AS data
         FROM countersign.change_events
         WHERE tenant_id = $1 AND occurred_at <= $3
           AND (occurred_at >= $2 OR (
             occurred_at >= $2 - interval '7 days'
             AND (ended_at >= $2 OR (ended_at IS NULL AND kind IN ('incident', 'maintenance')))))
         ORDER BY occurred_at DESC, id DESC
         LIMIT $4",
    )
    .bind(tenant)
    .bind(from.to_sqlx())
    .bind(to.to_sqlx())
    .bind(MOST_EVENTS)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Around::try_from).collect()
}

impl TryFrom<ChangeRow> for Around {
    type Error = db::Error;

    fn try_from(row: ChangeRow) -> Result<Self, db::Error> {
        Ok(Self {
            kind: row.kind,
            system: row.external_system,
            id: row.external_id,
            at: row.occurred_at.to_jiff(),
            until: row.until.map(SqlTimestamp::to_jiff),
            environment: row.environment_id.map(Into::into),
            service: row.service,
            actor: row.actor,
            severity: row.severity.as_deref().map(word).transpose()?,
            text: row.summary,
            paths: row.paths,
            addresses: row.addresses,
            resources: row.resources,
            shared: row.shared_ids,
            call: row.data.as_ref().map(called),
        })
    }
}

fn called(data: &Value) -> Called {
    let text = |name: &str| data.get(name).and_then(Value::as_str).map(str::to_owned);
    let flag = |name: &str| data.get(name).and_then(Value::as_bool);
    Called {
        actor_type: text("actor_type"),
        role: text("role"),
        user_agent: text("user_agent"),
        mfa: flag("mfa"),
        idle: flag("read_only") == Some(true) || text("error").is_some(),
    }
}

#[derive(FromRow)]
struct AlertRow {
    id: Uuid,
    source_name: String,
    alert_name: String,
    instance: String,
    severity: String,
    starts_at: SqlTimestamp,
    ends_at: Option<SqlTimestamp>,
    environment_id: Option<Uuid>,
    external_id: Option<String>,
    labels_json: Json<BTreeMap<String, String>>,
}

/// Alerts.
///
/// # Errors
/// When the database fails.
pub async fn alerts(
    tx: &mut TenantTx,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Around>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<AlertRow> = sqlx::query_as(
        "SELECT f.id, a.source_name, a.alert_name, a.instance, f.severity, a.starts_at,
           CASE a.source_status WHEN 'firing' THEN greatest(clock_timestamp(), a.starts_at)
             ELSE greatest(coalesce(a.ends_at, f.resolved_at, f.last_seen), a.starts_at)
           END AS ends_at,
           f.environment_id, r.external_id, a.labels_json
         FROM countersign.findings f
         JOIN countersign.alerts a ON a.tenant_id = f.tenant_id AND a.finding_id = f.id
         LEFT JOIN countersign.resources r ON r.tenant_id = f.tenant_id AND r.id = f.resource_id
         WHERE f.tenant_id = $1 AND f.kind = 'alert' AND a.starts_at <= $3
           AND f.last_seen >= $2 AND (a.ends_at IS NULL OR a.ends_at >= $2)
         ORDER BY a.starts_at DESC, f.id DESC
         LIMIT $4",
    )
    .bind(tenant)
    .bind(from.to_sqlx())
    .bind(to.to_sqlx())
    .bind(MOST_EVENTS)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            let labels = row.labels_json.0;
            let mut resources = Vec::from_iter(row.external_id);
            resources.extend(labels.get("resource").cloned());
            resources.push(row.instance);
            Ok(Around {
                kind: "monitoring_alert".to_owned(),
                system: row.source_name,
                id: FindingId::from(row.id).to_string(),
                at: row.starts_at.to_jiff(),
                until: row.ends_at.map(SqlTimestamp::to_jiff),
                environment: row.environment_id.map(Into::into),
                service: labels.get("service").cloned(),
                actor: None,
                severity: Some(word(&row.severity)?),
                text: row.alert_name,
                paths: Vec::new(),
                addresses: Vec::new(),
                resources,
                shared: Vec::new(),
                call: None,
            })
        })
        .collect()
}

#[derive(FromRow)]
struct SecurityRow {
    id: Uuid,
    title: String,
    severity: String,
    began_at: SqlTimestamp,
    environment_id: Option<Uuid>,
    external_id: Option<String>,
    service: Option<String>,
}

/// Findings that are about security: broken policies and exposures.
///
/// # Errors
/// When the database fails.
pub async fn security(
    tx: &mut TenantTx,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Around>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<SecurityRow> = sqlx::query_as(
        "SELECT f.id, f.title, f.severity, f.began_at, f.environment_id, r.external_id,
           r.tags ->> 'service' AS service
         FROM countersign.findings f
         LEFT JOIN countersign.resources r ON r.tenant_id = f.tenant_id AND r.id = f.resource_id
         WHERE f.tenant_id = $1 AND f.kind IN ('violation', 'exposure')
           AND f.began_at >= $2 AND f.began_at <= $3
         ORDER BY f.began_at DESC, f.id DESC
         LIMIT $4",
    )
    .bind(tenant)
    .bind(from.to_sqlx())
    .bind(to.to_sqlx())
    .bind(MOST_EVENTS)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Around {
                kind: "security_event".to_owned(),
                system: OURSELVES.to_owned(),
                id: FindingId::from(row.id).to_string(),
                at: row.began_at.to_jiff(),
                until: None,
                environment: row.environment_id.map(Into::into),
                service: row.service,
                actor: None,
                severity: Some(word(&row.severity)?),
                text: row.title,
                paths: Vec::new(),
                addresses: Vec::new(),
                resources: Vec::from_iter(row.external_id),
                shared: Vec::new(),
                call: None,
            })
        })
        .collect()
}

/// What this program itself carried out.
///
/// # Errors
/// When the database fails.
pub async fn executions(
    tx: &mut TenantTx,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Around>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<(Uuid, SqlTimestamp, Option<SqlTimestamp>, Vec<String>)> = sqlx::query_as(
        "SELECT x.id, x.started_at, coalesce(x.completed_at, clock_timestamp()),
           coalesce((
             SELECT array_agg(DISTINCT r.external_id)
             FROM countersign.step_runs s
             JOIN countersign.resources r
               ON r.tenant_id = s.tenant_id AND r.id = s.resource_id
             WHERE s.tenant_id = $1 AND s.execution_id = x.id), '{}')
         FROM countersign.executions x
         WHERE x.tenant_id = $1 AND x.started_at <= $3
           AND coalesce(x.completed_at, clock_timestamp()) >= $2
         ORDER BY x.started_at DESC, x.id DESC
         LIMIT $4",
    )
    .bind(tenant)
    .bind(from.to_sqlx())
    .bind(to.to_sqlx())
    .bind(MOST_EVENTS)
    .fetch_all(tx.conn())
    .await?;
    let of = |(id, at, until, resources): (Uuid, SqlTimestamp, Option<SqlTimestamp>, _)| Around {
        kind: "deployment".to_owned(),
        system: OURSELVES.to_owned(),
        id: ExecutionId::from(id).to_string(),
        at: at.to_jiff(),
        until: until.map(SqlTimestamp::to_jiff),
        environment: None,
        service: None,
        actor: None,
        severity: None,
        text: String::new(),
        paths: Vec::new(),
        addresses: Vec::new(),
        resources,
        shared: Vec::new(),
        call: None,
    };
    Ok(rows.into_iter().map(of).collect())
}

/// The kinds of events somebody keeps: of those, none is a fact; of the others nothing is known.
///
/// # Errors
/// When the database fails.
pub async fn kept(tx: &mut TenantTx) -> Result<Vec<String>, db::Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_scalar(
        "SELECT k.kind
         FROM unnest(ARRAY['git_commit', 'deployment', 'audit_event', 'incident_ticket',
           'incident', 'maintenance', 'security_event']) AS k (kind)
         WHERE EXISTS (
           SELECT 1 FROM countersign.change_events e
           WHERE e.tenant_id = $1 AND e.kind = k.kind
             AND e.occurred_at >= clock_timestamp() - interval '90 days')
         UNION
         SELECT 'monitoring_alert'
         WHERE EXISTS (SELECT 1 FROM countersign.alerts a WHERE a.tenant_id = $1)
         UNION
         SELECT 'security_event'
         WHERE EXISTS (
           SELECT 1 FROM countersign.findings f
           WHERE f.tenant_id = $1 AND f.kind IN ('violation', 'exposure'))
         UNION
         SELECT 'deployment'
         WHERE EXISTS (SELECT 1 FROM countersign.executions x WHERE x.tenant_id = $1)",
    )
    .bind(tenant)
    .fetch_all(tx.conn())
    .await?)
}
