//! The description of a kind's endpoints, made of what the kind is.

use db::object::{Column, Filled, Holds, Kind};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;

use super::query::{LONGEST_SEARCH, bounds, ordered};
use super::{Object, Verbs};
use crate::lines::ImportOut;

/// The part of the `OpenAPI` document about one kind.
pub(super) fn document<O: Object>() -> OpenApi {
    let mut schemas = Map::new();
    let (shown, given) = (component::<O::Out>(&mut schemas), component::<O::In>(&mut schemas));
    let page = format!("{}Page", O::Out::name());
    schemas.insert(page.clone(), page_of(&shown));
    let page = json!({ "$ref": format!("#/components/schemas/{page}") });
    let (word, verbs) = (O::KIND.word, O::VERBS);
    let mut all =
        json!({ "get": operation::<O>("list", &parameters::<O>(), None, (200, Some(page))) });
    let id = json!({
        "name": "id", "in": "path", "required": true, "schema": { "type": "string" },
        "description": format!("The {word}"),
    });
    let named = [id.clone()];
    let seen = json!({
        "name": "If-Match", "in": "header", "required": false, "schema": { "type": "string" },
        "description": "The ETag of the state that was seen; another one is answered with 412.",
    });
    let changed = [id, seen];
    let mut one =
        json!({ "get": operation::<O>("show", &named, None, (200, Some(shown.clone()))) });
    if verbs.make() {
        all["post"] = operation::<O>("make", &[], Some(&given), (201, Some(shown.clone())));
    }
    if verbs.replace() {
        one["put"] = operation::<O>("replace", &changed, Some(&given), (200, Some(shown)));
        let once: Vec<&str> = O::KIND
            .columns
            .iter()
            .filter(|column| column.filled == Filled::Once)
            .map(|column| column.name)
            .collect();
        if !once.is_empty() {
            let fixed = format!("What it was made with stays: {}.", once.join(", "));
            one["put"]["description"] = fixed.into();
        }
    }
    if verbs.remove() {
        one["delete"] = operation::<O>("remove", &changed, None, (204, None));
    }
    if verbs == Verbs::Read {
        schemas.remove(O::In::name().as_ref());
    }
    let mut paths = json!({ O::PATH: all, format!("{}/{{id}}", O::PATH): one });
    if !O::KIND.natural.is_empty() {
        let out = component::<ImportOut>(&mut schemas);
        let mut many = operation::<O>("import", &[], None, (200, Some(out)));
        many["requestBody"] = json!({
            "required": true,
            "description": format!(
                "One of these in each line, up to 100,000; each is known by {}.",
                O::KIND.natural.join(", ")
            ),
            "content": { "application/x-ndjson": { "schema": given } },
        });
        paths[format!("{}/import", O::PATH)] = json!({ "post": many });
    }
    paths[format!("{}/export", O::PATH)] = json!({ "get": file::<O>() });
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": word, "version": "1" },
        "paths": paths,
        "components": { "schemas": schemas },
    });
    serde_json::from_value(document).expect("it is made of what utoipa wrote itself")
}

/// The list as a file.
fn file<O: Object>() -> Value {
    let form = json!({
        "name": "format", "in": "query", "required": false,
        "schema": { "type": "string", "enum": ["ndjson", "csv"], "default": "ndjson" },
        "description": "A line of JSON each, or comma-separated.",
    });
    let narrowed = parameters::<O>()
        .into_iter()
        .filter(|one| !["limit", "cursor"].iter().any(|name| one["name"] == *name));
    let all: Vec<Value> = std::iter::once(form).chain(narrowed).collect();
    let mut operation = operation::<O>("export", &all, None, (200, None));
    let text = json!({ "schema": { "type": "string" } });
    operation["responses"]["200"]["content"] =
        json!({ "application/x-ndjson": text, "text/csv": text });
    operation
}

fn component<T: ToSchema>(schemas: &mut Map<String, Value>) -> Value {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    for (name, schema) in found {
        let schema = serde_json::to_value(schema).expect("a schema is JSON");
        schemas.insert(name, schema);
    }
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}

