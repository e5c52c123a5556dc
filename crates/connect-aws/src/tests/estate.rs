//! What an estate made with boto3 is read as. Every call of ours is signed, and moto checks each
//! signature and whether the caller may.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::moto::{Moto, moto, python};
use super::{aws, credentials, kinds, unhurried};
use crate::client::Tally;
use crate::read::Reading;
use crate::table::{Ask, Table};
use crate::{Aws, Error, types};

/// One test, because the server takes seconds to start and each test may be a process of its own.
#[tokio::test]
async fn an_estate_is_read_as_others_made_it_and_as_far_as_the_caller_may() {
    let Some(moto) = moto().await else { return };
    let reading = read_all(&moto).await;
    an_estate_made_by_others_is_read_in_the_properties_of_its_types(&moto, &reading);
    no_value_of_a_secret_is_asked_for_or_shown(&reading);
    what_the_caller_may_not_read_is_not_checked_and_the_rest_is_read(&moto).await;
    a_caller_with_a_wrong_key_is_told_so_and_not_tried_again(&moto).await;
    a_role_is_assumed_and_reads_with_its_session(&moto).await;
    a_list_of_many_small_pages_is_the_list_of_one_large_page(&moto).await;
    a_stack_has_its_template_parameters_and_resources(&moto).await;
    every_call_and_path_of_the_table_stands_in_the_models_of_aws().await;
}

/// Whoever may do everything.
fn looker(moto: &Moto) -> Aws {
    aws(&moto.endpoint, moto.keys("looker"), unhurried())
}

async fn read_all(moto: &Moto) -> Reading {
    let kinds: BTreeSet<String> = types().into_iter().map(str::to_owned).collect();
    looker(moto).read(&kinds).await
}

/// Refuses a resource that has another value at one of the expected names; what is `null` there is
/// not there at all.
fn expect(reading: &Reading, kind: &str, id: &str, expected: &Value) {
    let found = reading.resources.iter().find(|live| live.kind == kind && live.id == id);
    let Some(live) = found else { panic!("no {kind} {id} in {:?}", reading.resources) };
    for (name, value) in expected.as_object().unwrap() {
        let actual = live.properties.get(name).unwrap_or(&Value::Null);
        assert_eq!(actual, value, "{kind} {id}, {name}");
    }
}

fn ids(reading: &Reading, kind: &str) -> BTreeSet<String> {
    let of_kind = reading.resources.iter().filter(|live| live.kind == kind);
    of_kind.map(|live| live.id.clone()).collect()
}

fn tags(key: &str, value: &str) -> Value {
    json!([{ "Key": key, "Value": value }])
}

