//! The demo's hosts: a real sshd each on loopback, with its own keys and home, and a service.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use super::directory;
use super::process::{Running, Start, free_port, is_free};
use super::programs::HostPrograms;
use super::wait::until;

const CONTROL: &str = include_str!("../../../../content/demo/host/service-control");
const SUPERVISOR: &str = include_str!("../../../../content/demo/host/service-supervisor");

/// The service every host runs.
pub(super) const SERVICE: &str = "shop";
/// The releases there are: version, share of errors, and the data it can read.
const RELEASES: [(&str, &str, &str); 2] = [("1.4", "0.002", "1"), ("1.5", "0.27", "2")];
/// The search path of sessions on a host.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
/// How often another port is tried when somebody else took the free one first.
const PORT_TRIES: usize = 20;
/// How long an sshd may take to listen, on a busy machine.
const UP_WITHIN: Duration = Duration::from_secs(20);
const GRACE: Duration = Duration::from_secs(3);

/// A host.
#[derive(Debug)]
pub(super) struct Host {
    /// What people call it.
    pub(super) name: String,
    /// Where its sshd listens.
    pub(super) port: u16,
    /// Where its service listens.
    pub(super) service_port: u16,
    /// Where its sshd listened before, when somebody else has that port now.
    pub(super) moved_from: Option<u16>,
    /// Its host key, as it is pinned.
    pub(super) host_key: String,
    /// The private key that may log in.
    pub(super) login_key: String,
    /// Who may log in.
    pub(super) username: String,
    dir: PathBuf,
    sshd: Running,
}

impl Host {
    /// Starts a host with its service.
    ///
    /// # Errors
    /// When OpenSSH or the service do not come up.
    pub(super) async fn start(programs: &HostPrograms, root: &Path, name: &str) -> Result<Self> {
        let host = Self::bring_up(programs, root, name).await?;
        host.control(&["start", SERVICE]).await?;
        Ok(host)
    }

    /// Starts a host, whose service is still down. Where it was before, it is again: with its keys,
    /// its state, and its ports if nobody else has them.
    ///
    /// # Errors
    /// When OpenSSH does not come up.
    pub(super) async fn bring_up(programs: &HostPrograms, root: &Path, name: &str) -> Result<Self> {
        let dir = root.join(name);
        directory::make(&dir.join("home"))?;
        let host_key = key(programs, &dir.join("host_key")).await?;
        let login_key = key(programs, &dir.join("login_key")).await?;
        directory::write(&dir.join("authorized_keys"), &login_key)?;
        let private = tokio::fs::read_to_string(dir.join("login_key")).await;
        install_programs(&dir)?;
        let service_port = install_service(&dir).await?;
        let before = kept_port(&dir.join("port"));
        let (sshd, port) = listen(programs, &dir, name, before).await?;
        directory::write(&dir.join("port"), &port.to_string())?;
        directory::write(&dir.join("host.pid"), &format!("{}\n", sshd.pid()))?;
        Ok(Self {
            name: name.to_owned(),
            port,
            service_port,
            moved_from: before.filter(|before| *before != port),
            host_key,
            login_key: private.context("cannot read a key just made")?,
            username: said_by(Command::new("id").arg("-un")).await?,
            dir,
            sshd,
        })
    }

    /// Whether its service was ever up.
    pub(super) fn served(&self) -> bool {
        self.dir.join("services").join(SERVICE).join("pid").exists()
    }

    /// Its control script.
    pub(super) fn control_path(&self) -> PathBuf {
        self.dir.join("bin/service-control")
    }

    /// Where the product keeps what it does on this host.
    pub(super) fn guard_dir(&self) -> PathBuf {
        self.dir.join("guard")
    }

    /// Uses the control script as somebody at the host's console would.
    ///
    /// # Errors
    /// When the script says no.
    pub(super) async fn control(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.control_path());
        said_by(command.args(arguments)).await.with_context(|| format!("on {}", self.name))
    }

    /// Kills the service, as a fault would; gives its process id.
    ///
    /// # Errors
    /// When it does not run, or does not die.
    pub(super) async fn break_service(&self) -> Result<u32> {
        self.control(&["is-active", SERVICE]).await?;
        let file = self.dir.join("services").join(SERVICE).join("pid");
        let pid: u32 = tokio::fs::read_to_string(&file).await?.trim().parse()?;
        let target = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
        let target = target.context("the service has no process id")?;
        rustix::process::kill_process(target, rustix::process::Signal::KILL)?;
        until("the service dies", GRACE, async || {
            Ok(self.control(&["is-active", SERVICE]).await.is_err().then_some(()))
        })
        .await?;
        Ok(pid)
    }

    /// Ends the service and the host.
    pub(super) async fn end(self) {
        if let Err(error) = self.control(&["stop", SERVICE]).await {
            tracing::warn!(host = self.name, %error, "the service could not be stopped");
        }
        self.sshd.end(GRACE).await;
    }
}

