//! TLS of a place with an authority of its own: whom it is believed to be, and who we are to it.

use std::sync::Arc;

use model::secret::Secret;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::{NoCertificate, NoTls};

/// How one place is spoken to over TLS. The default: the system's authorities are believed, and no
/// certificate is shown.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    roots: Vec<CertificateDer<'static>>,
    identity: Option<Identity>,
}

/// What is shown when the place asks who we are. The key does not print itself.
#[derive(Debug, Clone)]
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

/// Why a certificate and its key cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoIdentity {
    /// The text holds no certificate.
    #[error("holds no certificate in PEM form")]
    Certificate,
    /// The text holds no key, or one that needs a passphrase.
    #[error("holds no unencrypted private key in PEM form")]
    Key,
}

impl Tls {
    /// Believing the authorities of a PEM text, and no other.
    ///
    /// # Errors
    /// When it holds no certificate.
    pub fn believing(mut self, pem: &[u8]) -> Result<Self, NoCertificate> {
        self.roots.extend(certificates(pem).ok_or(NoCertificate)?);
        Ok(self)
    }

    /// Showing a certificate (its own first, then those between it and its authority) and proving
    /// with `key` that it is ours, both PEM texts.
    ///
    /// # Errors
    /// When either holds nothing of the kind. Whether they belong together shows when the settings
    /// are used.
    pub fn showing(mut self, chain: &[u8], key: &Secret) -> Result<Self, NoIdentity> {
        let chain = certificates(chain).ok_or(NoIdentity::Certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key.expose()).map_err(|_| NoIdentity::Key)?;
        self.identity = Some(Identity { chain, key: Arc::new(key) });
        Ok(self)
    }

    /// The settings of a client.
    pub(super) fn client(&self) -> Result<ClientConfig, NoTls> {
        client(self.authorities()?, self.identity.as_ref())
    }

    /// Who is believed.
    pub(super) fn authorities(&self) -> Result<RootCertStore, NoTls> {
        let mut roots = if self.roots.is_empty() { system() } else { RootCertStore::empty() };
        for root in &self.roots {
            roots.add(root.clone()).map_err(NoTls)?;
        }
        Ok(roots)
    }
}

/// The certificates of the system. A machine without any may still reach what the rules trust.
pub(super) fn system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// The settings of a client that believes `roots` and shows nothing.
pub(super) fn anonymous(roots: RootCertStore) -> Result<ClientConfig, NoTls> {
    client(roots, None)
}

fn client(roots: RootCertStore, identity: Option<&Identity>) -> Result<ClientConfig, NoTls> {
    let settings = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(NoTls)?
        .with_root_certificates(roots);
    match identity {
        None => Ok(settings.with_no_client_auth()),
        Some(own) => {
            settings.with_client_auth_cert(own.chain.clone(), own.key.clone_key()).map_err(NoTls)
        }
    }
}

/// The certificates of a PEM text, at least one.
pub(super) fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let given: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    given.ok().filter(|given| !given.is_empty())
}
