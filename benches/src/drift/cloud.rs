//! A scan of what is live: a server that speaks AWS's protocols, and a state that names most of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tokio::process::Command;

use super::word;
use crate::process::{self, Running};
use crate::report::Report;
use crate::setting::Setting;
use crate::stats::{median, number, shown};

/// How many resources there are.
const LIVE: usize = 1_000;
/// One in this many is in no state.
const UNDECLARED: usize = 10;

/// Of each type of Terraform's the ids there are.
type Ids = BTreeMap<String, Vec<String>>;

/// One scan.
struct Once {
    wall: f64,
    /// Ours.
    cpu: f64,
    /// The server's.
    server: f64,
    requests: usize,
}

/// The server and what is in it.
struct Cloud {
    server: Running,
    url: String,
    log: PathBuf,
}

impl Cloud {
    /// Starts the server; Python with it is found, or installed, by `scripts/moto`.
    async fn start(setting: &Setting, dir: &Path) -> Result<Self> {
        let log = dir.join("server.log");
        let server = ["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"];
        let mut server = Running::start(&python(setting), &log, &server, &[])?;
        // Installing it may take a while.
        for _ in 0..3_000 {
            let told = std::fs::read_to_string(&log)?;
            let url =
                told.lines().find_map(|line| line.split_once("Running on ")?.1.split(' ').next());
            if let Some(url) = url {
                return Ok(Self { url: url.trim().to_owned(), server, log });
            }
            if server.ended()? {
                bail!("the server ended: {told}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the server does not start")
    }

    /// How many requests it has answered.
    fn requests(&self) -> Result<usize> {
        Ok(std::fs::read_to_string(&self.log)?.matches(" HTTP/1.1\" ").count())
    }
}

fn python(setting: &Setting) -> PathBuf {
    setting.peers.join("../../scripts/moto")
}

/// Scans an account against a state that names nine tenths of what is there.
pub(crate) async fn measure(setting: &Setting, report: &mut Report, dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let count = if setting.quick { LIVE / 10 } else { LIVE };
    let cloud = Cloud::start(setting, dir).await?;
    let made = Command::new(python(setting))
        .arg(setting.peers.join("drift_cloud.py"))
        .args([&cloud.url, &count.to_string()])
        .output()
        .await?;
    if !made.status.success() {
        bail!("the account was not made: {}", String::from_utf8_lossy(&made.stderr));
    }
    let ids: Ids = serde_json::from_slice(&made.stdout)?;
    let live: usize = ids.values().map(Vec::len).sum();
    let state = dir.join("terraform.tfstate");
    let undeclared = declare(&state, &ids)?;
    let mut runs = Vec::new();
    for _ in 0..setting.runs() {
        let once = scan(setting, &cloud, &state, &undeclared).await?;
        eprintln!(
            "{live} live: {:.2} s, {:.3} s CPU, {:.2} s of the server, {} requests",
            once.wall, once.cpu, once.server, once.requests
        );
        runs.push(once);
    }
    cloud.server.end().await?;
    tell(report, (live, undeclared.len(), ids.len()), &runs);
    Ok(())
}

/// Writes a state that leaves some out; gives their ids.
fn declare(path: &Path, ids: &Ids) -> Result<BTreeSet<String>> {
    let (mut blocks, mut undeclared) = (Vec::new(), BTreeSet::new());
    for (kind, ids) in ids {
        for (place, id) in ids.iter().enumerate() {
            if place % UNDECLARED == UNDECLARED / 2 {
                undeclared.insert(id.clone());
                continue;
            }
            blocks.push(json!({
                "mode": "managed", "type": kind, "name": format!("r{place}"),
                "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
                "instances": [{"schema_version": 0, "attributes": {"id": id}}]
            }));
        }
    }
    let state = json!({"version": 4, "serial": 1, "lineage": "", "resources": blocks});
    std::fs::write(path, serde_json::to_vec_pretty(&state)?)?;
    Ok(undeclared)
}

async fn scan(
    setting: &Setting,
    cloud: &Cloud,
    state: &Path,
    undeclared: &BTreeSet<String>,
) -> Result<Once> {
    let mut command = vec![word(&setting.program), "drift".to_owned(), "scan".to_owned()];
    command.extend([word(state), "--against".to_owned(), "aws".to_owned()]);
    command.extend(["--report".to_owned(), "json".to_owned()]);
    let environment = [
        ("AWS_ENDPOINT_URL", cloud.url.as_str()),
        ("AWS_ACCESS_KEY_ID", "looker"),
        ("AWS_SECRET_ACCESS_KEY", "looker"),
        ("AWS_REGION", "eu-central-1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (server, requests) = (process::cpu(cloud.server.pid()), cloud.requests()?);
    let taken = process::metered_to(setting, &command, &environment, &[0, 1]).await?;
    let server = process::cpu(cloud.server.pid()) - server;
    let requests = cloud.requests()? - requests;
    let told: Value = serde_json::from_str(&taken.said).context("what the scan told")?;
    let drifts = told.get("drifts").and_then(Value::as_array).context("no drifts")?;
    let found = drifts.iter().filter_map(|drift| drift.get("id")?.as_str().map(str::to_owned));
    let found: BTreeSet<String> = found.collect();
    if found != *undeclared {
        let not = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            one.difference(other).take(5).cloned().collect::<Vec<_>>().join(", ")
        };
        bail!(
            "{} of {} found: not {}; but {}",
            found.len(),
            undeclared.len(),
            not(undeclared, &found),
            not(&found, undeclared)
        );
    }
    Ok(Once { wall: taken.wall, cpu: taken.cpu, server, requests })
}

fn tell(report: &mut Report, (live, undeclared, kinds): (usize, usize, usize), runs: &[Once]) {
    let of = |pick: fn(&Once) -> f64| runs.iter().map(pick).collect::<Vec<_>>();
    let requests = runs.last().map_or(0, |once| once.requests);
    report.text_line(&format!(
        "**What is live.** `countersign drift scan STATE --against aws` of {} resources of {kinds} \
         types on `moto`, a server of one process that speaks AWS's protocols; the state names all \
         but {undeclared}, and every scan told exactly those. Of each service we ask half of what \
         AWS lets an account ask, whoever answers.",
        number(live as f64)
    ));
    let share = of(|once| once.cpu / once.wall * 100.0);
    let row = |what: &str, value: String| vec![what.to_owned(), value];
    report.table(
        &["", ""],
        &[
            row("wall s", shown(&of(|once| once.wall))),
            row("requests", number(requests as f64)),
            row("our CPU s", shown(&of(|once| once.cpu))),
            row("the server's CPU s", shown(&of(|once| once.server))),
            row("our CPU, of the wall time, %", shown(&share)),
        ],
    );
    let share = median(&share);
    report.goal(
        "drift",
        &format!(
            "a scan of {} live resources waits for answers: our CPU < 10 % of it",
            number(live as f64)
        ),
        format!("{} %", number(share)),
        share < 10.0,
    );
}
