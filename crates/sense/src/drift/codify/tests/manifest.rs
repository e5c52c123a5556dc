use serde_json::{Value as Json, json};

use super::*;

const SHOP: &str = r#"# everything
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels:
    app: web # whose
  annotations: {}
spec:
  template:
    spec:
      containers:
        # the only one
        - name: web
          image: registry.example.com/shop/web:1.4   # pinned
          env:
          - {name: LEVEL, value: "info"}
          - name: MODE
            value: 'fast'
          args: ["--a", '--b']
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data:
  level: info
  text: |
    one

    two
  on: "yes"
"#;

fn shop(kind: &str, address: &str, changes: &[(&str, Json, Json)], replaced: &[(&str, &str)]) {
    let mut expected = SHOP.to_owned();
    for (from, to) in replaced {
        assert!(expected.contains(from), "{from}");
        expected = expected.replacen(from, to, 1);
    }
    check("all.yaml", SHOP, &drift(kind, address, changes), &expected);
}

#[test]
fn manifests_are_changed_in_place() {
    let web = "Deployment/shop/web";
    shop(
        "Deployment",
        web,
        &[(
            "spec.template.spec.containers[web].image",
            json!("registry.example.com/shop/web:1.4"),
            json!("registry.example.com/evil/web:1.4"),
        )],
        &[("com/shop/web:1.4   # pinned", "com/evil/web:1.4   # pinned")],
    );
    shop(
        "Deployment",
        web,
        &[("metadata.labels.owner", json!(null), json!("nobody"))],
        &[("app: web # whose\n", "app: web # whose\n    owner: nobody\n")],
    );
    shop(
        "Deployment",
        web,
        &[("metadata.labels.app", json!("web"), json!(null))],
        &[("labels:\n    app: web # whose", "labels: {} # whose")],
    );
    shop(
        "Deployment",
        web,
        &[("metadata.annotations[\"example.com/a\"]", json!(null), json!("true"))],
        &[("annotations: {}", "annotations: { example.com/a: \"true\" }")],
    );
    shop(
        "Deployment",
        web,
        &[
            ("spec.template.spec.containers[web].env[LEVEL].value", json!("info"), json!("1")),
            ("spec.template.spec.containers[web].env[MODE].value", json!("fast"), json!("it's")),
            ("spec.template.spec.containers[web].args[1]", json!("--b"), json!("--c")),
        ],
        &[("\"info\"}", "\"1\"}"), ("'fast'", "'it''s'"), ("'--b'", "'--c'")],
    );
}

#[test]
fn lists_grow_and_shrink_where_they_differ() {
    let web = "Deployment/shop/web";
    let args = "spec.template.spec.containers[web].args";
    shop(
        "Deployment",
        web,
        &[(args, json!(["--a", "--b"]), json!(["--b", "--c", "--d"]))],
        &[("[\"--a\", '--b']", "['--b', \"--c\", \"--d\"]")],
    );
    shop(
        "Deployment",
        web,
        &[
            (
                "spec.template.spec.containers[web].env[NEW]",
                json!(null),
                json!({"name": "NEW", "value": "x"}),
            ),
            (
                "spec.template.spec.containers[web].env[LEVEL]",
                json!({"name": "LEVEL", "value": "info"}),
                json!(null),
            ),
        ],
        &[
            ("          - {name: LEVEL, value: \"info\"}\n", ""),
            (
                "            value: 'fast'\n",
                "            value: 'fast'\n          - name: NEW\n            value: x\n",
            ),
        ],
    );
    shop(
        "Service",
        "Service/shop/web",
        &[("spec.selector.tier", json!(null), json!("front"))],
        &[("{ app: web }", "{ app: web, tier: front }")],
    );
}

#[test]
fn texts_keep_the_way_they_are_written() {
    shop(
        "ConfigMap",
        "ConfigMap/default/settings",
        &[
            ("data.level", json!("info"), json!("on")),
            ("data.text", json!("one\n\ntwo\n"), json!("one\n\nthree\n")),
            ("data.on", json!("yes"), json!("no")),
            ("data.more", json!(null), json!("a\nb\n")),
        ],
        &[
            ("level: info", "level: \"on\""),
            ("    two\n", "    three\n"),
            ("on: \"yes\"\n", "on: \"no\"\n  more: \"a\\nb\\n\"\n"),
        ],
    );
}

#[test]
fn the_right_object_or_none_is_changed() {
    let other = SHOP.replace("namespace: shop", "namespace: other");
    let change = [("metadata.labels.app", json!("web"), json!("x"))];
    stays("all.yaml", &other, &drift("Deployment", "Deployment/shop/web", &change), "not_found");
    let twice = format!("{SHOP}---\n{SHOP}");
    stays("all.yaml", &twice, &drift("Deployment", "Deployment/shop/web", &change), "ambiguous");
    let files = [("all.yaml", SHOP), ("kustomization.yaml", "resources: [all.yaml]\n")];
    let drift = drift("Deployment", "Deployment/shop/web", &change);
    let made = codify(&sources(&files), &[drift], Rules::shipped());
    assert_eq!(left(&made), [("", "generated")]);
}
