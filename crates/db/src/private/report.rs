//! What there is to run a private server with, for people: `countersign doctor`.

use std::path::PathBuf;

use serde::Serialize;

use super::binaries::{self, Installation};
use super::layout::Layout;
use super::lock::{DataLock, Holder};
use super::{Error, Options};

/// Something that stands in the way, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The data directory, as it would be used.
    pub data_dir: PathBuf,
    /// Whether it exists.
    pub exists: bool,
    /// The major version the cluster was made by; none when there is no cluster yet.
    pub cluster_version: Option<u32>,
    /// The process that serves it now.
    pub served_by: Option<u32>,
    /// Every PostgreSQL that was found, best first.
    pub installations: Vec<Installation>,
    /// The one that would be run.
    pub chosen: Option<PathBuf>,
    /// The directory of the socket.
    pub socket_dir: PathBuf,
    /// The server's log.
    pub log: PathBuf,
    /// Whether this process is root, and PostgreSQL therefore runs as another user.
    pub root: bool,
    /// What stands in the way; empty when the server can be started.
    pub problems: Vec<Problem>,
}

/// Looks at everything a start would use, and changes nothing.
#[must_use]
pub fn examine(options: &Options) -> Report {
    let installations = binaries::find(options.bin_dir.as_deref(), options.search_path.as_deref());
    let exists = options.data_dir.is_dir();
    let mut problems = Vec::new();
    let mut note = |error: &Error| problems.push(Problem { what: with_causes(error) });
    let layout = Layout::planned(&options.data_dir);
    if let Err(error) = layout.check_socket_path() {
        note(&error);
    }
    let cluster_version = layout.cluster_version().unwrap_or_else(|error| {
        note(&error);
        None
    });
    let chosen = match binaries::choose(&installations, cluster_version) {
        Ok(installation) => Some(installation.bin_dir.clone()),
        Err(error) => {
            note(&error);
            None
        }
    };
    let served_by = match exists.then(|| DataLock::holder(&layout)) {
        Some(Ok(Holder::Process(pid))) => pid,
        Some(Ok(Holder::Nobody)) | None => None,
        Some(Err(error)) => {
            note(&error);
            None
        }
    };
    if cluster_version.is_some()
        && let Err(error) = layout.passwords()
    {
        note(&error);
    }
    Report {
        data_dir: layout.root().to_owned(),
        exists,
        cluster_version,
        served_by,
        chosen,
        installations,
        socket_dir: layout.socket_dir(),
        log: layout.log(),
        root: rustix::process::geteuid().is_root(),
        problems,
    }
}

fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
