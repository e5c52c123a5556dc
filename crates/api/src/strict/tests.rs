use proptest::prelude::*;
use serde_json::json;

use super::*;

const LIMITS: Limits = Limits { bytes: 1 << 20, depth: 64, values: 100_000 };

fn refused(body: impl AsRef<[u8]>) -> (String, Code) {
    let fault = read(body.as_ref(), &LIMITS).unwrap_err();
    (fault.path, fault.code)
}

fn at(path: &str, code: Code) -> (String, Code) {
    (path.to_owned(), code)
}

#[test]
fn ordinary_json_reads_as_serde_reads_it() {
    let body = r#" {"a":[1,-2,3.5,1e3,true,false,null,"x\n\"\u00e9\ud83d\ude00/\/"],"b":{"c":{}},
        "max":18446744073709551615,"min":-9223372036854775808,"e":[]} "#;
    let expected: Value = serde_json::from_str(body).unwrap();
    assert_eq!(read(body.as_bytes(), &LIMITS), Ok(expected));
}

#[test]
fn p1_nesting_of_ten_thousand_levels_is_refused_where_it_gets_too_deep() {
    let body = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(refused(&body), at(&format!("/a{}", "/0".repeat(63)), Code::TooDeep));
    let body = format!("{}1{}", "[".repeat(64), "]".repeat(64));
    assert!(read(body.as_bytes(), &LIMITS).is_ok());
}

