//! Processes of the real binary: started, told to stop, stopped and killed by their own id.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

use super::clock::FakeClock;
use super::control::{self, Fencing};
use super::{LEASE, until};

/// What the binary says once it listens.
const READY: &str = "countersign serves on ";

/// How to start a process.
#[derive(Debug, Clone)]
pub(super) struct Setup<'a> {
    pub(super) data_dir: &'a Path,
    /// The external database; a private one when absent.
    pub(super) database_url: Option<&'a str>,
    /// `all`, `api` or `worker`.
    pub(super) role: &'a str,
    /// Where it kills itself.
    pub(super) failpoint: Option<&'a str>,
    /// Its lease, in seconds.
    pub(super) lease_s: f64,
    /// What it logs.
    pub(super) log: &'a str,
    /// Further arguments.
    pub(super) more: &'a [&'a str],
    /// The binary's, or a control worker's instead of it.
    pub(super) fencing: Fencing,
    /// Its clock, when that is wrong.
    pub(super) clock: Option<&'a FakeClock>,
    /// Another version of the program.
    pub(super) program: Option<&'a Path>,
}

impl<'a> Setup<'a> {
    pub(super) const fn new(data_dir: &'a Path, database_url: Option<&'a str>) -> Self {
        let lease_s = LEASE.as_secs_f64();
        let (role, log) = ("all", "info");
        let (failpoint, more, fencing) = (None, &[], Fencing::Whole);
        let (clock, program) = (None, None);
        Self {
            data_dir,
            database_url,
            role,
            failpoint,
            lease_s,
            log,
            more,
            fencing,
            clock,
            program,
        }
    }

    /// The command of the binary.
    fn binary(&self, command: &mut Command) {
        command
            .arg(self.program.unwrap_or_else(|| Path::new(env!("CARGO_BIN_EXE_countersign"))))
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--poll-s", "0.1", "--role", self.role])
            .args(["--lease-s", &self.lease_s.to_string(), "--grace-s", "10"])
            .arg("--data-dir")
            .arg(self.data_dir)
            .args(self.more);
        if self.database_url.is_some() {
            command.args(["--db-connections", "10"]);
        }
        if let Some(point) = self.failpoint {
            command.args(["--failpoint", point]);
        }
    }

    /// The command by which this program becomes a control worker.
    fn control(&self, command: &mut Command) {
        command
            .arg(std::env::current_exe().expect("this program has a path"))
            .args([control::ENTRY, "--exact", "--nocapture"])
            .env(control::DIRECTORY, self.data_dir);
    }

    /// Starts it; it dies with the thread of this test.
    pub(super) fn spawn(&self) -> Process {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        match self.fencing {
            Fencing::Whole => self.binary(&mut command),
            Fencing::Epoch | Fencing::Naive => self.control(&mut command),
        }
        command
            .env_remove("DATABASE_URL")
            .env_remove("DATABASE_ADMIN_URL")
            .env_remove("COUNTERSIGN_FAILPOINT")
            .env("COUNTERSIGN_LOG", self.log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if let Some(url) = self.database_url {
            command.env("DATABASE_URL", url);
        }
        if let Some(clock) = self.clock {
            command.envs(clock.environment());
        }
        Process::of(command)
    }

    /// Starts it and waits until it listens.
    pub(super) async fn start(&self) -> Process {
        let mut process = self.spawn();
        process.ready().await;
        process
    }
}

/// What a process said.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole of it.
    pub(super) fn text(&self) -> String {
        self.lock().join("\n")
    }

    /// What follows `mark` in the first line that has it.
    fn after(&self, mark: &str) -> Option<String> {
        self.lock().iter().find_map(|line| Some(line.split_once(mark)?.1.to_owned()))
    }
}

/// A process of the real binary; killed with this value.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    pub(super) log: Log,
    listener: JoinHandle<()>,
}

impl Process {
    /// What this command starts, whose standard error is piped.
    pub(super) fn of(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary starts");
        let said = BufReader::new(child.stderr.take().expect("it was asked for"));
        let log = Log::default();
        let lines = log.clone();
        let listener = std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                lines.lock().push(line);
            }
        });
        Self { child, log, listener }
    }

    /// Waits until it listens, and gives its address.
    pub(super) async fn ready(&mut self) -> String {
        self.says(READY).await
    }

    /// Waits until it says this, and gives what follows.
    pub(super) async fn says(&mut self, mark: &str) -> String {
        until(mark, async || {
            if let Some(url) = self.log.after(mark) {
                return Some(url);
            }
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                panic!("it ended before it said {mark:?}, {status}: {}", self.log.text());
            }
            None
        })
        .await
    }

    /// Where it listens, if it does by now.
    pub(super) fn url(&self) -> Option<String> {
        self.log.after(READY)
    }

    /// Its end, if it has ended.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is our child")
    }

    /// Waits until all it said is in the log: it, and whatever it started, has ended.
    pub(super) async fn last_words(&self) -> String {
        until("its last words", async || self.listener.is_finished().then_some(())).await;
        self.log.text()
    }

    /// Waits for its end.
    pub(super) async fn end(&mut self) -> ExitStatus {
        until("the end of a process", async || self.ended()).await
    }

    /// What the system calls it.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("its id");
        kill_process(pid, signal).expect("it has not been waited for");
    }

    /// Kills it as a power cut would.
    pub(super) async fn kill(&mut self) {
        self.signal(Signal::KILL);
        assert_eq!(self.end().await.signal(), Some(9), "{}", self.log.text());
    }

    /// Stops it in order.
    pub(super) async fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.end().await;
        assert!(status.success(), "{status}: {}", self.log.text());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended before.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
