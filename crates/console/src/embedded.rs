//! The files `npm run build` made: part of the program in releases, read from `web/dist` each time
//! in builds for development.

use std::borrow::Cow;

use bytes::Bytes;
use rust_embed::RustEmbed;

use crate::File;

// Whoever builds without Node gets a program without the console, which says so.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// The file of this path.
pub(crate) fn file(path: &str) -> Option<File> {
    let found = Dist::get(path)?;
    let digest = found.metadata.sha256_hash();
    let bytes = match found.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Some(File { bytes, digest })
}
