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
    let mut missing: Vec<Program> = Vec::new();
    let mut wanted = |program: Program| {
        found(program.name).unwrap_or_else(|| {
            missing.push(program);
            PathBuf::new()
        })
    };
    let programs = Programs {
        prometheus: wanted(PROMETHEUS),
        alertmanager: wanted(ALERTMANAGER),
        sshd: wanted(SSHD),
        ssh_keygen: wanted(SSH_KEYGEN),
        setpriv: wanted(SETPRIV),
    };
    wanted(BUSYBOX);
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|program| program.name).collect();
        let packages: Vec<_> = missing.iter().map(|program| program.package).collect();
        bail!(
            "the demo needs {}: apt-get install -y --no-install-recommends {}",
            names.join(", "),
            packages.join(" ")
        );
    }
    Ok(programs)
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
