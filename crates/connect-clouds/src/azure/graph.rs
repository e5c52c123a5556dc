//! Queries of Resource Graph, and what they leave out asked for by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{StreamExt as _, stream};
use serde_json::{Map, Value, json};

use super::Azure;
use super::id::Id;
use crate::calls::{Ask, Tally};
use crate::error::Error;
use crate::reading::{Live, NotChecked, Reading, Wanted};
use crate::shape::{self, as_list, at};
use crate::table::{Kind, Table};

/// How many resources a query names: ids are long, and so may a query not be.
const CHUNK: usize = 100;
/// "Guidance for throttled requests in Azure Resource Graph": 15 queries in five seconds.
const QUERIES: (&str, f64, f64) = ("resource graph", 3.0, 15.0);
/// "Understand how Azure Resource Manager throttles requests": 25 a second after 250 at once.
const READS: (&str, f64, f64) = ("resource manager", 25.0, 250.0);
/// What is asked of each resource. The id is what pages go on by.
const COLUMNS: &str = "project id, name, type, kind, location, resourceGroup, managedBy, sku, \
                       identity, zones, tags, properties | order by id asc";
/// What Resource Manager calls a resource that is not there. A subscription that cannot be seen has
/// the same status.
const GONE: [&str; 4] =
    ["NotFound", "ParentResourceNotFound", "ResourceGroupNotFound", "ResourceNotFound"];

/// Resources by their ids in small letters, or why they could not be read.
type Rows = HashMap<String, Result<Value, String>>;

/// A resource that is asked for.
struct Asked<'a> {
    wanted: &'a Wanted,
    kind: &'static Kind,
    id: Id<'a>,
}

impl Asked<'_> {
    /// What the inventory has it under.
    fn root(&self) -> Option<String> {
        if self.kind.within.is_some() { self.id.parent() } else { Some(self.id.key()) }
    }

    fn not(&self, why: String) -> NotChecked {
        let Wanted { kind, id, .. } = self.wanted;
        NotChecked { kind: kind.clone(), id: Some(id.clone()), why, failed: true }
    }
}

impl Azure {
    /// Reads these resources, and of their types what nobody asked for in the same subscriptions.
    /// Types that are not known are left out.
    pub async fn read(&self, wanted: &[Wanted]) -> Reading {
        let tally = Tally::default();
        let mut reading = Reading::default();
        let mut asked = Vec::new();
        for wanted in wanted {
            let Some(kind) = Table::azure().kind(&wanted.kind) else { continue };
            match Id::parse(&wanted.id) {
                Some(id) => asked.push(Asked { wanted, kind, id }),
                None => reading.not_checked.push(NotChecked {
                    kind: wanted.kind.clone(),
                    id: Some(wanted.id.clone()),
                    why: "its id is none of Azure Resource Manager's".to_owned(),
                    failed: false,
                }),
            }
        }
        let rows = self.rows(&tally, &asked).await;
        let found = asked.iter().map(|asked| Box::pin(self.one(&tally, asked, &rows)));
        let at_once = self.calls.limits().at_once.max(1);
        let found: Vec<_> = stream::iter(found).buffered(at_once).collect().await;
        for found in found {
            match found {
                Ok(live) => reading.resources.extend(live),
                Err(not) => reading.not_checked.push(not),
            }
        }
        self.undeclared(&tally, (wanted, &asked), &mut reading).await;
        reading.calls = tally.calls();
        reading.throttled = tally.throttled();
        reading
    }

