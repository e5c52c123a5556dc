//! The secrets of a source: what opens it, and the key its own secrets are kept under as digests.

use api::identity::random_text;
use model::audit::Event;
use model::id::CredentialId;
use model::secret::Secret;
use sense::drift::seal::Sealer;
use sense::inventory::CredentialKind;
use sense::sealing;
use sense::store::credential;

use super::{Fault, Work};

/// What the key of a tenant's digests is called among its credentials.
const DIGESTS: &str = "digests of declared secrets";

/// Opens a credential for the source, and says so in the log.
pub(super) async fn open(work: &Work<'_>, id: CredentialId) -> Result<Secret, Fault> {
    let (db, vault) = (&work.app.db, &work.app.vault);
    let mut tx = db.tenant(work.tenant).await?;
    let sealed = credential::get(&mut tx, id).await?;
    // The key store may take its time: no connection waits for it.
    tx.rollback().await?;
    if sealed.credential.kind.purpose() != CredentialKind::Password.purpose() {
        let text = "the credential is of a kind that is not for sources: keep it as a password";
        return Err(Fault::Said(text.to_owned()));
    }
    let secret = sealing::open(db, vault, (work.tenant, &work.who), &sealed).await?;
    let event = Event::new(work.who.clone(), "credential.opened", "credential", &id)
        .with("version", sealed.credential.version)
        .with("iac_repository_id", work.source.id.to_string());
    let mut tx = db.tenant(work.tenant).await?;
    tx.audit(&event).await?;
    tx.commit().await?;
    Ok(secret)
}

/// Seals under the tenant's own key, which is made when it is first needed: the same secret has the
/// same digest from sync to sync, and says nothing without the vault.
pub(super) async fn sealer(work: &Work<'_>) -> Result<Sealer, Fault> {
    let (db, vault) = (&work.app.db, &work.app.vault);
    let mut tx = db.tenant(work.tenant).await?;
    if let Some(id) = credential::named(&mut tx, DIGESTS).await? {
        let sealed = credential::get(&mut tx, id).await?;
        tx.rollback().await?;
        let key = sealing::open(db, vault, (work.tenant, &work.who), &sealed).await?;
        return Ok(Sealer::new(key.expose()));
    }
    let text = random_text(32).map_err(|_| Fault::Said("there is no randomness".to_owned()))?;
    let key = Secret::from(text);
    let (id, kind) = (CredentialId::generate(), CredentialKind::Password);
    let sealed = sealing::seal(&mut tx, vault, (id, 1, kind), &key).await?;
    // Who makes it at the same moment wins: this job is done again, and finds that one.
    credential::insert(&mut tx, id, DIGESTS, kind, &sealed, work.who.id).await?;
    let event = Event::new(work.who.clone(), "credential.created", "credential", &id)
        .with("name", DIGESTS)
        .with("kind", kind.word());
    tx.audit(&event).await?;
    tx.commit().await?;
    Ok(Sealer::new(key.expose()))
}
