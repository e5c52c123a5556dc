//! One full record of each object of the five documents: made through the API, shown by the API,
//! and read through its lens, field by field.

mod shown;
mod told;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use self::shown::{NOT_SHOWN, SHOWN, Shown};
use super::harness::{Site, text};
use super::lenses::{CONTRACT, Promise, lived, rows};
use super::objects::make_all;
use super::stage::Stage;

/// A field of the documents, and where a record of the API has it.
struct Field {
    theirs: String,
    /// `Err` names why the API shows none.
    ours: Result<String, String>,
    /// Absent where the API shows it stands for null (`?`) or for its default (`~`).
    absent: Option<char>,
    /// How our value becomes theirs.
    told: Option<String>,
}

impl Field {
    fn parse(word: &str) -> Self {
        if let Some((theirs, reason)) = word.split_once('!') {
            let ours = Err(reason.to_owned());
            return Self { theirs: theirs.to_owned(), ours, absent: None, told: None };
        }
        let (theirs, rest) = word.split_once('=').unwrap_or((word, word));
        let (rest, told) = match rest.split_once('>') {
            Some((rest, told)) => (rest, Some(told.to_owned())),
            None => (rest, None),
        };
        let absent = rest.chars().next().filter(|c| "?~".contains(*c));
        let ours = rest.trim_start_matches(['?', '~']).to_owned();
        Self { theirs: theirs.to_owned(), ours: Ok(ours), absent, told }
    }

    /// The column or key it is about: `approver_json.id` is about `approver_json`.
    fn column(&self) -> &str {
        self.theirs.split('.').next().unwrap_or_default()
    }
}

impl Shown {
    /// Every field of the object: those named, and the others under their own names.
    fn all(&self, promised: &[&Promise], tenant: &str) -> Vec<Field> {
        let mut fields: Vec<Field> = self.fields.split_whitespace().map(Field::parse).collect();
        let named: BTreeSet<String> =
            fields.iter().map(|field| field.column().to_owned()).collect();
        for promise in promised {
            if named.contains(&promise.field) {
                continue;
            }
            let of_tenant = ["tenant_id", "organization_id"].contains(&promise.field.as_str());
            let word = if of_tenant {
                format!("{}=^tenant.{tenant}", promise.field)
            } else {
                promise.field.clone()
            };
            fields.push(Field::parse(&word));
        }
        fields
    }
}

/// What the API shows, each path asked once.
pub(super) struct World<'a> {
    stage: &'a Stage,
    lists: HashMap<String, Vec<Value>>,
    ones: HashMap<String, Value>,
}

/// Where an object is shown whose id has this prefix.
const PATHS: &[(&str, &str)] = &[
    ("int", "/intents"),
    ("pln", "/plans"),
    ("dec", "/decisions"),
    ("apr", "/approvals"),
    ("res", "/resources"),
    ("env", "/environments"),
    ("ppl", "/provider-policies"),
];

impl<'a> World<'a> {
    fn new(stage: &'a Stage) -> Self {
        Self { stage, lists: HashMap::new(), ones: HashMap::new() }
    }

    async fn one(&mut self, path: &str) -> Value {
        if !self.ones.contains_key(path) {
            let shown = self.stage.admin.get(path).await;
            assert_eq!(shown.status.as_u16(), 200, "{path}: {:#}", shown.body);
            let shown = shown.body;
            self.ones.insert(path.to_owned(), shown);
        }
        self.ones[path].clone()
    }

