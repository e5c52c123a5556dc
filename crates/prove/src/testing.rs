//! For tests: a database with a log, its signer, its directory and its anchor.

use db::TenantTx;
use db::testing::{TestDb, database};
use jiff::SignedDuration;
use model::Timestamp;
use model::audit::{Event, Who};
use model::id::{ArchiveId, TenantId};

use crate::anchor::Anchor;
use crate::checkpoint::{Checkpoint, origin};
use crate::directory::Directory;
use crate::keys::{Keyring, SigningKey};
use crate::policy::Policy;
use crate::prune::{self, range_at};
use crate::publish::{PublishError, Publisher, Unsigned};
use crate::sequence::task::{Drained, begin_epoch, drain};
use crate::signer::Signer;
use crate::verify::report::{FirstBad, Kind, Report};
use crate::verify::{Options, verify};

pub(crate) const DEPLOYMENT: &str = "test.example";

/// How much a verification is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Rows,
    Macs,
    Checkpoints,
    Anchor,
}

pub(crate) struct World {
    pub(crate) test: TestDb,
    pub(crate) publisher: Publisher,
    pub(crate) epoch: i64,
    pub(crate) files: tempfile::TempDir,
}

pub(crate) fn ring(seeds: &[u8]) -> Keyring {
    let keys = seeds.iter().map(|seed| SigningKey::from_seed(&[*seed; 32]).unwrap()).collect();
    Keyring::of(keys).unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::over(database().await, tempfile::tempdir().unwrap()).await
    }

    /// A publisher as another process would make it from the same files.
    pub(crate) fn publisher_of(
        test: &TestDb,
        files: &tempfile::TempDir,
        seeds: &[u8],
    ) -> Publisher {
        let at = |name: &str| Directory::new(files.path().join(name));
        Publisher {
            deployment: DEPLOYMENT.to_owned(),
            logs: at("tlog"),
            signer: Signer::new(ring(seeds), at("signer")),
            anchor: Some(Anchor::new(at("anchor"))),
            audit_key: test.db.audit_key().clone(),
            witness: None,
            unsigned: Unsigned::Sequence,
        }
    }

    /// This world and another that goes on from a copy of its database and of its files.
    pub(crate) async fn split(self) -> (Self, Self) {
        let Self { test, files, .. } = self;
        let copied = tempfile::tempdir().unwrap();
        let copy = std::process::Command::new("cp")
            .arg("-a")
            .arg(files.path().join("."))
            .arg(copied.path())
            .status();
        assert!(copy.unwrap().success());
        let (first, second) = test.split().await;
        (Self::over(first, files).await, Self::over(second, copied).await)
    }

    async fn over(test: TestDb, files: tempfile::TempDir) -> Self {
        let publisher = Self::publisher_of(&test, &files, &[1]);
        let epoch = begin_epoch(&test.db).await.unwrap();
        Self { test, publisher, epoch, files }
    }

    pub(crate) fn origin(&self) -> String {
        origin(DEPLOYMENT, self.test.tenant)
    }

    pub(crate) fn log_directory(&self) -> Directory {
        self.publisher.logs.below(&self.origin())
    }

    pub(crate) fn policy(&self) -> Policy {
        self.publisher.signer.policy(&self.origin()).unwrap()
    }

    /// Writes `count` events as the application does.
    pub(crate) async fn write(&self, tenant: TenantId, count: usize) {
        let actor = self.test.system_actor(tenant).await;
        let events: Vec<Event> = (0..count)
            .map(|n| {
                Event::new(&actor, "runbook.edited", "runbook", &format!("rbk_{n}"))
                    .with("n", u64::try_from(n).unwrap())
            })
            .collect();
        let mut tx: TenantTx = self.test.db.tenant(tenant).await.unwrap();
        tx.audit_many(&events).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn drain(&self) -> Drained {
        drain(&self.test.db, self.epoch).await.unwrap()
    }

    /// Writes and sequences `count` events of the first tenant.
    pub(crate) async fn log(&self, count: usize) {
        self.write(self.test.tenant, count).await;
        assert_eq!(self.drain().await.appended, count);
    }

    pub(crate) async fn publish(&self) -> Result<Checkpoint, PublishError> {
        self.publisher.publish(&self.test.db, self.test.tenant).await
    }

    /// Sequences and publishes `count` events.
    pub(crate) async fn logged(&self, count: usize) -> Checkpoint {
        self.log(count).await;
        self.publish().await.unwrap()
    }

    /// Prunes to `place` as the archive does, but for the archive: said, signed, taken out.
    pub(crate) async fn prune(&self, place: u64) {
        let log = self.log_directory();
        let size = self.publish().await.unwrap().size;
        let range = range_at(&log, place, size).unwrap();
        let actor = self.test.system_actor(self.test.tenant).await;
        let who = Who::from(&actor);
        let mut tx = self.test.db.tenant(self.test.tenant).await.unwrap();
        tx.audit(&prune::event(who, ArchiveId::generate(), 0, &range)).await.unwrap();
        tx.commit().await.unwrap();
        self.drain().await;
        self.publish().await.unwrap();
        let edge = hex::encode(range.peaks().concat());
        self.tamper(&[
            &format!("DELETE FROM countersign.audit_events WHERE seq < {place}"),
            &format!("UPDATE countersign.audit_heads SET minimum = {place}, edge = '\\x{edge}'"),
        ])
        .await;
        prune::drop_bundles(&log, place).unwrap();
    }

    pub(crate) async fn verify(&self, level: Level) -> Report {
        self.verify_with(self.test.tenant, level, None).await
    }

    pub(crate) async fn verify_with(
        &self,
        tenant: TenantId,
        level: Level,
        max_anchor_age: Option<SignedDuration>,
    ) -> Report {
        let origin = origin(DEPLOYMENT, tenant);
        let policy = self.publisher.signer.policy(&origin).unwrap();
        let signed = matches!(level, Level::Checkpoints | Level::Anchor);
        let options = Options {
            origin: &origin,
            policy: signed.then_some(&policy),
            anchor: self.publisher.anchor.as_ref().filter(|_| level == Level::Anchor),
            witness: None,
            mac: (level == Level::Macs).then(|| self.test.db.audit_key()),
            now: "2100-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
            max_anchor_age,
        };
        verify(&self.test.db, tenant, &options).await.unwrap()
    }

    /// What the verification at this level finds first.
    pub(crate) async fn first_bad(&self, level: Level) -> Option<(u64, Kind)> {
        let report = self.verify(level).await;
        assert_eq!(report.exit_code(), if report.ok { 0 } else { 2 }, "{report:?}");
        report.first_bad.map(|FirstBad { seq, kind, .. }| (seq, kind))
    }

    /// Does to the database what no application can: statements of a superuser.
    pub(crate) async fn tamper(&self, statements: &[&str]) {
        let mut tx = self.test.admin().begin().await.unwrap();
        sqlx::query("SET CONSTRAINTS ALL DEFERRED").execute(&mut *tx).await.unwrap();
        for statement in statements {
            let changed = sqlx::query(sqlx::AssertSqlSafe((*statement).to_owned()))
                .execute(&mut *tx)
                .await
                .unwrap_or_else(|error| panic!("{statement}: {error}"));
            assert!(changed.rows_affected() > 0, "changed nothing: {statement}");
        }
        tx.commit().await.unwrap();
    }
}
