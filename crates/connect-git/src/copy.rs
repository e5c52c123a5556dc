//! What is in a copy: the files of its branch, by name and as they are.

use std::fmt;
use std::io::Write as _;
use std::path::Path;

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use tempfile::TempDir;

use crate::Error;
use crate::fetch::{Limits, Revision};

/// How deep directories may lie in each other.
const DEEPEST: usize = 64;

/// A branch of a repository, fetched. Reading blocks: on a thread that may.
pub struct Copy {
    pub(crate) repository: gix::ThreadSafeRepository,
    pub(crate) tip: ObjectId,
    limits: Limits,
    // Goes when the copy goes.
    _room: TempDir,
}

impl fmt::Debug for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Copy").field("tip", &self.tip).finish_non_exhaustive()
    }
}

/// A file of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where, from the directory that was asked for; steps are separated by `/`.
    pub path: String,
    id: ObjectId,
}

impl Copy {
    pub(crate) const fn new(
        room: TempDir,
        repository: gix::ThreadSafeRepository,
        tip: ObjectId,
        limits: Limits,
    ) -> Self {
        Self { repository, tip, limits, _room: room }
    }

    /// What the branch is at.
    #[must_use]
    pub fn revision(&self) -> Revision {
        Revision(self.tip.to_string())
    }

    /// The files below a directory, in the order of their names; of `""` all of them. Symbolic
    /// links and submodules are left out: they may lead anywhere.
    ///
    /// # Errors
    /// When there is no such directory, or there are more files than allowed.
    pub fn files(&self, directory: &str) -> Result<Vec<File>, Error> {
        let repository = self.repository.to_thread_local();
        let commit = repository.find_commit(self.tip).map_err(broken)?;
        let mut tree = commit.tree_id().map_err(broken)?.detach();
        for step in directory.split('/').filter(|step| !step.is_empty() && *step != ".") {
            let none = || Error::NoDirectory { path: directory.chars().take(200).collect() };
            let found = repository.find_tree(tree).map_err(broken)?;
            let entry = found.find_entry(step.as_bytes()).ok_or_else(none)?;
            if entry.mode().kind() != EntryKind::Tree {
                return Err(none());
            }
            tree = entry.object_id();
        }
        let mut files = Vec::new();
        self.below(&repository, tree, &mut Vec::new(), &mut files)?;
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    fn below(
        &self,
        repository: &gix::Repository,
        tree: ObjectId,
        within: &mut Vec<String>,
        files: &mut Vec<File>,
    ) -> Result<(), Error> {
        if within.len() > DEEPEST {
            return Err(Error::TooLarge { most: DEEPEST, of: "directories in each other" });
        }
        let tree = repository.find_tree(tree).map_err(broken)?;
        for entry in tree.iter() {
            let entry = entry.map_err(broken)?;
            let name = step(entry.filename())?;
            match entry.mode().kind() {
                EntryKind::Tree => {
                    within.push(name);
                    self.below(repository, entry.object_id(), within, files)?;
                    within.pop();
                }
                EntryKind::Blob | EntryKind::BlobExecutable => {
                    if files.len() == self.limits.files {
                        return Err(Error::TooLarge { most: self.limits.files, of: "files" });
                    }
                    let path = within.iter().map(String::as_str).chain([name.as_str()]);
                    let path = path.collect::<Vec<_>>().join("/");
                    files.push(File { path, id: entry.object_id() });
                }
                EntryKind::Link | EntryKind::Commit => (),
            }
        }
        Ok(())
    }

    /// Files as they are, in the order given.
    ///
    /// # Errors
    /// When one of them, or all together, have more bytes than allowed.
    pub fn read(&self, files: &[File]) -> Result<Vec<Vec<u8>>, Error> {
        self.read_within(files, self.limits)
    }

    fn read_within(&self, files: &[File], limits: Limits) -> Result<Vec<Vec<u8>>, Error> {
        let repository = self.repository.to_thread_local();
        let (mut read, mut total) = (Vec::with_capacity(files.len()), 0_usize);
        for file in files {
            let size = repository.find_header(file.id).map_err(broken)?.size();
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if size > limits.object_bytes {
                let most = limits.object_bytes;
                return Err(Error::TooLarge { most, of: "bytes in one file" });
            }
            total = total.saturating_add(size);
            if total > limits.read_bytes {
                let most = self.limits.read_bytes;
                return Err(Error::TooLarge { most, of: "bytes in files" });
            }
            read.push(repository.find_blob(file.id).map_err(broken)?.take_data());
        }
        Ok(read)
    }
}

impl Copy {
    /// Writes all files into a directory that is there and empty, for programs that read files:
    /// plain ones, which nobody may run. Links and submodules are left out.
    ///
    /// # Errors
    /// When there are more or larger files than allowed, or they cannot be written.
    pub fn unpack(&self, into: &Path) -> Result<(), Error> {
        let files = self.files("")?;
        // Not all at once: together they may be as large as is allowed.
        let mut left = self.limits.read_bytes;
        for file in &files {
            let one = Limits { read_bytes: left, ..self.limits };
            let bytes =
                self.read_within(std::slice::from_ref(file), one)?.pop().unwrap_or_default();
            left -= bytes.len().min(left);
            // Every step is one name, and no directory is a link: nothing here made one.
            let path = into.join(&file.path);
            let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
                let mut options = std::fs::OpenOptions::new();
                options.write(true).create_new(true).open(&path)?.write_all(&bytes)
            });
            written.map_err(Error::Room)?;
        }
        Ok(())
    }
}

/// A name of one file or directory: one step of a path, and nowhere else.
pub(crate) fn step(name: &[u8]) -> Result<String, Error> {
    let name = String::from_utf8_lossy(name);
    let bad = name.is_empty()
        || name == "."
        || name == ".."
        || name.eq_ignore_ascii_case(".git")
        || name.contains(['/', '\\', '\0']);
    if bad { Err(Error::Path) } else { Ok(name.into_owned()) }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
pub(crate) fn broken(error: gix::Error) -> Error {
    let told: String = error.to_string().chars().take(500).collect();
    tracing::debug!(error = told, "a repository is broken");
    Error::Malformed { what: "reading its objects" }
}
