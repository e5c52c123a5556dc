use super::*;

fn row(table: &str, json: &str) -> Row {
    Row { table: table.to_owned(), json: json.to_owned() }
}

#[test]
fn lines_come_back_as_they_went_in() {
    let given = vec![
        row("findings", r#"{"id":"b","title":"a \"quoted\" line\nand another"}"#),
        row("alerts", r#"{"raw_alert_json":{"n":1e131071},"labels":{}}"#),
        row("findings", r#"{"id":"a","big":9007199254740993}"#),
    ];
    let lines = Lines::of(given.clone());
    assert_eq!(lines.rows(), 3);
    assert_eq!(
        lines.counts,
        BTreeMap::from([("alerts".to_owned(), 1), ("findings".to_owned(), 2)])
    );
    let object = lines.compress().unwrap();
    let back = decompress(&object).unwrap();
    assert_eq!(back, lines.bytes);
    let mut sorted = given;
    sorted.sort_unstable();
    // Numbers keep the digits they came with.
    assert_eq!(rows(&back).unwrap(), sorted);
}

#[test]
fn the_same_rows_in_another_order_give_the_same_bytes() {
    let (one, two) = (row("a", r#"{"n":1}"#), row("a", r#"{"n":2}"#));
    let first = Lines::of(vec![one.clone(), two.clone()]);
    let second = Lines::of(vec![two.clone(), one]);
    assert_eq!(first.digest(), second.digest());
    assert_ne!(first.digest(), Lines::of(vec![two]).digest());
}

#[test]
fn a_line_break_between_tokens_does_not_make_two_lines() {
    let lines = Lines::of(vec![row("alerts", "{\"raw\":{\r\n  \"a\": 1\n}}")]);
    assert_eq!(lines.bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
    let back: serde_json::Value = serde_json::from_slice(&lines.bytes).unwrap();
    assert_eq!(back["row"]["raw"]["a"], 1);
}

#[test]
fn what_is_no_object_of_ours_is_said_to_be_none() {
    assert!(matches!(decompress(b"not zstd"), Err(Damage::Packed { .. })));
    let mut object = Lines::of(vec![row("a", "{}")]).compress().unwrap();
    object.truncate(object.len() - 3);
    assert!(matches!(decompress(&object), Err(Damage::Packed { .. })));
    assert!(matches!(rows(b"{\"table\":\"a\"}\n"), Err(Damage::Packed { .. })));
}
