//! Processes of a measurement: their CPU time, their memory, their end.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::setting::Setting;

/// Ticks of the CPU times in /proc, a constant of Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// How long a process gets to end by itself.
const END_WITHIN: Duration = Duration::from_secs(30);

struct Stat {
    parent: u32,
    name: String,
    own: f64,
    reaped: f64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, rest) = text.rsplit_once(") ")?;
    let name = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = rest.split(' ').collect();
    let seconds = |at: usize| -> Option<f64> {
        Some(fields.get(at)?.parse::<f64>().ok()? / TICKS_PER_SECOND)
    };
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        name,
        own: seconds(11)? + seconds(12)?,
        reaped: seconds(13)? + seconds(14)?,
    })
}

fn all() -> Vec<(u32, Stat)> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .collect()
}

/// A process and everything below it.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let all = all();
    let mut found = vec![root];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(all.iter().filter(|(_, stat)| stat.parent == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    found
}

/// The CPU seconds of a process and everything below it, those that have ended included.
pub(crate) fn cpu(root: u32) -> f64 {
    tree(root).into_iter().filter_map(stat).map(|stat| stat.own + stat.reaped).sum()
}

/// The CPU seconds of this process, without its children.
pub(crate) fn alone() -> f64 {
    stat(std::process::id()).map_or(f64::NAN, |stat| stat.own)
}

/// The CPU seconds of the children of this process called `name`, and of all below them.
pub(crate) fn cpu_of_children(name: &str) -> f64 {
    let own = std::process::id();
    let children = all().into_iter().filter(|(_, stat)| stat.parent == own && stat.name == name);
    children.map(|(pid, _)| cpu(pid)).sum()
}

/// A number of /proc/PID/FILE in bytes: `VmRSS` of `status`, `Pss` of `smaps_rollup`.
pub(crate) fn memory(pid: u32, file: &str, what: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib * 1024.0)
}

/// The TCP port a process listens on.
pub(crate) fn listening(pid: u32) -> Option<u16> {
    let sockets: Vec<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .ok()?
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok()?.to_str().map(str::to_owned))
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp")).ok()?;
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // State 0A is LISTEN; the tenth field is the socket's inode.
        let mine = sockets.iter().any(|socket| fields.get(9) == Some(&socket.as_str()));
        let (_, port) = fields.get(1)?.split_once(':')?;
        (mine && fields.get(3) == Some(&"0A")).then(|| u16::from_str_radix(port, 16).ok())?
    })
}

/// A program that goes on until it is told to end. It gets SIGTERM when this one dies.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pid: u32,
}

impl Running {
    /// Starts it, with what it says in `log`.
    pub(crate) fn start(
        program: &Path,
        log: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let file = fs::File::create(log)?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--"])
            .arg(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start", program.display()))?;
        let pid = child.id().context("it has ended already")?;
        Ok(Self { child, pid })
    }

    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it has ended.
    pub(crate) fn ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Ends it in order; with force when it does not listen.
    pub(crate) async fn end(mut self) -> Result<()> {
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            // Fails only when it has ended before.
            kill_process(pid, Signal::TERM).ok();
        }
        if timeout(END_WITHIN, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }
}

/// What a program that ran to its end took.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Taken {
    /// Until it ended, in seconds.
    pub(crate) wall: f64,
    /// Of it and all it started, those that outlived it included, in seconds.
    pub(crate) cpu: f64,
    /// The most memory that one of these held, in bytes.
    pub(crate) rss: f64,
    /// What it printed.
    #[serde(skip)]
    pub(crate) said: String,
}

/// Runs a program to its end and measures it and everything it starts.
pub(crate) async fn metered(
    setting: &Setting,
    command: &[String],
    environment: &[(String, String)],
) -> Result<Taken> {
    metered_to(setting, command, environment, &[0]).await
}

/// The same of a program that says by its exit code what it found: which ones are good.
pub(crate) async fn metered_to(
    setting: &Setting,
    command: &[String],
    environment: &[(String, String)],
    good: &[i32],
) -> Result<Taken> {
    let note = setting.dir.join("taken.json");
    // What the last one left would be taken for this one's.
    fs::remove_file(&note).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let output = Command::new(setting.venv.join("bin/python"))
        .arg(setting.peers.join("measure.py"))
        .arg(&note)
        .args(command)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .await?;
    if !output.status.code().is_some_and(|code| good.contains(&code)) || !note.exists() {
        bail!(
            "{} failed: {}{}",
            command.first().map_or("", |path| path.rsplit('/').next().unwrap_or(path)),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let taken: Taken = serde_json::from_slice(&fs::read(&note)?)?;
    Ok(Taken { said: String::from_utf8_lossy(&output.stdout).into_owned(), ..taken })
}
