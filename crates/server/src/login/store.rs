//! Users, sessions and keys, as the database holds them.

mod erase;

use std::fmt;

use db::object::{self, Column, Holds, Kind, ListRequest};
use db::{Error, Page, TenantTx};
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::Digest;
use model::actor::{ActorKind, Role};
use model::audit::Origin;
use model::id::{ActorId, SessionId, TenantId, UserId};
use sqlx::FromRow;
use uuid::Uuid;

pub use erase::erase_user;

use super::throttle;

/// How long a session lasts, in hours.
pub const SESSION_HOURS: i32 = 12;

/// A user as login needs it.
#[derive(FromRow)]
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

impl fmt::Debug for LoginRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRow").field("id", &self.id).finish_non_exhaustive()
    }
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

/// How a tenant is called.
#[derive(Debug, FromRow)]
pub struct Named {
    /// Its slug.
    pub slug: String,
    /// Whether it is the deployment's own.
    pub is_system: bool,
}

/// How the transaction's own tenant is called.
///
/// # Errors
/// When the database is not available.
pub async fn tenant_named(tx: &mut TenantTx) -> Result<Option<Named>, Error> {
    Ok(sqlx::query_as("SELECT slug, is_system FROM countersign.tenants WHERE id = $1")
        .bind(tx.tenant().uuid())
        .fetch_optional(tx.conn())
        .await?)
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
         FROM countersign.users
         WHERE tenant_id = $1 AND username = $2 AND deleted_at IS NULL",
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
         FROM countersign.users
         WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL",
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

/// Puts a new session in the place of one that is open: same user, same end, another token. The
/// old one is dead. `None` when it was ended meanwhile.
///
/// # Errors
/// When the database is not available.
pub async fn renew_session(
    tx: &mut TenantTx,
    old: SessionId,
    token: &Digest,
) -> Result<Option<(SessionId, model::Timestamp)>, Error> {
    let id = SessionId::generate();
    let expires_at: Option<SqlTimestamp> = sqlx::query_scalar(
        "WITH old AS (
           UPDATE countersign.user_sessions SET is_active = false
           WHERE tenant_id = $1 AND id = $2 AND is_active AND expires_at > clock_timestamp()
           RETURNING user_id, ip_address, user_agent, created_at, expires_at)
         INSERT INTO countersign.user_sessions
           (tenant_id, id, user_id, token_hash, ip_address, user_agent, created_at, expires_at)
         SELECT $1, $3, user_id, $4, ip_address, user_agent, created_at, expires_at FROM old
         RETURNING expires_at",
    )
    .bind(tx.tenant().uuid())
    .bind(old.uuid())
    .bind(id.uuid())
    .bind(&token.as_bytes()[..])
    .fetch_optional(tx.conn())
    .await?;
    Ok(expires_at.map(|at| (id, at.to_jiff())))
}

/// Whether somebody logged in to this account from this address before.
///
/// # Errors
/// When the database is not available.
pub async fn address_known(tx: &mut TenantTx, user: UserId, address: &str) -> Result<bool, Error> {
    let known: Vec<Option<String>> = sqlx::query_scalar(
        "SELECT DISTINCT ip_address FROM countersign.user_sessions
         WHERE tenant_id = $1 AND user_id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(user.uuid())
    .fetch_all(tx.conn())
    .await?;
    // As guesses are counted: a host changes its address within its network.
    let from = throttle::network(Some(address));
    Ok(known.into_iter().flatten().any(|known| throttle::network(Some(&known)) == from))
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
    /// PHC hash of its first password; none for people who come through a provider.
    pub password_hash: Option<&'a str>,
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

/// By what users are listed.
pub const USERS: Kind = Kind {
    word: "user",
    table: "(SELECT u.*, a.roles
             FROM countersign.users u
             JOIN countersign.actors a ON a.tenant_id = u.tenant_id AND a.id = u.actor_id
             WHERE u.deleted_at IS NULL)",
    columns: &[
        Column::new("actor_id", Holds::Id).filter(),
        Column::new("username", Holds::Text).filter().sort().search(),
        Column::new("email", Holds::Text).filter().search(),
        Column::new("full_name", Holds::Text).search(),
        Column::new("roles", Holds::Texts).filter(),
        Column::new("is_active", Holds::Boolean).filter(),
        Column::new("last_login", Holds::Time).filter(),
        Column::new("created_at", Holds::Time).filter().age(),
    ],
    natural: &["username"],
};

/// A page of users, newest first unless sorted.
///
/// # Errors
/// When the database is not available.
pub async fn users(tx: &mut TenantTx, wanted: &ListRequest) -> Result<Page<UserRow>, Error> {
    let statement = "SELECT u.id, u.actor_id, u.username, u.email, u.full_name, a.roles,
                u.is_active, u.last_login, u.created_at
         FROM countersign.users u
         JOIN countersign.actors a ON a.tenant_id = u.tenant_id AND a.id = u.actor_id
         WHERE u.tenant_id = $1 AND u.id = ANY ($2)";
    object::read(tx, &USERS, wanted, statement, |row: &UserRow| row.id).await
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

/// Whether a user is active and still has this password; nobody changes either until the
/// transaction ends.
///
/// # Errors
/// When the database is not available.
pub async fn password_stands(
    tx: &mut TenantTx,
    id: UserId,
    hash: Option<&str>,
) -> Result<bool, Error> {
    let stands: Option<bool> = sqlx::query_scalar(
        "SELECT is_active AND password_hash IS NOT DISTINCT FROM $3 FROM countersign.users
         WHERE tenant_id = $1 AND id = $2
         FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(hash)
    .fetch_optional(tx.conn())
    .await?;
    Ok(stands == Some(true))
}

/// Whether a user is the only one left who is an administrator and may log in. Whoever asks goes
/// one after another.
///
/// # Errors
/// When the database is not available.
pub async fn last_admin(tx: &mut TenantTx, id: UserId) -> Result<bool, Error> {
    let admins: Vec<Uuid> = sqlx::query_scalar(
        "SELECT u.id
         FROM countersign.users u
         JOIN countersign.actors a ON a.tenant_id = u.tenant_id AND a.id = u.actor_id
         WHERE u.tenant_id = $1 AND u.is_active AND a.is_active AND 'admin' = ANY (a.roles)
         ORDER BY u.id
         FOR UPDATE OF u, a",
    )
    .bind(tx.tenant().uuid())
    .fetch_all(tx.conn())
    .await?;
    Ok(admins == [id.uuid()])
}

/// Takes everything from a user for good: it cannot log in, nor can it be switched on again.
///
/// Its keys and its password are dead; its names are not given to anybody else, so that the log
/// goes on saying who did what.
///
/// # Errors
/// When the database is not available.
pub async fn delete_user(tx: &mut TenantTx, id: UserId) -> Result<(), Error> {
    change_user(tx, id, Some(&[]), Some(false)).await?;
    sqlx::query(
        "UPDATE countersign.users
         SET deleted_at = clock_timestamp(), password_hash = NULL
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    sqlx::query(
        "UPDATE countersign.api_keys k SET is_active = false
         FROM countersign.users u
         WHERE u.tenant_id = $1 AND u.id = $2 AND k.tenant_id = $1 AND k.actor_id = u.actor_id",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
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
