//! What a tenant wants kept how long.

use std::collections::BTreeMap;

use db::{Error, TenantTx};
use model::id::ActorId;

use crate::rule::{Class, Rules};

/// The rules of the tenant.
///
/// # Errors
/// When they cannot be read.
pub async fn read(tx: &mut TenantTx) -> Result<Rules, Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<(String, i32)> =
        sqlx::query_as("SELECT class, keep FROM countersign.retention_rules WHERE tenant_id = $1")
            .bind(tenant)
            .fetch_all(tx.conn())
            .await?;
    let own = rows
        .into_iter()
        .map(|(class, keep)| {
            let class: Class = class.parse().map_err(Error::internal)?;
            Ok((class, u32::try_from(keep).map_err(Error::internal)?))
        })
        .collect::<Result<BTreeMap<_, _>, Error>>()?;
    Ok(Rules::of(own))
}

/// Sets how long things of a class are kept; none is the default again.
///
/// # Errors
/// When it cannot be written.
pub async fn set(
    tx: &mut TenantTx,
    class: Class,
    keep: Option<u32>,
    by: ActorId,
) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    let Some(keep) = keep else {
        sqlx::query("DELETE FROM countersign.retention_rules WHERE tenant_id = $1 AND class = $2")
            .bind(tenant)
            .bind(class.word())
            .execute(tx.conn())
            .await?;
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO countersign.retention_rules (tenant_id, class, keep, updated_by)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT retention_rules_pk DO UPDATE
         SET keep = EXCLUDED.keep, updated_by = EXCLUDED.updated_by,
             updated_at = clock_timestamp()",
    )
    .bind(tenant)
    .bind(class.word())
    .bind(i32::try_from(keep).map_err(Error::internal)?)
    .bind(by.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}
