//! The resources that are there, type by type.

mod control;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt as _, stream};
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use crate::client::{Aws, Tally};
use crate::error::{self, Error};
use crate::shape;
use crate::table::{Ask, Kind, Source, Table};
use crate::tree::{as_list, text_at};

/// A resource that is there.
#[derive(Clone, PartialEq)]
pub struct Live {
    /// Its type in CloudFormation: `AWS::EC2::VPC`.
    pub kind: String,
    /// Its physical id.
    pub id: String,
    /// What else AWS calls it: its ARN, its allocation id.
    pub also: Vec<String>,
    /// Its properties, in the names of its type.
    pub properties: Value,
}

/// Without the properties: environments of functions and user data are among them.
impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Something of which nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotChecked {
    /// A type, or the type of the resource.
    pub kind: String,
    /// The resource; all of the type when absent.
    pub id: Option<String>,
    /// Why, for people.
    pub why: String,
    /// Whether reading it was tried and failed, and may succeed another time; otherwise such
    /// resources are never read.
    pub failed: bool,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// The resources, type by type, in the order AWS gives them.
    pub resources: Vec<Live>,
    /// The types of which all resources were listed: what is neither in `resources` nor in
    /// `not_checked` is not there.
    pub whole: BTreeSet<String>,
    /// What could not be read.
    pub not_checked: Vec<NotChecked>,
    /// How many calls it took, those tried again among them.
    pub calls: u64,
    /// How many of them were put off by AWS.
    pub throttled: u64,
}

/// Whether a property of a type is read at all: its names from the outermost in, without the places
/// in lists.
///
/// Of one that is not nothing can be said, though it is declared. Through Cloud Control everything
/// is read that can be.
#[must_use]
pub fn reads(kind: &str, path: &[&str]) -> bool {
    let mut shape = match Table::shipped().kind(kind) {
        Some(kind) => &kind.properties,
        None => return true,
    };
    for name in path {
        match shape.get(*name) {
            None => return false,
            // What is given as it is, or in a form of its own, is given whole.
            Some(Source::Path(_)) => return true,
            Some(Source::Shaped(shaped)) => match shaped.of.as_ref().or(shaped.each.as_ref()) {
                Some(inner) => shape = inner,
                None => return true,
            },
        }
    }
    true
}

/// The types that are read by calls of their own; others are read through Cloud Control.
#[must_use]
pub fn types() -> BTreeSet<&'static str> {
    Table::shipped().types.iter().map(|kind| kind.kind.as_str()).collect()
}

/// What became of one type.
#[derive(Debug, Default)]
struct Part {
    resources: Vec<Live>,
    not_checked: Vec<NotChecked>,
    whole: bool,
}

/// Lists that more than one type needs are asked for once.
type Lists = Mutex<HashMap<String, Arc<OnceCell<Result<Arc<Value>, Error>>>>>;

/// One reading.
struct Run<'a> {
    aws: &'a Aws,
    tally: Tally,
    lists: Lists,
}

impl Aws {
    /// Reads everything there is of these types. What cannot be read is said to be not checked and
    /// is never taken to be absent; the other types go on.
    pub async fn read(&self, types: &BTreeSet<String>) -> Reading {
        let run = Run { aws: self, tally: Tally::default(), lists: Lists::default() };
        let parts = types.iter().map(|kind| Box::pin(run.part(kind)));
        let parts: Vec<Part> =
            stream::iter(parts).buffered(self.limits().at_once.max(1)).collect().await;
        let mut reading = Reading {
            calls: run.tally.calls(),
            throttled: run.tally.throttled(),
            ..Reading::default()
        };
        for (kind, part) in types.iter().zip(parts) {
            if part.whole {
                reading.whole.insert(kind.clone());
            }
            reading.resources.extend(part.resources);
            reading.not_checked.extend(part.not_checked);
        }
        reading
    }
}

