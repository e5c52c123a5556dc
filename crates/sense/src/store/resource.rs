//! Resources in the database.

use std::collections::BTreeMap;

use db::{Cursor, Page, PageRequest, TenantTx};
use model::id::{ActorId, ResourceId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::word;
use crate::inventory::Resource;

#[derive(FromRow)]
struct Row {
    id: Uuid,
    environment_id: Uuid,
    external_id: String,
    provider: String,
    kind: String,
    name: String,
    hostname: Option<String>,
    os_type: Option<String>,
    owner_team: Option<String>,
    tags: Json<BTreeMap<String, String>>,
    status: String,
}

impl Row {
    fn resource(self) -> Result<Resource, db::Error> {
        Ok(Resource {
            id: self.id.into(),
            environment_id: self.environment_id.into(),
            external_id: self.external_id,
            provider: self.provider,
            kind: self.kind,
            name: self.name,
            hostname: self.hostname,
            os_type: self.os_type.as_deref().map(word).transpose()?,
            owner_team: self.owner_team,
            tags: self.tags.0,
            status: self.status,
        })
    }
}

/// A page of resources, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &mut TenantTx, page: &PageRequest) -> Result<Page<Resource>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, environment_id, external_id, provider, kind, name, hostname, os_type,
                owner_team, tags, status
         FROM countersign.resources
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC
         LIMIT $3",
    )
    .bind(tenant)
    .bind(page.after_id())
    .bind(page.fetch())
    .fetch_all(tx.conn())
    .await?;
    let page = page.page(rows, |row| Cursor::Id(row.id));
    let items = page.items.into_iter().map(Row::resource).collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor: page.next_cursor, has_next: page.has_next })
}

/// One resource.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn get(tx: &mut TenantTx, id: ResourceId) -> Result<Resource, db::Error> {
    let tenant = tx.tenant().uuid();
    let row: Row = sqlx::query_as(
        "SELECT id, environment_id, external_id, provider, kind, name, hostname, os_type,
                owner_team, tags, status
         FROM countersign.resources
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    row.resource()
}

/// Adds a resource.
///
/// # Errors
/// A conflict with `resources_external_id_key` when its provider's name for it is taken;
/// invalid with `resources_environment_fk` when there is no such environment.
pub async fn insert(tx: &mut TenantTx, resource: &Resource, by: ActorId) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "INSERT INTO countersign.resources
           (tenant_id, id, environment_id, external_id, provider, kind, name, hostname, os_type,
            owner_team, tags, status, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(tenant)
    .bind(resource.id.uuid())
    .bind(resource.environment_id.uuid())
    .bind(&resource.external_id)
    .bind(&resource.provider)
    .bind(&resource.kind)
    .bind(&resource.name)
    .bind(resource.hostname.as_deref())
    .bind(resource.os_type.map(crate::inventory::OsType::word))
    .bind(resource.owner_team.as_deref())
    .bind(Json(&resource.tags))
    .bind(&resource.status)
    .bind(by.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Replaces what may change of a resource: not its provider, its provider's name for it, its kind.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn update(tx: &mut TenantTx, resource: &Resource) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let done = sqlx::query(
        "UPDATE countersign.resources
         SET environment_id = $3, name = $4, hostname = $5, os_type = $6, owner_team = $7,
             tags = $8, status = $9, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(resource.id.uuid())
    .bind(resource.environment_id.uuid())
    .bind(&resource.name)
    .bind(resource.hostname.as_deref())
    .bind(resource.os_type.map(crate::inventory::OsType::word))
    .bind(resource.owner_team.as_deref())
    .bind(Json(&resource.tags))
    .bind(&resource.status)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}
