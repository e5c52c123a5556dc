//! A whole process of the service inside the test: real router, worker, sequencer, listener.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::App;
use api::identity::{new_key, new_session};
use archive::run::Archiver;
use connect::objects::Directory as ObjectDirectory;
use connect::outbound::{Outbound, Rules};
use connect::vault::{Envelope, FileKek, Kek};
use connect_ssh::Ssh;
use connect_ssh::testing::Sshd;
use db::AuditKey;
use db::testing::{AUDIT_KEY, TestDb, database};
use db::wake::Topic;
use model::actor::{Actor, Role};
use model::connector::Connector;
use model::id::{ActorId, ApiKeyId, SessionId, TenantId, UserId};
use model::{Clock, Timestamp};
use prove::anchor::Anchor;
use prove::api::PublishedLogs;
use prove::checkpoint::origin;
use prove::directory::Directory;
use prove::keys::Keyring;
use prove::publish::{Publisher, Unsigned};
use prove::signer::Signer;
use prove::verify::report::Report;
use prove::verify::{Options, verify};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::cycle::{Loop, retire};
use server::demo::DemoEstate;
use server::health::Health;
use server::router::{router, without_api};
use server::serve::{Duties, Duty, Parts, Tuning, serve};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What a test waits for at most; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(200);
pub(crate) const DEPLOYMENT: &str = "test.example.com";

#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the present comes from")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// One running process of the service over a database of its own.
pub(crate) struct Site {
    pub(crate) test: TestDb,
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    pub(crate) dir: TempDir,
    decision_keys: Vec<[u8; 32]>,
    stop: CancellationToken,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Somebody with an API key.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    pub(crate) key: String,
    url: String,
    http: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("a whole answer");
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes).into_owned()));
        Self { status, headers, body }
    }

    /// The body, of an answer that must have this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// The path of the first field at fault.
    pub(crate) fn path(&self) -> &str {
        self.body["errors"][0]["path"].as_str().unwrap_or_default()
    }

    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// The text of a field that must be one.
#[track_caller]
pub(crate) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no text {key} in {value:#}")).to_owned()
}

impl Caller {
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.url)).bearer_auth(&self.key)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path).send().await.expect("an answer")).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(method, path).json(body).send().await.expect("an answer")).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, body).await
    }

    /// Raw bytes as JSON.
    pub(crate) async fn raw(&self, path: &str, body: impl Into<reqwest::Body>) -> Reply {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        Reply::of(request.body(body).send().await.expect("an answer")).await
    }
}

impl Site {
    /// Starts one with a worker, a sequencer and everything else.
    pub(crate) async fn start() -> Self {
        Self::start_with(database().await).await
    }

