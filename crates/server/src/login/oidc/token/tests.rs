//! Tokens that are believed, and everything else.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{self, KeyPair as _, RsaKeyPair};
use aws_lc_rs::{encoding::AsDer as _, hmac};
use serde_json::json;

use super::*;

const NOW: i64 = 1_790_000_000;

struct Signer {
    pair: RsaKeyPair,
}

impl Signer {
    fn new() -> Self {
        Self { pair: RsaKeyPair::generate(KeySize::Rsa2048).unwrap() }
    }

    fn jwk(&self, kid: &str) -> Jwk {
        let parts = PublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key = json!({
            "kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256",
            "n": text(&parts.n), "e": text(&parts.e),
        });
        serde_json::from_value(key).unwrap()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let told = told(header, claims);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &signature::RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                told.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{told}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn told(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn header() -> Value {
    json!({"alg": "RS256", "kid": "k1"})
}

fn good() -> Value {
    json!({
        "iss": "https://id.example.com", "aud": "countersign", "sub": "u-1", "nonce": "n",
        "iat": NOW, "exp": NOW + 300, "at_hash": half_hash(Algorithm::RS256, "access"),
    })
}

fn expected() -> Expected<'static> {
    Expected {
        issuer: "https://id.example.com",
        client_id: "countersign",
        nonce: "n",
        access_token: Some("access"),
        at: Timestamp::from_second(NOW).unwrap(),
    }
}

#[test]
fn w3_a_token_is_believed_only_with_every_claim_as_it_must_be() {
    let signer = Signer::new();
    let keys = [signer.jwk("k1")];
    let token = signer.sign(&header(), &good());
    assert_eq!(verify(&token, &keys, &expected()).unwrap()["sub"], "u-1");
    let cases = [
        ("iss", json!("https://evil.example.com"), Refused::Issuer),
        ("iss", json!("https://id.example.com/"), Refused::Issuer),
        ("iss", Value::Null, Refused::Issuer),
        ("aud", json!("another"), Refused::Audience),
        ("aud", json!(["another"]), Refused::Audience),
        ("aud", json!(["countersign", "another"]), Refused::Audience),
        ("aud", Value::Null, Refused::Audience),
        ("azp", json!("another"), Refused::Audience),
        ("exp", json!(NOW - 61), Refused::Expired),
        ("exp", Value::Null, Refused::Time),
        ("exp", json!("soon"), Refused::Time),
        ("iat", json!(NOW + 61), Refused::Time),
        ("iat", json!(NOW - 3600), Refused::Time),
        ("nbf", json!(NOW + 61), Refused::Time),
        ("nonce", json!("m"), Refused::Nonce),
        ("nonce", Value::Null, Refused::Nonce),
        ("at_hash", json!("AAAA"), Refused::AccessToken),
        ("sub", json!(""), Refused::Subject),
        ("sub", json!("x".repeat(256)), Refused::Subject),
        ("sub", json!(7), Refused::Subject),
        ("sub", json!("a\u{0}b"), Refused::Subject),
    ];
    for (claim, value, why) in cases {
        let mut claims = good();
        claims[claim] = value.clone();
        let token = signer.sign(&header(), &claims);
        assert_eq!(verify(&token, &keys, &expected()), Err(why), "{claim} {value}");
    }
    for missing in ["exp", "iat", "nonce", "sub", "aud", "iss"] {
        let mut claims = good();
        claims.as_object_mut().unwrap().remove(missing);
        assert!(verify(&signer.sign(&header(), &claims), &keys, &expected()).is_err(), "{missing}");
    }
    let mut claims = good();
    (claims["aud"], claims["azp"]) = (json!(["another", "countersign"]), json!("countersign"));
    assert!(verify(&signer.sign(&header(), &claims), &keys, &expected()).is_ok());
}

#[test]
fn w3_no_algorithm_but_the_keys_own_is_taken() {
    let signer = Signer::new();
    let jwk = signer.jwk("k1");
    let keys = [jwk.clone()];
    let unsigned = json!({"alg": "none", "kid": "k1"});
    for token in [format!("{}.", told(&unsigned, &good())), told(&unsigned, &good())] {
        assert_eq!(verify(&token, &keys, &expected()), Err(Refused::Algorithm));
    }
    for word in ["None", "nOnE", "", "HS384", "HS512", "ES512"] {
        let token = signer.sign(&json!({"alg": word, "kid": "k1"}), &good());
        assert_eq!(verify(&token, &keys, &expected()), Err(Refused::Algorithm), "{word}");
    }
    // The public key as the secret of an HMAC, in every form somebody might take for it.
    let told = told(&json!({"alg": "HS256", "kid": "k1"}), &good());
    let der = signer.pair.public_key().as_der().unwrap().as_ref().to_vec();
    let modulus = PublicKeyComponents::<Vec<u8>>::from(signer.pair.public_key()).n;
    for secret in [der, modulus, serde_json::to_vec(&jwk).unwrap()] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), told.as_bytes());
        let token = format!("{told}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()));
        assert_eq!(verify(&token, &keys, &expected()), Err(Refused::Algorithm));
    }
    // A key that is published for one algorithm does no other.
    for word in ["RS512", "PS256", "ES256", "EdDSA"] {
        let token = signer.sign(&json!({"alg": word, "kid": "k1"}), &good());
        assert_eq!(verify(&token, &keys, &expected()), Err(Refused::NoKey), "{word}");
    }
    // A symmetric key in the provider's set is no key.
    let secret = json!({"kty": "oct", "kid": "k2", "k": "c2VjcmV0"});
    let keys = [jwk, serde_json::from_value(secret).unwrap()];
    let token = signer.sign(&json!({"alg": "RS256", "kid": "k2"}), &good());
    assert_eq!(verify(&token, &keys, &expected()), Err(Refused::NoKey));
}

