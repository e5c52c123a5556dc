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
            assert_eq!(resolve(&app, &key, Origin::default()).await.is_ok(), open, "{table}");
            assert_eq!(again(&app, &by_key).await.unwrap().is_some(), open, "{table}");
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

#[tokio::test]
async fn w5_keys_are_found_by_their_public_part_and_a_wrong_secret_is_nobody() {
    let test = database().await;
    let app = testing::app(&test.db);
    let actor = test.another_actor(test.tenant, "Ada", &[Role::Viewer]).await;
    let (_, key) = testing::key(&test.db, &actor).await;
    let (public, secret) = key.strip_prefix("cs_").unwrap().split_once('_').unwrap();
    // The look-up across tenants takes the public part and gives a hash: it never sees a secret.
    let found: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT key_hash FROM countersign.find_api_key($1)")
            .bind(public)
            .fetch_all(test.admin())
            .await
            .unwrap();
    let hash = model::Digest::of(key.as_bytes());
    assert_eq!(found, [(hash.as_bytes().to_vec(),)]);
    let almost: String =
        secret[..secret.len() - 1].to_owned() + if secret.ends_with('A') { "B" } else { "A" };
    for wrong in [
        format!("cs_{public}_{almost}"),
        format!("cs_{public}_"),
        format!("cs_{public}_{secret}A"),
        format!("cs_{}_{secret}", public.to_lowercase()),
        format!("cs_0000000000000000_{secret}"),
        format!("css_{secret}"),
        secret.to_owned(),
    ] {
        let refused = resolve(&app, &wrong, Origin::default()).await.unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (401, "unauthenticated"), "{wrong}");
    }
    assert!(resolve(&app, &key, Origin::default()).await.is_ok());
}

/// How well times tell two kinds apart: the share of pairs in which the second took longer, half
/// when nothing tells them apart.
#[expect(clippy::cast_precision_loss, reason = "five thousand is exact")]
fn told_apart(first: &mut [u128], second: &mut [u128]) -> f64 {
    first.sort_unstable();
    second.sort_unstable();
    let (mut at, mut wins) = (0, 0.0);
    for time in second.iter() {
        while at < first.len() && first[at] < *time {
            at += 1;
        }
        let same = first[at..].iter().take_while(|other| *other == time).count();
        wins += at as f64 + same as f64 / 2.0;
    }
    wins / (first.len() as f64 * second.len() as f64)
}

/// Times both kinds in turn, 5,000 times each, up to so many times over, until one run does not tell
/// them apart: noise spoils some runs, a difference spoils all.
fn apart_in_every_run(runs: usize, mut one: impl FnMut(bool) -> bool) -> bool {
    (0..runs).all(|_| {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for n in 0..10_000 {
            let kind = n % 2 == 0;
            let begun = std::time::Instant::now();
            for _ in 0..8 {
                std::hint::black_box(one(std::hint::black_box(kind)));
            }
            let took = begun.elapsed().as_nanos();
            if kind { &mut first } else { &mut second }.push(took);
        }
        (told_apart(&mut first, &mut second) - 0.5).abs() > 0.1
    })
}

#[test]
fn w5_how_long_a_comparison_takes_does_not_tell_keys_apart() {
    let key = super::new_key().unwrap().text;
    let stored = model::Digest::of(key.as_bytes());
    let (head, _) = key.split_at(key.len() - 1);
    let (almost, random) = (format!("{head}!"), super::new_key().unwrap().text);
    assert_eq!(almost.len(), random.len());
    let ours = |valid_prefix: bool| {
        let sent = if valid_prefix { &almost } else { &random };
        let hash = model::Digest::of(sent.as_bytes());
        super::is(stored.as_bytes(), &hash)
    };
    assert!(
        !apart_in_every_run(20, ours),
        "a valid beginning takes another time than a random key"
    );
    // A comparison that stops at the first difference is found out: the measure can fail.
    let stops_early = |valid_prefix: bool| {
        let sent = if valid_prefix { &almost } else { &random };
        key.bytes()
            .zip(sent.bytes())
            .all(|(ours, theirs)| std::hint::black_box(ours) == std::hint::black_box(theirs))
    };
    assert!(apart_in_every_run(1, stops_early), "the measure finds nothing");
}
