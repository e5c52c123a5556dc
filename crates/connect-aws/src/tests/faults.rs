//! Answers gone wrong: what cannot be read is not checked, and never absent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use connect::Outbound;
use connect::outbound::Rules;
use serde_json::{Value, json};

use super::fake::{FakeAws, Instead};
use super::{RealTime, aws, credentials, kinds, outbound, unhurried};
use crate::read::Reading;
use crate::{Aws, Error, Limits};

const RULE: &str = "AWS::Events::Rule";
const VPC: &str = "AWS::EC2::VPC";

/// A fake with three rules, and two VPCs.
async fn filled() -> FakeAws {
    let fake = FakeAws::start().await;
    for id in ["a", "b", "c"] {
        fake.has(RULE, id, json!({ "Name": id }));
    }
    fake.has_vpc("vpc-1");
    fake.has_vpc("vpc-2");
    fake
}

fn caller(fake: &FakeAws) -> Aws {
    let limits = Limits { tries: 3, most_pages: 20, ..unhurried() };
    aws(&fake.endpoint, credentials("AKIDEXAMPLE", "key"), limits)
}

async fn read(fake: &FakeAws, names: &[&str]) -> Reading {
    caller(fake).read(&kinds(names)).await
}

fn ids(reading: &Reading) -> Vec<&str> {
    reading.resources.iter().map(|live| live.id.as_str()).collect()
}

/// The one thing that was not checked: its type, its id, and why.
fn not(reading: &Reading) -> (&str, Option<&str>, &str) {
    let [not] = &*reading.not_checked else { panic!("{:?}", reading.not_checked) };
    (&not.kind, not.id.as_deref(), &not.why)
}

#[tokio::test]
async fn what_no_table_names_is_read_whole_through_cloud_control() {
    let fake = filled().await;
    // A name with braces is a name.
    fake.has(RULE, "{b}", json!({ "Name": "braces", "Tags": [{ "Key": "k", "Value": "v" }] }));
    let reading = read(&fake, &[RULE]).await;
    assert_eq!(ids(&reading), ["a", "b", "c", "{b}"]);
    let expected = json!({ "Name": "braces", "Tags": [{ "Key": "k", "Value": "v" }] });
    assert_eq!(reading.resources[3].properties, expected);
    assert_eq!((reading.whole, reading.not_checked.len()), (kinds(&[RULE]), 0));
    assert_eq!((reading.calls, reading.throttled), (5, 0));
}

#[tokio::test]
async fn a_call_that_is_put_off_is_made_again() {
    let fake = filled().await;
    let put_off = Instead::error(400, "ThrottlingException");
    fake.next("ListResources", [put_off.clone(), Instead::Answer(429, String::new())]);
    fake.next("GetResource b", [put_off]);
    let limited = "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors>\
                   </Response>";
    fake.next("DescribeVpcs", [Instead::Answer(503, limited.to_owned())]);
    let reading = read(&fake, &[RULE, VPC]).await;
    assert_eq!(ids(&reading), ["vpc-1", "vpc-2", "a", "b", "c"]);
    assert_eq!(reading.not_checked, []);
    assert_eq!((reading.throttled, reading.calls), (4, 13));
}

#[tokio::test]
async fn a_type_that_is_put_off_for_ever_is_not_checked_and_the_others_are_read() {
    let fake = filled().await;
    fake.always("ListResources", Instead::error(400, "ThrottlingException"));
    let reading = read(&fake, &[RULE, VPC]).await;
    assert_eq!(ids(&reading), ["vpc-1", "vpc-2"]);
    assert_eq!(reading.whole, kinds(&[VPC]));
    let why = "cloudcontrol:ListResources was put off: ThrottlingException";
    assert_eq!(not(&reading), (RULE, None, why));
    assert_eq!((reading.throttled, fake.asked("ListResources")), (3, 3));
}

#[tokio::test]
async fn a_resource_that_cannot_be_read_is_not_checked_and_its_type_is_whole() {
    for (instead, why, tries) in [
        (Instead::error(400, "ThrottlingException"), "was put off: ThrottlingException", 3),
        (Instead::error(400, "AccessDeniedException"), "was refused: AccessDeniedException", 1),
        (Instead::error(500, "InternalFailure"), "failed with status 500: InternalFailure", 3),
        (Instead::Answer(200, "{".to_owned()), "cannot be read: it is no whole JSON", 3),
        (Instead::Answer(200, "[]".to_owned()), "cannot be read: it is no object", 3),
    ] {
        let fake = filled().await;
        fake.always("GetResource b", instead);
        let reading = read(&fake, &[RULE]).await;
        assert_eq!((ids(&reading), &reading.whole), (vec!["a", "c"], &kinds(&[RULE])));
        let (kind, id, told) = not(&reading);
        assert_eq!((kind, id), (RULE, Some("b")));
        assert!(told.ends_with(why), "{told}");
        assert_eq!(fake.asked("GetResource b"), tries, "{why}");
    }
}

