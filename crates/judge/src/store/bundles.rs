//! Policy bundles: uploaded, activated, read back with their hash checked.
//!
//! Every upload is a version that never changes. The active bundle is the one activated last; the
//! versions before it stay, because decisions refer to them.

use std::sync::Mutex;

use db::TenantTx;
use model::id::{ActorId, BundleId};
use model::{Digest, Timestamp};
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;

use super::Error;
use crate::policy::{Bundle, Files};

/// Bundles kept compiled in this process.
const KEPT: usize = 64;
/// The name of the shipped bundle.
pub const SHIPPED: &str = "shipped";
/// Serialises uploads of a tenant, so that versions count up: ASCII "poli".
const UPLOAD_LOCK: i32 = 0x706f_6c69;

/// A stored bundle without its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: BundleId,
    /// Its name.
    pub name: String,
    /// Its version, from 1 for each name.
    pub version: i32,
    /// The hash of its files.
    pub hash: Digest,
    /// Since when it has been the active one, if it ever was.
    pub active_from: Option<Timestamp>,
    /// Who uploaded it; nobody did for the shipped one.
    pub created_by: Option<ActorId>,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: uuid::Uuid,
    name: String,
    version: i32,
    hash: Vec<u8>,
    active_from: Option<jiff_sqlx::Timestamp>,
    created_by: Option<uuid::Uuid>,
    created_at: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let hash = Digest::try_from(row.hash.as_slice());
        Ok(Self {
            id: row.id.into(),
            name: row.name,
            version: row.version,
            hash: hash.map_err(|error| Error::unreadable("the hash of a policy bundle", error))?,
            active_from: row.active_from.map(jiff_sqlx::Timestamp::to_jiff),
            created_by: row.created_by.map(ActorId::from),
            created_at: row.created_at.to_jiff(),
        })
    }
}

/// Bundles of this process, compiled once each.
#[derive(Debug, Default)]
pub struct Compiled(Mutex<Vec<(Digest, Bundle)>>);

impl Compiled {
    fn get(&self, hash: Digest) -> Option<Bundle> {
        let mut bundles = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let at = bundles.iter().position(|(of, _)| *of == hash)?;
        let found = bundles.remove(at);
        let bundle = found.1.clone();
        bundles.insert(0, found);
        Some(bundle)
    }

    fn keep(&self, bundle: &Bundle) {
        let mut bundles = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        bundles.retain(|(of, _)| *of != bundle.hash());
        bundles.insert(0, (bundle.hash(), bundle.clone()));
        bundles.truncate(KEPT);
    }
}

/// Stores a bundle as the next version of `name`. The same files again are the same version.
///
/// # Errors
/// When the database does not take it.
pub async fn upload(
    tx: &mut TenantTx,
    name: &str,
    bundle: &Bundle,
    created_by: Option<ActorId>,
) -> Result<Stored, Error> {
    let tenant = tx.tenant();
    sqlx::query("SELECT pg_advisory_xact_lock($1, hashtext($2::text))")
        .bind(UPLOAD_LOCK)
        .bind(tenant.uuid())
        .execute(tx.conn())
        .await
        .map_err(Error::query)?;
    if let Some(same) = version_with(tx, name, bundle.hash()).await? {
        return Ok(same);
    }
    let row: Row = sqlx::query_as(
        "INSERT INTO countersign.policy_bundles
           (tenant_id, id, name, version, hash, body, created_by)
         SELECT $1, $2, $3, coalesce(max(version), 0) + 1, $4, $5, $6
         FROM countersign.policy_bundles
         WHERE tenant_id = $1 AND name = $3
         RETURNING id, name, version, hash, active_from, created_by, created_at",
    )
    .bind(tenant.uuid())
    .bind(BundleId::generate().uuid())
    .bind(name)
    .bind(bundle.hash().as_bytes().as_slice())
    .bind(Json(bundle.files()))
    .bind(created_by.map(ActorId::uuid))
    .fetch_one(tx.conn())
    .await
    .map_err(Error::query)?;
    row.try_into()
}

async fn version_with(
    tx: &mut TenantTx,
    name: &str,
    hash: Digest,
) -> Result<Option<Stored>, Error> {
    let tenant = tx.tenant();
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, name, version, hash, active_from, created_by, created_at
         FROM countersign.policy_bundles
         WHERE tenant_id = $1 AND name = $2 AND hash = $3
         ORDER BY version DESC
         LIMIT 1",
    )
    .bind(tenant.uuid())
    .bind(name)
    .bind(hash.as_bytes().as_slice())
    .fetch_optional(tx.conn())
    .await
    .map_err(Error::query)?;
    row.map(Stored::try_from).transpose()
}

