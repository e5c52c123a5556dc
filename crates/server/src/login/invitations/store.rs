//! Invitations, as the database holds them.

use db::{Error, TenantTx};
use model::actor::Role;
use model::id::{ActorId, InvitationId, UserId};
use model::{Digest, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

/// An invitation to keep.
pub(super) struct New<'a> {
    pub(super) email: &'a str,
    pub(super) roles: &'a [Role],
    pub(super) token: Digest,
    pub(super) by: ActorId,
    pub(super) hours: u32,
}

/// Keeps an invitation; gives its id and end.
pub(super) async fn insert(
    tx: &mut TenantTx,
    new: &New<'_>,
) -> Result<(InvitationId, Timestamp), Error> {
    let id = InvitationId::generate();
    let roles: Vec<&str> = new.roles.iter().map(|role| role.word()).collect();
    let expires_at: jiff_sqlx::Timestamp = sqlx::query_scalar(
        "INSERT INTO countersign.invitations
           (tenant_id, id, email, roles, token_hash, invited_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(hours => $7))
         RETURNING expires_at",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(new.email)
    .bind(roles)
    .bind(&new.token.as_bytes()[..])
    .bind(new.by.uuid())
    .bind(i32::try_from(new.hours).map_err(Error::internal)?)
    .fetch_one(tx.conn())
    .await?;
    Ok((id, expires_at.to_jiff()))
}

/// An invitation that counts.
pub(super) struct Open {
    pub(super) id: InvitationId,
    pub(super) email: String,
    pub(super) roles: Vec<String>,
    pub(super) by: ActorId,
    /// What its tenant is called when logging in.
    pub(super) tenant: String,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    email: String,
    roles: Vec<String>,
    invited_by: Uuid,
    slug: String,
}

/// The invitation somebody was sent this for, while it counts; held until the transaction ends.
pub(super) async fn open(tx: &mut TenantTx, token: &Digest) -> Result<Option<Open>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT i.id, i.email, i.roles, i.invited_by, t.slug
         FROM countersign.invitations i
         JOIN countersign.tenants t ON t.id = i.tenant_id
         WHERE i.tenant_id = $1 AND i.token_hash = $2 AND t.is_active
           AND i.accepted_at IS NULL AND i.revoked_at IS NULL
           AND i.expires_at > clock_timestamp()
         FOR UPDATE OF i",
    )
    .bind(tx.tenant().uuid())
    .bind(&token.as_bytes()[..])
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Open {
        id: row.id.into(),
        email: row.email,
        roles: row.roles,
        by: row.invited_by.into(),
        tenant: row.slug,
    }))
}

/// Notes who took an invitation up.
pub(super) async fn accept(tx: &mut TenantTx, id: InvitationId, user: UserId) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.invitations SET accepted_at = clock_timestamp(), user_id = $3
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(user.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What came of taking an invitation back.
pub(super) enum Revoked {
    /// It does not count from now on, or did not before.
    Now,
    /// Somebody took it up.
    TakenUp,
}

/// Takes an invitation back.
pub(super) async fn revoke(tx: &mut TenantTx, id: InvitationId) -> Result<Option<Revoked>, Error> {
    let taken_up: Option<bool> = sqlx::query_scalar(
        "SELECT accepted_at IS NOT NULL FROM countersign.invitations
         WHERE tenant_id = $1 AND id = $2
         FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    match taken_up {
        None => return Ok(None),
        Some(true) => return Ok(Some(Revoked::TakenUp)),
        Some(false) => {}
    }
    sqlx::query(
        "UPDATE countersign.invitations SET revoked_at = COALESCE(revoked_at, clock_timestamp())
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(Some(Revoked::Now))
}