    pub(crate) async fn start_with(test: TestDb) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let stop = CancellationToken::new();
        let (url, decision_keys) = process(&test, &dir, &stop).await;
        let http = reqwest::Client::builder().build().expect("a client");
        let site = Self { test, url, http, dir, decision_keys, stop };
        site.service(site.test.tenant).await;
        site
    }

    /// A second process over the same database and directories, as after a restart.
    pub(crate) async fn restarted(self) -> Self {
        self.stop.cancel();
        let stop = CancellationToken::new();
        let (url, decision_keys) = process(&self.test, &self.dir, &stop).await;
        let mut site = self;
        site.url = url;
        site.decision_keys = decision_keys;
        site.stop = stop;
        site
    }

    /// The router such a process serves.
    pub(crate) fn router(&self) -> axum::Router {
        let (parts, _) = parts(&self.test, &self.dir);
        let logs = PublishedLogs {
            deployment: DEPLOYMENT.to_owned(),
            directory: Directory::new(self.dir.path().join("log")),
            signer: Directory::new(self.dir.path().join("signer")),
        };
        router(&Loop::new(parts.app, parts.decisions), Health::default(), logs)
    }

    /// The router of a process that answers no requests.
    pub(crate) fn worker(&self) -> axum::Router {
        let (parts, _) = parts(&self.test, &self.dir);
        without_api(parts.app, Health::default())
    }

    /// A hash over the rows of each table that a tenant has: what must not change, does not.
    pub(crate) async fn rows(&self, tenant: TenantId) -> BTreeMap<String, Option<String>> {
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT c.table_name::text FROM information_schema.columns c
             JOIN information_schema.tables t USING (table_schema, table_name)
             WHERE c.table_schema = 'countersign' AND c.column_name = 'tenant_id'
               AND t.table_type = 'BASE TABLE'",
        )
        .fetch_all(self.test.admin())
        .await
        .expect("the tables");
        let mut rows = BTreeMap::new();
        for table in tables {
            let sql = format!(
                "SELECT md5(string_agg(r::text, ';' ORDER BY r::text))
                 FROM countersign.{table} r WHERE tenant_id = $1"
            );
            let hash = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                .bind(tenant.uuid())
                .fetch_one(self.test.admin())
                .await
                .expect("a hash");
            rows.insert(table, hash);
        }
        rows
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.test.tenant
    }

    /// The public keys decisions are signed with.
    pub(crate) fn decision_keys(&self) -> &[[u8; 32]] {
        &self.decision_keys
    }

    /// The actor of what nobody in particular does, which a tenant's first start makes.
    async fn service(&self, tenant: TenantId) {
        sqlx::query(
            "INSERT INTO countersign.actors (tenant_id, id, type, display_name, roles)
             VALUES ($1, $2, 'service', 'countersign', ARRAY['operator'])",
        )
        .bind(tenant.uuid())
        .bind(ActorId::generate().uuid())
        .execute(self.test.admin())
        .await
        .expect("the actor is written");
    }

    pub(crate) async fn another_tenant(&self) -> TenantId {
        let tenant = self.test.another_tenant().await;
        self.service(tenant).await;
        tenant
    }

    /// A person of the first tenant with these roles, and a key of theirs.
    pub(crate) async fn caller(&self, name: &str, roles: &[Role]) -> Caller {
        self.caller_of(self.tenant(), name, roles).await
    }

    pub(crate) async fn caller_of(&self, tenant: TenantId, name: &str, roles: &[Role]) -> Caller {
        let actor = self.test.another_actor(tenant, name, roles).await;
        self.key_of(actor).await
    }

    /// A person who is logged in, and their id.
    pub(crate) async fn person_of(
        &self,
        tenant: TenantId,
        name: &str,
        roles: &[Role],
    ) -> (Caller, UserId) {
        let actor = self.test.another_actor(tenant, name, roles).await;
        let (user, token) = (UserId::generate(), new_session().expect("randomness"));
        for (statement, values) in [
            (
                "INSERT INTO countersign.users (tenant_id, actor_id, id, username)
                 VALUES ($1, $2, $3, convert_from($4, 'UTF8'))",
                (actor.id.uuid(), user.uuid(), name.as_bytes()),
            ),
            (
                "INSERT INTO countersign.user_sessions
                   (tenant_id, id, user_id, token_hash, expires_at)
                 VALUES ($1, $2, $3, $4, now() + interval '1 hour')",
                (SessionId::generate().uuid(), user.uuid(), &token.hash.as_bytes()[..]),
            ),
        ] {
            sqlx::query(statement)
                .bind(tenant.uuid())
                .bind(values.0)
                .bind(values.1)
                .bind(values.2)
                .execute(self.test.admin())
                .await
                .expect("the person is written");
        }
        let (url, http) = (self.url.clone(), self.http.clone());
        (Caller { actor, key: token.text, url, http }, user)
    }

    /// A key of this actor's.
    pub(crate) async fn key_of(&self, actor: Actor) -> Caller {
        let token = new_key().expect("randomness");
        sqlx::query(
            "INSERT INTO countersign.api_keys (tenant_id, id, actor_id, name, key_prefix, key_hash)
             VALUES ($1, $2, $3, 'test', $4, $5)",
        )
        .bind(actor.tenant_id.uuid())
        .bind(ApiKeyId::generate().uuid())
        .bind(actor.id.uuid())
        .bind(&token.public_id)
        .bind(&token.hash.as_bytes()[..])
        .execute(self.test.admin())
        .await
        .expect("the key is written");
        Caller { actor, key: token.text, url: self.url.clone(), http: self.http.clone() }
    }

    /// Waits until `look` finds something, looking again whenever something happened.
    pub(crate) async fn until<T, F>(&self, what: &str, mut look: impl FnMut() -> F) -> T
    where
        F: Future<Output = Option<T>>,
    {
        let mut waker = self.test.db.waker(Topic::Events);
        let found = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                waker.wait(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(PATIENCE, found)
            .await
            .unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }

    /// The execution, once it is in this state.
    pub(crate) async fn reaches(&self, caller: &Caller, execution: &str, state: &str) -> Value {
        let path = format!("/executions/{execution}");
        let last = std::sync::Mutex::new(Value::Null);
        let mut waker = self.test.db.waker(Topic::Events);
        let found = async {
            loop {
                let shown = caller.get(&path).await.expect(200);
                if shown["state"] == state {
                    return shown;
                }
                *last.lock().expect("nobody panics here") = shown;
                waker.wait(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| {
            panic!("{execution} never became {state}: {:#}", last.lock().expect("as above"))
        })
    }

    /// What `audit verify` says of a tenant's log, once everything logged so far is signed.
    pub(crate) async fn verified(&self, tenant: TenantId) -> Report {
        self.until("an empty outbox", || async {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM countersign.audit_outbox WHERE tenant_id = $1",
            )
            .bind(tenant.uuid())
            .fetch_one(self.test.admin())
            .await
            .expect("a count");
            let unsigned: i64 = sqlx::query_scalar(
                "SELECT coalesce((SELECT size FROM countersign.audit_heads
                                  WHERE tenant_id = $1), 0)
                      - coalesce((SELECT max(size) FROM countersign.audit_checkpoints
                                  WHERE tenant_id = $1), 0)",
            )
            .bind(tenant.uuid())
            .fetch_one(self.test.admin())
            .await
            .expect("a count");
            (waiting == 0 && unsigned == 0).then_some(())
        })
        .await;
        // The anchor comes a moment after the database.
        self.until("an anchor that knows the log", || async {
            let report = self.verify_now(tenant).await;
            report.cannot_tell.is_none().then_some(report)
        })
        .await
    }

    /// Retires whatever is due, as the hourly task does.
    pub(crate) async fn retire(&self) {
        let (parts, _) = parts(&self.test, &self.dir);
        let archiver = Archiver::new(parts.app.db.clone(), Arc::clone(&parts.app.objects));
        retire::once(&archiver, &parts.publisher).await.expect("everything is at hand");
    }

    /// Who signs the logs.
    pub(crate) fn signer(&self) -> Signer {
        signer(&self.dir)
    }

    pub(crate) async fn verify_now(&self, tenant: TenantId) -> Report {
        let origin = origin(DEPLOYMENT, tenant);
        let signer = signer(&self.dir);
        let policy = signer.policy(&origin).expect("the signer's policy");
        let anchor = anchor(&self.dir);
        let mac = AuditKey::new(&AUDIT_KEY);
        let options = Options {
            origin: &origin,
            witness: None,
            policy: Some(&policy),
            anchor: Some(&anchor),
            mac: Some(&mac),
            now: SystemClock.now(),
            max_anchor_age: None,
        };
        verify(&self.test.db, tenant, &options).await.expect("the database answers")
    }

    /// How many rows a tenant has in a table, seen past row-level security.
    pub(crate) async fn count(&self, tenant: TenantId, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM countersign.{table} WHERE tenant_id = $1");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(tenant.uuid())
            .fetch_one(self.test.admin())
            .await
            .expect("a count")
    }

    /// Makes `sshd` a server of the tenant `admin` is of: environment, credential, connection, key.
    pub(crate) async fn server(
        &self,
        admin: &Caller,
        name: &str,
        class: &str,
        sshd: &Sshd,
    ) -> String {
        let environment = json!({"name": class, "slug": format!("{class}-{name}"), "class": class});
        let environment = admin.post("/environments", &environment).await.expect(201);
        let credential = json!({"name": format!("login of {name}"), "kind": "ssh_key", "secret": sshd.client_key()});
        let credential = admin.post("/credentials", &credential).await.expect(201);
        let resource = json!({"name": name, "environment_id": environment["id"]});
        let resource = text(&admin.post("/resources", &resource).await.expect(201), "id");
        let connection = json!({
            "host": sshd.host(), "port": sshd.port(), "username": sshd.username(),
            "credential_id": credential["id"], "guard_dir": sshd.guard_dir(),
        });
        let path = format!("/resources/{resource}/connections");
        let connection = text(&admin.post(&path, &connection).await.expect(201), "id");
        let key = json!({"public_key": sshd.host_key()});
        admin.post(&format!("/connections/{connection}/host-keys"), &key).await.expect(204);
        resource
    }

    /// Imports a runbook and gives its id.
    pub(crate) async fn runbook(&self, by: &Caller, yaml: &str) -> String {
        let reply = by.post("/runbooks", &json!({"yaml": yaml})).await;
        assert!(reply.status.is_success(), "{:#}", reply.body);
        text(&reply.body, "id")
    }
}