    /// Everything at a path: all pages of a list, or the one thing there is.
    pub(super) async fn list(&mut self, path: &str) -> Vec<Value> {
        if let Some(known) = self.lists.get(path) {
            return known.clone();
        }
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.stage.admin.get(&format!("{path}{cursor}")).await.expect(200);
            match &page {
                Value::Array(items) => all.extend(items.iter().cloned()),
                Value::String(stream) => all.extend(events(stream)),
                Value::Object(one) if one.contains_key("items") => {
                    all.extend(page["items"].as_array().unwrap().iter().cloned());
                }
                _ => all.push(page.clone()),
            }
            if page["has_next"] != true {
                break;
            }
            cursor = format!("?cursor={}", text(&page, "next_cursor"));
        }
        self.lists.insert(path.to_owned(), all.clone());
        all
    }

    /// The records at `/runbooks/*#document.steps`: for each item of a list, what is at its path, and
    /// of that each entry of an array. `^` is what a record was found in, `@` its place there.
    async fn records(&mut self, at: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for source in at.split(" + ") {
            let mut parts = source.split('#');
            let path = parts.next().unwrap_or_default();
            let mut found = match path.split_once("/*") {
                None => self.list(path).await,
                Some((list, rest)) => {
                    let mut below = Vec::new();
                    for item in self.list(list).await {
                        // The events of what still runs have no end.
                        if rest == "/events" && item["completed_at"].is_null() {
                            continue;
                        }
                        let path = format!("{list}/{}{rest}", text(&item, "id"));
                        for mut one in self.list(&path).await {
                            one["^"] = item.clone();
                            below.push(one);
                        }
                    }
                    below
                }
            };
            for pointer in parts {
                let mut inner = Vec::new();
                for outer in found {
                    let entries = self.at(&outer, pointer).await;
                    let entries = entries.as_ref().and_then(Value::as_array);
                    for (place, entry) in entries.into_iter().flatten().enumerate() {
                        let mut entry = entry.clone();
                        entry["^"] = outer.clone();
                        entry["@"] = json!(place + 1);
                        inner.push(entry);
                    }
                }
                found = inner;
            }
            all.extend(found);
        }
        all
    }

    /// What a record has at `a.b`; a `*` goes on in what the id before it names.
    fn at<'r>(
        &'r mut self,
        record: &'r Value,
        pointer: &'r str,
    ) -> Pin<Box<dyn Future<Output = Option<Value>> + 'r>> {
        Box::pin(async move {
            if let Some(tenant) = pointer.strip_prefix("^tenant.") {
                return Some(json!(tenant));
            }
            let mut now = record.clone();
            for part in pointer.split('.') {
                now = match part {
                    _ if now.is_null() => return Some(Value::Null),
                    "*" => {
                        let id = now.as_str().unwrap().to_owned();
                        let (prefix, _) = id.split_once('_').unwrap();
                        let (_, path) = PATHS
                            .iter()
                            .find(|(known, _)| *known == prefix)
                            .unwrap_or_else(|| panic!("{id} is shown nowhere"));
                        self.one(&format!("{path}/{id}")).await
                    }
                    part => match part.parse::<usize>() {
                        Ok(place) => now.get(place)?.clone(),
                        Err(_) => now.get(part)?.clone(),
                    },
                };
            }
            Some(now)
        })
    }

    /// What the API says of a field, in the document's words; `None` where it says nothing.
    async fn says(&mut self, record: &Value, field: &Field) -> Option<Value> {
        let ours = field.ours.as_ref().unwrap();
        let found = self.at(record, ours).await;
        let value = match (found, field.absent) {
            (Some(value), _) => value,
            (None, Some('?')) => Value::Null,
            (None, Some(_)) => return None,
            (None, None) => return Some(json!(format!("no key {ours}"))),
        };
        Some(match &field.told {
            None => value,
            Some(how) => told::told(self, how, value, record).await,
        })
    }
}

/// The events of a stream that has ended, each with its number.
fn events(stream: &str) -> impl Iterator<Item = Value> {
    stream.split("\n\n").filter_map(|event| {
        let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
        let mut data: Value = serde_json::from_str(line("data:")?.trim()).unwrap();
        data["seq"] = json!(line("id:")?.trim().parse::<i64>().unwrap());
        Some(data)
    })
}

/// Whether two values are one: ids with and without prefix, instants and amounts however written.
pub(super) fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        (Value::String(a), Value::String(b)) => {
            let instant = |text: &str| text.parse::<Timestamp>().ok();
            a == b
                || bare(a) == bare(b)
                || instant(a).is_some_and(|a| instant(b) == Some(a))
                || amount(ours).is_some_and(|a| amount(theirs) == Some(a))
        }
        (Value::Number(_) | Value::String(_), Value::Number(_))
        | (Value::Number(_), Value::String(_)) => {
            amount(ours).is_some_and(|a| amount(theirs) == Some(a))
        }
        _ => ours == theirs,
    }
}

