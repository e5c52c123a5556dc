//! The keys that every host of a deployment must have, known by their fingerprints: a host with
//! other keys refuses to serve, because what it seals, signs or vouches for nobody else could use.

mod store;
#[cfg(test)]
mod tests;

use db::Db;

use crate::login::setup::SYSTEM_TENANT;
use crate::login::store::tenant_by_slug;

model::words! {
    /// A key that all hosts share.
    KeyKind {
        /// The deployment's name, which seals and signatures carry.
        Deployment = "deployment",
        /// The key-encryption key of what changes need.
        Kek = "kek",
        /// The key-encryption key of what requests need.
        RequestKek = "request_kek",
        /// The key of the audit outbox's MACs.
        AuditMac = "audit_mac",
        /// The key that signs the log.
        Log = "log",
    }
}

impl KeyKind {
    /// What it is called among people, and where it lies.
    const fn description(self) -> &'static str {
        match self {
            Self::Deployment => "the deployment's name (--deployment)",
            Self::Kek => "the key-encryption key (keys/kek, or its public half keys/kek.pub)",
            Self::RequestKek => "the key-encryption key of requests (keys/request-kek)",
            Self::AuditMac => "the key of the audit log's MACs (keys/audit-mac)",
            Self::Log => "the key that signs the audit log (keys/log)",
        }
    }
}

/// A key as a host has it.
#[derive(Debug, Clone)]
pub struct HostKey {
    /// What it is.
    pub kind: KeyKind,
    /// Its fingerprints: the one in use, then those from before it.
    pub fingerprints: Vec<String>,
}

/// Why a host may not serve.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The fingerprints cannot be read or kept.
    #[error("the fingerprints of the deployment's keys cannot be read")]
    Database(#[from] db::Error),
    /// There is no system tenant yet.
    #[error("the deployment has not been set up")]
    NotSetUp,
    /// The host has another key.
    #[error(
        "{} of this host is {here}, and that of this deployment is {there}: copy it from a host \
         that serves", kind.description()
    )]
    Differs {
        /// Which key.
        kind: KeyKind,
        /// The one this host has.
        here: String,
        /// The one it must have.
        there: String,
    },
}

/// Lets a host join the deployment. The first one says which keys are the deployment's; a host
/// that has the present one and a newer one makes the newer one the present one.
///
/// # Errors
/// When a key differs: the first of them.
pub async fn join(db: &Db, keys: &[HostKey]) -> Result<(), Refused> {
    let tenant = tenant_by_slug(db, SYSTEM_TENANT).await?.ok_or(Refused::NotSetUp)?;
    let mut tx = db.tenant(tenant).await?;
    let known = store::lock(&mut tx).await?;
    for HostKey { kind, fingerprints } in keys {
        let Some(here) = fingerprints.first() else { continue };
        let present = known.iter().find(|(known, _)| known == kind.word()).map(|(_, print)| print);
        if let Some(there) = present
            && !fingerprints.contains(there)
        {
            let (here, there) = (here.clone(), there.clone());
            return Err(Refused::Differs { kind: *kind, here, there });
        }
        if !known.iter().any(|(known, print)| known == kind.word() && print == here) {
            store::add(&mut tx, *kind, here).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}
