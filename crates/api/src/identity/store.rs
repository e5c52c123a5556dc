//! Sessions, keys and their actors, as the database holds them.

use std::collections::{BTreeMap, BTreeSet};

use db::TenantTx;
use model::Digest;
use model::actor::{Actor, Role};
use model::audit::Origin;
use model::id::{ActorId, ApiKeyId, SessionId, TenantId, UserId};
use sqlx::FromRow;
use uuid::Uuid;

use crate::caller::{Caller, Proof};
use crate::problem::Answer;
use crate::state::App;

/// A session found by its token.
#[derive(Debug, Clone, Copy)]
pub struct FoundSession {
    pub(super) tenant: TenantId,
    pub(super) id: SessionId,
}

/// A key found by its public id; its secret is still to be compared.
#[derive(Debug, Clone)]
pub struct FoundKey {
    pub(super) tenant: TenantId,
    pub(super) id: ApiKeyId,
    /// SHA-256 of the whole token.
    pub hash: Vec<u8>,
}

/// Looks a session up across tenants.
///
/// # Errors
/// When the database is not available.
pub async fn find_session(app: &App, hash: &Digest) -> Answer<Option<FoundSession>> {
    let mut tx = app.db.across().await?;
    let row: Option<(Uuid, Uuid)> =
        sqlx::query_as("SELECT tenant_id, id FROM countersign.find_session($1)")
            .bind(&hash.as_bytes()[..])
            .fetch_optional(tx.conn())
            .await
            .map_err(db::Error::from)?;
    Ok(row.map(|(tenant, id)| FoundSession { tenant: tenant.into(), id: id.into() }))
}

/// Looks keys up across tenants.
///
/// # Errors
/// When the database is not available.
pub async fn find_keys(app: &App, public_id: &str) -> Answer<Vec<FoundKey>> {
    let mut tx = app.db.across().await?;
    let rows: Vec<(Uuid, Uuid, Vec<u8>)> =
        sqlx::query_as("SELECT tenant_id, id, key_hash FROM countersign.find_api_key($1)")
            .bind(public_id)
            .fetch_all(tx.conn())
            .await
            .map_err(db::Error::from)?;
    Ok(rows
        .into_iter()
        .map(|(tenant, id, hash)| FoundKey { tenant: tenant.into(), id: id.into(), hash })
        .collect())
}

#[derive(FromRow)]
struct SessionRow {
    user_id: Uuid,
    must_change_password: bool,
    actor_id: Uuid,
    r#type: String,
    display_name: String,
    roles: Vec<String>,
    stale: bool,
}

#[derive(FromRow)]
struct KeyRow {
    scopes: Vec<String>,
    actor_id: Uuid,
    r#type: String,
    display_name: String,
    roles: Vec<String>,
    stale: bool,
}

#[derive(FromRow)]
struct ActorRow {
    actor_id: Uuid,
    r#type: String,
    display_name: String,
    roles: Vec<String>,
}

/// The same caller as of now: with today's roles, and `None` once the session or the key, the
/// user, the actor or the tenant is gone.
///
/// # Errors
/// When the database is not available.
pub async fn again(app: &App, caller: &Caller) -> Answer<Option<Caller>> {
    let (tenant, origin) = (caller.tenant(), caller.origin.clone());
    match &caller.proof {
        Proof::Session { id, .. } => {
            session_caller(app, FoundSession { tenant, id: *id }, None, origin).await
        }
        Proof::Key { id, .. } => {
            let found = FoundKey { tenant, id: *id, hash: Vec::new() };
            key_caller(app, &found, None, origin).await
        }
    }
}

