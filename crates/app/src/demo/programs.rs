//! The programs of others the demo runs, and where they come from.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// A program and the Debian package it is in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Program {
    /// What it is called.
    name: &'static str,
    /// The package.
    package: &'static str,
}

const PROMETHEUS: Program = Program { name: "prometheus", package: "prometheus" };
const ALERTMANAGER: Program =
    Program { name: "prometheus-alertmanager", package: "prometheus-alertmanager" };
const SSHD: Program = Program { name: "sshd", package: "openssh-server" };
const SSH_KEYGEN: Program = Program { name: "ssh-keygen", package: "openssh-client" };
const BUSYBOX: Program = Program { name: "busybox", package: "busybox" };
const SETPRIV: Program = Program { name: "setpriv", package: "util-linux" };

/// Where each program is.
#[derive(Debug)]
pub(super) struct Programs {
    /// Prometheus.
    pub(super) prometheus: PathBuf,
    /// Alertmanager.
    pub(super) alertmanager: PathBuf,
    /// What the hosts are made of.
    pub(super) hosts: HostPrograms,
}

/// Where each program is that a host is made of.
#[derive(Debug)]
pub(super) struct HostPrograms {
    /// OpenSSH's server; it insists on being called by its full path.
    pub(super) sshd: PathBuf,
    /// Makes keys.
    pub(super) ssh_keygen: PathBuf,
    /// Ends what is started together with this process.
    pub(super) setpriv: PathBuf,
}

/// Finds them all.
///
/// # Errors
/// In one line, with the packages to install.
pub(super) fn find() -> Result<Programs> {
    let mut search = Search::default();
    let programs = Programs {
        prometheus: search.wanted(PROMETHEUS),
        alertmanager: search.wanted(ALERTMANAGER),
        hosts: search.hosts(),
    };
    search.over("the demo").map(|()| programs)
}

/// Finds those of the hosts.
///
/// # Errors
/// In one line, with the packages to install.
pub(super) fn of_hosts() -> Result<HostPrograms> {
    let mut search = Search::default();
    let programs = search.hosts();
    search.over("the demo's estate").map(|()| programs)
}

/// Looks for programs, and remembers what is missing.
#[derive(Debug, Default)]
struct Search {
    missing: Vec<Program>,
}

impl Search {
    fn wanted(&mut self, program: Program) -> PathBuf {
        found(program.name).unwrap_or_else(|| {
            self.missing.push(program);
            PathBuf::new()
        })
    }

    fn hosts(&mut self) -> HostPrograms {
        let programs = HostPrograms {
            sshd: self.wanted(SSHD),
            ssh_keygen: self.wanted(SSH_KEYGEN),
            setpriv: self.wanted(SETPRIV),
        };
        // The control script calls it by its name.
        self.wanted(BUSYBOX);
        programs
    }

    fn over(self, what: &str) -> Result<()> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = self.missing.iter().map(|program| program.name).collect();
        let packages: Vec<_> = self.missing.iter().map(|program| program.package).collect();
        bail!(
            "{what} needs {}: apt-get install -y --no-install-recommends {}",
            names.join(", "),
            packages.join(" ")
        )
    }
}

/// In the search path, or where system programs are.
fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
    std::env::split_paths(&path)
        .chain(system)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|file| runnable(file))
}

fn runnable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file)
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// The end of a text file, for a message.
pub(super) fn tail(file: &Path, lines: usize) -> String {
    let text = std::fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let from = text.lines().count().saturating_sub(lines);
    text.lines().skip(from).collect::<Vec<_>>().join("\n")
}

/// A command as it would be typed.
pub(super) fn typed<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> String {
    let arguments = arguments.iter().map(|one| one.as_ref().to_string_lossy().into_owned());
    std::iter::once(program.to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}
