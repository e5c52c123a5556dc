//! One process of the service: its tasks, its listener, and an orderly end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use act::decide::RunbookTerms;
use act::engine::{Engine, Settings};
use act::worker::Worker;
use api::App;
use connect::Outbound;
use db::jobs;
use db::pause::spread;
use db::wake::Topic;
use model::audit::Who;
use model::connector::Connector;
use prove::api::PublishedLogs;
use prove::keys::Keyring;
use prove::lag::Limit;
use prove::publish::Publisher;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::cycle::{self, Loop, LoopHooks, SealedLogins};
use crate::demo::DemoEstate;
use crate::events::Stopping;
use crate::health::Health;
use crate::router::{router, without_api};
use crate::standing;
use crate::tasks::Tasks;

/// What is taken, one after another.
const TAKEN: &[&str] = &[cycle::ASSESS, cycle::EXPLAIN, cycle::REMEDY];

/// Connections and channels tested at the same time.
const TESTED_AT_ONCE: usize = 4;

/// How long a job may take before somebody else may take it.
const JOB_LEASE: Duration = Duration::from_secs(60);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duties {
    /// Carry out executions and jobs.
    pub work: Duty,
    /// Sequence and sign the audit log, expire approvals.
    pub keep: Duty,
    /// Answer requests. A process that does not says only whether it lives and is ready.
    pub answer: Duty,
}

/// Whether a process does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// It does.
    Yes,
    /// Others do.
    No,
}

/// Times and numbers of a process.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// Executions at the same time.
    pub capacity: usize,
    /// Jobs at the same time.
    pub job_workers: usize,
    /// How long a lease lasts without renewal.
    pub lease_ttl: Duration,
    /// How often it is renewed.
    pub heartbeat: Duration,
    /// How long to wait before looking for work unasked.
    pub poll: Duration,
    /// How much output of a step is kept, stdout and stderr each, in bytes.
    pub output_cap: usize,
    /// How long the process goes on answering once it is told to stop, saying that it wants no
    /// more work, so that whoever spreads requests notices.
    pub drain: Duration,
    /// How far the audit log may be behind before nothing is started that changes something.
    pub audit: Limit,
    /// How long running requests and tasks may take once the process is told to stop, the drain
    /// included.
    pub grace: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            capacity: 64,
            job_workers: 4,
            lease_ttl: Duration::from_secs(30),
            heartbeat: Duration::from_secs(10),
            poll: Duration::from_secs(2),
            output_cap: 16 << 20,
            drain: Duration::ZERO,
            audit: Limit::default(),
            grace: Duration::from_secs(20),
        }
    }
}

/// Everything a process is put together from.
#[derive(Debug)]
pub struct Parts {
    /// What handlers share.
    pub app: App,
    /// The keys decisions are signed with.
    pub decisions: Keyring,
    /// Who publishes the audit log.
    pub publisher: Arc<Publisher>,
    /// The one way out over HTTP; handlers have it as an extension.
    pub outbound: Outbound,
    /// Connectors by transport.
    pub connectors: BTreeMap<String, Arc<dyn Connector>>,
    /// What this process is called in leases.
    pub name: String,
    /// What it does.
    pub duties: Duties,
    /// Its times and numbers.
    pub tuning: Tuning,
    /// The hosts that were brought up beside it to try it on.
    pub demo: DemoEstate,
}

/// Serves until `stop`, then ends in order: no new work, then no new requests, then nothing.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    parts: Parts,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let (drain, grace) = (parts.tuning.drain, parts.tuning.grace);
    let health = Health::default();
    let cycle = Loop::limited(parts.app.clone(), parts.decisions, parts.tuning.audit);
    let who = Who::service();
    let mut tasks = Tasks::default();
    if parts.duties.work == Duty::Yes {
        let ways = (&parts.connectors, &parts.outbound);
        work(&mut tasks, (&cycle, &who), ways, (&parts.name, &parts.tuning));
    }
    let (db, seen, limit) = (parts.app.db.clone(), health.clone(), parts.tuning.audit);
    tasks.spawn("standing", move |stop| standing::watch(db.clone(), seen.clone(), limit, stop));
    if parts.duties.keep == Duty::Yes {
        keep(&mut tasks, &parts.app, &parts.publisher, who);
    }
    let (app, every) = (parts.app.clone(), parts.tuning.heartbeat);
    tasks.spawn("clock", move |stop| clock::watch(app.clone(), every, stop));
    let logs = PublishedLogs {
        deployment: parts.publisher.deployment.clone(),
        directory: parts.publisher.logs.clone(),
        signer: parts.publisher.signer.state().clone(),
    };
    let routes = match parts.duties.answer {
        Duty::Yes => router(&cycle, health.clone(), logs),
        Duty::No => without_api(parts.app.clone(), health.clone()),
    };
    let routes = routes
        .layer(axum::Extension(Stopping(stop.clone())))
        .layer(axum::Extension(parts.outbound))
        .layer(axum::Extension(parts.demo))
        .into_make_service_with_connect_info::<SocketAddr>();
    let closing = CancellationToken::new();
    let served =
        axum::serve(listener, routes).with_graceful_shutdown(closing.clone().cancelled_owned());
    let ending = async {
        stop.cancelled().await;
        let over = tokio::time::Instant::now() + grace;
        health.stop();
        // No new work first; who asks meanwhile still gets an answer.
        tokio::join!(tasks.stop(grace), tokio::time::sleep(drain.min(grace)));
        closing.cancel();
        // Watchers of event streams do not leave by themselves: they get what is left of it.
        tokio::time::sleep_until(over).await;
    };
    tokio::select! {
        result = served => result,
        () = ending => Ok(()),
    }
}

