use connect::outbound::{HeaderMap, StatusCode};

use super::*;

fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers: map,
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn a_cloud_says_when_to_ask_again() {
    let seconds = Duration::from_secs;
    for (headers, wait) in [
        (&[("retry-after", "7")][..], Some(seconds(7))),
        (&[("retry-after", "86400")], Some(LONGEST_WAIT)),
        (&[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], None),
        (
            &[("x-ms-user-quota-remaining", "0"), ("x-ms-user-quota-resets-after", "00:00:03")],
            Some(seconds(3)),
        ),
        (&[("x-ms-user-quota-remaining", "4"), ("x-ms-user-quota-resets-after", "00:00:03")], None),
        (&[("x-ms-user-quota-remaining", "0"), ("x-ms-user-quota-resets-after", "soon")], None),
        (&[], None),
    ] {
        assert_eq!(told_to_wait(&reply(200, headers, "{}")), wait, "{headers:?}");
    }
}

#[test]
fn what_a_cloud_says_is_sorted_and_its_message_is_not_kept() {
    let azure = r#"{"error":{"code":"AuthorizationFailed","message":"canary"}}"#;
    let google = r#"{"error":{"code":403,"message":"canary","status":"PERMISSION_DENIED"}}"#;
    let limit = r#"{"error":{"code":403,"message":"canary","status":"RESOURCE_EXHAUSTED"}}"#;
    for (status, body, expected) in [
        (403, azure, "it was refused: AuthorizationFailed"),
        (403, google, "it was refused: PERMISSION_DENIED"),
        (403, limit, "it was put off: RESOURCE_EXHAUSTED"),
        (429, "<html>", "it was put off: "),
        (
            401,
            r#"{"error":{"code":"ExpiredAuthenticationToken"}}"#,
            "it was refused: ExpiredAuthenticationToken: the credentials are not good, or not any more",
        ),
        (500, r#"{"error":{"code":"a b\n"}}"#, "it failed with status 500: "),
        (200, "[]", "the answer to it cannot be read: it is no object"),
        (200, "{\"a\"", "the answer to it cannot be read: it is no whole JSON"),
    ] {
        let error = read("it", &reply(status, &[], body)).unwrap_err();
        assert_eq!(error.why(), expected);
    }
    let told = grant("a token", &reply(400, &[], r#"{"error":"invalid_grant"}"#)).unwrap_err();
    assert!(matches!(told, Error::Credentials { .. }), "{told:?}");
    let (_, life) =
        grant("it", &reply(200, &[], r#"{"access_token":"x","expires_in":"86399"}"#)).unwrap();
    assert_eq!(life, 86_399);
}
