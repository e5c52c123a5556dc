//! The endpoints, asked as an auditor and as others would.

use api::identity::new_key;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::middleware::from_fn_with_state;
use model::actor::Role;
use model::canonical::Digest;
use model::connector::Pending;
use model::id::{ApiKeyId, TenantId};
use model::objects::{ObjectError, Objects};
use model::vault::NoVault;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::bundle::proof_file::verify_proof;
use crate::checkpoint::decode_hash;
use crate::merkle::proof::verify_consistency;
use crate::testing::{DEPLOYMENT, World};

/// Neither objects nor secrets are asked for by these endpoints.
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

impl model::Clock for Nothing {
    fn now(&self) -> model::Timestamp {
        model::Timestamp::UNIX_EPOCH
    }
}

struct Http<'w> {
    world: &'w World,
    router: Router,
}

impl<'w> Http<'w> {
    fn of(world: &'w World) -> Self {
        let app = App {
            db: world.test.db.clone(),
            clock: Arc::new(Nothing),
            objects: Arc::new(Nothing),
            vault: Arc::new(NoVault),
            body_limit: 1024,
            proxies: ::api::peer::Proxies::default(),
        };
        let logs = PublishedLogs {
            deployment: DEPLOYMENT.to_owned(),
            directory: world.publisher.logs.clone(),
            signer: world.publisher.signer.state().clone(),
        };
        let (router, _) = routes(logs).split_for_parts();
        let router = router
            .layer(from_fn_with_state(app.clone(), api::caller::authenticate))
            .with_state(app);
        Self { world, router }
    }

    /// A key of a fresh actor with these roles.
    async fn key(&self, tenant: TenantId, roles: &[Role]) -> String {
        let actor = self.world.test.another_actor(tenant, "Somebody", roles).await;
        let token = new_key().unwrap();
        let mut tx = self.world.test.db.tenant(tenant).await.unwrap();
        sqlx::query(
            "INSERT INTO countersign.api_keys (tenant_id, id, actor_id, name, key_prefix, key_hash)
             VALUES ($1, $2, $3, 'test', $4, $5)",
        )
        .bind(tenant.uuid())
        .bind(ApiKeyId::generate().uuid())
        .bind(actor.id.uuid())
        .bind(&token.public_id)
        .bind(token.hash.as_bytes().as_slice())
        .execute(tx.conn())
        .await
        .unwrap();
        tx.commit().await.unwrap();
        token.text
    }

