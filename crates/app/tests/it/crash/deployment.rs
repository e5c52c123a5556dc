//! A deployment of the real binary: a database, a data directory, a host, people, and a process
//! that answers requests while workers come and go.

use std::path::PathBuf;

use api::identity::new_key;
use connect::vault::FileKek;
use connect_ssh::testing::Sshd;
use db::testing::{TestDb, database};
use model::actor::Role;
use model::id::{ActorId, ApiKeyId, ExecutionId, TenantId};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::{Process, Setup};
use super::until;

/// Notes who claimed what, which epoch opened which attempt, and every change of state. Written by
/// the database itself, so that nothing the program does can be missing.
const WITNESS: &str = "
    CREATE TABLE public.claims (
      at bigint GENERATED ALWAYS AS IDENTITY, execution uuid, before bigint, epoch bigint,
      owner text, ts timestamptz DEFAULT clock_timestamp());
    CREATE TABLE public.openings (
      at bigint GENERATED ALWAYS AS IDENTITY, execution uuid, epoch bigint, held bigint);
    CREATE TABLE public.moves (
      at bigint GENERATED ALWAYS AS IDENTITY, execution uuid, state text, epoch bigint,
      ts timestamptz DEFAULT clock_timestamp());
    CREATE FUNCTION public.claimed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
      'BEGIN INSERT INTO public.claims (execution, before, epoch, owner)
             VALUES (NEW.id, OLD.lease_epoch, NEW.lease_epoch, NEW.lease_owner);
         RETURN NULL; END';
    CREATE FUNCTION public.opened() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
      'BEGIN INSERT INTO public.openings (execution, epoch, held)
             SELECT NEW.execution_id, NEW.epoch, e.lease_epoch FROM countersign.executions e
             WHERE e.tenant_id = NEW.tenant_id AND e.id = NEW.execution_id;
         RETURN NULL; END';
    CREATE FUNCTION public.moved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
      'BEGIN INSERT INTO public.moves (execution, state, epoch)
             VALUES (NEW.id, NEW.state, NEW.lease_epoch);
         RETURN NULL; END';
    CREATE TRIGGER claimed AFTER UPDATE OF lease_epoch ON countersign.executions
      FOR EACH ROW WHEN (OLD.lease_epoch <> NEW.lease_epoch) EXECUTE FUNCTION public.claimed();
    CREATE TRIGGER opened AFTER INSERT ON countersign.attempts
      FOR EACH ROW EXECUTE FUNCTION public.opened();
    CREATE TRIGGER moved AFTER UPDATE OF state ON countersign.executions
      FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION public.moved();";

/// Everything around the workers.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) test: TestDb,
    pub(super) dir: TempDir,
    pub(super) sshd: Sshd,
    /// Answers requests and keeps the log.
    pub(super) api: Process,
    log: &'static str,
    pub(super) http: reqwest::Client,
    pub(super) url: String,
    pub(super) admin: String,
    pub(super) operator: String,
    pub(super) approver: String,
}

impl Deployment {
    /// One with a host that is a server of it.
    pub(super) async fn start() -> Self {
        Self::start_on(database().await).await
    }

    /// As [`Self::start`], on this database.
    pub(super) async fn start_on(test: TestDb) -> Self {
        let sshd = Sshd::start().expect("OpenSSH is installed");
        let (host, port) = (sshd.host().to_owned(), sshd.port());
        let deployment = Self::on(test, sshd, "info").await;
        deployment.add_server(&host, port).await;
        deployment
    }

    /// One whose server is reached at this address instead of its own.
    pub(super) async fn behind(sshd: Sshd, port: u16) -> Self {
        let deployment = Self::bare(sshd).await;
        deployment.add_server("127.0.0.1", port).await;
        deployment
    }

    async fn bare(sshd: Sshd) -> Self {
        Self::logging(sshd, "info").await
    }

