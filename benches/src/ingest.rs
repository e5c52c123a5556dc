//! How many alerts are taken in a second, and what each costs.

mod alertmanager;
mod bodies;
mod systems;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::load::{self, Body, Load, Pace, Tally};
use crate::report::Report;
use crate::setting::Setting;
use crate::stats::{median, number, quantile, shown};
use alertmanager::Alertmanager;
use bodies::Novelty;
use systems::{Alerta, Ours, System};

const CONNECTIONS: usize = 16;
const SPAN: Duration = Duration::from_secs(3);
/// No run sends more alerts than this.
const MOST_ALERTS: u64 = 400_000;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Case {
    per_request: u64,
    novelty: Novelty,
}

const CASES: [Case; 4] = [
    Case { per_request: 1, novelty: Novelty::Unique },
    Case { per_request: 1, novelty: Novelty::Repeated },
    Case { per_request: 64, novelty: Novelty::Unique },
    Case { per_request: 64, novelty: Novelty::Repeated },
];

/// What one run showed.
#[derive(Debug, Clone, Copy)]
struct Shown {
    rate: f64,
    cpu_us: f64,
    server_us: f64,
    p99_ms: f64,
}

const NAMES: [&str; 4] =
    ["Countersign", "Alerta", "Alertmanager, no receiver", "Alertmanager, a webhook receiver"];

/// Measures all systems in turns.
pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let mut ours = Ours::prepare(setting).await?;
    let mut alerta = Alerta::prepare(setting, ours.postgres()).await?;
    let mut shown: Vec<Vec<Vec<Shown>>> = vec![vec![Vec::new(); CASES.len()]; NAMES.len()];
    let durability = crate::store::durability(ours.admin()).await?;
    for round in 0..setting.runs() {
        let (mut quiet, mut sink) =
            (Alertmanager::quiet(setting), Alertmanager::loud(setting).await?);
        let systems: [&mut dyn System; 4] = [&mut ours, &mut alerta, &mut quiet, &mut sink];
        for (system, into) in systems.into_iter().zip(&mut shown) {
            for (case, into) in CASES.iter().zip(into.iter_mut()) {
                let one = once(setting, system, *case, round).await?;
                eprintln!(
                    "{} {} a request {:?}: {:.0}/s, {:.0} us CPU",
                    system.name(),
                    case.per_request,
                    case.novelty,
                    one.rate,
                    one.cpu_us
                );
                into.push(one);
            }
        }
    }
    alerta.stop().await?;
    ours.stop().await?;
    tell(report, &shown, &durability);
    for size in [1, 64] {
        let mut watched = Ours::watched(setting, size).await?;
        watched.begin().await?;
        let body: Body = Arc::new(move |n| {
            bodies::body(bodies::Kind::Webhook, "watched", Novelty::Unique, n * size, size)
        });
        let alerts = if size == 1 { "one unique alert" } else { "64 unique alerts" };
        watched.profile(report, &format!("a request with {alerts}"), &body).await?;
        watched.stop().await?;
    }
    Ok(())
}

