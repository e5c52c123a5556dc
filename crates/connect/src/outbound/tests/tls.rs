//! Whose certificates are believed, and which one is shown.

use std::net::SocketAddr;

use model::secret::Secret;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::outbound::{NoIdentity, Tls};

/// An authority of the tests' own.
struct Authority {
    root: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap();
        Self { root, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn client(&self) -> (String, Secret) {
        let (certificate, key) = self.issue("drift", ExtendedKeyUsagePurpose::ClientAuth);
        (certificate.pem(), Secret::from(key.serialize_pem()))
    }

    /// A site that speaks TLS under a certificate for `localhost`, and lets only those speak who
    /// show one of `clients`.
    async fn site(&self, clients: Option<&Self>) -> SocketAddr {
        let (certificate, key) = self.issue("localhost", ExtendedKeyUsagePurpose::ServerAuth);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.root.der().clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { break };
                    head.push(byte);
                }
                // Whoever asked may have hung up.
                drop(stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await);
            }
        });
        address
    }
}

fn here() -> Outbound {
    outbound(&["127.0.0.0/8:*"]).looking_up(FakeResolver::answering(&[&["127.0.0.1"]]))
}

#[tokio::test]
async fn a_certificate_must_be_of_a_trusted_authority_and_for_the_name_called() {
    let authority = Authority::new();
    let address = authority.site(None).await;
    let root = authority.root.pem();
    let url = |name: &str| format!("https://{name}:{}/", address.port());
    let rules = Rules::default().allowing("127.0.0.0/8:*".parse().unwrap());
    let here = FakeResolver::answering(&[&["127.0.0.1"]]);
    let strangers = Outbound::new(rules.clone()).unwrap().looking_up(Arc::clone(&here) as _);
    assert_eq!(strangers.get(&url("localhost")).await.unwrap_err(), Error::Unreachable);
    let trusting = Outbound::new(rules.trusting(root.as_bytes()).unwrap()).unwrap();
    let trusting = trusting.looking_up(here);
    assert_eq!(trusting.get(&url("localhost")).await.unwrap().status, StatusCode::NO_CONTENT);
    assert_eq!(trusting.get(&url("localhost.")).await.unwrap().status, StatusCode::NO_CONTENT);
    assert_eq!(trusting.get(&url("other.example")).await.unwrap_err(), Error::Unreachable);
    assert!(Rules::default().trusting(b"no certificate").is_err());
}

#[tokio::test]
async fn a_place_with_an_authority_of_its_own_is_believed_under_that_one_alone() {
    let (own, other) = (Authority::new(), Authority::new());
    let url = format!("https://localhost:{}/", own.site(None).await.port());
    let believing = |authority: &Authority| {
        let tls = Tls::default().believing(authority.root.pem().as_bytes()).unwrap();
        here().speaking(&tls).unwrap()
    };
    assert_eq!(believing(&own).get(&url).await.unwrap().status, StatusCode::NO_CONTENT);
    assert_eq!(believing(&other).get(&url).await.unwrap_err(), Error::Unreachable);
    assert_eq!(here().get(&url).await.unwrap_err(), Error::Unreachable);
    // What one place is believed under says nothing about where calls may go.
    let tls = Tls::default().believing(own.root.pem().as_bytes()).unwrap();
    assert_eq!(tls.authorities().unwrap().len(), 1, "nobody of the system's beside it");
    let strict = outbound(&[]).looking_up(FakeResolver::answering(&[&["127.0.0.1"]]));
    assert_eq!(strict.speaking(&tls).unwrap().get(&url).await.unwrap_err(), Error::Unreachable);
    assert!(Tls::default().believing(b"no certificate").is_err());
}

#[tokio::test]
async fn a_place_that_asks_who_calls_is_shown_a_certificate_and_no_other_place_is() {
    let (own, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let url = format!("https://localhost:{}/", own.site(Some(&clients)).await.port());
    let tls = || Tls::default().believing(own.root.pem().as_bytes()).unwrap();
    let showing = |authority: &Authority| {
        let (chain, key) = authority.client();
        here().speaking(&tls().showing(chain.as_bytes(), &key).unwrap()).unwrap()
    };
    assert_eq!(showing(&clients).get(&url).await.unwrap().status, StatusCode::NO_CONTENT);
    // With TLS 1.3 the server refuses after the handshake, so the error is either of two.
    assert!(showing(&strangers).get(&url).await.is_err());
    assert!(here().speaking(&tls()).unwrap().get(&url).await.is_err());
}

#[test]
fn s2_a_key_that_is_no_key_or_anothers_is_refused_and_none_prints_itself() {
    let authority = Authority::new();
    let (chain, key) = authority.client();
    let (_, others) = authority.client();
    let tls = Tls::default().showing(chain.as_bytes(), &key).unwrap();
    let shown = format!("{tls:?} {:?}", here().speaking(&tls).unwrap());
    for line in key.expose_str().unwrap().lines().filter(|line| !line.starts_with('-')) {
        assert!(!shown.contains(line), "{shown}");
    }
    let none = |chain: &[u8], key: &Secret| Tls::default().showing(chain, key).unwrap_err();
    assert_eq!(none(b"", &key), NoIdentity::Certificate);
    assert_eq!(none(chain.as_bytes(), &Secret::new(chain.clone().into())), NoIdentity::Key);
    let mixed = Tls::default().showing(chain.as_bytes(), &others).unwrap();
    assert!(here().speaking(&mixed).is_err());
}
