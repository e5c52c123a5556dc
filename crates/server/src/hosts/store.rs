//! The fingerprints of the deployment's keys in the database.

use db::{Error, TenantTx};
use model::audit::{Event, Who};
use model::id::DeploymentKeyId;

use super::KeyKind;

/// All fingerprints by kind, newest first. One host at a time.
pub(super) async fn lock(tx: &mut TenantTx) -> Result<Vec<(String, String)>, Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('countersign hosts', 0))")
        .execute(tx.conn())
        .await?;
    Ok(sqlx::query_as(
        "SELECT kind, fingerprint
         FROM countersign.deployment_keys
         WHERE tenant_id = $1
         ORDER BY created_at DESC, id DESC",
    )
    .bind(tenant)
    .fetch_all(tx.conn())
    .await?)
}

/// Keeps a fingerprint as the present one of its kind.
pub(super) async fn add(tx: &mut TenantTx, kind: KeyKind, fingerprint: &str) -> Result<(), Error> {
    let id = DeploymentKeyId::generate();
    sqlx::query(
        "INSERT INTO countersign.deployment_keys (tenant_id, id, kind, fingerprint)
         VALUES ($1, $2, $3, $4)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(kind.word())
    .bind(fingerprint)
    .execute(tx.conn())
    .await?;
    let event = Event::new(Who::service(), "deployment_key.known", "deployment_key", &id)
        .with("kind", kind.word())
        .with("fingerprint", fingerprint);
    tx.audit(&event).await?;
    Ok(())
}
