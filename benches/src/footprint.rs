//! What it weighs: on disk, in memory, and until it is ready.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::process::Command;

use crate::deployment::Service;
use crate::process::{memory, tree};
use crate::report::Report;
use crate::setting::Setting;
use crate::stats::{median, number, shown};

const STARTS: usize = 7;
const MIB: f64 = 1024.0 * 1024.0;

/// Measures the released program with the private PostgreSQL of its own.
pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let size = fs::metadata(&setting.program)?.len() as f64 / MIB;
    let bare = setting.dir.join("stripped");
    let done = Command::new("strip").arg("-o").arg(&bare).arg(&setting.program).status().await?;
    ensure!(done.success(), "the program cannot be stripped");
    let stripped = fs::metadata(&bare)?.len() as f64 / MIB;

    let data = setting.dir.join("footprint");
    let begin = Instant::now();
    let service = Service::start(setting, &data, None).await?;
    let first = begin.elapsed().as_secs_f64();
    service.end().await?;
    let (mut starts, mut resident, mut own, mut whole) = (vec![], vec![], vec![], vec![]);
    for _ in 0..STARTS {
        let begin = Instant::now();
        let service = Service::start(setting, &data, None).await?;
        starts.push(begin.elapsed().as_secs_f64());
        tokio::time::sleep(setting.span(Duration::from_secs(5))).await;
        resident.push(memory(service.pid(), "status", "VmRSS") / MIB);
        own.push(memory(service.pid(), "smaps_rollup", "Pss") / MIB);
        let all = tree(service.pid());
        whole.push(all.iter().map(|pid| memory(*pid, "smaps_rollup", "Pss")).sum::<f64>() / MIB);
        service.end().await?;
    }
    report.heading(
        "Footprint",
        &format!(
            "The released program on a data directory with its private PostgreSQL, {STARTS} warm \
             starts; ready when `/readyz` says so, PostgreSQL's start included. Memory five seconds \
             after that, idle: resident as the kernel counts it, and proportional where pages are \
             shared."
        ),
    );
    let row = |what: &str, value: String| vec![what.to_owned(), value];
    report.table(
        &["", ""],
        &[
            row("program, MiB", number(size)),
            row("program without symbols, MiB", number(stripped)),
            row("first start to ready (initdb and schema included), s, once", number(first)),
            row("warm start to ready, s", shown(&starts)),
            row("resident memory of the server, MiB", shown(&resident)),
            row("proportional memory of the server, MiB", shown(&own)),
            row("proportional memory with its PostgreSQL, MiB", shown(&whole)),
        ],
    );
    let (memory, start) = (median(&resident) * MIB / 1e6, median(&starts));
    let goal = "server < 100 MB resident, idle";
    report.goal("footprint", goal, format!("{} MB", number(memory)), memory < 100.0);
    report.goal("footprint", "ready < 1 s warm", format!("{} s", number(start)), start < 1.0);
    Ok(())
}
