//! Label selectors and the one field selector that everybody uses.

use serde_json::Value;

/// Whether an object's labels fit a selector: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (b,c)`,
/// `a notin (b)`, joined by commas.
pub(super) fn labels_fit(selector: &str, object: &Value) -> bool {
    let labels = &object["metadata"]["labels"];
    let label = |name: &str| labels.get(name.trim()).and_then(Value::as_str);
    let among = |text: &str, value: &str| {
        let list = text.trim().trim_start_matches('(').trim_end_matches(')');
        list.split(',').any(|one| one.trim() == value)
    };
    parts(selector).into_iter().all(|part| {
        let part = part.trim();
        if let Some((name, list)) = part.split_once(" notin ") {
            label(name).is_none_or(|value| !among(list, value))
        } else if let Some((name, list)) = part.split_once(" in ") {
            label(name).is_some_and(|value| among(list, value))
        } else if let Some((name, value)) = part.split_once("!=") {
            label(name) != Some(value.trim())
        } else if let Some((name, value)) = part.split_once('=') {
            label(name) == Some(value.trim_start_matches('=').trim())
        } else if let Some(name) = part.strip_prefix('!') {
            label(name).is_none()
        } else {
            part.is_empty() || label(part).is_some()
        }
    })
}

/// The parts of a selector: commas inside brackets do not divide.
fn parts(selector: &str) -> Vec<&str> {
    let (mut parts, mut begun, mut depth) = (Vec::new(), 0, 0_u32);
    for (at, c) in selector.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&selector[begun..at]);
                begun = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&selector[begun..]);
    parts
}

/// Whether an object fits `metadata.name=…` and `metadata.namespace=…`.
pub(super) fn fields_fit(selector: &str, object: &Value) -> bool {
    selector.split(',').filter(|part| !part.is_empty()).all(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let path = format!("/{}", name.replace('.', "/"));
        object.pointer(&path).and_then(Value::as_str) == Some(value.trim_start_matches('='))
    })
}
