//! Clocks that are wrong: programs run under libfaketime, and what their clock says can change
//! while they run. Time that only passes (timers, the monotonic clock) stays as it is.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The clock of the programs that are started with it.
#[derive(Debug)]
pub(super) struct FakeClock {
    dir: TempDir,
    library: PathBuf,
}

impl FakeClock {
    /// One that is right until it is set wrong.
    pub(super) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("cs-clock-").tempdir().expect("a directory");
        // PostgreSQL's own user must get through.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(dir.path(), open).expect("it is ours");
        let clock = Self { dir, library: library() };
        clock.set(0);
        clock
    }

    /// Puts it this many seconds ahead, or behind.
    pub(super) fn set(&self, ahead_s: i64) {
        let fresh = self.dir.path().join("fresh");
        std::fs::write(&fresh, format!("{ahead_s:+}\n")).expect("it is written");
        // Whoever reads it finds a whole line.
        std::fs::rename(fresh, self.says()).expect("it is put in place");
    }

    fn says(&self) -> PathBuf {
        self.dir.path().join("says")
    }

    /// What a program's environment must hold.
    pub(super) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("LD_PRELOAD", self.library.clone()),
            ("FAKETIME_TIMESTAMP_FILE", self.says()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("FAKETIME_DISABLE_SHM", "1".into()),
        ]
    }

    /// A directory with PostgreSQL's programs, which run by this clock.
    pub(super) fn postgres(&self) -> PathBuf {
        let programs = self.dir.path().join("bin");
        std::fs::create_dir_all(&programs).expect("a directory");
        let real = postgres();
        let environment: String = self
            .environment()
            .iter()
            .map(|(name, value)| format!("export {name}='{}'\n", value.display()))
            .collect();
        for (name, environment) in [("postgres", environment.as_str()), ("initdb", "")] {
            let program = programs.join(name);
            let exec = format!("exec '{}' \"$@\"", real.join(name).display());
            std::fs::write(&program, format!("#!/bin/sh\n{environment}{exec}\n")).expect("written");
            let open = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&program, open).expect("it is ours");
        }
        programs
    }
}

/// Where Debian's package `libfaketime` puts it.
fn library() -> PathBuf {
    let places = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let library = |place: &Path| place.join("faketime/libfaketimeMT.so.1");
    let mut found = places.map(|place| library(&place.path())).filter(|path| path.is_file());
    found.next().expect("libfaketime is missing: scripts/install test")
}

/// Where PostgreSQL's programs are.
fn postgres() -> PathBuf {
    let mut options = db::private::Options::new(std::env::temp_dir().join("nowhere"));
    options.search_path = std::env::var_os("PATH");
    db::private::examine(&options).chosen.expect("PostgreSQL is installed")
}
