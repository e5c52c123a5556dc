//! Those who do the same, each as a process whose every child is counted.

use std::path::Path;

use anyhow::Result;
use serde::Deserialize;

use super::hosts::Hosts;
use super::{Once, STEPS};
use crate::process::{Taken, cpu_of_children, metered};
use crate::setting::Setting;

async fn timed(
    setting: &Setting,
    command: &[String],
    environment: &[(String, String)],
) -> Result<(Once, Taken)> {
    let before = cpu_of_children("sshd");
    let taken = metered(setting, command, environment).await?;
    let sshd = cpu_of_children("sshd") - before;
    Ok((Once { wall: taken.wall, cpu: taken.cpu, sshd }, taken))
}

fn word(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// What a program says of itself, in seconds.
#[derive(Deserialize)]
struct Own {
    wall: f64,
    cpu: f64,
}

/// What it says of itself, and the whole process.
async fn both(setting: &Setting, command: &[String]) -> Result<(Once, Once)> {
    let (outer, taken) = timed(setting, command, &[]).await?;
    let inner: Own = serde_json::from_str(taken.said.trim())?;
    Ok((Once { wall: inner.wall, cpu: inner.cpu, sshd: outer.sshd }, outer))
}

/// Our engine alone.
pub(super) async fn engine(setting: &Setting, spec: &Path) -> Result<(Once, Once)> {
    both(setting, &[word(&setting.own), "engine".to_owned(), word(spec)]).await
}

pub(super) async fn asyncssh(setting: &Setting, spec: &Path) -> Result<(Once, Once)> {
    let python = word(&setting.venv.join("bin/python"));
    both(setting, &[python, word(&setting.peers.join("asyncssh_steps.py")), word(spec)]).await
}

pub(super) async fn openssh(setting: &Setting, hosts: &Hosts, count: usize) -> Result<Once> {
    let sockets = hosts.file("cm");
    std::fs::create_dir_all(&sockets)?;
    let mut command = vec![
        word(&setting.peers.join("openssh_steps.sh")),
        word(&hosts.lines(count)?),
        word(&hosts.file("ssh_config")),
        word(&sockets),
    ];
    command.extend(STEPS.map(str::to_owned));
    Ok(timed(setting, &command, &[]).await?.0)
}

pub(super) async fn ansible(setting: &Setting, hosts: &Hosts, count: usize) -> Result<Once> {
    let home = hosts.file("ansible");
    std::fs::create_dir_all(&home)?;
    // Nobody's own configuration.
    let config = hosts.file("ansible.cfg");
    std::fs::write(&config, "[defaults]\n")?;
    let command = [
        word(&setting.venv.join("bin/ansible-playbook")),
        "--forks".to_owned(),
        count.to_string(),
        "--inventory".to_owned(),
        word(&hosts.inventory(count)?),
        word(&setting.peers.join("steps.yml")),
    ];
    let ssh = format!(
        "-F {} -o ControlMaster=auto -o ControlPersist=60s",
        word(&hosts.file("ssh_config"))
    );
    let environment = [
        ("ANSIBLE_HOME", word(&home)),
        ("ANSIBLE_CONFIG", word(&config)),
        ("ANSIBLE_PIPELINING", "True".to_owned()),
        ("ANSIBLE_SSH_ARGS", ssh),
        ("ANSIBLE_SSH_CONTROL_PATH_DIR", word(&hosts.file("cm"))),
        ("LC_ALL", "C.UTF-8".to_owned()),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value));
    Ok(timed(setting, &command, &environment).await?.0)
}
