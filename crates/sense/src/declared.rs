//! What code declares: one hash for one state, however it was written.

use std::collections::BTreeMap;

use model::Digest;
use serde_json::Value;

/// SHA-256 of a declared state with its keys in order. Two states are the same when this is: a sync
/// that finds the same writes nothing.
///
/// Signed bytes have no floating-point numbers; states have, so this is no canonical form for
/// signing: numbers are written as they were read.
#[must_use]
pub fn hash(state: &Value) -> Digest {
    Digest::of(ordered(state).as_bytes())
}

fn ordered(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, &Value> = fields.iter().collect();
            let fields = fields
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), ordered(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(ordered).collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_makes_no_difference_and_every_value_does() {
        let of = |text: &str| hash(&serde_json::from_str(text).unwrap());
        let state = r#"{"size": 1.5, "tags": {"a": "1", "b": ["x", null]}}"#;
        assert_eq!(of(state), of(r#"{"tags": {"b": ["x", null], "a": "1"}, "size": 1.5}"#));
        for other in [
            r#"{"size": 1.6, "tags": {"a": "1", "b": ["x", null]}}"#,
            r#"{"size": 1.5, "tags": {"a": 1, "b": ["x", null]}}"#,
            r#"{"size": 1.5, "tags": {"a": "1", "b": [null, "x"]}}"#,
            r#"{"size": 1.5, "tags": {"a": "1", "b": ["x"]}}"#,
        ] {
            assert_ne!(of(state), of(other), "{other}");
        }
    }
}
