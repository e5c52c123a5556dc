//! Behaviour 13: a real state against a real cloud that was changed behind its back.

use serde_json::Value;

use super::cloud::Cloud;

/// What is applied: everything that is changed afterwards, and one of each that is not.
const ESTATE: &str = r#"
resource "aws_security_group" "web" {
  name        = "web"
  description = "the shop"
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
  tags = { owner = "shop", stage = "prod" }
}

resource "aws_security_group" "db" {
  name        = "db"
  description = "the database"
}

resource "aws_s3_bucket" "logs" {
  bucket = "countersign-test-logs"
}

resource "aws_s3_bucket" "old" {
  bucket = "countersign-test-old"
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Read"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::123456789012:root" }
        Action    = ["s3:GetObject", "s3:ListBucket"]
        Resource  = ["arn:aws:s3:::countersign-test-logs", "arn:aws:s3:::countersign-test-logs/*"]
      },
      {
        Sid       = "Deny"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:DeleteBucket"
        Resource  = "arn:aws:s3:::countersign-test-logs"
      }
    ]
  })
}

resource "aws_instance" "web" {
  ami           = "ami-12c6146b"
  instance_type = "t3.micro"
  tags          = { Name = "web" }
}
"#;

/// What happens to it: six changes, and one that is none.
const CHANGES: &str = r#"
ec2, s3 = client('ec2'), client('s3')
groups = {g['GroupName']: g for g in ec2.describe_security_groups()['SecurityGroups']}
web = groups['web']['GroupId']
ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[
    {'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}])
ec2.create_tags(Resources=[web], Tags=[{'Key': 'owner', 'Value': 'nobody'}])
policy = json.loads(s3.get_bucket_policy(Bucket='countersign-test-logs')['Policy'])
policy['Statement'].reverse()
for statement in policy['Statement']:
    if isinstance(statement['Action'], list):
        statement['Action'].reverse()
        statement['Resource'].reverse()
    else:
        statement['Action'] = [statement['Action']]
s3.put_bucket_policy(Bucket='countersign-test-logs', Policy=json.dumps(policy))
s3.delete_bucket(Bucket='countersign-test-old')
instances = [i for r in ec2.describe_instances()['Reservations'] for i in r['Instances']]
instance = instances[0]['InstanceId']
ec2.stop_instances(InstanceIds=[instance])
ec2.modify_instance_attribute(InstanceId=instance, InstanceType={'Value': 't3.large'})
ec2.start_instances(InstanceIds=[instance])
ec2.run_instances(ImageId='ami-12c6146b', MinCount=1, MaxCount=1)
"#;

/// What a scan found: address, how it drifted, and the properties.
pub(super) fn found(report: &Value) -> Vec<(String, String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found: Vec<_> = report["drifts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|drift| {
            let changes = drift["changes"].as_array().unwrap();
            let paths = changes.iter().map(|change| text(&change["property_path"])).collect();
            (text(&drift["address"]), text(&drift["drift_type"]), paths)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_real_state_against_a_changed_cloud_gives_exactly_what_changed() {
    let Some(cloud) = Cloud::start() else { return };
    let dir = cloud.apply("estate", ESTATE);
    let path = dir.to_str().unwrap();
    let scan = |fail_on: &str| {
        let output = cloud.countersign(&[
            "drift",
            "scan",
            path,
            "--against",
            "aws",
            "--fail-on",
            fail_on,
            "--report",
            "json",
        ]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let report: Value = serde_json::from_slice(&output.stdout).expect(&told);
        (output.status.code(), report)
    };
    let before = std::fs::read(dir.join("terraform.tfstate")).unwrap();
    let (code, report) = scan("low");
    assert_eq!((code, found(&report)), (Some(0), vec![]), "{report:#}");

    cloud.python(CHANGES);
    let (code, mut report) = scan("critical");
    let again = scan("critical").1;
    assert_eq!(again, report, "the same input gives the same");
    // Nobody knows what the cloud will call an instance.
    let drifts = report["drifts"].as_array_mut().unwrap();
    let added = drifts.iter().position(|drift| drift["drift_type"] == "added");
    let Some(added) = added else { panic!("the instance nobody declared: {report:#}") };
    let added = drifts.remove(added);
    assert_eq!(added["type"], "aws_instance");
    let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    let expected = [
        ("aws_instance.web", "modified", paths(&["instance_type"])),
        ("aws_s3_bucket.old", "deleted", paths(&[])),
        ("aws_security_group.web", "modified", paths(&["ingress[tcp 22 22]", "tags.owner"])),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(address, how, paths)| (address.to_owned(), how.to_owned(), paths))
        .collect();
    assert_eq!((code, found(&report)), (Some(1), expected), "{report:#}");
    assert_eq!(
        std::fs::read(dir.join("terraform.tfstate")).unwrap(),
        before,
        "looking changes nothing"
    );
    assert!(!dir.join("countersign.plan").exists());
}
