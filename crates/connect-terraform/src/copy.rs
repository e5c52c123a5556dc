//! A copy of a configuration: its files, and nothing that leads out of it.

use std::fs;
use std::path::Path;

use crate::Error;

/// The most files that are copied.
const MOST_FILES: usize = 20_000;
/// The most bytes of all of them.
const MOST_BYTES: u64 = 512 << 20;
/// What a configuration is made of and what is not: what tools keep beside it is left out.
const LEFT_OUT: [&str; 3] = [".git", ".terraform", "node_modules"];

/// Copies a directory. Symbolic links are left out: they may lead anywhere.
pub(crate) fn tree(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = |source| Error::Copy { directory: from.to_owned(), source };
    let (mut files, mut bytes) = (0, 0);
    let mut directories = vec![(from.to_owned(), to.to_owned())];
    while let Some((source, target)) = directories.pop() {
        fs::create_dir_all(&target).map_err(failed)?;
        for entry in fs::read_dir(&source).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                if !LEFT_OUT.iter().any(|left| name == *left) {
                    directories.push((entry.path(), target.join(name)));
                }
                continue;
            }
            if !kind.is_file() {
                continue;
            }
            files += 1;
            bytes += entry.metadata().map_err(failed)?.len();
            if files > MOST_FILES || bytes > MOST_BYTES {
                return Err(Error::TooLarge {
                    directory: from.to_owned(),
                    most: MOST_FILES,
                    most_mib: MOST_BYTES >> 20,
                });
            }
            fs::copy(entry.path(), target.join(name)).map_err(failed)?;
        }
    }
    Ok(())
}
