//! What drifted: ours on states of an estate, Terraform's own refresh of the same, and the tools that
//! read its plan.

mod cloud;
mod estate;
mod explained;
mod files;
mod ours;
mod peers;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::report::Report;
use crate::setting::Setting;
use crate::stats::{median, number, shown};
use estate::Estate;
use files::{Shape, Side};
use ours::Once;
use peers::{Peers, Seen};

/// The large estates: one in a hundred drifted.
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
/// The estate that Terraform refreshes: one in twenty drifted.
const BESIDE: usize = 10_000;
const MIB: f64 = 1024.0 * 1024.0;
/// What the largest estate takes on disk and in memory, in bytes.
const LARGEST: (f64, f64) = (9e9, 11e9);

/// Measures all of it.
pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let dir = setting.dir.join("drift");
    std::fs::create_dir_all(&dir)?;
    report.heading("Drift", "What differs from what is declared, and why.");
    if setting.drift("states") {
        alone(setting, report, &dir.join("states")).await?;
    }
    if setting.drift("terraform") {
        beside(setting, report, &dir.join("terraform")).await?;
    }
    if setting.drift("cloud") {
        cloud::measure(setting, report, &dir.join("cloud")).await?;
    }
    if setting.drift("explained") {
        explained::measure(setting, report, &dir.join("explained")).await?;
    }
    Ok(())
}

/// A size and what was measured of it.
struct Row {
    what: String,
    bytes: f64,
    runs: Vec<Once>,
}

impl Row {
    fn of(&self, pick: fn(&Once) -> f64) -> Vec<f64> {
        self.runs.iter().map(pick).collect()
    }

    fn exact(&self) -> bool {
        self.runs.iter().all(|once| once.exact)
    }

    fn cells(&self) -> Vec<String> {
        let rss = median(&self.of(|once| once.rss));
        vec![
            self.what.clone(),
            number(self.bytes / MIB),
            shown(&self.of(|once| once.cpu)),
            shown(&self.of(|once| once.wall)),
            number(rss / MIB),
            number(rss / self.bytes),
            if self.exact() { "exactly" } else { "**not exactly**" }.to_owned(),
        ]
    }
}

/// A declared state against a live one, at every size.
async fn alone(setting: &Setting, report: &mut Report, dir: &std::path::Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let mut rows = Vec::new();
    let sizes: &[usize] = if setting.quick { &[1_000, 10_000] } else { &SIZES };
    for size in sizes {
        if *size == 1_000_000 && !room_for_the_largest(setting) {
            report.text_line("(1,000,000 resources: not enough disk or memory here.)");
            continue;
        }
        let runs = if *size > 100_000 { 1 } else { setting.runs() };
        let written = if *size == 100_000 || setting.quick {
            &[Shape::File, Shape::Shown][..]
        } else {
            &[Shape::File]
        };
        for shape in written {
            let estate = Estate { size: *size, every: 100 };
            rows.push(at_size(setting, dir, estate, *shape, runs).await?);
        }
    }
    std::fs::remove_dir_all(dir)?;
    report.text_line(
        "**States.** `countersign drift scan STATE --against LIVE --report json`, whole processes: \
         a state of version 4 as Terraform writes it against what is live; instances, queues with \
         policies, databases with passwords and security groups with their providers' attributes \
         (about 3.7 kB each as written). One in a hundred drifted: gone, a property, tags, a policy, \
         a password, a rule; of the others one in fifty is written differently and says the same \
         (a policy in another order, no tags as `null` and as `{}`). The live side is a state \
         of version 4 as well, where what did not change is the same to the byte; or, looked into \
         whole, as `terraform show -json` prints it. Memory: the most that was resident.",
    );
    report.table(
        &["resources", "input MiB", "CPU s", "wall s", "memory MiB", "memory / input", "found"],
        &rows.iter().map(Row::cells).collect::<Vec<_>>(),
    );
    goals_alone(report, &rows);
    Ok(())
}

