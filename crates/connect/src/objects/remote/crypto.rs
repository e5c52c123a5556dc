//! What the stores' libraries sign with: the cryptography everything else here uses.

use aws_lc_rs::{digest, hmac, rand, signature};
use object_store::client::{
    CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, Signer, SigningAlgorithm,
};
use object_store::{Error, Result};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

/// Digests, codes and signatures by `aws-lc`.
#[derive(Debug)]
pub(super) struct Provider;

fn failed(what: &'static str) -> Error {
    Error::Generic { store: "login", source: what.into() }
}

impl CryptoProvider for Provider {
    fn digest(&self, algorithm: DigestAlgorithm) -> Result<Box<dyn DigestContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                Ok(Box::new(Digest { context: digest::Context::new(&digest::SHA256), done: None }))
            }
            _ => Err(failed("this digest is not supported")),
        }
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> Result<Box<dyn HmacContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                Ok(Box::new(Code { context: hmac::Context::with_key(&key), done: None }))
            }
            _ => Err(failed("this digest is not supported")),
        }
    }

    fn sign(&self, algorithm: SigningAlgorithm, pem: &[u8]) -> Result<Box<dyn Signer>> {
        match algorithm {
            SigningAlgorithm::RS256 => {
                let read = match PrivateKeyDer::from_pem_slice(pem) {
                    Ok(PrivateKeyDer::Pkcs8(key)) => {
                        signature::RsaKeyPair::from_pkcs8(key.secret_pkcs8_der())
                    }
                    Ok(PrivateKeyDer::Pkcs1(key)) => {
                        signature::RsaKeyPair::from_der(key.secret_pkcs1_der())
                    }
                    _ => return Err(failed("the key is no private key of RSA")),
                };
                let pair = read.map_err(|_| failed("the key is no private key of RSA"))?;
                Ok(Box::new(Pair(pair)))
            }
            _ => Err(failed("this signature is not supported")),
        }
    }
}

struct Digest {
    context: digest::Context,
    done: Option<digest::Digest>,
}

impl DigestContext for Digest {
    fn update(&mut self, data: &[u8]) {
        self.context.update(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        let done: &digest::Digest = self.done.insert(self.context.clone().finish());
        Ok(done.as_ref())
    }
}

struct Code {
    context: hmac::Context,
    done: Option<hmac::Tag>,
}

impl HmacContext for Code {
    fn update(&mut self, data: &[u8]) {
        self.context.update(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        let done: &hmac::Tag = self.done.insert(self.context.clone().sign());
        Ok(done.as_ref())
    }
}

#[derive(Debug)]
struct Pair(signature::RsaKeyPair);

impl Signer for Pair {
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>> {
        let mut signed = vec![0; self.0.public_modulus_len()];
        let random = rand::SystemRandom::new();
        self.0
            .sign(&signature::RSA_PKCS1_SHA256, &random, text, &mut signed)
            .map_err(|_| failed("the text could not be signed"))?;
        Ok(signed)
    }
}
