//! Secrets have one place, the vault. What looks like one is refused everywhere else.

use serde_json::Value;

/// Parts of a field's name that say it holds a secret.
const TELLING: [&str; 9] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "routingkey",
    "integrationkey",
    "authorization",
];

/// The path of the first field that is named like a secret, as a JSON pointer.
pub(crate) fn named(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if telling(name) && !value.is_number() {
                return Some(format!("/{name}"));
            }
            named(value).map(|rest| format!("/{name}{rest}"))
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| named(item).map(|rest| format!("/{at}{rest}"))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn telling(name: &str) -> bool {
    let bare: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    TELLING.iter().any(|word| bare.contains(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_named_like_a_secret_is_found_however_deep_and_however_it_is_written() {
        for (value, path) in [
            (json!({"api_key": "x"}), Some("/api_key")),
            (json!({"auth": [{"Client-Secret": "x"}]}), Some("/auth/0/Client-Secret")),
            (json!({"routingKey": "x"}), Some("/routingKey")),
            // A limit, not a token.
            (json!({"max_tokens": 100}), None),
            (json!({"temperature": 0.2, "stop": ["secret"]}), None),
        ] {
            assert_eq!(named(&value).as_deref(), path, "{value}");
        }
    }
}
