use serde_json::json;

use super::*;

fn shaped(row: &Value, shape: &str) -> Value {
    let shape: Shape = serde_saphyr::from_str(shape).unwrap();
    Value::Object(object(row, &shape))
}

#[test]
fn attributes_are_where_the_table_says_and_as_it_says() {
    let row = json!({
        "id": "/subscriptions/s/resourceGroups/Shop/providers/M.N/vs/v", "sku": { "name": "A_B" },
        "flag": false, "word": "ENABLED", "zones": ["2"], "size": "2147483648", "none": null,
        "urls": ["https://x/zones/a", "https://x/zones/b"], "with": { "a.b/c": 1 },
        "rules": [{ "name": "one", "p": { "to": [1] } }, { "name": "two" }],
        "env": [{ "name": "A", "value": "1" }, { "name": "S", "secureValue": null }],
        "ids": { "/x/1": {} }, "list": "a, b",
    });
    let shape = r#"
group: { from: id, as: { after: resourcegroups } }
parent: { from: id, as: parent }
tier: { from: sku.name, as: { part: [_, 0] } }
last: { from: urls, as: { part: ["/", -1] } }
flag: flag
on: { from: word, words: { Enabled: true } }
off: { from: flag, words: { "true": false, "false": true } }
zone: { from: zones, as: first }
size: { from: size, as: { per: 1073741824 } }
dotted: "with.[a.b/c]"
either: [nowhere, sku.name]
names: rules.name
env: { from: env, as: pairs }
ids: { from: ids, as: names }
list: { from: list, as: split }
text: { from: size, as: { written: "{}s" } }
rule: { from: rules, each: { name: name, to: p.to } }
block: { from: sku, block: { name: name } }
two: { from: rules, block: { name: name } }
one: { from: rules, where: { name: [two] }, block: { name: name } }
none: none
nothing: { from: none, default: null }
usual: { from: none, default: 1 }
kept: { from: flag, when: { word: [enabled] } }
left: { from: flag, except: { word: ["en*"] } }
"#;
    assert_eq!(
        shaped(&row, shape),
        json!({
            "group": "Shop", "parent": "/subscriptions/s/resourceGroups/Shop/providers/M.N",
            "tier": "A", "last": ["a", "b"], "flag": false, "on": true, "off": true, "zone": "2",
            "size": 2, "dotted": 1, "either": "A_B", "names": ["one", "two"], "env": { "A": "1" },
            "ids": ["/x/1"], "list": ["a", "b"], "text": "2147483648s",
            "rule": [{ "name": "one", "to": [1] }, { "name": "two", "to": null }],
            "block": [{ "name": "A_B" }], "one": [{ "name": "two" }], "nothing": null, "usual": 1,
            "kept": false,
        })
    );
}

#[test]
fn patterns_are_whole_texts_of_any_case() {
    for (like, said, is) in [
        ("app", "app", true),
        ("app", "app,linux", false),
        ("app,linux*", "App,Linux,container", true),
        ("*", "", true),
        ("MC_*", "mc_shop_aks", true),
        ("*/master", "server/master", true),
        ("*/master", "server/masters", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
    ] {
        assert_eq!(fits(like, said), is, "{like} {said}");
    }
}
