//! Second factors, recovery codes and step-ups, as the database holds them.

use db::{Error, TenantTx};
use model::Digest;
use model::id::{SessionId, TenantId, UserId};
use model::vault::{Place, Sealed};
use sqlx::FromRow;
use uuid::Uuid;

/// How long a second factor that was shown is fresh, in minutes.
pub(super) const FRESH_MINUTES: i32 = 5;
/// How long after a login a factor may be set up without a password, in minutes.
pub(super) const RECENT_MINUTES: i32 = 10;

/// What the seal of a factor is bound to.
pub(super) fn place(tenant: TenantId, id: Uuid) -> Place<'static> {
    Place { tenant, table: "second_factors", row: id, field: "secret", version: 1 }
}

/// A second factor.
pub(super) struct Factor {
    pub(super) id: Uuid,
    pub(super) sealed: Sealed,
    pub(super) confirmed_at: Option<model::Timestamp>,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    alg: String,
    kek_id: String,
    wrapped_dek: Vec<u8>,
    nonce: Vec<u8>,
    ciphertext: Vec<u8>,
    aad_version: i16,
    confirmed_at: Option<jiff_sqlx::Timestamp>,
}

/// The factor of a user, held until the transaction ends.
pub(super) async fn of(tx: &mut TenantTx, user: UserId) -> Result<Option<Factor>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, alg, kek_id, wrapped_dek, nonce, ciphertext, aad_version, confirmed_at
         FROM countersign.second_factors
         WHERE tenant_id = $1 AND user_id = $2
         FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .bind(user.uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Factor {
        id: row.id,
        sealed: Sealed {
            alg: row.alg,
            kek_id: row.kek_id,
            wrapped_dek: row.wrapped_dek,
            nonce: row.nonce,
            ciphertext: row.ciphertext,
            aad_version: row.aad_version,
        },
        confirmed_at: row.confirmed_at.map(jiff_sqlx::Timestamp::to_jiff),
    }))
}

/// Keeps a factor that is still to be confirmed, in place of one that never was.
///
/// # Errors
/// A conflict with `second_factors_user_key` when there is a confirmed one.
pub(super) async fn enrol(
    tx: &mut TenantTx,
    id: Uuid,
    user: UserId,
    sealed: &Sealed,
) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM countersign.second_factors
         WHERE tenant_id = $1 AND user_id = $2 AND confirmed_at IS NULL",
    )
    .bind(tx.tenant().uuid())
    .bind(user.uuid())
    .execute(tx.conn())
    .await?;
    sqlx::query(
        "INSERT INTO countersign.second_factors
           (tenant_id, id, user_id, alg, kek_id, wrapped_dek, nonce, ciphertext, aad_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tx.tenant().uuid())
    .bind(id)
    .bind(user.uuid())
    .bind(&sealed.alg)
    .bind(&sealed.kek_id)
    .bind(&sealed.wrapped_dek)
    .bind(&sealed.nonce)
    .bind(&sealed.ciphertext)
    .bind(sealed.aad_version)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes a code of this time step, if none of it or of a later one was taken before.
pub(super) async fn take_step(tx: &mut TenantTx, factor: Uuid, step: i64) -> Result<bool, Error> {
    let taken = sqlx::query(
        "UPDATE countersign.second_factors SET last_step = $3
         WHERE tenant_id = $1 AND id = $2 AND last_step < $3",
    )
    .bind(tx.tenant().uuid())
    .bind(factor)
    .bind(step)
    .execute(tx.conn())
    .await?;
    Ok(taken.rows_affected() > 0)
}

/// Takes a recovery code that was not taken before.
pub(super) async fn take_recovery(
    tx: &mut TenantTx,
    user: UserId,
    code: &Digest,
) -> Result<bool, Error> {
    let taken = sqlx::query(
        "UPDATE countersign.recovery_codes SET used_at = clock_timestamp()
         WHERE tenant_id = $1 AND user_id = $2 AND code_hash = $3 AND used_at IS NULL",
    )
    .bind(tx.tenant().uuid())
    .bind(user.uuid())
    .bind(&code.as_bytes()[..])
    .execute(tx.conn())
    .await?;
    Ok(taken.rows_affected() > 0)
}

/// Notes that a factor works, and keeps its recovery codes.
pub(super) async fn confirm(
    tx: &mut TenantTx,
    factor: Uuid,
    user: UserId,
    codes: &[Digest],
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.second_factors SET confirmed_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(factor)
    .execute(tx.conn())
    .await?;
    forget_recovery(tx, user).await?;
    for code in codes {
        sqlx::query(
            "INSERT INTO countersign.recovery_codes (tenant_id, id, user_id, code_hash)
             VALUES ($1, $2, $3, $4)",
        )
        .bind(tx.tenant().uuid())
        .bind(Uuid::now_v7())
        .bind(user.uuid())
        .bind(&code.as_bytes()[..])
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}

async fn forget_recovery(tx: &mut TenantTx, user: UserId) -> Result<(), Error> {
    sqlx::query("DELETE FROM countersign.recovery_codes WHERE tenant_id = $1 AND user_id = $2")
        .bind(tx.tenant().uuid())
        .bind(user.uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Takes a user's factor and codes away; whether there was one.
pub(in crate::login) async fn remove(tx: &mut TenantTx, user: UserId) -> Result<bool, Error> {
    forget_recovery(tx, user).await?;
    let gone =
        sqlx::query("DELETE FROM countersign.second_factors WHERE tenant_id = $1 AND user_id = $2")
            .bind(tx.tenant().uuid())
            .bind(user.uuid())
            .execute(tx.conn())
            .await?;
    Ok(gone.rows_affected() > 0)
}

/// How many recovery codes are left.
pub(super) async fn codes_left(tx: &mut TenantTx, user: UserId) -> Result<i64, Error> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM countersign.recovery_codes
         WHERE tenant_id = $1 AND user_id = $2 AND used_at IS NULL",
    )
    .bind(tx.tenant().uuid())
    .bind(user.uuid())
    .fetch_one(tx.conn())
    .await?)
}

/// Whether a session was opened by a login just now.
pub(super) async fn logged_in_just_now(
    tx: &mut TenantTx,
    session: SessionId,
) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (
           SELECT FROM countersign.user_sessions
           WHERE tenant_id = $1 AND id = $2
             AND created_at > clock_timestamp() - make_interval(mins => $3))",
    )
    .bind(tx.tenant().uuid())
    .bind(session.uuid())
    .bind(RECENT_MINUTES)
    .fetch_one(tx.conn())
    .await?)
}

/// Notes that a factor was shown in a session for one thing; gives until when it is fresh.
pub(super) async fn step_up(
    tx: &mut TenantTx,
    session: SessionId,
    bound_hash: &Digest,
    factor: &str,
) -> Result<model::Timestamp, Error> {
    let until: jiff_sqlx::Timestamp = sqlx::query_scalar(
        "INSERT INTO countersign.step_ups
           (tenant_id, id, session_id, bound_hash, factor, expires_at)
         VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(mins => $6))
         RETURNING expires_at",
    )
    .bind(tx.tenant().uuid())
    .bind(Uuid::now_v7())
    .bind(session.uuid())
    .bind(&bound_hash.as_bytes()[..])
    .bind(factor)
    .bind(FRESH_MINUTES)
    .fetch_one(tx.conn())
    .await?;
    Ok(until.to_jiff())
}