/// One run of one case on one system.
async fn once(
    setting: &Setting,
    system: &mut dyn System,
    case: Case,
    round: usize,
) -> Result<Shown> {
    system.begin().await?;
    let kind = system.kind();
    let tag = format!("r{round}n{}{:?}", case.per_request, case.novelty);
    if case.novelty == Novelty::Repeated {
        // Known once before, so that every one measured is a repetition.
        let size = 64;
        let known: Body =
            Arc::new(move |n| bodies::body(kind, "known", case.novelty, n * size, size));
        let load = Load {
            connections: CONNECTIONS,
            span: Duration::from_secs(120),
            most: bodies::KNOWN / size,
            pace: Pace::Closed,
        };
        load::run(&system.target(), load, &known).await?;
        system.drain().await?;
    }
    let before = system.kept().await?;
    let (server, all) = system.cpu();
    let size = case.per_request;
    let tag = if case.novelty == Novelty::Repeated { "known".to_owned() } else { tag };
    let body: Body = Arc::new(move |n| bodies::body(kind, &tag, case.novelty, n * size, size));
    let load = Load {
        connections: CONNECTIONS,
        span: setting.span(SPAN),
        most: MOST_ALERTS / size,
        pace: Pace::Closed,
    };
    let Tally { answered, wall, latencies } = load::run(&system.target(), load, &body).await?;
    // What the alerts still cause is part of their price.
    system.drain().await?;
    let (server_after, all_after) = system.cpu();
    let alerts = (answered * size) as f64;
    let wanted = if case.novelty == Novelty::Unique { alerts } else { 0.0 };
    let kept = system.kept().await? - before;
    anyhow::ensure!(
        (kept - wanted).abs() < 0.5,
        "{} acknowledged {wanted} new alerts and keeps {kept}",
        system.name()
    );
    system.end().await?;
    Ok(Shown {
        rate: alerts / wall,
        cpu_us: (all_after - all) / alerts * 1e6,
        server_us: (server_after - server) / alerts * 1e6,
        p99_ms: quantile(&latencies, 0.99) / 1000.0,
    })
}

fn tell(report: &mut Report, shown: &[Vec<Vec<Shown>>], durability: &str) {
    report.heading(
        "Ingest",
        &format!(
            "{CONNECTIONS} connections, closed loop, {} s a run, at most {MOST_ALERTS} alerts. \
             Countersign and Alerta commit to the same private PostgreSQL ({durability}) before they \
             answer; Alertmanager keeps alerts in memory and answers at once. Unique: no alert is \
             sent twice. Repeated: {} known problems in turn. After each run the number of alerts \
             kept is compared with the number acknowledged. CPU per alert: server process and \
             PostgreSQL with all their children, from the first request until everything the \
             alerts cause is done (audit events sequenced and signed). Countersign checks an API \
             key on every request and writes an audit event for it; no rule hands the alerts to \
             the loop. Alerta: gunicorn, 4 workers of 4 threads, its own defaults, no \
             authentication. Alertmanager without a receiver only groups; with one it delivers to \
             a live webhook.",
            SPAN.as_secs(),
            bodies::KNOWN
        ),
    );
    let mut rows = Vec::new();
    for (name, cases) in NAMES.iter().zip(shown) {
        for (case, runs) in CASES.iter().zip(cases) {
            let of = |pick: fn(&Shown) -> f64| runs.iter().map(pick).collect::<Vec<_>>();
            rows.push(vec![
                (*name).to_owned(),
                case.per_request.to_string(),
                case.novelty.word().to_owned(),
                self::shown(&of(|one| one.rate)),
                self::shown(&of(|one| one.cpu_us)),
                number(median(&of(|one| one.server_us))),
                number(median(&of(|one| one.p99_ms))),
            ]);
        }
    }
    report.table(
        &[
            "system",
            "alerts a request",
            "alerts",
            "alerts/s",
            "CPU µs an alert",
            "of it the server's",
            "p99 ms of a request",
        ],
        &rows,
    );
    let middle = |system: usize, case: usize, pick: fn(&Shown) -> f64| {
        let runs = shown.get(system).and_then(|cases| cases.get(case));
        median(&runs.map_or_else(Vec::new, |runs| runs.iter().map(pick).collect::<Vec<_>>()))
    };
    for (at, case) in CASES.iter().enumerate() {
        let label = format!("{} a request, {}", case.per_request, case.novelty.word());
        let (rate, peer) = (middle(0, at, |one| one.rate), middle(1, at, |one| one.rate));
        report.goal(
            "ingest",
            &format!("≥ 20 × Alerta's durable rate, {label}"),
            format!("{} × ({}/s against {}/s)", number(rate / peer), number(rate), number(peer)),
            rate >= 20.0 * peer,
        );
        let (cpu, peer) = (middle(0, at, |one| one.cpu_us), middle(2, at, |one| one.cpu_us));
        report.goal(
            "ingest",
            &format!("CPU per alert at most Alertmanager's, {label}"),
            format!("{} µs against {} µs", number(cpu), number(peer)),
            cpu <= peer,
        );
    }
}
