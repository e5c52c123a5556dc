//! The demo's own directory: nothing is written anywhere else, and nothing stays.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A directory that is removed with everything in it, unless it is kept.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    kept: bool,
}

impl Directory {
    /// Makes one below the system's directory for temporary files.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn make() -> Result<Self> {
        // Short, because the path of a socket in it may have a hundred bytes.
        let temporary = std::env::temp_dir();
        let name = |n: u32| temporary.join(format!("countersign-demo-{}-{n}", std::process::id()));
        for path in (0..100).map(name) {
            // The account PostgreSQL runs as when we are root has to pass.
            match fs::DirBuilder::new().mode(0o755).create(&path) {
                Ok(()) => return Ok(Self { path, kept: false }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot make {}", path.display()));
                }
            }
        }
        anyhow::bail!("{} is full of demos", temporary.display())
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is left where it is.
    pub(super) const fn kept(&self) -> bool {
        self.kept
    }

    /// Leaves it where it is.
    pub(super) const fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the demo's directory is still there");
        }
    }
}

/// Makes a directory with everything above it.
///
/// # Errors
/// When it cannot be made.
pub(super) fn make(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))
}

/// Writes a file for everybody to read.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a file for its owner alone.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a program.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write_program(path: &Path, text: &str) -> Result<()> {
    write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make {} a program", path.display()))
}
