use std::sync::Arc;

use connect::outbound::Method;

use super::*;

fn keys(token: Option<&str>) -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
        session_token: token.map(|token| Secret::from(token.to_owned())),
        expires_at: None,
    }
}

/// What a call would be sent with: the outbound client takes a call, and this site hears it.
async fn sent(keys: &Credentials, s3: bool) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let heard = Arc::new(std::sync::Mutex::new(String::new()));
    let port = listener.local_addr().unwrap().port();
    let into = Arc::clone(&heard);
    let hear = axum::Router::new().fallback(async move |headers: axum::http::HeaderMap| {
        for (name, value) in &headers {
            let line = format!("{name}: {}\n", value.to_str().unwrap());
            into.lock().unwrap().push_str(&line);
        }
    });
    tokio::spawn(async move { axum::serve(listener, hear).await });
    let request = Request {
        method: Method::GET,
        url: format!("http://127.0.0.1:{port}/"),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let at = "2015-08-30T12:36:00Z".parse().unwrap();
    let scope = Scope { service: "service", region: "us-east-1", s3, at };
    let call = keys.sign(&request, scope).unwrap();
    assert!(!format!("{call:?}").contains("Signature"), "a signature is not printed");
    crate::tests::outbound(1 << 20).send(call).await.unwrap();
    heard.lock().unwrap().clone()
}

/// AWS Signature Version 4 Test Suite, `get-vanilla`.
#[test]
fn a_signature_is_the_one_of_the_test_suite() {
    let request = Request {
        method: Method::GET,
        url: "https://example.amazonaws.com/".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let at = "2015-08-30T12:36:00Z".parse().unwrap();
    let scope = Scope { service: "service", region: "us-east-1", s3: false, at };
    let made = keys(None).headers(&request, scope).unwrap();
    let value = |name| made.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str());
    assert_eq!(value("x-amz-date"), Some("20150830T123600Z"));
    let expected = "AWS4-HMAC-SHA256 \
                    Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                    SignedHeaders=host;x-amz-date, \
                    Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    assert_eq!(value("authorization"), Some(expected));
    assert_eq!(value("x-amz-security-token"), None);
}

#[tokio::test]
async fn the_session_goes_with_the_signature_and_s3_gets_the_hash_of_the_body() {
    let heard = sent(&keys(Some("the-token")), true).await;
    assert!(heard.contains("x-amz-security-token: the-token\n"), "{heard}");
    assert!(
        heard.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token")
    );
    let heard = sent(&keys(None), false).await;
    assert!(heard.contains("SignedHeaders=host;x-amz-date,"), "{heard}");
}

#[test]
fn keys_are_not_printed() {
    let printed = format!("{:?}", keys(Some("the-token")));
    assert!(printed.contains("AKIDEXAMPLE"), "{printed}");
    assert!(!printed.contains("wJalr") && !printed.contains("the-token"), "{printed}");
}
