//! Signatures of decisions.

use super::*;

#[test]
fn a_decision_verifies_with_the_other_implementation_and_only_as_it_was() {
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    let other = SigningKey::from_seed(&[2; 32]).unwrap();
    let canonical = br#"{"decision":"allow"}"#;
    let signed = sign_decision(&key, canonical);
    let trusted = [*other.public(), *key.public()];
    assert_eq!(verify_decision(canonical, &signed, &trusted), Ok(()));
    assert_eq!(signed, sign_decision(&key, canonical), "Ed25519 is deterministic");
    let changed = br#"{"decision":"deny"}"#;
    assert_eq!(verify_decision(changed, &signed, &trusted), Err(DecisionError::BadSignature));
    let unknown = verify_decision(canonical, &signed, &trusted[..1]);
    assert!(matches!(unknown, Err(DecisionError::UnknownKey { .. })));
    let mut posing = signed;
    posing.key_fingerprint = other.fingerprint();
    assert_eq!(verify_decision(canonical, &posing, &trusted), Err(DecisionError::BadSignature));
}

#[test]
fn a_signature_over_the_bare_bytes_is_no_signature_of_a_decision() {
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    let bare = DecisionSignature {
        signature: STANDARD.encode(key.sign(b"{}")),
        key_fingerprint: key.fingerprint(),
    };
    assert_eq!(verify_decision(b"{}", &bare, &[*key.public()]), Err(DecisionError::BadSignature));
}
