//! The routes of this stage over a database of their own.

use std::sync::Arc;

use api::App;
use api::caller::authenticate;
use api::identity::new_key;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use axum::middleware::from_fn_with_state;
use model::actor::Actor;
use model::connector::Pending;
use model::id::ApiKeyId;
use model::objects::{ObjectError, Objects};
use model::vault::NoVault;
use model::{Clock, Digest, Timestamp};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::api::routes;
use crate::store::tests::world::World;

/// What these routes never use.
#[derive(Debug)]
struct Nothing;

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

impl Objects for Nothing {
    fn put<'a>(&'a self, key: &'a str, _: Vec<u8>) -> Pending<'a, Result<Digest, ObjectError>> {
        Box::pin(async move { Err(ObjectError::NotFound { key: key.to_owned() }) })
    }

    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Vec<u8>, ObjectError>> {
        Box::pin(async move { Err(ObjectError::NotFound { key: key.to_owned() }) })
    }
}

pub(super) struct Site {
    pub(super) world: World,
    router: Router,
}

impl Site {
    pub(super) async fn new() -> Self {
        let world = World::new().await;
        let app = App {
            db: world.test.db.clone(),
            clock: Arc::new(Nothing),
            objects: Arc::new(Nothing),
            vault: Arc::new(NoVault),
            body_limit: 1 << 20,
            proxies: ::api::peer::Proxies::default(),
        };
        let (router, _) = routes().split_for_parts();
        let router = router.layer(from_fn_with_state(app.clone(), authenticate)).with_state(app);
        Self { world, router }
    }

    /// A key to call with as this actor.
    pub(super) async fn key(&self, actor: &Actor) -> String {
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
        .execute(self.world.test.admin())
        .await
        .unwrap();
        token.text
    }

    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {key}"))
            .body(Body::from(body))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 24).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}
