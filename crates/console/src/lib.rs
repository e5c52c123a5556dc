//! The web console: the files `npm run build` makes in `web/`, and how a browser is answered with
//! them.
//!
//! It knows nothing of the API beside it. Files are found by name alone, of the types the console
//! has; the page is made anew for every answer, with a policy that lets in nothing of others and a
//! nonce nobody can guess.

mod asset;
mod embedded;
mod page;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};

/// A file of the console.
#[derive(Debug, Clone)]
pub struct File {
    /// What is in it.
    pub bytes: Bytes,
    /// SHA-256 of that.
    pub digest: [u8; 32],
}

/// Finds files by their path below the root, which begins with no slash.
pub type Files = fn(&str) -> Option<File>;

/// 128 bits nobody can guess, as they stand in a page and in its policy.
#[derive(Debug, Clone)]
pub struct Nonce(String);

impl Nonce {
    /// Of these bits, which must be fresh for every answer.
    #[must_use]
    pub fn of(bits: [u8; 16]) -> Self {
        Self(STANDARD.encode(bits))
    }
}

/// The console.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    files: Files,
}

impl Console {
    /// As it was built.
    #[must_use]
    pub const fn built() -> Self {
        Self { files: embedded::file }
    }

    /// Of other files.
    #[must_use]
    pub const fn of(files: Files) -> Self {
        Self { files }
    }

    /// Whether it was built at all.
    #[must_use]
    pub fn is_there(&self) -> bool {
        (self.files)(page::FILE).is_some()
    }

    /// What a GET of this path is answered with; `None` when there is nothing here: files the
    /// console does not have, and any other path unless whoever asks wants a page.
    #[must_use]
    pub fn answer(&self, path: &str, asked: &HeaderMap, nonce: &Nonce) -> Option<Response<Bytes>> {
        let name = path.strip_prefix('/')?;
        let mut response = if name.is_empty() || name == page::FILE {
            page::made(self.files, nonce)
        } else if let Some(file) = asset::answer(self.files, name, asked) {
            file
        } else if asset::named(name) || climbs(name) || !page::wanted(asked) {
            return None;
        } else {
            page::made(self.files, nonce)
        };
        // What holds for all of it: nothing is shown or taken in by pages of others, and none learns
        // where its reader was.
        for (header, value) in ALWAYS {
            response.headers_mut().insert(header, HeaderValue::from_static(value));
        }
        Some(response)
    }
}

const ALWAYS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Whether a path has steps up or on the spot, which no link of ours has.
fn climbs(name: &str) -> bool {
    name.split(['/', '\\']).any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    })
}
