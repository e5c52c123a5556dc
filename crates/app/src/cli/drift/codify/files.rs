//! The files of one directory, read and replaced without ever leaving it: no symbolic link is
//! followed, and each file is there as it was or as it is to be, never half.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, unlinkat};

/// How files that declare something end.
const ENDS: [&str; 6] = [".tf", ".tofu", ".yaml", ".yml", ".json", ".template"];
/// The largest file that is read, in bytes: what lies above nobody wrote by hand.
const MOST_BYTES: u64 = 16 << 20;
/// How many bytes all of them may have together.
const MOST_BYTES_TOGETHER: u64 = 256 << 20;

/// A directory whose files are changed.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    handle: OwnedFd,
}

impl Directory {
    /// Opens one; where it is may be said by a link, what is in it not.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty())
            .with_context(|| format!("cannot open the directory {}", path.display()))?;
        Ok(Self { path: path.to_owned(), handle })
    }

    /// The texts in it that may declare something, but for hidden ones, by their path in it.
    pub(super) fn texts(&self) -> Result<BTreeMap<String, String>> {
        let mut texts = BTreeMap::new();
        let mut open = vec![String::new()];
        let mut bytes = 0;
        while let Some(directory) = open.pop() {
            let path = self.path.join(&directory);
            let unreadable = || format!("cannot read {}", path.display());
            for entry in path.read_dir().with_context(unreadable)? {
                let entry = entry.with_context(unreadable)?;
                let kind = entry.file_type().with_context(unreadable)?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                if name.starts_with('.') {
                    continue;
                }
                let inside =
                    if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
                if kind.is_dir() {
                    open.push(inside);
                } else if kind.is_file() && ENDS.iter().any(|end| name.ends_with(end)) {
                    let Some(text) = self.text(&inside)? else { continue };
                    bytes += text.len() as u64;
                    if bytes > MOST_BYTES_TOGETHER {
                        bail!(
                            "{} holds more than {} MiB of code: name a directory in it",
                            self.path.display(),
                            MOST_BYTES_TOGETHER >> 20
                        );
                    }
                    texts.insert(inside, text);
                }
            }
        }
        Ok(texts)
    }

    /// The text of a file; none of what is no text, or larger than anything written by hand.
    fn text(&self, inside: &str) -> Result<Option<String>> {
        let unreadable = || format!("cannot read {}", self.path.join(inside).display());
        let (parent, name) = self.parent(inside).with_context(unreadable)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = openat(&parent, name, flags, Mode::empty()).with_context(unreadable)?;
        let mut bytes = Vec::new();
        File::from(file).take(MOST_BYTES + 1).read_to_end(&mut bytes).with_context(unreadable)?;
        Ok(String::from_utf8(bytes).ok().filter(|text| text.len() as u64 <= MOST_BYTES))
    }

    /// The directory a file is in, found from the top one without following links.
    fn parent<'p>(&self, inside: &'p str) -> rustix::io::Result<(OwnedFd, &'p str)> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut parent = self.handle.try_clone().map_err(|error| {
            rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO)
        })?;
        let (directories, name) = inside.rsplit_once('/').unwrap_or(("", inside));
        for part in directories.split('/').filter(|part| !part.is_empty()) {
            parent = openat(&parent, part, flags, Mode::empty())?;
        }
        Ok((parent, name))
    }

    /// Puts new texts in the place of those that were read. All are written before the first is put
    /// in place.
    pub(super) fn replace(
        &self,
        before: &BTreeMap<String, String>,
        after: &BTreeMap<String, String>,
    ) -> Result<()> {
        let mut written: Vec<(OwnedFd, String, &str)> = Vec::new();
        let put = after.iter().try_for_each(|(inside, text)| {
            let known = before.get(inside);
            if self.text(inside)?.as_ref() != known {
                bail!("{} was changed meanwhile", self.path.join(inside).display());
            }
            let unwritable = || format!("cannot write {}", self.path.join(inside).display());
            let (parent, name) = self.parent(inside).with_context(unwritable)?;
            let beside = format!(".{name}.{}.countersign", std::process::id());
            let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mode = openat(&parent, name, read, Mode::empty())
                .and_then(rustix::fs::fstat)
                .map(|kept| Mode::from_raw_mode(kept.st_mode & 0o777))
                .with_context(unwritable)?;
            let flags =
                OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = openat(&parent, beside.as_str(), flags, Mode::RUSR | Mode::WUSR)
                .with_context(unwritable)?;
            written.push((parent, beside, name));
            rustix::fs::fchmod(&file, mode).with_context(unwritable)?;
            let mut file = File::from(file);
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(unwritable)
        });
        let mut rest = written.into_iter();
        let put = put.and_then(|()| {
            rest.by_ref().try_for_each(|(parent, beside, name)| {
                renameat(&parent, beside.as_str(), &parent, name)
                    .inspect_err(|_| forget(&parent, &beside))
                    .with_context(|| format!("cannot replace {name}"))
            })
        });
        // What was not put in place is not left behind.
        for (parent, beside, _) in rest {
            forget(&parent, &beside);
        }
        put
    }
}

/// Takes a file away that was not put in place; that it cannot be is told by nothing but its being
/// there.
fn forget(parent: &OwnedFd, beside: &str) {
    let _gone = unlinkat(parent, beside, AtFlags::empty());
}