    async fn get(&self, key: &str, path: &str) -> (StatusCode, String) {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {key}"))
            .body(Body::empty())
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn page(&self, key: &str, path: &str) -> Value {
        let (status, body) = self.get(key, path).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        serde_json::from_str(&body).unwrap()
    }
}

#[tokio::test]
async fn an_auditor_pages_through_events_and_proves_one_offline() {
    let world = World::new().await;
    world.logged(25).await;
    let http = Http::of(&world);
    let key = http.key(world.test.tenant, &[Role::Auditor]).await;
    let first = http.page(&key, "/audit/events?limit=20").await;
    assert_eq!(first["items"][0]["seq"], 24);
    assert_eq!(first["items"][0]["event"]["action"], "runbook.edited");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = http.page(&key, &format!("/audit/events?limit=20&cursor={cursor}")).await;
    assert_eq!(second["items"].as_array().unwrap().len(), 5);
    assert_eq!((&second["items"][0]["seq"], &second["has_next"]), (&4.into(), &false.into()));
    let only = http.page(&key, "/audit/events?target_id=rbk_7&target_type=runbook").await;
    assert_eq!(only["items"].as_array().unwrap().len(), 1);
    let id = only["items"][0]["id"].as_str().unwrap();

    let (status, proof) = http.get(&key, &format!("/audit/events/{id}/proof")).await;
    assert_eq!(status, StatusCode::OK, "{proof}");
    let proven = verify_proof(&proof, &world.policy(), &world.origin(), None).unwrap();
    assert_eq!((proven.index, proven.checkpoint.size), (7, 25));
    // Shown is what is signed, and who it was by name, which is kept beside it.
    let mut event: Value = serde_json::from_slice(&proven.event).unwrap();
    assert_ne!(event, only["items"][0]["event"]);
    event["actor"]["display_name"] = "Test User".into();
    assert_eq!(event, only["items"][0]["event"]);

    let (_, note) = http.get(&key, "/audit/checkpoint").await;
    assert_eq!(world.policy().open(&note, &world.origin()).unwrap().size, 25);
    // The keys it says are those it was signed with.
    let (_, keys) = http.get(&key, "/audit/keys").await;
    let policy: crate::policy::Policy = keys.parse().unwrap();
    assert_eq!(policy.open(&note, &world.origin()).unwrap().size, 25);
}

#[tokio::test]
async fn a_name_nobody_signed_for_is_not_shown() {
    let world = World::new().await;
    world.logged(2).await;
    world
        .tamper(&["UPDATE countersign.audit_personal
                   SET body = convert_to('{\"display_name\":\"Mallory\"}', 'UTF8')
                   WHERE event_id = (SELECT id FROM countersign.audit_events WHERE seq = 0)"])
        .await;
    let http = Http::of(&world);
    let key = http.key(world.test.tenant, &[Role::Auditor]).await;
    let page = http.page(&key, "/audit/events?limit=20").await;
    assert_eq!(page["items"][0]["event"]["actor"]["display_name"], "Test User");
    assert_eq!(page["items"][1]["event"]["actor"]["display_name"], Value::Null);
}

#[tokio::test]
async fn what_is_kept_beside_an_event_is_given_with_what_opens_its_hash() {
    let world = World::new().await;
    world.logged(2).await;
    let http = Http::of(&world);
    let key = http.key(world.test.tenant, &[Role::Auditor]).await;
    let page = http.page(&key, "/audit/events").await;
    assert_eq!(page["items"][0]["personal"], Value::Null, "a list does without");
    let id = page["items"][0]["id"].as_str().unwrap();
    let shown = http.page(&key, &format!("/audit/events/{id}")).await;
    let beside = &shown["personal"];
    assert_eq!(beside["body"], r#"{"display_name":"Test User"}"#);
    let salt = hex::decode(beside["salt"].as_str().unwrap()).unwrap();
    let committed = Personal::commitment(&salt, beside["body"].as_str().unwrap().as_bytes());
    assert_eq!(shown["event"]["personal"], committed.to_string());

    world.tamper(&["UPDATE countersign.audit_personal SET body = '\\x7b7d'"]).await;
    let shown = http.page(&key, &format!("/audit/events/{id}")).await;
    assert_eq!(shown["personal"]["body"], "{}", "whoever checks sees what is there");
    assert_eq!(shown["event"]["actor"]["display_name"], Value::Null);
    world.tamper(&["DELETE FROM countersign.audit_personal"]).await;
    let shown = http.page(&key, &format!("/audit/events/{id}")).await;
    assert_eq!((&shown["personal"], shown["event"]["personal"].is_string()), (&Value::Null, true));
}

#[tokio::test]
async fn a_log_is_shown_to_continue_what_it_was() {
    let world = World::new().await;
    let http = Http::of(&world);
    let key = http.key(world.test.tenant, &[Role::Auditor]).await;
    let ask = async |from: &str, to: &str| {
        http.get(&key, &format!("/audit/consistency?from={from}&to={to}")).await
    };
    assert_eq!(ask("0", "0").await.0, StatusCode::NOT_FOUND);
    let old = world.logged(3).await;
    let new = world.logged(4).await;
    let (status, body) = ask("3", "7").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let proof: Vec<_> = body.lines().map(|line| decode_hash(line).unwrap()).collect();
    let sizes = ((old.size, &old.root), (new.size, &new.root));
    assert_eq!(verify_consistency(sizes.0, sizes.1, &proof), Ok(()));
    assert_eq!(ask("7", "7").await, (StatusCode::OK, String::new()));
    for (from, to, status, says) in [
        ("3", "8", StatusCode::CONFLICT, "not_signed_yet"),
        ("7", "3", StatusCode::BAD_REQUEST, "query.from"),
        ("-1", "3", StatusCode::BAD_REQUEST, "shape"),
        ("3", "", StatusCode::BAD_REQUEST, "shape"),
    ] {
        let (found, body) = ask(from, to).await;
        assert_eq!(found, status, "{from} to {to}: {body}");
        assert!(body.contains(says), "{from} to {to}: {body}");
    }
}

#[tokio::test]
async fn an_event_without_a_checkpoint_is_not_proven_yet() {
    let world = World::new().await;
    let http = Http::of(&world);
    let key = http.key(world.test.tenant, &[Role::Auditor]).await;
    for published in [0, 3] {
        if published > 0 {
            world.publish().await.unwrap();
        }
        world.log(3).await;
        let newest = http.page(&key, "/audit/events?limit=1").await;
        let id = newest["items"][0]["id"].as_str().unwrap();
        let (status, body) = http.get(&key, &format!("/audit/events/{id}/proof")).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        assert!(body.contains("not_signed_yet"), "{body}");
    }
}

#[tokio::test]
async fn other_roles_and_other_tenants_see_nothing() {
    let world = World::new().await;
    world.logged(3).await;
    let http = Http::of(&world);
    let operator = http.key(world.test.tenant, &[Role::Operator, Role::Viewer]).await;
    let continues = "/audit/consistency?from=1&to=3";
    let paths = ["/audit/events", "/audit/checkpoint", "/audit/keys", continues];
    for path in paths {
        assert_eq!(http.get(&operator, path).await.0, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(http.get("cs_x_y", path).await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
    let auditor = http.key(world.test.tenant, &[Role::Auditor]).await;
    let mine = http.page(&auditor, "/audit/events").await;
    let id = mine["items"][0]["id"].as_str().unwrap();
    let stranger = http.key(world.test.another_tenant().await, &[Role::Auditor]).await;
    let theirs = http.page(&stranger, "/audit/events").await;
    assert_eq!(theirs["items"].as_array().unwrap().len(), 0);
    for path in [format!("/audit/events/{id}"), format!("/audit/events/{id}/proof")] {
        assert_eq!(http.get(&stranger, &path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/audit/checkpoint", "/audit/keys", continues] {
        assert_eq!(http.get(&stranger, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn filters_that_cannot_be_are_refused_with_their_path() {
    let world = World::new().await;
    let http = Http::of(&world);
    let key = http.key(world.test.tenant, &[Role::Auditor]).await;
    for (query, path) in [
        ("actor_id=nobody", "query.actor_id"),
        ("action=%00", "query.action"),
        (&format!("target_id={}", "x".repeat(256)), "query.target_id"),
        ("limit=0", "query.limit"),
        ("cursor=!", "query.cursor"),
    ] {
        let (status, body) = http.get(&key, &format!("/audit/events?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        let problem: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(problem["errors"][0]["path"], path, "{body}");
    }
}