/// Gives the public line of an Ed25519 key pair, which is made where there is none.
async fn key(programs: &HostPrograms, path: &Path) -> Result<String> {
    let public = path.with_extension("pub");
    if !(path.exists() && public.exists()) {
        // Half of a pair is of no use, and in the way of a whole one.
        tokio::fs::remove_file(path).await.ok();
        tokio::fs::remove_file(&public).await.ok();
        let mut command = Command::new(&programs.ssh_keygen);
        command.args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(path);
        said_by(&mut command).await?;
    }
    Ok(tokio::fs::read_to_string(public).await?.trim().to_owned())
}

/// The port that stands in this file, if one does.
fn kept_port(file: &Path) -> Option<u16> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn install_programs(dir: &Path) -> Result<()> {
    let bin = dir.join("bin");
    directory::make(&bin)?;
    directory::write_program(&bin.join("service-control"), CONTROL)?;
    directory::write_program(&bin.join("service-supervisor"), SUPERVISOR)
}

/// Installs the service where there is none, stops what is left of one that was killed, and gives
/// the port it is to listen on.
async fn install_service(dir: &Path) -> Result<u16> {
    let service = dir.join("services").join(SERVICE);
    let port = service.join("port");
    if port.exists() {
        let mut stop = Command::new(dir.join("bin/service-control"));
        said_by(stop.args(["stop", SERVICE])).await?;
    } else {
        directory::make(&service.join("www"))?;
        for (version, errors, reads) in RELEASES {
            let release = service.join("releases").join(version);
            directory::make(&release)?;
            directory::write(&release.join("errors"), errors)?;
            directory::write(&release.join("reads"), reads)?;
        }
        let [(first, _, data), _] = RELEASES;
        for name in ["current", "previous", "latest"] {
            directory::write(&service.join(name), first)?;
        }
        directory::write(&service.join("data"), data)?;
        directory::write(&service.join("rotation"), "1")?;
    }
    let chosen = match kept_port(&port).filter(|port| is_free(*port)) {
        Some(kept) => kept,
        None => free_port()?,
    };
    directory::write(&port, &chosen.to_string())?;
    Ok(chosen)
}

async fn said_by(command: &mut Command) -> Result<String> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .await
        .with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        let (said, complained) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("{name} ended with {}: {said}{complained}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Starts sshd on its port of before, or on a free one, and waits until it listens.
async fn listen(
    programs: &HostPrograms,
    dir: &Path,
    name: &str,
    before: Option<u16>,
) -> Result<(Running, u16)> {
    let mut before = before.filter(|port| is_free(*port));
    // sshd run by root insists on its privilege separation directory; nobody else may make it.
    tokio::fs::create_dir_all("/run/sshd").await.ok();
    for _ in 0..PORT_TRIES {
        let port = match before.take() {
            Some(port) => port,
            None => free_port()?,
        };
        let configuration = dir.join("sshd_config");
        directory::write(&configuration, &config(dir, port))?;
        let arguments: [OsString; 4] =
            ["-D".into(), "-e".into(), "-f".into(), configuration.into_os_string()];
        let mut sshd = Running::start(&Start {
            name: &format!("the sshd of {name}"),
            setpriv: &programs.setpriv,
            at_our_death: "KILL",
            program: &programs.sshd,
            arguments: &arguments,
            log: dir.join("sshd.log"),
        })?;
        let up = until("sshd listens", UP_WITHIN, async || {
            if sshd.said().contains("Server listening") {
                return Ok(Some(()));
            }
            sshd.check().map(|()| None)
        })
        .await;
        match up {
            Ok(()) => return Ok((sshd, port)),
            Err(_) if sshd.said().contains("Address already in use") => sshd.end(GRACE).await,
            Err(error) => return Err(error),
        }
    }
    bail!("no port could be had for the sshd of {name}")
}

fn config(dir: &Path, port: u16) -> String {
    let dir = dir.display();
    format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {dir}/host_key\nPidFile none\n\
         AuthorizedKeysFile {dir}/authorized_keys\nStrictModes no\nUsePAM no\nUseDNS no\n\
         PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         LogLevel INFO\n\
         SetEnv HOME={dir}/home PATH={PATH} SERVICE_CONTROL={dir}/bin/service-control\n"
    )
}
