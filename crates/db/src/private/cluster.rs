//! The cluster itself: made once, started often, and cleared of what an earlier run left.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::str::FromStr;

use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::binaries::Installation;
use super::layout::{ADMIN_ROLE, DATABASE, Layout, file, make_private_dir, write_private};
use super::privilege::Privilege;
use super::{Error, Options};
use crate::error::Error as DatabaseError;

/// A log larger than this is begun anew at the next start; the old one is kept beside it.
const MAX_LOG_BYTES: u64 = 16 * 1024 * 1024;

/// How much of the log an error shows.
const TAIL_LINES: usize = 12;

/// One cluster, and how to run it.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    layout: Layout,
    installation: Installation,
    privilege: Privilege,
    settings: Vec<(String, String)>,
}

impl Cluster {
    pub(super) fn new(
        layout: &Layout,
        installation: &Installation,
        privilege: Privilege,
        options: &Options,
    ) -> Self {
        let mut settings = vec![
            ("listen_addresses".to_owned(), String::new()),
            (
                "unix_socket_directories".to_owned(),
                layout.socket_dir().to_string_lossy().into_owned(),
            ),
            ("unix_socket_permissions".to_owned(), "0700".to_owned()),
            ("password_encryption".to_owned(), "scram-sha-256".to_owned()),
            ("max_connections".to_owned(), options.max_connections.to_string()),
            ("log_line_prefix".to_owned(), "%m [%p] %u ".to_owned()),
            ("log_timezone".to_owned(), "UTC".to_owned()),
            ("timezone".to_owned(), "UTC".to_owned()),
        ];
        settings.extend(options.settings.iter().cloned());
        Self { layout: layout.clone(), installation: installation.clone(), privilege, settings }
    }

