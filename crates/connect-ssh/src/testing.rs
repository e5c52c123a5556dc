//! A real sshd on loopback: own host key, own login key, own home, own guard directory.

use std::fs;
use std::io::{self, BufRead, BufReader, Error, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use model::connector::{Endpoint, Login};
use model::id::{ConnectionId, CredentialId, ResourceId};
use model::level::EnvironmentClass;
use model::plan::Target;
use model::secret::Secret;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Where OpenSSH's server is; it insists on being called by its full path.
const SSHD: &str = "/usr/sbin/sshd";

/// `PATH` of its sessions.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// How often another port is tried when somebody else took the free one first.
const PORT_TRIES: usize = 20;

/// Since 9.8 sshd shuts out an address for a while after a failed login, and on loopback everybody
/// has the same one. Before, it refuses to start with the option that turns this off.
static LENIENCY: LazyLock<&str> = LazyLock::new(|| {
    const WORD: &[u8] = b"persourcepenalties";
    let known = fs::read(SSHD).is_ok_and(|sshd| sshd.windows(WORD.len()).any(|part| part == WORD));
    if known { "PerSourcePenalties no" } else { "" }
});

/// What is set apart from the defaults.
#[derive(Debug, Clone)]
pub struct Options {
    /// Sessions at a time on one connection.
    pub max_sessions: u32,
    /// Connections at a time that have not logged in.
    pub max_startups: u32,
    /// What comes before the usual `PATH` of its sessions.
    pub path: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        // sshd's own default for sessions.
        Self { max_sessions: 10, max_startups: 100, path: None }
    }
}

/// A running sshd. It ends, with its connections, when dropped or when the thread that started it
/// ends; steps it has started go on, as on any host.
#[derive(Debug)]
pub struct Sshd {
    dir: TempDir,
    server: Child,
    port: u16,
    host_key: String,
    client_key: String,
    username: String,
    connection_id: ConnectionId,
    credential_id: CredentialId,
}

impl Sshd {
    /// Starts one with the defaults.
    ///
    /// # Errors
    /// When OpenSSH is missing or does not start.
    pub fn start() -> io::Result<Self> {
        Self::start_with(&Options::default())
    }

    /// Starts one.
    ///
    /// # Errors
    /// When OpenSSH is missing or does not start.
    pub fn start_with(options: &Options) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("countersign-sshd-").tempdir()?;
        let host_key = make_key(&dir.path().join("host_key"))?;
        let login_key = make_key(&dir.path().join("login_key"))?;
        let client_key = fs::read_to_string(dir.path().join("login_key"))?;
        fs::write(dir.path().join("authorized_keys"), login_key)?;
        fs::create_dir(dir.path().join("home"))?;
        // sshd run by root insists on its privilege separation directory; nobody else may make it.
        fs::create_dir_all("/run/sshd").ok();
        let (server, port) = launch(dir.path(), options)?;
        Ok(Self {
            dir,
            server,
            port,
            host_key,
            client_key,
            username: said_by(Command::new("id").arg("-un"))?,
            connection_id: ConnectionId::generate(),
            credential_id: CredentialId::generate(),
        })
    }

    /// Ends the server and all connections, then starts it again on the same port.
    ///
    /// # Errors
    /// When the port is taken by now, or OpenSSH does not start.
    pub fn restart(&mut self) -> io::Result<()> {
        self.stop();
        self.server = listen(self.dir.path(), self.port)?;
        Ok(())
    }

    /// Ends the server and all connections.
    pub fn stop(&mut self) {
        let connections = connections_of(self.server.id());
        // Both fail only when it has ended before.
        self.server.kill().ok();
        self.server.wait().ok();
        connections.into_iter().for_each(kill);
    }

    /// Cuts all connections; the server goes on listening.
    pub fn cut_connections(&self) {
        connections_of(self.server.id()).into_iter().for_each(kill);
    }

    /// Connections open now.
    #[must_use]
    pub fn connections(&self) -> usize {
        children_of(self.server.id()).len()
    }

    /// The address it listens on.
    #[must_use]
    pub const fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its host key, `ssh-ed25519 AAAA…`, as it is pinned.
    #[must_use]
    pub fn host_key(&self) -> &str {
        &self.host_key
    }

    /// The private key that may log in.
    #[must_use]
    pub fn client_key(&self) -> &str {
        &self.client_key
    }

    /// Who may log in: whoever runs this.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// `$HOME` of its sessions, below [`Sshd::dir`].
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// The guard directory [`Sshd::target`] names.
    #[must_use]
    pub fn guard_dir(&self) -> PathBuf {
        self.dir.path().join("guard")
    }

    /// A directory that is removed with it.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// This host as a target; the same connection and credential each time.
    #[must_use]
    pub fn target(&self, resource_id: ResourceId, name: &str) -> Target {
        Target {
            resource_id,
            connection_id: self.connection_id,
            name: name.to_owned(),
            host: self.host().to_owned(),
            port: self.port,
            username: self.username.clone(),
            transport: "ssh".to_owned(),
            credential_id: Some(self.credential_id),
            credential_version: Some(1),
            host_keys: vec![self.host_key.clone()],
            guard_dir: Some(self.guard_dir().to_string_lossy().into_owned()),
            environment: EnvironmentClass::Test,
        }
    }

    /// How to log in.
    #[must_use]
    pub fn login(&self) -> Login {
        Login::Key(Secret::from(self.client_key.clone()))
    }

    /// A target of its own with the way to log in.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        let target = self.target(ResourceId::generate(), "loopback");
        Endpoint { target, login: Some(self.login()) }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Makes an Ed25519 key pair at `path` and gives the public line.
