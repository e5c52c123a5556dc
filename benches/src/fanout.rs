//! Three steps on many hosts: our engine, our whole path, and those who do the same.

pub(crate) mod engine;
mod hosts;
mod path;
mod peers;

use anyhow::Result;

use crate::report::Report;
use crate::setting::Setting;
use crate::stats::{median, number, shown};
use hosts::Hosts;
use path::Path;

/// The three steps, the same for all.
pub(crate) const STEPS: [&str; 3] = ["uptime", "df -P / | tail -1", "test -d /tmp && echo ok"];

const SIZES: [usize; 3] = [1, 10, 50];

/// What one run took.
#[derive(Debug, Clone, Copy, Default)]
struct Once {
    /// From the order to the end of the last step, in seconds.
    wall: f64,
    /// Of the client side, in seconds.
    cpu: f64,
    /// Of the sshd and their children, in seconds.
    sshd: f64,
}

/// One of its figures.
type Pick = fn(&Once) -> f64;

/// Who is measured, in the order of a round.
const NAMES: [&str; 8] = [
    "engine alone (connector and guard)",
    "engine alone, whole process",
    "whole path, new connections",
    "whole path, connections kept",
    "asyncssh without the start of Python",
    "asyncssh, whole process",
    "OpenSSH with ControlMaster",
    "ansible-core, pipelining",
];
const ENGINE: usize = 0;
const PATH: usize = 2;
const ASYNCSSH: usize = 4;
const ASYNCSSH_PROCESS: usize = 5;
const ANSIBLE: usize = 7;

/// Measures all in turns.
pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let most = if setting.quick { 10 } else { 50 };
    let hosts = Hosts::start(setting, most)?;
    let path = Path::prepare(setting, &hosts).await?;
    let mut shown: Vec<Vec<Vec<Once>>> = vec![vec![Vec::new(); SIZES.len()]; NAMES.len()];
    for _ in 0..setting.runs() {
        for (at, size) in SIZES.iter().enumerate().filter(|(_, size)| **size <= most) {
            let spec = hosts.spec(*size)?;
            let (inner, outer) = peers::engine(setting, &spec).await?;
            let new = path.run(&hosts, *size, path::Connections::New).await?;
            let kept = path.run(&hosts, *size, path::Connections::Kept).await?;
            let (script, process) = peers::asyncssh(setting, &spec).await?;
            let openssh = peers::openssh(setting, &hosts, *size).await?;
            let ansible = peers::ansible(setting, &hosts, *size).await?;
            let round = [inner, outer, new, kept, script, process, openssh, ansible];
            for ((name, into), once) in NAMES.iter().zip(&mut shown).zip(round) {
                eprintln!("{size} hosts, {name}: {:.3} s, {:.3} s CPU", once.wall, once.cpu);
                if let Some(into) = into.get_mut(at) {
                    into.push(once);
                }
            }
        }
    }
    path.stop().await?;
    tell(report, &shown, most);
    let watched = Path::watched(setting, &hosts).await?;
    for size in [1, most] {
        watched.profile(setting, report, &hosts, size).await?;
    }
    watched.stop().await
}

fn tell(report: &mut Report, shown: &[Vec<Vec<Once>>], most: usize) {
    report.heading(
        "Fan-out",
        &format!(
            "`{}` one after another on each host, all hosts at once. Each host is an OpenSSH server \
             of its own on loopback ({most} instances), with its own host key, login key and home. \
             Host keys are checked by everybody. The engine alone is our SSH connector with its \
             guard (each step starts at most once, its output is kept on the host), without the \
             planner and the database. The whole path is a request over HTTP: plan, policy, risk, \
             guards, signed decision, lease, attempts, output, audit, outcome, until the execution \
             is completed; its CPU is that of the server and PostgreSQL until its events are \
             sequenced and signed. CPU is the client side's; the sshd share the same cores. CPU of the \
             whole path and of sshd is counted in ticks of 10 ms. \
             asyncssh: one Python process, one connection a host; the engine is held against its \
             script alone, the whole path, new connections, against its process. OpenSSH: one shared \
             connection a host. ansible-core: forks = hosts, pipelining, no fact gathering.",
            STEPS.join("`, `")
        ),
    );
    let mut rows = Vec::new();
    for (at, size) in SIZES.iter().enumerate() {
        for (name, sizes) in NAMES.iter().zip(shown) {
            let Some(runs) = sizes.get(at).filter(|runs| !runs.is_empty()) else { continue };
            let of = |pick: Pick| runs.iter().map(pick).collect::<Vec<_>>();
            rows.push(vec![
                size.to_string(),
                (*name).to_owned(),
                self::shown(&of(|one| one.wall)),
                self::shown(&of(|one| one.cpu)),
                number(median(&of(|one| one.sshd))),
            ]);
        }
    }
    report.table(&["hosts", "", "wall s", "client CPU s", "sshd CPU s"], &rows);
    let middle = |who: usize, at: usize, pick: Pick| {
        let runs = shown.get(who).and_then(|sizes| sizes.get(at));
        median(&runs.map_or_else(Vec::new, |runs| runs.iter().map(pick).collect::<Vec<_>>()))
    };
    for (at, size) in SIZES.iter().enumerate().filter(|(_, size)| **size <= most) {
        let (ours, peer) = (middle(ENGINE, at, |one| one.cpu), middle(ASYNCSSH, at, |one| one.cpu));
        report.goal(
            "fan-out",
            &format!("engine at most asyncssh's CPU, {size} hosts"),
            format!("{} s against {} s", number(ours), number(peer)),
            ours <= peer,
        );
        let (wall, cpu): (Pick, Pick) = (|one| one.wall, |one| one.cpu);
        for (what, pick) in [("wall", wall), ("CPU", cpu)] {
            let ours = middle(PATH, at, pick);
            let peer = middle(ASYNCSSH_PROCESS, at, pick);
            report.goal(
                "fan-out",
                &format!("whole path at most 2 × asyncssh's {what}, {size} hosts"),
                format!(
                    "{} × ({} s against {} s)",
                    number(ours / peer),
                    number(ours),
                    number(peer)
                ),
                ours <= 2.0 * peer,
            );
            let peer = middle(ANSIBLE, at, pick);
            report.goal(
                "fan-out",
                &format!("whole path ≥ 10 × less {what} than ansible, {size} hosts"),
                format!(
                    "{} × ({} s against {} s)",
                    number(peer / ours),
                    number(ours),
                    number(peer)
                ),
                peer >= 10.0 * ours,
            );
        }
    }
}
