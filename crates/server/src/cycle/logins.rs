//! Opening a target's secret just before it is used, and saying so in the log.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use act::ports::{Logins, Outside};
use api::App;
use model::audit::{Event, Who};
use model::connector::{Login, Pending};
use model::id::{CredentialId, ExecutionId, ResourceId, TenantId};
use model::plan::Target;
use sense::inventory::CredentialKind;
use sense::sealing;
use sense::store::credential;

/// Logins from sealed credentials.
#[derive(Debug, Clone)]
pub struct SealedLogins {
    app: App,
    who: Who,
    told: Arc<Mutex<BTreeSet<Opening>>>,
}

/// What one event tells of: a version of a credential, opened for a target of an execution.
type Opening = (ExecutionId, ResourceId, CredentialId, u32);

/// Openings remembered at most: those of thousands of steps under way.
const MOST_TOLD: usize = 8_192;

/// Why a secret was not opened.
#[derive(Debug, thiserror::Error)]
enum NotOpened {
    #[error("the credential of {target} is version {found} now; the plan was made with {planned}")]
    OtherVersion { target: String, found: u32, planned: u32 },
    #[error("the credential of {target} is no login")]
    NoLogin { target: String },
}

impl Logins for SealedLogins {
    fn login<'a>(
        &'a self,
        tenant: TenantId,
        execution: ExecutionId,
        target: &'a Target,
    ) -> Pending<'a, Result<Option<Login>, Outside>> {
        Box::pin(self.open(tenant, execution, target))
    }
}

impl SealedLogins {
    /// Opens secrets of the state's vault as `who`.
    #[must_use]
    pub fn new(app: App, who: Who) -> Self {
        Self { app, who, told: Arc::default() }
    }

    async fn open(
        &self,
        tenant: TenantId,
        execution: ExecutionId,
        target: &Target,
    ) -> Result<Option<Login>, Outside> {
        let Some(id) = target.credential_id else { return Ok(None) };
        let mut tx = self.app.db.tenant(tenant).await?;
        let sealed = credential::get(&mut tx, id).await?;
        // The key store may take its time: no connection waits for it.
        tx.rollback().await?;
        let found = sealed.credential.version;
        if let Some(planned) = target.credential_version
            && planned != found
        {
            let target = target.name.clone();
            return Err(NotOpened::OtherVersion { target, found, planned }.into());
        }
        let (db, vault) = (&self.app.db, &self.app.vault);
        let secret = sealing::open(db, vault, (tenant, &self.who), &sealed).await?;
        // Once by each worker that carries the execution on: its steps say which they are.
        let opening = (execution, target.resource_id, id, found);
        if !self.told().contains(&opening) {
            let event = Event::new(self.who.clone(), "credential.opened", "credential", &id)
                .with("version", found)
                .with("execution_id", execution.to_string())
                .with("target", target.name.clone());
            let mut tx = db.tenant(tenant).await?;
            tx.audit(&event).await?;
            tx.commit().await?;
            let mut told = self.told();
            if told.len() >= MOST_TOLD {
                told.clear();
            }
            told.insert(opening);
        }
        match sealed.credential.kind {
            CredentialKind::SshKey => Ok(Some(Login::Key(secret))),
            CredentialKind::Password => Ok(Some(Login::Password(secret))),
            CredentialKind::Hmac | CredentialKind::Oidc => {
                Err(NotOpened::NoLogin { target: target.name.clone() }.into())
            }
        }
    }

    fn told(&self) -> MutexGuard<'_, BTreeSet<Opening>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