impl Run<'_> {
    async fn part(&self, kind: &str) -> Part {
        let read = match Table::shipped().kind(kind) {
            Some(known) => self.by_table(known).await,
            None => self.by_control(kind).await,
        };
        read.unwrap_or_else(|error| {
            let why = error.why();
            Part { not_checked: vec![not_checked(kind, None, why)], ..Part::default() }
        })
    }

    async fn by_table(&self, kind: &Kind) -> Result<Part, Error> {
        let list = self.list(&kind.list).await?;
        let mut beside = Vec::new();
        for ask in &kind.beside {
            let rows = as_list(Some((*self.list(ask).await?).clone())).into_iter();
            let rows = rows.filter_map(|row| Some((text_at(&row, &ask.by)?, row)));
            beside.push((ask, rows.collect::<HashMap<_, _>>()));
        }
        let items = match &*list {
            Value::Array(items) => items.as_slice(),
            _ => &[],
        };
        let found = items.iter().map(|item| {
            let mut read = match item {
                Value::Object(members) => members.clone(),
                name => Map::from_iter([("item".to_owned(), name.clone())]),
            };
            for (ask, rows) in &beside {
                let row = read.get(&ask.by).and_then(Value::as_str).and_then(|by| rows.get(by));
                if let Some(row) = row {
                    read.insert(ask.name.clone(), row.clone());
                }
            }
            Box::pin(self.one(kind, read))
        });
        let found: Vec<_> =
            stream::iter(found).buffered(self.aws.limits().at_once.max(1)).collect().await;
        let mut part = Part { whole: true, ..Part::default() };
        for found in found {
            match found {
                Ok(Some(live)) => part.resources.push(live),
                Ok(None) => {}
                Err(not) => {
                    // Of a resource without a name nobody can say that it is not another's.
                    part.whole &= not.id.is_some();
                    part.not_checked.push(not);
                }
            }
        }
        Ok(part)
    }

    /// One resource; `None` when it is not there any more, or not one of those that are read.
    async fn one(&self, kind: &Kind, read: Map<String, Value>) -> Result<Option<Live>, NotChecked> {
        let mut read = Value::Object(read);
        if let Some(path) = &kind.elsewhere
            && text_at(&read, path).is_some_and(|region| region != self.aws.region())
        {
            return Ok(None);
        }
        let Some(id) = text_at(&read, &kind.id) else {
            let why = format!("{} lists a resource without {}", kind.list.title(), kind.id);
            return Err(not_checked(&kind.kind, None, why));
        };
        for ask in &kind.each {
            if shape::any(&read, &kind.skip) {
                return Ok(None);
            }
            if !shape::all(&read, &ask.when) {
                continue;
            }
            let error = match self.aws.whole(&self.tally, ask, &read).await {
                Ok(answer) => {
                    if let Value::Object(members) = &mut read {
                        members.insert(ask.name.clone(), answer);
                    }
                    continue;
                }
                Err(error) => error,
            };
            let is = |codes: &[String]| {
                error.code().is_some_and(|code| codes.iter().any(|known| known == code))
            };
            if is(&kind.gone) || (is(&ask.absent) && ask.needed) {
                return Ok(None);
            }
            if !is(&ask.absent) {
                return Err(not_checked(&kind.kind, Some(id), error.why()));
            }
        }
        if shape::any(&read, &kind.skip) {
            return Ok(None);
        }
        if let Some(code) = kind.fault.as_ref().and_then(|path| text_at(&read, path)) {
            let why = format!("a part of it cannot be read: {}", error::code(&code));
            return Err(not_checked(&kind.kind, Some(id), why));
        }
        Ok(Some(Live {
            kind: kind.kind.clone(),
            id,
            also: kind.also.iter().filter_map(|path| text_at(&read, path)).collect(),
            properties: Value::Object(shape::object(&read, &kind.properties)),
        }))
    }

    /// A list, asked for once in a reading.
    async fn list(&self, ask: &Ask) -> Result<Arc<Value>, Error> {
        let input = Value::Object(ask.input.clone());
        let key = format!("{} {input} {}", ask.title(), ask.items.as_deref().unwrap_or_default());
        let cell = {
            let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(lists.entry(key).or_default())
        };
        let start =
            Value::Object(Map::from_iter([("region".to_owned(), self.aws.region().into())]));
        let read = async { self.aws.whole(&self.tally, ask, &start).await.map(Arc::new) };
        cell.get_or_init(|| Box::pin(read)).await.clone()
    }
}

fn not_checked(kind: &str, id: Option<String>, why: String) -> NotChecked {
    NotChecked { kind: kind.to_owned(), id, why, failed: true }
}
