//! The demo's hosts beside a server that is being tried out: brought up with it, ended with it, and
//! the same again when it is started again.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use server::demo::DemoEstate;

use super::estate::Estate;
use super::hosts::{Host, SERVICE};
use super::programs::{self, HostPrograms};
use crate::config::{Role, Serve};
use crate::output;

/// Where they are kept, below the server's data directory.
const DIRECTORY: &str = "demo-estate";

/// What it takes to bring them up, at hand before anything is begun.
#[derive(Debug)]
pub(crate) struct Means {
    programs: HostPrograms,
    root: PathBuf,
}

impl Means {
    /// Those of a server that is asked to.
    ///
    /// # Errors
    /// When the server may be reached from elsewhere or answers nobody, or programs are missing.
    pub(crate) fn of(serve: &Serve) -> Result<Option<Self>> {
        if !serve.demo_estate {
            return Ok(None);
        }
        // Whoever may change the estate is told keys that log in as this very account.
        if !serve.listen.ip().is_loopback() || !serve.trusted_proxies.is_empty() {
            bail!(
                "--demo-estate gives administrators of the API a login of this account on this \
                 machine: it is for a server on a loopback address, without proxies"
            );
        }
        if serve.role == Role::Worker {
            bail!("--demo-estate is for a process that answers requests, not for --role worker");
        }
        let data_dir = std::path::absolute(&serve.place.data_dir)?;
        Ok(Some(Self { programs: programs::of_hosts()?, root: data_dir.join(DIRECTORY) }))
    }

    /// Brings them up. The first one's service is down until something starts it, which is what the
    /// alert that goes with them says; afterwards all come up with their services.
    ///
    /// # Errors
    /// When a host does not come up.
    pub(crate) async fn bring_up(self) -> Result<Beside> {
        let Self { programs, root } = self;
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&root);
        made.with_context(|| format!("cannot make {}", root.display()))?;
        let mut beside = Beside { estate: Estate::shipped()?, hosts: Vec::new() };
        match beside.start(&programs, &root).await {
            Ok(()) => Ok(beside),
            Err(error) => {
                beside.end().await;
                Err(error.context("the demo's estate"))
            }
        }
    }
}

/// The hosts, running.
#[derive(Debug)]
pub(crate) struct Beside {
    estate: Estate,
    hosts: Vec<Host>,
}

impl Beside {
    async fn start(&mut self, programs: &HostPrograms, root: &Path) -> Result<()> {
        for name in self.estate.servers() {
            let host = Host::bring_up(programs, root, name).await?;
            if let Some(before) = host.moved_from {
                output::note(&format!(
                    "port {before} is somebody else's now: the sshd of {name} listens on {}; \
                     change the connection to it",
                    host.port
                ));
            }
            let first = self.hosts.is_empty();
            let served = host.served();
            // In the list before anything else can fail: whatever is there is ended.
            self.hosts.push(host);
            if let Some(host) = self.hosts.last().filter(|_| served || !first) {
                host.control(&["start", SERVICE]).await?;
            }
        }
        Ok(())
    }

    /// What is told of them.
    ///
    /// # Errors
    /// When what is shipped is damaged.
    pub(crate) fn told(&self) -> Result<DemoEstate> {
        Ok(DemoEstate::of(self.estate.told(&self.hosts)?))
    }

    /// Ends them and their services.
    pub(crate) async fn end(self) {
        futures::future::join_all(self.hosts.into_iter().map(Host::end)).await;
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn means(more: &[&str]) -> Result<Option<Means>> {
        let given = ["countersign", "serve"].iter().chain(more);
        let Command::Serve(serve) = Cli::try_parse_from(given).unwrap().command else {
            panic!("it is another command");
        };
        Means::of(&serve)
    }

    #[test]
    fn hosts_of_this_account_are_for_a_server_that_only_this_machine_reaches() {
        assert!(means(&["--listen", "0.0.0.0:8080"]).unwrap().is_none());
        for (more, word) in [
            (&["--listen", "0.0.0.0:8080"][..], "loopback"),
            (&["--listen", "[::]:8080"], "loopback"),
            (&["--listen", "192.0.2.1:8080"], "loopback"),
            (&["--trusted-proxy", "10.0.0.0/8"], "proxies"),
            (&["--role", "worker"], "--role worker"),
        ] {
            let error = means(&[&["--demo-estate"], more].concat()).unwrap_err().to_string();
            assert!(error.contains(word), "{more:?}: {error}");
        }
        let means = means(&["--demo-estate", "--data-dir", "var"]).unwrap().expect("sshd is here");
        assert!(means.root.is_absolute() && means.root.ends_with("var/demo-estate"));
    }

    #[test]
    fn what_is_shipped_can_be_told() {
        let estate = Estate::shipped().unwrap();
        assert_eq!(estate.servers().collect::<Vec<_>>(), ["web-1", "web-2", "web-3"]);
        assert!(estate.told(&[]).is_err_and(|error| error.to_string().contains("web-1")));
    }
}
