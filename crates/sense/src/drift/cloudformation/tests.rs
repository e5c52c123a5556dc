use serde_json::{Value as Json, json};

use super::*;

const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Stage: { Type: String, Default: prod }
  Ports: { Type: CommaDelimitedList, Default: "80, 443" }
  Image: { Type: "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", Default: /ami }
Mappings:
  Sizes: { prod: { type: m5.large }, dev: { type: t3.micro } }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
  Either: !Or [!Condition IsProd, !Equals [!Ref Unheard, x]]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "${AWS::StackName}-${Stage}-${!kept}"
      Tags:
        - { Key: stage, Value: !Ref Stage }
        - !If [IsDev, { Key: dev, Value: "1" }, !Ref "AWS::NoValue"]
  Web:
    Type: AWS::EC2::Instance
    Properties:
      InstanceType: !FindInMap [Sizes, !Ref Stage, type]
      ImageId: !Ref Image
      UserData: !Base64 hello
      Port: !Select [1, !Ref Ports]
      SecurityGroupIds: [!GetAtt Group.GroupId]
      Arn: !Sub "arn:aws:s3:::${Bucket}"
      Joined: !Join ["-", [a, !Ref Stage]]
      Other: !ImportValue shared
  Group:
    Type: AWS::EC2::SecurityGroup
  Only:
    Type: AWS::SNS::Topic
    Condition: IsDev
  Also:
    Type: AWS::SNS::Topic
    Condition: Either
"#;

fn stack() -> Stack {
    Stack {
        name: Some("shop".to_owned()),
        region: Some("eu-west-1".to_owned()),
        physical: [("Bucket", "shop-prod"), ("Group", "sg-1")]
            .map(|(logical, physical)| (logical.to_owned(), physical.to_owned()))
            .into(),
        ..Stack::default()
    }
}

fn properties(text: &str, stack: &Stack) -> BTreeMap<String, Json> {
    let resources = read(text, stack).unwrap();
    let of = |resource: &Resource<'_>| match &resource.state {
        State::Read(value) => (resource.name(), value.to_json()),
        State::Raw(_) => panic!("read"),
    };
    resources.iter().map(of).collect()
}

#[test]
fn a_template_says_what_it_declares_with_everything_put_in() {
    let declared = properties(TEMPLATE, &stack());
    assert_eq!(declared.keys().collect::<Vec<_>>(), ["Also", "Bucket", "Group", "Web"]);
    assert_eq!(
        declared["Bucket"],
        json!({"BucketName": "shop-prod-${kept}", "Tags": [{"Key": "stage", "Value": "prod"}]})
    );
    let unknown = json!({"unknown": true});
    assert_eq!(
        declared["Web"],
        json!({
            "InstanceType": "m5.large", "ImageId": unknown, "UserData": "aGVsbG8=", "Port": "443",
            "SecurityGroupIds": ["sg-1"], "Arn": "arn:aws:s3:::shop-prod", "Joined": "a-prod",
            "Other": unknown,
        })
    );
}

#[test]
fn parameters_that_are_given_stand_above_the_defaults() {
    let stack = Stack { parameters: [("Stage".to_owned(), Value::text("dev"))].into(), ..stack() };
    let undecided = read(TEMPLATE, &stack).unwrap_err();
    assert_eq!(undecided, BadTemplate::Undecided("Either".to_owned()));
    let declared = properties(&TEMPLATE.replace("    Condition: Either\n", ""), &stack);
    assert_eq!(declared["Web"]["InstanceType"], "t3.micro");
    assert!(declared.contains_key("Only"));
}

#[test]
fn what_is_not_echoed_is_not_known_and_still_decides() {
    let template = r#"
Parameters:
  Password: { Type: String, NoEcho: true }
Conditions:
  Guarded: !Not [!Equals [!Ref Password, ""]]
Resources:
  Login:
    Type: AWS::SSM::Parameter
    Condition: Guarded
    Properties:
      Name: !If [Guarded, login, none]
      Description: !Sub "opened with ${Password}"
      Value: !Ref Password
"#;
    let parameters = [("Password".to_owned(), Value::text("****"))].into();
    let declared = properties(template, &Stack { parameters, ..stack() });
    let unknown = json!({"unknown": true});
    assert_eq!(
        declared["Login"],
        json!({"Name": "login", "Description": unknown, "Value": unknown})
    );
}

#[test]
fn short_and_long_forms_are_the_same_and_no_tag_is_lost() {
    let long = document(
        r#"{"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties":
        {"BucketName": {"Ref": "X"}, "R": {"Fn::GetAtt": ["B", "Arn"]}, "S": {"Fn::Sub": "a"}}}}}"#,
    );
    let short = document(
        "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: !Ref X\n      \
         R: !GetAtt B.Arn\n      S: !Sub a\n",
    );
    assert_eq!(long, short);
}

#[test]
fn what_is_no_template_or_cannot_be_decided_is_said() {
    for (text, says) in [
        ("a: 1", "Resources"),
        ("Resources: {A: {Properties: {}}}", "Resources.A.Type"),
        (
            "Resources: {A: {Type: 'X::Y', Condition: C}}\nConditions: {C: !Equals [!Ref Z, 1]}",
            "\"C\"",
        ),
        (
            "Resources: {A: {Type: 'X::Y', Condition: C}}\nConditions: {C: !Condition D, D: !Condition C}",
            "\"C\"",
        ),
        ("Resources: !Nonsense x", "tag"),
        ("{\"Resources\": {\"A\": 1, \"A\": 2}}", "twice"),
        ("a: 1\n---\nb: 2", "one document"),
    ] {
        let said = read(text, &Stack::default()).unwrap_err().to_string();
        assert!(said.contains(says), "{said:?} does not say {says:?}");
    }
}
