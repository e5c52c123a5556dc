//! The query of a list: `?status=open&status=fixed&created_at_from=…&q=…&sort=-created_at&limit=&cursor=`.

use std::collections::BTreeMap;

use db::object::{Column, Filter, Holds, Kind, ListRequest, Sort, Test};
use db::page::PageError;
use jiff::civil::Date;
use model::time::Timestamp;
use uuid::Uuid;

use crate::problem::{Answer, Problem};

/// The longest text that is searched for, in characters.
pub(super) const LONGEST_SEARCH: usize = 200;

/// Reads what is wanted of a list of `kind`; a parameter the kind does not know is refused, so that
/// a misspelt filter does not show everything.
pub(super) fn read(kind: &Kind, query: &str) -> Answer<ListRequest> {
    let mut given = parameters(query)?;
    let mut once = |name: &str| match given.remove(name) {
        None => Ok(None),
        Some(mut values) if values.len() == 1 => Ok(values.pop()),
        Some(_) => Err(Problem::invalid(&format!("query.{name}"), "twice", "is given twice")),
    };
    let limit = once("limit")?;
    let cursor = once("cursor")?;
    let mut wanted = ListRequest::sorted(sort(kind, once("sort")?)?);
    if let Some(text) = once("q")? {
        wanted.search = Some(search(kind, text)?);
    }
    for column in kind.columns.iter().filter(|column| column.filter) {
        if ordered(column.holds) {
            let (from, before) = bounds(column);
            if let Some(value) = once(&from)? {
                let test = Test::From(checked(column, &from, &value)?);
                wanted.filters.push(Filter { column, test });
            }
            if let Some(value) = once(&before)? {
                let test = Test::Before(checked(column, &before, &value)?);
                wanted.filters.push(Filter { column, test });
            }
        }
    }
    for column in kind.columns.iter().filter(|column| column.filter) {
        if let Some(values) = given.remove(column.asked) {
            let values = values.iter().map(|value| checked(column, column.asked, value));
            let test = Test::OneOf(values.collect::<Answer<_>>()?);
            wanted.filters.push(Filter { column, test });
        }
    }
    if let Some(name) = given.into_keys().next() {
        let message = "this list knows no such word; see /api/v1/openapi.json";
        return Err(Problem::invalid(&format!("query.{name}"), "unknown_parameter", message));
    }
    let limit = limit
        .map(|text| text.parse::<i64>())
        .transpose()
        .map_err(|_| Problem::invalid("query.limit", "shape", "must be a whole number"))?;
    wanted.page(limit, cursor.as_deref()).map_err(|error| {
        let path = match error {
            PageError::Cursor => "query.cursor",
            PageError::Limit { .. } => "query.limit",
        };
        Problem::invalid(path, "out_of_range", error.to_string())
    })
}

/// Whether a column has an order that a list may be cut by.
pub(super) const fn ordered(holds: Holds) -> bool {
    matches!(holds, Holds::Time | Holds::Date | Holds::Number)
}

/// The two parameters that cut a list by a column.
pub(super) fn bounds(column: &Column) -> (String, String) {
    (format!("{}_from", column.name), format!("{}_before", column.name))
}

/// What is given, by name: a value with a comma in it is one value, so several are several
/// parameters of one name.
fn parameters(query: &str) -> Answer<BTreeMap<String, Vec<String>>> {
    let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if value.contains('\0') {
            let path = format!("query.{name}");
            return Err(Problem::invalid(&path, "nul", "holds a NUL character"));
        }
        given.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    Ok(given)
}

fn sort(kind: &Kind, given: Option<String>) -> Answer<Sort> {
    let Some(text) = given else { return Ok(Sort::default()) };
    let (name, ascending) = match text.strip_prefix('-') {
        Some(name) => (name, false),
        None => (text.as_str(), true),
    };
    if name == "id" {
        return Ok(Sort { column: None, ascending });
    }
    let column = kind.column(name).filter(|column| column.sort).ok_or_else(|| {
        let known: Vec<&str> =
            kind.columns.iter().filter(|column| column.sort).map(|column| column.name).collect();
        let message = format!("can be id or {}, with a minus for descending", known.join(", "));
        Problem::invalid("query.sort", "unknown_word", message)
    })?;
    Ok(Sort { column: Some(column).filter(|column| !column.age), ascending })
}

fn search(kind: &Kind, text: String) -> Answer<String> {
    if !kind.columns.iter().any(|column| column.search) {
        let message = format!("a list of {} has no text to search", kind.word);
        return Err(Problem::invalid("query.q", "unknown_parameter", message));
    }
    if !(1..=LONGEST_SEARCH).contains(&text.chars().count()) {
        let message = format!("must have 1 to {LONGEST_SEARCH} characters");
        return Err(Problem::invalid("query.q", "length", message));
    }
    Ok(text)
}

/// A value as the database takes it.
fn checked(column: &Column, parameter: &str, value: &str) -> Answer<String> {
    let refused = |what: &str| {
        Problem::invalid(&format!("query.{parameter}"), "shape", format!("must be {what}"))
    };
    match column.holds {
        Holds::Id | Holds::Ids => {
            let bare = value.rsplit_once('_').map_or(value, |(_, bare)| bare);
            Uuid::try_parse(bare).map(|id| id.to_string()).map_err(|_| refused("an id"))
        }
        Holds::Boolean => match value {
            "true" | "false" => Ok(value.to_owned()),
            _ => Err(refused("true or false")),
        },
        Holds::Integer => {
            value.parse::<i32>().map(|n| n.to_string()).map_err(|_| refused("a whole number"))
        }
        Holds::Number => match value.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number.to_string()),
            Ok(_) | Err(_) => Err(refused("a number")),
        },
        Holds::Time => value
            .parse::<Timestamp>()
            .map(|time| time.to_string())
            .map_err(|_| refused("a moment, such as 2026-03-01T10:00:00Z")),
        Holds::Date => value
            .parse::<Date>()
            .map(|day| day.to_string())
            .map_err(|_| refused("a day, such as 2026-03-01")),
        Holds::Text | Holds::Texts => Ok(value.to_owned()),
        Holds::Decimal | Holds::Seconds | Holds::Json | Holds::Sha256 => {
            Err(refused("left out: lists are not narrowed by it"))
        }
    }
}
