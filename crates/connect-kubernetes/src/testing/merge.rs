//! What an API server knows of lists, and the ways it takes to patch an object.

use serde_json::{Map, Value};

/// How a list or map of this name is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As one value.
    Atomic,
    /// Member by member.
    Map,
    /// By what these members of its items say.
    Keyed(&'static [&'static str]),
    /// As a set of scalars.
    Set,
}

/// Maps that are one value (`x-kubernetes-map-type: atomic`).
const ATOMIC: [&str; 12] = [
    "selector",
    "nodeSelector",
    "secretKeyRef",
    "configMapKeyRef",
    "fieldRef",
    "resourceFieldRef",
    "roleRef",
    "labelSelector",
    "namespaceSelector",
    "podSelector",
    "nodeSelectorTerms",
    "scopeSelector",
];

/// The form of the value of this name (OpenAPI's `x-kubernetes-list-type` and `-map-keys`).
pub(super) fn form(name: &str, value: &Value) -> Form {
    let items = match value {
        Value::Object(_) if ATOMIC.contains(&name) => return Form::Atomic,
        Value::Object(_) => return Form::Map,
        Value::Array(items) => items,
        _ => return Form::Atomic,
    };
    let all = |member: &str| items.iter().all(|item| item.get(member).is_some());
    match name {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "secrets" => Form::Keyed(&["name"]),
        "volumeMounts" => Form::Keyed(&["mountPath"]),
        "volumeDevices" => Form::Keyed(&["devicePath"]),
        "ports" if all("containerPort") => Form::Keyed(&["containerPort", "protocol"]),
        "ports" if all("port") => Form::Keyed(&["port", "protocol"]),
        "hostAliases" => Form::Keyed(&["ip"]),
        "topologySpreadConstraints" => Form::Keyed(&["topologyKey", "whenUnsatisfiable"]),
        "ownerReferences" => Form::Keyed(&["uid"]),
        "conditions" => Form::Keyed(&["type"]),
        "finalizers" => Form::Set,
        _ => Form::Atomic,
    }
}

/// What an item is told apart by, written as in `managedFields`; a protocol is TCP unless said.
pub(super) fn key(item: &Value, members: &[&str]) -> String {
    let mut key = Map::new();
    for member in members {
        let absent = if *member == "protocol" { Value::from("TCP") } else { Value::Null };
        key.insert((*member).to_owned(), item.get(*member).cloned().unwrap_or(absent));
    }
    Value::Object(key).to_string()
}

/// A merge patch (RFC 7396).
pub(super) fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (name, value) in patch {
        if value.is_null() {
            if let Some(target) = target.as_object_mut() {
                target.remove(name);
            }
        } else {
            merge_patch(&mut target[name.as_str()], value);
        }
    }
}

/// A strategic merge patch: lists of keyed items are merged, `$patch`, `$retainKeys`,
/// `$deleteFromPrimitiveList` and `$setElementOrder` are heeded.
pub(super) fn strategic(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if members.get("$patch").is_some_and(|what| what == "replace") {
        let mut rest = members.clone();
        rest.remove("$patch");
        *target = Value::Object(rest);
        return;
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(own) = target.as_object_mut() else { return };
    if let Some(Value::Array(kept)) = members.get("$retainKeys") {
        own.retain(|name, _| kept.iter().any(|kept| kept == name));
    }
    for (name, value) in members {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            if let (Some(Value::Array(own)), Value::Array(gone)) = (own.get_mut(list), value) {
                own.retain(|item| !gone.contains(item));
            }
        } else if name.starts_with('$') {
            // Order comes last.
        } else if value.is_null() {
            own.remove(name);
        } else if let (Value::Array(patches), Form::Keyed(keys)) = (value, form(name, value)) {
            let list = own.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
            strategic_list(list, patches, keys);
        } else if let (Value::Array(more), Form::Set, Some(Value::Array(list))) =
            (value, form(name, value), own.get_mut(name))
        {
            let fresh: Vec<Value> =
                more.iter().filter(|item| !list.contains(item)).cloned().collect();
            list.extend(fresh);
        } else {
            strategic(own.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
    for (name, order) in members {
        let list = name.strip_prefix("$setElementOrder/").and_then(|list| own.get_mut(list));
        if let (Some(Value::Array(list)), Value::Array(order)) = (list, order) {
            let place = |item: &Value| {
                let fits = |wanted: &Value| match wanted {
                    Value::Object(wanted) => {
                        wanted.iter().all(|(name, value)| item.get(name) == Some(value))
                    }
                    wanted => wanted == item,
                };
                order.iter().position(fits).unwrap_or(usize::MAX)
            };
            list.sort_by_key(place);
        }
    }
}

fn strategic_list(list: &mut Value, patches: &[Value], keys: &[&str]) {
    let Value::Array(items) = list else { return };
    if patches.iter().any(|patch| patch["$patch"] == "replace") {
        *items = patches.iter().filter(|patch| patch.get("$patch").is_none()).cloned().collect();
        return;
    }
    // Here the first of the keys alone tells items apart.
    let keys = &keys[..1];
    for patch in patches {
        let place = items.iter().position(|item| key(item, keys) == key(patch, keys));
        match (place, patch["$patch"] == "delete") {
            (Some(place), true) => drop(items.remove(place)),
            (Some(place), false) => strategic(&mut items[place], patch),
            (None, true) => {}
            (None, false) => {
                let mut item = Value::Null;
                strategic(&mut item, patch);
                items.push(item);
            }
        }
    }
}

/// A JSON patch (RFC 6902): `add`, `replace`, `remove` and `test`. Says what does not fit.
pub(super) fn json_patch(target: &mut Value, patch: &Value) -> Result<(), String> {
    for step in patch.as_array().into_iter().flatten() {
        let path = step["path"].as_str().unwrap_or_default();
        let (parent, name) = path.rsplit_once('/').ok_or("a path begins with /")?;
        let name = name.replace("~1", "/").replace("~0", "~");
        let value = &step["value"];
        let parent = target.pointer_mut(parent).ok_or_else(|| format!("no {parent}"))?;
        let op = step["op"].as_str().unwrap_or_default();
        match (op, parent) {
            ("add" | "replace", Value::Object(own)) => drop(own.insert(name, value.clone())),
            ("remove", Value::Object(own)) => drop(own.remove(&name)),
            ("test", Value::Object(own)) if own.get(&name) == Some(value) => {}
            ("test", _) => return Err(format!("{path} is not what it is tested for")),
            ("add", Value::Array(own)) if name == "-" => own.push(value.clone()),
            (op, Value::Array(own)) => {
                let place: usize = name.parse().map_err(|_| format!("no {path}"))?;
                match op {
                    "add" if place <= own.len() => own.insert(place, value.clone()),
                    "replace" if place < own.len() => own[place] = value.clone(),
                    "remove" if place < own.len() => drop(own.remove(place)),
                    _ => return Err(format!("no {path}")),
                }
            }
            _ => return Err(format!("cannot {op} {path}")),
        }
    }
    Ok(())
}
