//! What was added beside a manifest, taken away: a JSON merge patch (RFC 7396).

use serde_json::{Map, Value, json};

use crate::drift::path::Step;

/// The patch that takes these additions away from an object that is declared so.
///
/// A member of an object becomes null, and a list is as declared, for a merge patch knows lists only
/// as a whole. `None` when there is nothing to take away.
#[must_use]
pub fn removal<'a>(declared: &Value, added: impl IntoIterator<Item = &'a [Step]>) -> Option<Value> {
    let mut patch = json!({});
    for path in added {
        let names: Vec<&str> = path
            .iter()
            .map_while(|step| match step {
                Step::Name(name) => Some(name.as_str()),
                Step::Key(_) | Step::Index(_) => None,
            })
            .collect();
        let value = if names.len() == path.len() {
            Value::Null
        } else {
            // Within a list: all of the list, as far as the manifest says it.
            let within = names.iter().try_fold(declared, |value, name| value.get(name));
            within.cloned().unwrap_or(Value::Null)
        };
        put(&mut patch, &names, value);
    }
    (patch != json!({})).then_some(patch)
}

fn put(patch: &mut Value, names: &[&str], value: Value) {
    let Some((first, rest)) = names.split_first() else { return };
    if !patch.is_object() {
        *patch = Value::Object(Map::new());
    }
    let Some(members) = patch.as_object_mut() else { return };
    if rest.is_empty() {
        members.insert((*first).to_owned(), value);
    } else {
        put(members.entry(*first).or_insert_with(|| json!({})), rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::path::parse;

    #[test]
    fn additions_become_nulls_and_lists_become_what_is_declared() {
        let declared =
            json!({"metadata": {"labels": {"app": "web"}}, "subjects": [{"name": "shop"}]});
        let paths = ["metadata.labels.owner", "subjects[User mallory]", "spec.extra.deep"];
        let paths: Vec<_> = paths.iter().map(|path| parse(path)).collect();
        assert_eq!(
            removal(&declared, paths.iter().map(Vec::as_slice)),
            Some(json!({
                "metadata": {"labels": {"owner": null}}, "subjects": [{"name": "shop"}],
                "spec": {"extra": {"deep": null}},
            }))
        );
        assert_eq!(removal(&declared, []), None);
    }
}
