//! What the log keeps of an object: everything that is small, in the form that can be signed.

use model::Digest;
use serde_json::{Value, json};

/// Longer values are kept as their SHA-256, in bytes.
const LONGEST_VALUE: usize = 4 * 1024;

/// A longer object is kept as its SHA-256: an event has 32 KiB, and a change is two objects.
const LONGEST_OBJECT: usize = 14 * 1024;

/// The widest integer that has one form everywhere (RFC 8785, 3.2.2.3).
const WIDEST: i64 = (1 << 53) - 1;

/// An object's values for an audit event.
pub(super) fn of(row: &Value) -> Value {
    let kept = match row {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), short(signable(value), LONGEST_VALUE)))
                .collect(),
        ),
        other => signable(other),
    };
    short(kept, LONGEST_OBJECT)
}

/// Signed bytes hold no floats and no wide integers: such numbers are written as text.
fn signable(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let narrow = number.as_i64().is_some_and(|n| (-WIDEST..=WIDEST).contains(&n));
            if narrow { value.clone() } else { Value::String(number.to_string()) }
        }
        Value::Array(items) => items.iter().map(signable).collect(),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(name, value)| (name.clone(), signable(value))).collect(),
        ),
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

fn short(value: Value, longest: usize) -> Value {
    let text = value.to_string();
    if text.len() <= longest {
        return value;
    }
    json!({ "sha256": Digest::of(text.as_bytes()).to_string(), "bytes": text.len() })
}
