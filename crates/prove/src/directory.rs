//! Files that must survive a power failure: written whole or not at all.
//!
//! The only place of this crate that touches the file system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use model::Timestamp;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readable {
    /// The owner alone: keys.
    ByOwner,
    /// Whoever may enter the directory: tiles and checkpoints prove, they do not hide.
    ByAll,
}

/// An operation on a file that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {}", path.display())]
pub struct FileError {
    /// What was being done.
    pub verb: &'static str,
    /// To which file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// How many files this process has begun to write: no two go by one temporary name.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// A directory and everything below it.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// The directory at `root`, which need not exist yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// A directory below this one.
    #[must_use]
    pub fn below(&self, path: &str) -> Self {
        Self { root: self.root.join(path) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// What is in a file; none when there is no such file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, FileError> {
        let path = self.root.join(path);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FileError { verb: "read", path, source }),
        }
    }

    /// What is in a text file; none when there is no such file.
    ///
    /// # Errors
    /// When it cannot be read or is no UTF-8.
    pub fn read_text(&self, path: &str) -> Result<Option<String>, FileError> {
        let Some(bytes) = self.read(path)? else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|error| FileError {
            verb: "read",
            path: self.root.join(path),
            source: io::Error::new(io::ErrorKind::InvalidData, error),
        })
    }

    /// When a file was last written; none when there is no such file.
    ///
    /// # Errors
    /// When the file system does not say.
    pub fn written_at(&self, path: &str) -> Result<Option<Timestamp>, FileError> {
        let path = self.root.join(path);
        let time = match fs::metadata(&path).and_then(|meta| meta.modified()) {
            Ok(time) => time,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(FileError { verb: "inspect", path, source }),
        };
        timestamp(time).map(Some).map_err(|source| FileError { verb: "inspect", path, source })
    }

    /// The names of the files in a directory, sorted; none when there is no such directory.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        let path = self.root.join(path);
        let fail = |source| FileError { verb: "list", path: path.clone(), source };
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(fail(source)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(fail)?;
            if entry.file_type().map_err(fail)?.is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Writes a file, replacing what was there: it is whole and durable when this returns.
    ///
    /// # Errors
    /// When it cannot be written; what was there then stays.
    pub fn write(&self, path: &str, bytes: &[u8], readable: Readable) -> Result<(), FileError> {
        let path = self.root.join(path);
        let fail = |source| FileError { verb: "write", path: path.clone(), source };
        let parent = path.parent().unwrap_or(&self.root);
        make_directory(parent, readable).map_err(fail)?;
        let mut temporary = path.clone().into_os_string();
        let begun = BEGUN.fetch_add(1, Ordering::Relaxed);
        temporary.push(format!(".{}.{begun}.tmp", std::process::id()));
        let temporary = PathBuf::from(temporary);
        let mode = if readable == Readable::ByOwner { 0o600 } else { 0o644 };
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&temporary)
            .and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&temporary, &path))
            .and_then(|()| File::open(parent)?.sync_all());
        written.map_err(|error| {
            // The error that matters is the first; a temporary file left over does no harm.
            drop(fs::remove_file(&temporary));
            fail(error)
        })
    }

    /// Writes a file that never changes: the same bytes again are fine, others are refused.
    ///
    /// # Errors
    /// When it cannot be written, or holds something else already.
    pub fn write_once(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        match self.read(path)? {
            Some(present) if present == bytes => Ok(()),
            Some(_) => Err(FileError {
                verb: "replace",
                path: self.root.join(path),
                source: io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "it never changes, and holds something else",
                ),
            }),
            None => self.write(path, bytes, Readable::ByAll),
        }
    }

    /// Renames a file.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        let path = self.root.join(from);
        fs::rename(&path, self.root.join(to))
            .and_then(|()| File::open(&self.root)?.sync_all())
            .map_err(|source| FileError { verb: "rename", path, source })
    }

    /// Removes a file; says whether there was one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, path: &str) -> Result<bool, FileError> {
        let path = self.root.join(path);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(FileError { verb: "remove", path, source }),
        }
    }

    /// Removes a directory and what is in it; fine when there is none.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_directory(&self, path: &str) -> Result<(), FileError> {
        let path = self.root.join(path);
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(FileError { verb: "remove", path, source })
            }
            _ => Ok(()),
        }
    }
}

/// Makes a directory and those above it, each entry durable.
fn make_directory(path: &Path, readable: Readable) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_directory(parent, readable)?;
        let mode = if readable == Readable::ByOwner { 0o700 } else { 0o755 };
        match fs::DirBuilder::new().mode(mode).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

fn timestamp(time: SystemTime) -> io::Result<Timestamp> {
    Timestamp::try_from(time).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
