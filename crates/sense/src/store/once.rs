//! Secrets that are told once, in the database: a token's hash, and what it unwraps.

use db::TenantTx;
use jiff_sqlx::ToSqlx as _;
use model::id::{ActorId, OnceId, TenantId, TenantKeyId};
use model::vault::{Place, Sealed};
use model::{Digest, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

/// What the seal of such a secret is bound to.
#[must_use]
pub fn place(tenant: TenantId, id: OnceId) -> Place<'static> {
    Place { tenant, table: "one_time_secrets", row: id.uuid(), field: "secret", version: 1 }
}

/// A wrapped secret to be kept.
#[derive(Debug, Clone)]
pub struct NewOnce<'a> {
    /// Its id.
    pub id: OnceId,
    /// The hash of its token.
    pub token: Digest,
    /// The tenant's key it is sealed under.
    pub key: TenantKeyId,
    /// The secret, sealed for its [`place`].
    pub sealed: &'a Sealed,
    /// Until when it is told.
    pub expires_at: Timestamp,
    /// Who wrapped it.
    pub by: ActorId,
}

/// Keeps a wrapped secret.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut TenantTx, new: &NewOnce<'_>) -> Result<(), db::Error> {
    sqlx::query(
        "INSERT INTO countersign.one_time_secrets
           (tenant_id, id, token_hash, tenant_key_id, alg, kek_id, wrapped_dek, nonce, ciphertext,
            aad_version, created_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(tx.tenant().uuid())
    .bind(new.id.uuid())
    .bind(&new.token.as_bytes()[..])
    .bind(new.key.uuid())
    .bind(&new.sealed.alg)
    .bind(&new.sealed.kek_id)
    .bind(&new.sealed.wrapped_dek)
    .bind(&new.sealed.nonce)
    .bind(&new.sealed.ciphertext)
    .bind(new.sealed.aad_version)
    .bind(new.by.uuid())
    .bind(new.expires_at.to_sqlx())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What came of presenting a token.
#[derive(Debug, Clone)]
pub enum Presented {
    /// It is this caller's to hear: nobody hears it again once this transaction is committed.
    Now(OnceId, TenantKeyId, Box<Sealed>),
    /// Somebody heard it before.
    Before(OnceId),
    /// It was not asked for in time.
    Late(OnceId),
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    tenant_key_id: Uuid,
    alg: String,
    kek_id: String,
    wrapped_dek: Vec<u8>,
    nonce: Vec<u8>,
    ciphertext: Vec<u8>,
    aad_version: i16,
    told: bool,
    late: bool,
}

/// Takes the secret of a token out of the database, for `by` to hear.
///
/// # Errors
/// [`db::Error::NotFound`] when there is no such token in this tenant.
pub async fn take(tx: &mut TenantTx, token: Digest, by: ActorId) -> Result<Presented, db::Error> {
    let tenant = tx.tenant().uuid();
    // The lock makes one of two who come at once the second.
    let row: Row = sqlx::query_as(
        "SELECT id, tenant_key_id, alg, kek_id, wrapped_dek, nonce, ciphertext, aad_version,
                unwrapped_at IS NOT NULL AS told, expires_at <= clock_timestamp() AS late
         FROM countersign.one_time_secrets
         WHERE tenant_id = $1 AND token_hash = $2
         FOR UPDATE",
    )
    .bind(tenant)
    .bind(&token.as_bytes()[..])
    .fetch_one(tx.conn())
    .await?;
    let id = row.id.into();
    if row.told {
        return Ok(Presented::Before(id));
    }
    if row.late {
        return Ok(Presented::Late(id));
    }
    sqlx::query(
        "UPDATE countersign.one_time_secrets
         SET ciphertext = '', unwrapped_at = clock_timestamp(), unwrapped_by = $3
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(row.id)
    .bind(by.uuid())
    .execute(tx.conn())
    .await?;
    let sealed = Sealed {
        alg: row.alg,
        kek_id: row.kek_id,
        wrapped_dek: row.wrapped_dek,
        nonce: row.nonce,
        ciphertext: row.ciphertext,
        aad_version: row.aad_version,
    };
    Ok(Presented::Now(id, row.tenant_key_id.into(), Box::new(sealed)))
}