/// The caller of a session that is active, not expired, of an active user in an active tenant;
/// notes the activity. With `token`, only if that is its token's hash.
///
/// # Errors
/// When the database is not available.
pub async fn session_caller(
    app: &App,
    found: FoundSession,
    token: Option<&Digest>,
    mut origin: Origin,
) -> Answer<Option<Caller>> {
    let mut tx = app.db.tenant(found.tenant).await?;
    let row: Option<SessionRow> = sqlx::query_as(
        "SELECT u.id AS user_id, u.must_change_password, a.id AS actor_id, a.type, a.display_name, a.roles,
                s.last_activity < clock_timestamp() - interval '1 minute' AS stale
         FROM countersign.user_sessions s
         JOIN countersign.users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
         JOIN countersign.actors a ON a.tenant_id = u.tenant_id AND a.id = u.actor_id
         JOIN countersign.tenants t ON t.id = s.tenant_id
         WHERE s.tenant_id = $1 AND s.id = $2 AND ($3::bytea IS NULL OR s.token_hash = $3)
           AND s.is_active AND s.expires_at > clock_timestamp()
           AND u.is_active AND a.is_active AND t.is_active",
    )
    .bind(found.tenant.uuid())
    .bind(found.id.uuid())
    .bind(token.map(|hash| &hash.as_bytes()[..]))
    .fetch_optional(tx.conn())
    .await
    .map_err(db::Error::from)?;
    let Some(row) = row else { return Ok(None) };
    // Once a minute is enough to tell live sessions from forgotten ones.
    if row.stale {
        sqlx::query(
            "UPDATE countersign.user_sessions SET last_activity = clock_timestamp()
             WHERE tenant_id = $1 AND id = $2",
        )
        .bind(found.tenant.uuid())
        .bind(found.id.uuid())
        .execute(tx.conn())
        .await
        .map_err(db::Error::from)?;
        noted(tx).await;
    }
    origin.session = Some(found.id.to_string());
    Ok(Some(Caller {
        actor: actor(found.tenant, row.actor_id, &row.r#type, row.display_name, &row.roles)?,
        proof: Proof::Session {
            id: found.id,
            user: UserId::from(row.user_id),
            must_change_password: row.must_change_password,
        },
        origin,
    }))
}

/// The caller of a key that is active and not expired, in an active tenant; notes the use. With
/// `token`, only if that is its token's hash.
///
/// # Errors
/// When the database is not available.
pub async fn key_caller(
    app: &App,
    found: &FoundKey,
    token: Option<&Digest>,
    origin: Origin,
) -> Answer<Option<Caller>> {
    let mut tx = app.db.tenant(found.tenant).await?;
    let row: Option<KeyRow> = sqlx::query_as(
        "SELECT k.scopes, a.id AS actor_id, a.type, a.display_name, a.roles,
                k.last_used_at IS NULL
                  OR k.last_used_at < clock_timestamp() - interval '1 minute' AS stale
         FROM countersign.api_keys k
         JOIN countersign.actors a ON a.tenant_id = k.tenant_id AND a.id = k.actor_id
         JOIN countersign.tenants t ON t.id = k.tenant_id
         WHERE k.tenant_id = $1 AND k.id = $2 AND ($3::bytea IS NULL OR k.key_hash = $3)
           AND k.is_active AND a.is_active AND t.is_active
           AND NOT EXISTS (
             SELECT FROM countersign.users u
             WHERE u.tenant_id = a.tenant_id AND u.actor_id = a.id AND NOT u.is_active)
           AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())",
    )
    .bind(found.tenant.uuid())
    .bind(found.id.uuid())
    .bind(token.map(|hash| &hash.as_bytes()[..]))
    .fetch_optional(tx.conn())
    .await
    .map_err(db::Error::from)?;
    let Some(row) = row else { return Ok(None) };
    if row.stale {
        sqlx::query(
            "UPDATE countersign.api_keys SET last_used_at = clock_timestamp()
             WHERE tenant_id = $1 AND id = $2",
        )
        .bind(found.tenant.uuid())
        .bind(found.id.uuid())
        .execute(tx.conn())
        .await
        .map_err(db::Error::from)?;
        noted(tx).await;
    }
    Ok(Some(Caller {
        actor: actor(found.tenant, row.actor_id, &row.r#type, row.display_name, &row.roles)?,
        proof: Proof::Key { id: found.id, scopes: row.scopes },
        origin,
    }))
}

/// Keeps that somebody was seen. Nothing of the request has begun yet and nothing depends on it, so
/// its failure is no answer to anybody.
async fn noted(tx: TenantTx) {
    if let Err(error) = tx.commit().await {
        tracing::warn!(%error, "when a session or key was last used is not kept");
    }
}

/// One actor of the transaction's tenant who may act: an inactive one, or one of an inactive
/// tenant, is nobody.
///
/// # Errors
/// When the database is not available.
pub async fn load_actor(tx: &mut TenantTx, id: ActorId) -> Result<Option<Actor>, db::Error> {
    let tenant = tx.tenant();
    let row: Option<ActorRow> = sqlx::query_as(
        "SELECT a.id AS actor_id, a.type, a.display_name, a.roles
         FROM countersign.actors a
         JOIN countersign.tenants t ON t.id = a.tenant_id
         WHERE a.tenant_id = $1 AND a.id = $2 AND a.is_active AND t.is_active
           AND NOT EXISTS (
             SELECT FROM countersign.users u
             WHERE u.tenant_id = a.tenant_id AND u.actor_id = a.id AND NOT u.is_active)",
    )
    .bind(tenant.uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| actor(tenant, row.actor_id, &row.r#type, row.display_name, &row.roles))
        .transpose()
}

/// The people of the transaction's tenant behind some mail addresses, by address in lower case.
///
/// # Errors
/// When the database is not available.
pub async fn by_mail(
    tx: &mut TenantTx,
    addresses: &[String],
) -> Result<BTreeMap<String, String>, db::Error> {
    let addresses: Vec<String> = addresses.iter().map(|address| address.to_lowercase()).collect();
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT lower(u.email), u.username
         FROM countersign.users u
         WHERE u.tenant_id = $1 AND lower(u.email) = ANY ($2)
         ORDER BY u.username DESC",
    )
    .bind(tx.tenant().uuid())
    .bind(&addresses)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().collect())
}

fn actor(
    tenant_id: TenantId,
    id: Uuid,
    kind: &str,
    display_name: String,
    roles: &[String],
) -> Result<Actor, db::Error> {
    let unreadable = |error: model::words::UnknownWord| db::Error::internal(error);
    Ok(Actor {
        id: id.into(),
        tenant_id,
        kind: kind.parse().map_err(unreadable)?,
        display_name,
        roles: roles
            .iter()
            .map(|role| role.parse::<Role>())
            .collect::<Result<BTreeSet<_>, _>>()
            .map_err(unreadable)?,
    })
}