    /// Makes the cluster when there is none. A cluster appears whole or not at all: it is made
    /// under a name of its own, since a killed initdb goes on cleaning up behind its successor.
    pub(super) fn initialise(&self, admin_password: &str) -> Result<(), Error> {
        self.forget_drafts();
        let data = self.layout.cluster();
        if self.layout.cluster_version()?.is_some() {
            return self.assert_owner(&data);
        }
        let base = self.layout.base();
        let draft = base.join(format!("draft-{}", uuid::Uuid::now_v7().simple()));
        let password_file = draft.with_extension("password");
        write_private(&password_file, admin_password)?;
        self.privilege.hand_over(&password_file)?;
        let output = self
            .privilege
            .command(&self.installation.program("initdb"))
            .arg("--pgdata")
            .arg(&draft)
            .arg("--pwfile")
            .arg(&password_file)
            .args(["--username", ADMIN_ROLE, "--auth", "scram-sha-256"])
            .args(["--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums"])
            .stdin(Stdio::null())
            .output()
            .map_err(file("run", &self.installation.program("initdb")))?;
        fs::remove_file(&password_file).map_err(file("remove", &password_file))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Error::Init { output: said });
        }
        fs::rename(&draft, &data).map_err(file("rename", &draft))
    }

    /// Removes what an interrupted first start left. One that is still being cleaned up by its
    /// own initdb stays until the next start.
    fn forget_drafts(&self) {
        let Ok(entries) = fs::read_dir(self.layout.base()) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with("draft-") {
                let path = entry.path();
                let removed =
                    if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                if let Err(error) = removed {
                    tracing::debug!(%error, path = %path.display(), "left to the next start");
                }
            }
        }
    }

    fn assert_owner(&self, data: &Path) -> Result<(), Error> {
        let owner = fs::metadata(data).map_err(file("look at", data))?.uid();
        let ours = match self.privilege {
            Privilege::Same | Privilege::Namespace => rustix::process::geteuid().as_raw(),
            Privilege::Drop { uid, .. } => uid,
        };
        if owner == ours {
            return Ok(());
        }
        Err(Error::Directory {
            what: format!(
                "{} belongs to user number {owner}, but PostgreSQL would run {} (number {ours})",
                data.display(),
                self.privilege.describe()
            ),
            remedy: format!("start countersign as before, or chown -R {ours} that directory"),
        })
    }

    /// Starts the postmaster. The caller's thread must live as long as it: its death signal is
    /// bound to the thread.
    pub(super) fn spawn(&self) -> Result<Child, Error> {
        let log = self.layout.log();
        if fs::metadata(&log).is_ok_and(|metadata| metadata.len() > MAX_LOG_BYTES) {
            fs::rename(&log, log.with_extension("log.old")).map_err(file("rename", &log))?;
        }
        let out =
            OpenOptions::new().create(true).append(true).open(&log).map_err(file("open", &log))?;
        let program = self.installation.program("postgres");
        let mut command = self.privilege.command(&program);
        command.arg("-D").arg(self.layout.cluster());
        for (name, value) in &self.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.stdin(Stdio::null());
        command.stdout(out.try_clone().map_err(file("open", &log))?).stderr(out);
        command.spawn().map_err(file("run", &program))
    }

    /// The processes that work in this cluster, by their working directory: a process id in a
    /// file may be stale or belong to somebody else by now.
    pub(super) fn users(&self) -> Vec<u32> {
        let Ok(data) = fs::metadata(self.layout.cluster()) else { return Vec::new() };
        let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
        processes
            .flatten()
            .filter_map(|process| process.file_name().to_str()?.parse().ok())
            .filter(|pid: &u32| {
                fs::metadata(format!("/proc/{pid}/cwd"))
                    .is_ok_and(|cwd| cwd.dev() == data.dev() && cwd.ino() == data.ino())
            })
            .collect()
    }

    /// Sends a signal to every process that works in this cluster.
    pub(super) fn signal_users(&self, signal: Signal) {
        for pid in self.users() {
            signal_process(pid, signal);
        }
    }

    /// Prepares the next start, once nobody works in the cluster any more: removes the stale
    /// process id, which may name an unrelated process by now, and makes the socket directory
    /// anew, whose lock file may name a zombie.
    pub(super) fn clear(&self) -> Result<(), Error> {
        let pid_file = self.pid_file();
        match fs::remove_file(&pid_file) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(file("remove", &pid_file)(error)),
        }
        let sockets = self.layout.socket_dir();
        match fs::remove_dir_all(&sockets) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(file("remove", &sockets)(error)),
        }
        make_private_dir(&sockets)?;
        self.privilege.hand_over(&sockets)
    }

    fn pid_file(&self) -> PathBuf {
        self.layout.cluster().join("postmaster.pid")
    }

    /// Whether this very postmaster says that it takes connections. Its first line is its process
    /// id, the eighth its state.
    pub(super) fn takes_connections(&self, postmaster: u32) -> bool {
        let Ok(text) = fs::read_to_string(self.pid_file()) else { return false };
        let mut lines = text.lines().map(str::trim);
        lines.next().and_then(|pid| pid.parse().ok()) == Some(postmaster)
            && lines.nth(6) == Some("ready")
    }

    pub(super) fn path(&self) -> PathBuf {
        self.layout.cluster()
    }
}

pub(super) fn signal_process(pid: u32, signal: Signal) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    if let Err(error) = kill_process(pid, signal) {
        // Gone already, which is what the signal is for.
        tracing::debug!(%error, pid = pid.as_raw_nonzero(), "no such process");
    }
}

/// The last lines of the server's log.
pub(super) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// Makes the database when it is not there yet.
pub(super) async fn create_database(admin_url: &str) -> Result<(), DatabaseError> {
    let options = PgConnectOptions::from_str(admin_url).map_err(DatabaseError::Url)?;
    let mut server = options.database("postgres").connect().await?;
    let there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut server)
            .await?;
    if !there {
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {DATABASE}")))
            .execute(&mut server)
            .await?;
    }
    server.close().await?;
    Ok(())
}
