//! The tenant's own row.

use db::{Error, TenantTx};
use jiff_sqlx::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

/// A tenant.
#[derive(FromRow)]
pub(crate) struct Tenant {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) contact_email: Option<String>,
    pub(crate) tier: String,
    pub(crate) is_active: bool,
    pub(crate) created_by: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// The tenant one is in.
pub(crate) async fn get(tx: &mut TenantTx) -> Result<Tenant, Error> {
    Ok(sqlx::query_as(
        "SELECT id, slug, name, description, contact_email, tier, is_active, created_by,
           created_at, updated_at
         FROM countersign.tenants WHERE id = $1",
    )
    .bind(tx.tenant().uuid())
    .fetch_one(tx.conn())
    .await?)
}

/// The same, kept from others' changes. Rows that refer to it are still written meanwhile.
pub(crate) async fn hold(tx: &mut TenantTx) -> Result<Tenant, Error> {
    sqlx::query("SELECT FROM countersign.tenants WHERE id = $1 FOR NO KEY UPDATE")
        .bind(tx.tenant().uuid())
        .fetch_one(tx.conn())
        .await?;
    get(tx).await
}

/// Replaces what the tenant says about itself.
pub(crate) async fn replace(
    tx: &mut TenantTx,
    name: &str,
    description: &str,
    contact_email: Option<&str>,
) -> Result<Tenant, Error> {
    sqlx::query(
        "UPDATE countersign.tenants
         SET name = $2, description = $3, contact_email = $4, updated_at = clock_timestamp()
         WHERE id = $1",
    )
    .bind(tx.tenant().uuid())
    .bind(name)
    .bind(description)
    .bind(contact_email)
    .execute(tx.conn())
    .await?;
    get(tx).await
}
