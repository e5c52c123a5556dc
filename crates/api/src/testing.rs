//! What tests over handlers need: an [`App`] on a test database, and callers.

#![expect(clippy::expect_used, reason = "a test that cannot be set up cannot go on")]

use std::sync::Arc;

use db::Db;
use model::actor::Actor;
use model::connector::Pending;
use model::id::{ApiKeyId, SessionId, UserId};
use model::objects::{ObjectError, Objects};
use model::vault::NoVault;
use model::{Clock, Digest, Timestamp};

use crate::identity::{new_key, new_session};
use crate::state::App;

/// The body limit of [`app`], in bytes.
pub const BODY_LIMIT: usize = 4096;

/// Has no objects, no keys, and the time of the epoch.
#[derive(Debug)]
struct Nothing;

impl Objects for Nothing {
    fn put<'a>(&'a self, key: &'a str, _: Vec<u8>) -> Pending<'a, Result<Digest, ObjectError>> {
        Box::pin(async move { Err(ObjectError::NotFound { key: key.to_owned() }) })
    }

    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Vec<u8>, ObjectError>> {
        Box::pin(async move { Err(ObjectError::NotFound { key: key.to_owned() }) })
    }
}

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

/// The state of handlers that need the database only.
#[must_use]
pub fn app(db: &Db) -> App {
    App {
        db: db.clone(),
        clock: Arc::new(Nothing),
        objects: Arc::new(Nothing),
        vault: Arc::new(NoVault),
        body_limit: BODY_LIMIT,
        proxies: crate::peer::Proxies::default(),
    }
}

/// A fresh API key of an actor's, with its id.
///
/// # Panics
/// When the database does not take it.
pub async fn key(db: &Db, actor: &Actor) -> (ApiKeyId, String) {
    let (id, token) = (ApiKeyId::generate(), new_key().expect("randomness"));
    let mut tx = db.tenant(actor.tenant_id).await.expect("a connection");
    sqlx::query(
        "INSERT INTO countersign.api_keys (tenant_id, id, actor_id, name, key_prefix, key_hash)
         VALUES ($1, $2, $3, 'test', $4, $5)",
    )
    .bind(actor.tenant_id.uuid())
    .bind(id.uuid())
    .bind(actor.id.uuid())
    .bind(&token.public_id)
    .bind(&token.hash.as_bytes()[..])
    .execute(tx.conn())
    .await
    .expect("the key is written");
    tx.commit().await.expect("the key is committed");
    (id, token.text)
}

/// A session of a fresh user of an actor's, with its id.
///
/// # Panics
/// When the database does not take it.
pub async fn session(db: &Db, actor: &Actor) -> (SessionId, String) {
    let (user, id, token) =
        (UserId::generate(), SessionId::generate(), new_session().expect("randomness"));
    let mut tx = db.tenant(actor.tenant_id).await.expect("a connection");
    sqlx::query(
        "INSERT INTO countersign.users (tenant_id, id, actor_id, username) VALUES ($1, $2, $3, $4)",
    )
    .bind(actor.tenant_id.uuid())
    .bind(user.uuid())
    .bind(actor.id.uuid())
    .bind(user.uuid().simple().to_string())
    .execute(tx.conn())
    .await
    .expect("the user is written");
    sqlx::query(
        "INSERT INTO countersign.user_sessions (tenant_id, id, user_id, token_hash, expires_at)
         VALUES ($1, $2, $3, $4, clock_timestamp() + interval '1 hour')",
    )
    .bind(actor.tenant_id.uuid())
    .bind(id.uuid())
    .bind(user.uuid())
    .bind(&token.hash.as_bytes()[..])
    .execute(tx.conn())
    .await
    .expect("the session is written");
    tx.commit().await.expect("the session is committed");
    (id, token.text)
}
