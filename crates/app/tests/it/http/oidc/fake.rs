//! A fake identity provider that can lie. It is stateful: codes are given for a login, bound to its
//! challenge and its address, and taken once.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use aws_lc_rs::{digest, hmac};
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::Clock as _;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::parameter;
use crate::http::harness::SystemClock;

/// What the client is known by.
pub(super) const SECRET: &str = "a secret: of + the client's %";

/// One way of lying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lie {
    OtherIssuer,
    OtherAudience,
    SecondAudience,
    Expired,
    NotYet,
    UsedNonce,
    NoNonce,
    NoSubject,
    OtherAccessToken,
    Unsigned,
    SecretIsThePublicKey,
    OtherKey,
    KeyByPath,
    KeyBrought,
    Changed,
    NoToken,
}

impl Lie {
    pub(super) const ALL: &[Self] = &[
        Self::OtherIssuer,
        Self::OtherAudience,
        Self::SecondAudience,
        Self::Expired,
        Self::NotYet,
        Self::UsedNonce,
        Self::NoNonce,
        Self::NoSubject,
        Self::OtherAccessToken,
        Self::Unsigned,
        Self::SecretIsThePublicKey,
        Self::OtherKey,
        Self::KeyByPath,
        Self::KeyBrought,
        Self::Changed,
        Self::NoToken,
    ];
}

/// What a code was given for.
struct Given {
    redirect_uri: String,
    challenge: String,
    claims: Value,
}

struct Inner {
    issuer: String,
    key: RsaKeyPair,
    other: RsaKeyPair,
    codes: BTreeMap<String, Given>,
    count: usize,
    asked: usize,
    lie: Option<Lie>,
    last_nonce: Option<String>,
    last_id_token: String,
}

#[derive(Clone)]
pub(super) struct Fake(Arc<Mutex<Inner>>);

impl Fake {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let key = || RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let fake = Self(Arc::new(Mutex::new(Inner {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            key: key(),
            other: key(),
            codes: BTreeMap::new(),
            count: 0,
            asked: 0,
            lie: None,
            last_nonce: None,
            last_id_token: String::new(),
        })));
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        fake
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub(super) fn issuer(&self) -> String {
        self.inner().issuer.clone()
    }

    /// From now on; `None` is the truth.
    pub(super) fn tell(&self, lie: Option<Lie>) {
        self.inner().lie = lie;
    }

    /// How often somebody came with a code.
    pub(super) fn asked(&self) -> usize {
        self.inner().asked
    }

    pub(super) fn last_id_token(&self) -> String {
        self.inner().last_id_token.clone()
    }

    /// Somebody logs in at the page `to`; gives where the browser is sent back.
    pub(super) fn log_in(&self, to: &Url, subject: &str, groups: &[&str]) -> Url {
        self.log_in_as(to, subject, groups, &json!({}))
    }

    pub(super) fn log_in_as(&self, to: &Url, subject: &str, groups: &[&str], more: &Value) -> Url {
        assert_eq!(parameter(to, "client_id"), "countersign");
        let mut inner = self.inner();
        inner.count += 1;
        let code = format!("code-{}", inner.count);
        let mut claims = json!({
            "sub": subject, "groups": groups, "nonce": parameter(to, "nonce"), "name": subject,
        });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let given = Given {
            redirect_uri: parameter(to, "redirect_uri"),
            challenge: parameter(to, "code_challenge"),
            claims,
        };
        let mut back = Url::parse(&given.redirect_uri).unwrap();
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &parameter(to, "state"))
            .append_pair("iss", &inner.issuer);
        inner.codes.insert(code, given);
        back
    }
}

