//! Processes the demo starts: ended by their own id, also when the demo is killed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::programs::tail;

/// Ports below those the system gives to outgoing connections, so that none of these takes a port
/// away while its service is being restarted.
const PORTS: std::ops::Range<u32> = 15_000..32_000;
/// How much of a log is shown when its process ended.
const TAIL_LINES: usize = 8;

/// What to start.
#[derive(Debug)]
pub(super) struct Start<'a> {
    /// What people call it.
    pub(super) name: &'a str,
    /// Where `setpriv` is.
    pub(super) setpriv: &'a Path,
    /// What it is sent should this process die.
    pub(super) at_our_death: &'static str,
    /// The program.
    pub(super) program: &'a Path,
    /// Its arguments.
    pub(super) arguments: &'a [OsString],
    /// Where its output goes.
    pub(super) log: PathBuf,
}

/// A process that runs.
#[derive(Debug)]
pub(super) struct Running {
    name: String,
    child: Child,
    pid: u32,
    log: PathBuf,
}

impl Running {
    /// Starts it, in a process group of its own: an interrupt from the terminal is ours alone.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(start: &Start<'_>) -> Result<Self> {
        let said = || format!("cannot start {}", start.name);
        let log = File::create(&start.log).with_context(said)?;
        let mut command = Command::new(start.setpriv);
        command
            .args(["--pdeathsig", start.at_our_death])
            .arg(start.program)
            .args(start.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().with_context(said)?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        own_settings(&mut command);
        let child = command.spawn().with_context(said)?;
        let pid = child.id().with_context(said)?;
        Ok(Self { name: start.name.to_owned(), child, pid, log: start.log.clone() })
    }

    /// Its process id.
    pub(super) const fn pid(&self) -> u32 {
        self.pid
    }

    /// What it said so far.
    pub(super) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When it does not, with the end of its log.
    pub(super) fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended ({status}):\n{}", self.name, tail(&self.log, TAIL_LINES));
        }
        Ok(())
    }

    /// Asks it to end, and ends it when it does not within `grace`.
    pub(super) async fn end(mut self, grace: Duration) {
        if let Ok(None) = self.child.try_wait() {
            let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
            // Fails only when it has just ended.
            pid.map(|pid| kill_process(pid, Signal::TERM).ok());
            if tokio::time::timeout(grace, self.child.wait()).await.is_err() {
                self.child.kill().await.ok();
            }
        }
    }
}

/// Takes away what is set for a real deployment: the demo is the same everywhere.
pub(super) fn own_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let ours = name.to_string_lossy().starts_with("COUNTERSIGN_");
        if name == "DATABASE_URL" || (ours && name != "COUNTERSIGN_PG_BIN_DIR") {
            command.env_remove(name);
        }
    }
}

/// A port of the loopback interface nobody listens on.
///
/// # Errors
/// When there is none.
pub(super) fn free_port() -> Result<u16> {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let width = PORTS.end - PORTS.start;
    for _ in 0..width {
        // Another start for each process: two demos side by side seldom meet.
        let asked = ASKED.fetch_add(1, Ordering::Relaxed);
        let at = std::process::id().wrapping_mul(101).wrapping_add(asked) % width;
        let port = u16::try_from(PORTS.start + at)?;
        if is_free(port) {
            return Ok(port);
        }
    }
    bail!("no port is free")
}

/// Whether nobody listens on a port of the loopback interface.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
