//! Where large bytes live: tool output, evidence, recordings.
//!
//! Keys start with the tenant, then follow the source documents:
//! `<tenant uuid>/tool-output/<execution>/<tool call>.json`,
//! `<tenant uuid>/evidence/<execution>/<evidence>.json`.

use std::fmt::Debug;

use crate::canonical::Digest;
use crate::connector::Pending;

/// Why an object could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is no such object.
    #[error("object {key} does not exist")]
    NotFound {
        /// Its key.
        key: String,
    },
    /// The store failed; the caller may try again.
    #[error("object {key} cannot be reached: {reason}")]
    Unavailable {
        /// Its key.
        key: String,
        /// In the store's words.
        reason: String,
    },
}

/// A store of immutable objects.
pub trait Objects: Send + Sync + Debug {
    /// Writes an object durably and gives its SHA-256. Writing the same key again replaces it.
    fn put<'a>(&'a self, key: &'a str, bytes: Vec<u8>) -> Pending<'a, Result<Digest, ObjectError>>;

    /// Reads an object.
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Vec<u8>, ObjectError>>;
}
