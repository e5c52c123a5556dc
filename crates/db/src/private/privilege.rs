//! As whom the server runs: PostgreSQL refuses to run as root.
//!
//! Everything is started through `setpriv`, which also ties the child's life to ours: the death
//! signal is set after the change of user, which would clear it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Serialize;

use super::Error;
use super::binaries::Installation;
use super::layout::{Layout, file};

/// The system user that Debian's packages make.
const USER: &str = "postgres";

/// What the postmaster gets when this process dies: a fast shutdown, which rolls back what runs.
const DEATH_SIGNAL: &str = "INT";

/// Where `setpriv` and `unshare` are, and what the server itself may need.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// As whom the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Privilege {
    /// As we do, who are not root.
    Same,
    /// As the user `postgres`.
    Drop { uid: u32, gid: u32 },
    /// In a user namespace where root has another number. The files stay root's, so this is a way
    /// to run where `postgres` cannot reach, not a dropping of privileges.
    Namespace,
}

impl Privilege {
    /// A command that runs `program` with these privileges and dies with this thread.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = match self {
            Self::Same => Command::new("setpriv"),
            Self::Drop { uid, gid } => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}"));
                command.arg("--clear-groups");
                command
            }
            Self::Namespace => {
                let mut command = Command::new("unshare");
                command.args(["--user", "--map-user=1000", "--map-group=1000", "--", "setpriv"]);
                command
            }
        };
        command.args(["--pdeathsig", DEATH_SIGNAL, "--"]).arg(program);
        // Nothing of ours may leak into the server: no secret, no PGDATA.
        command.env_clear().env("PATH", SYSTEM_PATH).env("LC_ALL", "C").current_dir("/");
        command
    }

    /// Whether `program args` succeeds with these privileges.
    fn can(self, program: &str, args: &[&OsStr]) -> bool {
        self.command(Path::new(program))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Whether the server could use the data directory and the programs.
    fn reaches(self, base: &Path, installation: &Installation) -> bool {
        self.can(
            "test",
            &["-x".as_ref(), base.as_os_str(), "-a".as_ref(), "-w".as_ref(), base.as_os_str()],
        ) && self.can(
            installation.program("postgres").to_string_lossy().as_ref(),
            &["--version".as_ref()],
        )
    }

    /// Gives a file or directory to whom the server runs as.
    pub(super) fn hand_over(self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Same | Self::Namespace => Ok(()),
            Self::Drop { uid, gid } => {
                chown(path, Some(uid), Some(gid)).map_err(file("change the owner of", path))
            }
        }
    }

    /// In words, for people.
    pub(super) fn describe(self) -> String {
        match self {
            Self::Same => "as the current user".to_owned(),
            Self::Drop { .. } => format!("as the user {USER}"),
            Self::Namespace => "as root under another number, in a user namespace".to_owned(),
        }
    }
}

/// Chooses as whom the server runs, and gives it its directory.
pub(super) fn settle(layout: &Layout, installation: &Installation) -> Result<Privilege, Error> {
    if !rustix::process::geteuid().is_root() {
        return has_setpriv(Privilege::Same);
    }
    let base = layout.base();
    if let Some(drop) = user_postgres() {
        let owner = fs::metadata(&base).map_err(file("look at", &base))?;
        drop.hand_over(&base)?;
        if drop.reaches(&base, installation) {
            return Ok(drop);
        }
        chown(&base, Some(owner.uid()), Some(owner.gid()))
            .map_err(file("change the owner of", &base))?;
    }
    if Privilege::Namespace.reaches(&base, installation) {
        tracing::warn!(
            directory = %layout.root().display(),
            "the user postgres cannot reach the data directory, so PostgreSQL runs in a user \
             namespace and its files stay root's"
        );
        return Ok(Privilege::Namespace);
    }
    Err(Error::Privileges {
        what: format!(
            "PostgreSQL does not run as root, and the user {USER} cannot reach both {} and {}",
            base.display(),
            installation.bin_dir.display()
        ),
        remedy: "choose a data directory that others may pass through, such as \
                 /var/lib/countersign, or run countersign as another user"
            .to_owned(),
    })
}

fn has_setpriv(privilege: Privilege) -> Result<Privilege, Error> {
    if privilege.can("true", &[]) {
        return Ok(privilege);
    }
    Err(Error::Privileges {
        what: "setpriv cannot be run".to_owned(),
        remedy: "install util-linux".to_owned(),
    })
}

fn user_postgres() -> Option<Privilege> {
    let users = fs::read_to_string(PathBuf::from("/etc/passwd")).ok()?;
    let entry = users.lines().find(|line| line.split(':').next() == Some(USER))?;
    let mut fields = entry.split(':').skip(2);
    let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Privilege::Drop { uid, gid })
}
