use std::sync::Arc;

use api::caller::authenticate;
use api::identity::new_key;
use api::{App, Problem};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use axum::middleware::from_fn_with_state;
use db::testing::{TestDb, database};
use model::actor::{Actor, Role};
use model::canonical::Digest;
use model::connector::Pending;
use model::id::{ApiKeyId, TenantId, TenantKeyId};
use model::objects::{ObjectError, Objects};
use model::secret::Secret;
use model::vault::{Place, Purpose, Sealed, TenantKey, Vault, VaultError};
use model::{Clock, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::routes;
use crate::alert::signature::{SIGNATURE_HEADER, sign};

mod estate;
mod hooks;

#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-03-01T10:05:00Z".parse().unwrap()
    }
}

#[derive(Debug)]
struct NoObjects;

impl Objects for NoObjects {
    fn put<'a>(&'a self, key: &'a str, _: Vec<u8>) -> Pending<'a, Result<Digest, ObjectError>> {
        Box::pin(async move { Err(ObjectError::NotFound { key: key.to_owned() }) })
    }

    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Vec<u8>, ObjectError>> {
        Box::pin(async move { Err(ObjectError::NotFound { key: key.to_owned() }) })
    }
}

/// Seals by turning every bit round; binds to the place by writing it down.
#[derive(Debug)]
struct PaperVault;

fn turned(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| !byte).collect()
}

impl Vault for PaperVault {
    fn new_key(
        &self,
        tenant: TenantId,
        purpose: Purpose,
    ) -> Pending<'_, Result<TenantKey, VaultError>> {
        let (id, kek_id) = (TenantKeyId::generate(), "paper".to_owned());
        let (public, wrapped) = (b"public".to_vec(), b"wrapped".to_vec());
        Box::pin(async move { Ok(TenantKey { id, tenant, purpose, public, kek_id, wrapped }) })
    }

    fn seal(
        &self,
        key: &TenantKey,
        place: &Place<'_>,
        secret: &Secret,
    ) -> Result<Sealed, VaultError> {
        Ok(Sealed {
            alg: "paper".to_owned(),
            kek_id: key.id.to_string(),
            wrapped_dek: format!("{place:?}").into_bytes(),
            nonce: Vec::new(),
            ciphertext: turned(secret.expose()),
            aad_version: 1,
        })
    }

    fn open<'a>(
        &'a self,
        key: Option<&'a TenantKey>,
        place: Place<'a>,
        sealed: &'a Sealed,
    ) -> Pending<'a, Result<Secret, VaultError>> {
        Box::pin(async move {
            let own = key.is_some_and(|key| key.id.to_string() == sealed.kek_id);
            if !own || sealed.wrapped_dek != format!("{place:?}").into_bytes() {
                return Err(VaultError::Altered);
            }
            Ok(Secret::new(turned(&sealed.ciphertext)))
        })
    }

    fn rewrap_key<'a>(&'a self, key: &'a TenantKey) -> Pending<'a, Result<TenantKey, VaultError>> {
        Box::pin(async move { Ok(key.clone()) })
    }

    fn rewrap<'a>(
        &'a self,
        _: Option<&'a TenantKey>,
        to: &'a TenantKey,
        _: Place<'a>,
        sealed: &'a Sealed,
    ) -> Pending<'a, Result<Sealed, VaultError>> {
        Box::pin(async move { Ok(Sealed { kek_id: to.id.to_string(), ..sealed.clone() }) })
    }
}

/// The routes over a database of their own, and keys to call them with.
struct Site {
    test: TestDb,
    router: Router,
    /// The key of an actor who holds every role.
    key: String,
}

async fn site() -> Site {
    let test = database().await;
    let app = App {
        db: test.db.clone(),
        clock: Arc::new(Noon),
        objects: Arc::new(NoObjects),
        vault: Arc::new(PaperVault),
        body_limit: 1 << 20,
        proxies: ::api::peer::Proxies::default(),
    };
    let (router, _) = routes().split_for_parts();
    let router = router.layer(from_fn_with_state(app.clone(), authenticate)).with_state(app);
    let actor = test.system_actor(test.tenant).await;
    let key = key_of(&test, &actor).await;
    Site { test, router, key }
}

async fn key_of(test: &TestDb, actor: &Actor) -> String {
    let token = new_key().unwrap();
    sqlx::query(
        "INSERT INTO countersign.api_keys (tenant_id, id, actor_id, name, key_prefix, key_hash)
         VALUES ($1, $2, $3, 'test', $4, $5)",
    )
    .bind(actor.tenant_id.uuid())
    .bind(ApiKeyId::generate().uuid())
    .bind(actor.id.uuid())
    .bind(&token.public_id)
    .bind(&token.hash.as_bytes()[..])
    .execute(test.admin())
    .await
    .unwrap();
    token.text
}