fn signer(dir: &TempDir) -> Signer {
    let keys = Keyring::open_or_create(&Directory::new(dir.path().join("keys/log")))
        .expect("signing keys");
    Signer::new(keys, Directory::new(dir.path().join("signer")))
}

fn anchor(dir: &TempDir) -> Anchor {
    Anchor::new(Directory::new(dir.path().join("anchor")))
}

/// What a process is put together from, and the public keys decisions are signed with.
fn parts(test: &TestDb, dir: &TempDir) -> (Parts, Vec<[u8; 32]>) {
    let path = dir.path();
    std::fs::create_dir_all(path.join("keys")).expect("a directory");
    std::fs::create_dir_all(path.join("objects")).expect("a directory");
    let decisions = Directory::new(path.join("keys/decisions"));
    let keyring = Keyring::open_or_create(&decisions).expect("signing keys");
    let public = vec![*keyring.newest().public()];
    let app = App {
        db: test.db.clone(),
        clock: Arc::new(SystemClock),
        objects: Arc::new(ObjectDirectory::open(&path.join("objects")).expect("an object store")),
        vault: Arc::new(vault(path)),
        body_limit: 1 << 20,
        proxies: ::api::peer::Proxies::default(),
    };
    let publisher = Publisher {
        deployment: DEPLOYMENT.to_owned(),
        logs: Directory::new(path.join("log")),
        signer: signer(dir),
        anchor: Some(anchor(dir)),
        audit_key: AuditKey::new(&AUDIT_KEY),
        witness: None,
        unsigned: Unsigned::Sequence,
    };
    let ssh: Arc<dyn Connector> = Arc::new(Ssh::new(connect_ssh::Settings::default()));
    let second = Duration::from_secs(1);
    let parts = Parts {
        app,
        decisions: keyring,
        publisher: Arc::new(publisher),
        outbound: Outbound::new(Rules::default().allowing("127.0.0.0/8:*".parse().expect("a net")))
            .expect("a client"),
        connectors: BTreeMap::from([("ssh".to_owned(), ssh)]),
        name: "test".to_owned(),
        duties: Duties { work: Duty::Yes, keep: Duty::Yes, answer: Duty::Yes },
        tuning: Tuning {
            capacity: 8,
            job_workers: 2,
            lease_ttl: 5 * second,
            heartbeat: second,
            poll: second / 4,
            grace: second,
            ..Tuning::default()
        },
        demo: DemoEstate::default(),
    };
    (parts, public)
}

/// The vault of the deployment in this directory.
pub(crate) fn vault(path: &Path) -> Envelope {
    let kek = |name: &str| -> Arc<dyn Kek> {
        Arc::new(FileKek::open(&path.join(name)).expect("a key file"))
    };
    Envelope::new(DEPLOYMENT, kek("keys/kek"), kek("keys/request-kek"))
}

async fn process(
    test: &TestDb,
    dir: &TempDir,
    stop: &CancellationToken,
) -> (String, Vec<[u8; 32]>) {
    let (parts, public) = parts(test, dir);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let stop = stop.clone();
    tokio::spawn(async move { serve(parts, listener, stop).await });
    (url, public)
}