#[test]
fn p3_bytes_that_are_no_unicode_are_refused_with_their_path() {
    assert_eq!(refused(b"{\"a\":[\"\xff\"]}"), at("/a/0", Code::Encoding));
    assert_eq!(refused(b"{\"a\":\"\xc0\xaf\"}"), at("/a", Code::Encoding));
    assert_eq!(refused(r#"{"a":"\ud800"}"#), at("/a", Code::Encoding));
    assert_eq!(refused(r#"{"a":"\udc00\ud800"}"#), at("/a", Code::Encoding));
    assert_eq!(refused(r#"{"a":"\ud800\u0041"}"#), at("/a", Code::Encoding));
    assert_eq!(refused(b"{\"\xed\xa0\x80\":1}"), at("", Code::Encoding));
    assert_eq!(refused(b"\xef\xbb\xbf{}"), at("", Code::Syntax));
}

#[test]
fn p4_a_nul_in_any_string_or_key_is_refused_with_its_path() {
    assert_eq!(refused(r#"{"a":{"b":["x","y\u0000z"]}}"#), at("/a/b/1", Code::Nul));
    assert_eq!(refused(r#"{"a":{"k\u0000":1}}"#), at("/a", Code::Nul));
    assert_eq!(refused(b"{\"a\":\"\0\"}"), at("/a", Code::Syntax));
}

#[test]
fn p5_numbers_that_cannot_be_kept_are_refused_with_their_path() {
    for number in ["1e400", "-1e400", "1e131071", "18446744073709551616", "-9223372036854775809"] {
        assert_eq!(refused(format!(r#"{{"a":[0,{number}]}}"#)), at("/a/1", Code::Number));
    }
    for number in ["NaN", "Infinity", "+1", "01", "1.", ".5", "0x10", "1e", "-"] {
        assert_eq!(refused(format!(r#"{{"a":{number}}}"#)).1, Code::Syntax, "{number}");
    }
    let kept = read(b"[-0.0,-0,9007199254740993,1e-3]", &LIMITS).unwrap();
    assert_eq!(kept[0].as_f64().map(f64::is_sign_negative), Some(true));
    assert_eq!(kept[2], json!(9_007_199_254_740_993_u64));
}

#[test]
fn p6_a_key_given_twice_is_refused_with_its_path() {
    assert_eq!(
        refused(r#"{"vote":{"approved":false,"approved":true}}"#),
        at("/vote/approved", Code::DuplicateKey)
    );
    assert_eq!(refused(r#"{"a":1,"\u0061":2}"#), at("/a", Code::DuplicateKey));
    assert_eq!(refused(r#"[{"a/b~":{"x":1,"x":1}}]"#), at("/0/a~1b~0/x", Code::DuplicateKey));
}

#[test]
fn bodies_beyond_the_limits_are_refused() {
    let small = Limits { bytes: 10, depth: 2, values: 3 };
    assert_eq!(read(b"[1,        2]", &small).unwrap_err().code, Code::TooLarge);
    assert_eq!(read(b"[1,2,3]", &small).unwrap_err().path, "/2");
    assert_eq!(read(b"[[[]]]", &small).unwrap_err().code, Code::TooDeep);
}

#[test]
fn broken_json_is_refused_with_line_and_column() {
    for body in
        ["", " ", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "tru", "\"x", "[1]x", "{1:2}", "'a'"]
    {
        assert_eq!(refused(body).1, Code::Syntax, "{body:?}");
    }
    let fault = read(b"{\"a\":\n  [1 2]}", &LIMITS).unwrap_err();
    assert_eq!(fault.to_string(), "/a: expected a comma or a closing bracket at line 2, column 6");
}

#[test]
fn faults_of_values_leave_the_rest_readable_and_the_elements_locatable() {
    let body = br#"{"alerts":[{"a":"\u0000"}, 7 ,{"b":1,"b":2}],"x":1e999}"#;
    let document = read_reporting(body, &LIMITS, Some("/alerts")).unwrap();
    let found: Vec<_> = document.faults.iter().map(|f| (f.path.as_str(), f.code)).collect();
    assert_eq!(
        found,
        [("/alerts/0/a", Code::Nul), ("/alerts/2/b", Code::DuplicateKey), ("/x", Code::Number)]
    );
    assert_eq!(&body[document.items[1].clone()], b"7");
    assert_eq!(&body[document.items[2].clone()], br#"{"b":1,"b":2}"#);
    assert_eq!(document.value["alerts"][2], json!({"b": 1}));
}

#[test]
fn paths_can_always_be_stored_and_shown() {
    let key = format!("{}\\u0007", "k".repeat(99));
    let fault = read(format!(r#"{{"{key}":1e999}}"#).as_bytes(), &LIMITS).unwrap_err();
    assert_eq!(fault.path, format!("/{}\\u0007", "k".repeat(99)));
    let fault = read(format!(r#"{{"{}":1e999}}"#, "k".repeat(5_000)).as_bytes(), &LIMITS);
    assert_eq!(fault.unwrap_err().path.chars().count(), 102);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        "[^\0]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[^\0]{0,6}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_what_is_accepted_serde_accepts_too(
        bytes in prop::collection::vec(any::<u8>(), 0..200)
    ) {
        if read(&bytes, &LIMITS).is_ok() {
            prop_assert!(serde_json::from_slice::<Value>(&bytes).is_ok());
        }
    }

    #[test]
    fn text_made_of_json_pieces_never_panics(text in r#"[\[\]{}:,"\\u0d8ea-f1-9.eE+ntrls -]{0,80}"#) {
        if let Ok(value) = read(text.as_bytes(), &LIMITS) {
            prop_assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(value));
        }
    }

    #[test]
    fn what_was_written_is_read_back(value in any_json()) {
        let body = serde_json::to_vec(&value).unwrap();
        let again = read(&body, &LIMITS).unwrap();
        let lenient: Value = serde_json::from_slice(&body).unwrap();
        // serde_json reads floats approximately, this reader exactly: compare what is written.
        prop_assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&value).unwrap());
        prop_assert_eq!(again.is_object(), lenient.is_object());
    }
}

#[test]
fn the_greatest_number_is_the_same_however_many_digits_it_is_written_with() {
    // The database writes a number in a document out in full.
    let full = format!("{:.0}", f64::MAX);
    let read: serde_json::Value = serde_json::from_str(&full).unwrap();
    assert_eq!(read.as_f64(), Some(f64::MAX));
}
