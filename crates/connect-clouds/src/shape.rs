//! From what an inventory gives to the attributes of a type of Terraform's.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

/// Where the attributes of a block are.
pub(crate) type Shape = BTreeMap<String, Source>;
/// Paths with the texts one of which stands there; `*` stands for anything.
pub(crate) type Texts = BTreeMap<String, Vec<String>>;

/// Where an attribute is, and what it is.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Source {
    /// It is there as it is.
    Path(String),
    /// It is at the first of these that is there.
    Paths(Vec<String>),
    Shaped(Box<Shaped>),
}

/// An attribute that is not given as the provider has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shaped {
    pub(crate) from: From,
    /// It is given only where one of these texts stands at each of these paths.
    #[serde(default)]
    pub(crate) when: Texts,
    /// It is not given where one of these texts stands at one of these paths.
    #[serde(default)]
    pub(crate) except: Texts,
    /// What of a list counts.
    #[serde(default, rename = "where")]
    pub(crate) only: Texts,
    /// One block of these attributes.
    #[serde(default)]
    pub(crate) block: Option<Shape>,
    /// A block of these attributes for each element.
    #[serde(default)]
    pub(crate) each: Option<Shape>,
    #[serde(default, rename = "as")]
    pub(crate) form: Option<Form>,
    /// Words of the cloud by those of the provider.
    #[serde(default)]
    pub(crate) words: BTreeMap<String, Value>,
    /// What holds when it is not there; without this it is not given then.
    #[serde(default, deserialize_with = "given")]
    pub(crate) default: Option<Value>,
}

/// `null` is said, too.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The places where an attribute may be: the first that is there counts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum From {
    One(String),
    Several(Vec<String>),
}

/// What an attribute is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    /// A list, also where the cloud gives one value alone.
    List,
    /// The first of a list.
    First,
    /// A text with commas between the parts of a list.
    Split,
    /// The names of an object.
    Names,
    /// An object of a list of objects with `name` and `value`.
    Pairs,
    /// A list of objects with `key` and `value` of an object.
    Items,
    /// The part of a text at this place, from 0, between these marks; from the end below 0.
    Part(String, i32),
    /// What follows this word in a path.
    After(String),
    /// A path without its last two parts: what it lies in.
    Parent,
    /// A text with the value in the place of `{}`.
    Written(String),
    /// A number, told in this unit.
    Per(u64),
    /// A text with every part of a path from `projects/` on.
    Path,
}

/// The attributes of this shape that a row gives. What it does not give has no member.
pub(crate) fn object(row: &Value, shape: &Shape) -> Map<String, Value> {
    shape.iter().filter_map(|(name, source)| Some((name.clone(), member(row, source)?))).collect()
}

fn member(row: &Value, source: &Source) -> Option<Value> {
    match source {
        Source::Path(path) => at(row, path),
        Source::Paths(paths) => paths.iter().find_map(|path| at(row, path)),
        Source::Shaped(shaped) => {
            let holds = |(path, among): (&String, &Vec<String>)| matches(row, path, among);
            if !shaped.when.iter().all(holds) || shaped.except.iter().any(holds) {
                return None;
            }
            shaped_at(row, shaped).or_else(|| shaped.default.clone())
        }
    }
}

fn shaped_at(row: &Value, shaped: &Shaped) -> Option<Value> {
    let value = match &shaped.from {
        From::One(path) => at(row, path),
        From::Several(paths) => paths.iter().find_map(|path| at(row, path)),
    }?;
    let value = chosen(value, &shaped.only);
    let value = match (&shaped.block, &shaped.each) {
        (Some(shape), _) => {
            let one = alone(value)?;
            let block = object(&one, shape);
            if block.is_empty() {
                return None;
            }
            json!([block])
        }
        (None, Some(shape)) => {
            let blocks = as_list(value).into_iter().map(|item| {
                let mut block = object(&item, shape);
                // In a block that is there what is not said is nothing.
                for name in shape.keys() {
                    block.entry(name.clone()).or_insert(Value::Null);
                }
                Value::Object(block)
            });
            blocks.collect()
        }
        (None, None) => value,
    };
    let value = match &shaped.form {
        Some(form) => formed(value, form)?,
        None => value,
    };
    Some(word(value, &shaped.words))
}

/// What of a list counts.
fn chosen(value: Value, only: &Texts) -> Value {
    match value {
        Value::Array(items) if !only.is_empty() => {
            let counts = |item: &Value| only.iter().all(|(path, among)| matches(item, path, among));
            items.into_iter().filter(counts).collect()
        }
        other => other,
    }
}

/// The one element of a list; of several nobody knows which is meant.
fn alone(value: Value) -> Option<Value> {
    match value {
        Value::Array(items) => <[Value; 1]>::try_from(items).ok().map(|[one]| one),
        one => Some(one),
    }
}

