use super::*;

#[test]
fn values_come_back_as_they_were_written() {
    let text = r#"{"b": [1, -2, 1.5, "x\ny", null, true], "a": {"z": {}, "ö": "ü"}}"#;
    let value: Value<'_> = serde_json::from_str(text).unwrap();
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(value.to_json(), json);
    assert_eq!(Value::from_json(&json), value);
    assert_eq!(value.clone().into_owned(), value);
    assert_eq!(value.get("a").and_then(|a| a.get("ö")).and_then(Value::as_text), Some("ü"));
    assert_eq!(value.get("c"), None);
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    for text in [r#"{"a": 1, "a": 1}"#, r#"[{"b": 1, "a": {"c": 1, "d": 2, "c": 3}}]"#] {
        let error = serde_json::from_str::<Value<'_>>(text).unwrap_err().to_string();
        assert!(error.contains("twice"), "{error}");
    }
}

#[test]
fn what_is_nested_too_deep_is_refused() {
    for text in ["[".repeat(100_000), format!("{{\"a\":{}", "[".repeat(100_000))] {
        let error = serde_json::from_str::<Value<'_>>(&text).unwrap_err().to_string();
        assert!(error.starts_with("recursion limit"), "{error}");
    }
}