#[tokio::test]
async fn a_type_that_may_not_be_listed_is_not_checked_and_not_asked_for_again() {
    let fake = filled().await;
    fake.always("ListResources", Instead::error(400, "AccessDeniedException"));
    let refused = "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors>\
                   </Response>";
    fake.always("DescribeVpcs", Instead::Answer(403, refused.to_owned()));
    let reading = read(&fake, &[RULE, VPC]).await;
    assert_eq!((reading.resources.len(), reading.whole.len(), reading.calls), (0, 0, 2));
    let why: Vec<_> = reading.not_checked.iter().map(|not| not.why.as_str()).collect();
    assert_eq!(
        why,
        [
            "ec2:DescribeVpcs was refused: UnauthorizedOperation",
            "cloudcontrol:ListResources was refused: AccessDeniedException",
        ]
    );
    assert!(reading.not_checked.iter().all(|not| not.failed));
}

#[tokio::test]
async fn a_type_that_is_never_listed_is_not_checked_and_did_not_fail() {
    let fake = filled().await;
    let reading = read(&fake, &["AWS::No::Thing", "Custom::Thing", "../etc"]).await;
    let why: Vec<_> = reading.not_checked.iter().map(|not| (&*not.kind, not.failed)).collect();
    assert_eq!(why, [("../etc", false), ("AWS::No::Thing", false), ("Custom::Thing", false)]);
    // Only the first has a name that Cloud Control could know.
    assert_eq!((reading.calls, reading.whole.len()), (1, 0));
}

#[tokio::test]
async fn a_list_without_an_end_is_given_up_and_its_type_is_not_checked() {
    let fake = filled().await;
    let page = |next: &str| {
        let body = json!({ "ResourceDescriptions": [{ "Identifier": "a" }], "NextToken": next });
        Instead::Answer(200, body.to_string())
    };
    fake.always("ListResources", page("again"));
    let reading = read(&fake, &[RULE]).await;
    let title = "cloudcontrol:ListResources gives page after page";
    let why = format!("{title}: the next page is the same again");
    assert_eq!(not(&reading), (RULE, None, why.as_str()));
    assert_eq!((fake.asked("ListResources"), reading.resources.len()), (2, 0));

    let fake = filled().await;
    fake.next("ListResources", (0..100).map(|number| page(&number.to_string())));
    let reading = read(&fake, &[RULE]).await;
    let why = format!("{title}: it has more pages than are read");
    assert_eq!(not(&reading), (RULE, None, why.as_str()));
    assert_eq!((fake.asked("ListResources"), reading.resources.len()), (20, 0));
}

#[tokio::test]
async fn a_page_that_is_no_answer_is_never_an_empty_list() {
    let html = "<html><body>Sign in to this network</body></html>";
    let other = "<DescribeSubnetsResponse><subnetSet/></DescribeSubnetsResponse>";
    for (status, body) in [
        (500, "<!doctype html><title>500</title><p>moto says no"),
        (502, html),
        (200, html),
        (200, other),
        (200, ""),
        (200, "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSe"),
        (200, "<!DOCTYPE a [<!ENTITY b \"c\">]><DescribeVpcsResponse>&b;</DescribeVpcsResponse>"),
        (302, ""),
        (404, ""),
    ] {
        let fake = filled().await;
        fake.always("DescribeVpcs", Instead::Answer(status, body.to_owned()));
        fake.always("ListResources", Instead::Answer(status, body.to_owned()));
        let reading = read(&fake, &[RULE, VPC]).await;
        assert_eq!((reading.whole.len(), reading.resources.len()), (0, 0), "{status} {body}");
        assert_eq!(reading.not_checked.len(), 2, "{status} {body}");
        let tries = if [302, 404].contains(&status) { 1 } else { 3 };
        assert_eq!(fake.asked("DescribeVpcs"), tries, "{status} {body}");
    }
}

#[tokio::test]
async fn what_goes_wrong_once_is_read_the_next_time() {
    let fake = filled().await;
    fake.next(
        "DescribeVpcs",
        [
            Instead::Answer(200, "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc".to_owned()),
            Instead::Answer(500, "<html>".to_owned()),
        ],
    );
    fake.next("GetResource a", [Instead::End]);
    fake.next("GetResource b", [Instead::Silence]);
    let rules = Rules::default().allowing("127.0.0.1:*".parse().unwrap());
    let hasty = Outbound::new(rules.within(Duration::from_secs(3))).unwrap();
    let limits = Limits { tries: 3, ..unhurried() };
    let keys = credentials("AKIDEXAMPLE", "key");
    let region = "eu-central-1";
    let aws = Aws::new(hasty, keys, region, Some(&fake.endpoint), Arc::new(RealTime), limits);
    let reading = aws.unwrap().read(&kinds(&[RULE, VPC])).await;
    assert_eq!(reading.not_checked, []);
    assert_eq!(ids(&reading), ["vpc-1", "vpc-2", "a", "b", "c"]);
}

