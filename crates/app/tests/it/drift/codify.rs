//! Code changed to what is there, and then nothing is left to do: by the word of Terraform itself,
//! and of a scan.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::cloud::{Cloud, good};

const ESTATE: &str = r#"
# who the shop lets in
resource "aws_security_group" "web" {
  name        = "web"
  description = "the shop"

  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"] # the office
  }

  tags = { owner = "shop", stage = "prod" }
}

resource "aws_instance" "web" {
  ami           = "ami-12c6146b"
  instance_type = "t3.micro" # small
  tags = {
    Name = "web"
  }
}

module "jobs" {
  source = "./jobs"
}
"#;

const MODULE: &str = r#"
resource "aws_sqs_queue" "jobs" {
  name                       = "jobs"
  visibility_timeout_seconds = 60
}

resource "aws_iam_role" "jobs" {
  name = "jobs"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}
"#;

const CHANGES: &str = r#"
ec2, sqs, iam = client('ec2'), client('sqs'), client('iam')
web = [g for g in ec2.describe_security_groups()['SecurityGroups'] if g['GroupName'] == 'web'][0]['GroupId']
ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[
    {'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]},
    {'IpProtocol': 'tcp', 'FromPort': 443, 'ToPort': 443, 'IpRanges': [{'CidrIp': '192.168.0.0/16'}]}])
ec2.create_tags(Resources=[web], Tags=[{'Key': 'owner', 'Value': 'nobody'}])
ec2.delete_tags(Resources=[web], Tags=[{'Key': 'stage'}])
instance = [i for r in ec2.describe_instances()['Reservations'] for i in r['Instances']][0]['InstanceId']
ec2.stop_instances(InstanceIds=[instance])
ec2.modify_instance_attribute(InstanceId=instance, InstanceType={'Value': 't3.large'})
ec2.start_instances(InstanceIds=[instance])
ec2.create_tags(Resources=[instance], Tags=[{'Key': 'Team', 'Value': 'a "b" ${c}'}])
sqs.set_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName='jobs')['QueueUrl'],
    Attributes={'VisibilityTimeout': '5'})
iam.update_assume_role_policy(RoleName='jobs', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Principal': {'Service': ['ec2.amazonaws.com', 'lambda.amazonaws.com']}}]}))
"#;

/// What a program printed as JSON, and how it ended.
pub(super) fn told(output: &Output) -> (Option<i32>, Value) {
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), serde_json::from_slice(&output.stdout).expect(&errors))
}

/// Changes the code in a directory by a report.
pub(super) fn codified(dir: &Path, report: &Value, more: &[&str]) -> Output {
    let drifts = dir.with_extension("drifts");
    std::fs::write(&drifts, report.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(["drift", "codify", dir.to_str().unwrap(), "--drifts"]).arg(drifts);
    command.args(["--report", "json"]).args(more).output().unwrap()
}

#[test]
fn a_configuration_changed_to_what_is_there_leaves_terraform_nothing_to_do() {
    let Some(cloud) = Cloud::start() else { return };
    let jobs = cloud.dir.path().join("estate/jobs");
    std::fs::create_dir_all(&jobs).unwrap();
    std::fs::write(jobs.join("main.tf"), MODULE).unwrap();
    let dir = cloud.apply("estate", ESTATE);
    cloud.python(CHANGES);
    let plan = || {
        let mut command = cloud.command("terraform");
        command.args(["plan", "-detailed-exitcode", "-input=false", "-no-color"]);
        let output = command.current_dir(&dir).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(plan().0, Some(2), "before, Terraform would take it all back");

    let path = dir.to_str().unwrap();
    let scan = cloud.countersign(&["drift", "scan", path, "--report", "json"]);
    let (code, report) = told(&scan);
    assert_eq!(code, Some(1), "{report:#}");
    let before = std::fs::read_to_string(dir.join("main.tf")).unwrap();
    let (code, dry) = told(&codified(&dir, &report, &["--dry-run"]));
    assert_eq!((code, &dry["left"]), (Some(0), &json!([])), "{dry:#}");
    assert_eq!(std::fs::read_to_string(dir.join("main.tf")).unwrap(), before);

    let (code, done) = told(&codified(&dir, &report, &[]));
    assert_eq!((code, &done), (Some(0), &dry), "as it was shown");
    let (code, said) = plan();
    let after = std::fs::read_to_string(dir.join("main.tf")).unwrap();
    assert_eq!(code, Some(0), "{said}\n{done:#}");
    for kept in ["# who the shop lets in\n", "# the office\n", "\"t3.large\" # small\n"] {
        assert!(after.contains(kept), "{after}");
    }
    let fmt = |file: &str| {
        let mut command = cloud.command("terraform");
        good(&command.args(["fmt", "-check", "-diff", file]).current_dir(&dir).output().unwrap());
    };
    fmt("main.tf");
    fmt("jobs/main.tf");
    let (code, again) = told(&codified(&dir, &report, &[]));
    assert_eq!((code, &again["files"], &again["left"]), (Some(0), &json!([]), &json!([])));
}

#[test]
fn only_files_of_the_directory_are_changed_and_no_link_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (inside, outside) = (dir.path().join("code"), dir.path().join("elsewhere"));
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::create_dir_all(inside.join("modules")).unwrap();
    let text = "resource \"aws_instance\" \"web\" {\n  instance_type = \"a\"\n}\n";
    std::fs::write(outside.join("main.tf"), text).unwrap();
    std::os::unix::fs::symlink(outside.join("main.tf"), inside.join("main.tf")).unwrap();
    std::os::unix::fs::symlink(&outside, inside.join("modules/linked")).unwrap();
    let change = json!({
        "property_path": "instance_type", "change_type": "modified",
        "declared_value": "a", "actual_value": "b",
    });
    let report = json!({"drifts": [{
        "address": "aws_instance.web", "type": "aws_instance", "drift_type": "modified",
        "changes": [change],
    }]});
    let (code, done) = told(&codified(&inside, &report, &[]));
    assert_eq!((code, &done["left"][0]["reason"]), (Some(1), &json!("not_found")), "{done:#}");
    assert_eq!(std::fs::read_to_string(outside.join("main.tf")).unwrap(), text);

    // Where it is a file, only it changes, and it keeps its mode.
    std::fs::write(inside.join("web.tf"), text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o640);
    std::fs::set_permissions(inside.join("web.tf"), mode).unwrap();
    let (code, done) = told(&codified(&inside, &report, &["--only", "aws_instance.web"]));
    assert_eq!((code, &done["files"][0]["path"]), (Some(0), &json!("web.tf")), "{done:#}");
    let kept = std::fs::metadata(inside.join("web.tf")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&kept) & 0o777, 0o640);
    assert_eq!(inside.read_dir().unwrap().count(), 3, "nothing is left behind");

    let unknown = codified(&inside, &report, &["--only", "aws_instance.db"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert_eq!(codified(&inside, &json!({"x": 1}), &[]).status.code(), Some(2));
    let missing = codified(&dir.path().join("none"), &report, &[]);
    assert_eq!(missing.status.code(), Some(2));
}
