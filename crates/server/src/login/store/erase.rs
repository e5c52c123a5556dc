//! Erasing a person: whatever names one, in the tables of people and beside them.

use db::{Error, TenantTx};
use model::id::UserId;
use uuid::Uuid;

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
    // By the address as well, while it is known: of an invitation nobody took up, no user is.
    sqlx::query(
        "UPDATE countersign.invitations i
         SET email = 'erased',
             revoked_at = CASE WHEN i.accepted_at IS NULL
               THEN coalesce(i.revoked_at, clock_timestamp()) END
         FROM countersign.users u
         WHERE i.tenant_id = $1 AND u.tenant_id = $1 AND u.id = $2
           AND (i.user_id = u.id OR lower(i.email) IN (lower(u.email), lower(u.upn)))",
    )
    .bind(tenant)
    .bind(id.uuid())
    .execute(tx.conn())
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
        // What somebody reported by hand says so by name. While the name is known.
        "UPDATE countersign.alerts SET source_name = 'erased'
         WHERE tenant_id = $1 AND sender_actor_id = $2 AND source_id IS NULL",
        "DELETE FROM countersign.quarantined_alerts q USING countersign.actors a
         WHERE q.tenant_id = $1 AND q.source_id IS NULL AND a.tenant_id = $1 AND a.id = $2
           AND q.source_name = a.display_name",
        "UPDATE countersign.actors
         SET display_name = 'erased', is_active = false, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
        "UPDATE countersign.api_keys SET name = 'erased', is_active = false
         WHERE tenant_id = $1 AND actor_id = $2",
        "DELETE FROM countersign.user_sessions s USING countersign.users u
         WHERE s.tenant_id = $1 AND u.tenant_id = $1 AND u.id = s.user_id AND u.actor_id = $2",
        "DELETE FROM countersign.user_identities i USING countersign.users u
         WHERE i.tenant_id = $1 AND u.tenant_id = $1 AND u.id = i.user_id AND u.actor_id = $2",
        "DELETE FROM countersign.second_factors f USING countersign.users u
         WHERE f.tenant_id = $1 AND u.tenant_id = $1 AND u.id = f.user_id AND u.actor_id = $2",
        "DELETE FROM countersign.recovery_codes c USING countersign.users u
         WHERE c.tenant_id = $1 AND u.tenant_id = $1 AND u.id = c.user_id AND u.actor_id = $2",
        "UPDATE countersign.break_glass SET person = 'erased.' || actor_id::text
         WHERE tenant_id = $1 AND actor_id = $2",
        "DELETE FROM countersign.idempotency_keys WHERE tenant_id = $1 AND actor_id = $2",
    ] {
        sqlx::query(statement).bind(tenant).bind(actor).execute(tx.conn()).await?;
    }
    Ok(events)
}