#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_in_halves() {
    let fake = FakeAws::start().await;
    for number in 0..300 {
        fake.has_vpc(&format!("vpc-{number:03}"));
    }
    let read_within = async |bytes| {
        let (calls, keys) = (outbound(bytes), credentials("AKIDEXAMPLE", "key"));
        let clock = Arc::new(RealTime);
        let aws = Aws::new(calls, keys, "eu-central-1", Some(&fake.endpoint), clock, unhurried());
        aws.unwrap().read(&kinds(&[VPC])).await
    };
    // A VPC has about 40 bytes: 50 at once are taken, 100 are not.
    let reading = read_within(2_500).await;
    assert_eq!((reading.resources.len(), reading.whole.len()), (300, 1), "{reading:?}");
    assert_eq!(fake.asked("DescribeVpcs"), 2 + 6);
    let reading = read_within(150).await;
    assert_eq!((reading.resources.len(), reading.whole.len()), (0, 0));
    let why = "ec2:DescribeVpcs was not answered: the answer has more than 150 bytes";
    assert_eq!(not(&reading), (VPC, None, why));
}

#[tokio::test]
async fn what_goes_between_the_list_and_the_reading_is_neither_there_nor_unchecked() {
    let fake = filled().await;
    let gone = Instead::error(400, "ResourceNotFoundException");
    fake.always("GetResource b", gone);
    let no_vpc = "<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code></Error></Errors>\
                  </Response>";
    fake.next("DescribeVpcAttribute", [Instead::Answer(400, no_vpc.to_owned())]);
    let limits = Limits { at_once: 1, ..unhurried() };
    let aws = aws(&fake.endpoint, credentials("AKIDEXAMPLE", "key"), limits);
    let reading = aws.read(&kinds(&[RULE, VPC])).await;
    assert_eq!(ids(&reading), ["vpc-2", "a", "c"]);
    assert_eq!((reading.not_checked.len(), reading.whole.len()), (0, 2));
}

#[tokio::test]
async fn an_error_keeps_the_code_alone_of_what_aws_said() {
    let fake = filled().await;
    let told = json!({
        "__type": "com.amazon.coral.service#InvalidSignatureException",
        "message": "The Canonical String should have been x-amz-security-token:the-token",
    });
    fake.always("ListResources", Instead::Answer(400, told.to_string()));
    let lie = json!({ "__type": "a code\nwith <b>more</b> to it", "message": "the-token" });
    fake.always("LookupEvents", Instead::Answer(400, lie.to_string()));
    let reading = read(&fake, &[RULE]).await;
    let (_, _, why) = not(&reading);
    assert!(why.contains("InvalidSignatureException") && !why.contains("the-token"), "{why}");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let error = caller(&fake).events(&kinds(&["x"]), now, now).await.unwrap_err();
    let expected =
        Error::Failed { call: "cloudtrail:LookupEvents".into(), status: 400, code: String::new() };
    assert_eq!(error, expected);
}

#[tokio::test]
async fn no_more_calls_are_on_their_way_than_may_be_whatever_is_read() {
    let fake = FakeAws::start().await;
    let asked = ["AWS::Events::Rule", "AWS::Events::EventBus", "AWS::Events::Archive"];
    for kind in asked {
        for number in 0..20 {
            fake.has(kind, &format!("r{number:02}"), json!({}));
        }
    }
    // The first stay on their way for ever: nothing else comes by.
    fake.always("GetResource", Instead::Silence);
    let limits = Limits { at_once: 2, ..unhurried() };
    let aws = aws(&fake.endpoint, credentials("AKIDEXAMPLE", "key"), limits);
    let asked = kinds(&asked);
    let reading = aws.read(&asked);
    let both = async {
        while fake.asked("GetResource") < 2 {
            tokio::task::yield_now().await;
        }
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        reading = reading => panic!("{reading:?}"),
        () = both => {}
    }
    assert_eq!(fake.asked("GetResource"), 2);
}

#[tokio::test]
async fn a_bucket_of_another_region_is_left_to_that_region() {
    let fake = FakeAws::start().await;
    let kind = "AWS::S3::BucketPolicy";
    fake.has(kind, "near", json!({ "Region": "eu-central-1", "Policy": { "Version": "x" } }));
    fake.has(kind, "far", json!({ "Region": "us-east-1", "Policy": { "Version": "y" } }));
    let reading = read(&fake, &[kind]).await;
    assert_eq!((ids(&reading), reading.calls), (vec!["near"], 2));
    let expected = json!({ "Bucket": "near", "PolicyDocument": { "Version": "x" } });
    assert_eq!(reading.resources[0].properties, expected);
    assert_eq!((reading.whole, reading.not_checked.len()), (kinds(&[kind]), 0));
}

