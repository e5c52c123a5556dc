//! The hosts: OpenSSH servers on loopback, and what each client needs to know of them.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use connect_ssh::testing::Sshd;
use serde_json::json;

use super::STEPS;
use crate::setting::Setting;

/// Running servers.
#[derive(Debug)]
pub(super) struct Hosts {
    pub(super) servers: Vec<Sshd>,
    dir: PathBuf,
}

impl Hosts {
    /// Starts so many.
    pub(super) fn start(setting: &Setting, count: usize) -> Result<Self> {
        let dir = setting.dir.join("hosts");
        fs::create_dir_all(&dir)?;
        let servers = (0..count).map(|_| Sshd::start()).collect::<Result<Vec<_>, _>>()?;
        let mut known = String::new();
        for server in &servers {
            writeln!(known, "[127.0.0.1]:{} {}", server.port(), server.host_key())?;
        }
        fs::write(dir.join("known_hosts"), known)?;
        fs::write(
            dir.join("ssh_config"),
            format!(
                "Host *\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile none\n  \
                 StrictHostKeyChecking yes\n  IdentitiesOnly yes\n  BatchMode yes\n  LogLevel ERROR\n",
                dir.join("known_hosts").display()
            ),
        )?;
        Ok(Self { servers, dir })
    }

    /// A file of the clients'.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// What asyncssh and our engine are told.
    pub(super) fn spec(&self, count: usize) -> Result<PathBuf> {
        let hosts: Vec<_> = self
            .servers
            .iter()
            .take(count)
            .map(|server| {
                json!({
                    "host": server.host(),
                    "port": server.port(),
                    "username": server.username(),
                    "key_file": server.dir().join("login_key"),
                    "host_key": server.host_key(),
                    "guard_dir": server.guard_dir(),
                })
            })
            .collect();
        let path = self.file(&format!("spec-{count}.json"));
        let spec = json!({"hosts": hosts, "known_hosts": self.file("known_hosts"), "steps": STEPS});
        fs::write(&path, spec.to_string())?;
        Ok(path)
    }

    /// Lines of `port user key` for the shell.
    pub(super) fn lines(&self, count: usize) -> Result<PathBuf> {
        let mut text = String::new();
        for server in self.servers.iter().take(count) {
            let key = server.dir().join("login_key");
            writeln!(text, "{} {} {}", server.port(), server.username(), key.display())?;
        }
        let path = self.file(&format!("lines-{count}"));
        fs::write(&path, text)?;
        Ok(path)
    }

    /// An inventory for ansible.
    pub(super) fn inventory(&self, count: usize) -> Result<PathBuf> {
        let mut text = String::new();
        for (at, server) in self.servers.iter().take(count).enumerate() {
            writeln!(
                text,
                "h{at} ansible_host=127.0.0.1 ansible_port={} ansible_user={} \
                 ansible_ssh_private_key_file={} ansible_python_interpreter=/usr/bin/python3",
                server.port(),
                server.username(),
                server.dir().join("login_key").display()
            )?;
        }
        let path = self.file(&format!("inventory-{count}"));
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Ends every connection; the servers go on.
    pub(super) fn cut(&self) {
        self.servers.iter().for_each(Sshd::cut_connections);
    }
}
