//! Looking at a host's keys, for a person to compare and pin. Nothing is trusted by looking.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::connector::ConnectError;
use russh::Preferred;
use russh::client::{self, Config};
use russh::keys::{PublicKey, PublicKeyOrCertificate};

use crate::connection::{open_socket, unreachable};
use crate::host_key::{fingerprint, offering};

/// A key a host has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedKey {
    /// `ssh-ed25519 AAAA…`, as it is pinned.
    pub line: String,
    /// `SHA256:…`, as a person compares it.
    pub fingerprint: String,
}

/// Asks a host for every key it has, one connection a kind, and logs in nowhere.
///
/// For people who add a connection or look into a refusal: they compare the fingerprints with what
/// they know from elsewhere. Automation never calls it, since whoever answers can show any key.
///
/// # Errors
/// [`ConnectError::Unreachable`] when no key could be had.
pub async fn scan(
    host: &str,
    port: u16,
    timeout: Duration,
) -> Result<Vec<ScannedKey>, ConnectError> {
    let mut keys: Vec<ScannedKey> = Vec::new();
    let mut last = unreachable(host, "shows no host key of a kind known here");
    for algorithm in Preferred::DEFAULT.key.iter() {
        let config = Config { preferred: offering(vec![algorithm.clone()]), ..Config::default() };
        let shown = Arc::new(Mutex::new(None));
        let look = async {
            let (socket, _cut) = open_socket(host, port).await?;
            // Always ends in an error: the key is noted and refused, before any login.
            let end = client::connect_stream(Arc::new(config), socket, Look(shown.clone())).await;
            end.map(drop).map_err(|error| unreachable(host, error))
        };
        match tokio::time::timeout(timeout, look).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => last = error,
            Err(_) => {
                last = unreachable(host, "no answer in time");
                break;
            }
        }
        let shown = shown.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(key) = shown
            && let Ok(line) = PublicKey::to_openssh(&key)
            && keys.iter().all(|known| known.line != line)
        {
            keys.push(ScannedKey { line, fingerprint: fingerprint(&key) });
        }
    }
    if keys.is_empty() { Err(last) } else { Ok(keys) }
}

/// Notes the key and refuses it.
struct Look(Arc<Mutex<Option<PublicKey>>>);

impl client::Handler for Look {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown.public_key());
        Ok(false)
    }
}
