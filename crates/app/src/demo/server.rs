//! The demo's own Countersign: `serve` as a child, on a data directory of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::directory::Directory;
use super::process::{Running, Start};
use super::programs::Programs;
use super::wait::until;
use crate::client::Client;

/// How long the first start may take: it makes a database cluster, on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long an orderly end may take.
const GRACE: Duration = Duration::from_secs(20);
/// How long an answer may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
/// What it says when it listens.
const LISTENS: &str = "countersign serves on ";
/// The name of the deployment, part of its audit log's.
pub(super) const DEPLOYMENT: &str = "demo";

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    /// Where it listens.
    pub(super) url: String,
    /// Its data directory.
    pub(super) data_dir: PathBuf,
    process: Running,
}

/// The arguments of `serve`.
pub(super) fn arguments(data_dir: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["serve".into(), "--data-dir".into(), data_dir.into()];
    let rest = ["--deployment", DEPLOYMENT, "--listen", "127.0.0.1:0"];
    // Short times: nobody wants to wait for a lease in a demo.
    let times = ["--lease-s", "3", "--poll-s", "0.5", "--grace-s", "3"];
    arguments.extend(rest.iter().chain(&times).map(OsString::from));
    arguments
}

impl Server {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready, with the end of its log.
    pub(super) async fn start(programs: &Programs, directory: &Directory) -> Result<Self> {
        let data_dir = directory.path().join("data");
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut process = Running::start(&Start {
            name: "countersign serve",
            setpriv: &programs.hosts.setpriv,
            at_our_death: "TERM",
            program: &program,
            arguments: &arguments(&data_dir),
            log: directory.path().join("serve.log"),
        })?;
        let url = until("the server listens", READY_WITHIN, async || {
            let said = process.said();
            let told = said.lines().find_map(|line| line.split_once(LISTENS));
            if let Some((_, url)) = told {
                return Ok(Some(url.trim().to_owned()));
            }
            process.check().map(|()| None)
        })
        .await?;
        let client = Client::new(&url, None, TIMEOUT)?;
        until("the server is ready", READY_WITHIN, async || {
            process.check()?;
            Ok(client.ready().await.is_ok_and(|(ready, _)| ready).then_some(()))
        })
        .await?;
        Ok(Self { url, data_dir, process })
    }

    /// The one-time password of the first start.
    ///
    /// # Errors
    /// When it is not where it should be.
    pub(super) async fn first_password(&self) -> Result<String> {
        let file = self.data_dir.join("first-password");
        let text = tokio::fs::read_to_string(&file).await;
        Ok(text.with_context(|| format!("cannot read {}", file.display()))?.trim().to_owned())
    }

    /// Ends it in order.
    pub(super) async fn end(self) {
        self.process.end(GRACE).await;
    }
}
