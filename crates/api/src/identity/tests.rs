//! Who a token stands for once somebody was shut out.

use db::testing::{TestDb, database};
use model::actor::Role;
use model::audit::Origin;

use super::resolve;
use super::store::{again, load_actor};
use crate::testing;

async fn run(test: &TestDb, sql: &'static str) {
    sqlx::query(sql).bind(test.tenant.uuid()).execute(test.admin()).await.unwrap();
}

#[tokio::test]
async fn an_inactive_actor_or_tenant_or_user_is_nobody() {
    let test = database().await;
    let app = testing::app(&test.db);
    let actor = test.another_actor(test.tenant, "Ada", &[Role::Viewer]).await;
    let (_, key) = testing::key(&test.db, &actor).await;
    let (_, session) = testing::session(&test.db, &actor).await;
    let by_key = resolve(&app, &key, Origin::default()).await.unwrap();
    let by_session = resolve(&app, &session, Origin::default()).await.unwrap();
    let shut = [
        ("actors", "UPDATE countersign.actors SET is_active = $2 WHERE tenant_id = $1"),
        ("tenants", "UPDATE countersign.tenants SET is_active = $2 WHERE id = $1"),
        ("users", "UPDATE countersign.users SET is_active = $2 WHERE tenant_id = $1"),
    ];
    for (table, sql) in shut {
        for open in [false, true] {
            sqlx::query(sql)
                .bind(test.tenant.uuid())
                .bind(open)
                .execute(test.admin())
                .await
                .unwrap();
            // A key has no user.
            let key_works = open || table == "users";
            assert_eq!(resolve(&app, &key, Origin::default()).await.is_ok(), key_works, "{table}");
            assert_eq!(again(&app, &by_key).await.unwrap().is_some(), key_works, "{table}");
            assert_eq!(resolve(&app, &session, Origin::default()).await.is_ok(), open, "{table}");
            assert_eq!(again(&app, &by_session).await.unwrap().is_some(), open, "{table}");
            let mut tx = test.db.tenant(test.tenant).await.unwrap();
            assert_eq!(load_actor(&mut tx, actor.id).await.unwrap().is_some(), open, "{table}");
        }
    }
}

#[tokio::test]
async fn the_look_ups_across_tenants_find_nothing_of_an_inactive_tenant() {
    let test = database().await;
    let actor = test.another_actor(test.tenant, "Ada", &[Role::Viewer]).await;
    testing::key(&test.db, &actor).await;
    testing::session(&test.db, &actor).await;
    for (expected, sql) in [
        (1, "UPDATE countersign.tenants SET is_active = true WHERE id = $1"),
        (0, "UPDATE countersign.tenants SET is_active = false WHERE id = $1"),
    ] {
        run(&test, sql).await;
        let keys: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM countersign.api_keys k, countersign.find_api_key(k.key_prefix)",
        )
        .fetch_one(test.admin())
        .await
        .unwrap();
        let sessions: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM countersign.user_sessions s, countersign.find_session(s.token_hash)",
        )
        .fetch_one(test.admin())
        .await
        .unwrap();
        assert_eq!((keys, sessions), (expected, expected));
    }
}

#[tokio::test]
async fn a_caller_looked_up_again_has_the_roles_of_today() {
    let test = database().await;
    let app = testing::app(&test.db);
    let actor = test.another_actor(test.tenant, "Ada", &[Role::Viewer]).await;
    let (_, key) = testing::key(&test.db, &actor).await;
    let before = resolve(&app, &key, Origin::default()).await.unwrap();
    run(&test, "UPDATE countersign.actors SET roles = '{auditor}' WHERE tenant_id = $1").await;
    let now = again(&app, &before).await.unwrap().unwrap();
    assert_eq!(now.actor.roles.into_iter().collect::<Vec<_>>(), [Role::Auditor]);
}

#[tokio::test]
async fn a_token_that_was_known_is_nobody_once_its_row_has_another_hash_or_was_revoked() {
    let test = database().await;
    let app = testing::app(&test.db);
    let changes = [
        "UPDATE countersign.api_keys SET key_hash = sha256(key_hash) WHERE tenant_id = $1",
        "UPDATE countersign.api_keys SET is_active = false WHERE tenant_id = $1",
        "UPDATE countersign.user_sessions SET token_hash = sha256(token_hash) WHERE tenant_id = $1",
        "UPDATE countersign.user_sessions SET is_active = false WHERE tenant_id = $1",
    ];
    for change in changes {
        let actor = test.another_actor(test.tenant, change, &[Role::Viewer]).await;
        let (_, key) = testing::key(&test.db, &actor).await;
        let (_, session) = testing::session(&test.db, &actor).await;
        let token = if change.contains("api_keys") { key } else { session };
        // Twice: by the long way, and by what was remembered.
        for _ in 0..2 {
            assert!(resolve(&app, &token, Origin::default()).await.is_ok(), "{change}");
        }
        run(&test, change).await;
        assert!(resolve(&app, &token, Origin::default()).await.is_err(), "{change}");
    }
}
