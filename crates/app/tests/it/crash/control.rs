//! Control workers: the product's engine, and part of its fencing taken away. What they do wrong
//! under the same faults shows that the fencing is what keeps the others from it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use act::decide::RunbookTerms;
use act::engine::{Engine, Settings};
use act::worker::Worker;
use api::App;
use connect::objects::Directory as ObjectDirectory;
use connect::vault::{Envelope, FileKek};
use connect_ssh::Ssh;
use db::testing::TestDb;
use db::{AuditKey, Db};
use model::audit::Who;
use model::connector::{
    ConnectError, Connector, Effect, Ended, Endpoint, Fence, Guard, Offsets, OutputSink, Pending,
};
use prove::directory::Directory;
use prove::keys::Keyring;
use server::cycle::{Loop, LoopHooks, SealedLogins};
use tokio_util::sync::CancellationToken;

use super::LEASE;
use crate::http::SystemClock;

/// The test by which this program becomes a control worker.
pub(super) const ENTRY: &str = "crash::control::a_control_worker_works_when_it_is_told_to";

/// Tells it to, and where its deployment is.
pub(super) const DIRECTORY: &str = "COUNTERSIGN_CONTROL_DIRECTORY";

/// Which fencing a run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fencing {
    /// The product's: the epoch in the database, and the guard on the target.
    Whole,
    /// The epoch alone: a target takes every start.
    Epoch,
    /// None: a target takes every start, and the database every writer.
    Naive,
}

impl Fencing {
    /// Prepares a database for it.
    pub(super) async fn prepare(self, test: &TestDb) {
        if self == Self::Naive {
            // All workers hold the same epoch, so none is too late.
            sqlx::raw_sql(
                "CREATE FUNCTION public.unfenced() RETURNS trigger LANGUAGE plpgsql AS
                   'BEGIN NEW.lease_epoch := 1; RETURN NEW; END';
                 CREATE TRIGGER unfenced BEFORE UPDATE OF lease_epoch ON countersign.executions
                   FOR EACH ROW EXECUTE FUNCTION public.unfenced();",
            )
            .execute(test.admin())
            .await
            .expect("the epochs stand still");
        }
    }
}

/// Steps over SSH, and no guard: each start has a token of its own, so no target ever refuses one.
#[derive(Debug)]
struct Unguarded(Ssh);

impl Connector for Unguarded {
    fn run<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        effect: &'a Effect,
        output: &'a dyn OutputSink,
    ) -> Pending<'a, Result<Ended, ConnectError>> {
        Box::pin(async move {
            let token = format!("{}.{}", effect.token, uuid::Uuid::now_v7().simple());
            self.0.run(endpoint, &Effect { token, ..effect.clone() }, output).await
        })
    }

    fn probe<'a>(
        &'a self,
        _endpoint: &'a Endpoint,
        _token: &'a str,
    ) -> Pending<'a, Result<Guard, ConnectError>> {
        Box::pin(async { Ok(Guard::Absent) })
    }

    fn fence<'a>(
        &'a self,
        _endpoint: &'a Endpoint,
        _token: &'a str,
        _epoch: i64,
    ) -> Pending<'a, Result<Fence, ConnectError>> {
        Box::pin(async { Ok(Fence::Won) })
    }

    fn follow<'a>(
        &'a self,
        _endpoint: &'a Endpoint,
        _effect: &'a Effect,
        _from: Offsets,
        _output: &'a dyn OutputSink,
    ) -> Pending<'a, Result<Ended, ConnectError>> {
        Box::pin(async { Ok(Ended::Lost(Guard::Absent)) })
    }

    fn kill<'a>(
        &'a self,
        _endpoint: &'a Endpoint,
        _token: &'a str,
    ) -> Pending<'a, Result<Guard, ConnectError>> {
        Box::pin(async { Ok(Guard::Absent) })
    }
}

/// Works until it is killed.
async fn work(dir: &Path, url: String) {
    let keys = dir.join("keys");
    let mac = std::fs::read(keys.join("audit-mac")).expect("the MAC key");
    let audit_key = AuditKey::new(&mac.try_into().expect("32 bytes"));
    let db = Db::connect(db::Options { url, max_connections: 10, audit_key });
    let db = db.await.expect("the database");
    let key = |name: &str| Arc::new(FileKek::open(&keys.join(name)).expect("a key file"));
    let objects = ObjectDirectory::open(&dir.join("objects")).expect("a directory");
    let app = App {
        db: db.clone(),
        clock: Arc::new(SystemClock),
        objects: Arc::new(objects),
        vault: Arc::new(Envelope::new("local", key("kek"), key("request-kek"))),
        body_limit: 1 << 20,
        proxies: ::api::peer::Proxies::default(),
    };
    let decisions = Keyring::open_or_create(&Directory::new(keys.join("decisions")));
    let cycle = Loop::new(app.clone(), decisions.expect("the keys of decisions"));
    let who = Who::service();
    let ssh: Arc<dyn Connector> = Arc::new(Unguarded(Ssh::new(connect_ssh::Settings::default())));
    let settings = Settings {
        lease_ttl: LEASE,
        heartbeat: LEASE / 3,
        poll: Duration::from_millis(100),
        ..Settings::new(format!("control-{}", std::process::id()), who.clone())
    };
    let engine = Engine {
        db,
        connectors: BTreeMap::from([("ssh".to_owned(), ssh)]),
        objects: Arc::clone(&app.objects),
        logins: Arc::new(SealedLogins::new(app, who.clone())),
        terms: Arc::new(RunbookTerms),
        hooks: Arc::new(LoopHooks { cycle, who }),
        settings,
    };
    let worker = Worker { engine: Arc::new(engine), capacity: 2 };
    writeln!(std::io::stderr(), "a control worker works").expect("it can be said");
    worker.run(CancellationToken::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_worker_works_when_it_is_told_to() {
    let Some(dir) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let url = std::env::var_os("DATABASE_URL").and_then(|url| url.into_string().ok());
    work(&dir, url.expect("the database is named")).await;
}
