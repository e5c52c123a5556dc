use serde_json::{Value as Json, json};

use super::*;

const TEMPLATE: &str = r#"# the shop
Resources:
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupName: web   # short
      GroupDescription: !Sub "the shop, ${Stage}"
      SecurityGroupIngress:
        - { IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8 }
      Tags:
        - { Key: owner, Value: shop }
        - Key: stage
          Value: !Ref Stage
  Jobs:
    Type: AWS::SQS::Queue
    Properties: { QueueName: jobs, VisibilityTimeout: '60' } # one line
  Logs:
    Type: AWS::S3::Bucket
    Properties:
      Tags:
      - Key: owner
        Value: shop
      # the end
"#;

const JSON: &str = "{\n    \"Resources\": {\n        \"Jobs\": {\n            \"Type\": \"AWS::SQS::Queue\",\n            \"Properties\": {\n                \"VisibilityTimeout\": 60,\n                \"Tags\": [\n                    {\"Key\": \"a\", \"Value\": \"b\"},\n                    {\"Key\": \"c\", \"Value\": {\"Ref\": \"Stage\"}}\n                ]\n            }\n        }\n    }\n}\n";

fn yaml(kind: &str, address: &str, changes: &[(&str, Json, Json)], replaced: &[(&str, &str)]) {
    let mut expected = TEMPLATE.to_owned();
    for (from, to) in replaced {
        assert!(expected.contains(from), "{from}");
        expected = expected.replacen(from, to, 1);
    }
    check("shop.yaml", TEMPLATE, &drift(kind, address, changes), &expected);
    // And where lines end as on Windows.
    let windows = |text: &str| text.replace('\n', "\r\n");
    check("shop.yaml", &windows(TEMPLATE), &drift(kind, address, changes), &windows(&expected));
}

#[test]
fn templates_in_yaml_are_changed_in_place() {
    let group = "AWS::EC2::SecurityGroup";
    let rule = json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"});
    yaml(
        group,
        "Web",
        &[("SecurityGroupIngress[tcp 22 22 0.0.0.0/0]", json!(null), rule)],
        &[(
            "CidrIp: 10.0.0.0/8 }\n",
            "CidrIp: 10.0.0.0/8 }\n        - { CidrIp: 0.0.0.0/0, FromPort: 22, IpProtocol: tcp, ToPort: 22 }\n",
        )],
    );
    yaml(
        group,
        "Web",
        &[(
            "SecurityGroupIngress[tcp 443 443 10.0.0.0/8]",
            json!({"FromPort": 443, "IpProtocol": "tcp", "ToPort": 443, "CidrIp": "10.0.0.0/8"}),
            json!(null),
        )],
        &[(
            "SecurityGroupIngress:\n        - { IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8 }\n",
            "SecurityGroupIngress: []\n",
        )],
    );
    yaml(
        group,
        "Web",
        &[("Tags.owner", json!("shop"), json!("no")), ("Tags.new", json!(null), json!("1.0"))],
        &[
            ("Value: shop }", "Value: \"no\" }"),
            (
                "Value: !Ref Stage\n",
                "Value: !Ref Stage\n        - Key: new\n          Value: \"1.0\"\n",
            ),
        ],
    );
    yaml(
        "AWS::SQS::Queue",
        "Jobs",
        &[("VisibilityTimeout", json!("60"), json!(5))],
        &[("'60'", "'5'")],
    );
    yaml(
        "AWS::S3::Bucket",
        "Logs",
        &[("Tags.more", json!(null), json!("x: y"))],
        &[(
            "        Value: shop\n      # the end",
            "        Value: shop\n      - Key: more\n        Value: \"x: y\"\n      # the end",
        )],
    );
}

#[test]
fn templates_in_json_keep_their_indentation() {
    let queue = |changes: &[(&str, Json, Json)]| drift("AWS::SQS::Queue", "Jobs", changes);
    check(
        "jobs.json",
        JSON,
        &queue(&[
            ("VisibilityTimeout", json!(60), json!(5)),
            ("Tags.d", json!(null), json!("e")),
            ("Tags.a", json!("b"), json!(null)),
        ]),
        &JSON
            .replace("60", "5")
            .replace("                    {\"Key\": \"a\", \"Value\": \"b\"},\n", "")
            .replace(
                "\"Stage\"}}\n",
                "\"Stage\"}},\n                    {\"Key\": \"d\", \"Value\": \"e\"}\n",
            ),
    );
    stays("jobs.json", JSON, &queue(&[("Tags.c", json!("d"), json!("e"))]), "computed");
}

#[test]
fn what_a_template_computes_stays() {
    let group = |changes: &[(&str, Json, Json)]| drift("AWS::EC2::SecurityGroup", "Web", changes);
    let computed = group(&[("GroupDescription", json!("a"), json!("b"))]);
    stays("shop.yaml", TEMPLATE, &computed, "computed");
    stays("shop.yaml", TEMPLATE, &group(&[("Tags.stage", json!("a"), json!("b"))]), "computed");
    stays("shop.yaml", TEMPLATE, &drift("AWS::SQS::Queue", "Web", &[]), "not_found");
    stays("shop.yaml", "Resources: [\nWeb", &group(&[]), "unreadable");
}
