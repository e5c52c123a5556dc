//! Tenants' keys in the database, and the MAC that says this deployment made them.

use db::TenantTx;
use model::Timestamp;
use model::id::{TenantId, TenantKeyId};
use model::vault::{Purpose, TenantKey};
use sqlx::FromRow;
use uuid::Uuid;

use super::{instant, word};

/// What the MAC of a key vouches for.
const VOUCHED: &str = "tenant key";

#[derive(FromRow)]
pub(super) struct Row {
    id: Uuid,
    purpose: String,
    public_key: Vec<u8>,
    mac: Vec<u8>,
    kek_id: String,
    wrapped: Vec<u8>,
}

impl Row {
    fn key(self, tenant: TenantId) -> Result<TenantKey, db::Error> {
        Ok(TenantKey {
            id: self.id.into(),
            tenant,
            purpose: word::<Purpose>(&self.purpose)?,
            public: self.public_key,
            kek_id: self.kek_id,
            wrapped: self.wrapped,
        })
    }
}

/// A key as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKey {
    /// The key.
    pub key: TenantKey,
    /// Which one it is of its purpose, from 1; the newest seals.
    pub generation: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last wrapped anew.
    pub rewrapped_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct KeptRow {
    #[sqlx(flatten)]
    row: Row,
    generation: i32,
    created_at: jiff_sqlx::Timestamp,
    rewrapped_at: Option<jiff_sqlx::Timestamp>,
}

/// Somebody put a key into the database that this deployment did not make.
#[derive(Debug, thiserror::Error)]
#[error("key {0} in the database was not made by this deployment")]
struct Foreign(TenantKeyId);

/// All keys of the tenant, by purpose, newest first.
///
/// # Errors
/// When the database fails.
pub async fn all(tx: &mut TenantTx) -> Result<Vec<KeptKey>, db::Error> {
    let tenant = tx.tenant();
    let rows: Vec<KeptRow> = sqlx::query_as(
        "SELECT id, purpose, public_key, mac, kek_id, wrapped, generation, created_at, rewrapped_at
         FROM countersign.tenant_keys
         WHERE tenant_id = $1
         ORDER BY purpose, generation DESC",
    )
    .bind(tenant.uuid())
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|kept| {
            Ok(KeptKey {
                generation: u32::try_from(kept.generation).map_err(db::Error::internal)?,
                created_at: kept.created_at.to_jiff(),
                rewrapped_at: instant(kept.rewrapped_at),
                key: kept.row.key(tenant)?,
            })
        })
        .collect()
}

/// The key that seals for this purpose: the newest. Its MAC is verified. It is not retired before
/// this transaction is over, so that nothing is sealed under what nobody opens any more.
///
/// # Errors
/// When the database fails, or somebody else put the key there.
pub async fn newest(tx: &mut TenantTx, purpose: Purpose) -> Result<Option<TenantKey>, db::Error> {
    let tenant = tx.tenant();
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, purpose, public_key, mac, kek_id, wrapped
         FROM countersign.tenant_keys
         WHERE tenant_id = $1 AND purpose = $2
         ORDER BY generation DESC
         LIMIT 1
         FOR KEY SHARE",
    )
    .bind(tenant.uuid())
    .bind(purpose.word())
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mac = row.mac.clone();
    let key = row.key(tenant)?;
    if !tx.vouched(VOUCHED, &parts(&key), &mac) {
        return Err(db::Error::internal(Foreign(key.id)));
    }
    Ok(Some(key))
}

/// One key.
///
/// # Errors
/// [`db::Error::NotFound`] when there is none with this id.
pub async fn get(tx: &mut TenantTx, id: TenantKeyId) -> Result<TenantKey, db::Error> {
    let tenant = tx.tenant();
    let row: Row = sqlx::query_as(
        "SELECT id, purpose, public_key, mac, kek_id, wrapped
         FROM countersign.tenant_keys
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.uuid())
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await?;
    row.key(tenant)
}

