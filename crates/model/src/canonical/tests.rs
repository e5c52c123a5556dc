use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[test]
fn keys_sort_by_utf16_code_unit() {
    // RFC 8785, section 3.2.3: U+20AC sorts before U+1F600, whose first code unit is 0xD83D,
    // and after it comes U+FB33.
    let value = json!({"\u{fb33}": 1, "\u{1f600}": 2, "\u{20ac}": 3, "1": 4, "\r": 5});
    let text = String::from_utf8(to_bytes(&value).unwrap()).unwrap();
    assert_eq!(text, "{\"\\r\":5,\"1\":4,\"\u{20ac}\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}");
}

#[test]
fn floats_and_wide_integers_are_refused_with_their_path() {
    let error = to_bytes(&json!({"a": [1, 2.5]})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/a/1: 2.5 is no integer of at most 53 bits; write it as a string"
    );
    assert!(to_bytes(&json!(MAX_SAFE_INTEGER + 1)).is_err());
    assert!(to_bytes(&json!(MAX_SAFE_INTEGER)).is_ok());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1i64 << 53) + 1..(1i64 << 53)).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_bytes_read_back_as_the_same_value(value in any_json()) {
        let bytes = to_bytes(&value).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), value);
    }
}
