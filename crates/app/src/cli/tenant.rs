//! Closing a tenant for good (offline, by whoever runs the deployment).

use anyhow::{Context as _, Result, bail};
use archive::run::Archiver;
use archive::store::holds;
use clap::{Args, Subcommand};
use connect::objects::Directory as ObjectDirectory;
use model::audit::{Event, Who};
use model::id::TenantId;
use sense::store::tenant_key;
use serde_json::json;
use server::login::setup::SYSTEM_TENANT;
use server::login::store::{close_tenant, tenant_by_slug, tenant_named};

use super::{Context, End, view};
use crate::config::Place;
use crate::wiring;

/// Tenants.
#[derive(Debug, Subcommand)]
pub enum Tenant {
    /// Close a tenant for good: its keys are destroyed, its data goes (offline)
    ///
    /// Nobody of it may log in or show a key any more; its secrets can be opened by nobody (those in
    /// backups once `secret rotate kek` has replaced the key that wraps them); its findings, changes, evidence and archives are removed. Its signed log
    /// stays, and verifies. A legal hold refuses all of it. Safe to repeat after a crash.
    Shred(Shred),
}

/// A tenant to be closed.
#[derive(Debug, Args)]
pub struct Shred {
    /// The tenant's slug
    #[arg(value_name = "TENANT")]
    tenant: String,

    /// The slug once more
    #[arg(long, value_name = "TENANT")]
    confirm: String,

    /// The tenant's id, when it was closed before and is to be gone through again
    #[arg(long, value_name = "ID")]
    id: Option<TenantId>,

    /// Where the deployment's state is.
    #[command(flatten)]
    place: Place,
}

impl Tenant {
    /// Does it.
    ///
    /// # Errors
    /// When a hold keeps the tenant's data, or something cannot be removed.
    pub async fn run(self, context: &Context) -> Result<End> {
        match self {
            Self::Shred(shred) => shred.run(context).await,
        }
    }
}

impl Shred {
    async fn run(self, context: &Context) -> Result<End> {
        if self.tenant != self.confirm {
            bail!("--confirm must be the slug once more: {}", self.tenant);
        }
        if self.tenant == SYSTEM_TENANT {
            bail!("the log of the deployment itself is kept there: it cannot be closed");
        }
        let db = wiring::reach(&self.place).await?;
        let data_dir = &self.place.data_dir;
        let found = match self.id {
            Some(id) => Some(id),
            None => tenant_by_slug(&db, &self.tenant).await?,
        };
        let tenant = found.with_context(|| format!("there is no tenant {:?}", self.tenant))?;
        // First nobody comes in any more and the keys are gone; then what is left.
        let mut tx = db.tenant(tenant).await?;
        let named = tenant_named(&mut tx).await?.context("there is no tenant of this id")?;
        if named.slug != self.tenant || named.is_system {
            bail!("the id is that of {:?}, not of {:?}: nothing was done", named.slug, self.tenant);
        }
        if holds::in_force(&mut tx).await?.any() {
            bail!("a legal hold keeps the data of {}: lift it first", self.tenant);
        }
        close_tenant(&mut tx).await?;
        tenant_key::destroy(&mut tx).await.context("destroying the tenant's keys")?;
        let event = Event::new(Who::service(), "tenant.closed", "tenant", &tenant);
        tx.audit(&event).await?;
        tx.commit().await?;
        let objects = data_dir.join("objects");
        let store = ObjectDirectory::open(&objects)?;
        let archiver = Archiver::new(db.clone(), std::sync::Arc::new(store));
        let rows = archiver.erase(tenant).await.context("removing the tenant's data")?;
        match std::fs::remove_dir_all(objects.join(tenant.uuid().to_string())) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).context("removing the tenant's objects");
            }
            _ => {}
        }
        if let Some(system) = tenant_by_slug(&db, SYSTEM_TENANT).await? {
            let mut tx = db.tenant(system).await?;
            let event =
                Event::new(Who::service(), "tenant.shredded", "tenant", &tenant).with("rows", rows);
            tx.audit(&event).await?;
            tx.commit().await?;
        }
        db.close().await;
        let told = json!({ "tenant": tenant, "rows": rows });
        context.show(&told, |told| {
            format!(
                "{} is closed: its keys are destroyed, {} rows and all objects are gone; its log stays",
                view::at(told, "/tenant"),
                view::at(told, "/rows")
            )
        })
    }
}
