//! What people labelled, with what was known then: what models are trained on.

use db::{Error, TenantTx};
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::Timestamp;
use serde_json::Value;

/// Rows that are given at most, the latest.
const MOST: i64 = 100_000;

/// A labelled finding.
#[derive(Debug, Clone)]
pub struct Labelled {
    /// What was known around it in numbers.
    pub features: Vec<f64>,
    /// Why it came about.
    pub label: String,
    /// When it was noticed.
    pub at: Timestamp,
    /// How likely evidence or a model found each cause.
    pub stated: Option<Value>,
}

/// Findings whose cause people labelled with one of these words, the earliest first.
///
/// Only those with numbers of this version of the list of features.
///
/// # Errors
/// When the database fails.
pub async fn all(
    tx: &mut TenantTx,
    features: u32,
    causes: &[&str],
) -> Result<Vec<Labelled>, Error> {
    let rows: Vec<(Vec<f64>, String, SqlTimestamp, Option<Value>)> = sqlx::query_as(
        "SELECT x.features, x.cause_category, x.began_at, x.stated
         FROM (
           SELECT c.features, c.cause_category, f.began_at, c.decided_by -> 'posteriors' AS stated,
             f.id
           FROM countersign.cause_analyses c
           JOIN countersign.findings f ON f.tenant_id = c.tenant_id AND f.id = c.finding_id
           WHERE c.tenant_id = $1 AND c.decided_by ->> 'by' = 'person'
             AND c.features_version = $2 AND c.cause_category = ANY ($3)
           ORDER BY f.began_at DESC, f.id DESC
           LIMIT $4) x
         ORDER BY x.began_at, x.id",
    )
    .bind(tx.tenant().uuid())
    .bind(i32::try_from(features).unwrap_or(i32::MAX))
    .bind(causes)
    .bind(MOST)
    .fetch_all(tx.conn())
    .await?;
    let row = |(features, label, at, stated): (_, _, SqlTimestamp, _)| Labelled {
        features,
        label,
        at: at.to_jiff(),
        stated,
    };
    Ok(rows.into_iter().map(row).collect())
}
