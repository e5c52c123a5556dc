//! Reported findings in the database: a batch in four statements.

use std::collections::BTreeMap;

use db::TenantTx;
use model::Timestamp;
use model::id::FindingId;
use serde_json::{Value, json};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use crate::report::{Counted, Detail, Reported};

/// What came of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placed {
    /// The findings, in no order.
    pub ids: Vec<FindingId>,
    /// How many of them were not known before.
    pub new: u64,
}

#[derive(FromRow)]
struct Header {
    id: Uuid,
    kind: String,
    fingerprint: String,
    began_at: jiff_sqlx::Timestamp,
    fresh: bool,
}

/// Writes a folded batch.
///
/// # Errors
/// Invalid with the constraint's name when one refers to what is not there: then nothing of the
/// batch is written.
pub async fn place(tx: &mut TenantTx, batch: &[Counted]) -> Result<Placed, db::Error> {
    let tenant = tx.tenant().uuid();
    // Two reporters at once must not each begin the same finding. One that says when a problem began
    // decides nothing by what is there; the unique key keeps two of those apart.
    let begins = batch.iter().any(|counted| counted.reported.began_at.is_none());
    let lock = if begins { "pg_advisory_xact_lock" } else { "pg_advisory_xact_lock_shared" };
    let statement = format!("SELECT {lock}(hashtextextended('findings ' || $1::text, 0))");
    sqlx::query(AssertSqlSafe(statement)).bind(tenant).execute(tx.conn()).await?;
    let known = known(tx, batch).await?;
    let headers: Vec<Header> = sqlx::query_as(include_str!("report/header.sql"))
        .bind(tenant)
        .bind(Json(batch.iter().map(|counted| header(counted, &known)).collect::<Vec<_>>()))
        .fetch_all(tx.conn())
        .await?;
    let mut by_name: BTreeMap<(&str, &str), Vec<(Timestamp, Uuid)>> = BTreeMap::new();
    for header in &headers {
        let name = (header.kind.as_str(), header.fingerprint.as_str());
        by_name.entry(name).or_default().push((header.began_at.to_jiff(), header.id));
    }
    let mut details: BTreeMap<Uuid, &Detail> = BTreeMap::new();
    for Counted { reported, .. } in batch {
        let name = (reported.detail.kind(), reported.fingerprint.as_str());
        let candidates = by_name.get(&name).map(Vec::as_slice).unwrap_or_default();
        let found = match reported.began_at {
            Some(began) => candidates.iter().find(|(at, _)| *at == began),
            None => candidates.iter().max(),
        };
        if let Some((_, id)) = found {
            details.insert(*id, &reported.detail);
        }
    }
    violations(tx, &details).await?;
    drifts(tx, &details).await?;
    let new = headers.iter().filter(|header| header.fresh).count() as u64;
    Ok(Placed { ids: headers.iter().map(|header| header.id.into()).collect(), new })
}

/// The resources that a scan saw, as far as they are known, by what their provider calls them. Of
/// two providers with the same name for something neither is meant.
async fn known(tx: &mut TenantTx, batch: &[Counted]) -> Result<BTreeMap<String, Uuid>, db::Error> {
    let seen: Vec<&str> = batch.iter().filter_map(|counted| external(&counted.reported)).collect();
    if seen.is_empty() {
        return Ok(BTreeMap::new());
    }
    let tenant = tx.tenant().uuid();
    let rows: Vec<(String, Uuid)> = sqlx::query_as(
        "SELECT external_id, (array_agg(id))[1]
         FROM countersign.resources
         WHERE tenant_id = $1 AND external_id = ANY ($2)
         GROUP BY external_id
         HAVING count(*) = 1",
    )
    .bind(tenant)
    .bind(seen)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().collect())
}

/// What the provider calls the resource that a scan found something about.
fn external(reported: &Reported) -> Option<&str> {
    let Detail::Drift(drift) = &reported.detail else { return None };
    drift.found_by.as_ref()?.external_id.as_deref()
}

