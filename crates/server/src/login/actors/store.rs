//! Actors by name, as the database holds them.

use db::{Error, TenantTx};
use model::actor::ActorKind;
use model::id::ActorId;

/// What kind of actor it is, and what people call it; `None` when this tenant has none of this id.
///
/// # Errors
/// When the database is not available.
pub(super) async fn named(
    tx: &mut TenantTx,
    id: ActorId,
) -> Result<Option<(ActorKind, String)>, Error> {
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT type, display_name
         FROM countersign.actors
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    row.map(|(kind, name)| Ok((kind.parse().map_err(Error::internal)?, name))).transpose()
}
