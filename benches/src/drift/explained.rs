//! Why it drifted: a scan of an estate in which everything drifted, told to the released server,
//! which explains each drift among what happened around it and keeps what it concluded.

mod happened;
mod store;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use model::Timestamp;
use serde_json::{Value, json};
use tokio::process::Command;

use super::estate::Estate;
use super::files::{self, Shape, Side};
use super::word;
use crate::deployment::{Api, Postgres, Service, text};
use crate::profile::{self, System};
use crate::report::Report;
use crate::setting::Setting;
use crate::stats::{median, number, shown};
use crate::store::Admin;
use store::Kept;

/// Drifts of a scan, and what happened around them.
const DRIFTS: usize = 50_000;
const EVENTS: usize = 200_000;
/// What the issue allows for both, in seconds.
const GOAL: f64 = 60.0;
/// How many rounds there are at most: each tells 50,000 findings.
const ROUNDS: usize = 3;
/// How long a scan may take to be explained at all.
const PATIENCE: Duration = Duration::from_secs(900);
/// How many bytes of lines go in one request: as many as `drift scan --record` sends.
const BYTES_AT_ONCE: usize = 4 << 20;

/// What is measured, and as whom.
struct Ground<'a> {
    setting: &'a Setting,
    postgres: &'a Postgres,
    service: &'a Service,
    admin: &'a Admin,
    api: &'a Api,
    environment: String,
    /// What the product's own scan of the two states printed, for its server.
    lines: PathBuf,
}

/// CPU and wall seconds of a piece of work.
#[derive(Debug, Clone, Copy)]
struct Spent {
    wall: f64,
    ours: f64,
    database: f64,
}

/// A scan, told and explained.
#[derive(Debug)]
struct Once {
    told: Spent,
    explained: Spent,
    kept: Kept,
    /// Findings with a planted event, and those that have it in the first place.
    planted: usize,
    first: usize,
}

/// Measures it on a database of its own.
pub(crate) async fn measure(setting: &Setting, report: &mut Report, dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let (drifts, events) = if setting.quick { (2_000, 8_000) } else { (DRIFTS, EVENTS) };
    let estate = Estate { size: drifts, every: 1 };
    let lines = scanned(setting, dir, estate).await?;
    let postgres = Postgres::start_watched(&dir.join("pg")).await?;
    let admin = crate::store::admin(postgres.admin_url())?;
    let service = Service::start(setting, &dir.join("server"), Some(postgres.url())).await?;
    let people = service.administrator().await?;
    let (key, _) = people.key("scanner", &["admin"]).await?;
    let api = people.with(&key);
    let environment = json!({"name": "Live", "slug": "live", "class": "prod"});
    let environment = api.post("/environments", environment).await?;
    let ground = Ground {
        setting,
        postgres: &postgres,
        service: &service,
        admin: &admin,
        api: &api,
        environment: text(&environment, "id")?.to_owned(),
        lines,
    };
    ground.surround(estate, events).await?;
    let mut rounds = Vec::new();
    for round in 0..setting.runs().min(ROUNDS) {
        let source = ground.source(&format!("shop-{round}")).await?;
        let once = ground.round(&source, estate).await?;
        eprintln!("{drifts} drifts, {events} events: {once:?}");
        rounds.push((source, once));
    }
    let last = rounds.last().map(|(source, _)| source.clone()).context("no round")?;
    let again = ground.round(&last, estate).await?;
    eprintln!("again: {again:?}");
    let rounds: Vec<Once> = rounds.into_iter().map(|(_, once)| once).collect();
    tell(report, (drifts, events), &rounds, &again);
    ground.watched(report, drifts).await?;
    service.end().await?;
    admin.close().await;
    postgres.stop().await;
    std::fs::remove_dir_all(dir)?;
    Ok(())
}

/// Two states of an estate in which everything drifted, compared by the product; gives what it
/// prints for a server.
async fn scanned(setting: &Setting, dir: &Path, estate: Estate) -> Result<PathBuf> {
    let (declared, live) = (dir.join("declared.tfstate"), dir.join("live.tfstate"));
    files::state(&declared, estate, Side::Declared, Shape::File)?;
    files::state(&live, estate, Side::Live, Shape::File)?;
    let lines = dir.join("lines");
    let ended = Command::new(&setting.program)
        .args(["drift", "scan", "--largest", "8192", "--report", "lines"])
        .arg(&declared)
        .args(["--against".to_owned(), word(&live)])
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&lines)?)
        .status()
        .await?;
    // 1 says that something drifted.
    if ended.code() != Some(1) {
        bail!("the scan ended with {ended}");
    }
    std::fs::remove_file(&declared)?;
    std::fs::remove_file(&live)?;
    Ok(lines)
}

