//! O3: this program and the one before it on one database, whose schema is this one's. Both answer,
//! both work, and each is killed again and again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::checker::assert_holds;
use super::deployment::{Deployment, word};
use super::process::{Log, Process, Setup};
use super::runbooks::{Step, runbook};
use super::until;

/// Where the program before this one is; `make chaos` builds it.
const BEFORE: &str = "COUNTERSIGN_BEFORE";
/// For how long, in seconds; ten minutes when it is not said.
const SECONDS: &str = "COUNTERSIGN_O3_SECONDS";

/// Between two requests of one kind: what is asked for is also to be done meanwhile.
const PACE: Duration = Duration::from_millis(1500);
/// Between two looks at what is to be approved, and two reads.
const LOOK: Duration = Duration::from_millis(200);
/// Answers nobody gets in time are no answers.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What lists the two versions are asked for all the time.
const LISTS: [&str; 9] = [
    "/alerts",
    "/approvals",
    "/audit/events",
    "/decisions",
    "/executions",
    "/findings",
    "/intents",
    "/resources",
    "/runbooks",
];

/// The doors of both versions, this one's first, and what went wrong behind them.
struct Doors {
    urls: Mutex<[String; 2]>,
    http: reqwest::Client,
    answers: [AtomicUsize; 2],
    broken_off: AtomicUsize,
    faults: Mutex<Vec<String>>,
    turn: AtomicUsize,
    over: AtomicBool,
}

impl Doors {
    fn new() -> Self {
        Self {
            urls: Mutex::default(),
            http: reqwest::Client::builder().timeout(TIMEOUT).build().expect("a client"),
            answers: [AtomicUsize::new(0), AtomicUsize::new(0)],
            broken_off: AtomicUsize::new(0),
            faults: Mutex::default(),
            turn: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        }
    }

    fn opened(&self, version: usize, url: String) {
        self.urls.lock().unwrap_or_else(PoisonError::into_inner)[version] = url;
    }

