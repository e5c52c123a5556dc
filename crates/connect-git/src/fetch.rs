//! Fetching a branch: what it is at, and as much of it as is asked for.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use connect::Outbound;
use gix::ObjectId;
use gix::error::Class;
use gix::remote::fetch::{Shallow, Tags};
use gix::remote::ref_map;
use gix::remote::{Direction, fetch};
use gix_transport::Protocol;
use gix_transport::client::blocking_io::http::Transport;
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::Error;
use crate::copy::Copy;
use crate::source::Source;
use crate::wire::{Trouble, Wire};

/// What the fetched branch is called in a copy.
const HERE: &str = "refs/countersign/branch";

/// What a repository may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many bytes it may have, packed as it comes.
    pub packed_bytes: usize,
    /// How many bytes one object of it may have.
    pub object_bytes: usize,
    /// How many files may be looked at.
    pub files: usize,
    /// How many bytes may be read of them, together.
    pub read_bytes: usize,
    /// How long fetching may take.
    pub within: Duration,
}

impl Default for Limits {
    /// 256 MiB packed, 64 MiB an object, 50,000 files, 512 MiB read, five minutes: set by judgement.
    fn default() -> Self {
        Self {
            packed_bytes: 256 << 20,
            object_bytes: 64 << 20,
            files: 50_000,
            read_bytes: 512 << 20,
            within: Duration::from_secs(300),
        }
    }
}

/// What a branch is at: the id of a commit, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision(pub(crate) String);

impl Revision {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads repositories.
#[derive(Debug, Clone)]
pub struct Git {
    outbound: Outbound,
    limits: Limits,
}

/// Tells a fetch to stop when nobody waits for it any longer.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Git {
    /// Reads by this way out, within these limits.
    #[must_use]
    pub fn new(outbound: &Outbound, limits: Limits) -> Self {
        Self { outbound: outbound.limited(limits.within, limits.packed_bytes), limits }
    }

    /// What the branch is at, without fetching it.
    ///
    /// # Errors
    /// When it cannot be asked, or has no such branch.
    pub async fn tip(&self, source: &Source) -> Result<Revision, Error> {
        let fetch = Fetch::new(self, source);
        self.apart(move |_| fetch.tip()).await
    }

    /// The branch with its last `commits` commits, in a directory that goes with the copy.
    ///
    /// # Errors
    /// When it cannot be fetched or is larger than allowed; then nothing of it is kept.
    pub async fn fetch(&self, source: &Source, commits: NonZeroU32) -> Result<Copy, Error> {
        let fetch = Fetch::new(self, source);
        self.apart(move |stop| fetch.copy(commits, stop)).await
    }

    /// Does what waits on a thread that may, within the limit of time.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AtomicBool) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = StopOnDrop(Arc::clone(&stop));
        let work = tokio::task::spawn_blocking(move || work(&stop));
        let done = tokio::time::timeout(self.limits.within, work).await;
        drop(stopping);
        match done {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => {
                tracing::error!(%error, "reading a repository was given up");
                Err(Error::Malformed { what: "reading it" })
            }
            Err(_) => Err(Error::TooSlow { seconds: self.limits.within.as_secs() }),
        }
    }
}

/// One fetch.
struct Fetch {
    source: Source,
    limits: Limits,
    wire: Wire,
    trouble: Trouble,
}

impl Fetch {
    fn new(git: &Git, source: &Source) -> Self {
        let wire = Wire::new(git.outbound.clone(), Handle::current(), source.login.as_ref());
        Self { source: source.clone(), limits: git.limits, trouble: wire.trouble(), wire }
    }

    /// What went wrong: what the wire noted, and else that git could not do `what`.
    fn failed(&self, what: &'static str, error: &gix::Error) -> Error {
        if let Some(known) = self.trouble.take() {
            return known;
        }
        if matches!(error.dominant_class(), Some(Class::ResourceExhaustion(_))) {
            return Error::TooLarge { most: self.limits.object_bytes, of: "bytes in one object" };
        }
        // git's errors name addresses and what a stranger sent: shortened, and for whoever looks.
        let told: String = error.to_string().chars().take(500).collect();
        tracing::debug!(error = told, what, "a repository cannot be read");
        Error::Malformed { what }
    }