    /// What Resource Graph has of these.
    async fn rows(&self, tally: &Tally, asked: &[Asked<'_>]) -> Rows {
        let mut groups: BTreeMap<(String, &str), BTreeSet<String>> = BTreeMap::new();
        for asked in asked {
            let table = asked.kind.table.as_deref().unwrap_or("resources");
            let group = groups.entry((asked.id.subscription(), table)).or_default();
            group.extend(asked.root());
        }
        let chunks: Vec<(&str, &str, Vec<String>)> = groups
            .iter()
            .flat_map(|((subscription, table), ids)| {
                let ids: Vec<String> = ids.iter().cloned().collect();
                let chunks = ids.chunks(CHUNK).map(<[String]>::to_vec).collect::<Vec<_>>();
                chunks.into_iter().map(move |ids| (subscription.as_str(), *table, ids))
            })
            .collect();
        let answers = chunks.iter().map(|(subscription, table, ids)| {
            let ids = quoted(ids.iter().map(String::as_str));
            let query = format!("{table} | where id in~ ({ids}) | {COLUMNS}");
            Box::pin(async move { self.query(tally, subscription, &query).await })
        });
        let at_once = self.calls.limits().at_once.max(1);
        let answers: Vec<_> = stream::iter(answers).buffered(at_once).collect().await;
        let mut rows = Rows::new();
        for ((_, _, ids), answer) in chunks.into_iter().zip(answers) {
            match answer {
                Ok(found) => rows.extend(found.into_iter().filter_map(keyed)),
                Err(error) => {
                    let why = error.why();
                    rows.extend(ids.into_iter().map(|id| (id, Err(why.clone()))));
                }
            }
        }
        rows
    }

    /// One resource; `None` when it is not there.
    async fn one(
        &self,
        tally: &Tally,
        asked: &Asked<'_>,
        rows: &Rows,
    ) -> Result<Option<Live>, NotChecked> {
        let row = match asked.root().and_then(|root| rows.get(&root)) {
            Some(Err(why)) => return Err(asked.not(why.clone())),
            Some(Ok(row)) => part(asked, row),
            None => None,
        };
        let row = match row {
            Some(row) => row,
            None => match self.by_itself(tally, asked).await {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(None),
                Err(error) => {
                    return Err(asked.not(format!(
                        "Resource Graph does not have it, and whether it is there is not known: {}",
                        error.why()
                    )));
                }
            },
        };
        if !asked.kind.fits(&row) {
            return Err(asked.not("what has its id is of another type".to_owned()));
        }
        Ok(Some(Live {
            kind: asked.kind.kind.clone(),
            id: asked.wanted.id.clone(),
            attributes: shape::object(&row, &asked.kind.attributes),
        }))
    }

    /// A resource as its provider has it; `None` when it has not.
    async fn by_itself(&self, tally: &Tally, asked: &Asked<'_>) -> Result<Option<Value>, Error> {
        let (path, api) = (asked.id.path(), &asked.kind.api);
        let url = format!("{}{path}?api-version={api}", self.manager);
        let call = "a resource of Azure Resource Manager";
        let ask = Ask { call, quota: READS, url: &url, body: None };
        match self.calls.ask(tally, &ask).await {
            Ok(mut row) => {
                if let (Value::Object(members), Some(group)) = (&mut row, asked.id.group()) {
                    members.insert("resourceGroup".to_owned(), group.into());
                }
                Ok(Some(row))
            }
            Err(Error::Failed { code, status: 404, .. }) if GONE.contains(&code.as_str()) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What is there of the same types in the same subscriptions.
    async fn undeclared(
        &self,
        tally: &Tally,
        (wanted, asked): (&[Wanted], &[Asked<'_>]),
        reading: &mut Reading,
    ) {
        let known: BTreeSet<String> =
            wanted.iter().map(|wanted| wanted.id.to_lowercase()).collect();
        let told = asked.iter().filter(|asked| asked.kind.ours.is_some());
        let kinds: BTreeMap<&str, &Kind> =
            told.map(|asked| (asked.kind.kind.as_str(), asked.kind)).collect();
        let subscriptions: BTreeSet<String> =
            asked.iter().map(|asked| asked.id.subscription()).collect();
        let mut failed: BTreeMap<&str, String> = BTreeMap::new();
        for subscription in &subscriptions {
            for table in ["resources", "resourcecontainers"] {
                let kinds = kinds.values().copied();
                let of_table: Vec<&Kind> = kinds
                    .filter(|kind| kind.table.as_deref().unwrap_or("resources") == table)
                    .collect();
                if of_table.is_empty() {
                    continue;
                }
                let types = quoted(of_table.iter().map(|kind| kind.resource.as_str()));
                let query = format!("{table} | where type in~ ({types}) | {COLUMNS}");
                match Box::pin(self.query(tally, subscription, &query)).await {
                    Ok(rows) => {
                        let rows = rows.iter().filter_map(|row| beyond(row, &of_table, &known));
                        reading.undeclared.extend(rows);
                    }
                    Err(error) => {
                        failed.extend(of_table.iter().map(|kind| (&*kind.kind, error.why())));
                    }
                }
            }
        }
        for kind in kinds.keys() {
            match failed.get(kind) {
                None => {
                    reading.listed.insert((*kind).to_owned());
                }
                Some(why) => reading.unlisted.push(NotChecked {
                    kind: (*kind).to_owned(),
                    id: None,
                    why: format!("what nobody declares could not be looked for: {why}"),
                    failed: true,
                }),
            }
        }
    }

    /// The rows of a query about one subscription, to the last page.
    async fn query(
        &self,
        tally: &Tally,
        subscription: &str,
        query: &str,
    ) -> Result<Vec<Value>, Error> {
        let call = "a query of Azure Resource Graph";
        let manager = &self.manager;
        let url =
            format!("{manager}/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01");
        let limits = self.calls.limits();
        let (mut rows, mut token) = (Vec::new(), None);
        for _ in 0..limits.most_pages {
            let mut options = json!({ "resultFormat": "objectArray", "$top": limits.page });
            if let (Some(token), Some(options)) = (&token, options.as_object_mut()) {
                options.insert("$skipToken".to_owned(), Value::clone(token));
            }
            let body =
                json!({ "subscriptions": [subscription], "query": query, "options": options });
            let ask = Ask { call, quota: QUERIES, url: &url, body: Some(&body) };
            let mut answer = self.calls.ask(tally, &ask).await?;
            let Some(Value::Array(page)) = answer.get_mut("data").map(Value::take) else {
                return Err(Error::Unreadable { call, fault: "it has no rows" });
            };
            rows.extend(page);
            let next = at(&answer, "$skipToken").filter(|next| next.as_str() != Some(""));
            if next.is_none() {
                // Cut off without a way to go on: what is not in it may be there.
                return match answer.get("resultTruncated").and_then(shape::text).as_deref() {
                    Some("true") => Err(Error::Unreadable { call, fault: "it is cut off" }),
                    _ => Ok(rows),
                };
            }
            if next == token {
                return Err(Error::Endless { call, fault: "the next page is the same again" });
            }
            token = next;
        }
        Err(Error::Endless { call, fault: "it has more pages than are read" })
    }
}

/// Texts as a list of Kusto's. None of them has a quote or a backslash.
fn quoted<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.map(|text| format!("'{text}'")).collect::<Vec<_>>().join(", ")
}

fn keyed(row: Value) -> Option<(String, Result<Value, String>)> {
    let id = row.get("id")?.as_str()?.to_lowercase();
    Some((id, Ok(row)))
}

/// What was asked for in what the inventory has it in; `None` when it is not there.
fn part(asked: &Asked<'_>, row: &Value) -> Option<Value> {
    let Some(within) = &asked.kind.within else { return Some(row.clone()) };
    let is = |part: &Value| {
        part.get("id").and_then(Value::as_str).map(str::to_lowercase) == Some(asked.id.key())
    };
    let mut part = as_list(at(row, within)?).into_iter().find(is)?;
    let whole: Map<String, Value> = ["location", "resourceGroup", "tags"]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), row.get(*name)?.clone())))
        .collect();
    part.as_object_mut()?.insert("parent".to_owned(), Value::Object(whole));
    Some(part)
}

/// A resource that nobody asked for, when it is one to tell.
fn beyond(row: &Value, kinds: &[&Kind], known: &BTreeSet<String>) -> Option<Live> {
    let (id, of) = (row.get("id")?.as_str()?, row.get("type")?.as_str()?);
    if known.contains(&id.to_lowercase()) {
        return None;
    }
    let is = |kind: &&&Kind| kind.resource.eq_ignore_ascii_case(of) && kind.fits(row);
    let kind = kinds.iter().find(is).filter(|kind| kind.tells(row))?;
    Some(Live {
        kind: kind.kind.clone(),
        id: id.to_owned(),
        attributes: shape::object(row, &kind.attributes),
    })
}