async fn at_size(
    setting: &Setting,
    dir: &std::path::Path,
    estate: Estate,
    shape: Shape,
    runs: usize,
) -> Result<Row> {
    let (declared, live) = (dir.join("declared.tfstate"), dir.join("live.json"));
    let bytes = files::state(&declared, estate, Side::Declared, Shape::File)?
        + files::state(&live, estate, Side::Live, shape)?;
    let truth = files::truth(estate);
    let mut row = Row { what: named(estate.size, shape), bytes: bytes as f64, runs: Vec::new() };
    for _ in 0..runs {
        let once = ours::scan(setting, &declared, Some(&live), &truth).await?;
        eprintln!("{}: {once:?}", row.what);
        row.runs.push(once);
    }
    Ok(row)
}

fn named(size: usize, shape: Shape) -> String {
    let size = number(size as f64);
    match shape {
        Shape::File => size,
        Shape::Shown => format!("{size}, every one looked into"),
    }
}

fn goals_alone(report: &mut Report, rows: &[Row]) {
    let of = |size: usize| rows.iter().find(|row| row.what == named(size, Shape::File));
    let cpu = |row: &Row| median(&row.of(|once| once.cpu));
    if let Some(row) = of(100_000) {
        let (cpu, rss) = (cpu(row), median(&row.of(|once| once.rss)));
        let goal = "100,000 resources < 1 CPU-second";
        report.goal("drift", goal, format!("{} s", number(cpu)), cpu < 1.0);
        let share = rss / row.bytes;
        let told = format!("{} × ({} MiB)", number(share), number(rss / MIB));
        report.goal("drift", "memory < 4 × the input, 100,000 resources", told, share < 4.0);
    }
    if let (Some(small), Some(large)) = (of(100_000), of(1_000_000)) {
        let more = cpu(large) / cpu(small);
        let told = format!("{} × the CPU of a tenth", number(more));
        report.goal("drift", "linear to 1,000,000: ≤ 12 × the CPU of 100,000", told, more <= 12.0);
    }
    let exact = rows.iter().filter(|row| row.exact()).count();
    let told = format!("{exact} of {}", rows.len());
    report.goal("drift", "exactly what drifted is found, each size", told, exact == rows.len());
}

/// Whether the largest estate can be written and read here.
fn room_for_the_largest(setting: &Setting) -> bool {
    let disk = rustix::fs::statvfs(&setting.dir)
        .map_or(0.0, |stat| stat.f_bavail as f64 * stat.f_frsize as f64);
    let memory = crate::machine::available();
    eprintln!("free: {disk:.2e} bytes of disk, {memory:.2e} of memory");
    disk > LARGEST.0 && memory > LARGEST.1
}

/// What was measured beside the others, run by run.
#[derive(Default)]
struct Beside {
    terraform: Vec<peers::Refreshed>,
    ours: Vec<Once>,
    ours_plan: Vec<Once>,
    peers: Vec<[Seen; 2]>,
    all: AllDrifted,
}

/// A plan in which everything drifted.
#[derive(Default)]
struct AllDrifted {
    ours: Vec<Once>,
    peers: Vec<[Seen; 2]>,
}