/// Makes a bundle the active one, from now on.
///
/// # Errors
/// When there is no such bundle.
pub async fn activate(tx: &mut TenantTx, id: BundleId) -> Result<Stored, Error> {
    let tenant = tx.tenant();
    let row: Option<Row> = sqlx::query_as(
        "UPDATE countersign.policy_bundles
         SET active_from = clock_timestamp()
         WHERE tenant_id = $1 AND id = $2
         RETURNING id, name, version, hash, active_from, created_by, created_at",
    )
    .bind(tenant.uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await
    .map_err(Error::query)?;
    row.ok_or(Error::NoBundle(id))?.try_into()
}

/// The active bundle, compiled; `None` when the tenant never activated one.
///
/// # Errors
/// When the stored files do not have the stored hash, or do not compile. The caller must then deny
/// writes: there is a policy, and it cannot be asked.
pub async fn active(
    tx: &mut TenantTx,
    compiled: &Compiled,
) -> Result<Option<(Stored, Bundle)>, Error> {
    let tenant = tx.tenant();
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, name, version, hash, active_from, created_by, created_at
         FROM countersign.policy_bundles
         WHERE tenant_id = $1 AND active_from IS NOT NULL
         ORDER BY active_from DESC, id DESC
         LIMIT 1",
    )
    .bind(tenant.uuid())
    .fetch_optional(tx.conn())
    .await
    .map_err(Error::query)?;
    let Some(row) = row else { return Ok(None) };
    let stored = Stored::try_from(row)?;
    if let Some(bundle) = compiled.get(stored.hash) {
        return Ok(Some((stored, bundle)));
    }
    let files = files(tx, stored.id).await?;
    let id = stored.id;
    let bundle = Bundle::compile(files).map_err(|problems| Error::Unusable { id, problems })?;
    if bundle.hash() != stored.hash {
        return Err(Error::Altered(id));
    }
    compiled.keep(&bundle);
    Ok(Some((stored, bundle)))
}

/// The files of a bundle.
///
/// # Errors
/// When there is no such bundle.
pub async fn files(tx: &mut TenantTx, id: BundleId) -> Result<Files, Error> {
    let tenant = tx.tenant();
    let body: Option<Value> = sqlx::query_scalar(
        "SELECT body FROM countersign.policy_bundles WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await
    .map_err(Error::query)?;
    serde_json::from_value(body.ok_or(Error::NoBundle(id))?)
        .map_err(|error| Error::unreadable("the body of a policy bundle", error))
}

/// The bundles of the tenant, the last first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(tx: &mut TenantTx, most: u32) -> Result<Vec<Stored>, Error> {
    let tenant = tx.tenant();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, version, hash, active_from, created_by, created_at
         FROM countersign.policy_bundles
         WHERE tenant_id = $1
         ORDER BY id DESC
         LIMIT $2",
    )
    .bind(tenant.uuid())
    .bind(i64::from(most))
    .fetch_all(tx.conn())
    .await
    .map_err(Error::query)?;
    rows.into_iter().map(Stored::try_from).collect()
}

/// Whether the tenant ever activated a bundle: then the newest of them decides, and the shipped one
/// does not.
///
/// # Errors
/// When the database cannot be asked.
pub async fn any_active(tx: &mut TenantTx) -> Result<bool, Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (
           SELECT FROM countersign.policy_bundles
           WHERE tenant_id = $1 AND active_from IS NOT NULL)",
    )
    .bind(tx.tenant().uuid())
    .fetch_one(tx.conn())
    .await
    .map_err(Error::query)
}

/// Stores and activates the shipped bundle for a tenant that has no active one; gives it if it did.
/// A tenant that chose a policy keeps it when the shipped one changes.
///
/// # Errors
/// When the database does not take it.
pub async fn install_shipped(tx: &mut TenantTx) -> Result<Option<Stored>, Error> {
    if any_active(tx).await? {
        return Ok(None);
    }
    let stored = upload(tx, SHIPPED, crate::policy::shipped(), None).await?;
    activate(tx, stored.id).await.map(Some)
}