fn header(counted: &Counted, known: &BTreeMap<String, Uuid>) -> Value {
    let one = &counted.reported;
    let seen = external(one).and_then(|id| known.get(id)).copied();
    json!({
        "id": FindingId::generate().uuid(),
        "kind": one.detail.kind(),
        "fingerprint": one.fingerprint,
        "began_at": one.began_at,
        "title": one.title,
        "reason": one.reason,
        "severity": one.severity.word(),
        "severity_score": one.severity_score,
        "confidence_score": one.confidence_score,
        "resource_id": one.resource_id.map(model::id::ResourceId::uuid).or(seen),
        "environment_id": one.environment_id.map(model::id::EnvironmentId::uuid),
        "times": counted.times,
    })
}

async fn violations(tx: &mut TenantTx, details: &BTreeMap<Uuid, &Detail>) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let (mut findings, mut policies) = (Vec::new(), Vec::new());
    for (id, detail) in details {
        if let Detail::Violation { policy_id } = detail {
            findings.push(*id);
            policies.push(policy_id.map(model::id::ProviderPolicyId::uuid));
        }
    }
    if findings.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO countersign.violations (tenant_id, finding_id, policy_id)
         SELECT $1, v.finding_id, v.policy_id
         FROM unnest($2::uuid[], $3::uuid[]) AS v (finding_id, policy_id)
         ON CONFLICT ON CONSTRAINT violations_pk DO UPDATE SET policy_id = excluded.policy_id",
    )
    .bind(tenant)
    .bind(&findings)
    .bind(policies)
    .execute(tx.conn())
    .await?;
    // Whoever approves an exception waits until this is over, or was waited for in `place`.
    sqlx::query(include_str!("report/excepted.sql"))
        .bind(tenant)
        .bind(findings)
        .execute(tx.conn())
        .await?;
    Ok(())
}

async fn drifts(tx: &mut TenantTx, details: &BTreeMap<Uuid, &Detail>) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let (mut events, mut changes) = (Vec::new(), Vec::new());
    for (id, detail) in details {
        let Detail::Drift(drift) = detail else { continue };
        let found = drift.found_by.as_ref();
        events.push(json!({
            "finding_id": id,
            "iac_resource_id": drift.iac_resource_id.map(model::id::DeclaredId::uuid),
            "iac_repository_id": found.map(|found| found.repository.uuid()),
            "scan_id": found.map(|found| found.scan.uuid()),
            "address": found.map(|found| &found.address),
            "drift_type": drift.drift_type,
            "actual_state": drift.actual_state,
            "declared_state": drift.declared_state,
            "risk_assessment": drift.risk_assessment,
            "tags": drift.tags,
            "metadata": drift.metadata,
        }));
        changes.extend(drift.changes.iter().map(|change| {
            json!({
                "finding_id": id,
                "id": Uuid::now_v7(),
                "property_path": change.property_path,
                "declared_value": change.declared_value,
                "actual_value": change.actual_value,
                "change_type": change.change_type,
                "is_security_critical": change.is_security_critical,
            })
        }));
    }
    if events.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = details.keys().copied().collect();
    sqlx::query(include_str!("report/drift.sql"))
        .bind(tenant)
        .bind(Json(events))
        .execute(tx.conn())
        .await?;
    // What differs now takes the place of what differed before.
    sqlx::query(
        "DELETE FROM countersign.drift_changes WHERE tenant_id = $1 AND finding_id = ANY ($2)",
    )
    .bind(tenant)
    .bind(ids)
    .execute(tx.conn())
    .await?;
    sqlx::query(
        "INSERT INTO countersign.drift_changes (tenant_id, id, finding_id, property_path,
           declared_value, actual_value, change_type, is_security_critical)
         SELECT $1, c.id, c.finding_id, c.property_path, c.declared_value, c.actual_value,
           c.change_type, c.is_security_critical
         FROM jsonb_to_recordset($2) AS c (id uuid, finding_id uuid, property_path text,
           declared_value jsonb, actual_value jsonb, change_type text,
           is_security_critical boolean)",
    )
    .bind(tenant)
    .bind(Json(changes))
    .execute(tx.conn())
    .await?;
    Ok(())
}
