//! One step: a process of its own group, ended when it takes too long.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use crate::Error;

/// The most that is read of what a step tells, in bytes.
const MOST_BYTES: u64 = 1 << 30;
/// How much of what a failed step told is kept, in characters.
const KEPT: usize = 4_000;

/// What a step told.
#[derive(Debug)]
pub struct Output {
    /// On its standard output.
    pub text: String,
}

pub(crate) struct Step<'s> {
    pub(crate) program: &'s Path,
    pub(crate) name: &'s str,
    pub(crate) arguments: &'s [&'s str],
    pub(crate) directory: &'s Path,
    pub(crate) environment: &'s BTreeMap<OsString, OsString>,
    pub(crate) limit: Duration,
}

/// Ends a whole group of processes when it goes out of scope: a provider outlives its Terraform.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let group = self.0.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = group.and_then(rustix::process::Pid::from_raw) {
            // It may have ended by itself.
            let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

pub(crate) async fn run(step: &Step<'_>) -> Result<Output, Error> {
    let child = Command::new(step.program)
        .args(step.arguments)
        .current_dir(step.directory)
        .env_clear()
        .envs(step.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| Error::Start { program: step.program.to_owned(), source })?;
    let mut group = Group(child);
    let (stdout, stderr) = (group.0.stdout.take(), group.0.stderr.take());
    let work = async {
        let (text, told) = tokio::try_join!(read(stdout), read(stderr))?;
        Ok::<_, std::io::Error>((text, told, group.0.wait().await?))
    };
    let name = || step.name.to_owned();
    let (text, told, status) = tokio::time::timeout(step.limit, work)
        .await
        .map_err(|_| Error::TooSlow { step: name(), limit: step.limit })?
        .map_err(|source| Error::Start { program: step.program.to_owned(), source })?;
    let too_much = |bytes: &[u8]| bytes.len() as u64 > MOST_BYTES;
    if too_much(&text) || too_much(&told) {
        let most_mib = usize::try_from(MOST_BYTES >> 20).unwrap_or(usize::MAX);
        return Err(Error::TooMuch { step: name(), most_mib });
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    if status.success() {
        return Ok(Output { text });
    }
    let told = String::from_utf8_lossy(&told);
    let told = told.trim();
    let skipped = told.chars().count().saturating_sub(KEPT);
    Err(Error::Failed { step: name(), told: told.chars().skip(skipped).collect() })
}

async fn read(from: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, std::io::Error> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(MOST_BYTES + 1).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