fn page_of(shown: &Value) -> Value {
    json!({
        "type": "object",
        "description": "One page of a list.",
        "required": ["items", "has_next"],
        "properties": {
            "items": { "type": "array", "items": shown },
            "next_cursor": { "type": ["string", "null"], "description": "Where the next page goes on." },
            "has_next": { "type": "boolean", "description": "Whether there is a next page." },
        },
    })
}

fn operation<O: Object>(
    verb: &str,
    parameters: &[Value],
    body: Option<&Value>,
    (status, shown): (u16, Option<Value>),
) -> Value {
    let (word, plural) = (O::KIND.word.replace('_', " "), O::PLURAL);
    let summary = match verb {
        "list" => format!("List {plural}, newest first unless sorted."),
        "make" => format!("Add one of the {plural}."),
        "export" => format!("Write all {plural} that meet the query into a file."),
        "import" => format!("Add or replace many {plural}, a line of JSON each."),
        "replace" => format!("Replace a {word}."),
        "remove" => format!("Remove a {word}."),
        _ => format!("Show a {word}."),
    };
    let mut good = json!({ "description": "" });
    if let Some(schema) = shown {
        good["content"] = json!({ "application/json": { "schema": schema } });
        if !["list", "import"].contains(&verb) {
            good["headers"] = json!({ "ETag": {
                "description": "The state shown, for If-Match.", "schema": { "type": "string" },
            } });
        }
    }
    let problem = json!({
        "description": "",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    let mut operation = json!({
        "tags": [O::TAG],
        "summary": summary,
        "operationId": format!("{verb}_{}", if ["list", "import", "export"].contains(&verb) { plural.replace(' ', "_") } else {
            O::KIND.word.to_owned()
        }),
        "parameters": parameters,
        "responses": { status.to_string(): good, "4XX": problem },
    });
    if let Some(schema) = body {
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    operation
}

fn parameters<O: Object>() -> Vec<Value> {
    query(&O::KIND)
}

/// The parameters of a list.
pub(super) fn query(kind: &Kind) -> Vec<Value> {
    let query = |name: &str, schema: Value, what: &str| json!({ "name": name, "in": "query", "required": false, "schema": schema, "description": what });
    let mut all = vec![
        query(
            "limit",
            json!({ "type": "integer", "minimum": 1, "maximum": 1000 }),
            "Items a page: 1 to 1000, 20 when absent.",
        ),
        query(
            "cursor",
            json!({ "type": "string", "maxLength": 2048 }),
            "Where to go on: `next_cursor` of the page before, asked for in the same way.",
        ),
    ];
    let sorts = kind.columns.iter().filter(|column| column.sort).map(|column| column.name);
    let words: Vec<String> = std::iter::once("id")
        .chain(sorts)
        .flat_map(|name| [name.to_owned(), format!("-{name}")])
        .collect();
    all.push(query(
        "sort",
        json!({ "type": "string", "enum": words }),
        "In which order, a minus for descending; `-id`, newest first, when absent.",
    ));
    if kind.columns.iter().any(|column| column.search) {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_SEARCH });
        all.push(query("q", schema, "A text that is looked for, in either case."));
    }
    for column in kind.columns.iter().filter(|column| column.filter) {
        let held = match (column.through, column.holds) {
            (Some(_), _) => format!("The `{}` of something in it", column.name),
            (None, Holds::Ids) => format!("An id in `{}`", column.name),
            (None, _) => format!("A value of `{}`", column.name),
        };
        let what = format!("{held}; given several times, any of them.");
        let several = json!({ "type": "array", "items": { "type": "string" } });
        all.push(query(column.asked, several, &what));
        if ordered(column.holds) {
            let (from, before) = bounds(column);
            all.push(query(&from, of(column), &format!("`{}` from this on.", column.name)));
            all.push(query(&before, of(column), &format!("`{}` before this.", column.name)));
        }
    }
    all
}

fn of(column: &Column) -> Value {
    match column.holds {
        Holds::Time => json!({ "type": "string", "format": "date-time" }),
        Holds::Date => json!({ "type": "string", "format": "date" }),
        Holds::Number => json!({ "type": "number" }),
        _ => json!({ "type": "string" }),
    }
}
