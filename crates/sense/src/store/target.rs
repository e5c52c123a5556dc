//! Targets: servers with the way to reach them, read for planning.

use std::collections::BTreeMap;

use db::TenantTx;
use model::level::EnvironmentClass;
use model::plan::Target;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::word;
use crate::inventory::{OsType, Selector, TargetFacts};

/// The most servers one tenant may have before selectors must be answered by the database.
const MAX_TARGETS: i64 = 10_000;

#[derive(FromRow)]
struct Row {
    resource_id: Uuid,
    connection_id: Uuid,
    name: String,
    hostname: Option<String>,
    os_type: Option<String>,
    tags: Json<BTreeMap<String, String>>,
    host: String,
    port: i32,
    username: String,
    transport: String,
    guard_dir: Option<String>,
    credential_id: Option<Uuid>,
    credential_version: Option<i32>,
    host_keys: Vec<String>,
    environment_id: Uuid,
    environment_name: String,
    environment_slug: String,
    environment_class: String,
}

impl Row {
    fn facts(self) -> Result<TargetFacts, db::Error> {
        let version = self.credential_version.map(u32::try_from).transpose();
        Ok(TargetFacts {
            hostname: self.hostname.unwrap_or_else(|| self.host.clone()),
            os_type: self.os_type.as_deref().map_or(Ok(OsType::Linux), word)?,
            tags: self.tags.0,
            environment_id: self.environment_id.into(),
            environment_name: self.environment_name,
            environment_slug: self.environment_slug,
            target: Target {
                resource_id: self.resource_id.into(),
                connection_id: self.connection_id.into(),
                name: self.name,
                host: self.host,
                port: u16::try_from(self.port).map_err(db::Error::internal)?,
                username: self.username,
                transport: self.transport,
                credential_id: self.credential_id.map(Into::into),
                credential_version: version.map_err(db::Error::internal)?,
                host_keys: self.host_keys,
                guard_dir: self.guard_dir,
                // A class nobody knows is an error, never a default.
                environment: word::<EnvironmentClass>(&self.environment_class)?,
            },
        })
    }
}

/// The active servers a selector means that can be reached, by name.
///
/// # Errors
/// When the database fails, or holds an environment class nobody knows.
pub async fn targets(
    tx: &mut TenantTx,
    selector: &Selector,
) -> Result<Vec<TargetFacts>, db::Error> {
    let all = read(tx, selector, &[]).await?;
    // Globs are matched in one place only, so that lists, plans and guards agree on them.
    Ok(selector.choose(all))
}

/// The active servers of these names or ids that can be reached, by name; of none when none is
/// given. A name need not be unique.
///
/// # Errors
/// As [`targets`].
pub async fn called(
    tx: &mut TenantTx,
    names_or_ids: &[String],
) -> Result<Vec<TargetFacts>, db::Error> {
    if names_or_ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = names_or_ids.iter().filter_map(|text| text.parse().ok()).collect();
    read(tx, &Selector { ids, ..Selector::default() }, names_or_ids).await
}

async fn read(
    tx: &mut TenantTx,
    selector: &Selector,
    names: &[String],
) -> Result<Vec<TargetFacts>, db::Error> {
    let tenant = tx.tenant().uuid();
    let ids: Vec<Uuid> = selector.ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<Row> = sqlx::query_as(include_str!("target/targets.sql"))
        .bind(tenant)
        .bind(ids)
        .bind(Json(&selector.tags))
        .bind(selector.environment.as_deref())
        .bind(MAX_TARGETS)
        .bind(names)
        .fetch_all(tx.conn())
        .await?;
    rows.into_iter().map(Row::facts).collect()
}
