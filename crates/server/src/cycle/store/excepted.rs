//! What people call what an exception is to be about.

use db::{Error, TenantTx};
use model::id::{ProviderPolicyId, ResourceId};
use model::level::EnvironmentClass;

/// The name of a policy in the catalogue of the providers'; `None` when it is not there.
pub(in crate::cycle) async fn policy(
    tx: &mut TenantTx,
    id: ProviderPolicyId,
) -> Result<Option<String>, Error> {
    Ok(sqlx::query_scalar("SELECT name FROM countersign.policies WHERE tenant_id = $1 AND id = $2")
        .bind(tx.tenant().uuid())
        .bind(id.uuid())
        .fetch_optional(tx.conn())
        .await?)
}

/// The name of a resource and the class of its environment; `None` when it is not there.
pub(in crate::cycle) async fn resource(
    tx: &mut TenantTx,
    id: ResourceId,
) -> Result<Option<(String, EnvironmentClass)>, Error> {
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT r.name, e.class
         FROM countersign.resources r
         JOIN countersign.environments e
           ON e.tenant_id = r.tenant_id AND e.id = r.environment_id
         WHERE r.tenant_id = $1 AND r.id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    row.map(|(name, class)| Ok((name, class.parse().map_err(Error::internal)?))).transpose()
}
