//! `countersign serve`: one process of the service, from its first line to its last.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use server::hosts;
use server::login::setup;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{Role, Serve};
use crate::demo::beside::Means;
use crate::{output, wiring};

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When something it needs cannot be had, with what to do about it.
pub async fn run(serve: Serve) -> Result<()> {
    keep_memory_to_oneself();
    if let Some(point) = &serve.failpoint {
        db::failpoint::arm(point);
    }
    let stop = stop_on_signals()?;
    let listener = TcpListener::bind(serve.listen)
        .await
        .with_context(|| format!("cannot listen on {}", serve.listen))?;
    let means = Means::of(&serve)?;
    let database = wiring::database(&serve.place, serve.db_connections).await?;
    let (mut parts, known) = wiring::parts(&serve, &database.db)?;
    let kept = serve.place.data_dir.join("first-password");
    let first = setup::first_start(&database.db, |password| keep_password(&kept, password))
        .await
        .map_err(|problem| anyhow::anyhow!("the first start: {}", problem.detail))?;
    hosts::join(&database.db, &known).await.context("this host may not serve")?;
    let beside = match means {
        Some(means) => Some(Box::pin(means.bring_up()).await?),
        None => None,
    };
    if let Some(beside) = &beside {
        parts.demo = beside.told()?;
    }
    if let Some(password) = &first.one_time_password {
        output::note(&format!(
            "first start: log in as `{}` with the one-time password {password}\n\
             (also in {}; it must be changed at the first login)",
            setup::ADMIN,
            kept.display()
        ));
    }
    let address = listener.local_addr()?;
    output::note(&format!("countersign serves on http://{address}"));
    if serve.role != Role::Worker {
        // The last line before the log: where to go, and how to get in.
        let way_in = first.one_time_password.map_or_else(
            || "sign in with your account".to_owned(),
            |password| format!("sign in as {} with {password} (must be changed)", setup::ADMIN),
        );
        output::note(&format!("Countersign: http://{address} — {way_in}"));
    }
    let served = server::serve::serve(parts, listener, stop).await;
    if let Some(beside) = beside {
        beside.end().await;
    }
    database.db.close().await;
    if let Some(private) = database.private {
        private.stop().await;
    }
    served.context("the listener failed")
}

/// No core dump and no debugger of the same user sees what this process holds in memory.
fn keep_memory_to_oneself() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "core dumps of this process could hold secrets");
    }
}

/// A token that is cancelled by SIGTERM or SIGINT.
pub(crate) fn stop_on_signals() -> Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let token = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    });
    Ok(stop)
}

/// Keeps the first password for its owner alone to read.
fn keep_password(path: &Path, password: &str) -> io::Result<()> {
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{password}")?;
    file.sync_all()
}
