//! How fast an estate and findings come in by the line.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::Ground;
use crate::report::Report;
use crate::stats::{median, number, shown};
use crate::store;

const LINES: usize = 100_000;

/// What is sent, and how many a second are wanted.
const KINDS: [(&str, &str, f64); 2] =
    [("resources", "/resources/import", 30_000.0), ("findings", "/findings/import", 10_000.0)];

/// Sends each kind in turns: new ones, and then the same once more.
pub(super) async fn measure(ground: &Ground<'_>, report: &mut Report) -> Result<()> {
    let lines = if ground.setting.quick { 10_000 } else { LINES };
    let mut rates: [[Vec<f64>; 2]; 2] = Default::default();
    let mut cpu: [[Vec<f64>; 2]; 2] = Default::default();
    for run in 0..ground.setting.runs().min(3) {
        for (((kind, path, _), rates), cpu) in KINDS.iter().zip(&mut rates).zip(&mut cpu) {
            let body = body(kind, &ground.estate.environment, run, lines)?;
            for (rates, cpu) in rates.iter_mut().zip(cpu) {
                store::settle(ground.admin).await?;
                let used = ground.postgres.cpu();
                let begin = Instant::now();
                let kept = send(ground, path, body.clone()).await?;
                let wall = begin.elapsed().as_secs_f64();
                if kept != lines as u64 {
                    bail!("{kept} of {lines} {kind} were kept");
                }
                eprintln!("import, {kind}: {} /s", lines as f64 / wall);
                rates.push(lines as f64 / wall);
                cpu.push((ground.postgres.cpu() - used) / lines as f64 * 1e6);
            }
        }
    }
    tell(report, &rates, &cpu, lines);
    Ok(())
}

fn body(kind: &str, environment: &str, run: usize, lines: usize) -> Result<String> {
    let mut body = String::new();
    for n in 0..lines {
        if kind == "resources" {
            writeln!(
                body,
                r#"{{"environment_id":"{environment}","external_id":"i-{run}-{n:08}","provider":"aws","kind":"server","type":"aws_instance","name":"web-{run}-{n}","hostname":"web-{run}-{n}.example.com","os_type":"linux","location":"eu-central-1a","owner_team":"payments","tags":{{"role":"web","stage":"live"}}}}"#
            )?;
        } else {
            writeln!(
                body,
                r#"{{"kind":"violation","fingerprint":"measured-{run}-{n}","began_at":"2026-03-01T10:00:00Z","title":"Security group sg-{run}-{n} is open to the world","reason":"port 22 is open","severity":"high","environment_id":"{environment}","violation":{{}}}}"#
            )?;
        }
    }
    Ok(body)
}

async fn send(ground: &Ground<'_>, path: &str, body: String) -> Result<u64> {
    let key = ground.target.key.as_deref().context("no key")?;
    let answer = reqwest::Client::builder()
        .build()?
        .post(format!("http://{}/api/v1{path}", ground.target.address))
        .bearer_auth(key)
        .header("content-type", "application/x-ndjson")
        .body(body)
        .send()
        .await?;
    let status = answer.status();
    let said: Value = answer.json().await?;
    if !status.is_success() {
        bail!("{path}: {status}: {said}");
    }
    let of = |name: &str| said.get(name).and_then(Value::as_u64).unwrap_or_default();
    if of("refused") > 0 {
        bail!("{path}: {said}");
    }
    Ok(of("new") + of("repeated"))
}

fn tell(report: &mut Report, rates: &[[Vec<f64>; 2]; 2], cpu: &[[Vec<f64>; 2]; 2], lines: usize) {
    report.text_line(&format!(
        "**Import.** {} lines of NDJSON in one request into the large tenant, kept in batches of a \
         thousand, each a transaction with its audit event and fsync; then the same lines again. \
         Until the answer is there.",
        number(lines as f64)
    ));
    let mut rows = Vec::new();
    for (((kind, _, wanted), rates), cpu) in KINDS.iter().zip(rates).zip(cpu) {
        for ((what, rates), cpu) in ["new", "again"].iter().zip(rates).zip(cpu) {
            rows.push(vec![format!("{kind}, {what}"), shown(rates), shown(cpu)]);
        }
        let [new, _] = rates;
        let goal = format!("≥ {} {kind} a second imported", number(*wanted));
        let rate = median(new);
        report.goal("tenancy", &goal, format!("{}/s", number(rate)), rate >= *wanted);
    }
    report.table(&["", "lines/s", "PostgreSQL's CPU, µs a line"], &rows);
}
