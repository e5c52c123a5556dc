//! Policies in the language of AWS: what says the same is written the same.
//!
//! From the reference of the language's elements (AWS IAM User Guide, "IAM JSON policy elements")
//! and its grammar: an element may be one text or a list of them and its order says nothing, names
//! of actions and of condition keys have no case, an account is its root user.

use std::borrow::Cow;

use model::Digest;

use super::scalar::loose;
use crate::drift::value::Value;

/// The members of a statement that are sets of texts.
pub(in crate::drift) const SETS: [&str; 4] = ["Action", "NotAction", "Resource", "NotResource"];

/// A policy with its statements under what they are told apart by, and sets as objects of their
/// elements. `None` when it is no policy.
pub(in crate::drift) fn normal<'v>(policy: &Value<'v>) -> Option<Value<'v>> {
    let Value::Map(members) = policy else { return None };
    let statements = match policy.get("Statement")? {
        Value::List(statements) => statements.as_slice(),
        statement => std::slice::from_ref(statement),
    };
    let mut told = Vec::new();
    for statement in statements {
        let Value::Map(parts) = statement else { return None };
        let parts = parts.iter().map(|(name, value)| {
            let value = match name.as_ref() {
                "Action" | "NotAction" => set(value, &|text| text.to_lowercase()),
                set_of if SETS.contains(&set_of) => set(value, &str::to_owned),
                "Principal" | "NotPrincipal" => principal(value),
                "Condition" => condition(value),
                _ => value.clone(),
            };
            (name.clone(), value)
        });
        // An empty name is none.
        let named = |(name, value): &(Cow<'_, str>, Value<'_>)| {
            name != "Sid" || value.as_text() != Some("")
        };
        let normal = Value::map(parts.filter(named));
        let id = match statement.get("Sid").and_then(Value::as_text).filter(|id| !id.is_empty()) {
            Some(id) => id.to_owned(),
            // A statement without a name is told by what it says.
            None => {
                let digest = Digest::of(normal.to_json().to_string().as_bytes()).to_string();
                format!("#{}", digest.rsplit(':').next().unwrap_or_default().get(..8)?)
            }
        };
        told.push((Cow::Owned(id), normal));
    }
    let rest = members.iter().filter(|(name, _)| name != "Statement").cloned();
    Some(Value::map(rest.chain([(Cow::Borrowed("Statement"), Value::map(told))])))
}

/// One text or several, each once and in order.
fn set<'v>(value: &Value<'v>, canonical: &dyn Fn(&str) -> String) -> Value<'v> {
    let items = match value {
        Value::List(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let texts: Option<Vec<_>> = items.iter().map(loose).collect();
    texts.map_or_else(
        || value.clone(),
        |texts| {
            let members = texts.iter().map(|text| {
                let text = canonical(text);
                (Cow::Owned(text.clone()), Value::text(text))
            });
            Value::map(members)
        },
    )
}

fn principal<'v>(value: &Value<'v>) -> Value<'v> {
    match value {
        // Everybody, said shortly.
        Value::Text(text) => {
            Value::map([(Cow::Borrowed("AWS"), set(&Value::text(text.as_ref()), &account))])
        }
        Value::Map(kinds) => Value::map(kinds.iter().map(|(kind, who)| {
            let who = if kind == "AWS" { set(who, &account) } else { set(who, &str::to_owned) };
            (kind.clone(), who)
        })),
        other => other.clone(),
    }
}

/// An account's number stands for its root user.
pub(in crate::drift) fn account(text: &str) -> String {
    let mut parts = text.split(':');
    let root = parts.next() == Some("arn") && parts.nth(1) == Some("iam");
    match (root, parts.nth(1), parts.next()) {
        (true, Some(account), Some("root")) => account.to_owned(),
        _ => text.to_owned(),
    }
}

fn condition<'v>(value: &Value<'v>) -> Value<'v> {
    let Value::Map(operators) = value else { return value.clone() };
    Value::map(operators.iter().map(|(operator, keys)| {
        let keys = match keys {
            Value::Map(keys) => Value::map(keys.iter().map(|(key, values)| {
                (Cow::Owned(key.to_lowercase()), set(values, &str::to_owned))
            })),
            other => other.clone(),
        };
        (operator.clone(), keys)
    }))
}