/// Executions and jobs.
fn work(
    tasks: &mut Tasks,
    (cycle, who): (&Loop, &Who),
    (connectors, outbound): (&Connectors, &Outbound),
    (name, tuning): (&str, &Tuning),
) {
    let app = cycle.app();
    let worker = worker(app, cycle, connectors, who, (name, tuning));
    tasks.spawn("executions", move |stop| {
        let worker = worker.clone();
        async move { worker.run(stop).await }
    });
    let poll = tuning.poll;
    for _ in 0..tuning.job_workers {
        let (cycle, name) = (cycle.clone(), name.to_owned());
        tasks.spawn("jobs", move |stop| take_jobs(cycle.clone(), name.clone(), poll, stop));
    }
    let test = (app.clone(), (connectors.clone(), outbound.clone()), name.to_owned());
    tasks.spawn("tests", move |stop| test_for_people(test.clone(), poll, stop));
    let times = (poll, tuning.lease_ttl);
    let (app, keeper) = (app.clone(), name.to_owned());
    tasks.spawn("keys", move |stop| rotate_keys(app.clone(), keeper.clone(), times, stop));
    let sources = (cycle.clone(), outbound.clone(), name.to_owned());
    tasks.spawn("sources", move |stop| read_sources(sources.clone(), times, stop));
}

/// The audit log, the archive, and what time alone brings about.
fn keep(tasks: &mut Tasks, app: &App, publisher: &Arc<Publisher>, who: Who) {
    let (db, published) = (app.db.clone(), Arc::clone(publisher));
    tasks.spawn("audit", move |stop| {
        let (db, publisher) = (db.clone(), Arc::clone(&published));
        async move { prove::sequence::task::run(db, publisher, stop.cancelled_owned()).await }
    });
    let db = app.db.clone();
    tasks.spawn("sweep", move |stop| cycle::sweep(db.clone(), who.clone(), stop));
    let (app, publisher) = (app.clone(), Arc::clone(publisher));
    tasks.spawn("archive", move |stop| {
        cycle::retire::retire(
            app.db.clone(),
            Arc::clone(&app.objects),
            Arc::clone(&publisher),
            stop,
        )
    });
}

fn worker(
    app: &App,
    cycle: &Loop,
    connectors: &BTreeMap<String, Arc<dyn Connector>>,
    who: &Who,
    (name, tuning): (&str, &Tuning),
) -> Worker {
    let settings = Settings {
        lease_ttl: tuning.lease_ttl,
        heartbeat: tuning.heartbeat,
        poll: tuning.poll,
        output_cap: tuning.output_cap,
        ..Settings::new(name.to_owned(), who.clone())
    };
    let engine = Engine {
        db: app.db.clone(),
        connectors: connectors.clone(),
        objects: Arc::clone(&app.objects),
        logins: Arc::new(SealedLogins::new(app.clone(), who.clone())),
        terms: Arc::new(RunbookTerms),
        hooks: Arc::new(LoopHooks { cycle: cycle.clone(), who: who.clone() }),
        settings,
    };
    Worker { engine: Arc::new(engine), capacity: tuning.capacity }
}

