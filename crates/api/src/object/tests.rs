use axum::http::{HeaderMap, header};
use db::object::{Column, Filled, Holds, Kind, Test};
use serde_json::json;

use super::{etag, query, record};

const COLUMNS: &[Column] = &[
    Column::new("name", Holds::Text).filter().sort().search(),
    Column::new("resource_id", Holds::Id).filter(),
    Column::new("enabled", Holds::Boolean).filter(),
    Column::new("score", Holds::Number).filter(),
    Column::new("created_at", Holds::Time).filled(Filled::ByUs).filter().sort(),
];
const THING: Kind =
    Kind { word: "thing", table: "countersign.things", columns: COLUMNS, natural: &[] };
const BARE: Kind = Kind { word: "bare", table: "countersign.bare", columns: &[], natural: &[] };

#[test]
fn a_query_is_read_by_what_the_kind_holds() {
    let query = "name=a%2Cb&name=c&resource_id=res_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b&enabled=true\
                 &score_from=0.5&created_at_before=2026-03-01T10%3A00%3A00Z&q=x&sort=-name&limit=3";
    let wanted = query::read(&THING, query).unwrap();
    let tests: Vec<_> =
        wanted.filters.iter().map(|filter| (filter.column.name, filter.test.clone())).collect();
    let one_of = |values: &[&str]| Test::OneOf(values.iter().map(|v| (*v).to_owned()).collect());
    let expected = [
        ("score", Test::From("0.5".to_owned())),
        ("created_at", Test::Before("2026-03-01T10:00:00Z".to_owned())),
        ("name", one_of(&["a,b", "c"])),
        ("resource_id", one_of(&["0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b"])),
        ("enabled", one_of(&["true"])),
    ];
    assert_eq!(tests, expected);
    assert_eq!(wanted.search.as_deref(), Some("x"));
    assert_eq!(wanted.sort.column.map(|column| column.name), Some("name"));
    assert!(!wanted.sort.ascending);
}

#[test]
fn what_a_query_cannot_mean_is_refused_by_name() {
    for (query, path) in [
        ("colour=red", "query.colour"),
        ("sort=name&sort=name", "query.sort"),
        ("score_from=1&score_from=2", "query.score_from"),
        ("name=%00", "query.name"),
        ("resource_id=x", "query.resource_id"),
        ("enabled=yes", "query.enabled"),
        ("score_from=NaN", "query.score_from"),
        ("score=1e999", "query.score"),
        ("created_at_from=yesterday", "query.created_at_from"),
        ("sort=resource_id", "query.sort"),
        ("sort=", "query.sort"),
        ("limit=0", "query.limit"),
        ("limit=many", "query.limit"),
        ("cursor=x", "query.cursor"),
        ("q=", "query.q"),
    ] {
        let refused = query::read(&THING, query).unwrap_err();
        assert_eq!((refused.status, refused.errors[0].path.as_str()), (400, path), "{query}");
    }
    assert_eq!(query::read(&BARE, "q=x").unwrap_err().errors[0].path, "query.q");
}

#[test]
fn a_change_of_another_state_than_was_seen_is_refused() {
    let now = json!({"a": 1});
    let (_, tag) = etag::of(&now).unwrap();
    let with = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, value.parse().unwrap());
        etag::matches(&headers, &now)
    };
    assert!(etag::matches(&HeaderMap::new(), &now).is_ok());
    for good in [tag.clone(), "*".to_owned(), format!("\"other\", {tag}")] {
        assert!(with(&good).is_ok(), "{good}");
    }
    // A weak tag names no state exactly.
    for bad in ["\"other\"".to_owned(), format!("W/{tag}"), String::new()] {
        assert_eq!(with(&bad).unwrap_err().status, 412, "{bad}");
    }
}

#[test]
fn the_log_keeps_no_wide_integer_and_no_large_object() {
    let kept =
        record::of(&json!({"a": 9_007_199_254_740_992_i64, "b": -9_007_199_254_740_991_i64}));
    assert_eq!(kept, json!({"a": "9007199254740992", "b": -9_007_199_254_740_991_i64}));
    let many: serde_json::Map<_, _> =
        (0..10).map(|n| (n.to_string(), json!("x".repeat(2000)))).collect();
    let kept = record::of(&many.into());
    assert_eq!(kept.as_object().unwrap().keys().collect::<Vec<_>>(), ["bytes", "sha256"]);
}

#[test]
fn the_log_keeps_no_float_and_nothing_long() {
    let long = "x".repeat(5000);
    let kept =
        record::of(&json!({"a": 0.5, "b": [1.5, 2], "c": long, "d": {"e": null, "f": true}}));
    assert_eq!(
        (&kept["a"], &kept["b"], &kept["d"]),
        (&json!("0.5"), &json!(["1.5", 2]), &json!({"e": null, "f": true}),)
    );
    assert_eq!(kept["c"]["bytes"], 5002);
    assert_eq!(kept["c"]["sha256"].as_str().unwrap().len(), 64);
}