/// What the provider says for a word of the cloud, of whatever case.
fn word(value: Value, words: &BTreeMap<String, Value>) -> Value {
    if words.is_empty() {
        return value;
    }
    if let Value::Array(items) = value {
        return items.into_iter().map(|item| word(item, words)).collect();
    }
    let said = text(&value);
    let meant = said.and_then(|said| {
        words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&said)).map(|(_, meant)| meant)
    });
    meant.cloned().unwrap_or(value)
}

/// A value as what it is; `None` when it is nothing of the kind.
fn formed(value: Value, form: &Form) -> Option<Value> {
    if let (Value::Array(items), Form::Part(..) | Form::Path | Form::Per(_)) = (&value, form) {
        return Some(items.iter().filter_map(|item| formed(item.clone(), form)).collect());
    }
    match form {
        Form::List => Some(Value::Array(as_list(value))),
        Form::First => as_list(value).into_iter().next(),
        Form::Split => {
            let said = text(&value)?;
            Some(said.split(',').map(str::trim).filter(|part| !part.is_empty()).collect())
        }
        Form::Names => Some(value.as_object()?.keys().map(String::as_str).collect()),
        Form::Pairs => {
            let pair = |item: &Value| {
                Some((item.get("name")?.as_str()?.to_owned(), item.get("value")?.clone()))
            };
            Some(Value::Object(value.as_array()?.iter().filter_map(pair).collect()))
        }
        Form::Items => {
            let pair = |item: &Value| {
                Some((item.get("key")?.as_str()?.to_owned(), item.get("value")?.clone()))
            };
            Some(Value::Object(value.as_array()?.iter().filter_map(pair).collect()))
        }
        Form::Part(mark, place) => {
            let said = text(&value)?;
            let parts: Vec<&str> = said.split(mark.as_str()).collect();
            let steps = usize::try_from(place.unsigned_abs()).ok()?;
            let place = if *place < 0 { parts.len().checked_sub(steps)? } else { steps };
            parts.get(place).map(|part| json!(part))
        }
        Form::After(name) => {
            let said = text(&value)?;
            let mut parts = said.split('/');
            parts.find(|part| part.eq_ignore_ascii_case(name))?;
            parts.next().map(|part| json!(part))
        }
        Form::Parent => {
            let said = text(&value)?;
            let parent = said.rsplitn(3, '/').nth(2)?;
            Some(json!(parent))
        }
        Form::Written(pattern) => Some(json!(pattern.replace("{}", &text(&value)?))),
        Form::Per(unit) => {
            let amount: u64 = text(&value)?.parse().ok()?;
            // What is no whole number of it stays seen.
            let whole = amount.is_multiple_of(*unit);
            Some(json!(if whole { amount / unit } else { amount }))
        }
        Form::Path => {
            let said = text(&value)?;
            let begin = said.find("projects/").unwrap_or_default();
            said.get(begin..).map(|path| json!(path))
        }
    }
}

/// Whether one of these texts stands at a path; `*` stands for any part of one.
pub(crate) fn matches(row: &Value, path: &str, among: &[String]) -> bool {
    let Some(value) = at(row, path) else { return false };
    as_list(value).iter().filter_map(text).any(|said| among.iter().any(|like| fits(like, &said)))
}

/// Whether a text is as a pattern says, of whatever case: `*` is any number of characters.
fn fits(like: &str, said: &str) -> bool {
    let (like, said) = (like.to_ascii_lowercase(), said.to_ascii_lowercase());
    let Some((begin, rest)) = like.split_once('*') else { return like == said };
    let Some(mut said) = said.strip_prefix(begin) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return said.ends_with(part);
        }
        let Some(found) = said.find(part) else { return false };
        said = said.get(found + part.len()..).unwrap_or_default();
    }
    true
}

/// The value at the end of a path: down by names, and through lists to all of them. A name that has
/// dots in it stands in brackets. Nothing and `null` are the same.
pub(crate) fn at(value: &Value, path: &str) -> Option<Value> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let (step, behind) = match rest.strip_prefix('[') {
            Some(inside) => {
                let (step, behind) = inside.split_once(']').unwrap_or((inside, ""));
                (step, behind.strip_prefix('.').unwrap_or(behind))
            }
            None => rest.split_once('.').unwrap_or((rest, "")),
        };
        steps.push(step);
        rest = behind;
    }
    down(value, &steps)
}

fn down(value: &Value, steps: &[&str]) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value.clone()).filter(|value| !value.is_null());
    };
    match value {
        Value::Object(members) => down(members.get(*step)?, rest),
        Value::Array(items) => {
            let found = items.iter().filter_map(|item| down(item, steps));
            let found = found.flat_map(|found| match found {
                Value::Array(inner) => inner,
                one => vec![one],
            });
            Some(found.collect())
        }
        _ => None,
    }
}

/// A value as a list.
pub(crate) fn as_list(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        one => vec![one],
    }
}

/// A scalar as it is written.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