/// The same true drift for everybody.
async fn beside(setting: &Setting, report: &mut Report, dir: &std::path::Path) -> Result<()> {
    let size = if setting.quick { 1_000 } else { BESIDE };
    let some = Estate { size, every: 20 };
    let all = Estate { size, every: 1 };
    let (truth, whole) = (files::truth(some), files::truth(all));
    let workspace = dir.join("workspace");
    std::fs::create_dir_all(&workspace)?;
    files::workspace(&workspace, some)?;
    let declared = workspace.join("terraform.tfstate");
    let live = dir.join("live.tfstate");
    files::state(&live, some, Side::Live, Shape::File)?;
    let peers = Peers::ready(setting, dir, [some, all])?;
    let (plan, made) = (peers.plan(0), peers.plan(1));
    let mut found = Beside::default();
    for _ in 0..setting.runs() {
        if peers::terraform_missing().await {
            found.terraform.clear();
        } else {
            found.terraform.push(peers::refresh(setting, &workspace, &plan).await?);
        }
        found.ours.push(ours::scan(setting, &declared, Some(&live), &truth).await?);
        found.ours_plan.push(ours::scan(setting, &plan, None, &truth).await?);
        found.peers.push(peers.both(setting, 0, &truth).await?);
        found.all.ours.push(ours::scan(setting, &made, None, &whole).await?);
        found.all.peers.push(peers.both(setting, 1, &whole).await?);
        eprintln!("{:?} {:?}", found.terraform.last(), found.ours.last());
        eprintln!("{:?} {:?}", found.ours_plan.last(), found.peers.last());
        eprintln!("{:?} {:?}", found.all.ours.last(), found.all.peers.last());
    }
    let rewritten = files::rewritten(some).len();
    tell_beside(report, size, &found, (truth.len(), rewritten))?;
    std::fs::remove_dir_all(dir)?;
    Ok(())
}

fn cpus(runs: &[Once]) -> Vec<f64> {
    runs.iter().map(|once| once.cpu).collect()
}

fn tell_beside(
    report: &mut Report,
    size: usize,
    found: &Beside,
    (drifted, rewritten): (usize, usize),
) -> Result<()> {
    report.text_line(&format!(
        "**Beside Terraform and two tools, {} resources.** `terraform plan -refresh-only` asks a \
         simulated provider of ours, which keeps what is live in memory, for every resource; it also \
         reads a configuration in HCL, walks a graph and speaks gRPC with the provider, none of \
         which ours does when it is given two states. {drifted} drifted, {rewritten} are written \
         differently and say the same; all of them stand in `resource_drift` of Terraform's plan. \
         `tfdrift` and `drifty` call Terraform themselves: here a script stands in for it that \
         prints a plan at once. The first plan is the one of this run (made by us where Terraform \
         is missing), the second one has everything drifted, and in `resource_changes` that it would \
         be put back, as `terraform plan` without `-refresh-only` says it. Memory: the most one process \
         held. Wrong: resources told that did not drift. Clear: passwords in clear in the result.",
        number(size as f64)
    ));
    let head = ["", "CPU s", "wall s", "memory MiB", "found", "missed", "wrong", "clear"];
    let mut rows = Vec::new();
    if !found.terraform.is_empty() {
        let of = |pick: fn(&peers::Refreshed) -> f64| {
            found.terraform.iter().map(pick).collect::<Vec<_>>()
        };
        let rest = || ["–"; 4].map(str::to_owned);
        let mut row = vec![
            "`terraform plan -refresh-only`".to_owned(),
            shown(&of(|one| one.plan.cpu)),
            shown(&of(|one| one.plan.wall)),
            number(median(&of(|one| one.plan.rss)) / MIB),
        ];
        row.extend(rest());
        rows.push(row);
        let mut row = vec![
            "– of it the provider".to_owned(),
            shown(&of(|one| one.provider)),
            "–".to_owned(),
            "–".to_owned(),
        ];
        row.extend(rest());
        rows.push(row);
        let mut row = vec![
            "`terraform show -json` of its plan".to_owned(),
            shown(&of(|one| one.show.cpu)),
            shown(&of(|one| one.show.wall)),
            number(median(&of(|one| one.show.rss)) / MIB),
        ];
        row.extend(rest());
        rows.push(row);
    }
    rows.push(ours_row("ours, state against state", &found.ours));
    rows.push(ours_row("ours, the plan", &found.ours_plan));
    rows.extend(peer_rows("the plan", &found.peers));
    rows.push(ours_row("ours, everything drifted", &found.all.ours));
    rows.extend(peer_rows("everything drifted", &found.all.peers));
    report.table(&head, &rows);
    goals_beside(report, size, found)
}

