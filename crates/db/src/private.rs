//! The private PostgreSQL: found, initialised, started, watched over and stopped by this program.
//!
//! It listens on a Unix socket in its own data directory and nowhere else. One process at a time
//! serves a data directory (a lock says which); the postmaster is its child and dies with it; a
//! postmaster that dies is restarted. Either may be killed at any moment: the next start clears
//! away what is left, and PostgreSQL recovers every committed transaction.

mod binaries;
mod cluster;
mod layout;
mod lock;
mod privilege;
mod report;
mod supervise;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error as DatabaseError;
use crate::migrate;

pub use binaries::{Installation, Unusable};
pub use report::{Problem, Report, examine};

use cluster::Cluster;
use layout::Layout;
use lock::DataLock;
use supervise::Supervisor;

/// How long a first start may take: it may recover a large log, on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// Where and how to run the private server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory of this program; the cluster lives in it.
    pub data_dir: PathBuf,
    /// Where `postgres` and `initdb` are, when not where we would look.
    pub bin_dir: Option<PathBuf>,
    /// The search path of this process, `PATH`.
    pub search_path: Option<std::ffi::OsString>,
    /// `max_connections` of the server.
    pub max_connections: u32,
    /// Further settings of the server, as `-c name=value`.
    pub settings: Vec<(String, String)>,
}

impl Options {
    /// The usual options for a data directory.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bin_dir: None,
            search_path: None,
            max_connections: 100,
            settings: Vec::new(),
        }
    }
}

/// Why the private server cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process serves this data directory.
    #[error("another countersign serves this data directory{}", pid.map_or_else(String::new, |pid| format!(" (pid {pid})")))]
    Served {
        /// Which.
        pid: Option<u32>,
    },
    /// No PostgreSQL that can be used.
    #[error("no usable PostgreSQL was found: {tried}; {remedy}")]
    NoServer {
        /// What was looked at, and what is wrong with it.
        tried: String,
        /// What to do.
        remedy: String,
    },
    /// The path of the socket is longer than the system takes.
    #[error(
        "the socket path {} has {length} bytes and {} is most: choose a shorter data directory",
        path.display(), layout::MAX_SOCKET_PATH
    )]
    PathTooLong {
        /// The path.
        path: PathBuf,
        /// Its length.
        length: usize,
    },
    /// Root cannot run PostgreSQL, and no other way was found.
    #[error("{what}; {remedy}")]
    Privileges {
        /// What stands in the way.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The data directory holds something else, or lacks a part.
    #[error("{what}; {remedy}")]
    Directory {
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// A file or directory could not be handled.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was to be done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// In the system's words.
        #[source]
        source: std::io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed: {output}")]
    Init {
        /// What it said.
        output: String,
    },
    /// The server ended before it was ready, or did not become ready.
    #[error("the private server {what}; the end of {}:\n{tail}", log.display())]
    Start {
        /// What happened.
        what: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// Processes of an earlier run do not end.
    #[error("processes of an earlier run still use {}: {pids:?}", path.display())]
    Occupied {
        /// The data directory of the cluster.
        path: PathBuf,
        /// Their ids.
        pids: Vec<u32>,
    },
    /// Roles, database or migrations could not be made.
    #[error("the private server runs but cannot be prepared")]
    Prepare(#[source] DatabaseError),
}

/// A running private server; stopped by [`PrivateServer::stop`], or when dropped.
pub struct PrivateServer {
    supervisor: Supervisor,
    url: String,
    admin_url: String,
    log: PathBuf,
}

impl fmt::Debug for PrivateServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateServer").field("pid", &self.postmaster()).finish_non_exhaustive()
    }
}

/// The connection strings of a data directory: the application's and the administrator's.
///
/// # Errors
/// When no server was ever prepared there.
pub fn urls(data_dir: &Path) -> Result<(String, String), Error> {
    let layout = Layout::of(data_dir)?;
    let passwords = layout.read_passwords()?.ok_or_else(|| Error::Directory {
        what: format!("{} holds no private server yet", data_dir.display()),
        remedy: "start `countersign serve` once".to_owned(),
    })?;
    Ok(layout.urls(&passwords))
}

impl PrivateServer {
    /// Starts the server of a data directory, initialising it the first time, and brings its
    /// roles and schema up to date.
    ///
    /// # Errors
    /// When another process serves the directory, no PostgreSQL can be used, or it does not start.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let prepared = tokio::task::spawn_blocking(move || prepare(&options)).await;
        let (layout, cluster, lock, passwords) =
            prepared.map_err(|error| Error::Prepare(DatabaseError::internal(error)))??;
        let log = layout.log();
        let (url, admin_url) = layout.urls(&passwords);
        let supervisor = Supervisor::start(cluster, lock)?;
        let server = Self { supervisor, url, admin_url, log };
        server.ready().await?;
        prepare_database(&server.admin_url, &passwords.app).await.map_err(Error::Prepare)?;
        Ok(server)
    }

    /// The application's connection string.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The administrator's connection string.
    #[must_use]
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// The server's log.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The process id of the postmaster, while there is one.
    #[must_use]
    pub fn postmaster(&self) -> Option<u32> {
        self.supervisor.postmaster()
    }

    /// How often the postmaster was started.
    #[must_use]
    pub fn starts(&self) -> u64 {
        self.supervisor.starts()
    }

    /// Waits until the server takes connections.
    ///
    /// # Errors
    /// When it does not in time, or gives up.
    pub async fn ready(&self) -> Result<(), Error> {
        let what = match tokio::time::timeout(READY_WITHIN, self.supervisor.ready()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(what)) => what,
            Err(_) => "is not ready in time".to_owned(),
        };
        self.supervisor.request_stop();
        Err(Error::Start { what, log: self.log.clone(), tail: cluster::tail(&self.log) })
    }

    /// Stops the server, without waiting for its clients, and gives the data directory free.
    pub async fn stop(self) {
        self.supervisor.stop().await;
    }
}

type Prepared = (Layout, Cluster, DataLock, layout::Passwords);

fn prepare(options: &Options) -> Result<Prepared, Error> {
    let layout = Layout::create(&options.data_dir)?;
    let lock = DataLock::take(&layout)?;
    let installations = binaries::find(options.bin_dir.as_deref(), options.search_path.as_deref());
    let installation = binaries::choose(&installations, layout.cluster_version()?)?;
    let privilege = privilege::settle(&layout, installation)?;
    let passwords = layout.passwords()?;
    let cluster = Cluster::new(&layout, installation, privilege, options);
    cluster.initialise(&passwords.admin)?;
    Ok((layout, cluster, lock, passwords))
}

async fn prepare_database(admin_url: &str, app_password: &str) -> Result<(), DatabaseError> {
    cluster::create_database(admin_url).await?;
    migrate::roles(admin_url, app_password).await?;
    let migrated = migrate::run(admin_url).await?;
    if migrated.from != migrated.to {
        tracing::info!(from = migrated.from, to = migrated.to, "the schema was migrated");
    }
    Ok(())
}