    /// One without a server, whose processes log this.
    pub(super) async fn logging(sshd: Sshd, log: &'static str) -> Self {
        Self::on(database().await, sshd, log).await
    }

    /// One on this database, without a server.
    pub(super) async fn on(test: TestDb, sshd: Sshd, log: &'static str) -> Self {
        sqlx::raw_sql(WITNESS).execute(test.admin()).await.expect("the witness is set up");
        let dir = tempfile::tempdir().expect("a directory");
        // Workers come later, and their key is needed before.
        std::fs::create_dir_all(dir.path().join("keys")).expect("a directory");
        FileKek::open(&dir.path().join("keys/kek")).expect("a key file");
        let setup = Setup { role: "api", log, ..Setup::new(dir.path(), Some(&test.url)) };
        let mut api = setup.spawn();
        let url = api.ready().await;
        let http = reqwest::Client::builder().build().expect("a client");
        service(&test).await;
        let (_, admin) = key(&test, "Ada", &[Role::Admin]).await;
        let (_, operator) = key(&test, "Otto", &[Role::Operator]).await;
        let (_, approver) = key(&test, "Berta", &[Role::Approver]).await;
        Self { test, dir, sshd, api, log, http, url, admin, operator, approver }
    }

    /// One more person with these roles, and their key.
    pub(super) async fn key(&self, name: &str, roles: &[Role]) -> (String, String) {
        let (id, key) = key(&self.test, name, roles).await;
        (id.to_string(), key)
    }

    pub(super) fn tenant(&self) -> TenantId {
        self.test.tenant
    }

    /// Where steps leave their lines.
    pub(super) fn effects(&self) -> PathBuf {
        self.sshd.dir().join("effects")
    }