/// Takes jobs one after another until told to stop.
async fn take_jobs(cycle: Loop, name: String, poll: Duration, stop: CancellationToken) {
    let db = cycle.app().db.clone();
    let mut waker = db.waker(Topic::Jobs);
    while !stop.is_cancelled() {
        match jobs::claim(&db, &name, JOB_LEASE, TAKEN).await {
            Ok(Some(job)) => take(&cycle, &job).await,
            Ok(None) => {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = waker.wait(spread(poll)) => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no job could be claimed");
                waker.wait(spread(poll)).await;
            }
        }
    }
}

/// Connectors by transport.
type Connectors = BTreeMap<String, Arc<dyn Connector>>;

/// Tests connections and channels for people who wait, several at a time, until told to stop: nobody waits behind
/// work of another kind.
async fn test_for_people(
    (app, ways, name): (App, (Connectors, Outbound), String),
    poll: Duration,
    stop: CancellationToken,
) {
    let mut waker = app.db.waker(Topic::Jobs);
    let mut under_way = JoinSet::new();
    while !stop.is_cancelled() {
        while under_way.try_join_next().is_some() {}
        if under_way.len() >= TESTED_AT_ONCE {
            under_way.join_next().await;
        }
        match jobs::claim(&app.db, &name, JOB_LEASE, &[cycle::REACH, cycle::DELIVER]).await {
            Ok(Some(job)) => {
                let (app, ways) = (app.clone(), ways.clone());
                under_way.spawn(async move { test(&app, &ways, &job).await });
            }
            Ok(None) => {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = waker.wait(spread(poll)) => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no test of a connection or a channel could be claimed");
                waker.wait(spread(poll)).await;
            }
        }
    }
}

/// Makes one test of either kind.
async fn test(app: &App, (connectors, outbound): &(Connectors, Outbound), job: &jobs::Claimed) {
    if job.subject == cycle::DELIVER {
        if let Err(error) = cycle::deliver(app, outbound, job).await {
            failed(app, job, &error).await;
        }
    } else if let Err(error) = cycle::reach(app, connectors, job).await {
        failed(app, job, &error).await;
    }
}

/// Carries rotations of keys out, one after another, until told to stop: in the middle of one, it
/// is left to the next worker.
async fn rotate_keys(
    app: App,
    name: String,
    (poll, lease_ttl): (Duration, Duration),
    stop: CancellationToken,
) {
    let mut waker = app.db.waker(Topic::Jobs);
    while !stop.is_cancelled() {
        match jobs::claim(&app.db, &name, lease_ttl, &[cycle::ROTATE]).await {
            Ok(Some(job)) => {
                let rotated = stop.run_until_cancelled(cycle::rotate(&app, &job, lease_ttl)).await;
                if let Some(Err(error)) = rotated {
                    failed(&app, &job, &error).await;
                }
            }
            Ok(None) => {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = waker.wait(spread(poll)) => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no rotation of keys could be claimed");
                waker.wait(spread(poll)).await;
            }
        }
    }
}

/// Reads sources and compares them with what is there, one after another, until told to stop: in
/// the middle of one, it is left to the next worker.
async fn read_sources(
    (cycle, outbound, name): (Loop, Outbound, String),
    (poll, lease_ttl): (Duration, Duration),
    stop: CancellationToken,
) {
    let app = cycle.app().clone();
    let mut waker = app.db.waker(Topic::Jobs);
    while !stop.is_cancelled() {
        match jobs::claim(&app.db, &name, lease_ttl, &crate::cycle::source::SUBJECTS).await {
            Ok(Some(job)) => {
                let work = crate::cycle::source::work(&cycle, &outbound, &job, lease_ttl);
                if let Some(Err(error)) = stop.run_until_cancelled(Box::pin(work)).await {
                    failed(&app, &job, &error).await;
                }
            }
            Ok(None) => {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = waker.wait(spread(poll)) => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no source could be claimed");
                waker.wait(spread(poll)).await;
            }
        }
    }
}

async fn take(cycle: &Loop, job: &jobs::Claimed) {
    let done = match job.subject.as_str() {
        cycle::EXPLAIN => cycle::explain(&cycle.app().db, job).await,
        cycle::REMEDY => Box::pin(cycle::follow(cycle, job)).await,
        _ => cycle::assess(cycle, job).await,
    };
    if let Err(error) = done {
        failed(cycle.app(), job, &error).await;
    }
}

/// Notes why a job failed.
async fn failed(app: &App, job: &jobs::Claimed, error: &(dyn std::error::Error + Sync)) {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        chain.push_str(": ");
        chain.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::warn!(job = %job.id, error = chain, "a job failed");
    if let Err(error) = job.fail(&app.db, &chain).await {
        tracing::warn!(job = %job.id, %error, "the failure of a job could not be noted");
    }
}