fn allowing(actions: &[&str]) -> Value {
    let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

fn networks_are_read(moto: &Moto, reading: &Reading) {
    let made = |name: &str| moto.made(name);
    let expect = |kind: &str, name: &str, expected: &Value| {
        expect(reading, &format!("AWS::EC2::{kind}"), &made(name), expected);
    };
    let named = json!([{ "Key": "Name", "Value": "a & b <c>" }, { "Key": "team", "Value": "net" }]);
    expect(
        "VPC",
        "vpc",
        &json!({
            "CidrBlock": "10.7.0.0/16", "EnableDnsHostnames": true, "EnableDnsSupport": true,
            "InstanceTenancy": "default", "Tags": named,
        }),
    );
    expect(
        "Subnet",
        "subnet",
        &json!({
            "VpcId": made("vpc"), "CidrBlock": "10.7.1.0/24", "AvailabilityZone": "eu-central-1a",
            "MapPublicIpOnLaunch": true, "Tags": null,
        }),
    );
    let https = |place: &str, to: &str| json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, place: to });
    let mut everybody = https("CidrIp", "0.0.0.0/0");
    everybody["Description"] = "everybody".into();
    let icmp =
        json!({ "IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "CidrIp": "10.0.0.0/8" });
    let ingress =
        json!([everybody, icmp, https("CidrIp", "10.0.0.0/8"), https("CidrIpv6", "::/0")]);
    expect(
        "SecurityGroup",
        "web",
        &json!({
            "GroupName": "web", "GroupDescription": "from outside", "VpcId": made("vpc"),
            "SecurityGroupIngress": ingress,
            "SecurityGroupEgress": [{ "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" }],
            "Tags": tags("team", "net"),
        }),
    );
    let postgres = json!({
        "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "SourceSecurityGroupId": made("web"),
    });
    // A group that lets nothing out is told from one that says nothing of it.
    expect(
        "SecurityGroup",
        "db",
        &json!({
            "SecurityGroupIngress": [postgres], "SecurityGroupEgress": [],
        }),
    );
    expect("RouteTable", "table", &json!({ "VpcId": made("vpc"), "Tags": tags("team", "net") }));
    expect("InternetGateway", "gateway", &json!({ "Tags": tags("team", "net") }));
    expect("EIP", "address", &json!({ "Domain": "vpc" }));
    let address = reading.resources.iter().find(|live| live.id == made("address")).unwrap();
    assert_eq!(address.also, [made("allocation")]);
}

fn machines_are_read(moto: &Moto, reading: &Reading) {
    let made = |name: &str| moto.made(name);
    assert_eq!(ids(reading, "AWS::EC2::Instance"), BTreeSet::from([made("machine")]));
    expect(
        reading,
        "AWS::EC2::Instance",
        &made("machine"),
        &json!({
            "ImageId": made("image"), "InstanceType": "t3.micro", "SubnetId": made("subnet"),
            "SecurityGroupIds": [made("web"), made("db")], "Monitoring": true, "EbsOptimized": false,
            "AvailabilityZone": "eu-central-1a", "Tags": tags("role", "web"),
        }),
    );
    expect(
        reading,
        "AWS::EC2::Volume",
        &made("volume"),
        &json!({
            "AvailabilityZone": "eu-central-1a", "Size": 12, "VolumeType": "gp3", "Iops": 4000,
            "Encrypted": true, "SnapshotId": null,
        }),
    );
    let disk = json!({ "VolumeSize": 20, "VolumeType": "gp3", "Encrypted": true });
    expect(
        reading,
        "AWS::EC2::LaunchTemplate",
        &made("template"),
        &json!({
            "LaunchTemplateName": "web",
            "LaunchTemplateData": {
                "ImageId": made("image"), "InstanceType": "t3.small",
                "SecurityGroupIds": [made("web")], "Monitoring": { "Enabled": true },
                "MetadataOptions": { "HttpTokens": "required", "HttpPutResponseHopLimit": 1 },
                "BlockDeviceMappings": [{ "DeviceName": "/dev/xvda", "Ebs": disk }],
                "TagSpecifications": [{ "ResourceType": "instance", "Tags": tags("role", "web") }],
            },
        }),
    );
    expect(
        reading,
        "AWS::AutoScaling::AutoScalingGroup",
        "web",
        &json!({
            "MinSize": "0", "MaxSize": "3", "DesiredCapacity": "0", "HealthCheckGracePeriod": 120,
            "VPCZoneIdentifier": [made("subnet")],
            "LaunchTemplate": {
                "LaunchTemplateId": made("template"), "LaunchTemplateName": "web", "Version": "2",
            },
            "Tags": [{ "Key": "role", "Value": "web", "PropagateAtLaunch": true }],
        }),
    );
}

fn buckets_are_read(reading: &Reading) {
    // The third is in another region.
    let here = ["logs-bucket", "whole.bucket"].map(str::to_owned);
    assert_eq!(ids(reading, "AWS::S3::Bucket"), BTreeSet::from(here));
    let by_key = json!({ "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/data" });
    let old = json!({
        "Id": "old", "Status": "Enabled", "Prefix": "tmp/", "ExpirationInDays": 30,
        "Transitions": [{ "StorageClass": "GLACIER", "TransitionInDays": 10 }],
        "NoncurrentVersionExpiration": { "NoncurrentDays": 7 },
        "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 2 },
    });
    let tagged = json!({
        "Id": "tagged", "Status": "Disabled", "Prefix": "a/", "ExpirationInDays": 1,
        "TagFilters": tags("keep", "no"),
    });
    expect(
        reading,
        "AWS::S3::Bucket",
        "whole.bucket",
        &json!({
            "BucketName": "whole.bucket",
            "VersioningConfiguration": { "Status": "Enabled" },
            "BucketEncryption": { "ServerSideEncryptionConfiguration": [
                { "BucketKeyEnabled": true, "ServerSideEncryptionByDefault": by_key },
            ] },
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true,
                "RestrictPublicBuckets": false,
            },
            "LoggingConfiguration": {
                "DestinationBucketName": "logs-bucket", "LogFilePrefix": "whole/",
            },
            "LifecycleConfiguration": { "Rules": [old, tagged] },
            "Tags": [{ "Key": "a", "Value": "1" }, { "Key": "data", "Value": "kept" }],
        }),
    );
    expect(
        reading,
        "AWS::S3::Bucket",
        "logs-bucket",
        &json!({
            "VersioningConfiguration": null, "PublicAccessBlockConfiguration": null,
            "LoggingConfiguration": null, "LifecycleConfiguration": null, "Tags": null,
            "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerPreferred" }] },
        }),
    );
    let policies = BTreeSet::from(["whole.bucket".to_owned()]);
    assert_eq!(ids(reading, "AWS::S3::BucketPolicy"), policies);
    expect(
        reading,
        "AWS::S3::BucketPolicy",
        "whole.bucket",
        &json!({
            "Bucket": "whole.bucket",
            "PolicyDocument": { "Version": "2012-10-17", "Statement": [{
                "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                "Resource": "arn:aws:s3:::whole.bucket/*",
                "Condition": { "Bool": { "aws:SecureTransport": "false" } },
            }] },
        }),
    );
}

fn people_are_read(moto: &Moto, reading: &Reading) {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }] });
    let inline =
        json!({ "PolicyName": "inline", "PolicyDocument": allowing(&["sqs:SendMessage"]) });
    expect(
        reading,
        "AWS::IAM::Role",
        "reporter",
        &json!({
            "RoleName": "reporter", "Path": "/service/", "Description": "writes reports",
            "MaxSessionDuration": 7200, "AssumeRolePolicyDocument": trust,
            "ManagedPolicyArns": [moto.made("managed")], "Policies": [inline],
            "PermissionsBoundary": null, "Tags": tags("team", "data"),
        }),
    );
    expect(reading, "AWS::IAM::Role", "spare-1", &json!({ "Policies": null, "Description": null }));
    expect(
        reading,
        "AWS::IAM::User",
        "ada",
        &json!({
            "UserName": "ada", "Path": "/", "Groups": ["operators"], "ManagedPolicyArns": null,
            "Policies": [{ "PolicyName": "own", "PolicyDocument": allowing(&["s3:GetObject"]) }],
            "Tags": tags("team", "data"),
        }),
    );
    // The version that counts is the second.
    expect(
        reading,
        "AWS::IAM::ManagedPolicy",
        &moto.made("managed"),
        &json!({
            "ManagedPolicyName": "read-reports", "Path": "/service/", "Description": "reads",
            "PolicyDocument": allowing(&["s3:GetObject", "s3:ListBucket"]),
            "Roles": ["reporter"], "Users": null, "Groups": null,
        }),
    );
    expect(
        reading,
        "AWS::KMS::Key",
        &moto.made("key"),
        &json!({
            "Description": "data", "Enabled": true, "EnableKeyRotation": true,
            "KeySpec": "SYMMETRIC_DEFAULT", "Tags": tags("team", "data"),
        }),
    );
    assert!(!ids(reading, "AWS::KMS::Key").contains(&moto.made("ended_key")));
}

fn messages_and_data_are_read(moto: &Moto, reading: &Reading) {
    let made = |name: &str| moto.made(name);
    expect(
        reading,
        "AWS::SQS::Queue",
        &made("queue"),
        &json!({
            "QueueName": "orders", "VisibilityTimeout": 45, "DelaySeconds": 0,
            "RedrivePolicy": { "deadLetterTargetArn": made("dead_arn"), "maxReceiveCount": 4 },
            "FifoQueue": null, "KmsMasterKeyId": null, "Tags": tags("team", "orders"),
        }),
    );
    expect(
        reading,
        "AWS::SNS::Topic",
        &made("topic"),
        &json!({
            "TopicName": "news", "DisplayName": "News", "KmsMasterKeyId": null,
            "Subscription": [{ "Protocol": "sqs", "Endpoint": made("queue_arn") }],
            "Tags": tags("team", "orders"),
        }),
    );
    let key = |name: &str| json!([{ "AttributeName": name, "KeyType": "HASH" }]);
    expect(
        reading,
        "AWS::DynamoDB::Table",
        "carts",
        &json!({
            "TableName": "carts", "KeySchema": key("id"), "BillingMode": "PAY_PER_REQUEST",
            "ProvisionedThroughput": null, "LocalSecondaryIndexes": null,
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-owner", "KeySchema": key("owner"),
                "Projection": { "ProjectionType": "ALL" },
            }],
            "StreamSpecification": { "StreamViewType": "NEW_IMAGE" },
            "TimeToLiveSpecification": { "AttributeName": "until", "Enabled": true },
            "DeletionProtectionEnabled": false, "Tags": tags("team", "orders"),
        }),
    );
    expect(
        reading,
        "AWS::DynamoDB::Table",
        "spare-0",
        &json!({
            "BillingMode": "PROVISIONED", "StreamSpecification": null,
            "ProvisionedThroughput": { "ReadCapacityUnits": 2, "WriteCapacityUnits": 3 },
            "TimeToLiveSpecification": null, "GlobalSecondaryIndexes": null, "Tags": null,
        }),
    );
}

fn databases_and_secrets_are_read(moto: &Moto, reading: &Reading) {
    let made = |name: &str| moto.made(name);
    expect(
        reading,
        "AWS::RDS::DBInstance",
        "ledger",
        &json!({
            "DBInstanceClass": "db.t3.micro", "Engine": "postgres", "EngineVersion": "15.4",
            "AllocatedStorage": "20", "MasterUsername": "ledger", "StorageEncrypted": true,
            "BackupRetentionPeriod": 7, "PubliclyAccessible": false, "DeletionProtection": true,
            "Port": "5432", "Tags": tags("team", "money"),
        }),
    );
    expect(
        reading,
        "AWS::SecretsManager::Secret",
        &made("secret"),
        &json!({
            "Name": "ledger/password", "Description": "of the ledger", "Tags": tags("team", "money"),
        }),
    );
    expect(
        reading,
        "AWS::SSM::Parameter",
        "/app/size",
        &json!({
            "Name": "/app/size", "Type": "String", "Value": "large", "Tags": { "team": "app" },
        }),
    );
    expect(
        reading,
        "AWS::SSM::Parameter",
        "/app/key",
        &json!({
            "Type": "SecureString", "Value": null,
        }),
    );
}

fn programs_are_read(moto: &Moto, reading: &Reading) {
    expect(
        reading,
        "AWS::Lambda::Function",
        "report",
        &json!({
            "FunctionName": "report", "Runtime": "python3.12", "Handler": "main.run", "Timeout": 9,
            "MemorySize": 256, "Role": moto.made("role"),
            "Environment": { "Variables": { "MODE": "fast" } }, "Tags": tags("team", "data"),
        }),
    );
    expect(
        reading,
        "AWS::ECR::Repository",
        "shop/web",
        &json!({
            "RepositoryName": "shop/web", "ImageTagMutability": "IMMUTABLE",
            "ImageScanningConfiguration": { "ScanOnPush": true }, "RepositoryPolicyText": null,
            "Tags": tags("team", "web"),
        }),
    );
    expect(
        reading,
        "AWS::Logs::LogGroup",
        "/app/web",
        &json!({
            "LogGroupName": "/app/web", "RetentionInDays": 14, "KmsKeyId": null,
            "Tags": tags("team", "web"),
        }),
    );
    expect(
        reading,
        "AWS::CloudWatch::Alarm",
        "full",
        &json!({
            "AlarmName": "full", "AlarmDescription": "a disk is full", "Namespace": "App",
            "MetricName": "DiskUsed", "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 3,
            "Threshold": 92.5, "ComparisonOperator": "GreaterThanThreshold",
            "Dimensions": [{ "Name": "Host", "Value": "web-1" }],
            "AlarmActions": [moto.made("topic")], "OKActions": null, "Tags": tags("team", "web"),
        }),
    );
}

fn an_estate_made_by_others_is_read_in_the_properties_of_its_types(moto: &Moto, reading: &Reading) {
    assert_eq!(reading.not_checked, []);
    assert_eq!(reading.whole.len(), types().len());
    assert!(reading.calls > 60 && reading.throttled == 0, "{}", reading.calls);
    networks_are_read(moto, reading);
    machines_are_read(moto, reading);
    buckets_are_read(reading);
    people_are_read(moto, reading);
    messages_and_data_are_read(moto, reading);
    databases_and_secrets_are_read(moto, reading);
    programs_are_read(moto, reading);
}

fn no_value_of_a_secret_is_asked_for_or_shown(reading: &Reading) {
    let held: Vec<_> = reading.resources.iter().map(|live| live.properties.to_string()).collect();
    assert!(held.iter().all(|held| !held.contains("never-to-be-seen")));
    // What a function is told may be one, and stands in the properties: nobody prints those.
    assert!(held.iter().any(|held| held.contains("fast")));
    assert!(!format!("{reading:?}").contains("fast"));
}

async fn what_the_caller_may_not_read_is_not_checked_and_the_rest_is_read(moto: &Moto) {
    let aws = aws(&moto.endpoint, moto.keys("blind"), unhurried());
    let asked = kinds(&[
        "AWS::EC2::VPC",
        "AWS::IAM::Role",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
    ]);
    let reading = aws.read(&asked).await;
    assert_eq!(reading.whole, kinds(&["AWS::EC2::VPC", "AWS::SNS::Topic", "AWS::SQS::Queue"]));
    assert!(ids(&reading, "AWS::SQS::Queue").contains(&moto.made("queue")));
    assert!(ids(&reading, "AWS::EC2::VPC").contains(&moto.made("vpc")));
    let not: Vec<_> =
        reading.not_checked.iter().map(|not| (&*not.kind, not.id.clone(), &*not.why)).collect();
    let refused = |call: &str, code: &str| format!("{call} was refused: {code}");
    assert_eq!(
        not,
        [
            (
                "AWS::IAM::Role",
                None,
                &*refused("iam:GetAccountAuthorizationDetails", "AccessDenied")
            ),
            ("AWS::S3::Bucket", None, &*refused("s3:GET /", "AccessDenied")),
            (
                "AWS::SNS::Topic",
                Some(moto.made("topic")),
                &*refused("sns:GetTopicAttributes", "AccessDenied")
            ),
        ]
    );
    assert!(reading.not_checked.iter().all(|not| not.failed));
}

async fn a_caller_with_a_wrong_key_is_told_so_and_not_tried_again(moto: &Moto) {
    let id = moto.keys("looker").access_key_id;
    let stranger = aws(&moto.endpoint, credentials(&id, "wrong-and-secret"), unhurried());
    let error = stranger.stack("parcels").await.unwrap_err();
    let code = Some("SignatureDoesNotMatch");
    assert!(matches!(error, Error::Credentials { .. }) && error.code() == code, "{error:?}");
    assert!(!format!("{error:?} {error} {stranger:?}").contains("wrong-and-secret"));
    let reading = stranger.read(&kinds(&["AWS::EC2::VPC", "AWS::Lambda::Function"])).await;
    assert_eq!((reading.calls, reading.not_checked.len(), reading.whole.len()), (2, 2, 0));
}

async fn a_role_is_assumed_and_reads_with_its_session(moto: &Moto) {
    let looker = looker(moto);
    let identity = looker.identity().await.unwrap();
    assert_eq!(identity.account, "123456789012");
    assert_eq!(identity.arn, "arn:aws:iam::123456789012:user/looker");
    let role = "arn:aws:iam::123456789012:role/reader";
    let session = looker.assume_role(role, Some("ours"), "drift").await.unwrap();
    assert!(session.session_token.is_some() && session.expires_at.is_some());
    let reader = looker.with(session).unwrap();
    let arn = reader.identity().await.unwrap().arn;
    assert_eq!(arn, "arn:aws:sts::123456789012:assumed-role/reader/drift");
    let reading = reader.read(&kinds(&["AWS::S3::BucketPolicy", "AWS::SSM::Parameter"])).await;
    assert_eq!((reading.whole.len(), reading.not_checked.len()), (2, 0), "{reading:?}");
    assert_eq!(reading.resources.len(), 3);
}

async fn a_list_of_many_small_pages_is_the_list_of_one_large_page(moto: &Moto) {
    let aws = looker(moto);
    // What moto gives in pages.
    for (kind, size) in [
        ("AWS::IAM::Role", 2),
        ("AWS::EC2::Instance", 1),
        ("AWS::DynamoDB::Table", 1),
        ("AWS::Logs::LogGroup", 1),
    ] {
        let kind = Table::shipped().kind(kind).unwrap();
        let list = kind.beside.first().unwrap_or(&kind.list);
        let (once, often) = (Tally::default(), Tally::default());
        let small = Ask { size: Some(size), ..list.clone() };
        let read = json!({ "region": "eu-central-1" });
        let by_one = aws.whole(&once, list, &read).await.unwrap();
        let by_many = aws.whole(&often, &small, &read).await.unwrap();
        assert_eq!(by_one, by_many, "{}", kind.kind);
        let count = u64::try_from(by_one.as_array().unwrap().len()).unwrap();
        assert_eq!(once.calls(), 1);
        assert!(count > 1 && often.calls() >= count.div_ceil(u64::from(size)), "{}", kind.kind);
    }
}

async fn a_stack_has_its_template_parameters_and_resources(moto: &Moto) {
    let aws = looker(moto);
    let stack = aws.stack("parcels").await.unwrap();
    assert_eq!((stack.name.as_str(), stack.status.as_str()), ("parcels", "CREATE_COMPLETE"));
    assert_eq!(stack.parameters, [("Keep".to_owned(), "5".to_owned())].into());
    assert!(stack.template.starts_with("AWSTemplateFormatVersion: \"2010-09-09\"\n"));
    let queue = &stack.resources["Parcels"];
    assert_eq!(
        (queue.kind.as_str(), queue.status.as_str()),
        ("AWS::SQS::Queue", "CREATE_COMPLETE")
    );
    assert!(queue.id.as_deref().unwrap().ends_with("/parcels-5"), "{queue:?}");
    let none = aws.stack("no-such-{stack}").await.unwrap_err();
    assert_eq!(none.code(), Some("ValidationError"), "{none:?}");
}

async fn every_call_and_path_of_the_table_stands_in_the_models_of_aws() {
    let table = include_str!("../../../../content/drift/aws-reads.yaml");
    // It sees what is wrong.
    let wrong = table
        .replace("call: DescribeVpcs,", "call: DescribeNetworks,")
        .replace("MapPublicIpOnLaunch: { from: map", "MapPublicIpOnLaunch: { from: nap")
        .replace("token: ExclusiveStartTableName", "token: Start")
        .replace("target: CloudApiService", "target: CloudApi");
    let both = format!("{table}\n---\n{wrong}");
    let faults = python(include_str!("models.py"), &both).await;
    let faults: Vec<_> = faults.trim().lines().collect();
    assert_eq!(
        faults,
        [
            "---",
            "cloudcontrol: its target is CloudApiService",
            "AWS::EC2::VPC: ec2:DescribeNetworks: there is no such call",
            "AWS::EC2::Subnet, MapPublicIpOnLaunch: nothing is at napPublicIpOnLaunch",
            "AWS::DynamoDB::Table: dynamodb:ListTables: it takes no Start",
            "---",
        ]
    );
}
