//! `audit witness`: a witness of logs, beside no deployment of its own.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use prove::directory::Directory;
use prove::keys::{Keyring, SigningKey};
use prove::witness::{Logs, Witness as TheWitness};
use tokio::net::TcpListener;

use crate::cli::{Context, End};
use crate::output;
use crate::serve::stop_on_signals;
use crate::wiring::SystemClock;

/// Which logs to watch, and where to remember them.
#[derive(Debug, Args)]
pub struct Witness {
    /// Where its key and what it cosigned are kept; made at the first start
    #[arg(long, env = "COUNTERSIGN_WITNESS_DIR", value_name = "DIR")]
    state: PathBuf,

    /// What it calls itself, best as an address without `https://`; cannot be changed later
    #[arg(long, env = "COUNTERSIGN_WITNESS_NAME", value_name = "NAME")]
    name: String,

    /// The keys of the logs it watches: lines of the files `DATA_DIR/signer/*/*/policy` of the
    /// deployments; read again at every call
    #[arg(long, env = "COUNTERSIGN_WITNESS_LOGS", value_name = "FILE")]
    logs: PathBuf,

    /// Where to listen
    #[arg(
        long,
        env = "COUNTERSIGN_WITNESS_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8090"
    )]
    listen: SocketAddr,

    /// Print its key, and do nothing else
    #[arg(long)]
    print_key: bool,
}

impl Witness {
    /// Answers until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When its state cannot be used, or it cannot listen.
    pub async fn run(self, _context: &Context) -> Result<End> {
        let state = Directory::new(std::path::absolute(&self.state)?);
        let key = key(&state)?;
        let logs = std::path::absolute(&self.logs)?;
        let (Some(directory), Some(file)) = (logs.parent(), logs.file_name()) else {
            bail!("{} is no file", self.logs.display());
        };
        let file = file.to_str().context("the name of the list of logs is no UTF-8")?.to_owned();
        let logs = Logs { directory: Directory::new(directory), file };
        let witness = TheWitness::new(key, &self.name, logs, state.below("logs"))?;
        if self.print_key {
            output::result(&witness.key().to_string());
            return Ok(End::Good);
        }
        let _alone = alone(&state)?;
        let stop = stop_on_signals()?;
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("cannot listen on {}", self.listen))?;
        output::note(&format!("the witness's key is {}", witness.key()));
        output::note(&format!("the witness answers on http://{}", listener.local_addr()?));
        let (witness, clock) = (Arc::new(witness), Arc::new(SystemClock));
        prove::witness::api::serve(listener, witness, clock, stop.cancelled_owned())
            .await
            .context("the listener failed")?;
        Ok(End::Good)
    }
}

/// Its key, made where there is none.
fn key(state: &Directory) -> Result<SigningKey> {
    let keys = Keyring::open_or_create(&state.below("keys")).context("the witness's key")?;
    Ok(keys.into_newest())
}

/// Takes the state for this process alone: two witnesses of one key could cosign what contradicts.
fn alone(state: &Directory) -> Result<File> {
    let path = state.path().join("lock");
    let file = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    file.try_lock().with_context(|| format!("another witness uses {}", state.path().display()))?;
    Ok(file)
}