    /// Their lines so far, as words.
    pub(super) fn lines(&self) -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(self.effects()).unwrap_or_default();
        text.lines().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
    }

    /// How to start a worker here.
    pub(super) fn worker(&self) -> Setup<'_> {
        Setup { role: "worker", ..self.whole() }
    }

    /// How to start a process that does everything.
    pub(super) fn whole(&self) -> Setup<'_> {
        Setup { log: self.log, ..Setup::new(self.dir.path(), Some(&self.test.url)) }
    }

    pub(super) async fn call(&self, who: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}/api/v1{path}", self.url);
        let request = match body {
            Some(body) => self.http.post(url).json(body),
            None => self.http.get(url),
        };
        let response = request.bearer_auth(who).send().await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = response.bytes().await.expect("a whole answer");
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// What a path shows.
    pub(super) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(&self.admin, path, None).await;
        assert_eq!(status, 200, "{path}: {body:#}");
        body
    }

    pub(super) async fn post(&self, who: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call(who, path, Some(body)).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer:#}");
        answer
    }

    pub(super) async fn add_server(&self, host: &str, port: u16) {
        let made = async |path: &str, body: Value| self.post(&self.admin, path, &body).await;
        let class = json!({"name": "Test", "slug": "test", "class": "test"});
        let environment = made("/environments", class).await;
        let secret = json!({"name": "login", "kind": "ssh_key", "secret": self.sshd.client_key()});
        let credential = made("/credentials", secret).await;
        let server = json!({"name": "host", "environment_id": environment["id"]});
        let resource = made("/resources", server).await;
        let way = json!({
            "host": host, "port": port, "username": self.sshd.username(),
            "credential_id": credential["id"], "guard_dir": self.sshd.guard_dir(),
        });
        let path = format!("/resources/{}/connections", word(&resource, "id"));
        let connection = made(&path, way).await;
        let path = format!("/connections/{}/host-keys", word(&connection, "id"));
        made(&path, json!({"public_key": self.sshd.host_key()})).await;
    }

    /// Imports a runbook and gives its id.
    pub(super) async fn runbook(&self, yaml: &str) -> String {
        let imported = self.post(&self.admin, "/runbooks", &json!({"yaml": yaml})).await;
        word(&imported, "id")
    }

    /// Asks for a run and has it approved, where that is needed.
    pub(super) async fn approved(&self, runbook: &str) -> ExecutionId {
        let path = format!("/runbooks/{runbook}/run");
        let asked = self.post(&self.operator, &path, &json!({"targets": ["host"]})).await;
        if let Some(approval) = asked["approval_id"].as_str() {
            let path = format!("/approvals/{approval}/approve");
            let vote = self.post(&self.approver, &path, &json!({"note": "go"})).await;
            assert_eq!(vote["status"], "approved", "{vote:#}");
        } else {
            assert_eq!(asked["state"], "approved", "{asked:#}");
        }
        word(&asked, "execution_id").parse().expect("an id")
    }

    /// Asks for some runs, all approved.
    pub(super) async fn approved_many(&self, runbook: &str, count: usize) -> Vec<ExecutionId> {
        let mut made = Vec::new();
        for _ in 0..count {
            made.push(self.approved(runbook).await);
        }
        made
    }

    /// Where an execution stands.
    pub(super) async fn state(&self, execution: ExecutionId) -> String {
        sqlx::query_scalar("SELECT state FROM countersign.executions WHERE id = $1")
            .bind(execution.uuid())
            .fetch_one(self.test.admin())
            .await
            .expect("it is there")
    }

    /// Whether none of these is to be worked on any more.
    pub(super) async fn over(&self, executions: &[ExecutionId]) -> bool {
        let ids: Vec<_> = executions.iter().map(|id| id.uuid()).collect();
        sqlx::query_scalar(
            "SELECT NOT EXISTS (
               SELECT 1 FROM countersign.executions WHERE id = ANY ($1)
                 AND state IN ('approved', 'in_progress', 'verifying', 'rolling_back'))",
        )
        .bind(ids)
        .fetch_one(self.test.admin())
        .await
        .expect("the database answers")
    }

    /// Waits until all of these are over, and says in which states.
    pub(super) async fn settled(&self, executions: &[ExecutionId]) -> Vec<String> {
        until("executions to be over", async || self.over(executions).await.then_some(())).await;
        let mut states = Vec::new();
        for execution in executions {
            states.push(self.state(*execution).await);
        }
        states
    }

    /// Failures here are on purpose: they must neither trip a breaker nor teach anything.
    pub(super) async fn forget_failures(&self) {
        for statement in
            ["DELETE FROM countersign.circuit_breakers", "DELETE FROM countersign.beta_state"]
        {
            sqlx::query(statement).execute(self.test.admin()).await.expect("it is forgotten");
        }
    }
}

/// The text of a field that must be one.
#[track_caller]
pub(super) fn word(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no text {key} in {value:#}")).to_owned()
}

/// The tenant's actor for what nobody in particular does.
async fn service(test: &TestDb) {
    sqlx::query(
        "INSERT INTO countersign.actors (tenant_id, id, type, display_name, roles)
         VALUES ($1, $2, 'service', 'countersign', ARRAY['operator'])",
    )
    .bind(test.tenant.uuid())
    .bind(ActorId::generate().uuid())
    .execute(test.admin())
    .await
    .expect("the actor is written");
}

/// A person with these roles, and their key.
async fn key(test: &TestDb, name: &str, roles: &[Role]) -> (ActorId, String) {
    let actor = test.another_actor(test.tenant, name, roles).await;
    let token = new_key().expect("randomness");
    sqlx::query(
        "INSERT INTO countersign.api_keys (tenant_id, id, actor_id, name, key_prefix, key_hash)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(test.tenant.uuid())
    .bind(ApiKeyId::generate().uuid())
    .bind(actor.id.uuid())
    .bind(name)
    .bind(&token.public_id)
    .bind(&token.hash.as_bytes()[..])
    .execute(test.admin())
    .await
    .expect("the key is written");
    (actor.id, token.text)
}
