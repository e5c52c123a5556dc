//! Many objects in one request, a line each, known by what they are called outside.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Request, State};
use db::object as rows;
use serde_json::{Map, Value};

use super::{Object, answer, made_by};
use crate::caller::{Caller, Can};
use crate::change::Change;
use crate::lines::{ImportOut, Lines, Refused};
use crate::problem::Answer;
use crate::state::App;

/// The longest line, in bytes.
const LONGEST_LINE: usize = 1 << 20;

/// What is kept of a line.
type Row = Map<String, Value>;

pub(super) async fn import<O: Object>(
    State(app): State<App>,
    caller: Can<O::Write>,
    request: Request,
) -> Answer<Json<ImportOut>> {
    let (parts, body) = request.into_parts();
    let mut lines = Lines::of(&parts.headers, body, LONGEST_LINE)?;
    let mut refused = Refused::default();
    let (mut new, mut kept) = (0, 0);
    while let Some(batch) = lines.batch::<O::In>(&mut refused).await? {
        let mut good = Vec::with_capacity(batch.len());
        for (line, wanted) in batch {
            match O::check(&wanted).and_then(|()| made_by::<O>(&caller, &wanted)) {
                Ok(row) => good.push((line, row)),
                Err(problem) => refused.add(line, problem),
            }
        }
        let (fresh, all) = keep::<O>(&app, &caller, good, &mut refused).await?;
        new += fresh;
        kept += all;
    }
    Ok(Json(ImportOut::of(lines.read(), new, kept - new, refused)))
}

/// Keeps a batch; gives how many are new, and how many there are. One that the database refuses as
/// a whole is kept line by line, so that the line at fault is named and the others are kept.
async fn keep<O: Object>(
    app: &App,
    caller: &Caller,
    good: Vec<(u64, Row)>,
    refused: &mut Refused,
) -> Answer<(u64, u64)> {
    let one_each = last_of_each::<O>(&good);
    if one_each.is_empty() {
        return Ok((0, 0));
    }
    let all = one_each.len() as u64;
    match commit::<O>(app, caller, one_each).await {
        Ok(new) => return Ok((new, all)),
        Err(problem) if problem.status < 500 => {}
        Err(problem) => return Err(problem),
    }
    let (mut new, mut all) = (0, 0);
    for (line, row) in good {
        match commit::<O>(app, caller, vec![row]).await {
            Ok(fresh) => {
                new += fresh;
                all += 1;
            }
            Err(problem) if problem.status < 500 => refused.add(line, problem),
            Err(problem) => return Err(problem),
        }
    }
    Ok((new, all))
}

/// Of several lines about the same object the last counts.
fn last_of_each<O: Object>(good: &[(u64, Row)]) -> Vec<Row> {
    let name = |row: &Row| -> Vec<String> {
        let part = |field: &&str| row.get(*field).map_or_else(String::new, Value::to_string);
        O::KIND.natural.iter().map(part).collect()
    };
    let last: BTreeMap<Vec<String>, &Row> = good.iter().map(|(_, row)| (name(row), row)).collect();
    last.into_values().cloned().collect()
}

async fn commit<O: Object>(app: &App, caller: &Caller, batch: Vec<Row>) -> Answer<u64> {
    let mut change = Change::begin(app, caller).await?;
    let all = batch.len() as u64;
    let new = answer::<O, _>(rows::place(&mut change, &O::KIND, batch).await)?;
    let word = O::KIND.word;
    let event =
        change.event(&format!("{word}.imported"), word, &"").with("objects", all).with("new", new);
    change.commit(event).await?;
    Ok(new)
}