impl Ground<'_> {
    /// Makes the estate known and tells what happened in it.
    async fn surround(&self, estate: Estate, events: usize) -> Result<()> {
        let resources = happened::resources(estate, &self.environment);
        self.lines("/resources/import", resources).await?;
        let now = Timestamp::from_millisecond(store::now(self.admin).await?)?;
        let all = happened::events(estate, events, now, &self.environment);
        self.lines("/change-events", all).await?;
        store::analyze(self.admin).await
    }

    async fn source(&self, name: &str) -> Result<String> {
        let source = json!({
            "environment_id": self.environment, "name": name, "branch": name, "tool": "terraform",
        });
        Ok(text(&self.api.post("/iac-repositories", source).await?, "id")?.to_owned())
    }

    /// Sends lines in requests of a size; none may be refused.
    async fn lines(&self, path: &str, lines: impl Iterator<Item = String>) -> Result<()> {
        let mut body = String::new();
        let mut lines = lines.peekable();
        while let Some(line) = lines.next() {
            body.push_str(&line);
            body.push('\n');
            if body.len() >= BYTES_AT_ONCE || lines.peek().is_none() {
                let said = self.api.lines(path, std::mem::take(&mut body)).await?;
                if said.get("refused").and_then(Value::as_u64) != Some(0) {
                    bail!("{path}: {said}");
                }
            }
        }
        Ok(())
    }

    /// Does something and says what it took.
    async fn spent<T>(&self, work: impl Future<Output = Result<T>>) -> Result<(Spent, T)> {
        let (ours, database) = (self.service.cpu(), self.postgres.cpu());
        let begin = Instant::now();
        let done = work.await?;
        let spent = Spent {
            wall: begin.elapsed().as_secs_f64(),
            ours: self.service.cpu() - ours,
            database: self.postgres.cpu() - database,
        };
        Ok((spent, done))
    }

    /// Begins a scan of a source and tells all its drifts; gives the scan and how it is to be ended.
    async fn tell(&self, source: &str) -> Result<(String, Value)> {
        let begun = json!({"iac_repository_id": source, "against": "document"});
        let scan = text(&self.api.post("/drift-scans", begun).await?, "id")?.to_owned();
        let printed = std::fs::read_to_string(&self.lines)?;
        let mut all: Vec<&str> = printed.lines().collect();
        let end = serde_json::from_str(all.pop().context("the scan said nothing")?)?;
        // The first line says what it was compared with.
        let drifts = all.into_iter().skip(1).map(str::to_owned);
        self.lines(&format!("/drift-scans/{scan}/drifts"), drifts).await?;
        Ok((scan, end))
    }

    /// Ends a scan, and waits until the server has explained it.
    async fn explain(&self, scan: &str, end: Value) -> Result<()> {
        self.api.post(&format!("/drift-scans/{scan}/finish"), end).await?;
        let begin = Instant::now();
        while !store::explained(self.admin, scan).await? {
            if begin.elapsed() > PATIENCE {
                bail!("the scan is not explained");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn round(&self, source: &str, estate: Estate) -> Result<Once> {
        crate::store::settle(self.admin).await?;
        let (told, (scan, end)) = self.spent(self.tell(source)).await?;
        let (explained, ()) = self.spent(self.explain(&scan, end)).await?;
        let kept = store::kept(self.admin, &scan).await?;
        if kept.findings != estate.size || !kept.whole() {
            bail!("not all of {} drifts are explained whole: {kept:?}", estate.size);
        }
        let planted: BTreeMap<String, String> = happened::planted(estate).collect();
        let surest = store::surest(self.admin, &scan).await?;
        let first = planted.iter().filter(|(address, id)| surest.get(*address) == Some(*id));
        let first = first.count();
        if first != planted.len() {
            let wrong = planted.iter().find(|(address, id)| surest.get(*address) != Some(*id));
            let found = wrong.and_then(|(address, _)| surest.get(address));
            bail!("{first} of {} planted events come first: {wrong:?}, {found:?}", planted.len());
        }
        Ok(Once { told, explained, kept, planted: planted.len(), first })
    }

    /// Where the time of explaining goes, in a run of its own.
    async fn watched(&self, report: &mut Report, drifts: usize) -> Result<()> {
        let source = self.source("watched").await?;
        let (scan, end) = self.tell(&source).await?;
        let system = System { postgres: self.postgres, service: self.service };
        profile::watch(self.setting, report, "a drift explained", system, async {
            self.explain(&scan, end).await?;
            Ok(drifts as f64)
        })
        .await
    }
}

fn tell(report: &mut Report, sizes: (usize, usize), rounds: &[Once], again: &Once) {
    report.text_line(&how(sizes, rounds));
    let row = |what: &str, pick: fn(&Once) -> Spent, of: &[Once]| {
        let each =
            |part: fn(Spent) -> f64| of.iter().map(|once| part(pick(once))).collect::<Vec<_>>();
        vec![
            what.to_owned(),
            shown(&each(|spent| spent.wall)),
            shown(&each(|spent| spent.ours)),
            shown(&each(|spent| spent.database)),
        ]
    };
    let again = std::slice::from_ref(again);
    report.table(
        &["", "wall s", "our CPU s", "PostgreSQL's CPU s"],
        &[
            row("told", |once| once.told, rounds),
            row("explained", |once| once.explained, rounds),
            row("told again", |once| once.told, again),
            row("explained again", |once| once.explained, again),
        ],
    );
    goals(report, sizes, rounds);
}

/// What was done, in words.
fn how((drifts, events): (usize, usize), rounds: &[Once]) -> String {
    let mut kept = String::new();
    if let Some(Once { kept: last, .. }) = rounds.last() {
        let causes = last.causes.iter().map(|(cause, count)| format!("{cause} {count}"));
        kept = format!(
            " Of each scan {} correlations and {} contexts are kept. Causes: {}.",
            number(last.correlations as f64),
            number(last.contexts as f64),
            causes.collect::<Vec<_>>().join(", "),
        );
    }
    let drifts = number(drifts as f64);
    format!(
        "**Why it drifted.** A scan of {drifts} resources that all drifted, told to the released \
         server by its API in {} rounds, each as another source's, among {} events (calls as \
         CloudTrail records them, commits, deployments, tickets, incidents, maintenances, findings \
         of security) and the {drifts} resources of the estate, told the same way. Three fifths of \
         the drifts were made by a call that is among the events, a fifth by a deployment, a tenth \
         by a commit; the rest have at most their service or the environment in common with \
         something. *Told*: the findings with their properties and severity are kept, until the \
         last request is answered. *Explained*: from ending the scan until its job is done; cause \
         with factors, what belongs to it with scores and offsets, what was going on, what to do, \
         features for models, and the audit events are kept. *Again* is the last scan told once \
         more, of which nothing new is to be said. After every round each finding was seen to \
         have its cause, severity and advice, and the event that made it in the first place.{kept}",
        rounds.len(),
        number(events as f64),
    )
}

fn goals(report: &mut Report, (drifts, events): (usize, usize), rounds: &[Once]) {
    let of = |pick: fn(&Once) -> f64| median(&rounds.iter().map(pick).collect::<Vec<_>>());
    let wall = of(|once| once.explained.wall);
    let cpu = of(|once| once.explained.ours + once.explained.database);
    let what = format!(
        "{} drifts explained among {} events, and stored,",
        number(drifts as f64),
        number(events as f64)
    );
    report.goal(
        "drift",
        &format!("{what} < 60 s"),
        format!("{} s ({} CPU-s, database included)", number(wall), number(cpu)),
        wall < GOAL,
    );
    let whole = of(|once| once.told.wall + once.explained.wall);
    report.goal(
        "drift",
        &format!("{what} with the findings told, judged and recorded < 60 s"),
        format!("{} s", number(whole)),
        whole < GOAL,
    );
    let planted: usize = rounds.iter().map(|once| once.planted).sum();
    let first: usize = rounds.iter().map(|once| once.first).sum();
    report.goal(
        "drift",
        "every drift explained whole, the event that made it in the first place",
        format!("{first} of {planted}"),
        first == planted,
    );
}