#[test]
fn w3_a_key_is_named_and_nothing_else() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let keys = [signer.jwk("k1"), signer.jwk("k2")];
    for kid in ["../k1", "k1/../k1", "/dev/null", "http://evil.example.com/k1", "k1\0", "K1", ""] {
        let token = stranger.sign(&json!({"alg": "RS256", "kid": kid}), &good());
        assert_eq!(verify(&token, &keys, &expected()), Err(Refused::NoKey), "{kid}");
    }
    assert_eq!(
        verify(&stranger.sign(&header(), &good()), &keys, &expected()),
        Err(Refused::Signature)
    );
    // A key that comes with the token, or an address of one, is not looked at.
    let brought = json!({
        "alg": "RS256", "kid": "k1", "jku": "https://evil.example.com/keys",
        "jwk": stranger.jwk("k1"), "x5u": "https://evil.example.com/c",
    });
    let token = stranger.sign(&brought, &good());
    assert!(verify(&token, &keys, &expected()).is_err());
    let critical = json!({"alg": "RS256", "kid": "k1", "crit": ["b64"], "b64": false});
    let token = signer.sign(&critical, &good());
    assert_eq!(verify(&token, &keys, &expected()), Err(Refused::Algorithm));
    // Without a name there must be one key only.
    let nameless = signer.sign(&json!({"alg": "RS256"}), &good());
    assert_eq!(verify(&nameless, &keys, &expected()), Err(Refused::NoKey));
    assert!(verify(&nameless, &keys[..1], &expected()).is_ok());
    let numbered = signer.sign(&json!({"alg": "RS256", "kid": 1}), &good());
    assert_eq!(verify(&numbered, &keys, &expected()), Err(Refused::Shape));
}

#[test]
fn w3_a_token_that_was_changed_or_cut_is_refused() {
    let signer = Signer::new();
    let keys = [signer.jwk("k1")];
    let token = signer.sign(&header(), &good());
    let mut other = good();
    other["sub"] = json!("admin");
    let (_, signature) = token.rsplit_once('.').unwrap();
    let swapped = format!("{}.{signature}", told(&header(), &other));
    assert_eq!(verify(&swapped, &keys, &expected()), Err(Refused::Signature));
    let parts: Vec<&str> = token.split('.').collect();
    for bad in [
        String::new(),
        "..".to_owned(),
        parts[..2].join("."),
        format!("{token}.{}", parts[2]),
        format!("{token}="),
        token.replace('.', " "),
        "x".repeat(MOST + 1),
    ] {
        assert!(verify(&bad, &keys, &expected()).is_err(), "{bad:.40}");
    }
}
