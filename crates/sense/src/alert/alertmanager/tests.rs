use proptest::prelude::*;
use serde_json::json;

use super::*;

fn now() -> Timestamp {
    "2026-03-01T10:05:00Z".parse().unwrap()
}

/// A group as Alertmanager 0.25 sends it: two alerts, one of them over, with fields nobody reads.
const GROUP: &str = include_str!("group.json");

fn alert(index: usize) -> Value {
    json!({
        "status": "firing",
        "labels": {"alertname": "DiskFull", "instance": format!("db-{index}:9100")},
        "annotations": {},
        "startsAt": "2026-03-01T10:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": format!("{index:016x}"),
    })
}

fn body(alerts: &[Value]) -> Vec<u8> {
    let body = json!({"version": "4", "groupKey": "{}:{}", "status": "firing", "alerts": alerts});
    serde_json::to_vec(&body).unwrap()
}

fn body_with(change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(&body(&[alert(0)])).unwrap();
    change(&mut value);
    serde_json::to_vec(&value).unwrap()
}

fn only_quarantined(change: impl Fn(&mut Value)) -> (String, String) {
    let mut bad = alert(1);
    change(&mut bad);
    let batch = parse(&body(&[alert(0), bad, alert(2)]), now()).unwrap();
    assert_eq!(batch.notices.len(), 2, "the rest is kept");
    assert_eq!(batch.quarantined.len(), 1, "the bad one is set aside");
    let quarantined = batch.quarantined.into_iter().next().unwrap();
    assert_eq!(quarantined.index, 1);
    (quarantined.path, quarantined.reason)
}

#[test]
fn a_group_as_alertmanager_sends_it_is_read_whole() {
    let batch = parse(GROUP.as_bytes(), now()).unwrap();
    assert_eq!(batch.quarantined, []);
    assert_eq!(batch.truncated, 0);
    assert_eq!(batch.digest, Digest::of(GROUP.as_bytes()));
    let [down, over] = batch.notices.as_slice() else { panic!("two alerts") };
    assert_eq!(down.name, "InstanceDown");
    assert_eq!(down.fingerprint, "7c4b1f0a9d3e5a62");
    assert_eq!(down.title(), "InstanceDown on web-1.example.com:9100");
    assert_eq!((down.severity, down.severity_raw.as_str()), (Severity::Critical, "page"));
    assert_eq!((down.status, down.job.as_str()), (SourceStatus::Firing, "node"));
    assert_eq!(down.starts_at.to_string(), "2026-03-01T09:58:42.163Z");
    assert_eq!(down.ends_at, None);
    assert_eq!(down.annotations.len(), 2);
    assert_eq!(over.status, SourceStatus::Resolved);
    assert_eq!(over.ends_at.unwrap().to_string(), "2026-03-01T10:03:12.163Z");
    assert_eq!(serde_json::from_str::<Value>(&over.raw).unwrap()["labels"]["job"], json!("node"));
}

#[test]
fn bodies_of_another_form_are_refused_with_the_path() {
    let refused = |bytes: &[u8]| parse(bytes, now()).unwrap_err().path;
    assert_eq!(refused(b"[]"), "");
    assert_eq!(refused(b"{}"), "/version");
    assert_eq!(refused(&body_with(|b| b["version"] = json!("3"))), "/version");
    assert_eq!(refused(&body_with(|b| b["version"] = json!(4))), "/version");
    assert_eq!(refused(&body_with(|b| b["alerts"] = json!({}))), "/alerts");
    assert_eq!(refused(&body_with(|b| b["receiver"] = json!(1))), "/receiver");
    assert_eq!(refused(&body_with(|b| b["truncatedAlerts"] = json!(-1))), "/truncatedAlerts");
    let many = parse(&body(&vec![alert(0); 1_001]), now()).unwrap_err();
    assert_eq!((many.path.as_str(), many.code), ("/alerts", Code::TooLarge));
    assert_eq!(parse(&body(&vec![alert(0); 1_000]), now()).unwrap().notices.len(), 1_000);
    let large = parse(&vec![b' '; super::super::MAX_BODY_BYTES + 1], now()).unwrap_err();
    assert_eq!(large.code, Code::TooLarge);
}

#[test]
fn i4_a_fault_inside_one_alert_sets_only_that_one_aside() {
    for (path, change) in [
        ("/alerts/1", (|a| *a = json!("x")) as fn(&mut Value)),
        ("/alerts/1/status", |a| a["status"] = json!("smouldering")),
        ("/alerts/1/status", |a| drop(a.as_object_mut().unwrap().remove("status"))),
        ("/alerts/1/labels", |a| a["labels"] = json!({})),
        ("/alerts/1/labels", |a| a["labels"] = json!([])),
        ("/alerts/1/labels", |a| a["labels"][""] = json!("x")),
        ("/alerts/1/labels/a~1b", |a| a["labels"]["a/b"] = json!(7)),
        ("/alerts/1/labels/big", |a| a["labels"]["big"] = json!("x".repeat(4_097))),
        ("/alerts/1/labels/alertname", |a| a["labels"]["alertname"] = json!("x".repeat(256))),
        ("/alerts/1/annotations/d", |a| a["annotations"]["d"] = json!(null)),
        ("/alerts/1/fingerprint", |a| a["fingerprint"] = json!(7)),
        ("/alerts/1/fingerprint", |a| a["fingerprint"] = json!("f".repeat(201))),
        ("/alerts/1/endsAt", |a| a["endsAt"] = json!("soon")),
        ("/alerts/1/labels", |a| {
            for index in 0..100 {
                a["labels"][format!("l{index}")] = json!("x");
            }
        }),
    ] {
        assert_eq!(only_quarantined(change).0, path);
    }
}

