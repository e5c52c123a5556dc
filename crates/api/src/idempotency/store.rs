//! Idempotency keys, as the database holds them.

use model::Digest;

use super::Known;
use crate::caller::Caller;
use crate::problem::Answer;
use crate::state::App;

/// Takes a key, or says what is known of it.
///
/// A key is forgotten after a day; one whose request died without an answer is free again after
/// five minutes, longer than any request may take.
pub(super) async fn take(app: &App, caller: &Caller, key: &str, hash: &Digest) -> Answer<Known> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    sqlx::query(
        "DELETE FROM countersign.idempotency_keys
         WHERE tenant_id = $1 AND actor_id = $2 AND key = $3
           AND (created_at < clock_timestamp() - interval '1 day'
             OR (status IS NULL AND created_at < clock_timestamp() - interval '5 minutes'))",
    )
    .bind(tx.tenant().uuid())
    .bind(caller.actor.id.uuid())
    .bind(key)
    .execute(tx.conn())
    .await
    .map_err(db::Error::from)?;
    let inserted = sqlx::query(
        "INSERT INTO countersign.idempotency_keys (tenant_id, actor_id, key, request_hash)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT idempotency_keys_pk DO NOTHING",
    )
    .bind(tx.tenant().uuid())
    .bind(caller.actor.id.uuid())
    .bind(key)
    .bind(&hash.as_bytes()[..])
    .execute(tx.conn())
    .await
    .map_err(db::Error::from)?
    .rows_affected();
    if inserted == 1 {
        tx.commit().await?;
        return Ok(Known::Fresh);
    }
    type Row = (Vec<u8>, Option<i16>, Option<String>, Option<Vec<u8>>);
    let row: Option<Row> = sqlx::query_as(
        "SELECT request_hash, status, content_type, response
         FROM countersign.idempotency_keys
         WHERE tenant_id = $1 AND actor_id = $2 AND key = $3",
    )
    .bind(tx.tenant().uuid())
    .bind(caller.actor.id.uuid())
    .bind(key)
    .fetch_optional(tx.conn())
    .await
    .map_err(db::Error::from)?;
    tx.commit().await?;
    Ok(match row {
        Some((stored, ..)) if stored != hash.as_bytes() => Known::Other,
        Some((_, Some(status), content_type, Some(body))) => Known::Answered {
            status: u16::try_from(status).unwrap_or(200),
            content_type: content_type.unwrap_or_else(|| "application/json".to_owned()),
            body,
        },
        Some(_) | None => Known::Running,
    })
}

/// Keeps the answer.
pub(super) async fn answer(
    app: &App,
    caller: &Caller,
    key: &str,
    status: u16,
    content_type: &str,
    body: &[u8],
) -> Answer<()> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    sqlx::query(
        "UPDATE countersign.idempotency_keys SET status = $4, content_type = $5, response = $6
         WHERE tenant_id = $1 AND actor_id = $2 AND key = $3",
    )
    .bind(tx.tenant().uuid())
    .bind(caller.actor.id.uuid())
    .bind(key)
    .bind(i16::try_from(status).unwrap_or(200))
    .bind(content_type)
    .bind(body)
    .execute(tx.conn())
    .await
    .map_err(db::Error::from)?;
    tx.commit().await?;
    Ok(())
}

/// Frees a key whose request failed on our side.
pub(super) async fn release(app: &App, caller: &Caller, key: &str) -> Answer<()> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    sqlx::query(
        "DELETE FROM countersign.idempotency_keys
         WHERE tenant_id = $1 AND actor_id = $2 AND key = $3 AND status IS NULL",
    )
    .bind(tx.tenant().uuid())
    .bind(caller.actor.id.uuid())
    .bind(key)
    .execute(tx.conn())
    .await
    .map_err(db::Error::from)?;
    tx.commit().await?;
    Ok(())
}
