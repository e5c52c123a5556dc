//! Who owns which field: what server-side apply works with, kept as `managedFields` shows it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::merge::{Form, form, key};

/// A step to a field, written as in `fieldsV1`: `f:spec`, `k:{"name":"web"}`, `v:"kubernetes"`.
pub(super) type Path = Vec<String>;

/// Fields, and items of keyed lists.
pub(super) type Fields = BTreeSet<Path>;

/// Somebody who owns fields.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Owner {
    pub(super) manager: String,
    /// `Apply` or `Update`.
    pub(super) operation: &'static str,
    pub(super) subresource: String,
    pub(super) api_version: String,
    pub(super) time: String,
    pub(super) fields: Fields,
}

/// What nobody owns: it names the object, or the API server writes it.
const NOBODYS: [&str; 9] = [
    "f:name",
    "f:namespace",
    "f:managedFields",
    "f:resourceVersion",
    "f:uid",
    "f:creationTimestamp",
    "f:generation",
    "f:selfLink",
    "f:generateName",
];

/// The fields of an object that somebody can own.
pub(super) fn of(object: &Value) -> Fields {
    let mut fields = Fields::new();
    collect("", object, &mut Vec::new(), &mut fields);
    fields.retain(|path| match path.first().map(String::as_str) {
        Some("f:apiVersion" | "f:kind" | "f:status") => false,
        Some("f:metadata") => !path.get(1).is_none_or(|name| NOBODYS.contains(&name.as_str())),
        _ => true,
    });
    fields
}

fn collect(name: &str, value: &Value, path: &mut Path, fields: &mut Fields) {
    let inside = |path: &mut Path, step: String, fields: &mut Fields, of: (&str, &Value)| {
        path.push(step);
        collect(of.0, of.1, path, fields);
        path.pop();
    };
    match (form(name, value), value) {
        (Form::Map, Value::Object(members)) if !members.is_empty() => {
            for (name, value) in members {
                inside(path, format!("f:{name}"), fields, (name, value));
            }
        }
        (Form::Keyed(keys), Value::Array(items)) if !items.is_empty() => {
            for item in items {
                let step = format!("k:{}", key(item, keys));
                inside(path, step.clone(), fields, ("", item));
                path.push(step);
                fields.insert(path.clone());
                path.pop();
            }
        }
        (Form::Set, Value::Array(items)) if !items.is_empty() => {
            fields.extend(
                items.iter().map(|item| {
                    path.iter().cloned().chain([format!("v:{item}")]).collect::<Path>()
                }),
            );
        }
        _ => drop(fields.insert(path.clone())),
    }
}

/// Where the item that a step names is in its list.
fn place(name: &str, list: &[Value], step: &str) -> Option<usize> {
    match form(name, &Value::Array(list.to_vec())) {
        Form::Keyed(keys) => {
            list.iter().position(|item| step.strip_prefix("k:") == Some(&key(item, keys)))
        }
        _ => list.iter().position(|item| step.strip_prefix("v:") == Some(&item.to_string())),
    }
}

/// The value at a path.
pub(super) fn at<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    let (mut value, mut name) = (object, "");
    for step in path {
        value = match value {
            Value::Object(members) => {
                name = step.strip_prefix("f:")?;
                members.get(name)?
            }
            Value::Array(list) => &list[place(name, list, step)?],
            _ => return None,
        };
    }
    Some(value)
}

/// Takes the value at a path away.
pub(super) fn remove(object: &mut Value, path: &[String]) {
    let Some((last, before)) = path.split_last() else { return };
    let (mut value, mut name) = (object, String::new());
    for step in before {
        let next = match value {
            Value::Object(members) => {
                step.strip_prefix("f:").unwrap_or_default().clone_into(&mut name);
                members.get_mut(&name)
            }
            Value::Array(list) => place(&name, list, step).and_then(|place| list.get_mut(place)),
            _ => None,
        };
        let Some(next) = next else { return };
        value = next;
    }
    match value {
        Value::Object(members) => {
            members.remove(last.strip_prefix("f:").unwrap_or_default());
        }
        Value::Array(list) => {
            if let Some(place) = place(&name, list, last) {
                list.remove(place);
            }
        }
        _ => {}
    }
}

/// Lays a manifest over what is there.
pub(super) fn lay(name: &str, live: &mut Value, manifest: &Value) {
    match (form(name, manifest), live, manifest) {
        (Form::Map, Value::Object(live), Value::Object(members)) => {
            for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                match live.get_mut(name) {
                    Some(live) => lay(name, live, value),
                    None => drop(live.insert(name.clone(), value.clone())),
                }
            }
        }
        (Form::Keyed(keys), Value::Array(live), Value::Array(items)) => {
            for item in items {
                match live.iter_mut().find(|live| key(live, keys) == key(item, keys)) {
                    Some(live) => lay("", live, item),
                    None => live.push(item.clone()),
                }
            }
        }
        (Form::Set, Value::Array(live), Value::Array(items)) => {
            let fresh: Vec<Value> =
                items.iter().filter(|item| !live.contains(item)).cloned().collect();
            live.extend(fresh);
        }
        (_, live, manifest) => *live = manifest.clone(),
    }
}

/// `fieldsV1` of some fields.
pub(super) fn show(fields: &Fields) -> Value {
    let mut top = json!({});
    for path in fields {
        let mut at = &mut top;
        for step in path {
            at = &mut at[step.as_str()];
            if at.is_null() {
                *at = json!({});
            }
        }
        // An item is owned beside what is in it.
        if fields.range(path.clone()..).nth(1).is_some_and(|next| next.starts_with(path)) {
            at["."] = json!({});
        }
    }
    top
}

/// The fields that a `fieldsV1` shows.
pub(super) fn read(shown: &Value) -> Fields {
    fn inside(members: &Map<String, Value>, path: &mut Path, fields: &mut Fields) {
        if members.is_empty() {
            fields.insert(path.clone());
        }
        for (step, value) in members {
            if step == "." {
                fields.insert(path.clone());
                continue;
            }
            path.push(step.clone());
            if let Some(members) = value.as_object() {
                inside(members, path, fields);
            }
            path.pop();
        }
    }
    let mut fields = Fields::new();
    if let Some(members) = shown.as_object().filter(|members| !members.is_empty()) {
        inside(members, &mut Vec::new(), &mut fields);
    }
    fields
}

/// A path as messages write it: `.spec.template.spec.containers[name="web"].image`.
pub(super) fn written(path: &[String]) -> String {
    let mut written = String::new();
    for step in path {
        if let Some(name) = step.strip_prefix("f:") {
            written.push('.');
            written.push_str(name);
        } else if let Some(key) = step.strip_prefix("k:") {
            let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
            let pairs: Vec<String> =
                key.iter().map(|(name, value)| format!("{name}={value}")).collect();
            written.push_str(&format!("[{}]", pairs.join(",")));
        } else {
            written.push_str(&format!("[={}]", step.trim_start_matches("v:")));
        }
    }
    written
}
