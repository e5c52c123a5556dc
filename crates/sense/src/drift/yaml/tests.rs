use serde_json::json;

use super::*;

fn documents(text: &str) -> Vec<serde_json::Value> {
    read(text, untagged).unwrap().iter().map(Value::to_json).collect()
}

#[test]
fn documents_are_read_one_by_one() {
    let text = "---\na: 1\nb: [x, 'y', \"z\"]\n---\n# nothing\n---\n- true\n- ~\n- 0123\n- 1.5\n- 1e3\n- \"1\"\n- 2010-09-09\n...\n";
    assert_eq!(
        documents(text),
        [
            json!({"a": 1, "b": ["x", "y", "z"]}),
            json!([true, null, "0123", 1.5, 1000.0, "1", "2010-09-09"])
        ]
    );
    assert_eq!(documents("a: !!str 1"), [json!({"a": "1"})]);
}

#[test]
fn what_multiplies_hides_or_repeats_is_refused() {
    let deep = "[".repeat(200);
    for (text, says) in [
        ("a: &x 1\nb: *x\n", "references"),
        ("a: 1\na: 2\n", "twice"),
        ("a: !Ref x\n", "tag"),
        ("a: !!python/object 1\n", "type"),
        (deep.as_str(), "deeper"),
        ("a: [1\n", ""),
    ] {
        let error = read(text, untagged).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("line"), "{text}: {error}");
    }
}
