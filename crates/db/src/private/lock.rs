//! One process at a time serves a data directory.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::fs::{FlockOperation, flock};

use super::Error;
use super::layout::{Layout, file};

/// The right to serve a data directory. The system takes it back when the process ends, however.
#[derive(Debug)]
pub(super) struct DataLock(#[expect(dead_code, reason = "held open for its lock")] File);

/// Who holds a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    Nobody,
    Process(Option<u32>),
}

fn open(layout: &Layout) -> Result<File, Error> {
    let path = layout.lock();
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .open(&path)
        .map_err(file("open", &path))
}

fn pid_in(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

impl DataLock {
    pub(super) fn take(layout: &Layout) -> Result<Self, Error> {
        let mut lock = open(layout)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Error::Served { pid: pid_in(&mut lock) });
        }
        let write = |lock: &mut File| -> std::io::Result<()> {
            lock.set_len(0)?;
            lock.rewind()?;
            writeln!(lock, "{}", std::process::id())
        };
        write(&mut lock).map_err(file("write", &layout.lock()))?;
        Ok(Self(lock))
    }

    /// Who holds it, without taking it for longer than the question.
    pub(super) fn holder(layout: &Layout) -> Result<Holder, Error> {
        let mut lock = open(layout)?;
        if flock(&lock, FlockOperation::NonBlockingLockShared).is_ok() {
            return Ok(Holder::Nobody);
        }
        Ok(Holder::Process(pid_in(&mut lock)))
    }
}
