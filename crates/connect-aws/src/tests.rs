//! The crate as its callers see it: against moto, which speaks AWS's protocols and checks
//! signatures with AWS's own library, and against fakes of what moto does not do.

mod estate;
mod fake;
mod faults;
mod moto;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use connect::Outbound;
use connect::outbound::Rules;
use jiff::Timestamp;
use model::secret::Secret;
use model::time::Clock;

use crate::table::Table;
use crate::{Aws, Credentials, Limits};

/// The real time: moto looks at it.
struct RealTime;

impl Clock for RealTime {
    #[expect(clippy::disallowed_methods, reason = "a server in another process checks the time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

fn credentials(id: &str, secret: &str) -> Credentials {
    Credentials {
        access_key_id: id.to_owned(),
        secret_access_key: Secret::from(secret.to_owned()),
        session_token: None,
        expires_at: None,
    }
}

/// Calls to this machine, whose answers have at most so many bytes.
pub(crate) fn outbound(most_bytes: usize) -> Outbound {
    let rules = Rules::default().allowing("127.0.0.1:*".parse().unwrap()).at_most(most_bytes);
    // Generous: the machine may be busy with other tests.
    Outbound::new(rules.within(Duration::from_secs(60))).unwrap()
}

fn aws(endpoint: &str, credentials: Credentials, limits: Limits) -> Aws {
    let calls = outbound(8 << 20);
    Aws::new(calls, credentials, "eu-central-1", Some(endpoint), Arc::new(RealTime), limits)
        .unwrap()
}

/// As fast as the machine goes.
fn unhurried() -> Limits {
    Limits { share: 1_000.0, first_wait: Duration::from_millis(1), ..Limits::default() }
}

fn kinds(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn every_type_that_was_promised_is_read_by_calls_of_its_own() {
    let promised = "AWS::AutoScaling::AutoScalingGroup AWS::CloudWatch::Alarm \
        AWS::DynamoDB::Table AWS::EC2::EIP AWS::EC2::Instance AWS::EC2::InternetGateway \
        AWS::EC2::LaunchTemplate AWS::EC2::RouteTable AWS::EC2::SecurityGroup AWS::EC2::Subnet \
        AWS::EC2::VPC AWS::EC2::Volume AWS::ECR::Repository AWS::IAM::ManagedPolicy AWS::IAM::Role \
        AWS::IAM::User AWS::KMS::Key AWS::Lambda::Function AWS::Logs::LogGroup \
        AWS::RDS::DBInstance AWS::S3::Bucket AWS::S3::BucketPolicy AWS::SNS::Topic AWS::SQS::Queue \
        AWS::SSM::Parameter AWS::SecretsManager::Secret";
    assert_eq!(crate::types().into_iter().collect::<Vec<_>>().join(" "), promised);
}

#[test]
fn of_a_property_that_is_not_read_it_is_said_so() {
    for (kind, path, read) in [
        ("AWS::EC2::VPC", &["CidrBlock"][..], true),
        ("AWS::EC2::Instance", &["UserData"], false),
        ("AWS::EC2::LaunchTemplate", &["LaunchTemplateData", "UserData"], true),
        ("AWS::EC2::LaunchTemplate", &["LaunchTemplateData", "CpuOptions"], false),
        ("AWS::EC2::LaunchTemplate", &["LaunchTemplateData", "CpuOptions", "CoreCount"], false),
        ("AWS::EC2::SecurityGroup", &["SecurityGroupIngress", "CidrIp"], true),
        ("AWS::DynamoDB::Table", &["GlobalSecondaryIndexes", "KeySchema", "KeyType"], true),
        ("AWS::Lambda::Function", &["Code"], false),
        ("AWS::Events::Rule", &["Anything"], true),
        ("AWS::EC2::VPC", &[], true),
    ] {
        assert_eq!(crate::reads(kind, path), read, "{kind} {path:?}");
    }
}

#[test]
fn a_region_is_one_and_no_part_of_another_host() {
    let keys = || credentials("AKIDEXAMPLE", "key");
    let made =
        |region: &str| Aws::new(outbound(1), keys(), region, None, Arc::new(RealTime), unhurried());
    for region in ["", "evil.example/", "x@evil", "EU", "eu central", "a.b", &"a".repeat(33)] {
        assert_eq!(made(region).unwrap_err(), crate::Error::Region, "{region}");
    }
    for (region, service, expected) in [
        ("eu-central-1", "ec2", ("https://ec2.eu-central-1.amazonaws.com", "eu-central-1")),
        ("eu-central-1", "iam", ("https://iam.amazonaws.com", "us-east-1")),
        ("eu-central-1", "ecr", ("https://api.ecr.eu-central-1.amazonaws.com", "eu-central-1")),
        ("eu-central-1", "s3", ("https://s3.eu-central-1.amazonaws.com", "eu-central-1")),
        ("cn-north-1", "sqs", ("https://sqs.cn-north-1.amazonaws.com.cn", "cn-north-1")),
        ("cn-northwest-1", "iam", ("https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1")),
        ("us-gov-east-1", "iam", ("https://iam.us-gov.amazonaws.com", "us-gov-west-1")),
    ] {
        let aws = made(region).unwrap();
        let (base, signed) = aws.place(service, &Table::shipped().services[service]);
        assert_eq!((base.as_str(), signed), expected, "{region} {service}");
    }
}
