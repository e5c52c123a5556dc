//! Many objects in one request, a line each, known by what they are called outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use db::object::{self as rows, Placeable};
use serde_json::Value;

use super::{Object, answer, made_by};
use crate::caller::{Caller, Can};
use crate::change::Change;
use crate::lines::{ImportOut, Keeping, Kept, Lines, Refused};
use crate::problem::Answer;
use crate::state::App;

/// The longest line, in bytes.
const LONGEST_LINE: usize = 1 << 20;
/// Batches that are kept at once: the database has more than one core.
const AT_ONCE: usize = 2;

/// A line that can be kept, with its number.
type Good = (u64, Placeable);
/// What an object is called outside.
type Name = Vec<String>;

pub(super) async fn import<O: Object>(
    State(app): State<App>,
    caller: Can<O::Write>,
    request: Request,
) -> Answer<Json<ImportOut>> {
    let (parts, body) = request.into_parts();
    let mut lines = Lines::of(&parts.headers, body, LONGEST_LINE)?;
    let mut refused = Refused::default();
    let mut keeping: Keeping<Name> = Keeping::new(AT_ONCE);
    let fed = feed::<O>(&app, &caller, &mut lines, &mut refused, &mut keeping).await;
    let kept = keeping.done().await;
    fed?;
    Ok(Json(ImportOut::of(lines.read(), kept?, refused)))
}

/// Reads batch after batch and has them kept.
async fn feed<O: Object>(
    app: &App,
    caller: &Caller,
    lines: &mut Lines,
    refused: &mut Refused,
    keeping: &mut Keeping<Name>,
) -> Answer<()> {
    let caller = Arc::new(caller.clone());
    while let Some(batch) = lines.batch::<O::In>(refused).await? {
        let mut good: Vec<Good> = Vec::with_capacity(batch.len());
        for (line, wanted) in batch {
            match O::check(&wanted).and_then(|()| made_by::<O>(&caller, &wanted)) {
                Ok(row) => good.push((line, Placeable::new(&O::KIND, row))),
                Err(problem) => refused.add(line, problem),
            }
        }
        let names: BTreeSet<Name> = good.iter().map(|(_, row)| name::<O>(row)).collect();
        let (app, caller) = (app.clone(), Arc::clone(&caller));
        keeping.add(names, async move { keep::<O>(&app, &caller, &good).await }).await?;
    }
    Ok(())
}

/// Keeps a batch. One that the database refuses as a whole is kept line by line, so that the line
/// at fault is named and the others are kept.
async fn keep<O: Object>(app: &App, caller: &Caller, good: &[Good]) -> Answer<Kept> {
    let one_each = last_of_each::<O>(good);
    if one_each.is_empty() {
        return Ok(Kept::default());
    }
    match commit::<O>(app, caller, &one_each).await {
        Ok(new) => return Ok(Kept { new, all: one_each.len() as u64, ..Kept::default() }),
        Err(problem) if problem.status < 500 => {}
        Err(problem) => return Err(problem),
    }
    let mut kept = Kept::default();
    for (line, row) in good {
        match commit::<O>(app, caller, &[row]).await {
            Ok(fresh) => {
                kept.new += fresh;
                kept.all += 1;
            }
            Err(problem) if problem.status < 500 => kept.refused.add(*line, problem),
            Err(problem) => return Err(problem),
        }
    }
    Ok(kept)
}

fn name<O: Object>(row: &Placeable) -> Name {
    let part = |field: &&str| row.get(field).map_or_else(String::new, Value::to_string);
    O::KIND.natural.iter().map(part).collect()
}

/// Of several lines about the same object the last counts. They come in order of their names, so
/// that two importers of the same objects wait for each other and never both for ever.
fn last_of_each<O: Object>(good: &[Good]) -> Vec<&Placeable> {
    let last: BTreeMap<Name, &Placeable> =
        good.iter().map(|(_, row)| (name::<O>(row), row)).collect();
    last.into_values().collect()
}

async fn commit<O: Object>(app: &App, caller: &Caller, batch: &[&Placeable]) -> Answer<u64> {
    let mut change = Change::begin(app, caller).await?;
    let all = batch.len() as u64;
    let new = answer::<O, _>(rows::place(&mut change, &O::KIND, batch).await)?;
    let word = O::KIND.word;
    let event =
        change.event(&format!("{word}.imported"), word, &"").with("objects", all).with("new", new);
    change.commit(event).await?;
    Ok(new)
}
