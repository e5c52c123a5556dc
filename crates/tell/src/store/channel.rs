//! Channels, as they are tried out.

use db::{Error, TenantTx};
use model::Timestamp;
use model::id::{ChannelId, CredentialId};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

/// A channel with what a trial of it said last.
#[derive(Debug, Clone)]
pub struct Channel {
    /// What people call it.
    pub name: String,
    /// How it reaches people.
    pub kind: String,
    /// Where.
    pub configuration: Value,
    /// What it is used with.
    pub credential: Option<CredentialId>,
    /// What its last trial said.
    pub tested: Option<Tested>,
}

/// What a trial said.
#[derive(Debug, Clone)]
pub struct Tested {
    /// When it was over.
    pub at: Timestamp,
    /// Whether the channel took the message.
    pub delivered: bool,
    /// In words.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub took_ms: i32,
}

#[derive(FromRow)]
struct Row {
    name: String,
    channel_type: String,
    configuration: Value,
    credential_id: Option<Uuid>,
    last_test_at: Option<jiff_sqlx::Timestamp>,
    last_test_ok: Option<bool>,
    last_test_detail: Option<String>,
    last_test_ms: Option<i32>,
}

/// A channel.
///
/// # Errors
/// [`Error::NotFound`] when there is none with this id.
pub async fn get(tx: &mut TenantTx, id: ChannelId) -> Result<Channel, Error> {
    let row: Row = sqlx::query_as(
        "SELECT name, channel_type, configuration, credential_id, last_test_at, last_test_ok,
           last_test_detail, last_test_ms
         FROM countersign.notification_channels
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    let tested = match (row.last_test_at, row.last_test_ok) {
        (Some(at), Some(delivered)) => Some(Tested {
            at: at.to_jiff(),
            delivered,
            detail: row.last_test_detail.unwrap_or_default(),
            took_ms: row.last_test_ms.unwrap_or_default(),
        }),
        _ => None,
    };
    Ok(Channel {
        name: row.name,
        kind: row.channel_type,
        configuration: row.configuration,
        credential: row.credential_id.map(Into::into),
        tested,
    })
}

/// Keeps what a trial said.
///
/// # Errors
/// [`Error::NotFound`] when the channel was taken away meanwhile.
pub async fn mark_tested(
    tx: &mut TenantTx,
    id: ChannelId,
    delivered: bool,
    (detail, took_ms): (&str, i32),
) -> Result<(), Error> {
    let done = sqlx::query(
        "UPDATE countersign.notification_channels
         SET last_test_at = clock_timestamp(), last_test_ok = $3, last_test_detail = $4,
           last_test_ms = $5
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(delivered)
    .bind(detail)
    .bind(took_ms)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}
