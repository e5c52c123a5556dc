//! Whose log: a tenant's slug or id, and where its log and keys lie.

use anyhow::{Context as _, Result};
use clap::Args;
use db::Db;
use model::id::TenantId;
use prove::directory::Directory;
use prove::policy::Policy;

use crate::config::Place;

/// Whose log.
#[derive(Debug, Clone, Args)]
pub struct Whose {
    /// The tenant's slug or id
    #[arg(long, value_name = "TENANT", default_value = "default")]
    tenant: String,
}

impl Whose {
    /// The id, when it was given as one.
    #[must_use]
    pub fn id(&self) -> Option<TenantId> {
        self.tenant.parse().ok()
    }

    /// The id, asked of the database when a slug was given.
    ///
    /// # Errors
    /// When there is no such tenant.
    pub async fn find(&self, db: &Db) -> Result<TenantId> {
        if let Some(id) = self.id() {
            return Ok(id);
        }
        let found = server::login::store::tenant_by_slug(db, &self.tenant).await?;
        found.with_context(|| format!("there is no tenant {:?}", self.tenant))
    }
}

/// The keys the signer of this deployment says it signed with; none when it never did.
///
/// # Errors
/// When its list cannot be read.
pub fn own_keys(place: &Place, origin: &str) -> Result<Option<Policy>> {
    let kept = Directory::new(place.data_dir.join("signer")).below(origin).read_text("policy")?;
    let Some(text) = kept else { return Ok(None) };
    let policy: Policy = text.parse().context("the signer's list of keys")?;
    Ok(Some(policy))
}