fn ours_row(what: &str, runs: &[Once]) -> Vec<String> {
    let of = |pick: fn(&Once) -> f64| runs.iter().map(pick).collect::<Vec<_>>();
    let most = |pick: fn(&Once) -> usize| runs.iter().map(pick).max().unwrap_or_default();
    vec![
        what.to_owned(),
        shown(&of(|one| one.cpu)),
        shown(&of(|one| one.wall)),
        number(median(&of(|one| one.rss)) / MIB),
        number(runs.iter().map(|one| one.found).min().unwrap_or_default() as f64),
        most(|one| one.missed).to_string(),
        most(|one| one.wrong).to_string(),
        most(|one| one.clear).to_string(),
    ]
}

fn peer_rows(what: &str, runs: &[[Seen; 2]]) -> Vec<Vec<String>> {
    let row = |(at, name): (usize, &&str)| {
        let runs: Vec<&Seen> = runs.iter().filter_map(|both| both.get(at)).collect();
        let last = runs.last()?;
        let of = |pick: fn(&Seen) -> f64| runs.iter().map(|one| pick(one)).collect::<Vec<_>>();
        Some(vec![
            format!("{name}, {what}"),
            shown(&of(|one| one.taken.cpu)),
            shown(&of(|one| one.taken.wall)),
            number(median(&of(|one| one.taken.rss)) / MIB),
            number(last.found as f64),
            last.missed.to_string(),
            last.wrong.to_string(),
            last.clear.to_string(),
        ])
    };
    peers::NAMES.iter().enumerate().filter_map(row).collect()
}

fn goals_beside(report: &mut Report, size: usize, found: &Beside) -> Result<()> {
    let size = number(size as f64);
    let ours = median(&cpus(&found.ours));
    if !found.terraform.is_empty() {
        let alone = |one: &peers::Refreshed| one.plan.cpu - one.provider;
        let theirs = median(&found.terraform.iter().map(alone).collect::<Vec<_>>());
        report.goal(
            "drift",
            &format!(
                "≥ 100 × less CPU than Terraform's refresh without its provider, {size} resources"
            ),
            format!(
                "{} × ({} s against {} s)",
                number(theirs / ours),
                number(ours),
                number(theirs)
            ),
            theirs >= 100.0 * ours,
        );
    }
    for (what, ours, peers) in [
        ("the plan", &found.ours_plan, &found.peers),
        ("everything drifted", &found.all.ours, &found.all.peers),
    ] {
        let ours = median(&cpus(ours));
        let each = (0..peers::NAMES.len()).map(|at| {
            let runs = peers.iter().filter_map(|both| both.get(at));
            median(&runs.map(|one| one.taken.cpu).collect::<Vec<_>>())
        });
        let (fastest, name) = each
            .zip(peers::NAMES)
            .min_by(|one, other| one.0.total_cmp(&other.0))
            .context("nobody to be held against")?;
        report.goal(
            "drift",
            &format!(
                "≥ 10 × less CPU than the faster of tfdrift and drifty, {what}, {size} resources"
            ),
            format!(
                "{} × ({} s against {} s, {name})",
                number(fastest / ours),
                number(ours),
                number(fastest)
            ),
            fastest >= 10.0 * ours,
        );
    }
    let runs = || found.ours.iter().chain(&found.ours_plan).chain(&found.all.ours);
    let exact = runs().filter(|once| once.exact && once.clear == 0).count();
    report.goal(
        "drift",
        "exactly what drifted, nothing else and no secret, where the others err",
        format!("{exact} of {} runs", runs().count()),
        exact == runs().count(),
    );
    Ok(())
}

/// A path as an argument.
fn word(path: impl Into<PathBuf>) -> String {
    path.into().to_string_lossy().into_owned()
}
