//! TLS of the fake API server: an authority of its own, and who it lets in.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The certificates of a fake API server.
#[derive(Debug)]
pub(super) struct Papers {
    root: rcgen::Certificate,
    server: (rcgen::Certificate, KeyPair),
    client: (rcgen::Certificate, KeyPair),
}

impl Papers {
    pub(super) fn new() -> io::Result<Self> {
        Self::made().map_err(io::Error::other)
    }

    fn made() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key)?;
        let issuer = Issuer::new(params, key);
        let issue = |name: &str, purpose| {
            let key = KeyPair::generate()?;
            let mut params = CertificateParams::new(vec![name.to_owned()])?;
            params.extended_key_usages = vec![purpose];
            Ok::<_, rcgen::Error>((params.signed_by(&key, &issuer)?, key))
        };
        let server = issue("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth)?;
        let client = issue("reader", ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(Self { root, server, client })
    }

    pub(super) fn authority(&self) -> String {
        self.root.pem()
    }

    pub(super) fn client(&self) -> (String, String) {
        (self.client.0.pem(), self.client.1.serialize_pem())
    }

    /// Lets only those speak who show a certificate, when `certificates`.
    pub(super) fn listener(
        &self,
        listener: TcpListener,
        certificates: bool,
    ) -> io::Result<TlsListener> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let config = if certificates {
            let mut roots = RootCertStore::empty();
            roots.add(self.root.der().clone()).map_err(io::Error::other)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            config.with_client_cert_verifier(verifier.build().map_err(io::Error::other)?)
        } else {
            config.with_no_client_auth()
        };
        let key = PrivatePkcs8KeyDer::from(self.server.1.serialize_der());
        let config = config
            .with_single_cert(vec![self.server.0.der().clone()], PrivateKeyDer::Pkcs8(key))
            .map_err(io::Error::other)?;
        Ok(TlsListener { listener, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

/// Takes connections over TLS, one handshake at a time.
pub(super) struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // Whoever hangs up in the handshake is nobody.
            if let Ok((stream, address)) = self.listener.accept().await
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
