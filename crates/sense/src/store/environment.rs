//! Environments in the database.

use std::collections::BTreeMap;

use db::TenantTx;
use model::id::EnvironmentId;
use model::level::EnvironmentClass;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::word;
use crate::inventory::Environment;

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    slug: String,
    class: String,
    tags: Json<BTreeMap<String, String>>,
    is_active: bool,
}

impl Row {
    fn environment(self) -> Result<Environment, db::Error> {
        Ok(Environment {
            id: self.id.into(),
            name: self.name,
            slug: self.slug,
            class: word::<EnvironmentClass>(&self.class)?,
            tags: self.tags.0,
            is_active: self.is_active,
        })
    }
}

/// All environments, by slug.
///
/// # Errors
/// When the database fails.
pub async fn all(tx: &mut TenantTx) -> Result<Vec<Environment>, db::Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, slug, class, tags, is_active
         FROM countersign.environments
         WHERE tenant_id = $1
         ORDER BY slug
         LIMIT 1000",
    )
    .bind(tenant)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Row::environment).collect()
}

/// One environment.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn get(tx: &mut TenantTx, id: EnvironmentId) -> Result<Environment, db::Error> {
    let tenant = tx.tenant().uuid();
    let row: Row = sqlx::query_as(
        "SELECT id, name, slug, class, tags, is_active
         FROM countersign.environments
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    row.environment()
}

/// Adds an environment.
///
/// # Errors
/// A conflict with `environments_slug_key` when the slug is taken.
pub async fn insert(tx: &mut TenantTx, environment: &Environment) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(
        "INSERT INTO countersign.environments (tenant_id, id, name, slug, class, tags, is_active)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tenant)
    .bind(environment.id.uuid())
    .bind(&environment.name)
    .bind(&environment.slug)
    .bind(environment.class.word())
    .bind(Json(&environment.tags))
    .bind(environment.is_active)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Replaces an environment.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id; a conflict when the slug is taken.
pub async fn update(tx: &mut TenantTx, environment: &Environment) -> Result<(), db::Error> {
    let tenant = tx.tenant().uuid();
    let done = sqlx::query(
        "UPDATE countersign.environments
         SET name = $3, slug = $4, class = $5, tags = $6, is_active = $7,
             updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(environment.id.uuid())
    .bind(&environment.name)
    .bind(&environment.slug)
    .bind(environment.class.word())
    .bind(Json(&environment.tags))
    .bind(environment.is_active)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}
