//! Where large bytes live: tool output, evidence, recordings.
//!
//! Keys start with the tenant, then follow the source documents:
//! `<tenant uuid>/tool-output/<execution>/<tool call>.json`,
//! `<tenant uuid>/evidence/<execution>/<evidence>.json`. What a tool prints that is long lies in
//! pieces beside the first, `<tenant uuid>/tool-output/<execution>/<tool call>/<stream>/<number>`,
//! and the document names them.

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

    /// Begins an object that is too long to be held whole. A store that says nothing else gathers
    /// the parts and puts them.
    fn upload<'a>(
        &'a self,
        key: &'a str,
    ) -> Pending<'a, Result<Box<dyn Upload + 'a>, ObjectError>> {
        let gathered = Gathered { store: self, key, bytes: Vec::new() };
        Box::pin(async move { Ok(Box::new(gathered) as Box<dyn Upload + 'a>) })
    }
}

/// An object that is written part by part. Dropped before its end it never was.
pub trait Upload: Send {
    /// Adds bytes.
    fn write(&mut self, bytes: Vec<u8>) -> Pending<'_, Result<(), ObjectError>>;

    /// Makes an object of what was written, durably, and gives its SHA-256. Asked once.
    fn finish(&mut self) -> Pending<'_, Result<Digest, ObjectError>>;
}

/// Parts that wait for their end in memory.
struct Gathered<'a, S: ?Sized> {
    store: &'a S,
    key: &'a str,
    bytes: Vec<u8>,
}

impl<S: Objects + ?Sized> Upload for Gathered<'_, S> {
    fn write(&mut self, bytes: Vec<u8>) -> Pending<'_, Result<(), ObjectError>> {
        self.bytes.extend(bytes);
        Box::pin(std::future::ready(Ok(())))
    }

    fn finish(&mut self) -> Pending<'_, Result<Digest, ObjectError>> {
        self.store.put(self.key, std::mem::take(&mut self.bytes))
    }
}
