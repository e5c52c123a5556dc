//! Findings by the line: read as they come in, kept in batches.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::lines::{ImportOut, Keeping, Kept, Lines, Refused};
use api::problem::Answer;
use api::{App, Caller, Change};
use axum::extract::Request;
use serde::de::DeserializeOwned;

use super::answer;
use crate::report::{Counted, Reported, fold};
use crate::scan::Scan;
use crate::store::report::{Placed, place};
use crate::store::scan;

/// The longest line of an import, in bytes.
const LONGEST_LINE: usize = 1 << 20;
/// Batches of an import that are kept at once.
const AT_ONCE: usize = 2;
/// What a finding is known by: its kind and its fingerprint.
type Name = (&'static str, String);

/// Who imports, and for which scan.
#[derive(Debug, Clone)]
pub(super) struct Importer {
    app: App,
    caller: Arc<Caller>,
    /// The scan whose drift comes in; it has to be running.
    scan: Option<Scan>,
}

impl Importer {
    pub(super) fn new(app: &App, caller: &Caller, scan: Option<Scan>) -> Self {
        Self { app: app.clone(), caller: Arc::new(caller.clone()), scan }
    }
}

/// Reads line after line and has them kept.
pub(super) async fn import<T: DeserializeOwned>(
    importer: &Importer,
    request: Request,
    read: impl Fn(T) -> Answer<Option<Reported>>,
) -> Answer<ImportOut> {
    let (parts, body) = request.into_parts();
    let mut lines = Lines::of(&parts.headers, body, LONGEST_LINE)?;
    let mut refused = Refused::default();
    let mut keeping: Keeping<Name> = Keeping::new(AT_ONCE);
    let fed: Answer<()> = async {
        while let Some(batch) = lines.batch::<T>(&mut refused).await? {
            let mut good = Vec::with_capacity(batch.len());
            for (line, report) in batch {
                match read(report) {
                    Ok(Some(reported)) => good.push((line, reported)),
                    // What does not count is read, and not kept.
                    Ok(None) => (),
                    Err(problem) => refused.add(line, problem),
                }
            }
            let importer = importer.clone();
            let names = good.iter().map(|(_, one)| (one.detail.kind(), one.fingerprint.clone()));
            let names: BTreeSet<Name> = names.collect();
            keeping.add(names, async move { keep(&importer, good).await }).await?;
        }
        Ok(())
    }
    .await;
    let kept = keeping.done().await;
    fed?;
    Ok(ImportOut::of(lines.read(), kept?, refused))
}

/// Keeps a batch. One that the database refuses as a whole is kept line by line, so that the line
/// at fault is named and the others are kept.
async fn keep(importer: &Importer, good: Vec<(u64, Reported)>) -> Answer<Kept> {
    let mut kept = Kept::default();
    if good.is_empty() {
        return Ok(kept);
    }
    let mut count = |placed: Placed| {
        kept.new += placed.new;
        kept.all += placed.ids.len() as u64;
    };
    let batch = fold(good.iter().map(|(_, reported)| reported.clone()).collect());
    match commit(importer, &batch).await {
        Ok(placed) => {
            count(placed);
            return Ok(kept);
        }
        Err(problem) if problem.status < 500 => {}
        Err(problem) => return Err(problem),
    }
    let mut refused = Refused::default();
    for (line, reported) in good {
        match commit(importer, &fold(vec![reported])).await {
            Ok(placed) => count(placed),
            Err(problem) if problem.status < 500 => refused.add(line, problem),
            Err(problem) => return Err(problem),
        }
    }
    Ok(Kept { refused, ..kept })
}

async fn commit(importer: &Importer, batch: &[Counted]) -> Answer<Placed> {
    let mut change = Change::begin(&importer.app, &importer.caller).await?;
    if let Some(of) = &importer.scan {
        super::scan::held(scan::hold(&mut change, of.id).await)?;
    }
    let placed = answer("finding", place(&mut change, batch).await)?;
    if let Some(of) = &importer.scan {
        scan::count(&mut change, of.id, placed.ids.len(), placed.new).await?;
    }
    let first = placed.ids.first().map(ToString::to_string).unwrap_or_default();
    let event = change
        .event("finding.imported", "finding", &first)
        .with("findings", placed.ids.len() as u64)
        .with("new", placed.new);
    let event = match &importer.scan {
        Some(of) => event.with("scan_id", of.id.to_string()),
        None => event,
    };
    change.commit(event).await?;
    Ok(placed)
}
