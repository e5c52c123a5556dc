//! Whether plans hold when tenants become many: what the database really did for each request.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{Ground, read, store};
use crate::load::{self, Load, Pace};
use crate::report::Report;
use crate::stats::number;

/// What one request did in the database.
#[derive(Debug, Clone, Default)]
pub(super) struct Did {
    name: String,
    /// How rows were found, in the order of the plans.
    found_by: Vec<String>,
    /// Pages looked at.
    pages: f64,
    /// Of the scan whose estimate was farthest from the truth, rows estimated and found; none when a
    /// limit stopped every scan.
    farthest: Option<(f64, f64)>,
}

/// Asks for each reading once and reads what PostgreSQL wrote of it.
pub(super) async fn take(ground: &Ground<'_>) -> Result<Vec<Did>> {
    store::explain(ground.admin, true).await?;
    let mut all = Vec::new();
    for reading in read::readings(ground).await? {
        let Some(path) = reading.sample().cloned() else { continue };
        let load =
            Load { connections: 1, span: Duration::from_secs(60), most: 1, pace: Pace::Closed };
        // Until the settings are there, and what is read once is read.
        let mut plans = Vec::new();
        for _ in 0..50 {
            let mut log = File::open(ground.postgres.log())?;
            let from = log.seek(SeekFrom::End(0))?;
            load::read(&ground.target, load, std::slice::from_ref(&path)).await?;
            plans = written(&mut log, from)?;
            if !plans.is_empty() && (!all.is_empty() || plans.len() > 3) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let did = did(&reading.name, &plans);
        // Two readings nothing is known of would be equal, and the goal met.
        if did.found_by.is_empty() {
            bail!("PostgreSQL wrote no plan of \"{}\"", reading.name);
        }
        all.push(did);
    }
    store::explain(ground.admin, false).await?;
    Ok(all)
}

/// The plans in a log from a place on: JSON in lines that begin with a tab.
fn written(log: &mut File, from: u64) -> Result<Vec<Value>> {
    log.seek(SeekFrom::Start(from))?;
    let mut text = String::new();
    log.read_to_string(&mut text)?;
    let mut plans = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.ends_with(" plan:") {
            continue;
        }
        let mut json = String::new();
        while let Some(line) = lines.next_if(|line| line.starts_with('\t')) {
            json.push_str(line);
        }
        plans.push(serde_json::from_str(&json).context("a plan that is no JSON")?);
    }
    Ok(plans)
}

/// What the plans of one request say; those of the server's own rounds name other tables.
fn did(name: &str, plans: &[Value]) -> Did {
    let mut did = Did { name: name.to_owned(), ..Did::default() };
    let mut farthest = 0.0;
    for plan in plans {
        let Some(root) = plan.get("Plan") else { continue };
        let mut scans = Vec::new();
        walk(root, false, &mut scans);
        let read =
            ["findings", "alerts", "correlations", "ml_predictions", "resources", "audit_events"];
        if !scans.iter().any(|scan| read.iter().any(|table| scan.of.starts_with(table))) {
            continue;
        }
        let of = |name: &str| root.get(name).and_then(Value::as_f64).unwrap_or_default();
        did.pages += of("Shared Hit Blocks") + of("Shared Read Blocks");
        for scan in scans {
            let off = (scan.actual.max(1.0) / scan.estimated.max(1.0)).ln().abs();
            if off >= farthest && !scan.cut {
                farthest = off;
                did.farthest = Some((scan.estimated, scan.actual));
            }
            if !did.found_by.contains(&scan.by) {
                did.found_by.push(scan.by);
            }
        }
    }
    did
}

struct Scan {
    of: String,
    by: String,
    estimated: f64,
    actual: f64,
    /// Below a limit: it was stopped, so fewer rows than estimated say nothing.
    cut: bool,
}

fn walk(node: &Value, cut: bool, into: &mut Vec<Scan>) {
    let text = |name: &str| node.get(name).and_then(Value::as_str).unwrap_or_default();
    let of = |name: &str| node.get(name).and_then(Value::as_f64).unwrap_or_default();
    let kind = text("Node Type");
    let cut = cut || kind == "Limit";
    if kind.ends_with("Scan") && kind != "Bitmap Heap Scan" && of("Actual Loops") > 0.0 {
        // A month's part of a table says which table; the month is not the plan's.
        let strip = |name: &str| -> String {
            name.split("_y20").next().unwrap_or(name).trim_end_matches("_rest").to_owned()
        };
        let index = strip(text("Index Name"));
        let table = strip(text("Relation Name"));
        let by = if index.is_empty() { format!("{kind} {table}") } else { index.clone() };
        let name = if table.is_empty() { index } else { table };
        into.push(Scan {
            of: name,
            by,
            estimated: of("Plan Rows"),
            actual: of("Actual Rows"),
            cut,
        });
    }
    for child in node.get("Plans").and_then(Value::as_array).into_iter().flatten() {
        walk(child, cut, into);
    }
}

/// A request may look at a third more pages before its plan counts as worse: an index of three levels
/// becomes one of four when a hundred times the tenants are in it.
fn worse(few: &Did, many: &Did) -> bool {
    many.pages > few.pages * 4.0 / 3.0 + 20.0
}

/// Both side by side.
pub(super) fn tell(report: &mut Report, few: &[Did], many: &[Did]) {
    report.text_line(&format!(
        "**Plans.** One request of each reading beside {} small tenants and beside {}, its \
         statements' plans as PostgreSQL carried them out (auto_explain). Pages: 8 kB each, held or \
         read. Rows: of the scan whose estimate was farthest from what it found, among those no \
         limit stopped.",
        super::FEW,
        super::MANY
    ));
    let mut rows = Vec::new();
    let mut degraded = Vec::new();
    for (few, many) in few.iter().zip(many) {
        let estimates = |did: &Did| match did.farthest {
            None => "–".to_owned(),
            Some((estimated, actual)) => format!("{} / {}", number(estimated), number(actual)),
        };
        let by = if few.found_by == many.found_by {
            many.found_by.join(", ")
        } else {
            format!("{} → {}", few.found_by.join(", "), many.found_by.join(", "))
        };
        if worse(few, many) {
            degraded.push(many.name.clone());
        }
        rows.push(vec![
            many.name.clone(),
            by,
            number(few.pages),
            number(many.pages),
            estimates(few),
            estimates(many),
        ]);
    }
    report.table(
        &["", "found by", "pages, few", "pages, many", "estimated / found, few", "…, many"],
        &rows,
    );
    let measured =
        if degraded.is_empty() { format!("none of {}", many.len()) } else { degraded.join(", ") };
    report.goal(
        "tenancy",
        "no plan degrades from 10 to 1,000 tenants",
        measured,
        degraded.is_empty(),
    );
}
