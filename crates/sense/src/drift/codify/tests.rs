mod cloudformation;
mod hcl;
mod manifest;
mod property;

use serde_json::{Value as Json, json};

use super::*;

/// A drift as a report has it: properties with what was declared and what is there.
fn drift(kind: &str, address: &str, changes: &[(&str, Json, Json)]) -> Drift {
    let changes: Vec<Json> = changes
        .iter()
        .map(|(path, declared, actual)| {
            let change = match (declared.is_null(), actual.is_null()) {
                (true, _) => "added",
                (_, true) => "removed",
                _ => "modified",
            };
            json!({
                "property_path": path, "change_type": change,
                "declared_value": declared, "actual_value": actual,
            })
        })
        .collect();
    let report = json!({"drifts": [
        {"address": address, "type": kind, "drift_type": "modified", "changes": changes}
    ]});
    read(&report.to_string()).unwrap().remove(0)
}

fn sources(files: &[(&str, &str)]) -> Sources {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    Sources::new(files.collect())
}

/// What is left in words, property by property.
fn left(made: &Codified) -> Vec<(&str, &str)> {
    let words = |left: &'_ Left| left.reason;
    made.left
        .iter()
        .map(|left| (left.property_path.as_deref().unwrap_or_default(), words(left)))
        .collect()
}

/// The text after a drift is put into it. What was done once is done, and the second time nothing
/// changes.
fn edited(file: &str, before: &str, drift: &Drift) -> (String, Codified) {
    let rules = Rules::shipped();
    let made = codify(&sources(&[(file, before)]), std::slice::from_ref(drift), rules);
    let after = made.files.get(file).map_or(before, String::as_str).to_owned();
    let again = codify(&sources(&[(file, &after)]), std::slice::from_ref(drift), rules);
    assert!(again.files.is_empty(), "the second time: {:?}\nafter\n{after}", again.files);
    assert_eq!(again.done.len(), made.done.len(), "{:?}\nafter\n{after}", again.left);
    (after, made)
}

/// That everything of a drift is put in, and gives this text to the byte.
fn check(file: &str, before: &str, drift: &Drift, expected: &str) {
    let (after, made) = edited(file, before, drift);
    assert_eq!(left(&made), [], "{:?}", made.left);
    assert_eq!(after, expected, "\n--- is\n{after}\n--- should be\n{expected}");
}

/// That a property stays as it is, for this reason.
fn stays(file: &str, before: &str, drift: &Drift, reason: &str) {
    let (after, made) = edited(file, before, drift);
    assert_eq!(after, before);
    let reasons: Vec<_> = made.left.iter().map(|left| left.reason).collect();
    assert_eq!(reasons, [reason], "{:?} {:?}", made.left, made.done);
}