/// Keeps a key as the newest of its purpose, unless somebody else keeps one at the same moment;
/// `after` is the generation before it, 0 for the first. Says whether it did.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut TenantTx, key: &TenantKey, after: u32) -> Result<bool, db::Error> {
    let generation = i32::try_from(after.saturating_add(1)).map_err(db::Error::internal)?;
    let mac = tx.vouch(VOUCHED, &parts(key));
    let done = sqlx::query(
        "INSERT INTO countersign.tenant_keys
           (tenant_id, id, purpose, generation, public_key, mac, kek_id, wrapped)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT ON CONSTRAINT tenant_keys_generation_key DO NOTHING",
    )
    .bind(tx.tenant().uuid())
    .bind(key.id.uuid())
    .bind(key.purpose.word())
    .bind(generation)
    .bind(&key.public)
    .bind(&mac[..])
    .bind(&key.kek_id)
    .bind(&key.wrapped)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Replaces how a key is wrapped, unless somebody else did meanwhile. Says whether it did.
///
/// # Errors
/// When the database fails.
pub async fn rewrap(
    tx: &mut TenantTx,
    before: &TenantKey,
    after: &TenantKey,
) -> Result<bool, db::Error> {
    let done = sqlx::query(
        "UPDATE countersign.tenant_keys
         SET kek_id = $4, wrapped = $5, rewrapped_at = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2 AND wrapped = $3",
    )
    .bind(tx.tenant().uuid())
    .bind(before.id.uuid())
    .bind(&before.wrapped)
    .bind(&after.kek_id)
    .bind(&after.wrapped)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Destroys what opens with the older keys that nothing is sealed under any more; gives their ids.
///
/// Waits for whoever is about to seal under one of them: the transaction must not hold anything that
/// they may wait for.
///
/// # Errors
/// When the database fails.
pub async fn retire(tx: &mut TenantTx) -> Result<Vec<TenantKeyId>, db::Error> {
    let older: Vec<Uuid> = sqlx::query_scalar(
        "SELECT k.id FROM countersign.tenant_keys k
         WHERE k.tenant_id = $1 AND k.wrapped <> ''
           AND EXISTS (
             SELECT FROM countersign.tenant_keys n
             WHERE n.tenant_id = $1 AND n.purpose = k.purpose AND n.generation > k.generation)
         ORDER BY k.id
         FOR UPDATE OF k",
    )
    .bind(tx.tenant().uuid())
    .fetch_all(tx.conn())
    .await?;
    let retired: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE countersign.tenant_keys k
         SET kek_id = 'retired', wrapped = '', rewrapped_at = clock_timestamp()
         WHERE k.tenant_id = $1 AND k.id = ANY ($2)
           AND NOT EXISTS (
             SELECT FROM countersign.credentials c
             WHERE c.tenant_id = $1 AND c.tenant_key_id = k.id AND c.ciphertext <> '')
           AND NOT EXISTS (
             SELECT FROM countersign.one_time_secrets o
             WHERE o.tenant_id = $1 AND o.tenant_key_id = k.id AND o.ciphertext <> '')
           AND NOT EXISTS (
             SELECT FROM countersign.second_factors f
             WHERE f.tenant_id = $1 AND f.kek_id = $3 || '_' || k.id::text)
         RETURNING k.id",
    )
    .bind(tx.tenant().uuid())
    .bind(older)
    .bind(TenantKeyId::PREFIX)
    .fetch_all(tx.conn())
    .await?;
    Ok(retired.into_iter().map(Into::into).collect())
}

/// Destroys what opens a tenant's secrets: from here on nobody does. Safe to repeat.
///
/// # Errors
/// When the database fails.
pub async fn destroy(tx: &mut TenantTx) -> Result<(), db::Error> {
    for statement in [
        "UPDATE countersign.tenant_keys
         SET kek_id = 'destroyed', wrapped = '', rewrapped_at = clock_timestamp()
         WHERE tenant_id = $1 AND wrapped <> ''",
        // Those from before tenants had keys are opened by the key file itself.
        "UPDATE countersign.credentials SET ciphertext = '', wrapped_dek = ''
         WHERE tenant_id = $1 AND ciphertext <> ''",
    ] {
        sqlx::query(statement).bind(tx.tenant().uuid()).execute(tx.conn()).await?;
    }
    Ok(())
}

fn parts(key: &TenantKey) -> [Vec<u8>; 3] {
    let id = key.id.uuid().as_bytes().to_vec();
    [id, key.purpose.word().as_bytes().to_vec(), key.public.clone()]
}
