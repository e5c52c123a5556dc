//! Where the time goes: statements a request, and what the server's processor time is spent on.
//!
//! Taken in short runs of its own, after the measured ones: watching costs something.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::deployment::{Postgres, Service};
use crate::load::{self, Body, Load, Pace, Target};
use crate::report::Report;
use crate::setting::Setting;
use crate::stats::number;
use crate::store::{self, Statement};

const SPAN: Duration = Duration::from_secs(4);
/// Statements that are shown.
const SHOWN: usize = 12;

/// What is watched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct System<'a> {
    pub(crate) postgres: &'a Postgres,
    pub(crate) service: &'a Service,
}

/// Runs a load of requests and shows what one made the database and the server do.
pub(crate) async fn take(
    setting: &Setting,
    report: &mut Report,
    what: &str,
    system: System<'_>,
    target: &Target,
    body: &Body,
) -> Result<()> {
    let load =
        Load { connections: 16, span: setting.span(SPAN), most: 1_000_000, pace: Pace::Closed };
    load::run(target, Load { most: 200, ..load }, body).await?;
    watch(setting, report, what, system, async {
        Ok(load::run(target, load, body).await?.answered as f64)
    })
    .await
}

/// Does some work, which says how many times it was done, and shows what once made the database
/// and the server do.
pub(crate) async fn watch(
    setting: &Setting,
    report: &mut Report,
    what: &str,
    system: System<'_>,
    work: impl Future<Output = Result<f64>>,
) -> Result<()> {
    let System { postgres, service } = system;
    let admin = store::admin(postgres.admin_url())?;
    store::watch_statements(&admin).await?;
    store::forget_statements(&admin).await?;
    let (server, database) = (service.cpu(), postgres.cpu());
    let data = setting.dir.join("perf.data");
    let perf = Command::new("perf")
        .args(["record", "--quiet", "--freq", "499", "--output"])
        .arg(&data)
        .args(["--pid", &service.pid().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let times = work.await?;
    let (server, database) = (service.cpu() - server, postgres.cpu() - database);
    let statements = store::statements(&admin).await?;
    report.text_line(&format!(
        "**Where the time of {what} goes** (a run of its own, watched): {} µs of the server's CPU and \
         {} µs of PostgreSQL's, {} statements.",
        number(server / times * 1e6),
        number(database / times * 1e6),
        number(statements.iter().map(|one| one.calls as f64).sum::<f64>() / times)
    ));
    statement_table(report, &statements, times);
    match perf {
        Ok(mut child) => {
            interrupt(&child);
            child.wait().await?;
            let shares = shares(&data).await?;
            let rows: Vec<Vec<String>> = shares
                .into_iter()
                .map(|(group, share)| vec![group, format!("{share:.1} %")])
                .collect();
            report.table(&["the server's CPU", "share"], &rows);
        }
        Err(_) => report.text_line("(`perf` is missing here: no profile of the server.)"),
    }
    admin.close().await;
    Ok(())
}

/// Ends a recording in order.
fn interrupt(child: &Child) {
    let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    if let Some(pid) = pid {
        // Fails only when it has ended before.
        kill_process(pid, Signal::INT).ok();
    }
}

fn statement_table(report: &mut Report, statements: &[Statement], times: f64) {
    let rows: Vec<Vec<String>> = statements
        .iter()
        .take(SHOWN)
        .map(|one| {
            let text: Vec<&str> =
                one.query.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
            let text = text.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
            let short: String = text.replace('|', "\\|").chars().take(80).collect();
            vec![
                format!("`{short}`"),
                number(one.calls as f64 / times),
                number(one.total_ms * 1000.0 / times),
            ]
        })
        .collect();
    report.table(&["statement", "times each", "µs each, execution"], &rows);
}

/// Shares of the samples by what the code belongs to, greatest first.
async fn shares(data: &std::path::Path) -> Result<Vec<(String, f64)>> {
    let output = Command::new("perf")
        .args(["report", "--stdio", "--sort", "sym", "--field-separator", ";", "--input"])
        .arg(data)
        .stdin(Stdio::null())
        .output()
        .await
        .context("perf report")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut groups: BTreeMap<&str, f64> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((share, symbol)) = line.split_once(';') else { continue };
        let Ok(share) = share.trim().trim_end_matches('%').parse::<f64>() else { continue };
        *groups.entry(group(symbol.trim())).or_default() += share;
    }
    let mut sorted: Vec<_> =
        groups.into_iter().map(|(name, share)| (name.to_owned(), share)).collect();
    sorted.sort_by(|one, other| other.1.total_cmp(&one.1));
    sorted.truncate(SHOWN);
    Ok(sorted)
}

/// What a symbol belongs to; the first word found counts.
fn group(symbol: &str) -> &'static str {
    const GROUPS: [(&str, &[&str]); 14] = [
        ("kernel (sockets, wake-ups, scheduling)", &["[k]"]),
        ("policy engine (regorus)", &["regorus"]),
        ("memory: malloc and free", &["malloc", "free", "realloc", "unlink_chunk", "calloc"]),
        ("memory: copying and comparing", &["memcpy", "memmove", "memcmp", "memset"]),
        ("judgement (risk, beliefs, counterfactual)", &["judge::", "libm::"]),
        ("reading and planning runbooks", &["act::", "minijinja", "saphyr", "regex"]),
        ("gate", &["gate::"]),
        ("alerts", &["sense::", "api::strict"]),
        ("JSON", &["serde_json", "serde_core", "serde::", "canonical"]),
        ("database driver", &["sqlx", "db::"]),
        (
            "SHA-256, MAC, signatures",
            &["sha2", "sha256", "ed25519", "curve25519", "aws_lc", "hmac"],
        ),
        ("password hash (argon2)", &["argon2"]),
        ("HTTP", &["hyper", "axum", "http", "tower"]),
        ("runtime", &["tokio", "futures", "mio"]),
    ];
    GROUPS
        .iter()
        .find(|(_, words)| words.iter().any(|word| symbol.contains(word)))
        .map_or("other", |(name, _)| name)
}
