//! Differences that do not count, as the database keeps them.

use db::TenantTx;
use model::id::RepositoryId;

use crate::drift::ignore::{Ignore, Ignores};

/// What does not count for a source now: an expired rule no longer does.
///
/// # Errors
/// When the database fails.
pub async fn active(tx: &mut TenantTx, repository: RepositoryId) -> Result<Ignores, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "SELECT resource_type, address, property_path
         FROM countersign.drift_ignore_rules
         WHERE tenant_id = $1
           AND (iac_repository_id IS NULL OR iac_repository_id = $2)
           AND (expires_at IS NULL OR expires_at > clock_timestamp())
         ORDER BY id",
    )
    .bind(tenant)
    .bind(repository.uuid())
    .fetch_all(tx.conn())
    .await?;
    let rules = rows.iter().map(|(types, addresses, path)| {
        Ignore::new(types, addresses, path.as_deref()).map_err(db::Error::internal)
    });
    rules.collect()
}
