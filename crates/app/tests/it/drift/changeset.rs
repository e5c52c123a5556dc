//! Stacks brought back to their template through the gate, by the change set that was approved.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::cloud::{Cloud, good};
use super::remedy::Runner;
use crate::http::text;

pub(super) const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Stage: { Type: String, Default: prod }
  Password: { Type: String, NoEcho: true }
Resources:
  # who the shop lets in
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
      BucketName: countersign-changeset-logs
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms" }
      Tags: [{ Key: owner, Value: shop }]
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: jobs
      VisibilityTimeout: 60
  Old:
    Type: AWS::SQS::Queue
    Properties: { QueueName: old }
  Login:
    Type: AWS::SSM::Parameter
    Properties:
      Name: login
      Type: String
      Value: !Ref Password
"#;

/// What happens to it behind everybody's back. That the password is another one nobody can see but
/// CloudFormation, which alone knows what it was.
pub(super) const CHANGES: &str = r#"
ec2, s3, sqs = client('ec2'), client('s3'), client('sqs')
web = [g for g in ec2.describe_security_groups()['SecurityGroups'] if g['GroupName'] == 'web'][0]['GroupId']
ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[
    {'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}])
ec2.create_tags(Resources=[web], Tags=[{'Key': 'owner', 'Value': 'nobody'}])
s3.put_bucket_encryption(Bucket='countersign-changeset-logs', ServerSideEncryptionConfiguration={
    'Rules': [{'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'AES256'}}]})
sqs.set_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName='jobs')['QueueUrl'],
    Attributes={'VisibilityTimeout': '5'})
sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName='old')['QueueUrl'])
client('ssm').put_parameter(Name='login', Value='canary-0815', Type='String', Overwrite=True)
"#;

const THERE: &str = r#"
ec2, s3, sqs = client('ec2'), client('s3'), client('sqs')
web = [g for g in ec2.describe_security_groups()['SecurityGroups'] if g['GroupName'] == 'web'][0]
rules = s3.get_bucket_encryption(Bucket='countersign-changeset-logs')['ServerSideEncryptionConfiguration']['Rules']
jobs = sqs.get_queue_url(QueueName='jobs')['QueueUrl']
print(json.dumps({
    'ports': sorted(p['FromPort'] for p in web['IpPermissions']),
    'owner': {t['Key']: t['Value'] for t in web['Tags']}['owner'],
    'encryption': rules[0]['ApplyServerSideEncryptionByDefault']['SSEAlgorithm'],
    'timeout': sqs.get_queue_attributes(QueueUrl=jobs, AttributeNames=['All'])['Attributes']['VisibilityTimeout'],
    'queues': sorted(url.rsplit('/')[-1] for url in sqs.list_queues()['QueueUrls']),
    'login': client('ssm').get_parameter(Name='login')['Parameter']['Value'],
}))
"#;

/// Makes the stack of a template.
pub(super) fn deploy(cloud: &Cloud, template: &Path) {
    cloud.python(&format!(
        "client('cloudformation').create_stack(StackName='shop', TemplateBody=open({template:?}).read(),
            Parameters=[{{'ParameterKey': 'Password', 'ParameterValue': 'canary-4711'}}])"
    ));
}

fn there(cloud: &Cloud) -> Value {
    serde_json::from_str(&cloud.python(THERE)).unwrap()
}

impl Cloud {
    /// One that also takes change sets that revert drift, as a fake of them; and AWS's command line.
    /// Nothing where this machine has not what both need.
    pub(super) fn with_change_sets() -> Option<Self> {
        let asked =
            ["CI", "COUNTERSIGN_INSTALLS"].iter().any(|name| std::env::var_os(name).is_some());
        let needed = "import awscli, boto3, flask, moto.server, yaml, botocore.session as s\n\
                      s.get_session().get_service_model('cloudformation').shape_for('DeploymentMode')";
        let own = Command::new("python3").args(["-c", needed]).output();
        if !asked && !own.is_ok_and(|own| own.status.success()) {
            println!("not run: set COUNTERSIGN_INSTALLS=1 (it installs moto and awscli from PyPI)");
            return None;
        }
        let fake = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap())
            .join("tests/it/drift/changesets.py");
        let cloud = Self::serve(&[fake.to_str().unwrap()]);
        let python = Command::new(super::cloud::script("awscli"))
            .args(["-c", "import sys; print(sys.executable)"])
            .output()
            .unwrap();
        good(&python);
        let python = String::from_utf8(python.stdout).unwrap();
        let aws = cloud.dir.path().join("aws");
        let program = format!("#!/bin/sh\nexec '{}' -m awscli \"$@\"\n", python.trim());
        std::fs::write(&aws, program).unwrap();
        std::fs::set_permissions(&aws, std::fs::Permissions::from_mode(0o755)).unwrap();
        Some(cloud)
    }

    /// A runner of the stack, which was deployed and then changed.
    async fn changed_stack(&self) -> Runner {
        let template = self.dir.path().join("shop.yaml");
        std::fs::write(&template, TEMPLATE).unwrap();
        deploy(self, &template);
        let source = json!({
            "name": "shop", "tool": "cloudformation", "directory": self.dir.path(),
            "path": "shop.yaml", "stack": "shop",
        });
        let runner = Runner::set(&self.environment(), source).await;
        assert_eq!(runner.scan().await["drifted"], 0);
        self.python(CHANGES);
        assert_eq!(runner.scan().await["drifted"], 4);
        runner
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stack_is_brought_back_by_the_approved_change_set_and_closed_by_a_fresh_scan() {
    let Some(cloud) = Cloud::with_change_sets() else { return };
    let runner = cloud.changed_stack().await;
    let open = runner.drift("open").await;
    let titles: Vec<&str> = open.iter().map(|(title, _)| title.as_str()).collect();
    let [jobs, logs, old, web] = titles.as_slice() else { panic!("{titles:?}") };
    assert_eq!((*jobs, *old), ("Jobs: VisibilityTimeout differs", "Old is gone"));
    assert_eq!(*web, "Web: 2 properties differ");
    assert!(logs.starts_with("Logs: BucketEncryption"), "{logs}");
    let changed = there(&cloud);

    let findings: Vec<String> = open.iter().map(|(_, id)| id.clone()).collect();
    let asked = runner.remedy("auto_revert", &findings, "asked").await;
    assert_eq!(
        asked["prepared"]["SUMMARY"],
        "5 resources: beside what was asked for: Modify Login; \
         Add Old, Modify Jobs, Modify Logs, Modify Web"
    );
    assert_eq!(there(&cloud), changed, "nothing is changed before it is approved");
    let execution = runner.approve(&asked, "completed").await;
    runner.reaches(&text(&asked, "id"), "resolved").await;
    let expected = json!({
        "ports": [443], "owner": "shop", "encryption": "aws:kms", "timeout": "60",
        "queues": ["jobs", "old"], "login": "canary-4711",
    });
    assert_eq!(there(&cloud), expected);
    assert_eq!(runner.drift("open").await, []);
    runner.closed(&findings, "auto_revert").await;

    let plan = runner.admin.get(&format!("/plans/{}", text(&execution, "plan_id"))).await;
    let plan = plan.expect(200);
    assert_eq!(plan["blast_radius"]["irreversible"], true);
    runner.says_no_secret(&asked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_set_that_was_replaced_or_altered_or_is_obsolete_is_not_executed() {
    let Some(cloud) = Cloud::with_change_sets() else { return };
    let runner = cloud.changed_stack().await;
    let changed = there(&cloud);
    let finding = [runner.open("Jobs").await];
    let again = "made = client('cloudformation').create_change_set(StackName='shop', ChangeSetName=name,
        DeploymentMode='REVERT_DRIFT', UsePreviousTemplate=True, Parameters=[
            {'ParameterKey': key, 'UsePreviousValue': True} for key in ('Stage', 'Password')])['Id']\n\
        assert made != arn";
    let by = [
        // Another one has its name.
        format!("client('cloudformation').delete_change_set(ChangeSetName=arn)\n{again}"),
        // It is the same and would do something else.
        "import urllib.request\n\
         url = client('cloudformation').meta.endpoint_url + '/fake/alter'\n\
         urllib.request.urlopen(url, data=arn.encode())"
            .to_owned(),
        // The stack is not what it was made for.
        "client('cloudformation').update_stack(StackName='shop', UsePreviousTemplate=True)"
            .to_owned(),
    ];
    for lines in by {
        let asked = runner.remedy("auto_revert", &finding, "asked").await;
        let summary = text(&asked["prepared"], "SUMMARY");
        assert!(summary.ends_with("; Modify Jobs") && summary.contains("Add Old"), "{summary}");
        let arn = text(&asked["prepared"], "CHANGE_SET");
        cloud.python(&format!("arn = {arn:?}\nname = arn.split('/')[1]\n{lines}"));
        runner.approve(&asked, "failed").await;
        let failed = runner.reaches(&text(&asked, "id"), "failed").await;
        assert!(text(&failed, "error").starts_with("the change was failed"), "{failed:#}");
        assert_eq!(there(&cloud), changed, "{lines}");
    }
    assert_eq!(runner.drift("open").await.len(), 4);

    // What the tenant says does not count is left out here as well, and closed as that.
    let logs = [runner.open("Logs").await];
    let rule = json!({
        "resource_type": "AWS::S3::*", "address": "*", "reason": "it is emptied tonight",
        "iac_repository_id": runner.source,
    });
    runner.admin.post("/drift-ignore-rules", &rule).await.expect(201);
    assert_eq!(runner.scan().await["drifted"], 3);
    runner.closed(&logs, "ignored").await;
}
