//! One throwaway PostgreSQL for a whole test run: in memory where there is memory, no fsync.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// A running server; it ends with this value, or with this process.
pub(crate) struct Server {
    dir: PathBuf,
    child: Child,
}

impl Server {
    /// How the superuser of this server logs in.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.dir.display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing in it is worth an orderly end.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
        let _removed = fs::remove_dir_all(&self.dir);
    }
}

/// Starts a server on a socket in a directory of its own.
pub(crate) fn start() -> Result<Server> {
    let bin = binaries()?;
    let base = Path::new("/dev/shm");
    let base = if base.is_dir() { base.to_owned() } else { std::env::temp_dir() };
    let dir = base.join(format!("countersign-test-{}", std::process::id()));
    fs::create_dir(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let as_root = fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if as_root {
        run(Command::new("chown").arg("postgres").arg(&dir))?;
    }
    let program = |name: &str| {
        let mut command = Command::new(if as_root { "setpriv" } else { "env" });
        if as_root {
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
            command.arg("--pdeathsig=KILL");
        }
        command.arg(bin.join(name)).current_dir(&dir);
        command
    };
    let data = dir.join("data");
    let mut initdb = program("initdb");
    initdb.args(["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "-D"]);
    run(initdb.arg(&data).stdout(Stdio::null()))?;
    let mut postgres = program("postgres");
    postgres.arg("-D").arg(&data).arg("-k").arg(&dir).args(["-h", ""]);
    for setting in [
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "max_connections=400",
        "max_wal_size=4GB",
    ] {
        postgres.args(["-c", setting]);
    }
    let log = fs::File::create(dir.join("log")).context("cannot write the server's log")?;
    let child =
        postgres.stdout(Stdio::null()).stderr(log).spawn().context("cannot start postgres")?;
    let server = Server { dir, child };
    ready(&bin, &server)?;
    Ok(server)
}

fn ready(bin: &Path, server: &Server) -> Result<()> {
    let started = Instant::now();
    loop {
        let answer =
            Command::new(bin.join("pg_isready")).arg("-q").arg("-h").arg(&server.dir).status();
        if answer.is_ok_and(|status| status.success()) {
            return Ok(());
        }
        if started.elapsed() > Duration::from_secs(60) {
            bail!("PostgreSQL did not get ready within a minute; see {}", server.dir.display());
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// The newest installed server.
fn binaries() -> Result<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("postgres").is_file())
        .collect();
    found.sort();
    let in_path = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).find(|directory| directory.join("postgres").is_file())
    });
    found.pop().or(in_path).context("PostgreSQL is missing: apt-get install -y postgresql")
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed");
    }
    Ok(())
}
