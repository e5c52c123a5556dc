//! Idempotency keys, as the database holds them.

use axum::http::StatusCode;
use db::{Mac, TenantTx};
use jiff_sqlx::Timestamp as SqlTimestamp;

use super::{Known, Note, Taken};
use crate::caller::Caller;
use crate::problem::Answer;
use crate::state::App;

/// Takes a key, or says what is known of it. A key is forgotten after a day, answered or not.
pub(super) async fn take(app: &App, caller: Caller, key: String, hash: &Mac) -> Answer<Known> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    sqlx::query(
        "DELETE FROM countersign.idempotency_keys
         WHERE tenant_id = $1 AND actor_id = $2 AND key = $3
           AND created_at < clock_timestamp() - interval '1 day'",
    )
    .bind(tx.tenant().uuid())
    .bind(caller.actor.id.uuid())
    .bind(&key)
    .execute(tx.conn())
    .await
    .map_err(db::Error::from)?;
    let since: Option<SqlTimestamp> = sqlx::query_scalar(
        "INSERT INTO countersign.idempotency_keys (tenant_id, actor_id, key, request_hash)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT idempotency_keys_pk DO NOTHING
         RETURNING created_at",
    )
    .bind(tx.tenant().uuid())
    .bind(caller.actor.id.uuid())
    .bind(&key)
    .bind(&hash[..])
    .fetch_optional(tx.conn())
    .await
    .map_err(db::Error::from)?;
    if let Some(since) = since {
        let taken = Taken { caller, key, since };
        return match tx.commit().await {
            Ok(()) => Ok(Known::Fresh(Box::new(taken))),
            // Nothing was done under it.
            Err(db::Error::InDoubt(_)) => Ok(Known::PerhapsTaken(Box::new(taken))),
            Err(error) => Err(error.into()),
        };
    }
    type Row = (Vec<u8>, Option<i16>, Option<String>, Option<Vec<u8>>);
    let row: Option<Row> = sqlx::query_as(
        "SELECT request_hash, status, content_type, response
         FROM countersign.idempotency_keys
         WHERE tenant_id = $1 AND actor_id = $2 AND key = $3",
    )
    .bind(tx.tenant().uuid())
    .bind(caller.actor.id.uuid())
    .bind(&key)
    .fetch_optional(tx.conn())
    .await
    .map_err(db::Error::from)?;
    tx.commit().await?;
    Ok(match row {
        Some((stored, ..)) if stored != hash => Known::Other,
        Some((_, Some(status), content_type, Some(body))) => Known::Answered {
            status: u16::try_from(status).unwrap_or(200),
            content_type: content_type.unwrap_or_else(|| "application/json".to_owned()),
            body,
        },
        Some((_, Some(_), _, None)) => Known::AnsweredSecretly,
        Some((_, None, ..)) | None => Known::Running,
    })
}

/// Notes what came of the request of a key.
pub(super) async fn note(app: &App, taken: &Taken, note: &Note) -> Answer<()> {
    let mut tx = app.db.tenant(taken.caller.tenant()).await?;
    match note {
        Note::Answer { status, content_type, body } => {
            answer(&mut tx, taken, *status, Some((content_type, body))).await?;
        }
        Note::SecretAnswer { status } => answer(&mut tx, taken, *status, None).await?,
        Note::Free => release(&mut tx, taken).await?,
    }
    tx.commit().await?;
    Ok(())
}

async fn answer(
    tx: &mut TenantTx,
    taken: &Taken,
    status: StatusCode,
    said: Option<(&str, &[u8])>,
) -> Result<(), db::Error> {
    sqlx::query(
        "UPDATE countersign.idempotency_keys SET status = $5, content_type = $6, response = $7
         WHERE tenant_id = $1 AND actor_id = $2 AND key = $3 AND created_at = $4",
    )
    .bind(tx.tenant().uuid())
    .bind(taken.caller.actor.id.uuid())
    .bind(&taken.key)
    .bind(taken.since)
    .bind(i16::try_from(status.as_u16()).unwrap_or(200))
    .bind(said.map(|(content_type, _)| content_type))
    .bind(said.map(|(_, body)| body))
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn release(tx: &mut TenantTx, taken: &Taken) -> Result<(), db::Error> {
    sqlx::query(
        "DELETE FROM countersign.idempotency_keys
         WHERE tenant_id = $1 AND actor_id = $2 AND key = $3 AND created_at = $4",
    )
    .bind(tx.tenant().uuid())
    .bind(taken.caller.actor.id.uuid())
    .bind(&taken.key)
    .bind(taken.since)
    .execute(tx.conn())
    .await?;
    Ok(())
}
