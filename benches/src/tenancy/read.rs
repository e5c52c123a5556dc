//! How long reading takes, over HTTP.

use std::time::Duration;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use uuid::Uuid;

use super::{Ground, store};
use crate::load::{self, Load, Pace};
use crate::report::Report;
use crate::stats::{median, number, quantile, shown};

/// Readers at once.
const READERS: usize = 2;
const SPAN: Duration = Duration::from_secs(3);
const MOST: u64 = 2_000;
/// Places of a list that are looked at: its whole depth, in steps.
const PLACES: i64 = 40;

/// What is read, and in which time.
pub(super) struct Reading {
    pub(super) name: String,
    /// The goal it belongs to.
    goal: &'static str,
    paths: Vec<String>,
}

/// The goals: what is said of them, and p99 in milliseconds.
const GOALS: [(&str, f64); 5] = [
    ("dashboard", 50.0),
    ("detail", 20.0),
    ("search", 200.0),
    ("analytics", 1_000.0),
    ("page", 50.0),
];

const fn said(goal: &str) -> &str {
    match goal.as_bytes() {
        b"dashboard" => "dashboard p99 < 50 ms",
        b"detail" => "finding detail p99 < 20 ms",
        b"search" => "filtered search p99 < 200 ms",
        b"analytics" => "90-day analytics p99 < 1 s",
        _ => "any list page p99 < 50 ms at any depth",
    }
}

/// Everything that is read.
pub(super) async fn readings(ground: &Ground<'_>) -> Result<Vec<Reading>> {
    let one = |name: &str, goal: &'static str, path: &str| Reading {
        name: name.to_owned(),
        goal,
        paths: vec![format!("/api/v1{path}")],
    };
    let several = |name: &str, goal: &'static str, paths: Vec<String>| Reading {
        name: name.to_owned(),
        goal,
        paths: paths.into_iter().map(|path| format!("/api/v1{path}")).collect(),
    };
    let ids = ids(ground, "findings", "id").await?;
    let alerts = store::alerts(ground.admin, &ground.estate, PLACES).await?;
    let live = &ground.estate.environment;
    let seven = ["web-17", "db-9", "cache-121", "queue-3", "api-77", "worker-5", "web-1999"];
    let searched = |tail: &str| -> Vec<String> {
        seven.iter().map(|word| format!("/findings?q={word}{tail}")).collect()
    };
    let everywhere = seven.iter().map(|word| format!("/search?q={word}")).collect();
    let mut all = vec![
        one("dashboard", "dashboard", "/dashboard"),
        one("trends, 90 days", "analytics", "/dashboard/trends?days=90"),
        several("finding", "detail", ids.iter().map(|id| format!("/findings/fnd_{id}")).collect()),
        several("alert", "detail", alerts.iter().map(|id| format!("/alerts/fnd_{id}")).collect()),
        several("search in findings", "search", searched("")),
        several(
            "search in open critical findings",
            "search",
            searched("&status=open&severity=critical"),
        ),
        several("search, nothing found", "search", vec!["/findings?q=no-such-thing".to_owned()]),
        several("search, a common word", "search", vec!["/findings?q=disk".to_owned()]),
        several("search in everything", "search", everywhere),
        one("findings, open", "page", "/findings?status=open"),
        one("findings, escalated", "page", "/findings?status=escalated"),
        one("findings, open, worst first", "page", "/findings?status=open&sort=-severity_rank"),
        one("findings, costs", "page", "/findings?kind=cost&severity=critical&status=open"),
        one("findings of an environment", "page", &format!("/findings?environment_id={live}")),
        several("findings of a resource", "page", of_a_resource(ground).await?),
        several(
            "correlations of a finding",
            "page",
            ids.iter().map(|id| format!("/correlations?finding_id=fnd_{id}")).collect(),
        ),
        several(
            "predictions of a finding",
            "page",
            ids.iter().map(|id| format!("/predictions?finding_id=fnd_{id}")).collect(),
        ),
        one("audit, one action", "page", "/audit/events?action=approval.voted"),
        one("audit, a rare action", "page", "/audit/events?action=api_key.created"),
        one("audit, of one thing", "page", "/audit/events?target_type=finding&target_id=fnd_7"),
        one("alerts, one name", "page", "/alerts?alert_name=Alert7"),
    ];
    for (path, table, sort) in [
        ("/findings", "findings", None),
        ("/findings", "findings", Some("severity_rank")),
        ("/findings", "findings", Some("first_seen")),
        ("/correlations", "correlations", None),
        ("/correlations", "correlations", Some("created_at")),
        ("/predictions", "ml_predictions", None),
        ("/resources", "resources", None),
        ("/resources", "resources", Some("name")),
    ] {
        let name = sort.map_or_else(|| path.to_owned(), |sort| format!("{path} by {sort}"));
        let paths = pages(ground, path, table, sort).await?;
        all.push(several(&format!("{name}, at every depth"), "page", paths));
    }
    // Alerts are listed after any finding.
    let paths = pages(ground, "/alerts", "findings", None).await?;
    all.push(several("/alerts, at every depth", "page", paths));
    let events = self::ids(ground, "audit_events", "seq").await?;
    let at = |id: &Uuid| format!("/audit/events?cursor={}", db::Cursor::Id(*id).encode());
    all.push(several("/audit/events, at every depth", "page", events.iter().map(at).collect()));
    Ok(all)
}

