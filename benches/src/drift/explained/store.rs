//! What this measurement asks the database directly.

use std::collections::BTreeMap;

use anyhow::Result;
use model::id::ScanId;
use uuid::Uuid;

use crate::store::Admin;

/// The present, by the database's clock, in milliseconds.
pub(super) async fn now(admin: &Admin) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        .fetch_one(admin)
        .await?)
}

/// After many rows at once.
pub(super) async fn analyze(admin: &Admin) -> Result<()> {
    sqlx::query("VACUUM (ANALYZE) countersign.resources, countersign.change_events")
        .execute(admin)
        .await?;
    Ok(())
}

/// Whether the job of a scan is done.
pub(super) async fn explained(admin: &Admin, scan: &str) -> Result<bool> {
    let done: Option<bool> = sqlx::query_scalar(
        "SELECT done_at IS NOT NULL FROM countersign.jobs
         WHERE subject = 'drift_scan.explain' AND idempotency_key = $1",
    )
    .bind(scan)
    .fetch_optional(admin)
    .await?;
    Ok(done.unwrap_or_default())
}

/// What is kept of a scan's findings.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) findings: usize,
    /// Of these, with a cause whose factors, features and decider are told.
    pub(super) caused: usize,
    /// With a severity and with advice that holds.
    pub(super) advised: usize,
    pub(super) correlations: usize,
    /// Of these, with a score and an offset in time.
    pub(super) scored: usize,
    pub(super) contexts: usize,
    pub(super) causes: BTreeMap<String, i64>,
}

impl Kept {
    /// Whether nothing is missing of any.
    pub(super) const fn whole(&self) -> bool {
        self.caused == self.findings
            && self.advised == self.findings
            && self.scored == self.correlations
    }
}

pub(super) async fn kept(admin: &Admin, scan: &str) -> Result<Kept> {
    let scan: Uuid = scan.parse::<ScanId>()?.uuid();
    let (findings, caused, advised): (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*),
           count(*) FILTER (WHERE c.features IS NOT NULL AND c.decided_by ->> 'by' <> 'reported'
             AND (jsonb_array_length(c.contributing_factors) > 0
               OR c.cause_category = 'unknown')),
           count(*) FILTER (WHERE f.severity IS NOT NULL AND f.severity_score IS NOT NULL
             AND r.recommendation_type IS NOT NULL
             AND jsonb_array_length(r.implementation_steps) > 0)
         FROM countersign.drift_events d
         JOIN countersign.findings f ON f.tenant_id = d.tenant_id AND f.id = d.finding_id
         LEFT JOIN countersign.cause_analyses c
           ON c.tenant_id = d.tenant_id AND c.finding_id = d.finding_id
         LEFT JOIN countersign.recommendations r
           ON r.tenant_id = d.tenant_id AND r.finding_id = d.finding_id AND r.status = 'open'
         WHERE d.scan_id = $1",
    )
    .bind(scan)
    .fetch_one(admin)
    .await?;
    let (correlations, scored): (i64, i64) = sqlx::query_as(
        "SELECT count(*), count(*) FILTER (WHERE k.correlation_score > 0
           AND k.temporal_offset IS NOT NULL)
         FROM countersign.drift_events d
         JOIN countersign.correlations k
           ON k.tenant_id = d.tenant_id AND k.finding_id = d.finding_id
         WHERE d.scan_id = $1",
    )
    .bind(scan)
    .fetch_one(admin)
    .await?;
    let contexts: i64 = sqlx::query_scalar(
        "SELECT count(*)
         FROM countersign.drift_events d
         JOIN countersign.operational_context o
           ON o.tenant_id = d.tenant_id AND o.finding_id = d.finding_id
         WHERE d.scan_id = $1",
    )
    .bind(scan)
    .fetch_one(admin)
    .await?;
    let causes: Vec<(String, i64)> = sqlx::query_as(
        "SELECT c.cause_category, count(*)
         FROM countersign.drift_events d
         JOIN countersign.cause_analyses c
           ON c.tenant_id = d.tenant_id AND c.finding_id = d.finding_id
         WHERE d.scan_id = $1
         GROUP BY c.cause_category",
    )
    .bind(scan)
    .fetch_all(admin)
    .await?;
    let size = |rows: i64| usize::try_from(rows).unwrap_or_default();
    Ok(Kept {
        findings: size(findings),
        caused: size(caused),
        advised: size(advised),
        correlations: size(correlations),
        scored: size(scored),
        contexts: size(contexts),
        causes: causes.into_iter().collect(),
    })
}

/// Of each drift of a scan, by its address, what its surest event is called; of two equally sure
/// ones nothing is said.
pub(super) async fn surest(admin: &Admin, scan: &str) -> Result<BTreeMap<String, String>> {
    let scan: Uuid = scan.parse::<ScanId>()?.uuid();
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT r.address, min(r.external_id)
         FROM (
           SELECT d.metadata ->> 'address' AS address, k.external_id,
             rank() OVER (PARTITION BY d.finding_id ORDER BY k.correlation_score DESC) AS place
           FROM countersign.drift_events d
           JOIN countersign.correlations k
             ON k.tenant_id = d.tenant_id AND k.finding_id = d.finding_id
           WHERE d.scan_id = $1) AS r
         WHERE r.place = 1
         GROUP BY r.address
         HAVING count(*) = 1",
    )
    .bind(scan)
    .fetch_all(admin)
    .await?;
    Ok(rows.into_iter().collect())
}