/// An id as the database has it.
pub(super) fn bare(text: &str) -> &str {
    let id = text.split_once('_').map(|(_, id)| id);
    id.filter(|id| Uuid::try_parse(id).is_ok()).unwrap_or(text)
}

fn amount(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn within<'v>(row: &'v Value, dotted: &str) -> &'v Value {
    dotted.split('.').fold(row, |now, part| &now[part])
}

/// What was compared.
#[derive(Default)]
struct Tally {
    objects: usize,
    records: usize,
    values: usize,
    fields: BTreeSet<(String, String)>,
    not_shown: BTreeMap<String, BTreeSet<String>>,
    faults: Vec<String>,
}

impl Tally {
    /// Compares every row of an object's lens with the record the API shows.
    async fn object(
        &mut self,
        world: &mut World<'_>,
        shown: &Shown,
        promised: &[&Promise],
        seen: Vec<Value>,
    ) {
        let tenant = world.stage.tenant.uuid().to_string();
        let fields = shown.all(promised, &tenant);
        for field in &fields {
            let key = (shown.object.to_owned(), field.column().to_owned());
            match &field.ours {
                Ok(_) => drop(self.fields.insert(key)),
                Err(reason) => {
                    let name = format!("{} {}", shown.object, field.column());
                    self.not_shown.entry(reason.clone()).or_default().insert(name);
                }
            }
        }
        if shown.at.is_empty() {
            return;
        }
        let mut records = Vec::new();
        for record in world.records(shown.at).await {
            let mut said = Vec::new();
            for field in fields.iter().filter(|field| field.ours.is_ok()) {
                said.push((field.theirs.as_str(), world.says(&record, field).await));
            }
            records.push(said);
        }
        self.objects += 1;
        let keys: Vec<&str> = shown.key.split_whitespace().collect();
        let met = self.records;
        for row in &seen {
            let row = if promised[0].shape() { &row["document"] } else { row };
            let agrees = |(name, said): &(&str, Option<Value>)| {
                said.as_ref().is_none_or(|said| same(said, within(row, name)))
            };
            let is = |said: &&Vec<(&str, Option<Value>)>| {
                let by = |one: &(&str, Option<Value>)| keys == ["*"] || keys.contains(&one.0);
                said.iter().filter(|one| by(one)).all(agrees)
            };
            let Some(record) = records.iter().find(is) else {
                if !shown.some {
                    self.faults.push(format!("{}: the API shows no {row:#}", shown.object));
                }
                continue;
            };
            self.records += 1;
            for (name, said) in record {
                let Some(said) = said else { continue };
                self.values += 1;
                let theirs = within(row, name);
                if !same(said, theirs) {
                    let object = shown.object;
                    self.faults
                        .push(format!("{object}.{name}: the API says {said}, the lens {theirs}"));
                }
            }
        }
        if self.records == met {
            self.faults.push(format!("{}: no record was compared", shown.object));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_of_every_object_is_the_same_through_the_api_and_through_its_lens() {
    let site = Site::start().await;
    let stage = lived(&site).await;
    let promises: Vec<Promise> = serde_json::from_str(CONTRACT).unwrap();
    let mut objects: BTreeMap<String, Vec<&Promise>> = BTreeMap::new();
    for promise in promises.iter().filter(|promise| !promise.field.is_empty()) {
        let name = format!("{} {}", promise.system, promise.object);
        objects.entry(name).or_default().push(promise);
    }
    let mut world = World::new(&stage);
    let mut tally = Tally::default();
    for (name, promised) in &objects {
        let shown = SHOWN.iter().find(|shown| shown.object == name);
        let shown = shown.unwrap_or_else(|| panic!("{name} is not mapped"));
        let names: BTreeSet<&str> = promised.iter().map(|one| one.field.as_str()).collect();
        for word in shown.fields.split_whitespace() {
            let field = Field::parse(word);
            assert!(names.contains(field.column()), "{name} has no field {}", field.column());
        }
        let statement = format!("SELECT * FROM {}", promised[0].view());
        if !shown.at.is_empty() {
            let records = world.records(shown.at).await;
            assert!(!records.is_empty(), "{name}: nothing at {}", shown.at);
        }
        let mut tx = site.test.db.tenant(stage.tenant).await.unwrap();
        let seen = rows(&mut tx, &statement).await;
        drop(tx);
        tally.object(&mut world, shown, promised, seen).await;
    }
    assert_eq!(SHOWN.len(), objects.len());
    let total: usize = objects.values().map(Vec::len).sum();
    let reasons: BTreeMap<&str, &str> = NOT_SHOWN.iter().copied().collect();
    let mut unshown = 0;
    for (reason, fields) in &tally.not_shown {
        let why = reasons.get(reason.as_str()).unwrap_or_else(|| panic!("{reason} is no reason"));
        unshown += fields.len();
        println!("not shown, for {why}: {}", fields.iter().cloned().collect::<Vec<_>>().join(", "));
    }
    println!(
        "contract: {} of {total} fields of {} of {} objects compared, {} values of {} records; \
         {unshown} fields not shown, each with its reason",
        tally.fields.len(),
        tally.objects,
        objects.len(),
        tally.values,
        tally.records,
    );
    assert_eq!(tally.faults, [] as [String; 0], "{}", tally.faults.join("\n"));
    assert_eq!(tally.fields.len() + unshown, total);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_word_the_documents_allow_goes_in_through_the_api_and_comes_out_of_its_lens() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let (_, made) = make_all(&site, &stage).await;
    let promises: Vec<Promise> = serde_json::from_str(CONTRACT).unwrap();
    let (mut written, mut refused) = (0, Vec::new());
    for promise in &promises {
        let name = format!("{} {}", promise.system, promise.object);
        let Some(shown) = SHOWN.iter().find(|shown| shown.object == name) else { continue };
        let Some((kind, made)) = made.iter().find(|(kind, _)| kind.path == shown.at) else {
            continue;
        };
        let fields = shown.all(&[promise], "");
        let field = fields.iter().find(|field| field.column() == promise.field).unwrap();
        let (Ok(ours), Some(words)) = (&field.ours, promise.words()) else { continue };
        if promise.shape() || field.told.is_some() || kind.example.get(ours).is_none() {
            continue;
        }
        for (number, word) in words.iter().enumerate() {
            let mut body = kind.another(made, &format!("{}-{number}", promise.field));
            body[ours] = json!(word);
            match word.as_str() {
                "email" => body["configuration"] = json!({"to": ["ops@example.com"]}),
                "webhook" => body["configuration"] = json!({"url": "https://example.com/hook"}),
                _ => {}
            }
            let reply = stage.admin.post(&kind.path, &body).await;
            if reply.status != 201 {
                refused.push(format!("{name}.{ours} {word}: {:#}", reply.body));
                continue;
            }
            assert_eq!(reply.body[ours], *word, "{name}.{ours}");
            let mut tx = site.test.db.tenant(stage.tenant).await.unwrap();
            let seen = rows(&mut tx, &format!("SELECT * FROM {}", promise.view())).await;
            let id = text(&reply.body, "id");
            let row = seen.iter().find(|row| {
                let is = |key: &str, value: &str| row[key].as_str() == Some(value);
                is("id", bare(&id))
                    || reply.body["external_id"].as_str().is_some_and(|of| is("id", of))
            });
            let row = row.unwrap_or_else(|| panic!("{name}: no row with {ours} {word}"));
            assert_eq!(row[&promise.field], *word, "{name}.{}", promise.field);
            written += 1;
        }
    }
    println!("contract: {written} words written through the API and read through their lenses");
    assert_eq!(refused, [] as [String; 0], "{}", refused.join("\n"));
    assert_eq!(written, 40);
}
