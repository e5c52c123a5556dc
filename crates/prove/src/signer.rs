//! The signer: signs checkpoints, and remembers by itself what it signed.
//!
//! Its state is a file outside the database, so it is the first witness of the log: whatever
//! happens to the database, it never signs a shorter log, nor one that does not continue the last.

use model::Digest;

use crate::checkpoint::Checkpoint;
use crate::directory::{Directory, FileError, Readable};
use crate::keys::{Keyring, KeyringError};
use crate::merkle::Hash;
use crate::merkle::proof::{ProofError, verify_consistency};
use crate::policy::{Policy, PolicyError, PolicyParseError};

/// Why a checkpoint is not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The signer has signed a longer log.
    #[error("{origin}: asked to sign {asked} entries after having signed {signed}")]
    Smaller {
        /// The log.
        origin: String,
        /// What was asked for.
        asked: u64,
        /// What was signed last.
        signed: u64,
    },
    /// The log does not continue the one that was signed last.
    #[error("{origin}: the log of {asked} entries does not continue the signed one of {signed}")]
    Inconsistent {
        /// The log.
        origin: String,
        /// What was asked for.
        asked: u64,
        /// What was signed last.
        signed: u64,
        /// Why not.
        #[source]
        source: ProofError,
    },
    /// Its own state is not its own.
    #[error("{origin}: what was signed last does not bear this signer's signature")]
    ForeignState {
        /// The log.
        origin: String,
        /// Why not.
        #[source]
        source: PolicyError,
    },
    /// The policy file it keeps cannot be read.
    #[error("{origin}: the list of keys is damaged")]
    Policy {
        /// The log.
        origin: String,
        /// Why.
        #[source]
        source: PolicyParseError,
    },
    /// The state cannot be read or written.
    #[error("the state of the signer is not accessible")]
    File(#[from] FileError),
    /// The keys cannot be used.
    #[error("the keys of the signer cannot be used")]
    Keys(#[from] KeyringError),
}

/// A checkpoint to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is to be signed.
    pub checkpoint: Checkpoint,
    /// Why it continues what was signed last, as [`Signer::last`] gave it.
    pub proof: Vec<Hash>,
}

const STATE: &str = "checkpoint";
const POLICY: &str = "policy";

/// Which keys signed which sizes of a log, from the state of its signer; empty before the first
/// time.
///
/// # Errors
/// When the list cannot be read.
pub fn policy_in(state: &Directory, origin: &str) -> Result<Policy, SignError> {
    let text = state.below(origin).read_text(POLICY)?.unwrap_or_default();
    text.parse().map_err(|source| SignError::Policy { origin: origin.to_owned(), source })
}

/// What was signed last, from the state of its signer; none before the first time.
///
/// # Errors
/// When the state cannot be read, or was not signed by the keys it lists.
pub fn last_in(state: &Directory, origin: &str) -> Result<Option<Checkpoint>, SignError> {
    let Some(note) = state.below(origin).read_text(STATE)? else { return Ok(None) };
    let checkpoint = policy_in(state, origin)?
        .open(&note, origin)
        .map_err(|source| SignError::ForeignState { origin: origin.to_owned(), source })?;
    Ok(Some(checkpoint))
}

/// The signer of a deployment's logs.
#[derive(Debug)]
pub struct Signer {
    keys: Keyring,
    state: Directory,
}

impl Signer {
    /// A signer with these keys, whose state lies in a directory of its own.
    #[must_use]
    pub const fn new(keys: Keyring, state: Directory) -> Self {
        Self { keys, state }
    }

    /// Where it keeps what it signed last, and with which keys.
    #[must_use]
    pub const fn state(&self) -> &Directory {
        &self.state
    }

    /// By what its keys are known, the newest first.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<model::Digest> {
        self.keys.fingerprints()
    }

    /// Its keys.
    #[must_use]
    pub const fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// Which keys signed which sizes of a log, for those who verify.
    ///
    /// # Errors
    /// When its list cannot be read.
    pub fn policy(&self, origin: &str) -> Result<Policy, SignError> {
        policy_in(&self.state, origin)
    }

    /// What was signed last; none before the first time.
    ///
    /// # Errors
    /// When the state cannot be read, or was not signed by this signer.
    pub fn last(&self, origin: &str) -> Result<Option<Checkpoint>, SignError> {
        last_in(&self.state, origin)
    }

    /// Signs a checkpoint with every key in use, once the state says so.
    ///
    /// # Errors
    /// When the log is shorter than the last one signed or does not continue it.
    pub fn sign(&self, request: &Request) -> Result<String, SignError> {
        let Checkpoint { origin, size, root } = &request.checkpoint;
        if let Some(last) = self.last(origin)? {
            if *size < last.size {
                return Err(SignError::Smaller {
                    origin: origin.clone(),
                    asked: *size,
                    signed: last.size,
                });
            }
            verify_consistency((last.size, &last.root), (*size, root), &request.proof).map_err(
                |source| SignError::Inconsistent {
                    origin: origin.clone(),
                    asked: *size,
                    signed: last.size,
                    source,
                },
            )?;
        }
        let state = self.state.below(origin);
        let mut policy = self.policy(origin)?;
        if policy.follow(&self.keys.verifiers(origin)?, *size) {
            state.write(POLICY, policy.to_string().as_bytes(), Readable::ByAll)?;
        }
        let note = self.keys.sign_note(origin, request.checkpoint.to_string())?.to_string();
        // Durable before it leaves: what nobody remembers could be contradicted later.
        state.write(STATE, note.as_bytes(), Readable::ByAll)?;
        tracing::debug!(origin, size, root = %Digest::from(*root), "checkpoint signed");
        Ok(note)
    }
}

#[cfg(test)]
mod tests;
