//! What a tenant asks of approving votes, who has a second factor, and which were shown just now.

use db::TenantTx;
use model::Digest;
use model::id::{ActorId, SessionId};

use crate::error::Error;
use crate::step_up::{Factor, Policy};

/// What the tenant asks for.
///
/// # Errors
/// When the database cannot be read, or holds what is none of ours.
pub async fn policy(tx: &mut TenantTx) -> Result<Policy, Error> {
    let kept: Option<(String, String)> =
        sqlx::query_as("SELECT asked, tier FROM countersign.step_up_policies WHERE tenant_id = $1")
            .bind(tx.tenant().uuid())
            .fetch_optional(tx.conn())
            .await?;
    let Some((asked, tier)) = kept else { return Ok(Policy::default()) };
    Ok(Policy {
        asked: asked.parse().map_err(Error::unreadable("step-up policy"))?,
        tier: tier.parse().map_err(Error::unreadable("tier"))?,
    })
}

/// Sets what the tenant asks for.
///
/// # Errors
/// When the database does not take it.
pub async fn set_policy(tx: &mut TenantTx, policy: Policy, by: ActorId) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO countersign.step_up_policies (tenant_id, asked, tier, updated_by)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT step_up_policies_pk
         DO UPDATE SET asked = excluded.asked, tier = excluded.tier,
                       updated_by = excluded.updated_by, updated_at = clock_timestamp()",
    )
    .bind(tx.tenant().uuid())
    .bind(policy.asked.word())
    .bind(policy.tier.word())
    .bind(by.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether the person of this account has a second factor that was shown to work.
///
/// # Errors
/// When the database cannot be read.
pub async fn factor(tx: &mut TenantTx, actor: ActorId) -> Result<Factor, Error> {
    let enrolled: bool = sqlx::query_scalar(
        "SELECT EXISTS (
           SELECT FROM countersign.second_factors f
           JOIN countersign.users u ON u.tenant_id = f.tenant_id AND u.id = f.user_id
           WHERE f.tenant_id = $1 AND u.actor_id = $2 AND f.confirmed_at IS NOT NULL)",
    )
    .bind(tx.tenant().uuid())
    .bind(actor.uuid())
    .fetch_one(tx.conn())
    .await?;
    Ok(if enrolled { Factor::Enrolled } else { Factor::None })
}

/// Uses up a second factor that was shown in this session for this; whether there was one.
///
/// # Errors
/// When the database does not take it.
pub async fn use_up(
    tx: &mut TenantTx,
    session: SessionId,
    bound_hash: &Digest,
) -> Result<bool, Error> {
    let used = sqlx::query(
        "UPDATE countersign.step_ups SET used_at = clock_timestamp()
         WHERE tenant_id = $1
           AND id = (SELECT s.id FROM countersign.step_ups s
                     WHERE s.tenant_id = $1 AND s.session_id = $2 AND s.bound_hash = $3
                       AND s.used_at IS NULL AND s.expires_at > clock_timestamp()
                     ORDER BY s.id
                     LIMIT 1
                     FOR UPDATE)",
    )
    .bind(tx.tenant().uuid())
    .bind(session.uuid())
    .bind(&bound_hash.as_bytes()[..])
    .execute(tx.conn())
    .await?;
    Ok(used.rows_affected() > 0)
}
