//! What holds for every edit: nothing to do changes nothing, the rest stays to the byte, and what
//! was put in is read back.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Texts of every kind: quotes, templates, escapes, what YAML takes for something else.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "[a-z0-9:/.${}%'\"\\\\#\\[\\], \n-]{0,12}",
        Just("yes".to_owned()),
        Just("1e3".to_owned()),
        Just("ü\u{2028}é".to_owned()),
        Just("~".to_owned()),
    ]
}

fn hcl(value: &str) -> String {
    let value = render::text(tree::Syntax::Hcl, value);
    format!(
        "# ü\nresource \"aws_instance\" \"web\" {{\n  ami  = \"a\" # kept\n  tags = {{ a = {value}, b = \"c\" }}\n}}\n# end"
    )
}

fn yaml(value: &str) -> String {
    let value = render::text(tree::Syntax::Yaml, value);
    format!(
        "# ü\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  a: {value} # kept\n  b: c\n# end"
    )
}

proptest! {
    #[test]
    fn what_is_put_in_is_read_back(before in text(), after in text(), added in text()) {
        for (file, source, kind, address, at) in [
            ("main.tf", hcl(&before), "aws_instance", "aws_instance.web", "tags"),
            ("a.yaml", yaml(&before), "ConfigMap", "ConfigMap/a", "data"),
        ] {
            let same = drift(kind, address, &[]);
            let (nothing, _) = edited(file, &source, &same);
            prop_assert_eq!(&nothing, &source);
            if after.is_empty() || added.is_empty() || before.is_empty() {
                continue;
            }
            let (one, more) = (format!("{at}.a"), format!("{at}.new"));
            let changes = [
                (one.as_str(), json!(before), json!(after)),
                (more.as_str(), json!(null), json!(added)),
            ];
            let (text, made) = edited(file, &source, &drift(kind, address, &changes));
            prop_assert_eq!(left(&made), vec![], "{}", text);
            prop_assert!(text.starts_with("# ü\n") && text.ends_with("\n# end"), "{}", text);
            prop_assert!(text.contains("# kept\n"), "{}", text);
            // Another reader than ours finds the same.
            if kind == "ConfigMap" {
                let read: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
                prop_assert_eq!(&read["data"]["a"], &json!(after), "{}", text);
                prop_assert_eq!(&read["data"]["new"], &json!(added), "{}", text);
            }
            let back = [
                (one.as_str(), json!(after), json!(before)),
                (more.as_str(), json!(added), json!(null)),
            ];
            let (text, made) = edited(file, &text, &drift(kind, address, &back));
            prop_assert_eq!(left(&made), vec![], "{}", text);
            if kind == "aws_instance" {
                prop_assert_eq!(text, source);
            }
        }
    }

    #[test]
    fn no_text_is_too_odd_to_be_left_alone(text in "[ -~\n\t]{0,80}") {
        for (file, kind, address) in [
            ("main.tf", "aws_instance", "aws_instance.web"),
            ("a.yaml", "ConfigMap", "ConfigMap/a"),
            ("a.json", "AWS::SQS::Queue", "Jobs"),
        ] {
            let drift = drift(kind, address, &[("a.b[0]", json!(1), json!(2))]);
            let made = codify(&sources(&[(file, &text)]), &[drift], Rules::shipped());
            prop_assert!(made.files.is_empty() && made.left.len() == 1);
        }
    }
}
