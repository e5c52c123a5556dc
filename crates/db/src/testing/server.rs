//! The throwaway server the tests run on.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::TestDb;
use crate::private::{Options, PrivateServer};

/// Before the process id in the name of a throwaway server's directory.
const PREFIX: &str = "countersign-test-";

/// Durability is for servers whose data is worth something.
const CARELESS: [(&str, &str); 4] = [
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("max_wal_size", "4GB"),
];

/// A crash of PostgreSQL keeps what was committed; only one of the machine would not.
const STURDY: [(&str, &str); 2] = [("fsync", "off"), ("max_wal_size", "4GB")];

/// The superuser's connection string of the server the tests run on.
pub(super) async fn admin_url() -> String {
    static OURS: OnceLock<TestServer> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "the harness is told by the environment alone")]
    let given = std::env::var("COUNTERSIGN_TEST_ADMIN_URL").ok().filter(|url| !url.is_empty());
    if let Some(url) = given {
        return url;
    }
    // Several tests of one process may get here at once; the start must not block their runtimes.
    tokio::task::spawn_blocking(|| OURS.get_or_init(TestServer::start_blocking).admin_url.clone())
        .await
        .expect("the throwaway server starts")
}

/// A throwaway server, in memory where that is possible. It ends with this value, or with the
/// process, however that ends; the directory of a killed process is removed by the next one.
#[derive(Debug)]
pub struct TestServer {
    server: Option<PrivateServer>,
    dir: PathBuf,
    admin_url: String,
}

impl TestServer {
    /// Starts one.
    ///
    /// # Panics
    /// When it does not start: no test can go on.
    pub async fn start() -> Self {
        Self::start_with(&CARELESS, None).await
    }

    /// Starts one that may be broken: what it has committed outlives its processes.
    ///
    /// # Panics
    /// As [`TestServer::start`].
    pub async fn sturdy() -> Self {
        Self::start_with(&STURDY, None).await
    }

    /// As [`TestServer::sturdy`], with the programs of this directory.
    ///
    /// # Panics
    /// As [`TestServer::start`].
    pub async fn sturdy_of(bin_dir: PathBuf) -> Self {
        Self::start_with(&STURDY, Some(bin_dir)).await
    }

    async fn start_with(settings: &[(&str, &str)], bin_dir: Option<PathBuf>) -> Self {
        let dir = prepare_dir();
        let access = write_access_rules(&dir);
        let mut options = Options::new(&dir);
        options.max_connections = 400;
        #[expect(
            clippy::disallowed_methods,
            reason = "the harness is told by the environment alone"
        )]
        let search_path = std::env::var("PATH").ok();
        options.search_path = search_path.map(Into::into);
        options.bin_dir = bin_dir;
        options.settings =
            settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        options.settings.push(("hba_file".to_owned(), access.to_string_lossy().into_owned()));
        let server = PrivateServer::start(options)
            .await
            .unwrap_or_else(|error| panic!("no throwaway server: {error:?}"));
        let admin_url = server.admin_url().to_owned();
        Self { server: Some(server), dir, admin_url }
    }

    fn start_blocking() -> Self {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime is to be had")
            .block_on(Self::start())
    }

    /// The superuser's connection string.
    #[must_use]
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// A fresh migrated database on it, with one tenant. It must go before the server does.
    ///
    /// # Panics
    /// When there is none to be had.
    pub async fn database(&self) -> TestDb {
        super::database_on(&self.admin_url, super::CONNECTIONS).await
    }

    /// The process id of the postmaster, while there is one.
    #[must_use]
    pub fn postmaster(&self) -> Option<u32> {
        self.server.as_ref().and_then(PrivateServer::postmaster)
    }

    /// How often the postmaster was started: it is started again when it ends by itself.
    #[must_use]
    pub fn starts(&self) -> u64 {
        self.server.as_ref().map_or(0, PrivateServer::starts)
    }

    /// Waits until it takes connections.
    ///
    /// # Panics
    /// When it does not any more.
    pub async fn ready(&self) {
        if let Some(server) = &self.server {
            server.ready().await.unwrap_or_else(|error| panic!("the server is gone: {error:?}"));
        }
    }

    /// Stops it and removes its directory.
    pub async fn stop(mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        drop(std::fs::remove_dir_all(&self.dir));
    }
}

/// Lets in whoever can reach the socket: proving a password costs each connection several
/// milliseconds, and one that a test abandons half-way would hold up the drop of its database.
fn write_access_rules(dir: &Path) -> PathBuf {
    std::fs::create_dir_all(dir).expect("the directory is made");
    let path = dir.join("access.conf");
    std::fs::write(&path, "local all all trust\n").expect("the rules are written");
    path
}

/// A fresh directory, after removing those of processes that are no more.
fn prepare_dir() -> PathBuf {
    let parent = Path::new("/dev/shm");
    let in_memory =
        parent.is_dir() && rustix::fs::access(parent, rustix::fs::Access::WRITE_OK).is_ok();
    let parent = if in_memory { parent.to_owned() } else { std::env::temp_dir() };
    for entry in std::fs::read_dir(&parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
    let unique = uuid::Uuid::now_v7().simple().to_string();
    parent.join(format!("{PREFIX}{}-{}", std::process::id(), &unique[20..]))
}
