use connect::outbound::{HeaderMap, StatusCode};
use serde_json::json;

use super::*;
use crate::table::Table;

fn service(name: &str) -> &'static Service {
    &Table::shipped().services[name]
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else { panic!("{value}") };
    members
}

#[test]
fn a_query_is_a_form_in_which_nothing_can_be_added() {
    let ask = Ask::new("ec2", "DescribeVpcs", Value::Null);
    let input = object(json!({ "VpcId.1": "a&Action=Evil =ä", "MaxResults": 5, "DryRun": false }));
    let made = request("https://ec2", service("ec2"), &ask, &input).unwrap();
    assert_eq!((made.method, made.url.as_str()), (Method::POST, "https://ec2/"));
    let body = "Action=DescribeVpcs&Version=2016-11-15&DryRun=false&MaxResults=5&\
                VpcId.1=a%26Action%3DEvil%20%3D%C3%A4";
    assert_eq!(String::from_utf8(made.body).unwrap(), body);
}

#[test]
fn a_call_over_json_is_named_in_a_header() {
    let ask = Ask::new("kms", "ListKeys", Value::Null);
    let input = object(json!({ "Limit": 5 }));
    let made = request("https://kms", service("kms"), &ask, &input).unwrap();
    let headers = [
        ("content-type", "application/x-amz-json-1.1".to_owned()),
        ("x-amz-target", "TrentService.ListKeys".to_owned()),
    ];
    assert_eq!(
        (made.headers.as_slice(), made.body.as_slice()),
        (&headers[..], &b"{\"Limit\":5}"[..])
    );
}

#[test]
fn a_path_holds_what_was_read_as_one_part() {
    let read = json!({ "Name": "../a?b#c", "list": ["x"] });
    let call = filled_path("GET /{Name}?policy", &read).unwrap();
    let ask = Ask::new("s3", &call, Value::Null);
    let input = object(json!({ "max-buckets": 2 }));
    let made = request("https://s3", service("s3"), &ask, &input).unwrap();
    assert_eq!(made.url, "https://s3/..%2Fa%3Fb%23c?policy&max-buckets=2");
    assert_eq!(filled_path("GET /{Other}", &read), None);
    let input = object(json!({ "a": "{list}", "b": "{Name} {Name}", "c": ["{Name}"], "d": "x" }));
    let filled = filled(&input, &read).unwrap();
    let expected = json!({ "a": ["x"], "b": "{Name} {Name}", "c": ["{Name}"], "d": "x" });
    assert_eq!(Value::Object(filled), expected);
    assert!(
        request("https://s3", service("s3"), &Ask::new("s3", "PUT /a", Value::Null), &input)
            .is_err()
    );
}

fn reply(status: u16, header: Option<&'static str>, body: &str) -> Reply {
    let mut headers = HeaderMap::new();
    if let Some(value) = header {
        headers.insert("x-amzn-errortype", value.parse().unwrap());
    }
    let status = StatusCode::from_u16(status).unwrap();
    Reply { status, headers, body: body.as_bytes().to_vec() }
}

#[test]
fn a_fault_is_told_by_its_code_in_every_protocol() {
    let call = "ec2:DescribeVpcs".to_owned();
    let ask = Ask::new("ec2", "DescribeVpcs", Value::Null);
    let told = |status, header, body: &str| {
        answer(service("ec2"), &ask, &reply(status, header, body)).unwrap_err()
    };
    let ec2 = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>m</Message>\
               </Error></Errors></Response>";
    let query = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code></Error>\
                 </ErrorResponse>";
    let s3 = "<Error><Code>AccessDenied</Code><Message>m</Message></Error>";
    let is = |code: &str| (call.clone(), code.to_owned());
    let (call, code) = is("UnauthorizedOperation");
    assert_eq!(told(403, None, ec2), Error::Refused { call, code });
    let (call, code) = is("Throttling");
    assert_eq!(told(400, None, query), Error::Throttled { call, code });
    let (call, code) = is("AccessDenied");
    assert_eq!(told(403, None, s3), Error::Refused { call, code });
    let (call, code) = is("ExpiredTokenException");
    let json = r#"{"__type":"com.amazon.coral.service#ExpiredTokenException"}"#;
    assert_eq!(told(400, None, json), Error::Credentials { call, code });
    let (call, code) = is("TooManyRequestsException");
    let header = Some("TooManyRequestsException:http://internal.amazon.com/coral/");
    assert_eq!(told(429, header, "{}"), Error::Throttled { call, code });
    let (call, code) = is("");
    assert_eq!(told(403, None, ""), Error::Refused { call, code });
    let (call, code) = is("");
    assert_eq!(told(500, None, "<html>no"), Error::Failed { call, status: 500, code });
}

#[test]
fn what_aws_calls_a_fault_is_a_plain_word() {
    for (text, expected) in [
        ("AccessDenied", "AccessDenied"),
        ("com.amazonaws.sqs#QueueDoesNotExist", "QueueDoesNotExist"),
        ("ResourceNotFoundException:http://x/", "ResourceNotFoundException"),
        ("AWS.SimpleQueueService.NonExistentQueue", "AWS.SimpleQueueService.NonExistentQueue"),
        ("two words", ""),
        ("<b>", ""),
        ("a\nb", ""),
    ] {
        assert_eq!(error::code(text), expected, "{text}");
    }
    assert_eq!(error::code(&"a".repeat(101)), "");
}

#[test]
fn an_answer_is_unwrapped_to_what_the_call_gives() {
    let read = |name, call, body: &str| {
        answer(service(name), &Ask::new(name, call, Value::Null), &reply(200, None, body))
    };
    let wrapped = "<ListTopicsResponse><ListTopicsResult><Topics/></ListTopicsResult>\
                   <ResponseMetadata/></ListTopicsResponse>";
    assert_eq!(read("sns", "ListTopics", wrapped), Ok(json!({ "Topics": null })));
    let bare = "<DescribeVpcsResponse><requestId>1</requestId><vpcSet/></DescribeVpcsResponse>";
    let expected = json!({ "requestId": "1", "vpcSet": null });
    assert_eq!(read("ec2", "DescribeVpcs", bare), Ok(expected));
    assert_eq!(read("s3", "GET /a?policy", " {\"a\":1}"), Ok(json!({ "a": 1 })));
    assert_eq!(
        read("s3", "GET /a?versioning", "<V><Status>x</Status></V>"),
        Ok(json!({ "Status": "x" }))
    );
    assert_eq!(read("s3", "GET /a?logging", ""), Ok(Value::Null));
    assert!(read("s3", "GET /", "<Error><Code>x</Code></Error>").is_err());
    assert!(read("kms", "ListKeys", "").is_err());
    assert!(read("ec2", "DescribeVpcs", "\u{feff}").is_err());
}
