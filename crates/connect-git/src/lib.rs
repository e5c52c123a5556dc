//! Repositories of git, read.
//!
//! A branch is fetched as far back as asked, into a directory of its own that goes with the copy.
//! There is no working tree: nothing is checked out, so no link is followed, no submodule fetched
//! and no hook run, and no program is started. Calls go out by `connect::Outbound` alone, which
//! vets every address; what it refuses cannot be cloned.

mod copy;
mod fetch;
mod log;
mod source;
#[cfg(feature = "testing")]
pub mod testing;
mod wire;

use connect::outbound;

pub use copy::{Copy, File};
pub use fetch::{Git, Limits, Revision};
pub use log::{Commit, Part};
pub use source::{BadSource, Source};

#[cfg(test)]
mod tests;

/// Why a repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There was no answer that could be used.
    #[error("the repository cannot be reached")]
    Call(#[source] outbound::Error),
    /// The login was refused, or there was none and one is wanted.
    #[error("the repository asks for a login, and this one will not do")]
    Denied,
    /// The place answered with another status.
    #[error("the place of the repository answered with status {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// The place leads elsewhere. Redirections are not followed.
    #[error("the repository is elsewhere: redirections are not followed")]
    Redirected,
    /// There is no such branch.
    #[error("the repository has no branch {branch}")]
    NoBranch {
        /// What was asked for.
        branch: String,
    },
    /// It is larger than what is taken.
    #[error("the repository has more than {most} {of}")]
    TooLarge {
        /// The limit.
        most: usize,
        /// Of what: `bytes packed`, `files`, `bytes in one file`, `bytes in files`.
        of: &'static str,
    },
    /// It was not there in time.
    #[error("the repository was not read in {seconds} seconds")]
    TooSlow {
        /// The limit.
        seconds: u64,
    },
    /// What came is not git's, or broken.
    #[error("what came is no repository of git, or a broken one: {what}")]
    Malformed {
        /// What was being done.
        what: &'static str,
    },
    /// It has no such directory.
    #[error("the repository has no directory {path}")]
    NoDirectory {
        /// What was asked for.
        path: String,
    },
    /// A name in it leads out of it.
    #[error("the repository names a file that leads out of it")]
    Path,
    /// The directory for the copy cannot be used.
    #[error("there is no room for a copy of the repository")]
    Room(#[source] std::io::Error),
}
