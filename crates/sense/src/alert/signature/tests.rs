use super::*;

const BODY: &[u8] = br#"{"name": "DiskFull",  "n":1.0}"#;

fn now() -> Timestamp {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn secrets() -> Secrets {
    Secrets { current: secret("new"), previous: Some(secret("old")) }
}

fn check(body: &[u8], signature: Option<&str>) -> Result<(), SignatureError> {
    verify(body, Proof { signature, timestamp: None }, Signed::Body, &secrets(), now())
}

#[test]
fn i5_the_exact_body_passes_under_the_current_and_the_previous_secret() {
    assert_eq!(check(BODY, Some(&sign(BODY, &secret("new")))), Ok(()));
    assert_eq!(check(BODY, Some(&sign(BODY, &secret("old")))), Ok(()));
    let only_new = Secrets { previous: None, ..secrets() };
    let old = sign(BODY, &secret("old"));
    let proof = Proof { signature: Some(&old), timestamp: None };
    assert_eq!(
        verify(BODY, proof, Signed::Body, &only_new, now()),
        Err(SignatureError::Wrong),
        "a retired secret no longer counts"
    );
}

#[test]
fn i5_a_signature_over_the_same_json_written_differently_is_refused() {
    let value: serde_json::Value = serde_json::from_slice(BODY).unwrap();
    let again = serde_json::to_vec(&value).unwrap();
    assert_ne!(again, BODY);
    assert_eq!(check(BODY, Some(&sign(&again, &secret("new")))), Err(SignatureError::Wrong));
}

#[test]
fn i5_a_wrong_secret_is_refused() {
    assert_eq!(check(BODY, Some(&sign(BODY, &secret("other")))), Err(SignatureError::Wrong));
    assert_eq!(check(b"", Some(&sign(BODY, &secret("new")))), Err(SignatureError::Wrong));
}

#[test]
fn i5_a_missing_or_weaker_signature_is_refused() {
    let right = sign(BODY, &secret("new"));
    let digits = right.strip_prefix("sha256=").unwrap();
    let cut = format!("sha256={}", &digits[..62]);
    for (header, expected) in [
        (None, SignatureError::Missing),
        (Some(""), SignatureError::Missing),
        (Some(digits), SignatureError::Missing),
        (Some("sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"), SignatureError::Missing),
        (Some("sha256=zz"), SignatureError::Missing),
        (Some("sha256="), SignatureError::Wrong),
        (Some(cut.as_str()), SignatureError::Wrong),
    ] {
        assert_eq!(check(BODY, header), Err(expected), "{header:?}");
    }
}

#[test]
fn i5_two_signatures_during_rotation_pass_when_one_fits() {
    let (new, stranger) = (sign(BODY, &secret("new")), sign(BODY, &secret("newer")));
    assert_eq!(check(BODY, Some(&format!("{stranger}, {new}"))), Ok(()));
    assert_eq!(check(BODY, Some(&format!("{stranger},{stranger}"))), Err(SignatureError::Wrong));
    let five = [new.as_str(); 5].join(",");
    assert_eq!(check(BODY, Some(&five)), Err(SignatureError::TooMany));
}

#[test]
fn i5_a_signed_timestamp_must_be_there_be_covered_and_be_recent() {
    let seconds = now().as_second();
    let message = [format!("{seconds}.").as_bytes(), BODY].concat();
    let signature = sign(&message, &secret("new"));
    let check = |timestamp: Option<&str>, now| {
        let proof = Proof { signature: Some(&signature), timestamp };
        verify(BODY, proof, Signed::TimestampAndBody, &secrets(), now)
    };
    let text = seconds.to_string();
    assert_eq!(check(Some(&text), now()), Ok(()));
    assert_eq!(check(None, now()), Err(SignatureError::NoTimestamp));
    assert_eq!(check(Some("yesterday"), now()), Err(SignatureError::NoTimestamp));
    assert_eq!(check(Some(&(seconds + 1).to_string()), now()), Err(SignatureError::Wrong));
    let later = now() + SignedDuration::from_secs(301);
    assert_eq!(check(Some(&text), later), Err(SignatureError::Stale));
    let bare = sign(BODY, &secret("new"));
    let proof = Proof { signature: Some(&bare), timestamp: Some(&text) };
    assert_eq!(
        verify(BODY, proof, Signed::TimestampAndBody, &secrets(), now()),
        Err(SignatureError::Wrong),
        "a signature over the body alone is not enough where the time is signed too"
    );
}
