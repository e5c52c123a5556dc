use serde_json::json;

use super::*;

#[test]
fn xml_becomes_lists_objects_and_texts() {
    let text = r#"<?xml version="1.0"?>
        <R xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
          <set><item><id>a &amp; b</id><empty/></item></set>
          <none/>
          <members><member>1</member><member>2</member></members>
          <Tags><Tag><Key>k</Key></Tag></Tags>
          <More><Tag><Key>k</Key></Tag><Tag><Key>l</Key></Tag></More>
          <Attributes>
            <entry><key>A.b</key><value>1</value></entry><entry><key>C</key><value/></entry>
          </Attributes>
          <cdata><![CDATA[<x>]]></cdata>
        </R>"#;
    let (root, tree) = xml(text).unwrap();
    assert_eq!(root, "R");
    let expected = json!({
        "set": [{ "id": "a & b", "empty": null }],
        "none": null,
        "members": ["1", "2"],
        "Tags": { "Tag": { "Key": "k" } },
        "More": { "Tag": [{ "Key": "k" }, { "Key": "l" }] },
        "Attributes": { "A.b": "1", "C": null },
        "cdata": "<x>",
    });
    assert_eq!(tree, expected);
}

#[test]
fn xml_that_is_cut_off_unfolds_or_is_bottomless_is_refused() {
    for text in ["", "<a><b>1</b>", "<a></b>", "<a/><b/>", "no", "<a>&none;</a>"] {
        assert!(xml(text).is_err(), "{text}");
    }
    let bomb = r#"<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>"#;
    assert!(xml(bomb).is_err());
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(xml(&nested(DEEPEST)).is_ok());
    assert_eq!(xml(&nested(2_000)).unwrap_err(), "it is too deep");
}

#[test]
fn a_path_goes_through_lists() {
    let tree = json!({
        "outer": [{ "inner": [{ "id": 1 }, { "id": 2 }] }, { "inner": [{ "id": 3 }, {}] }, {}],
        "one": { "id": "x", "flag": false },
        "none": null,
        "empty": [],
    });
    assert_eq!(at(&tree, "outer.inner.id"), Some(json!([1, 2, 3])));
    assert_eq!(at(&tree, "one.id"), Some(json!("x")));
    for path in ["none", "none.id", "empty.id", "one.id.more", "other"] {
        assert_eq!(at(&tree, path), None, "{path}");
    }
    assert_eq!(at(&tree, "empty"), Some(json!([])));
    assert_eq!(list_at(&tree, "one.id"), [json!("x")]);
    assert_eq!(text_at(&tree, "one.flag").as_deref(), Some("false"));
    assert_eq!(text_at(&tree, "outer.inner.id"), None);
}

#[test]
fn pages_are_laid_onto_each_other() {
    let mut whole = Value::Null;
    merge(&mut whole, json!({ "a": { "b": [1] }, "next": "x", "c": null }));
    merge(&mut whole, json!({ "a": { "b": [2] }, "next": null, "c": [3] }));
    assert_eq!(whole, json!({ "a": { "b": [1, 2] }, "next": "x", "c": [3] }));
}
