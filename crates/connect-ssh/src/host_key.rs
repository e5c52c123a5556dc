//! Host keys: the only proof of who is at the other end.

use model::plan::Target;
use russh::keys::{Algorithm, HashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{Preferred, cipher, compression};
use std::borrow::Cow;

/// The pinned keys of a target.
#[derive(Debug, Clone)]
pub(crate) struct Pinned(Vec<PublicKey>);

impl Pinned {
    /// Reads the pinned keys of `target`.
    ///
    /// # Errors
    /// The number, from 1, of the first one that is not an OpenSSH public key line.
    pub(crate) fn of(target: &Target) -> Result<Self, usize> {
        let read = |(index, line): (usize, &String)| {
            PublicKey::from_openssh(line.trim()).map_err(|_| index + 1)
        };
        target.host_keys.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `shown` is one of them. A certificate never is: no authority is trusted.
    pub(crate) fn holds(&self, shown: &PublicKeyOrCertificate) -> bool {
        match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                self.0.iter().any(|pinned| pinned.key_data() == key.key_data())
            }
            PublicKeyOrCertificate::Certificate(_) => false,
        }
    }

    /// What to offer a host: the pinned algorithms first, so that it shows a key we can compare; the
    /// others after them, so that a host which has changed shows what it has now.
    pub(crate) fn preferred(&self) -> Preferred {
        let mut algorithms: Vec<Algorithm> = self.0.iter().map(PublicKey::algorithm).collect();
        algorithms.extend(Preferred::DEFAULT.key.iter().cloned());
        let mut seen = Vec::new();
        algorithms.retain(|algorithm| {
            let fresh = !seen.contains(algorithm);
            seen.push(algorithm.clone());
            fresh
        });
        offering(algorithms)
    }
}

/// What to offer a host, with these host key algorithms.
pub(crate) fn offering(algorithms: Vec<Algorithm>) -> Preferred {
    Preferred {
        key: Cow::Owned(algorithms),
        // Fast wherever there is AES in hardware; all of them are sound.
        cipher: Cow::Borrowed(&[
            cipher::AES_256_GCM,
            cipher::CHACHA20_POLY1305,
            cipher::AES_256_CTR,
            cipher::AES_192_CTR,
            cipher::AES_128_CTR,
        ]),
        // A few bytes from a hostile host must not become many here.
        compression: Cow::Borrowed(&[compression::NONE]),
        ..Preferred::DEFAULT
    }
}

/// `SHA256:…`, as OpenSSH shows it.
pub(crate) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

#[cfg(test)]
mod tests;
