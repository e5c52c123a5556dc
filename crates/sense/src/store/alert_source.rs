//! Sources of alerts in the database.

use db::TenantTx;
use model::id::{ActorId, AlertSourceId, CredentialId};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::word;
use crate::alert::generic::Mapping;
use crate::source::{AlertSource, SourceKind};

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    kind: String,
    actor_id: Uuid,
    mapping: Option<Value>,
    secret_id: Option<Uuid>,
    previous_secret_id: Option<Uuid>,
    is_active: bool,
    created_at: jiff_sqlx::Timestamp,
}

impl Row {
    fn source(self) -> Result<AlertSource, db::Error> {
        let mapping = self.mapping.as_ref().map(Mapping::from_value).transpose();
        Ok(AlertSource {
            id: self.id.into(),
            name: self.name,
            kind: word::<SourceKind>(&self.kind)?,
            actor_id: self.actor_id.into(),
            mapping: mapping.map_err(db::Error::internal)?,
            secret_id: self.secret_id.map(Into::into),
            previous_secret_id: self.previous_secret_id.map(Into::into),
            is_active: self.is_active,
            created_at: self.created_at.to_jiff(),
        })
    }
}

/// All sources, by name.
///
/// # Errors
/// When the database fails.
pub async fn all(tx: &mut TenantTx) -> Result<Vec<AlertSource>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, kind, actor_id, mapping, secret_id, previous_secret_id, is_active,
                created_at
         FROM countersign.alert_sources
         WHERE tenant_id = $1
         ORDER BY name
         LIMIT 1000",
    )
    .bind(tenant)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Row::source).collect()
}

/// The source of this name.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none.
pub async fn by_name(tx: &mut TenantTx, name: &str) -> Result<AlertSource, db::Error> {
    let tenant = tx.tenant().uuid();
    let row: Row = sqlx::query_as(
        "SELECT id, name, kind, actor_id, mapping, secret_id, previous_secret_id, is_active,
                created_at
         FROM countersign.alert_sources
         WHERE tenant_id = $1 AND name = $2",
    )
    .bind(tenant)
    .bind(name)
    .fetch_one(tx.conn())
    .await?;
    row.source()
}

/// The source that acts as this actor, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn of_actor(tx: &mut TenantTx, actor: ActorId) -> Result<Option<AlertSource>, db::Error> {
    let tenant = tx.tenant().uuid();
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, name, kind, actor_id, mapping, secret_id, previous_secret_id, is_active,
                created_at
         FROM countersign.alert_sources
         WHERE tenant_id = $1 AND actor_id = $2",
    )
    .bind(tenant)
    .bind(actor.uuid())
    .fetch_optional(tx.conn())
    .await?;
    row.map(Row::source).transpose()
}

/// What is needed to add a source.
#[derive(Debug, Clone)]
pub struct NewSource<'a> {
    /// Its name, unique.
    pub name: &'a str,
    /// In which form it sends.
    pub kind: SourceKind,
    /// As whom it acts; one source an actor.
    pub actor_id: ActorId,
    /// Where the fields of its alerts are; needed for generic sources.
    pub mapping: Option<&'a Mapping>,
    /// The secret it signs with; needed for generic sources.
    pub secret_id: Option<CredentialId>,
}

/// Adds a source.
///
/// # Errors
/// A conflict with `alert_sources_name_key` or `alert_sources_actor_key`; invalid with
/// `alert_sources_signed` when a generic source has no mapping or no secret.
pub async fn insert(tx: &mut TenantTx, source: NewSource<'_>) -> Result<AlertSourceId, db::Error> {
    let tenant = tx.tenant().uuid();
    let id = AlertSourceId::generate();
    let mapping = source.mapping.map(serde_json::to_value).transpose();
    sqlx::query(
        "INSERT INTO countersign.alert_sources
           (tenant_id, id, name, kind, actor_id, mapping, secret_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(source.name)
    .bind(source.kind.word())
    .bind(source.actor_id.uuid())
    .bind(mapping.map_err(db::Error::internal)?)
    .bind(source.secret_id.map(CredentialId::uuid))
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// Gives a source a new signing secret; the one it has now counts on until it is dropped.
///
/// # Errors
/// [`db::Error::NotFound`] when there is no such source.
pub async fn rotate(
    tx: &mut TenantTx,
    id: AlertSourceId,
    secret: CredentialId,
) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let done = sqlx::query(
        "UPDATE countersign.alert_sources
         SET previous_secret_id = secret_id, secret_id = $3, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .bind(secret.uuid())
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}

/// Lets a source send, or not; says whether that was otherwise before.
///
/// # Errors
/// When the database fails.
pub async fn switch(tx: &mut TenantTx, id: AlertSourceId, active: bool) -> Result<bool, db::Error> {
    let done = sqlx::query(
        "UPDATE countersign.alert_sources
         SET is_active = $3, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2 AND is_active <> $3",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(active)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a rotation: only the current secret counts from now on.
///
/// # Errors
/// [`db::Error::NotFound`] when there is no such source.
pub async fn drop_previous_secret(tx: &mut TenantTx, id: AlertSourceId) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let done = sqlx::query(
        "UPDATE countersign.alert_sources
         SET previous_secret_id = NULL, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}
