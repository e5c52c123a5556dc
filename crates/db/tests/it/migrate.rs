//! Roles and migrations.

use db::testing;
use db::{AuditKey, Db, Options, migrate};
use sqlx::AssertSqlSafe;

#[tokio::test]
async fn roles_and_migrations_may_be_repeated_by_many_at_once() {
    let test = testing::database().await;
    let schemas = migrate::SCHEMAS.join(", ");
    let drop = format!("DROP SCHEMA {schemas} CASCADE");
    sqlx::query(AssertSqlSafe(drop)).execute(test.admin()).await.unwrap();
    let administrators = (0..4).map(|_| async {
        migrate::roles(&test.admin_url, "for tests only").await.unwrap();
        migrate::run(&test.admin_url).await.unwrap()
    });
    let runs = futures::future::join_all(administrators).await;
    let newest = migrate::newest();
    assert!(runs.iter().all(|run| run.to == newest), "{runs:?}");
    let worked = runs.iter().filter(|run| run.from.is_none()).count();
    assert_eq!(worked, 1, "one of them applied the migrations: {runs:?}");
    let options = Options {
        url: test.url.clone(),
        max_connections: 2,
        audit_key: AuditKey::new(&testing::AUDIT_KEY),
    };
    Db::connect(options).await.unwrap();
}

#[tokio::test]
async fn a_migration_changed_after_it_was_applied_is_refused() {
    let test = testing::database().await;
    sqlx::query("UPDATE countersign._sqlx_migrations SET checksum = '\\x00' WHERE version = 1")
        .execute(test.admin())
        .await
        .unwrap();
    assert!(matches!(migrate::run(&test.admin_url).await, Err(db::Error::Migrate(_))));
}

#[tokio::test]
async fn nothing_in_the_schema_belongs_to_a_login() {
    let test = testing::database().await;
    let owners: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT pg_get_userbyid(relowner)::text
         FROM pg_class
         WHERE relnamespace = 'countersign'::regnamespace
            OR relnamespace::regnamespace::text LIKE 'lens\\_%'",
    )
    .fetch_all(test.admin())
    .await
    .unwrap();
    assert_eq!(owners, ["countersign_owner"]);
}
