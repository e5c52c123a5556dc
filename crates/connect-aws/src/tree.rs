//! Answers as trees of JSON, whatever they were written in, and the way down into them.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value};

/// How deep an answer may be. AWS's go down about ten.
const DEEPEST: usize = 64;
/// How many parts an answer may have.
const MOST_NODES: u32 = 4_000_000;

/// The name of the root of an answer in XML, and the tree of what is in it. Texts are texts; elements that are all called
/// `item` or `member` are a list; elements that are all called `entry` and have a key and a value
/// are an object; of other elements with one name there is a list when they are several. What is
/// empty is null.
pub(crate) fn xml(text: &str) -> Result<(String, Value), &'static str> {
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|_| "it is no whole XML")?;
    let root = document.root_element();
    Ok((root.tag_name().name().to_owned(), element(root, 0)?))
}

fn element(node: Node<'_, '_>, depth: usize) -> Result<Value, &'static str> {
    if depth > DEEPEST {
        return Err("it is too deep");
    }
    let parts: Vec<_> = node.children().filter(Node::is_element).collect();
    if parts.is_empty() {
        let text: String = node.children().filter_map(|child| child.text()).collect();
        return Ok(if text.is_empty() { Value::Null } else { Value::String(text) });
    }
    let all = |name: &str| parts.iter().all(|part| part.tag_name().name() == name);
    if all("item") || all("member") {
        return parts.into_iter().map(|part| element(part, depth + 1)).collect();
    }
    let mut members = Map::new();
    if all("entry") {
        for part in parts {
            let entry = element(part, depth + 1)?;
            let key = entry.get("key").and_then(Value::as_str).ok_or("an entry has no key")?;
            members.insert(key.to_owned(), entry.get("value").cloned().unwrap_or_default());
        }
        return Ok(Value::Object(members));
    }
    for part in parts {
        let value = element(part, depth + 1)?;
        let name = part.tag_name().name();
        match members.get_mut(name) {
            None => {
                members.insert(name.to_owned(), value);
            }
            // A list that is already one: what repeats is never a list itself in these answers.
            Some(Value::Array(several)) => several.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    Ok(Value::Object(members))
}

/// What lies at the end of a path. Through lists it goes with every element, and then what it finds
/// is a list.
pub(crate) fn at(value: &Value, path: &str) -> Option<Value> {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    match value {
        Value::Array(items) => {
            let mut found = Vec::new();
            for item in items {
                match at(item, path) {
                    Some(Value::Array(more)) => found.extend(more),
                    Some(one) => found.push(one),
                    None => {}
                }
            }
            Some(Value::Array(found)).filter(|_| !items.is_empty())
        }
        Value::Object(members) => {
            let inside = members.get(first).filter(|inside| !inside.is_null())?;
            rest.map_or_else(|| Some(inside.clone()), |rest| at(inside, rest))
        }
        _ => None,
    }
}

/// The same as a list: what is no list is one of one element.
pub(crate) fn list_at(value: &Value, path: &str) -> Vec<Value> {
    as_list(at(value, path))
}

/// A value as a list.
pub(crate) fn as_list(value: Option<Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.into_iter().filter(|item| !item.is_null()).collect(),
        Some(one) => vec![one],
    }
}

/// The text at the end of a path; numbers and flags as they are written.
pub(crate) fn text_at(value: &Value, path: &str) -> Option<String> {
    text(&at(value, path)?)
}

/// A scalar as it is written; of a list its only element.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(items) if items.len() == 1 => items.first().and_then(text),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Lays a further page onto what there is: lists go on, objects are joined, the rest is replaced.
pub(crate) fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Array(items), Value::Array(further)) => items.extend(further),
        (Value::Object(members), Value::Object(further)) => {
            for (name, value) in further {
                merge(members.entry(name).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, more) => *into = more,
    }
}

#[cfg(test)]
mod tests;
