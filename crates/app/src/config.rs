//! Configuration: flags first, then the environment, then what works without either.

mod audit;
mod keys;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

pub use audit::Audit;
pub use keys::{Calls, Keys};

/// Where a deployment keeps its state, and which database it uses.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Where state is kept: the private database, evidence, keys, the audit log's tiles
    /// [default: /var/lib/countersign for root, else the XDG data directory]
    #[arg(long, env = "COUNTERSIGN_DATA_DIR", value_name = "DIR", hide_default_value = true,
        default_value_os_t = default_data_dir())]
    pub data_dir: PathBuf,

    /// The application's login of an external PostgreSQL; a private one is run when absent
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// The name of this deployment, part of every audit checkpoint; cannot be changed later
    #[arg(long, env = "COUNTERSIGN_DEPLOYMENT", value_name = "NAME", default_value = "local")]
    pub deployment: String,

    /// Where PostgreSQL's programs are, when they are in no usual place
    #[arg(long, env = "COUNTERSIGN_PG_BIN_DIR", value_name = "DIR")]
    pub pg_bin_dir: Option<PathBuf>,

    /// Where checkpoints and leaf hashes are mirrored, best on storage of somebody else's
    /// [default: `DATA_DIR/anchor`]
    #[arg(long, env = "COUNTERSIGN_ANCHOR_DIR", value_name = "DIR")]
    pub anchor_dir: Option<PathBuf>,
}

impl Place {
    /// Where checkpoints are mirrored.
    #[must_use]
    pub fn anchor(&self) -> PathBuf {
        self.anchor_dir.clone().unwrap_or_else(|| self.data_dir.join("anchor"))
    }
}

/// `/var/lib/countersign` for root, else the XDG data directory.
fn default_data_dir() -> PathBuf {
    if is_root() {
        return PathBuf::from("/var/lib/countersign");
    }
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".local/share");
    std::env::var_os("XDG_DATA_HOME").map_or_else(home, PathBuf::from).join("countersign")
}

/// Where this user's sessions with servers are kept.
#[must_use]
pub fn config_dir() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".config");
    std::env::var_os("XDG_CONFIG_HOME").map_or_else(home, PathBuf::from).join("countersign")
}

/// Whether this process is root's.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Everything
    All,
    /// Answer requests, and keep the audit log and approvals up to date; seals secrets and cannot
    /// open those of targets
    Api,
    /// Carry out executions; nothing is answered but whether the process lives and is ready
    Worker,
}

/// How to serve.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Where state is.
    #[command(flatten)]
    pub place: Place,

    /// Where to listen
    #[arg(
        long,
        env = "COUNTERSIGN_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,

    /// What this process does
    #[arg(long, env = "COUNTERSIGN_ROLE", value_enum, default_value = "all")]
    pub role: Role,

    /// Database connections of this process
    #[arg(long, env = "COUNTERSIGN_DB_CONNECTIONS", value_name = "N", default_value_t = 12)]
    pub db_connections: u32,

    /// Executions at the same time
    #[arg(long, env = "COUNTERSIGN_CAPACITY", value_name = "N", default_value_t = 64)]
    pub capacity: usize,

    /// How long a worker's lease lasts without renewal, in seconds
    #[arg(long, env = "COUNTERSIGN_LEASE_S", value_name = "S", default_value_t = 30.0)]
    pub lease_s: f64,

    /// How long to wait before looking for work unasked, in seconds
    #[arg(long, env = "COUNTERSIGN_POLL_S", value_name = "S", default_value_t = 2.0)]
    pub poll_s: f64,

    /// How much output of a step is kept, stdout and stderr each, in bytes
    #[arg(long, env = "COUNTERSIGN_OUTPUT_CAP", value_name = "BYTES", default_value_t = 16 << 20)]
    pub output_cap: usize,

    /// The largest request body, in bytes
    #[arg(long, env = "COUNTERSIGN_BODY_LIMIT", value_name = "BYTES", default_value_t = 1 << 20)]
    pub body_limit: usize,

    /// A network of proxies in front of the API, whose `X-Forwarded-For` says who asks; may be
    /// repeated. Without it everybody behind a proxy is one address, and one who guesses passwords
    /// shuts out all
    #[arg(
        long = "trusted-proxy",
        env = "COUNTERSIGN_TRUSTED_PROXIES",
        value_name = "NETWORK",
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<ipnet::IpNet>,

    /// How long running work may take once the process is told to stop, in seconds
    #[arg(long, env = "COUNTERSIGN_GRACE_S", value_name = "S", default_value_t = 20.0)]
    pub grace_s: f64,

    /// How long to go on answering once told to stop, `/readyz` with 503, so that a load balancer
    /// notices, in seconds
    #[arg(long, env = "COUNTERSIGN_DRAIN_S", value_name = "S", default_value_t = 0.0)]
    pub drain_s: f64,

    /// Bring up three hosts to try the product on: a real sshd each, of this account and on
    /// loopback, with a service; they end with the server
    ///
    /// They are kept in `DATA_DIR/demo-estate`, and are the same again at the next start. The
    /// console's first steps, or `GET /api/v1/demo-estate`, make them known. Administrators of the
    /// API can log in to them, and so as this account: the server must listen on loopback.
    #[arg(long)]
    pub demo_estate: bool,

    /// Where keys are.
    #[command(flatten)]
    pub keys: Keys,

    /// Where calls may go.
    #[command(flatten)]
    pub calls: Calls,

    /// How the audit log is watched.
    #[command(flatten)]
    pub audit: Audit,

    /// Die at this point (debug builds only; for crash tests)
    #[arg(long, env = "COUNTERSIGN_FAILPOINT", value_name = "POINT", hide = true)]
    pub failpoint: Option<String>,
}

impl Serve {
    /// Times and numbers of the process.
    #[must_use]
    pub fn tuning(&self) -> server::serve::Tuning {
        let lease_ttl = seconds(self.lease_s);
        server::serve::Tuning {
            capacity: self.capacity,
            lease_ttl,
            heartbeat: lease_ttl / 3,
            poll: seconds(self.poll_s),
            output_cap: self.output_cap,
            drain: Duration::try_from_secs_f64(self.drain_s).unwrap_or_default(),
            grace: seconds(self.grace_s),
            audit: self.audit.limit(),
            ..server::serve::Tuning::default()
        }
    }
}

/// A time in seconds, no shorter than 10 ms: a lease of nothing would be nobody's.
fn seconds(given: f64) -> Duration {
    Duration::try_from_secs_f64(given).unwrap_or_default().max(Duration::from_millis(10))
}
