//! API keys and their holders, as the database holds them.

use db::object::{self, Column, Filter, Holds, Kind, ListRequest, Test};
use db::{Error, Page, TenantTx};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx as _};
use model::Digest;
use model::actor::Role;
use model::id::{ActorId, ApiKeyId};
use sqlx::FromRow;
use uuid::Uuid;

/// An API key to keep.
#[derive(Debug)]
pub(super) struct NewKey<'a> {
    /// Whose it is.
    pub(super) actor: ActorId,
    /// What people call it.
    pub(super) name: &'a str,
    /// Its public part.
    pub(super) public_id: &'a str,
    /// SHA-256 of the whole.
    pub(super) hash: &'a Digest,
    /// The permissions it is for; all its holder has when there are none.
    pub(super) scopes: &'a [String],
    /// What its quota is counted by.
    pub(super) tier: &'a str,
    /// Who made it.
    pub(super) created_by: ActorId,
    /// When it ends.
    pub(super) expires_at: Option<model::Timestamp>,
}

/// Keeps an API key.
pub(super) async fn insert(tx: &mut TenantTx, key: &NewKey<'_>) -> Result<ApiKeyId, Error> {
    let id = ApiKeyId::generate();
    sqlx::query(
        "INSERT INTO countersign.api_keys
           (tenant_id, id, actor_id, name, key_prefix, key_hash, scopes, tier, created_by,
            expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(key.actor.uuid())
    .bind(key.name)
    .bind(key.public_id)
    .bind(&key.hash.as_bytes()[..])
    .bind(key.scopes)
    .bind(key.tier)
    .bind(key.created_by.uuid())
    .bind(key.expires_at.map(jiff::Timestamp::to_sqlx))
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// An API key as listed: never its secret.
#[derive(Debug, FromRow)]
pub(super) struct KeyRow {
    pub(super) id: Uuid,
    pub(super) actor_id: Uuid,
    pub(super) name: String,
    pub(super) key_prefix: String,
    pub(super) scopes: Vec<String>,
    pub(super) tier: String,
    pub(super) roles: Vec<String>,
    pub(super) r#type: String,
    pub(super) is_active: bool,
    pub(super) created_at: SqlTimestamp,
    pub(super) last_used_at: Option<SqlTimestamp>,
    pub(super) expires_at: Option<SqlTimestamp>,
}

/// By what keys are listed.
pub(super) const KEYS: Kind = Kind {
    word: "api_key",
    table: "(SELECT k.*, a.roles, a.type
             FROM countersign.api_keys k
             JOIN countersign.actors a ON a.tenant_id = k.tenant_id AND a.id = k.actor_id)",
    columns: &[
        Column::new("actor_id", Holds::Id).filter(),
        Column::new("name", Holds::Text).filter().search(),
        Column::new("key_prefix", Holds::Text).filter().search(),
        Column::new("type", Holds::Text).filter(),
        Column::new("tier", Holds::Text).filter(),
        Column::new("roles", Holds::Texts).filter(),
        Column::new("scopes", Holds::Texts).filter(),
        Column::new("is_active", Holds::Boolean).filter(),
        Column::new("created_at", Holds::Time).filter().age(),
        Column::new("last_used_at", Holds::Time).filter(),
        Column::new("expires_at", Holds::Time).filter(),
    ],
    natural: &[],
};

/// A page of keys, newest first unless sorted; with a holder, only theirs.
pub(super) async fn list(
    tx: &mut TenantTx,
    of: Option<ActorId>,
    mut wanted: ListRequest,
) -> Result<Page<KeyRow>, Error> {
    if let Some((column, of)) = KEYS.column("actor_id").zip(of) {
        let test = Test::OneOf(vec![of.uuid().to_string()]);
        wanted.filters.push(Filter { column, test });
    }
    let statement =
        "SELECT k.id, k.actor_id, k.name, k.key_prefix, k.scopes, k.tier, a.roles, a.type,
                k.is_active, k.created_at, k.last_used_at, k.expires_at
         FROM countersign.api_keys k
         JOIN countersign.actors a ON a.tenant_id = k.tenant_id AND a.id = k.actor_id
         WHERE k.tenant_id = $1 AND k.id = ANY ($2)";
    object::read(tx, &KEYS, &wanted, statement, |row: &KeyRow| row.id).await
}

/// Ends a key for good; with a holder, only if it is theirs.
pub(super) async fn revoke(
    tx: &mut TenantTx,
    id: ApiKeyId,
    of: Option<ActorId>,
) -> Result<bool, Error> {
    let ended = sqlx::query(
        "UPDATE countersign.api_keys SET is_active = false
         WHERE tenant_id = $1 AND id = $2 AND ($3::uuid IS NULL OR actor_id = $3)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(of.map(ActorId::uuid))
    .execute(tx.conn())
    .await?
    .rows_affected();
    Ok(ended > 0)
}

/// Whoever holds keys and is no person.
#[derive(Debug, FromRow)]
pub(super) struct HolderRow {
    pub(super) id: Uuid,
    pub(super) r#type: String,
    pub(super) display_name: String,
    pub(super) roles: Vec<String>,
    pub(super) is_active: bool,
    pub(super) keys: i64,
    pub(super) created_at: SqlTimestamp,
}

/// By what services and agents are listed; the one that stands for the server itself is none.
pub(super) const HOLDERS: Kind = Kind {
    word: "service_account",
    table: "(SELECT a.*, a.display_name AS name FROM countersign.actors a
             WHERE a.type <> 'user' AND a.id <> '00000000-0000-7000-8000-0000000000c5')",
    columns: &[
        Column::new("name", Holds::Text).filter().search(),
        Column::new("type", Holds::Text).filter(),
        Column::new("roles", Holds::Texts).filter(),
        Column::new("is_active", Holds::Boolean).filter(),
        Column::new("created_at", Holds::Time).filter().age(),
    ],
    natural: &[],
};

/// A page of services and agents, newest first unless sorted.
pub(super) async fn holders(
    tx: &mut TenantTx,
    wanted: &ListRequest,
) -> Result<Page<HolderRow>, Error> {
    let statement = "SELECT a.id, a.type, a.display_name, a.roles, a.is_active, a.created_at,
                (SELECT count(*) FROM countersign.api_keys k
                 WHERE k.tenant_id = a.tenant_id AND k.actor_id = a.id AND k.is_active) AS keys
         FROM countersign.actors a
         WHERE a.tenant_id = $1 AND a.id = ANY ($2)";
    object::read(tx, &HOLDERS, wanted, statement, |row: &HolderRow| row.id).await
}

/// One service or agent, held until the transaction ends.
pub(super) async fn holder(tx: &mut TenantTx, id: ActorId) -> Result<Option<HolderRow>, Error> {
    Ok(sqlx::query_as(
        "SELECT a.id, a.type, a.display_name, a.roles, a.is_active, a.created_at,
                (SELECT count(*) FROM countersign.api_keys k
                 WHERE k.tenant_id = a.tenant_id AND k.actor_id = a.id AND k.is_active) AS keys
         FROM countersign.actors a
         WHERE a.tenant_id = $1 AND a.id = $2 AND a.type <> 'user' AND a.id <> $3
         FOR UPDATE OF a",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(model::actor::service().uuid())
    .fetch_optional(tx.conn())
    .await?)
}

/// Changes what a service or agent may do, and whether it may act; what is `None` stays.
pub(super) async fn change_holder(
    tx: &mut TenantTx,
    id: ActorId,
    roles: Option<&[Role]>,
    is_active: Option<bool>,
) -> Result<(), Error> {
    let words: Option<Vec<&str>> =
        roles.map(|roles| roles.iter().map(|role| role.word()).collect());
    sqlx::query(
        "UPDATE countersign.actors
         SET roles = coalesce($3, roles), is_active = coalesce($4, is_active),
             updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(words)
    .bind(is_active)
    .execute(tx.conn())
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::HOLDERS;

    #[test]
    fn the_actor_that_stands_for_the_server_is_in_no_list() {
        assert!(HOLDERS.table.contains(&model::actor::service().uuid().to_string()));
    }
}
