use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use db::TenantTx;
use db::testing::{TestDb, database};
use gate::clear::{Hashes, Lease as GateLease, ResumeFacts, StartFacts, clear, resume};
use gate::guard::{Guard, GuardResult};
use model::Digest;
use model::actor::ActorKind;
use model::connector::{Login, Pending};
use model::execution::ExecutionState;
use model::id::{ActorId, ExecutionId, TenantId};
use model::objects::{ObjectError, Objects};
use model::plan::{Plan, Target};
use model::verdict::Verdict;
use tokio::sync::Notify;

use self::fake::FakeTarget;
use super::*;
use crate::decide::tests::PlainTerms;
use crate::ports::{Begin, Finished, Outside};
use crate::store::fixture;

mod crashes;
mod fake;
mod http;
mod outputs;
mod people;
mod results;
mod ssh;
mod workers;

/// Stops a worker at a named point: it hangs there until it is dropped or let go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<StopAt>);

#[derive(Debug, Default)]
struct StopAt {
    armed: Mutex<Option<&'static str>>,
    reached: Notify,
    go_on: Notify,
}

impl Stop {
    fn arm(&self, point: &'static str) {
        *self.0.armed.lock().unwrap() = Some(point);
    }

    async fn reached(&self) {
        self.0.reached.notified().await;
    }

    fn go_on(&self) {
        self.0.go_on.notify_one();
    }

    pub(crate) async fn at(&self, point: &'static str) {
        let here = self.0.armed.lock().unwrap().take_if(|armed| *armed == point).is_some();
        if here {
            self.0.reached.notify_one();
            self.0.go_on.notified().await;
        }
    }
}

/// Objects in memory.
#[derive(Debug, Default)]
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Objects for Memory {
    fn put<'a>(&'a self, key: &'a str, bytes: Vec<u8>) -> Pending<'a, Result<Digest, ObjectError>> {
        Box::pin(async move {
            let digest = Digest::of(&bytes);
            self.0.lock().unwrap().insert(key.to_owned(), bytes);
            Ok(digest)
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Vec<u8>, ObjectError>> {
        Box::pin(async move {
            let found = self.0.lock().unwrap().get(key).cloned();
            found.ok_or_else(|| ObjectError::NotFound { key: key.to_owned() })
        })
    }
}

/// One password for every target.
#[derive(Debug)]
struct OnePassword;

const PASSWORD: &str = "correct horse battery";

impl Logins for OnePassword {
    fn login<'a>(
        &'a self,
        _: TenantId,
        _: ExecutionId,
        _: &'a Target,
    ) -> Pending<'a, Result<Option<Login>, Outside>> {
        Box::pin(async { Ok(Some(Login::Password(PASSWORD.to_owned().into()))) })
    }
}

/// Clears everything, and keeps what ended.
#[derive(Debug, Default)]
struct Server {
    plans: Mutex<BTreeMap<ExecutionId, Digest>>,
    begun: Mutex<Vec<(ExecutionId, i64)>>,
    finished: Mutex<Vec<Finished>>,
    /// Fails this many ends before it writes one.
    failing: Mutex<u32>,
}

impl Server {
    fn clear(&self, claimed: &Claimed) -> Clearance {
        let plan = *self.plans.lock().unwrap().get(&claimed.execution).unwrap();
        let hashes = Hashes { plan, bound: plan };
        let lease = GateLease {
            tenant: claimed.tenant,
            execution: claimed.execution,
            epoch: claimed.epoch,
            state: claimed.state,
        };
        if claimed.state != ExecutionState::Approved {
            let facts = ResumeFacts { lease, stored: hashes, plan_now: plan, approval: None };
            return resume(&facts).unwrap();
        }
        let guards: Vec<GuardResult> =
            Guard::ALL.iter().map(|guard| GuardResult::allow(*guard, "open")).collect();
        let facts = StartFacts {
            lease,
            stored: hashes,
            recomputed: hashes,
            verdict: Verdict::Allow,
            reasons: &[],
            requirement: None,
            approval: None,
            guards: &guards,
            at: "2026-03-01T10:00:00Z".parse().unwrap(),
        };
        clear(&facts).unwrap()
    }
}

impl Hooks for Server {
    fn begin<'a>(&'a self, claimed: &'a Claimed) -> Pending<'a, Result<Begin, Outside>> {
        Box::pin(async move {
            self.begun.lock().unwrap().push((claimed.execution, claimed.epoch));
            Ok(Begin::Cleared(self.clear(claimed)))
        })
    }

    fn finish<'a>(
        &'a self,
        _: &'a mut TenantTx,
        finished: &'a Finished,
    ) -> Pending<'a, Result<(), Outside>> {
        Box::pin(async move {
            {
                let mut failing = self.failing.lock().unwrap();
                if *failing > 0 {
                    *failing -= 1;
                    return Err("the breaker could not be written".into());
                }
            }
            self.finished.lock().unwrap().push(finished.clone());
            Ok(())
        })
    }
}

/// A database, targets, and a server: everything around workers.
struct Estate {
    test: TestDb,
    fake: Arc<FakeTarget>,
    server: Arc<Server>,
    objects: Arc<Memory>,
}

impl Estate {
    async fn new() -> Self {
        Self {
            test: database().await,
            fake: Arc::new(FakeTarget::default()),
            server: Arc::new(Server::default()),
            objects: Arc::new(Memory::default()),
        }
    }

    fn engine(&self, worker: &str) -> Engine {
        let who = Who {
            id: ActorId::generate(),
            kind: ActorKind::Service,
            display_name: worker.to_owned(),
        };
        let mut settings = Settings::new(worker.to_owned(), who);
        settings.poll = Duration::from_millis(20);
        let fake: Arc<dyn Connector> = self.fake.clone();
        Engine {
            db: self.test.db.clone(),
            connectors: BTreeMap::from([("fake".to_owned(), fake)]),
            objects: self.objects.clone(),
            logins: Arc::new(OnePassword),
            terms: Arc::new(PlainTerms),
            hooks: self.server.clone(),
            settings,
            stop: Stop::default(),
        }
    }

    /// An approved execution.
    async fn approved(&self, plan: &Plan) -> ExecutionId {
        fixture::resources(&self.test, plan).await;
        let id = fixture::approved(&self.test, plan).await;
        self.server.plans.lock().unwrap().insert(id, plan.hash().unwrap());
        id
    }

    async fn claim(&self, engine: &Engine) -> Claimed {
        let settings = &engine.settings;
        let claimed = store::claim(&engine.db, &settings.worker, settings.lease_ttl).await;
        claimed.unwrap().expect("something is free to be claimed")
    }

    /// One worker's turn at the next execution.
    async fn turn(&self, engine: &Engine) -> Result<Ended, Error> {
        let claimed = self.claim(engine).await;
        let clearance = self.server.clear(&claimed);
        let engine = Arc::new(engine.clone());
        Box::pin(engine.run(clearance, claimed)).await
    }

    /// Runs a fresh execution of this plan to its end.
    async fn run(&self, plan: &Plan) -> (ExecutionId, Ended) {
        let id = self.approved(plan).await;
        let ended = self.turn(&self.engine("worker")).await.unwrap();
        (id, ended)
    }
}

const fn finished(state: ExecutionState) -> Ended {
    Ended::Finished(state)
}
