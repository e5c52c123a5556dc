//! What a kind of finding adds to the header all share, as it is kept.

use std::collections::BTreeMap;

use db::TenantTx;
use jiff_sqlx::Timestamp;
use model::id::FindingId;
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

/// What is kept beside a finding's header.
#[derive(Debug)]
pub struct Kept {
    /// Of a violation.
    pub violation: Option<Violation>,
    /// Of a drift.
    pub drift: Option<Drift>,
}

/// What a violation adds.
#[derive(Debug, FromRow)]
pub struct Violation {
    /// The policy of the catalogue that is broken, when it is known.
    pub policy_id: Option<Uuid>,
    /// The exception that lets it stand the longest, while one does.
    pub exception_id: Option<Uuid>,
}

/// What a drift adds.
#[derive(Debug, FromRow)]
pub struct Drift {
    /// The declaration it differs from, when it is known.
    pub iac_resource_id: Option<Uuid>,
    /// The source that declares, or whose scan found it.
    pub iac_repository_id: Option<Uuid>,
    /// The scan that saw it last.
    pub scan_id: Option<Uuid>,
    /// `modified`, `deleted`, `added` or `moved`.
    pub drift_type: String,
    /// What is there.
    pub actual_state: Option<Value>,
    /// What is declared.
    pub declared_state: Option<Value>,
    /// What it means.
    pub risk_assessment: Value,
    /// Free words about it.
    #[sqlx(json)]
    pub tags: BTreeMap<String, String>,
    /// What else its reporter knows.
    pub metadata: Value,
    /// The properties that differ, in the order they were reported.
    #[sqlx(skip)]
    pub changes: Vec<Change>,
}

/// A property that differs.
#[derive(Debug, FromRow)]
pub struct Change {
    /// Where.
    pub property_path: String,
    /// What is declared.
    pub declared_value: Option<Value>,
    /// What is there.
    pub actual_value: Option<Value>,
    /// `modified`, `added` or `removed`.
    pub change_type: String,
    /// Whether it matters to security.
    pub is_security_critical: bool,
    /// When it was reported last.
    pub created_at: Timestamp,
}

/// What is kept beside a finding.
///
/// # Errors
/// Not found when there is no such finding.
pub async fn of(tx: &mut TenantTx, finding: FindingId) -> Result<Kept, db::Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query("SELECT FROM countersign.findings WHERE tenant_id = $1 AND id = $2")
        .bind(tenant)
        .bind(finding.uuid())
        .fetch_one(tx.conn())
        .await?;
    let violation = sqlx::query_as(
        "SELECT v.policy_id, (
           SELECT x.exception_id FROM countersign.excepted x
           WHERE x.tenant_id = v.tenant_id AND x.finding_id = v.finding_id
             AND x.status = 'approved' AND x.expires_at > clock_timestamp()
           ORDER BY x.expires_at DESC
           LIMIT 1) AS exception_id
         FROM countersign.violations v
         WHERE v.tenant_id = $1 AND v.finding_id = $2",
    )
    .bind(tenant)
    .bind(finding.uuid())
    .fetch_optional(tx.conn())
    .await?;
    let mut drift: Option<Drift> = sqlx::query_as(
        "SELECT d.iac_resource_id, coalesce(d.iac_repository_id, r.iac_repository_id)
             AS iac_repository_id,
           d.scan_id, d.drift_type, d.actual_state, d.declared_state, d.risk_assessment, d.tags,
           d.metadata
         FROM countersign.drift_events d
         LEFT JOIN countersign.iac_resources r
           ON r.tenant_id = d.tenant_id AND r.id = d.iac_resource_id
         WHERE d.tenant_id = $1 AND d.finding_id = $2",
    )
    .bind(tenant)
    .bind(finding.uuid())
    .fetch_optional(tx.conn())
    .await?;
    if let Some(drift) = &mut drift {
        drift.changes = sqlx::query_as(
            "SELECT property_path, declared_value, actual_value, change_type,
               is_security_critical, created_at
             FROM countersign.drift_changes WHERE tenant_id = $1 AND finding_id = $2 ORDER BY id",
        )
        .bind(tenant)
        .bind(finding.uuid())
        .fetch_all(tx.conn())
        .await?;
    }
    Ok(Kept { violation, drift })
}
