//! What a scan closed because a rule of the tenant's says by now that it does not count.

use db::TenantTx;
use model::id::RepositoryId;
use sqlx::FromRow;
use uuid::Uuid;

use super::super::{ignore, word};
use crate::drift::{Change, ChangeType, Drift, path};

/// What was seen of a drift last, as far as rules ask about it.
#[derive(FromRow)]
struct Row {
    finding_id: Uuid,
    drift_type: String,
    address: String,
    kind: String,
    paths: Vec<String>,
}

/// Says of findings that a scan closed which of them are ignored and not fixed: a scan leaves out both
/// alike. What is both counts as ignored.
///
/// # Errors
/// When the database fails.
pub(super) async fn mark(
    tx: &mut TenantTx,
    repository: RepositoryId,
    closed: &[Uuid],
) -> Result<(), db::Error> {
    if closed.is_empty() {
        return Ok(());
    }
    let ignores = ignore::active(tx, repository).await?;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT d.finding_id, d.drift_type, coalesce(d.metadata ->> 'address', '') AS address,
                coalesce(d.metadata ->> 'type', '') AS kind,
                ARRAY(SELECT c.property_path FROM countersign.drift_changes c
                      WHERE c.tenant_id = d.tenant_id AND c.finding_id = d.finding_id) AS paths
         FROM countersign.drift_events d
         WHERE d.tenant_id = $1 AND d.finding_id = ANY ($2)",
    )
    .bind(tx.tenant().uuid())
    .bind(closed)
    .fetch_all(tx.conn())
    .await?;
    let mut ignored = Vec::new();
    for row in rows {
        let id = row.finding_id;
        if ignores.left(row.drift()?).is_none() {
            ignored.push(id);
        }
    }
    if ignored.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE countersign.findings SET resolution_type = 'ignored'
         WHERE tenant_id = $1 AND id = ANY ($2)",
    )
    .bind(tx.tenant().uuid())
    .bind(ignored)
    .execute(tx.conn())
    .await?;
    Ok(())
}

impl Row {
    fn drift(self) -> Result<Drift, db::Error> {
        let change = |at: String| Change {
            steps: path::parse(&at),
            path: at,
            change: ChangeType::Modified,
            declared: None,
            actual: None,
        };
        Ok(Drift {
            drift: word(&self.drift_type)?,
            address: self.address,
            kind: self.kind,
            id: None,
            changes: self.paths.into_iter().map(change).collect(),
            declared: None,
            actual: None,
        })
    }
}
