use serde_json::json;

use super::{clean, facts, table, words};

#[test]
fn nothing_from_outside_steers_the_terminal() {
    assert_eq!(clean("a\u{1b}[2Jb\u{9b}31mc\u{7}d\re"), "a\\u{1b}[2Jb\\u{9b}31mc\\u{7}d\\u{d}e");
    assert_eq!(clean("rm \u{202e}gpj.exe"), "rm \\u{202e}gpj.exe");
    assert_eq!(clean("grün\n\tünd gut"), "grün\n\tünd gut");
}

#[test]
fn p8_what_is_not_what_it_seems_is_written_as_numbers_in_every_cell() {
    let name = json!({"name": "w\u{435}b-1", "tags": {"a\u{200b}": "\u{202e}b"}});
    let shown = table(std::slice::from_ref(&name), &[("name", "/name"), ("tags", "/tags")]);
    assert!(shown.contains("w\\u{435}b-1") && shown.contains("a\\u{200b}=\\u{202e}b"), "{shown}");
    assert_eq!(facts(&name, &[("name", "/name")]), "name  w\\u{435}b-1");
}

#[test]
fn values_read_as_words() {
    let cases = [
        (json!(null), "-"),
        (json!(""), "-"),
        (json!([]), "-"),
        (json!(true), "yes"),
        (json!(["operator", "approver"]), "operator, approver"),
        (json!({"job": "web", "n": 1}), "job=web n=1"),
        (json!("2026-11-21T08:30:12.123456Z"), "2026-11-21 08:30:12Z"),
        (json!("two\nlines"), "two lines"),
    ];
    for (value, expected) in cases {
        assert_eq!(words(&value), expected);
    }
}

#[test]
fn a_table_has_a_row_an_item() {
    let items = [json!({"name": "web-1", "tags": {"a": "b"}}), json!({"name": "web-2"})];
    let table = table(&items, &[("name", "/name"), ("tags", "/tags")]);
    let lines: Vec<&str> = table.lines().map(str::trim).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("NAME") && lines[1].contains("a=b") && lines[2].ends_with('-'));
}

#[test]
fn facts_leave_out_what_is_absent() {
    let value = json!({"id": "x", "note": null, "long_name": "y"});
    let text = facts(&value, &[("id", "/id"), ("note", "/note"), ("long name", "/long_name")]);
    assert_eq!(text, "id         x\nlong name  y");
}