    fn room(&self) -> Result<(TempDir, gix::ThreadSafeRepository), Error> {
        let room = tempfile::Builder::new().prefix("countersign-git-").tempdir();
        let room = room.map_err(Error::Room)?;
        let options = gix::open::Options::isolated().strict_config(true).config_overrides([
            format!("gitoxide.objects.allocLimit={}", self.limits.object_bytes),
            "core.logAllRefUpdates=false".to_owned(),
            "pack.threads=1".to_owned(),
        ]);
        let (kind, plain) = (gix::create::Kind::Bare, gix::create::Options::default());
        let repository = gix::ThreadSafeRepository::init_opts(room.path(), kind, plain, options)
            .map_err(|error| Error::Room(std::io::Error::other(error.to_string())))?;
        Ok((room, repository))
    }

    fn remote<'r>(&self, repository: &'r gix::Repository) -> Result<gix::Remote<'r>, Error> {
        let spec = format!("+{}:{HERE}", self.source.reference());
        let remote = repository
            .remote_at_without_url_rewrite(self.source.url.as_str())
            .map(|remote| remote.with_fetch_tags(Tags::None));
        let remote = remote.and_then(|remote| remote.with_refspecs([&*spec], Direction::Fetch));
        remote.map_err(|error| self.failed("reading its address", &error))
    }

    fn transport(&self) -> Result<Transport<Wire>, Error> {
        let url = gix::url::parse(self.source.url.as_bytes())
            .map_err(|error| self.failed("reading its address", &error))?;
        Ok(Transport::new_http(self.wire.clone(), url, Protocol::V2, false))
    }

    fn tip(&self) -> Result<Revision, Error> {
        let (_room, repository) = self.room()?;
        let repository = repository.to_thread_local();
        let remote = self.remote(&repository)?;
        let connection =
            remote.to_connection_with_transport(self.transport()?).with_credentials(|_| Ok(None));
        let asked = connection.ref_map(gix::progress::Discard, ref_map::Options::default());
        let (found, _) = asked.map_err(|error| self.failed("asking for its branches", &error))?;
        let at = found.mappings.iter().find_map(|mapping| mapping.remote.as_id());
        at.map(|id| Revision(id.to_string())).ok_or_else(|| self.no_branch())
    }

    fn copy(&self, commits: NonZeroU32, stop: &AtomicBool) -> Result<Copy, Error> {
        let (room, shared) = self.room()?;
        let repository = shared.to_thread_local();
        let remote = self.remote(&repository)?;
        let connection =
            remote.to_connection_with_transport(self.transport()?).with_credentials(|_| Ok(None));
        let prepared =
            connection.prepare_fetch(gix::progress::Discard, ref_map::Options::default());
        let prepared = prepared.map_err(|error| self.failed("asking for its branches", &error))?;
        if prepared.ref_map().mappings.is_empty() {
            return Err(self.no_branch());
        }
        let received = prepared
            .with_shallow(Shallow::DepthAtRemote(commits))
            .receive(gix::progress::Discard, stop);
        let received = received.map_err(|error| self.failed("unpacking it", &error))?;
        let tip = tip_of(&received).ok_or_else(|| self.no_branch())?;
        Ok(Copy::new(room, shared, tip, self.limits))
    }

    fn no_branch(&self) -> Error {
        let branch = self.source.branch.clone().unwrap_or_else(|| "HEAD".to_owned());
        Error::NoBranch { branch }
    }
}

fn tip_of(received: &fetch::Outcome) -> Option<ObjectId> {
    let mut mappings = received.ref_map.mappings.iter();
    mappings.find_map(|mapping| mapping.remote.as_id()).map(Into::into)
}