fn make_key(path: &Path) -> io::Result<String> {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .status()?;
    if !made.success() {
        return Err(Error::other("ssh-keygen failed"));
    }
    Ok(fs::read_to_string(path.with_extension("pub"))?.trim().to_owned())
}

fn said_by(command: &mut Command) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&command.output()?.stdout).trim().to_owned())
}

fn launch(dir: &Path, options: &Options) -> io::Result<(Child, u16)> {
    let mut last = Error::from(ErrorKind::AddrInUse);
    for _ in 0..PORT_TRIES {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        fs::write(dir.join("sshd_config"), config(dir, port, options))?;
        match listen(dir, port) {
            Ok(server) => return Ok((server, port)),
            Err(error) if error.kind() == ErrorKind::AddrInUse => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

fn config(dir: &Path, port: u16, options: &Options) -> String {
    let dir = dir.display();
    let Options { max_sessions, max_startups, path } = options;
    let path = path.as_ref().map_or_else(String::new, |path| format!("{}:", path.display()));
    let leniency = *LENIENCY;
    format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {dir}/host_key\nPidFile none\n\
         AuthorizedKeysFile {dir}/authorized_keys\nStrictModes no\nUsePAM no\nUseDNS no\n\
         PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         MaxStartups {max_startups}\nMaxSessions {max_sessions}\nLogLevel INFO\n\
         {leniency}\nSetEnv HOME={dir}/home PATH={path}{PATH}\n"
    )
}

/// Starts sshd and waits until it listens.
fn listen(dir: &Path, port: u16) -> io::Result<Child> {
    let mut server = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", SSHD, "-D", "-e", "-f"])
        .arg(dir.join("sshd_config"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let Some(stderr) = server.stderr.take() else {
        return Err(Error::other("sshd has no standard error"));
    };
    let mut said = BufReader::new(stderr);
    let mut log = String::new();
    loop {
        let before = log.len();
        if said.read_line(&mut log)? == 0 {
            server.wait()?;
            let taken = log.contains("Address already in use");
            let kind = if taken { ErrorKind::AddrInUse } else { ErrorKind::Other };
            return Err(Error::new(kind, format!("sshd did not start: {log}")));
        }
        if log.get(before..).is_some_and(|line| line.contains("Server listening")) {
            break;
        }
    }
    // Somebody has to read what it says, or it stops when the pipe is full.
    let path = dir.join(format!("sshd-{port}.log"));
    std::thread::spawn(move || io::copy(&mut said, &mut fs::File::create(path)?));
    Ok(server)
}

fn children_of(parent: u32) -> Vec<u32> {
    let parent = parent.to_string();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let child = |entry: io::Result<fs::DirEntry>| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, fields) = stat.rsplit_once(") ")?;
        (fields.split(' ').nth(1) == Some(&parent)).then_some(pid)
    };
    processes.filter_map(child).collect()
}

/// The sshd processes below `server`, not the steps they have started.
fn connections_of(server: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut parents = vec![server];
    while let Some(parent) = parents.pop() {
        for child in children_of(parent) {
            let name = fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
            if name.starts_with("sshd") {
                found.push(child);
                parents.push(child);
            }
        }
    }
    found
}

fn kill(process: u32) {
    if let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        // Fails only when it has ended before.
        kill_process(pid, Signal::KILL).ok();
    }
}
