//! What people are told, say and set, in the database.

pub mod channel;
pub(crate) mod tenant;

use db::{Cursor, Error, Page, PageRequest, TenantTx};
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::Timestamp;
use model::id::{ActorId, ChatMessageId, ChatSessionId, LlmProviderId, NotificationId, UserId};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

/// A setting of a tenant.
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) value: Value,
    pub(crate) updated_by: Option<ActorId>,
    pub(crate) updated_at: Timestamp,
}

#[derive(FromRow)]
struct SettingRow {
    key: String,
    value: Value,
    updated_by: Option<Uuid>,
    updated_at: SqlTimestamp,
}

impl From<SettingRow> for Setting {
    fn from(row: SettingRow) -> Self {
        Self {
            key: row.key,
            value: row.value,
            updated_by: row.updated_by.map(ActorId::from),
            updated_at: row.updated_at.to_jiff(),
        }
    }
}

/// All settings, in order of key.
pub(crate) async fn settings(tx: &mut TenantTx) -> Result<Vec<Setting>, Error> {
    let rows: Vec<SettingRow> = sqlx::query_as(
        "SELECT key, value, updated_by, updated_at FROM countersign.system_config
         WHERE tenant_id = $1 ORDER BY key",
    )
    .bind(tx.tenant().uuid())
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Setting::from).collect())
}

/// One setting.
pub(crate) async fn setting(tx: &mut TenantTx, key: &str) -> Result<Option<Setting>, Error> {
    let row: Option<SettingRow> = sqlx::query_as(
        "SELECT key, value, updated_by, updated_at FROM countersign.system_config
         WHERE tenant_id = $1 AND key = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(key)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Setting::from))
}

/// One setting, kept from others' changes.
pub(crate) async fn setting_to_change(
    tx: &mut TenantTx,
    key: &str,
) -> Result<Option<Setting>, Error> {
    let row: Option<SettingRow> = sqlx::query_as(
        "SELECT key, value, updated_by, updated_at FROM countersign.system_config
         WHERE tenant_id = $1 AND key = $2 FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .bind(key)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Setting::from))
}

/// Sets something.
pub(crate) async fn set(
    tx: &mut TenantTx,
    key: &str,
    value: &Value,
    by: ActorId,
) -> Result<Setting, Error> {
    let row: SettingRow = sqlx::query_as(
        "INSERT INTO countersign.system_config (tenant_id, key, value, updated_by)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, key) DO UPDATE
         SET value = excluded.value, updated_by = excluded.updated_by,
           updated_at = clock_timestamp()
         RETURNING key, value, updated_by, updated_at",
    )
    .bind(tx.tenant().uuid())
    .bind(key)
    .bind(value)
    .bind(by.uuid())
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}

/// Removes a setting.
pub(crate) async fn unset(tx: &mut TenantTx, key: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM countersign.system_config WHERE tenant_id = $1 AND key = $2")
        .bind(tx.tenant().uuid())
        .bind(key)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The provider that is asked when nobody says which.
pub(crate) async fn default_llm_provider(
    tx: &mut TenantTx,
) -> Result<Option<LlmProviderId>, Error> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM countersign.llm_providers WHERE tenant_id = $1 AND is_default FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(id.map(LlmProviderId::from))
}

/// Makes one the default instead of another; whether it is there.
pub(crate) async fn choose_llm_provider(
    tx: &mut TenantTx,
    id: LlmProviderId,
) -> Result<bool, Error> {
    let tenant = tx.tenant().uuid();
    // In two statements: the index that allows one default looks at each row as it is written.
    sqlx::query(
        "UPDATE countersign.llm_providers SET is_default = false, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND is_default AND id <> $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    let chosen = sqlx::query(
        "UPDATE countersign.llm_providers SET is_default = true, updated_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(chosen.rows_affected() == 1)
}

/// Notes that a notification was read: whether this was the first time; nothing when there is none.
pub(crate) async fn read(tx: &mut TenantTx, id: NotificationId) -> Result<Option<bool>, Error> {
    let unread: Option<bool> = sqlx::query_scalar(
        "SELECT read_at IS NULL FROM countersign.notifications
         WHERE tenant_id = $1 AND id = $2 FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    if unread == Some(true) {
        sqlx::query(
            "UPDATE countersign.notifications SET read_at = clock_timestamp()
             WHERE tenant_id = $1 AND id = $2",
        )
        .bind(tx.tenant().uuid())
        .bind(id.uuid())
        .execute(tx.conn())
        .await?;
    }
    Ok(unread)
}

/// Something said in a conversation.
pub(crate) struct Said {
    pub(crate) id: ChatMessageId,
    pub(crate) role: String,
    pub(crate) content: String,
    pub(crate) tokens_used: Option<i32>,
    pub(crate) created_at: Timestamp,
}

#[derive(FromRow)]
struct SaidRow {
    id: Uuid,
    role: String,
    content: String,
    tokens_used: Option<i32>,
    created_at: SqlTimestamp,
}

impl From<SaidRow> for Said {
    fn from(row: SaidRow) -> Self {
        Self {
            id: row.id.into(),
            role: row.role,
            content: row.content,
            tokens_used: row.tokens_used,
            created_at: row.created_at.to_jiff(),
        }
    }
}

/// Something, if there is such a conversation and it is this person's.
pub(crate) async fn own_chat(
    tx: &mut TenantTx,
    id: ChatSessionId,
    owner: Option<UserId>,
) -> Result<Option<()>, Error> {
    let own: Option<i32> = sqlx::query_scalar(
        "SELECT 1 FROM countersign.chat_sessions
         WHERE tenant_id = $1 AND id = $2 AND user_id = $3",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(owner.map(UserId::uuid))
    .fetch_optional(tx.conn())
    .await?;
    Ok(own.map(|_| ()))
}

/// What was said in a conversation, newest first.
pub(crate) async fn messages(
    tx: &mut TenantTx,
    chat: ChatSessionId,
    page: &PageRequest,
) -> Result<Page<Said>, Error> {
    let rows: Vec<SaidRow> = sqlx::query_as(
        "SELECT id, role, content, tokens_used, created_at FROM countersign.chat_messages
         WHERE tenant_id = $1 AND session_id = $2 AND ($3::uuid IS NULL OR id < $3)
         ORDER BY id DESC
         LIMIT $4",
    )
    .bind(tx.tenant().uuid())
    .bind(chat.uuid())
    .bind(page.after_id())
    .bind(page.fetch())
    .fetch_all(tx.conn())
    .await?;
    Ok(page.page(rows, |row| Cursor::Id(row.id)).map(Said::from))
}

/// Keeps what a person said.
pub(crate) async fn say(
    tx: &mut TenantTx,
    chat: ChatSessionId,
    content: &str,
) -> Result<Said, Error> {
    let row: SaidRow = sqlx::query_as(
        "INSERT INTO countersign.chat_messages (tenant_id, id, session_id, role, content)
         VALUES ($1, $2, $3, 'user', $4)
         RETURNING id, role, content, tokens_used, created_at",
    )
    .bind(tx.tenant().uuid())
    .bind(ChatMessageId::generate().uuid())
    .bind(chat.uuid())
    .bind(content)
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}
