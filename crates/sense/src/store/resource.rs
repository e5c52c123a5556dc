//! Whether resources are there.

use db::TenantTx;
use model::id::ResourceId;

/// Finds a resource.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn exists(tx: &mut TenantTx, id: ResourceId) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let _found: i32 =
        sqlx::query_scalar("SELECT 1 FROM countersign.resources WHERE tenant_id = $1 AND id = $2")
            .bind(tenant)
            .bind(id.uuid())
            .fetch_one(tx.conn())
            .await?;
    Ok(())
}
