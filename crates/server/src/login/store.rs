//! Users, sessions and keys, as the database holds them.

use db::{Error, Page, PageRequest, TenantTx};
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::Digest;
use model::actor::{ActorKind, Role};
use model::audit::Origin;
use model::id::{ActorId, ApiKeyId, SessionId, TenantId, UserId};
use sqlx::FromRow;
use uuid::Uuid;

/// How long a session lasts, in hours.
pub const SESSION_HOURS: i32 = 12;

/// A user as login needs it.
#[derive(Debug, FromRow)]
pub struct LoginRow {
    /// The user.
    pub id: Uuid,
    /// Its actor.
    pub actor_id: Uuid,
    /// PHC hash.
    pub password_hash: Option<String>,
    /// Whether the password is a one-time one.
    pub must_change_password: bool,
    /// Whether it may log in.
    pub is_active: bool,
}

/// Closes the tenant: from the commit on none of its sessions and keys is known any more.
///
/// # Errors
/// When it cannot be written.
pub async fn close_tenant(tx: &mut TenantTx) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.tenants SET is_active = false, updated_at = clock_timestamp()
         WHERE id = $1",
    )
    .bind(tx.tenant().uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The tenant of this slug, looked up across tenants.
///
/// # Errors
/// When the database is not available.
pub async fn tenant_by_slug(db: &db::Db, slug: &str) -> Result<Option<TenantId>, Error> {
    let mut tx = db.across().await?;
    let id: Option<Uuid> = sqlx::query_scalar("SELECT countersign.find_tenant($1)")
        .bind(slug)
        .fetch_one(tx.conn())
        .await?;
    Ok(id.map(TenantId::from))
}

/// A user by name.
///
/// # Errors
/// When the database is not available.
pub async fn user_by_name(tx: &mut TenantTx, username: &str) -> Result<Option<LoginRow>, Error> {
    Ok(sqlx::query_as(
        "SELECT id, actor_id, password_hash, must_change_password, is_active
         FROM countersign.users WHERE tenant_id = $1 AND username = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(username)
    .fetch_optional(tx.conn())
    .await?)
}

/// A user by id.
///
/// # Errors
/// When the database is not available.
pub async fn user(tx: &mut TenantTx, id: UserId) -> Result<Option<LoginRow>, Error> {
    Ok(sqlx::query_as(
        "SELECT id, actor_id, password_hash, must_change_password, is_active
         FROM countersign.users WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?)
}

/// Opens a session and gives its id and end.
///
/// # Errors
/// When the database is not available.
pub async fn open_session(
    tx: &mut TenantTx,
    user: UserId,
    token: &Digest,
    origin: &Origin,
) -> Result<(SessionId, model::Timestamp), Error> {
    let id = SessionId::generate();
    let expires_at: SqlTimestamp = sqlx::query_scalar(
        "INSERT INTO countersign.user_sessions
           (tenant_id, id, user_id, token_hash, ip_address, user_agent, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(hours => $7))
         RETURNING expires_at",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(user.uuid())
    .bind(&token.as_bytes()[..])
    .bind(&origin.ip)
    .bind(&origin.user_agent)
    .bind(SESSION_HOURS)
    .fetch_one(tx.conn())
    .await?;
    sqlx::query(
        "UPDATE countersign.users SET last_login = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(user.uuid())
    .execute(tx.conn())
    .await?;
    Ok((id, expires_at.to_jiff()))
}

/// Ends one session.
///
/// # Errors
/// When the database is not available.
pub async fn end_session(tx: &mut TenantTx, id: SessionId) -> Result<bool, Error> {
    let ended = sqlx::query(
        "UPDATE countersign.user_sessions SET is_active = false
         WHERE tenant_id = $1 AND id = $2 AND is_active",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .execute(tx.conn())
    .await?
    .rows_affected();
    Ok(ended > 0)
}

/// Ends all sessions of a user: after a change of password, roles or status.
///
/// # Errors
/// When the database is not available.
pub async fn end_sessions(tx: &mut TenantTx, user: UserId) -> Result<u64, Error> {
    Ok(sqlx::query(
        "UPDATE countersign.user_sessions SET is_active = false
         WHERE tenant_id = $1 AND user_id = $2 AND is_active",
    )
    .bind(tx.tenant().uuid())
    .bind(user.uuid())
    .execute(tx.conn())
    .await?
    .rows_affected())
}

/// Deletes sessions that ended or expired more than 30 days ago.
///
/// # Errors
/// When the database is not available.
pub async fn prune_sessions(tx: &mut TenantTx) -> Result<u64, Error> {
    // When a session was ended is not kept, but that is not after it would have expired.
    Ok(sqlx::query(
        "DELETE FROM countersign.user_sessions
         WHERE tenant_id = $1 AND expires_at < clock_timestamp() - interval '30 days'",
    )
    .bind(tx.tenant().uuid())
    .execute(tx.conn())
    .await?
    .rows_affected())
}

/// Sets a password.
///
/// # Errors
/// When the database is not available.
pub async fn set_password(
    tx: &mut TenantTx,
    user: UserId,
    hash: &str,
    must_change: bool,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.users
         SET password_hash = $3, must_change_password = $4, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(user.uuid())
    .bind(hash)
    .bind(must_change)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Makes an actor.
///
/// # Errors
/// When the database is not available.
pub async fn new_actor(
    tx: &mut TenantTx,
    kind: ActorKind,
    display_name: &str,
    roles: &[Role],
) -> Result<ActorId, Error> {
    let id = ActorId::generate();
    let roles: Vec<&str> = roles.iter().map(|role| role.word()).collect();
    sqlx::query(
        "INSERT INTO countersign.actors (tenant_id, id, type, display_name, roles)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(kind.word())
    .bind(display_name)
    .bind(roles)
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// A user to make.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// Its login name.
    pub username: &'a str,
    /// What people call it.
    pub full_name: &'a str,
    /// Its address.
    pub email: Option<&'a str>,
    /// PHC hash of its first password.
    pub password_hash: &'a str,
    /// Whether it must be changed at the first login.
    pub must_change_password: bool,
    /// Its roles.
    pub roles: &'a [Role],
}

/// Makes a user with its actor.
///
/// # Errors
/// A conflict when the name or the address is taken.
pub async fn new_user(tx: &mut TenantTx, user: &NewUser<'_>) -> Result<(UserId, ActorId), Error> {
    let actor = new_actor(tx, ActorKind::User, user.full_name, user.roles).await?;
    let id = UserId::generate();
    sqlx::query(
        "INSERT INTO countersign.users
           (tenant_id, id, actor_id, username, email, full_name, password_hash,
            must_change_password)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(actor.uuid())
    .bind(user.username)
    .bind(user.email)
    .bind(user.full_name)
    .bind(user.password_hash)
    .bind(user.must_change_password)
    .execute(tx.conn())
    .await?;
    Ok((id, actor))
}

/// A user as listed.
#[derive(Debug, FromRow)]
pub struct UserRow {
    /// The user.
    pub id: Uuid,
    /// Its actor.
    pub actor_id: Uuid,
    /// Its login name.
    pub username: String,
    /// Its address.
    pub email: Option<String>,
    /// What people call it.
    pub full_name: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Whether it may log in.
    pub is_active: bool,
    /// When it last did.
    pub last_login: Option<SqlTimestamp>,
    /// Since when it is.
    pub created_at: SqlTimestamp,
}

/// A page of users, newest first.
///
/// # Errors
/// When the database is not available.
pub async fn users(tx: &mut TenantTx, page: &PageRequest) -> Result<Page<UserRow>, Error> {
    let rows: Vec<UserRow> = sqlx::query_as(
        "SELECT u.id, u.actor_id, u.username, u.email, u.full_name, a.roles, u.is_active,
                u.last_login, u.created_at
         FROM countersign.users u
         JOIN countersign.actors a ON a.tenant_id = u.tenant_id AND a.id = u.actor_id
         WHERE u.tenant_id = $1 AND ($2::uuid IS NULL OR u.id < $2)
         ORDER BY u.id DESC
         LIMIT $3",
    )
    .bind(tx.tenant().uuid())
    .bind(page.after_id())
    .bind(page.fetch())
    .fetch_all(tx.conn())
    .await?;
    Ok(page.page(rows, |row| db::Cursor::Id(row.id)))
}

/// One user.
///
/// # Errors
/// When the database is not available.
pub async fn user_row(tx: &mut TenantTx, id: UserId) -> Result<Option<UserRow>, Error> {
    Ok(sqlx::query_as(
        "SELECT u.id, u.actor_id, u.username, u.email, u.full_name, a.roles, u.is_active,
                u.last_login, u.created_at
         FROM countersign.users u
         JOIN countersign.actors a ON a.tenant_id = u.tenant_id AND a.id = u.actor_id
         WHERE u.tenant_id = $1 AND u.id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?)
}

/// Changes a user's roles and whether it may log in or act; what is `None` stays.
///
/// # Errors
/// When the database is not available.
pub async fn change_user(
    tx: &mut TenantTx,
    id: UserId,
    roles: Option<&[Role]>,
    is_active: Option<bool>,
) -> Result<(), Error> {
    let words: Option<Vec<&str>> =
        roles.map(|roles| roles.iter().map(|role| role.word()).collect());
    sqlx::query(
        "UPDATE countersign.actors a
         SET roles = coalesce($3, a.roles), is_active = coalesce($4, a.is_active),
             updated_at = clock_timestamp()
         FROM countersign.users u
         WHERE u.tenant_id = $1 AND u.id = $2 AND a.tenant_id = $1 AND a.id = u.actor_id",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(words)
    .bind(is_active)
    .execute(tx.conn())
    .await?;
    sqlx::query(
        "UPDATE countersign.users
         SET is_active = coalesce($3, is_active), updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(is_active)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Erases who a user is; says how many events of the log named them.
///
/// # Errors
/// When a hold keeps it (constraint `legal_hold`), or the database is not available.
pub async fn erase_user(tx: &mut TenantTx, id: UserId, actor: Uuid) -> Result<i64, Error> {
    let tenant = tx.tenant().uuid();
    let events = sqlx::query_scalar("SELECT countersign.erase_person($1)")
        .bind(actor)
        .fetch_one(tx.conn())
        .await?;
    sqlx::query(
        "UPDATE countersign.users
         SET username = 'erased.' || id::text, full_name = '', email = NULL, upn = NULL,
             password_hash = NULL, is_active = false, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    for statement in [
        "UPDATE countersign.actors
         SET display_name = 'erased', is_active = false, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
        "UPDATE countersign.api_keys SET name = 'erased', is_active = false
         WHERE tenant_id = $1 AND actor_id = $2",
        "DELETE FROM countersign.user_sessions s USING countersign.users u
         WHERE s.tenant_id = $1 AND u.tenant_id = $1 AND u.id = s.user_id AND u.actor_id = $2",
        "DELETE FROM countersign.idempotency_keys WHERE tenant_id = $1 AND actor_id = $2",
    ] {
        sqlx::query(statement).bind(tenant).bind(actor).execute(tx.conn()).await?;
    }
    Ok(events)
}

/// An API key to keep.
#[derive(Debug)]
pub struct NewKey<'a> {
    /// Whose it is.
    pub actor: ActorId,
    /// What people call it.
    pub name: &'a str,
    /// Its public part.
    pub public_id: &'a str,
    /// SHA-256 of the whole.
    pub hash: &'a Digest,
    /// Who made it.
    pub created_by: Option<ActorId>,
    /// When it ends.
    pub expires_at: Option<model::Timestamp>,
}

/// Keeps an API key.
///
/// # Errors
/// When the database is not available.
pub async fn new_key(tx: &mut TenantTx, key: &NewKey<'_>) -> Result<ApiKeyId, Error> {
    use jiff_sqlx::ToSqlx;
    let id = ApiKeyId::generate();
    sqlx::query(
        "INSERT INTO countersign.api_keys
           (tenant_id, id, actor_id, name, key_prefix, key_hash, created_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(key.actor.uuid())
    .bind(key.name)
    .bind(key.public_id)
    .bind(&key.hash.as_bytes()[..])
    .bind(key.created_by.map(ActorId::uuid))
    .bind(key.expires_at.map(ToSqlx::to_sqlx))
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// An API key as listed: never its secret.
#[derive(Debug, FromRow)]
pub struct KeyRow {
    /// The key.
    pub id: Uuid,
    /// Whose it is.
    pub actor_id: Uuid,
    /// What people call it.
    pub name: String,
    /// Its public part.
    pub key_prefix: String,
    /// What the holder may do.
    pub roles: Vec<String>,
    /// `service` or `agent`.
    pub r#type: String,
    /// Whether it works.
    pub is_active: bool,
    /// When it was made.
    pub created_at: SqlTimestamp,
    /// When it was last used.
    pub last_used_at: Option<SqlTimestamp>,
    /// When it ends.
    pub expires_at: Option<SqlTimestamp>,
}

/// A page of keys, newest first.
///
/// # Errors
/// When the database is not available.
pub async fn keys(tx: &mut TenantTx, page: &PageRequest) -> Result<Page<KeyRow>, Error> {
    let rows: Vec<KeyRow> = sqlx::query_as(
        "SELECT k.id, k.actor_id, k.name, k.key_prefix, a.roles, a.type, k.is_active, k.created_at,
                k.last_used_at, k.expires_at
         FROM countersign.api_keys k
         JOIN countersign.actors a ON a.tenant_id = k.tenant_id AND a.id = k.actor_id
         WHERE k.tenant_id = $1 AND ($2::uuid IS NULL OR k.id < $2)
         ORDER BY k.id DESC
         LIMIT $3",
    )
    .bind(tx.tenant().uuid())
    .bind(page.after_id())
    .bind(page.fetch())
    .fetch_all(tx.conn())
    .await?;
    Ok(page.page(rows, |row| db::Cursor::Id(row.id)))
}

/// Ends a key for good.
///
/// # Errors
/// When the database is not available.
pub async fn revoke_key(tx: &mut TenantTx, id: ApiKeyId) -> Result<bool, Error> {
    let ended = sqlx::query(
        "UPDATE countersign.api_keys SET is_active = false WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .execute(tx.conn())
    .await?
    .rows_affected();
    Ok(ended > 0)
}

/// Makes a tenant. The transaction must be in that tenant's room.
///
/// # Errors
/// A conflict when the slug is taken.
pub async fn new_tenant(
    tx: &mut TenantTx,
    slug: &str,
    name: &str,
    is_system: bool,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO countersign.tenants (id, slug, name, is_system) VALUES ($1, $2, $3, $4)",
    )
    .bind(tx.tenant().uuid())
    .bind(slug)
    .bind(name)
    .bind(is_system)
    .execute(tx.conn())
    .await?;
    Ok(())
}