#[tokio::test]
async fn a_resource_of_which_aws_leaves_out_a_part_is_not_checked() {
    let kind = "AWS::Lambda::Function";
    let fake = FakeAws::start().await;
    let left_out = json!({ "Error": { "ErrorCode": "AccessDeniedException", "Message": "No." } });
    fake.has(kind, "sealed", json!({ "FunctionName": "sealed", "Environment": left_out }));
    let told = json!({ "Variables": { "A": "b" } });
    fake.has(kind, "open", json!({ "FunctionName": "open", "Environment": told }));
    let reading = read(&fake, &[kind]).await;
    assert_eq!((ids(&reading), &reading.whole), (vec!["open"], &kinds(&[kind])));
    let why = "a part of it cannot be read: AccessDeniedException";
    assert_eq!(not(&reading), (kind, Some("sealed"), why));
}

/// An event as CloudTrail gives it.
fn event(id: &str, name: &str, at: i64, on: &[&str], record: &Value) -> Value {
    let on: Vec<_> = on.iter().map(|on| json!({ "ResourceName": on })).collect();
    json!({
        "EventId": id,
        "EventName": name,
        "EventSource": "ec2.amazonaws.com",
        // As services over JSON write moments.
        "EventTime": f64::from(i32::try_from(at).unwrap()),
        "Username": "ada",
        "ReadOnly": "false",
        "Resources": on,
        "CloudTrailEvent": record.to_string(),
    })
}

#[tokio::test]
async fn who_did_what_is_told_once_and_in_order() {
    let fake = FakeAws::start().await;
    let record = json!({
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::123456789012:assumed-role/ops/ada",
            "sessionContext": { "sessionIssuer": { "arn": "arn:aws:iam::123456789012:role/ops" } },
        },
        "userAgent": "console.amazonaws.com",
        "sourceIPAddress": "198.51.100.7",
        "requestParameters": { "password": "never-to-be-seen" },
    });
    let at = 1_790_000_000;
    for number in 0_i64..5 {
        let id = format!("e{number}");
        fake.happened(event(&id, "ModifyVpcAttribute", at + number, &["vpc-1"], &record));
    }
    let denied = json!({ "errorCode": "Client.UnauthorizedOperation" });
    fake.happened(event("e5", "DeleteVpc", at + 5, &["vpc-1", "sg-1"], &denied));
    fake.happened(event("e6", "DeleteVpc", at + 900, &["vpc-1"], &denied));
    let moment = |after| jiff::Timestamp::from_second(at + after).unwrap();
    let names: BTreeSet<String> = kinds(&["vpc-1", "sg-1", "none"]);
    let events = caller(&fake).events(&names, moment(1), moment(100)).await.unwrap();
    let told: Vec<_> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(told, ["e1", "e2", "e3", "e4", "e5"]);
    let first = &events[0];
    assert_eq!((first.name.as_str(), first.at), ("ModifyVpcAttribute", moment(1)));
    let actor = first.actor.as_deref();
    assert_eq!(actor, Some("arn:aws:sts::123456789012:assumed-role/ops/ada"));
    assert_eq!(first.role.as_deref(), Some("arn:aws:iam::123456789012:role/ops"));
    assert_eq!(first.actor_type.as_deref(), Some("AssumedRole"));
    assert_eq!(first.user_agent.as_deref(), Some("console.amazonaws.com"));
    assert_eq!(first.source_ip.as_deref(), Some("198.51.100.7"));
    assert_eq!((first.read_only, first.error.as_deref()), (false, None));
    assert_eq!(events[4].error.as_deref(), Some("Client.UnauthorizedOperation"));
    assert_eq!(events[4].resources, kinds(&["vpc-1", "sg-1"]));
    assert!(!format!("{events:?}").contains("never-to-be-seen"));
}

#[tokio::test]
async fn a_history_that_breaks_off_is_no_history() {
    let fake = FakeAws::start().await;
    let at = 1_790_000_000;
    for number in 0_i64..5 {
        fake.happened(event(&format!("e{number}"), "RunInstances", at, &["i-1"], &json!({})));
    }
    let whole = json!({ "Events": [], "NextToken": "2" }).to_string();
    fake.next("LookupEvents", [Instead::Answer(200, whole)]);
    fake.always("LookupEvents", Instead::error(400, "AccessDeniedException"));
    let moment = jiff::Timestamp::from_second(at).unwrap();
    let error = caller(&fake).events(&kinds(&["i-1"]), moment, moment).await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
}
