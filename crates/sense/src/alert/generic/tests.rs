use proptest::prelude::*;
use serde_json::json;

use super::*;

fn now() -> Timestamp {
    "2026-03-01T10:05:00Z".parse().unwrap()
}

fn mapping() -> Mapping {
    Mapping::from_value(&json!({
        "items": "/events",
        "name": "/check/name",
        "starts_at": "/since",
        "ends_at": "/until",
        "severity": "/level",
        "status": "/state",
        "resolved": ["ok"],
        "instance": "/host",
        "labels": "/tags",
        "label": {"site": "/place/site"},
        "annotation": {"summary": "/text"},
    }))
    .unwrap()
}

const BODY: &str = r#"{"events": [
  {"check": {"name": "disk"}, "since": 1772359200, "level": "crit", "state": "BAD", "host": "db-1",
   "tags": {"rack": 12, "hot": true, "list": [1]}, "place": {"site": "north"}, "text": "full"},
  {"check": {"name": "disk"}, "since": "2026-03-01T10:00:00Z", "until": 1772359260000,
   "state": "OK", "host": "db-2"}
]}"#;

#[test]
fn a_mapping_finds_the_fields_of_each_alert() {
    let batch = mapping().parse(BODY.as_bytes(), now()).unwrap();
    let [bad, fine] = batch.notices.as_slice() else { panic!("two: {batch:?}") };
    assert_eq!((bad.name.as_str(), bad.instance.as_str()), ("disk", "db-1"));
    assert_eq!((bad.status, bad.severity), (SourceStatus::Firing, Severity::Critical));
    assert_eq!(bad.starts_at.to_string(), "2026-03-01T10:00:00Z");
    let labels: Vec<_> = bad.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(
        labels,
        ["alertname=disk", "hot=true", "instance=db-1", "rack=12", "severity=crit", "site=north"]
    );
    assert_eq!(bad.annotations.get("summary").map(String::as_str), Some("full"));
    assert_eq!(fine.status, SourceStatus::Resolved);
    assert_eq!(fine.ends_at.unwrap().to_string(), "2026-03-01T10:01:00Z");
    assert_ne!(bad.fingerprint, fine.fingerprint);
}

#[test]
fn i4_a_fault_inside_one_mapped_alert_sets_only_that_one_aside() {
    for (from, to, path) in [
        ("1772359200", "1e999", "/events/0/since"),
        ("1772359200", "\"infinity\"", "/events/0/since"),
        ("\"name\": \"disk\"", "\"name\": {}", "/events/0/check/name"),
        ("\"name\": \"disk\"", "\"title\": \"disk\"", "/events/0/check/name"),
        ("north", "\\u0000", "/events/0/place/site"),
    ] {
        let batch = mapping().parse(BODY.replacen(from, to, 1).as_bytes(), now()).unwrap();
        assert_eq!(batch.notices.len(), 1, "{path}");
        assert_eq!(batch.quarantined[0].path, path);
    }
}

#[test]
fn p6_a_key_given_twice_anywhere_refuses_a_signed_body() {
    let body = BODY.replacen("\"state\": \"OK\"", "\"state\": \"OK\", \"state\": \"BAD\"", 1);
    let fault = mapping().parse(body.as_bytes(), now()).unwrap_err();
    assert_eq!((fault.path.as_str(), fault.code), ("/events/1/state", Code::DuplicateKey));
}

#[test]
fn a_body_that_is_one_alert_is_refused_for_its_fault() {
    let single = Mapping::from_value(&json!({"name": "/name", "starts_at": "/at"})).unwrap();
    let parse = |body: &str| single.parse(body.as_bytes(), now());
    let batch = parse(r#"{"name": "x", "at": 1772359200}"#).unwrap();
    assert_eq!(batch.notices[0].status, SourceStatus::Firing);
    assert_eq!(parse(r#"{"name": "x"}"#).unwrap_err().path, "/at");
    assert_eq!(parse(r#"{"name": "\u0000", "at": 1}"#).unwrap_err().path, "/name");
    assert_eq!(parse("[").unwrap_err().code, Code::Syntax);
}

#[test]
fn a_mapping_that_cannot_work_is_refused() {
    for bad in [
        json!({"name": "/n"}),
        json!({"name": "n", "starts_at": "/s"}),
        json!({"name": "/n", "starts_at": "/s", "colour": "/c"}),
        json!({"name": "/n", "starts_at": "/s", "label": {"a": "b"}}),
        json!([]),
    ] {
        assert_eq!(Mapping::from_value(&bad).unwrap_err().path, "/mapping", "{bad}");
    }
    let again = serde_json::to_value(mapping()).unwrap();
    assert_eq!(Mapping::from_value(&again), Ok(mapping()));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _outcome = mapping().parse(&bytes, now());
    }
}