impl Site {
    async fn key_with(&self, name: &str, roles: &[Role]) -> (Actor, String) {
        let actor = self.test.another_actor(self.test.tenant, name, roles).await;
        let key = key_of(&self.test, &actor).await;
        (actor, key)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> (StatusCode, Value) {
        let mut request =
            Request::builder().method(method).uri(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 24).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// A call with the key of the actor who may do everything.
    async fn ask(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let bearer = format!("Bearer {}", self.key);
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        self.call(method, path, &[("authorization", bearer.as_str())], body).await
    }

    async fn make(&self, path: &str, body: &Value) -> Value {
        let (status, made) = self.ask(Method::POST, path, body).await;
        assert_eq!(status, StatusCode::CREATED, "{path}: {made}");
        made
    }

    async fn refused(&self, method: Method, path: &str, body: &Value) -> (u16, String) {
        let (status, answer) = self.ask(method, path, body).await;
        let problem: Problem = serde_json::from_value(answer).unwrap();
        assert_eq!(problem.status, status.as_u16());
        (problem.status, problem.errors.first().map(|e| e.path.clone()).unwrap_or_default())
    }
}

#[tokio::test]
async fn rules_are_made_replaced_and_removed() {
    let site = site().await;
    let rule = json!({"name": "critical", "severity_pattern": "crit*", "action": "auto_analyze"});
    let made = site.make("/alert-rules", &rule).await;
    assert_eq!((&made["priority"], &made["alert_name_pattern"]), (&json!(100), &json!("*")));
    let path = format!("/alert-rules/{}", made["id"].as_str().unwrap());
    let changed = json!({"name": "critical", "action": "ignore", "priority": 3, "enabled": false});
    let (status, now) = site.ask(Method::PUT, &path, &changed).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&now["action"], &now["enabled"]), (&json!("ignore"), &json!(false)));
    assert_eq!(site.ask(Method::GET, &path, &Value::Null).await.1, now);
    assert_eq!(site.refused(Method::POST, "/alert-rules", &rule).await.0, 409);
    assert_eq!(site.ask(Method::DELETE, &path, &Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(site.refused(Method::DELETE, &path, &Value::Null).await.0, 404);
    let (_, rules) = site.ask(Method::GET, "/alert-rules", &Value::Null).await;
    assert_eq!(rules, json!([]));
}

#[tokio::test]
async fn t3_fields_nobody_may_set_are_refused() {
    let site = site().await;
    for (path, field) in [
        ("/alert-rules", "tenant_id"),
        ("/environments", "tenant_id"),
        ("/resources", "created_by"),
        ("/credentials", "kek_id"),
        ("/alert-sources", "previous_secret_id"),
    ] {
        let (status, answer) = site.ask(Method::POST, path, &json!({ field: "x" })).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer["detail"].to_string().contains(field), "{path}: {answer}");
    }
}

#[tokio::test]
async fn p4_and_p6_in_a_body_are_refused_with_their_path() {
    let site = site().await;
    let bearer = format!("Bearer {}", site.key);
    for (body, path) in [
        (r#"{"name":"a\u0000","action":"ignore"}"#, "/name"),
        (r#"{"name":"a","action":"ignore","action":"manual"}"#, "/action"),
        (r#"{"name":"a","action":"ignore","priority":1e400}"#, "/priority"),
        (r#"{"name":"a","action":"ignore","priority":"x"}"#, "/priority"),
        (r#"{"name":"","action":"ignore"}"#, "/name"),
    ] {
        let headers = [("authorization", bearer.as_str())];
        let (status, answer) =
            site.call(Method::POST, "/alert-rules", &headers, body.as_bytes().to_vec()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}: {answer}");
        assert_eq!(answer["errors"][0]["path"], path, "{body}");
    }
}

#[tokio::test]
async fn every_route_is_in_the_description_with_a_short_summary() {
    let (_, description) = routes().split_for_parts();
    let described = serde_json::to_value(&description).unwrap();
    let paths = described["paths"].as_object().unwrap();
    assert!(paths.len() >= 18, "{}", paths.len());
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!((1..=80).contains(&summary.len()), "{method} {path}: {summary:?}");
            assert!(operation["responses"].get("4XX").is_some(), "{method} {path}");
        }
    }
}

/// S2: bodies that bring a secret, or tell one, neither print it nor pass it on.
#[test]
fn s2_bodies_with_secrets_do_not_compile_when_they_could_show_them() {
    use std::fmt::{Debug, Display};

    use super::{credential, once, source};

    model::lacks!(credential::CredentialIn: Debug, Display, serde::Serialize, Clone);
    model::lacks!(credential::SecretIn: Debug, Display, serde::Serialize, Clone);
    model::lacks!(source::SourceIn: Debug, Display, serde::Serialize, Clone);
    model::lacks!(source::SigningSecretIn: Debug, Display, serde::Serialize, Clone);
    model::lacks!(once::OnceIn: Debug, Display, serde::Serialize, Clone);
    model::lacks!(once::TokenIn: Debug, Display, serde::Serialize, Clone);
    model::lacks!(once::ToldOut: Debug, Display, Clone);
}