async fn describe(State(fake): State<Fake>) -> Json<Value> {
    let issuer = fake.issuer();
    Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

fn jwk(key: &RsaKeyPair) -> Value {
    let parts = PublicKeyComponents::<Vec<u8>>::from(key.public_key());
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({"kty": "RSA", "use": "sig", "kid": "k1", "n": text(&parts.n), "e": text(&parts.e)})
}

async fn keys(State(fake): State<Fake>) -> Json<Value> {
    Json(json!({ "keys": [jwk(&fake.inner().key)] }))
}

async fn token(
    State(fake): State<Fake>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let mut inner = fake.inner();
    inner.asked += 1;
    let no = |word: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": word })));
    let encoded: String = url_encoded("countersign") + ":" + &url_encoded(SECRET);
    let basic = format!("Basic {}", STANDARD.encode(encoded));
    if headers.get("authorization").and_then(|one| one.to_str().ok()) != Some(&basic) {
        return no("invalid_client");
    }
    // A code is taken away by the first who brings it.
    let Some(given) = form.get("code").and_then(|code| inner.codes.remove(code)) else {
        return no("invalid_grant");
    };
    let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
    let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
    if URL_SAFE_NO_PAD.encode(hash.as_ref()) != given.challenge
        || form.get("redirect_uri") != Some(&given.redirect_uri)
        || form.get("grant_type").map(String::as_str) != Some("authorization_code")
    {
        return no("invalid_grant");
    }
    let answer = inner.answer(given.claims);
    (StatusCode::OK, Json(answer))
}

fn url_encoded(text: &str) -> String {
    let mut url = Url::parse("http://localhost").unwrap();
    url.query_pairs_mut().append_pair("x", text);
    url.query().unwrap().trim_start_matches("x=").to_owned()
}

impl Inner {
    fn answer(&mut self, mut claims: Value) -> Value {
        let now = SystemClock.now().as_second();
        let lie = self.lie;
        let access_token = "access";
        let hash = digest::digest(&digest::SHA256, access_token.as_bytes());
        claims["iss"] = json!(self.issuer);
        claims["aud"] = json!("countersign");
        (claims["iat"], claims["exp"]) = (json!(now), json!(now + 300));
        claims["at_hash"] = json!(URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
        let used = self.last_nonce.replace(claims["nonce"].as_str().unwrap().to_owned());
        let mut header = json!({"alg": "RS256", "kid": "k1"});
        match lie {
            Some(Lie::OtherIssuer) => claims["iss"] = json!("https://login.example.com"),
            Some(Lie::OtherAudience) => claims["aud"] = json!("another"),
            Some(Lie::SecondAudience) => claims["aud"] = json!(["countersign", "another"]),
            Some(Lie::Expired) => claims["exp"] = json!(now - 120),
            Some(Lie::NotYet) => claims["nbf"] = json!(now + 600),
            Some(Lie::UsedNonce) => {
                claims["nonce"] = json!(used.expect("there was a login before"));
            }
            Some(Lie::NoNonce) => claims["nonce"] = Value::Null,
            Some(Lie::NoSubject) => claims["sub"] = Value::Null,
            Some(Lie::OtherAccessToken) => claims["at_hash"] = json!("AAAAAAAAAAAAAAAAAAAAAA"),
            Some(Lie::Unsigned) => header["alg"] = json!("none"),
            Some(Lie::SecretIsThePublicKey) => header["alg"] = json!("HS256"),
            Some(Lie::KeyByPath) => header["kid"] = json!("../../../../dev/null"),
            Some(Lie::KeyBrought) => header["jwk"] = jwk(&self.other),
            Some(Lie::OtherKey | Lie::Changed | Lie::NoToken) | None => {}
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut told = format!("{}.{}", part(&header), part(&claims));
        let signature = match lie {
            Some(Lie::Unsigned) => Vec::new(),
            Some(Lie::SecretIsThePublicKey) => {
                let public = self.key.public_key().as_der().unwrap();
                let secret = hmac::Key::new(hmac::HMAC_SHA256, public.as_ref());
                hmac::sign(&secret, told.as_bytes()).as_ref().to_vec()
            }
            Some(Lie::OtherKey | Lie::KeyBrought) => sign(&self.other, &told),
            _ => sign(&self.key, &told),
        };
        if lie == Some(Lie::Changed) {
            claims["groups"] = json!(["sre"]);
            told = format!("{}.{}", part(&header), part(&claims));
        }
        self.last_id_token = format!("{told}.{}", URL_SAFE_NO_PAD.encode(signature));
        let mut answer = json!({
            "access_token": access_token, "token_type": "Bearer", "id_token": self.last_id_token,
        });
        if lie == Some(Lie::NoToken) {
            answer.as_object_mut().unwrap().remove("id_token");
        }
        answer
    }
}

fn sign(key: &RsaKeyPair, told: &str) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), told.as_bytes(), &mut signature).unwrap();
    signature
}