#[test]
fn p4_a_nul_inside_an_alert_quarantines_it_and_its_source_text_can_be_stored() {
    let bytes = br#"{"version":"4","alerts":[{"labels":{"alertname":"a\u0000b"}}]}"#;
    let batch = parse(bytes, now()).unwrap();
    let [quarantined] = batch.quarantined.as_slice() else { panic!("one") };
    assert_eq!(quarantined.path, "/alerts/0/labels/alertname");
    assert_eq!(quarantined.raw, r#"{"labels":{"alertname":"a\u0000b"}}"#);
    assert!(!quarantined.raw.contains('\0'));
    let (path, _) = only_quarantined(|a| a["labels"]["\0"] = json!("x"));
    assert_eq!(path, "/alerts/1/labels");
}

#[test]
fn p4_a_nul_outside_the_alerts_refuses_the_body_unless_it_is_a_copy_from_an_alert() {
    let group = |top: &str, label: &str| {
        let text = format!(
            r#"{{"version":"4",{top},"alerts":[{{"status":"firing","labels":{{"alertname":"{label}"}},"startsAt":"2026-03-01T10:00:00Z"}}]}}"#
        );
        parse(text.as_bytes(), now())
    };
    let refused = |top| group(top, "fine").unwrap_err().path;
    assert_eq!(refused(r#""receiver":"\u0000""#), "/receiver");
    assert_eq!(refused(r#""commonLabels":{"alertname":"\u0000"}"#), "/commonLabels/alertname");
    assert_eq!(refused(r#""commonLabelsX":"\u0000""#), "/commonLabelsX");
    let copied = group(r#""commonLabels":{"alertname":"\u0000"}"#, r"\u0000").unwrap();
    assert_eq!(copied.quarantined.len(), 1);
}

#[test]
fn p5_a_number_out_of_range_inside_an_alert_quarantines_it() {
    let text = String::from_utf8(body(&[alert(0), alert(1)])).unwrap();
    let text = text.replacen(r#""annotations":{}"#, r#""annotations":{},"value":1e400"#, 1);
    let batch = parse(text.as_bytes(), now()).unwrap();
    assert_eq!(batch.quarantined[0].path, "/alerts/0/value");
    assert_eq!(batch.notices.len(), 1);
}

#[test]
fn p6_a_key_given_twice_is_never_resolved_silently() {
    let text = String::from_utf8(body(&[alert(0), alert(1)])).unwrap();
    let inside = text.replacen(r#""status":"#, r#""status":"resolved","status":"#, 1);
    assert_eq!(parse(inside.as_bytes(), now()).unwrap().quarantined[0].path, "/alerts/0/status");
    let outside = text.replacen('{', r#"{"alerts":[],"#, 1);
    let fault = parse(outside.as_bytes(), now()).unwrap_err();
    assert_eq!((fault.path.as_str(), fault.code), ("/alerts", Code::DuplicateKey));
}

#[test]
fn i6_times_nobody_can_mean_are_set_aside() {
    for text in [
        "0044-03-15T12:00:00Z",
        "-000044-03-15T12:00:00Z",
        "0044-03-15 BC",
        "infinity",
        "-infinity",
        "1999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "2026-03-02T10:05:01Z",
        "9999-12-31T23:59:59Z",
        "99999-01-01T00:00:00Z",
        "1772359200",
        "",
    ] {
        let (path, _) = only_quarantined(|a| a["startsAt"] = json!(text));
        assert_eq!(path, "/alerts/1/startsAt", "{text}");
    }
}

#[test]
fn i6_an_end_nobody_can_mean_is_no_end() {
    let ends = |text: &str| {
        let bytes = body_with(|b| b["alerts"][0]["endsAt"] = json!(text));
        parse(&bytes, now()).unwrap().notices[0].ends_at
    };
    assert_eq!(ends("0001-01-01T00:00:00Z"), None);
    assert_eq!(ends("2226-03-01T10:00:00Z"), None);
    assert_eq!(ends("2026-03-01T10:04:00Z").unwrap().to_string(), "2026-03-01T10:04:00Z");
}

#[test]
fn times_are_cut_to_what_the_database_keeps() {
    let batch = parse(&body(&[alert(0)]), now()).unwrap();
    assert_eq!(batch.notices[0].starts_at.to_string(), "2026-03-01T10:00:00.123456Z");
}

#[test]
fn a_missing_fingerprint_is_computed_from_the_labels_alone() {
    let fingerprint = |change: fn(&mut Value)| {
        let bytes = body_with(|b| {
            b["alerts"][0]["fingerprint"] = json!("");
            change(&mut b["alerts"][0]);
        });
        parse(&bytes, now()).unwrap().notices[0].fingerprint.clone()
    };
    let plain = fingerprint(|_| {});
    assert_eq!(plain.len(), 32);
    assert_eq!(plain, fingerprint(|a| a["annotations"]["summary"] = json!("other")));
    assert_ne!(plain, fingerprint(|a| a["labels"]["job"] = json!("node")));
    // Lengths are part of it: moving a letter from a name to its value is another alert.
    assert_ne!(
        fingerprint(|a| a["labels"] = json!({"ab": "c"})),
        fingerprint(|a| a["labels"] = json!({"a": "bc"}))
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _outcome = parse(&bytes, now());
    }

    #[test]
    fn a_group_with_one_byte_changed_never_panics_and_loses_no_alert(
        at in 0..GROUP.len(), byte in any::<u8>()
    ) {
        let mut bytes = GROUP.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(batch) = parse(&bytes, now()) {
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            let sent = value["alerts"].as_array().map_or(0, Vec::len);
            prop_assert_eq!(batch.notices.len() + batch.quarantined.len(), sent);
        }
    }
}
