//! Which servers and schemas are taken.

use db::testing;
use db::{AuditKey, Db, Error, Flaw, Kind, Options, migrate};

fn options(url: &str) -> Options {
    Options {
        url: url.to_owned(),
        max_connections: 2,
        audit_key: AuditKey::new(&testing::AUDIT_KEY),
    }
}

async fn behind(url: &str) -> Flaw {
    match Db::connect(options(url)).await {
        Err(Error::Unfit(flaw)) => flaw,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn t14_a_server_without_the_security_release_is_refused_before_anything_else_is_asked() {
    let test = testing::database().await;
    for (number, version, needed) in
        [(150_013, "15.13", "15.14"), (160_009, "16.9", "16.10"), (140_019, "14.19", "15.14")]
    {
        test.claims_version(number, version).await;
        let old = Flaw::OldServer { found: version.to_owned(), needed: needed.to_owned() };
        assert_eq!(behind(&test.url).await, old);
        // Whatever else is wrong with it.
        assert_eq!(behind(&test.admin_url).await, old);
        assert!(old.to_string().contains(needed), "{old}");
    }
    test.claims_version(150_014, "15.14").await;
    Db::connect(options(&test.url)).await.unwrap().close().await;
}

#[tokio::test]
async fn a_schema_that_is_behind_is_refused_with_what_to_do() {
    let test = testing::database().await;
    let needed = migrate::newest().expect("there are migrations");
    sqlx::query("DELETE FROM countersign._sqlx_migrations WHERE version = $1")
        .bind(needed)
        .execute(test.admin())
        .await
        .unwrap();
    let flaw = behind(&test.url).await;
    let found: Option<i64> =
        sqlx::query_scalar("SELECT max(version) FROM countersign._sqlx_migrations")
            .fetch_one(test.admin())
            .await
            .unwrap();
    assert_eq!(flaw, Flaw::SchemaBehind { found, needed });
    assert!(found < Some(needed));
    assert!(flaw.to_string().contains("countersign db migrate"), "{flaw}");
}

#[tokio::test]
async fn a_database_without_the_schema_is_refused() {
    let test = testing::database().await;
    sqlx::query("DROP SCHEMA countersign CASCADE").execute(test.admin()).await.unwrap();
    assert!(matches!(behind(&test.url).await, Flaw::SchemaBehind { found: None, .. }));
}

#[tokio::test]
async fn a_schema_that_is_ahead_is_taken() {
    let test = testing::database().await;
    sqlx::query(
        "INSERT INTO countersign._sqlx_migrations
           (version, description, success, checksum, execution_time)
         VALUES (999999, 'of a newer program', true, '', 0)",
    )
    .execute(test.admin())
    .await
    .unwrap();
    Db::connect(options(&test.url)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("postgres://nobody@localhost/x?host={}", dir.path().display());
    let error = Db::connect(options(&url)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
}

#[tokio::test]
async fn options_do_not_print_the_password() {
    let printed = format!("{:?}", options("postgres://u:hunter2@localhost/x"));
    assert!(!printed.contains("hunter2"), "{printed}");
}