    fn fault(&self, what: String) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Asks one version, the next time the other; nothing when it was killed meanwhile.
    async fn ask(
        &self,
        who: &str,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        let version = self.turn.fetch_add(1, Ordering::Relaxed) % 2;
        let url = self.urls.lock().unwrap_or_else(PoisonError::into_inner)[version].clone();
        let url = format!("{url}/api/v1{path}");
        let request = match body {
            Some(body) => self.http.post(url).json(body),
            None => self.http.get(url),
        };
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        let sent = async {
            let response = request.bearer_auth(who).send().await?;
            let status = response.status().as_u16();
            Ok::<_, reqwest::Error>((status, response.bytes().await?))
        };
        let Ok((status, bytes)) = sent.await else {
            self.broken_off.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        self.answers[version].fetch_add(1, Ordering::Relaxed);
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status >= 500 {
            self.fault(format!("version {version}: {path}: {status} {body:#}"));
        }
        Some((status, body))
    }

    /// Asks until somebody answers.
    async fn insist(&self, who: &str, path: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
        until("an answer", async || self.ask(who, path, key, Some(body)).await).await
    }
}

/// What was asked for.
#[derive(Debug, Default)]
struct Asked {
    /// Runs that were promised.
    promised: usize,
    /// Runs nobody can say of whether they were asked for: whoever took them was killed.
    unknown: usize,
}

/// Asks for runs; a repetition says which run it repeats.
async fn runs(doors: &Doors, deployment: &Deployment, book: &str) -> Asked {
    let mut asked = Asked::default();
    let (path, body) = (format!("/runbooks/{book}/run"), json!({"targets": ["host"]}));
    for number in 0.. {
        if doors.is_over() {
            break;
        }
        let key = format!("run-{number}");
        match doors.insist(&deployment.operator, &path, Some(&key), &body).await {
            (200..300, _) => asked.promised += 1,
            (409, _) => asked.unknown += 1,
            (status, answer) => doors.fault(format!("{path}: {status} {answer:#}")),
        }
        tokio::time::sleep(PACE).await;
    }
    asked
}

/// Sends alerts, each to both versions.
async fn alerts(doors: &Doors, deployment: &Deployment) -> usize {
    for number in 0.. {
        if doors.is_over() {
            return number;
        }
        let group = json!({"version": "4", "alerts": [{
            "status": "firing", "startsAt": "2026-03-01T10:00:00Z",
            "fingerprint": format!("{number:016x}"),
            "labels": {"alertname": "Broken", "instance": "host", "severity": "critical"},
        }]});
        for _ in 0..2 {
            let path = "/hooks/alertmanager";
            let (status, answer) = doors.insist(&deployment.operator, path, None, &group).await;
            if status != 200 {
                doors.fault(format!("{path}: {status} {answer:#}"));
            }
        }
        tokio::time::sleep(PACE).await;
    }
    0
}

/// Approves whatever waits for it.
async fn approvals(doors: &Doors, deployment: &Deployment) {
    let who = &deployment.approver;
    while !doors.is_over() {
        let pending = doors.ask(who, "/approvals?status=pending", None, None).await;
        let items = pending.map(|(_, page)| page["items"].clone()).unwrap_or_default();
        for approval in items.as_array().into_iter().flatten() {
            let path = format!("/approvals/{}/approve", word(approval, "id"));
            let vote = doors.ask(who, &path, None, Some(&json!({"note": "go"}))).await;
            // Of two votes the second may come too late.
            if let Some((status, answer)) = vote
                && ![200, 409].contains(&status)
            {
                doors.fault(format!("{path}: {status} {answer:#}"));
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Reads what there is, all the time.
async fn reads(doors: &Doors, deployment: &Deployment) {
    for path in LISTS.iter().cycle() {
        if doors.is_over() {
            return;
        }
        if let Some((status, answer)) = doors.ask(&deployment.admin, path, None, None).await
            && status != 200
        {
            doors.fault(format!("{path}: {status} {answer:#}"));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A version's process, and what its processes said.
struct Replica<'a> {
    setup: Setup<'a>,
    process: Process,
    logs: Vec<Log>,
    /// All its processes: what they claim with is named after them.
    ids: Vec<u32>,
}

impl<'a> Replica<'a> {
    async fn start(setup: Setup<'a>, doors: &Doors, version: usize) -> Self {
        let mut process = setup.spawn();
        doors.opened(version, process.ready().await);
        let logs = vec![process.log.clone()];
        let ids = vec![process.id()];
        Self { setup, process, logs, ids }
    }

    async fn killed(&mut self, doors: &Doors, version: usize) {
        self.process.kill().await;
        self.process = self.setup.spawn();
        self.logs.push(self.process.log.clone());
        self.ids.push(self.process.id());
        doors.opened(version, self.process.ready().await);
    }
}

/// Kills one version and then the other, until the time is over; then nobody asks for more.
async fn chaos(doors: &Doors, replicas: &mut [Replica<'_>; 2], time: Duration) -> usize {
    let (started, mut kills) = (Instant::now(), 0);
    while started.elapsed() < time {
        // Now and then sooner than anything is under way again.
        tokio::time::sleep(Duration::from_millis([2500, 700, 4000][kills % 3])).await;
        let version = kills % 2;
        replicas[version].killed(doors, version).await;
        kills += 1;
    }
    doors.over.store(true, Ordering::Relaxed);
    kills
}

/// Whether, for the moment, nothing is to be done.
async fn at_rest(deployment: &Deployment) -> bool {
    sqlx::query_scalar(
        "SELECT NOT EXISTS (
           SELECT 1 FROM countersign.executions
           WHERE state NOT IN ('completed', 'failed', 'rolled_back', 'rollback_failed', 'cancelled',
             'needs_human'))
         AND NOT EXISTS (SELECT 1 FROM countersign.alerts WHERE NOT analyzed)",
    )
    .fetch_one(deployment.test.admin())
    .await
    .unwrap()
}

async fn count(deployment: &Deployment, sql: &'static str) -> usize {
    let count: i64 = sqlx::query_scalar(sql).fetch_one(deployment.test.admin()).await.unwrap();
    usize::try_from(count).unwrap()
}

async fn prepared(deployment: &Deployment) -> String {
    let account = deployment.call(&deployment.operator, "/account", None).await.1;
    let source = json!({
        "name": "am", "kind": "alertmanager", "actor_id": account["actor_id"],
    });
    deployment.post(&deployment.admin, "/alert-sources", &source).await;
    let rule = json!({"name": "all", "action": "auto_analyze"});
    deployment.post(&deployment.admin, "/alert-rules", &rule).await;
    let steps = [Step::act("one"), Step::act("two"), Step::check("check").with_evidence()];
    let repair = runbook("repair", &deployment.effects(), &steps);
    let trigger = "mode: semi_auto\ntriggers:\n  - name: Broken\n    \
                   alert_name_pattern: \"Broken*\"\n    cooldown_seconds: 0\n";
    deployment.runbook(&format!("{repair}{trigger}")).await;
    deployment.runbook(&runbook("asked for", &deployment.effects(), &steps)).await
}

/// The program before this one, if there is one to be had.
fn before() -> Option<PathBuf> {
    std::env::var_os("COUNTERSIGN_CHAOS")?;
    std::env::var_os(BEFORE).map(PathBuf::from)
}

fn seconds() -> u64 {
    let given = std::env::var_os(SECONDS).and_then(|text| text.to_str()?.parse().ok());
    given.unwrap_or(600)
}

#[tokio::test]
async fn o3_this_program_and_the_one_before_it_work_together_through_kills() {
    let Some(before) = before() else {
        println!("not run: set COUNTERSIGN_CHAOS and {BEFORE}, or use `make chaos`");
        return;
    };
    let mut deployment = Deployment::start().await;
    let book = prepared(&deployment).await;
    deployment.api.stop().await;
    let doors = Doors::new();
    let whole = |binary: Option<&'static Path>| Setup { program: binary, ..deployment.whole() };
    let before: &'static Path = Box::leak(before.into_boxed_path());
    let mut replicas = [
        Replica::start(whole(None), &doors, 0).await,
        Replica::start(whole(Some(before)), &doors, 1).await,
    ];
    let time = Duration::from_secs(seconds());
    let (kills, asked, sent, (), ()) = tokio::join!(
        chaos(&doors, &mut replicas, time),
        runs(&doors, &deployment, &book),
        alerts(&doors, &deployment),
        approvals(&doors, &deployment),
        reads(&doors, &deployment),
    );
    // What was asked for is done, with both at work.
    doors.over.store(false, Ordering::Relaxed);
    tokio::join!(approvals(&doors, &deployment), async {
        until("the rest to be done", async || at_rest(&deployment).await.then_some(())).await;
        doors.over.store(true, Ordering::Relaxed);
    });
    let [this, older] = &doors.answers;
    println!(
        "O3: {} s, {kills} kills, {sent} alerts, {asked:?}; answers: {} and {}, broken off: {}",
        time.as_secs(),
        this.load(Ordering::Relaxed),
        older.load(Ordering::Relaxed),
        doors.broken_off.load(Ordering::Relaxed),
    );
    let faults = std::mem::take(&mut *doors.faults.lock().unwrap_or_else(PoisonError::into_inner));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(kills > 1 && sent > 0 && asked.promised > 0);

    // Nothing lost, nothing doubled.
    let findings = count(&deployment, "SELECT count(*) FROM countersign.findings").await;
    assert_eq!(findings, sent, "each alert is one finding");
    let made = count(&deployment, "SELECT count(*) FROM countersign.executions").await;
    let (least, most) = (sent + asked.promised, sent + asked.promised + asked.unknown);
    assert!((least..=most).contains(&made), "{made} executions; {sent} alerts, {asked:?}");
    let sql = "SELECT count(*) FROM countersign.executions WHERE state = 'completed'";
    assert_eq!(count(&deployment, sql).await, made, "each came to its end");
    // A check only reads, and may be repeated.
    let acts = deployment.lines().into_iter().filter(|line| line[1] != "check").count();
    assert_eq!(acts, 2 * made, "each step took effect once");
    let owners: Vec<String> = sqlx::query_scalar("SELECT DISTINCT owner FROM public.claims")
        .fetch_all(deployment.test.admin())
        .await
        .unwrap();
    for (version, replica) in replicas.iter().enumerate() {
        let claimed = owners
            .iter()
            .any(|owner| replica.ids.iter().any(|id| owner.contains(&format!("-{id}-"))));
        let answered = doors.answers[version].load(Ordering::Relaxed);
        assert!(claimed && answered > 0, "version {version} did nothing: {owners:?}, {answered}");
    }
    assert_holds(&deployment, "O3").await;
    let mut errors = Vec::new();
    for (version, replica) in replicas.iter_mut().enumerate() {
        replica.process.stop().await;
        for log in &replica.logs {
            let text = log.text();
            let said = text.lines().filter(|line| line.contains("ERROR"));
            errors.extend(said.map(|line| format!("version {version} said: {line}")));
        }
    }
    assert!(errors.is_empty(), "{} errors:\n{}", errors.len(), errors.join("\n"));
}
