//! Rotate: a tenant's keys are made or wrapped anew, batch by batch.
//!
//! A batch and how far it got are one transaction, so that whoever takes a job over goes on where
//! it was left: credentials, then second factors, then secrets told once, each in order of id. At its
//! end, keys that nothing is sealed under any more are retired. No transaction is open while the key
//! store is asked. What is sealed under an older key opens all the time: every secret names its key.

use std::sync::Arc;
use std::time::Duration;

use api::App;
use db::TenantTx;
use db::jobs::Claimed;
use model::audit::{Event, Who};
use model::id::{CredentialId, KeyRotationId, OnceId, TenantId, UserId};
use model::vault::{Purpose, Sealed, TenantKey, Vault, VaultError};
use sense::sealing;
use sense::store::rotation::{self, Batch, Rotation, RotationKind};
use sense::store::sealed::{self, Held, Holder};
use sense::store::tenant_key;

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
    let first = begun.stage == Holder::Credentials && begun.after.is_none();
    if begun.running && begun.keys_done == 0 && first {
        make_keys(app, job.tenant, &begun).await?;
    }
    loop {
        let mut tx = app.db.tenant(job.tenant).await?;
        let rotation = rotation::get(&mut tx, id).await?;
        if !rotation.running {
            job.complete(&mut tx).await?;
            tx.commit().await?;
            return Ok(());
        }
        if batch(app, tx, &rotation).await? {
            return end(app, job, &rotation).await;
        }
        db::failpoint::reach(match rotation.stage {
            Holder::Credentials => "keys.batch",
            Holder::SecondFactors => "keys.second_factors",
            Holder::OneTimeSecrets => "keys.one_time_secrets",
        });
        job.renew(&app.db, ttl).await?;
    }
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
            // What was retired opens nothing, however it is wrapped.
            for kept in kept.into_iter().filter(|kept| !kept.key.wrapped.is_empty()) {
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
async fn batch(app: &App, mut tx: TenantTx, rotation: &Rotation) -> Result<bool, Error> {
    let (tenant, holder) = (tx.tenant(), rotation.stage);
    let stored = sealed::after(&mut tx, holder, rotation.after, BATCH).await?;
    let present =
        if stored.is_empty() { None } else { Some(Present::of(&mut tx, &app.vault).await?) };
    tx.write_out().await?;
    tx.commit().await?;
    let (last, done) = (stored.last().map(|last| last.id), stored.len());
    let (mut resealed, mut unopened) = (Vec::new(), Vec::new());
    for held in stored {
        let Some(present) = &present else { continue };
        match anew(&app.vault, rotation.kind, present.of_purpose(held.purpose), &held).await {
            Ok(Some(sealed)) => resealed.push((held, sealed)),
            Ok(None) => {}
            // One that was altered must not keep the others from being taken over.
            Err(error @ VaultError::Altered) => unopened.push((held, error)),
            Err(error) => return Err(error.into()),
        }
    }
    let stage_ends = done < usize::try_from(BATCH).unwrap_or(usize::MAX);
    let next = if stage_ends { holder.next() } else { None };
    let batch = Batch { last, done, failed: unopened.len(), next };
    let mut tx = app.db.tenant(tenant).await?;
    rotation::advance(&mut tx, rotation, batch).await?;
    sealed::reseal(&mut tx, holder, &resealed).await?;
    for (held, error) in unopened {
        tx.audit(&not_opened(holder, &held, &error)).await?;
    }
    tx.commit().await?;
    Ok(stage_ends && next.is_none())
}

/// What is written of a secret that does not open.
fn not_opened(holder: Holder, held: &Held, error: &VaultError) -> Event {
    let who = Who::service();
    let event = match holder {
        Holder::Credentials => {
            let id = CredentialId::from(held.about);
            Event::new(who, "credential.not_opened", "credential", &id)
                .with("version", held.place.version)
        }
        Holder::SecondFactors => {
            Event::new(who, "second_factor.not_opened", "user", &UserId::from(held.about))
        }
        Holder::OneTimeSecrets => {
            let id = OnceId::from(held.about);
            Event::new(who, "one_time_secret.not_opened", "one_time_secret", &id)
        }
    };
    event.failed(error.to_string())
}

/// Retires the keys that are not needed any more, and ends the rotation.
async fn end(app: &App, job: &Claimed, rotation: &Rotation) -> Result<(), Error> {
    let mut tx = app.db.tenant(job.tenant).await?;
    let retired = tenant_key::retire(&mut tx).await?;
    rotation::end(&mut tx, rotation).await?;
    for id in &retired {
        let event = Event::new(Who::service(), "tenant_key.retired", "tenant_key", id);
        tx.audit(&event).await?;
    }
    let event = Event::new(Who::service(), "key_rotation.done", "key_rotation", &rotation.id)
        .with("kind", rotation.kind.word());
    tx.audit(&event).await?;
    job.complete(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// How a secret is sealed from now on; `None` when it is so already.
async fn anew(
    vault: &Arc<dyn Vault>,
    kind: RotationKind,
    key: &TenantKey,
    held: &Held,
) -> Result<Option<Sealed>, VaultError> {
    let from = held.key.as_ref();
    match kind {
        // Secrets follow their keys, but for those that had none.
        RotationKind::Kek if from.is_some() => Ok(None),
        RotationKind::TenantKey if from.is_some_and(|from| from.id == key.id) => Ok(None),
        RotationKind::Kek | RotationKind::TenantKey => {
            vault.rewrap(from, key, held.place, &held.sealed).await.map(Some)
        }
        RotationKind::DataKey => {
            let secret = vault.open(from, held.place, &held.sealed).await?;
            vault.seal(key, &held.place, &secret).map(Some)
        }
    }
}
