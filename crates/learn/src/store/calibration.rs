//! What decisions rested on and what came of them, as far as somebody verified it.

use db::{Error, TenantTx};
use jiff_sqlx::ToSqlx as _;
use model::Timestamp;

use crate::calibration::Seen;

/// What was predicted of changes whose outcome was verified since then.
///
/// The prediction is the mean probability of failure of the risk assessment behind the decision an execution ran by; of what
/// ran elsewhere, behind the last decision before the outcome. Failure of a change is predicted
/// before what production makes of it, so the score is not what is compared.
///
/// # Errors
/// When the database is not available.
pub async fn seen(tx: &mut TenantTx, since: Timestamp) -> Result<Vec<Seen>, Error> {
    let rows: Vec<(String, f64, i64, i64)> = sqlx::query_as(
        "SELECT o.category, p.mean, count(*), count(*) FILTER (WHERE NOT o.success)
         FROM countersign.outcomes o
         LEFT JOIN countersign.executions e ON e.tenant_id = o.tenant_id AND e.id = o.execution_id
         CROSS JOIN LATERAL (
           SELECT (r.components #>> '{estimate,mean}')::float8 AS mean
           FROM countersign.decisions d
           JOIN countersign.risk_assessments r
             ON r.tenant_id = d.tenant_id AND r.id = d.risk_id
           WHERE d.tenant_id = o.tenant_id AND d.intent_id = o.intent_id
             AND (d.id = e.decision_id
               OR e.decision_id IS NULL AND d.created_at <= o.recorded_at)
           ORDER BY d.id DESC
           LIMIT 1) p
         WHERE o.tenant_id = $1 AND o.verified AND o.recorded_at >= $2 AND p.mean IS NOT NULL
         GROUP BY o.category, p.mean
         ORDER BY o.category, p.mean",
    )
    .bind(tx.tenant().uuid())
    .bind(since.to_sqlx())
    .fetch_all(tx.conn())
    .await?;
    let seen = |(category, predicted, n, failed): (String, f64, i64, i64)| Seen {
        category,
        predicted,
        n: u64::try_from(n).unwrap_or_default(),
        failed: u64::try_from(failed).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(seen).collect())
}
