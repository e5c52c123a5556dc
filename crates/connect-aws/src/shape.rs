//! From what a service answers to the properties of a resource type of CloudFormation.

mod rules;

use serde_json::{Map, Number, Value, json};

use crate::table::{Form, From, Shape, Shaped, Source, Texts};
use crate::tree::{as_list, at, text, text_at};

/// The object of this shape that an answer holds. What is not there has no member.
pub(crate) fn object(answer: &Value, shape: &Shape) -> Map<String, Value> {
    let member = |(name, source): (&String, &Source)| {
        Some((name.clone(), member(answer, source).filter(|value| !value.is_null())?))
    };
    shape.iter().filter_map(member).collect()
}

fn member(answer: &Value, source: &Source) -> Option<Value> {
    match source {
        Source::Path(path) => at(answer, path),
        Source::Shaped(shaped) => shaped_at(answer, shaped).or_else(|| shaped.default.clone()),
    }
}

fn shaped_at(answer: &Value, shaped: &Shaped) -> Option<Value> {
    // A group that lets nothing out is not one that nothing is said of.
    match shaped.form {
        Some(Form::RulesIn) => return Some(rules::flat(&found(answer, &shaped.from)?, "Source")),
        Some(Form::RulesOut) => {
            let permissions = found(answer, &shaped.from).unwrap_or_default();
            return Some(rules::flat(&permissions, "Destination"));
        }
        _ => {}
    }
    let value = chosen(found(answer, &shaped.from)?, shaped)?;
    let value = match &shaped.take {
        Some(path) => at(&value, path)?,
        None => value,
    };
    let value = match (&shaped.of, &shaped.each) {
        (Some(shape), _) => Value::Object(object(&first(value)?, shape)),
        (None, Some(shape)) => {
            let items = as_list(Some(value)).into_iter();
            let items = items.map(|item| Value::Object(object(&item, shape)));
            items.filter(|item| !empty(item)).collect()
        }
        (None, None) => value,
    };
    let value = match shaped.form {
        Some(form) => formed(value, form)?,
        None => value,
    };
    Some(value).filter(|value| !empty(value))
}

fn found(answer: &Value, from: &From) -> Option<Value> {
    match from {
        From::One(path) => at(answer, path),
        From::Several(paths) => paths.iter().find_map(|path| at(answer, path)),
    }
}

/// What is left of a value, or of a list.
fn chosen(value: Value, shaped: &Shaped) -> Option<Value> {
    if shaped.only.is_empty() && shaped.unless.is_empty() {
        return Some(value);
    }
    let counts = |value: &Value| all(value, &shaped.only) && !any(value, &shaped.unless);
    match value {
        Value::Array(items) => Some(items.into_iter().filter(counts).collect()),
        one => Some(one).filter(counts),
    }
}

/// Whether each of these paths has one of its texts.
pub(crate) fn all(value: &Value, texts: &Texts) -> bool {
    texts.iter().all(|(path, among)| has(value, path, among))
}

/// Whether one of these paths has one of its texts.
pub(crate) fn any(value: &Value, texts: &Texts) -> bool {
    texts.iter().any(|(path, among)| has(value, path, among))
}

fn has(value: &Value, path: &str, among: &[String]) -> bool {
    text_at(value, path).is_some_and(|text| among.contains(&text))
}

fn first(value: Value) -> Option<Value> {
    match value {
        Value::Array(items) => items.into_iter().next(),
        one => Some(one),
    }
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A value as what it is. What is not of its form stays as it was read: better seen than lost.
fn formed(value: Value, form: Form) -> Option<Value> {
    let scalar = |read: &dyn Fn(&str) -> Option<Value>| {
        let value = first(value.clone())?;
        let read = text(&value).and_then(|text| read(&text));
        Some(read.unwrap_or(value))
    };
    match form {
        Form::Bool => scalar(&|text| text.parse::<bool>().ok().map(Value::Bool)),
        Form::Int => scalar(&|text| text.parse::<i64>().ok().map(Value::from)),
        Form::Number => scalar(&number),
        Form::Enabled => scalar(&|text| {
            let on = ["enabled", "enabling", "pending", "updating", "active", "true", "on"];
            Some(Value::Bool(on.contains(&text.to_ascii_lowercase().as_str())))
        }),
        Form::Json => scalar(&|text| serde_json::from_str(text).ok()),
        Form::Document => scalar(&|text| serde_json::from_str(&decoded(text)?).ok()),
        Form::Last => scalar(&|text| text.rsplit(['/', ':']).next().map(Value::from)),
        Form::Split => {
            let parts = |text: &str| text.split(',').map(str::trim).map(Value::from).collect();
            scalar(&|text| Some(parts(text)))
        }
        Form::First => first(value),
        Form::List => Some(Value::Array(as_list(Some(value)))),
        Form::Tags => {
            let tags = tags(&value).into_iter();
            Some(tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect())
        }
        Form::TagMap => Some(Value::Object(tags(&value))),
        Form::RulesIn | Form::RulesOut => Some(value),
    }
}

/// A number; a whole one as such.
fn number(text: &str) -> Option<Value> {
    let number: f64 = text.parse().ok()?;
    let whole = text.strip_suffix(".0").unwrap_or(text).parse::<i64>();
    whole.map(Value::from).ok().or_else(|| Number::from_f64(number).map(Value::Number))
}

/// Tags by key: from an object, or from a list of objects that call their parts `Key` and `Value`,
/// `key` and `value`, or `TagKey` and `TagValue`.
fn tags(value: &Value) -> Map<String, Value> {
    if let Value::Object(members) = value
        && !members.contains_key("Key")
        && !members.contains_key("key")
        && !members.contains_key("TagKey")
    {
        return members.clone();
    }
    let part = |tag: &Value, names: [&str; 3]| names.iter().find_map(|name| text_at(tag, name));
    let tag = |tag: Value| {
        let key = part(&tag, ["Key", "key", "TagKey"])?;
        let value = part(&tag, ["Value", "value", "TagValue"]).unwrap_or_default();
        Some((key, Value::String(value)))
    };
    // In the order of their keys, as they came in none.
    let mut tags: Vec<_> = as_list(Some(value.clone())).into_iter().filter_map(tag).collect();
    tags.sort_by(|one, other| one.0.cmp(&other.0));
    tags.into_iter().collect()
}

/// A percent-encoded text (RFC 3986).
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = (*byte == b'%').then(|| after.get(..2)).flatten();
        let hex = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