async fn ids(ground: &Ground<'_>, table: &'static str, by: &'static str) -> Result<Vec<Uuid>> {
    let rows = store::spread(ground.admin, &ground.estate, table, by, PLACES).await?;
    Ok(rows.into_iter().map(|(id, _)| id).collect())
}

async fn of_a_resource(ground: &Ground<'_>) -> Result<Vec<String>> {
    let ids = ids(ground, "resources", "id").await?;
    Ok(ids.iter().map(|id| format!("/findings?resource_id=res_{id}")).collect())
}

/// Pages of a list, each after a row of another depth: the cursor is what the page before would
/// have ended with.
async fn pages(
    ground: &Ground<'_>,
    path: &str,
    table: &'static str,
    sort: Option<&'static str>,
) -> Result<Vec<String>> {
    // Lists by age are lists by id.
    let column = sort.filter(|sort| !["first_seen", "created_at"].contains(sort));
    let rows =
        store::spread(ground.admin, &ground.estate, table, column.unwrap_or("id"), PLACES).await?;
    let mut paths = Vec::new();
    for (id, value) in rows {
        let name = format!("-{}", column.unwrap_or("id"));
        let after = json!({"sort": name, "value": column.and(value), "id": id});
        let cursor = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&after)?);
        let sort = sort.map_or(String::new(), |sort| format!("sort=-{sort}&"));
        paths.push(format!("{path}?{sort}cursor={cursor}"));
    }
    Ok(paths)
}

/// What one run of a reading showed, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Once {
    p50: f64,
    p99: f64,
    worst: f64,
}

/// Reads everything in turns.
pub(super) async fn measure(ground: &Ground<'_>, report: &mut Report) -> Result<()> {
    let readings = readings(ground).await?;
    let mut found: Vec<Vec<Once>> = vec![Vec::new(); readings.len()];
    crate::store::settle(ground.admin).await?;
    for _ in 0..ground.setting.runs() {
        for (reading, into) in readings.iter().zip(&mut found) {
            let load = |most| Load {
                connections: READERS,
                span: ground.setting.span(SPAN),
                most,
                pace: Pace::Closed,
            };
            // Connections and caches as in a server that has run for a while.
            load::read(&ground.target, load(50), &reading.paths).await?;
            let tally = load::read(&ground.target, load(MOST), &reading.paths).await?;
            let ms = |share| quantile(&tally.latencies, share) / 1_000.0;
            let once = Once { p50: ms(0.5), p99: ms(0.99), worst: ms(1.0) };
            eprintln!("{}: {once:?}", reading.name);
            into.push(once);
        }
    }
    tell(report, &readings, &found);
    Ok(())
}

fn tell(report: &mut Report, readings: &[Reading], found: &[Vec<Once>]) {
    report.text_line(&format!(
        "**Reading.** The large tenant's API, {READERS} readers in a closed loop, each for {} s or \
         {MOST} requests; lists are pages of 20. At every depth: {PLACES} pages evenly spread from \
         the newest row to the oldest. Milliseconds; a goal is held by the worst of its readings.",
        SPAN.as_secs()
    ));
    let of = |runs: &[Once], pick: fn(&Once) -> f64| runs.iter().map(pick).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = readings
        .iter()
        .zip(found)
        .map(|(reading, runs)| {
            vec![
                reading.name.clone(),
                shown(&of(runs, |one| one.p50)),
                shown(&of(runs, |one| one.p99)),
                number(median(&of(runs, |one| one.worst))),
            ]
        })
        .collect();
    report.table(&["", "p50 ms", "p99 ms", "worst ms"], &rows);
    for (goal, limit) in GOALS {
        let worst = readings
            .iter()
            .zip(found)
            .filter(|(reading, _)| reading.goal == goal)
            .map(|(reading, runs)| (median(&of(runs, |one| one.p99)), &reading.name))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let Some((p99, name)) = worst else { continue };
        report.goal("tenancy", said(goal), format!("{} ms ({name})", number(p99)), p99 < limit);
    }
}

impl Reading {
    /// One of its paths, the same every time.
    pub(super) fn sample(&self) -> Option<&String> {
        self.paths.get(self.paths.len() / 2)
    }
}
