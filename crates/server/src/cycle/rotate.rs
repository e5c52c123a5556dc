//! Rotate: a tenant's keys are made or wrapped anew, batch by batch.
//!
//! A batch and how far it got are one transaction, so that whoever takes a job over goes on where
//! it was left. No transaction is open while the key store is asked. What is sealed under an older
//! key opens all the time: every secret names its key.

use std::sync::Arc;
use std::time::Duration;

use api::App;
use db::TenantTx;
use db::jobs::Claimed;
use model::audit::{Event, Who};
use model::id::{KeyRotationId, TenantId};
use model::vault::{Purpose, Sealed, TenantKey, Vault, VaultError};
use sense::inventory::SealedCredential;
use sense::sealing;
use sense::store::rotation::{self, Batch, Rotation, RotationKind};
use sense::store::{credential, tenant_key};

use super::store;

/// The subject of the jobs this takes.
pub const SUBJECT: &str = rotation::ROTATE;
/// Secrets at a time.
const BATCH: i64 = 100;

/// Why a rotation did not go on; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] db::Error),
    /// A key cannot be had.
    #[error("a key cannot be had")]
    Sealing(#[from] sealing::Error),
    /// The key store failed.
    #[error("the key store failed")]
    Vault(#[from] VaultError),
    /// The job says nothing that could be done.
    #[error("the job names no rotation")]
    NoRotation,
}

/// Takes a rotation from where it is to its end, keeping the job for `ttl` from batch to batch.
///
/// # Errors
/// When the database or the key store fails, or somebody else took it over.
pub async fn rotate(app: &App, job: &Claimed, ttl: Duration) -> Result<(), Error> {
    let id: KeyRotationId = job.params["rotation_id"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or(Error::NoRotation)?;
    let mut tx = app.db.tenant(job.tenant).await?;
    let begun = rotation::get(&mut tx, id).await?;
    tx.rollback().await?;
    if begun.running && begun.keys_done == 0 && begun.after.is_none() {
        make_keys(app, job.tenant, &begun).await?;
    }
    while !batch(app, job, id).await? {
        db::failpoint::reach("keys.batch");
        job.renew(&app.db, ttl).await?;
    }
    Ok(())
}

/// Begins a rotation of the key-encryption key in every tenant that has none under way; gives
/// their number.
///
/// # Errors
/// When the database fails.
pub async fn rewrap_everywhere(db: &db::Db) -> Result<usize, db::Error> {
    let mut begun = 0;
    for tenant in store::tenants(db).await? {
        let mut tx = db.tenant(tenant).await?;
        let rotation = match rotation::begin(&mut tx, RotationKind::Kek, None).await {
            Err(error) if error.constraint() == Some("key_rotations_running_key") => continue,
            rotation => rotation?,
        };
        let event =
            Event::new(Who::service(), "key_rotation.started", "key_rotation", &rotation.id)
                .with("kind", rotation.kind.word());
        tx.audit(&event).await?;
        tx.commit().await?;
        begun += 1;
    }
    Ok(begun)
}

/// What comes before the secrets: keys are wrapped anew, or made.
async fn make_keys(app: &App, tenant: TenantId, rotation: &Rotation) -> Result<(), Error> {
    let mut tx = app.db.tenant(tenant).await?;
    let kept = tenant_key::all(&mut tx).await?;
    let mut done = 0;
    match rotation.kind {
        RotationKind::Kek => {
            tx.rollback().await?;
            let mut wrapped = Vec::new();
            for kept in kept {
                let after = app.vault.rewrap_key(&kept.key).await?;
                wrapped.push((kept.key, after));
            }
            tx = app.db.tenant(tenant).await?;
            for (before, after) in wrapped {
                done += usize::from(tenant_key::rewrap(&mut tx, &before, &after).await?);
                db::failpoint::reach("keys.rewrapped");
            }
        }
        RotationKind::TenantKey => {
            for purpose in Purpose::ALL {
                // The newest comes first.
                let newest = kept.iter().find(|kept| kept.key.purpose == *purpose);
                let Some(newest) = newest else { continue };
                sealing::next_key(&mut tx, &app.vault, *purpose, newest.generation).await?;
                done += 1;
            }
        }
        RotationKind::DataKey => {}
    }
    rotation::keys_done(&mut tx, rotation, done).await?;
    tx.commit().await?;
    Ok(())
}

/// The keys that seal at present.
struct Present {
    change: TenantKey,
    request: TenantKey,
}

impl Present {
    async fn of(tx: &mut TenantTx, vault: &Arc<dyn Vault>) -> Result<Self, Error> {
        Ok(Self {
            change: sealing::key(tx, vault, Purpose::Change).await?,
            request: sealing::key(tx, vault, Purpose::Request).await?,
        })
    }

    const fn of_purpose(&self, purpose: Purpose) -> &TenantKey {
        match purpose {
            Purpose::Change => &self.change,
            Purpose::Request => &self.request,
        }
    }
}

/// Takes the next secrets over. Says whether they were the last.
async fn batch(app: &App, job: &Claimed, id: KeyRotationId) -> Result<bool, Error> {
    let mut tx = app.db.tenant(job.tenant).await?;
    let rotation = rotation::get(&mut tx, id).await?;
    if !rotation.running {
        job.complete(&mut tx).await?;
        tx.commit().await?;
        return Ok(true);
    }
    let stored = credential::after(&mut tx, rotation.after, BATCH).await?;
    let present =
        if stored.is_empty() { None } else { Some(Present::of(&mut tx, &app.vault).await?) };
    tx.write_out().await?;
    tx.commit().await?;
    let (last, done) = (stored.last().map(|last| last.credential.id), stored.len());
    let (mut resealed, mut unopened) = (Vec::new(), Vec::new());
    for stored in stored {
        let Some(present) = &present else { continue };
        let key = present.of_purpose(stored.credential.kind.purpose());
        match anew(&app.vault, rotation.kind, key, job.tenant, &stored).await {
            Ok(Some(sealed)) => resealed.push((stored, sealed)),
            Ok(None) => {}
            // One that was altered must not keep the others from being taken over.
            Err(error @ VaultError::Altered) => unopened.push((stored, error)),
            Err(error) => return Err(error.into()),
        }
    }
    let ends = done < usize::try_from(BATCH).unwrap_or(usize::MAX);
    let batch = Batch { last, done, failed: unopened.len(), ends };
    let mut tx = app.db.tenant(job.tenant).await?;
    rotation::advance(&mut tx, &rotation, batch).await?;
    credential::reseal(&mut tx, &resealed).await?;
    for (stored, error) in unopened {
        let id = stored.credential.id;
        let event = Event::new(Who::service(), "credential.not_opened", "credential", &id)
            .with("version", stored.credential.version)
            .failed(error.to_string());
        tx.audit(&event).await?;
    }
    if ends {
        let event = Event::new(Who::service(), "key_rotation.done", "key_rotation", &rotation.id)
            .with("kind", rotation.kind.word());
        tx.audit(&event).await?;
        job.complete(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(ends)
}

/// How a secret is sealed from now on; `None` when it is so already.
async fn anew(
    vault: &Arc<dyn Vault>,
    kind: RotationKind,
    key: &TenantKey,
    tenant: TenantId,
    stored: &SealedCredential,
) -> Result<Option<Sealed>, VaultError> {
    let place = credential::place(tenant, stored.credential.id, stored.credential.version);
    let from = stored.key.as_ref();
    match kind {
        // Secrets follow their keys, but for those that had none.
        RotationKind::Kek if from.is_some() => Ok(None),
        RotationKind::TenantKey if from.is_some_and(|from| from.id == key.id) => Ok(None),
        RotationKind::Kek | RotationKind::TenantKey => {
            vault.rewrap(from, key, place, &stored.sealed).await.map(Some)
        }
        RotationKind::DataKey => {
            let secret = vault.open(from, place, &stored.sealed).await?;
            vault.seal(key, &place, &secret).map(Some)
        }
    }
}
