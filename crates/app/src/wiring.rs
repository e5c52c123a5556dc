//! Putting a process together: database, keys, object store, connectors.

mod keys;
mod witness;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use api::App;
use api::peer::Proxies;
use connect::objects::Directory as ObjectDirectory;
use connect_ssh::Ssh;
use db::private::PrivateServer;
use db::{AuditKey, Db};
use model::connector::Connector;
use model::{Clock, Timestamp};
use prove::anchor::Anchor;
use prove::directory::Directory;
use prove::keys::Keyring;
use prove::publish::Publisher;
use prove::signer::Signer;
use server::demo::DemoEstate;
use server::hosts::{HostKey, KeyKind};
use server::serve::{Duties, Duty, Parts};

use crate::config::{Place, Role, Serve};

pub use keys::{ProcessKeys, kek_file, keys, outbound, request_kek_file};

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the present comes from")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The database of a deployment, with the private server when there is one.
#[derive(Debug)]
pub struct Database {
    /// The application's handle.
    pub db: Db,
    /// Kept alive as long as the process.
    pub private: Option<PrivateServer>,
}

/// Connects to the external database, or starts the private one.
///
/// # Errors
/// When neither can be had, with what to do about it.
pub async fn database(place: &Place, connections: u32) -> Result<Database> {
    let audit_key = audit_key(&place.data_dir)?;
    let (url, private) = match &place.database_url {
        Some(url) => (url.clone(), None),
        None => {
            let mut options = db::private::Options::new(&place.data_dir);
            options.bin_dir.clone_from(&place.pg_bin_dir);
            options.search_path = std::env::var_os("PATH");
            let private = PrivateServer::start(options).await.context("the private database")?;
            (private.url().to_owned(), Some(private))
        }
    };
    let options = db::Options { url, max_connections: connections, audit_key };
    let db = Db::connect(options).await.context("the database")?;
    Ok(Database { db, private })
}

/// Connects to a database that is served already: the external one, or the private one of a
/// running `serve`.
///
/// # Errors
/// When it cannot be reached.
pub async fn reach(place: &Place) -> Result<Db> {
    let url = match &place.database_url {
        Some(url) => url.clone(),
        None => db::private::urls(&place.data_dir).context("the private database")?.0,
    };
    let audit_key = audit_key(&place.data_dir)?;
    Db::connect(db::Options { url, max_connections: 4, audit_key }).await.context("the database")
}

/// Connects as [`reach`] does, to read alone: makes nothing where nothing is. Gives the key of the
/// row MACs where it is at hand.
///
/// # Errors
/// When the database cannot be reached.
pub async fn reach_to_read(place: &Place) -> Result<(Db, Option<AuditKey>)> {
    let url = match &place.database_url {
        Some(url) => url.clone(),
        None => db::private::urls(&place.data_dir).context("the private database")?.0,
    };
    let path = place.data_dir.join("keys/audit-mac");
    let kept = match fs::read(&path) {
        Ok(bytes) => {
            let bytes: [u8; 32] = bytes
                .try_into()
                .map_err(|_| anyhow::anyhow!("{} holds no key of 32 bytes", path.display()))?;
            Some(AuditKey::new(&bytes))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    // Whoever only reads MACs nothing; a key of nobody stands in.
    let audit_key = match &kept {
        Some(key) => key.clone(),
        None => AuditKey::new(&AuditKey::generate_bytes()?),
    };
    let options = db::Options { url, max_connections: 4, audit_key };
    Ok((Db::connect(options).await.context("the database")?, kept))
}

/// Makes the directory of a deployment. What is secret in it lies in directories of its own.
///
/// # Errors
/// When it cannot be made.
pub fn make_data_dir(data_dir: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(data_dir);
    made.with_context(|| format!("cannot make the data directory {}", data_dir.display()))
}

fn private_dir(path: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("cannot make {}", path.display()))
}

/// The key of the audit outbox's MACs: made at the first start, for its owner alone to read.
///
/// It is written whole under another name and then linked, so that neither a crash nor a process
/// that starts at the same moment finds half a key.
fn audit_key(data_dir: &Path) -> Result<AuditKey> {
    let keys = data_dir.join("keys");
    make_data_dir(data_dir)?;
    private_dir(&keys)?;
    let path = keys.join("audit-mac");
    if !path.exists() {
        let fresh = keys.join(format!(".audit-mac-{}", std::process::id()));
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(&AuditKey::generate_bytes()?)?;
        file.sync_all()?;
        match fs::hard_link(&fresh, &path) {
            // Somebody else's key came first: theirs it is.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            linked => linked.with_context(|| format!("cannot make {}", path.display()))?,
        }
        fs::remove_file(&fresh)?;
    }
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_| anyhow::anyhow!("{} holds no key of 32 bytes", path.display()))?;
    Ok(AuditKey::new(&bytes))
}

