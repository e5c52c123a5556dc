//! A stack of `CloudFormation`, changed behind its back.

use serde_json::{Value, json};

use super::cloud::Cloud;
use super::codify;
use super::terraform::found;

pub(crate) const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Stage: { Type: String, Default: prod }
Conditions:
  Dev: !Equals [!Ref Stage, dev]
Resources:
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupName: web
      GroupDescription: !Sub "the shop, ${Stage}"
      SecurityGroupIngress:
        - { IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8 }
      Tags:
        - { Key: owner, Value: shop }
        - { Key: stage, Value: !Ref Stage }
  Logs:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: countersign-stack-logs
      Tags: [{ Key: owner, Value: shop }]
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: jobs
      VisibilityTimeout: 60
  Old:
    Type: AWS::SQS::Queue
    Properties: { QueueName: old }
  Never:
    Type: AWS::SNS::Topic
    Condition: Dev
"#;

pub(crate) const CHANGES: &str = r#"
ec2, s3, sqs = client('ec2'), client('s3'), client('sqs')
web = [g for g in ec2.describe_security_groups()['SecurityGroups'] if g['GroupName'] == 'web'][0]
ec2.authorize_security_group_ingress(GroupId=web['GroupId'], IpPermissions=[
    {'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}])
s3.put_bucket_tagging(Bucket='countersign-stack-logs', Tagging={'TagSet': [{'Key': 'owner', 'Value': 'nobody'}]})
jobs = sqs.get_queue_url(QueueName='jobs')['QueueUrl']
sqs.set_queue_attributes(QueueUrl=jobs, Attributes={'VisibilityTimeout': '5'})
sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName='old')['QueueUrl'])
s3.create_bucket(Bucket='somebody-elses', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
"#;

#[test]
fn a_stack_that_was_changed_behind_its_back_gives_exactly_what_changed() {
    let Some(cloud) = Cloud::start() else { return };
    let dir = cloud.dir.path().join("stack");
    std::fs::create_dir(&dir).unwrap();
    let template = dir.join("shop.yaml");
    std::fs::write(&template, TEMPLATE).unwrap();
    let path = template.to_str().unwrap();
    cloud.python(&format!(
        "client('cloudformation').create_stack(StackName='shop', TemplateBody=open({path:?}).read())"
    ));
    let scan = || {
        let output = cloud.countersign(&[
            "drift",
            "scan",
            path,
            "--against",
            "aws",
            "--stack",
            "shop",
            "--report",
            "json",
        ]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let report: Value = serde_json::from_slice(&output.stdout).expect(&told);
        (output.status.code(), report)
    };
    let (code, report) = scan();
    assert_eq!((code, found(&report)), (Some(0), vec![]), "{report:#}");
    assert_eq!((&report["summary"]["in_sync"], &report["not_checked"]), (&json!(4), &json!([])));

    cloud.python(CHANGES);
    let (code, report) = scan();
    let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    let expected = [
        ("Jobs", "modified", paths(&["VisibilityTimeout"])),
        ("Logs", "modified", paths(&["Tags.owner"])),
        ("Old", "deleted", paths(&[])),
        ("Web", "modified", paths(&["SecurityGroupIngress[tcp 22 22 0.0.0.0/0]"])),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(address, how, paths)| (address.to_owned(), how.to_owned(), paths))
        .collect();
    assert_eq!((code, found(&report)), (Some(1), expected), "{report:#}");

    // The code changed to what is there: what is gone stays declared, and nothing else differs.
    let (code, done) = codify::told(&codify::codified(&dir, &report, &[]));
    assert_eq!(code, Some(1), "{done:#}");
    let left: Vec<_> = done["left"].as_array().unwrap().iter().collect();
    assert_eq!((left.len(), &left[0]["reason"]), (1, &json!("deleted")), "{done:#}");
    let (code, report) = scan();
    let expected = vec![("Old".to_owned(), "deleted".to_owned(), Vec::new())];
    assert_eq!((code, found(&report)), (Some(1), expected), "{report:#}");
    let text = std::fs::read_to_string(&template).unwrap();
    assert!(text.contains("- { Key: stage, Value: !Ref Stage }\n"), "{text}");
}
