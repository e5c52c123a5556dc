use serde_json::json;

use super::*;

fn shaped(answer: &Value, shape: &str) -> Value {
    let shape: Shape = serde_saphyr::from_str(shape).unwrap();
    Value::Object(object(answer, &shape))
}

#[test]
fn values_are_read_as_what_they_are_and_kept_when_they_are_not() {
    let answer = json!({
        "yes": "true", "no": false, "port": "5432", "odd": "many", "big": "0007", "part": "92.50",
        "round": "92.0", "arn": "arn:aws:sns:x:1:topic", "path": "a/b/c", "commas": "a, b,c",
        "on": "ENABLED", "off": "disabled", "one": "x", "list": ["x", "y"], "nothing": [],
        "text": "{\"a\": [1]}", "document": "%7B%22a%22%3A%20%22b%25%2Bc%22%7D",
    });
    let shape = r"
        yes: { from: 'yes', as: bool }
        no: { from: 'no', as: bool }
        port: { from: port, as: int }
        odd: { from: odd, as: int }
        big: { from: big, as: int }
        part: { from: part, as: number }
        round: { from: round, as: number }
        arn: { from: arn, as: last }
        path: { from: path, as: last }
        commas: { from: commas, as: split }
        on: { from: 'on', as: enabled }
        off: { from: 'off', as: enabled }
        one: { from: one, as: list }
        first: { from: list, as: first }
        nothing: { from: nothing, as: list }
        missing: { from: no.such, as: int }
        default: { from: no.such, default: 3 }
        either: { from: [no.such, one] }
        text: { from: text, as: json }
        broken: { from: commas, as: json }
        document: { from: document, as: document }
    ";
    assert_eq!(
        shaped(&answer, shape),
        json!({
            "yes": true, "no": false, "port": 5432, "odd": "many", "big": 7, "part": 92.5,
            "round": 92, "arn": "topic", "path": "c", "commas": ["a", "b", "c"], "on": true,
            "off": false, "one": ["x"], "first": "x", "default": 3, "either": "x",
            "text": { "a": [1] }, "broken": "a, b,c", "document": { "a": "b%+c" },
        })
    );
}

#[test]
fn tags_are_one_list_however_they_are_written() {
    let expected = json!({ "t": [{ "Key": "a", "Value": "" }, { "Key": "b", "Value": "2" }] });
    for written in [
        json!([{ "Key": "b", "Value": "2" }, { "Key": "a" }]),
        json!([{ "key": "b", "value": "2" }, { "key": "a", "value": null }]),
        json!([{ "TagKey": "a", "TagValue": "" }, { "TagKey": "b", "TagValue": "2" }]),
        json!({ "b": "2", "a": "" }),
    ] {
        let answer = json!({ "tags": written });
        assert_eq!(shaped(&answer, "t: { from: tags, as: tags }"), expected, "{written}");
    }
    let one = json!({ "tags": { "Key": "a", "Value": "1" } });
    assert_eq!(shaped(&one, "t: { from: tags, as: tag_map }"), json!({ "t": { "a": "1" } }));
    assert_eq!(shaped(&json!({ "tags": [] }), "t: { from: tags, as: tags }"), json!({}));
}

#[test]
fn objects_and_lists_of_them_are_shaped_and_chosen() {
    let answer = json!({
        "versions": [
            { "id": "v1", "default": "false", "text": "old" },
            { "id": "v2", "default": "true", "text": "new" },
        ],
        "stream": { "on": false, "view": "NEW" },
        "rule": { "days": "3" },
        "empty": [{ "other": 1 }],
    });
    let shape = r"
        chosen: { from: versions, where: { default: ['true'] }, take: text, as: first }
        others: { from: versions, unless: { default: ['true'] }, each: { Id: id } }
        stream: { from: stream, where: { 'on': ['true'] }, of: { View: view } }
        rules: { from: rule, each: { Days: { from: days, as: int } } }
        first: { from: versions, of: { Id: id } }
        empty: { from: empty, each: { Id: id } }
    ";
    assert_eq!(
        shaped(&answer, shape),
        json!({
            "chosen": "new", "others": [{ "Id": "v1" }], "rules": [{ "Days": 3 }],
            "first": { "Id": "v1" },
        })
    );
}

#[test]
fn rules_of_a_security_group_are_one_for_each_place_in_any_order_of_the_answer() {
    let permission = |reversed: bool| {
        let mut places = vec![
            json!({ "cidrIp": "10.0.0.0/8", "description": "inside" }),
            json!({ "cidrIp": "0.0.0.0/0" }),
        ];
        if reversed {
            places.reverse();
        }
        json!({
            "ipProtocol": "tcp", "fromPort": "80", "toPort": "81", "ipRanges": places,
            "groups": [{ "userId": "1", "groupId": "sg-1" }],
            "prefixListIds": { "prefixListId": "pl-1" },
        })
    };
    let all = json!({ "ipProtocol": "-1", "ipv6Ranges": [{ "cidrIpv6": "::/0" }] });
    let forth = json!({ "p": [permission(false), all] });
    let back = json!({ "p": [forth["p"][1], permission(true)] });
    let out = shaped(&forth, "r: { from: p, as: rules_out }");
    assert_eq!(out, shaped(&back, "r: { from: p, as: rules_out }"));
    let tcp = |name: &str, place: &str| json!({ "IpProtocol": "tcp", "FromPort": 80, "ToPort": 81, name: place });
    let mut inside = tcp("CidrIp", "10.0.0.0/8");
    inside["Description"] = "inside".into();
    let expected = [
        inside,
        tcp("CidrIp", "0.0.0.0/0"),
        tcp("DestinationPrefixListId", "pl-1"),
        tcp("DestinationSecurityGroupId", "sg-1"),
        json!({ "IpProtocol": "-1", "CidrIpv6": "::/0" }),
    ];
    let rules = out["r"].as_array().unwrap();
    assert_eq!(rules.len(), expected.len());
    assert!(expected.iter().all(|rule| rules.contains(rule)), "{rules:?}");
    let ingress = shaped(&forth, "r: { from: p, as: rules_in }").to_string();
    assert!(ingress.contains("SourceSecurityGroupId") && !ingress.contains("Destination"));
    // Nothing let out is said, nothing let in is not.
    assert_eq!(shaped(&json!({}), "r: { from: p, as: rules_out }"), json!({ "r": [] }));
    assert_eq!(shaped(&json!({}), "r: { from: p, as: rules_in }"), json!({}));
}

#[test]
fn percent_encoding_is_undone_and_what_is_none_stays() {
    assert_eq!(decoded("a%20b%C3%A4%2").as_deref(), Some("a bä%2"));
    assert_eq!(decoded("100%").as_deref(), Some("100%"));
    assert_eq!(decoded("%zz+").as_deref(), Some("%zz+"));
    assert_eq!(decoded("%ff"), None);
}
