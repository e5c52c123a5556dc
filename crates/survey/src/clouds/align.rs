//! What both sides have a word for.
//!
//! A state names every attribute that its version of the provider knows, also those that are not
//! set; an inventory gives what it has. What only one of them has a name for says nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;

use connect_clouds::Separate;
use sense::drift::value::Value;

/// What the newer providers of Google keep apart: what is declared, and what is there in all.
const IN_ALL: [(&str, &[&str]); 2] = [
    ("effective_labels", &["labels", "resource_labels"]),
    ("effective_annotations", &["annotations"]),
];

/// Leaves on either side what the other one has a name for.
pub(super) fn align(declared: &mut Value<'static>, live: &mut Value<'static>) {
    for (all, declared_alone) in IN_ALL {
        if let (Some(_), Value::Map(members)) = (declared.get(all), &mut *live) {
            members.retain(|(name, _)| !declared_alone.contains(&name.as_ref()));
        }
    }
    unset(declared, live);
    if let Value::Map(members) = declared {
        keep(members, &[live], Free::No);
    }
    if let Value::Map(members) = live {
        keep(members, &[declared], Free::Yes);
    }
}

/// Leaves out of both sides the blocks that the state declares as resources of their own, and which
/// are compared there.
pub(super) fn apart(
    declared: &mut Value<'static>,
    live: &mut Value<'static>,
    separate: &Separate,
    (id, known): (&str, &BTreeSet<String>),
) {
    let own = |block: &Value<'_>| {
        let name = block.get("name").and_then(Value::as_text);
        name.is_some_and(|name| {
            known.contains(&format!("{id}/{}/{name}", separate.under).to_lowercase())
        })
    };
    for side in [declared, live] {
        if let Some(Value::List(blocks)) = member(side, &separate.attribute) {
            blocks.retain(|block| !own(block));
        }
    }
}

/// Whether an object may have names that the other side does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Free {
    /// Tags that somebody added.
    Yes,
    No,
}

fn member<'v>(value: &'v mut Value<'static>, name: &str) -> Option<&'v mut Value<'static>> {
    let Value::Map(members) = value else { return None };
    members.iter_mut().find(|(own, _)| own == name).map(|(_, value)| value)
}

/// Keeps the names that one of the others has; in blocks, those that one of their blocks has.
fn keep(members: &mut Vec<(Cow<'static, str>, Value<'static>)>, others: &[&Value<'_>], free: Free) {
    members.retain_mut(|(name, value)| {
        let there: Vec<&Value<'_>> = others.iter().filter_map(|other| other.get(name)).collect();
        if there.is_empty() {
            return free == Free::Yes && matches!(value, Value::Map(_));
        }
        let Value::List(items) = value else { return true };
        let blocks = there.iter().flat_map(|other| match other {
            Value::List(items) => items.as_slice(),
            _ => &[],
        });
        let blocks: Vec<&Value<'_>> =
            blocks.filter(|block| matches!(block, Value::Map(_))).collect();
        if !blocks.is_empty() {
            for item in items {
                if let Value::Map(members) = item {
                    keep(members, &blocks, free);
                }
            }
        }
        true
    });
}

/// Leaves out of what is there what the state says nothing of and what is off, empty or nought, and
/// the other way round: providers keep what is not set as null or as the zero of its type.
fn unset(declared: &Value<'_>, live: &mut Value<'static>) {
    let Value::Map(members) = live else { return };
    members.retain_mut(|(name, value)| {
        let said = declared.get(name);
        if (said.is_none_or(blank) && zero(value)) || (said.is_some_and(zero) && blank(value)) {
            return false;
        }
        if let (Some(Value::List(one)), Value::List(other)) = (said, value)
            && let ([one], [other]) = (one.as_slice(), other.as_mut_slice())
        {
            unset(one, other);
        }
        true
    });
}

/// Whether a state says nothing by this.
fn blank(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.iter().all(blank),
        Value::Map(members) => members.iter().all(|(_, value)| blank(value)),
        Value::Bool(_) | Value::Number(_) | Value::Sealed(_) | Value::Unknown => false,
    }
}

/// Whether a value is that of something nobody set.
fn zero(value: &Value<'_>) -> bool {
    match value {
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::List(items) => items.iter().all(zero),
        Value::Map(members) => members.iter().all(|(_, value)| zero(value)),
        Value::Null | Value::Text(_) => blank(value),
        Value::Sealed(_) | Value::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(json: &serde_json::Value) -> Value<'static> {
        Value::parse(&json.to_string()).unwrap().into_owned()
    }

    fn aligned(declared: &serde_json::Value, live: &serde_json::Value) -> [serde_json::Value; 2] {
        let (mut declared, mut live) = (value(declared), value(live));
        align(&mut declared, &mut live);
        [declared.to_json(), live.to_json()]
    }

    #[test]
    fn what_only_one_side_has_a_name_for_is_left_out() {
        let declared = json!({ "size": 1, "old_name": true, "timeouts": null, "tags": null,
            "disk": [{ "gb": 8, "iops": 100 }], "rule": [{ "name": "a", "x": 1 }, { "name": "b", "x": 2 }] });
        let live = json!({ "size": 2, "new_name": true, "tags": { "a": "1" },
            "disk": [{ "gb": 9, "tier": "P1" }], "rule": [{ "name": "b", "y": 3 }] });
        let [declared, live] = aligned(&declared, &live);
        assert_eq!(
            declared,
            json!({ "size": 1, "tags": null, "disk": [{ "gb": 8 }], "rule": [{ "name": "a" }, { "name": "b" }] })
        );
        assert_eq!(
            live,
            json!({ "size": 2, "tags": { "a": "1" }, "disk": [{ "gb": 9 }], "rule": [{ "name": "b" }] })
        );
    }

    #[test]
    fn what_nobody_set_and_is_off_says_nothing_and_what_is_on_does() {
        let declared =
            json!({ "a": null, "b": null, "c": false, "d": [], "e": [], "f": 0, "g": 1 });
        let live = json!({ "a": false, "b": true, "c": true, "d": [{ "on": false }],
            "e": [{ "on": true }], "f": null, "g": null });
        let [declared, live] = aligned(&declared, &live);
        assert_eq!(declared, json!({ "b": null, "c": false, "e": [], "g": 1 }));
        assert_eq!(live, json!({ "b": true, "c": true, "e": [{ "on": true }], "g": null }));
    }

    #[test]
    fn blocks_that_are_resources_of_their_own_are_compared_there() {
        let separate = Separate { attribute: "rule".to_owned(), under: "rules".to_owned() };
        let known = BTreeSet::from(["/x/group/rules/own".to_owned()]);
        let mut declared = value(&json!({ "rule": [] }));
        let mut live = value(&json!({ "rule": [{ "name": "Own" }, { "name": "strange" }] }));
        apart(&mut declared, &mut live, &separate, ("/X/Group", &known));
        assert_eq!(live.to_json(), json!({ "rule": [{ "name": "strange" }] }));
    }

    #[test]
    fn of_labels_all_that_are_there_count_where_the_state_has_them_all() {
        let declared =
            json!({ "labels": { "a": "1" }, "effective_labels": { "a": "1", "team": "x" } });
        let live = json!({ "labels": { "a": "1", "team": "x" }, "effective_labels": { "a": "1", "team": "x" } });
        let [declared, live] = aligned(&declared, &live);
        assert_eq!(declared, json!({ "effective_labels": { "a": "1", "team": "x" } }));
        assert_eq!(live, declared);
    }
}
