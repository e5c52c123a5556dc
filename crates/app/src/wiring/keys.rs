//! The keys of a process: what it opens and seals with, and by what they are known.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use connect::outbound::{Outbound, Rules};
use connect::vault::{Envelope, FileKek, Kek, PublicKek, Transit, TransitSettings};
use model::vault::Vault;
use server::hosts::{HostKey, KeyKind};

use crate::config::{Calls, Place, Role, Serve};

/// What a process seals and opens with.
#[derive(Debug)]
pub struct ProcessKeys {
    /// The vault over both keys.
    pub vault: Arc<dyn Vault>,
    /// The keys, as the deployment knows them.
    pub known: Vec<HostKey>,
}

/// The key file of what changes need.
#[must_use]
pub fn kek_file(place: &Place) -> PathBuf {
    place.data_dir.join("keys/kek")
}

/// The key file of what requests are answered with.
#[must_use]
pub fn request_kek_file(place: &Place) -> PathBuf {
    place.data_dir.join("keys/request-kek")
}

/// The keys of a process of this role.
///
/// A process that only answers requests gets the public half of the key that opens what changes
/// need; the other half it does not even look at.
///
/// # Errors
/// When a key is not at hand, with what to do about it.
pub fn keys(serve: &Serve) -> Result<ProcessKeys> {
    let place = &serve.place;
    let (change, request): (Arc<dyn Kek>, Arc<dyn Kek>) = match &serve.keys.vault_address {
        Some(address) => (
            transit(serve, address, serve.keys.vault_key.clone())?,
            transit(serve, address, format!("{}-request", serve.keys.vault_key))?,
        ),
        None => {
            tracing::warn!(
                "credentials are sealed under key files beside the data: this protects backups, \
                 not this machine; --vault-address takes a Vault instead"
            );
            let request = FileKek::open(&request_kek_file(place))?;
            (file(serve.role, &kek_file(place))?, Arc::new(request))
        }
    };
    let known = vec![
        HostKey { kind: KeyKind::Deployment, fingerprints: vec![place.deployment.clone()] },
        HostKey { kind: KeyKind::Kek, fingerprints: change.fingerprints()? },
        HostKey { kind: KeyKind::RequestKek, fingerprints: request.fingerprints()? },
    ];
    let vault = Arc::new(Envelope::new(&place.deployment, change, request));
    Ok(ProcessKeys { vault, known })
}

fn file(role: Role, path: &Path) -> Result<Arc<dyn Kek>> {
    if role != Role::Api {
        return Ok(Arc::new(FileKek::open(path)?));
    }
    if fs::File::open(path).is_ok() {
        tracing::warn!(
            key = %path.display(),
            "this process need not open secrets, but could: keep the key file where only workers \
             can read it, and leave its public half"
        );
    }
    let public = PublicKek::beside(path).context(
        "a process of the role `api` needs the public half of the workers' key: start a worker \
         first, or copy keys/kek.pub from one",
    )?;
    Ok(Arc::new(public))
}

fn transit(serve: &Serve, address: &str, key: String) -> Result<Arc<dyn Kek>> {
    let keys = &serve.keys;
    let token_file = keys.vault_token_file.clone().context("--vault-token-file is missing")?;
    let (address, mount) = (address.to_owned(), keys.vault_mount.clone());
    if address.starts_with("http:") {
        tracing::warn!("Vault is asked without TLS: for an agent on this machine only");
    }
    let settings = TransitSettings { address, mount, key, token_file };
    Ok(Arc::new(Transit::new(settings, trusted(&serve.calls)?)?))
}

/// What calls may go to, as the operator says.
///
/// # Errors
/// When a certificate cannot be used.
pub fn outbound(calls: &Calls) -> Result<Outbound> {
    let allowed = calls.outbound_allow.iter().cloned();
    let rules = allowed.fold(trusted(calls)?, Rules::allowing);
    Outbound::new(rules).context("the client for calls to others")
}

pub(super) fn trusted(calls: &Calls) -> Result<Rules> {
    let Some(file) = &calls.outbound_ca else { return Ok(Rules::default()) };
    let pem = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Rules::default().trusting(&pem).with_context(|| file.display().to_string())
}
