//! Sessions kept between commands: one token a server, in a file for its owner alone to read.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// An open session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// What the server is shown.
    pub token: String,
    /// The tenant's slug.
    pub tenant: String,
    /// The login name.
    pub username: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({}/{})", self.tenant, self.username)
    }
}

/// The sessions of this user of this machine, by server.
#[derive(Debug)]
pub struct Sessions {
    path: PathBuf,
    by_server: BTreeMap<String, Session>,
}

impl Sessions {
    /// Reads the sessions kept in a directory.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn open(directory: &Path) -> Result<Self> {
        let path = directory.join("sessions.json");
        let by_server = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{} is damaged: remove it", path.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        Ok(Self { path, by_server })
    }

    /// The session with a server.
    #[must_use]
    pub fn get(&self, server: &str) -> Option<&Session> {
        self.by_server.get(server)
    }

    /// Where they are kept.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps a session.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&mut self, server: &str, session: Session) -> Result<()> {
        self.by_server.insert(server.to_owned(), session);
        self.write()
    }

    /// Forgets the session with a server.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget(&mut self, server: &str) -> Result<()> {
        if self.by_server.remove(server).is_some() { self.write() } else { Ok(()) }
    }

    fn write(&self) -> Result<()> {
        let directory = self.path.parent().unwrap_or_else(|| Path::new("."));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        // Written beside and renamed: another command never reads half a file.
        let beside = self.path.with_extension(format!("{}.tmp", std::process::id()));
        let written = || -> Result<()> {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&beside)?;
            file.write_all(&serde_json::to_vec_pretty(&self.by_server)?)?;
            file.sync_all()?;
            fs::rename(&beside, &self.path)?;
            Ok(())
        };
        written().with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests;