/// Where the audit log's files of a deployment are.
#[must_use]
pub fn logs(place: &Place) -> Directory {
    Directory::new(place.data_dir.join("log"))
}

/// The signer of a deployment's audit log.
///
/// # Errors
/// When its keys cannot be read or made.
pub fn signer(place: &Place) -> Result<Signer> {
    let root = Directory::new(place.data_dir.join("keys"));
    let keys = Keyring::open_or_create(&root.below("log")).context("the log's signing keys")?;
    Ok(Signer::new(keys, Directory::new(place.data_dir.join("signer"))))
}

/// The keys decisions are signed with.
///
/// # Errors
/// When they cannot be read or made.
pub fn decision_keys(place: &Place) -> Result<Keyring> {
    let root = Directory::new(place.data_dir.join("keys"));
    Keyring::open_or_create(&root.below("decisions")).context("the decision signing keys")
}

/// What this process is called in leases: where it runs, and which one it is there.
fn process_name() -> Result<String> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let unique = api::identity::random_text(6)
        .map_err(|problem| anyhow::anyhow!("naming this process: {}", problem.detail))?;
    Ok(format!("countersign@{}-{}-{unique}", host.trim(), std::process::id()))
}

/// A whole process, and the keys that it shares with all others of the deployment.
///
/// # Errors
/// When keys or directories cannot be used.
pub fn parts(serve: &Serve, db: &Db) -> Result<(Parts, Vec<HostKey>)> {
    let place = &serve.place;
    let ProcessKeys { vault, mut known } = keys(serve)?;
    private_dir(&place.data_dir.join("objects"))?;
    let objects = ObjectDirectory::open(&place.data_dir.join("objects"))?;
    let app = App {
        db: db.clone(),
        clock: Arc::new(SystemClock),
        objects: Arc::new(objects),
        vault,
        body_limit: serve.body_limit,
        proxies: Proxies::new(serve.trusted_proxies.clone()),
    };
    let (signer, audit_key) = (signer(place)?, audit_key(&place.data_dir)?);
    known.push(HostKey { kind: KeyKind::AuditMac, fingerprints: vec![audit_key.fingerprint()] });
    if serve.role != Role::Worker {
        let fingerprints = signer.fingerprints().iter().map(ToString::to_string).collect();
        known.push(HostKey { kind: KeyKind::Log, fingerprints });
    }
    let publisher = Publisher {
        deployment: place.deployment.clone(),
        logs: logs(place),
        signer,
        anchor: Some(Anchor::new(Directory::new(place.anchor()))),
        audit_key,
        witness: witness::client(serve)?,
        unsigned: serve.audit.audit_unsigned.into(),
    };
    let mut connectors: BTreeMap<String, Arc<dyn Connector>> = BTreeMap::new();
    connectors.insert("ssh".to_owned(), Arc::new(Ssh::new(connect_ssh::Settings::default())));
    let yes = |duty: bool| if duty { Duty::Yes } else { Duty::No };
    let parts = Parts {
        app,
        decisions: decision_keys(place)?,
        publisher: Arc::new(publisher),
        outbound: outbound(&serve.calls)?,
        connectors,
        name: process_name()?,
        duties: Duties {
            work: yes(serve.role != Role::Api),
            keep: yes(serve.role != Role::Worker),
            answer: yes(serve.role != Role::Worker),
        },
        tuning: serve.tuning(),
        demo: DemoEstate::default(),
    };
    Ok((parts, known))
}
