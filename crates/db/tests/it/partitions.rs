//! Tables that are kept by month.

use db::{partitions, testing};
use model::id::TenantId;
use sqlx::{AssertSqlSafe, PgPool};

async fn count(admin: &PgPool, statement: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_one(admin).await.unwrap()
}

/// Puts a use of a moment into the log of uses, past all references; gives where it went.
async fn used_at(admin: &PgPool, tenant: TenantId, moment: &str) -> String {
    let mut tx = admin.begin().await.unwrap();
    sqlx::query("SET LOCAL session_replication_role = replica").execute(&mut *tx).await.unwrap();
    let partition = sqlx::query_scalar(
        "INSERT INTO countersign.usage_logs (tenant_id, id, actor_id, endpoint, period)
         VALUES ($1, countersign.first_id_at($2::text::timestamptz), $1, 'test', '2026-01-01')
         RETURNING tableoid::regclass::text",
    )
    .bind(tenant.uuid())
    .bind(moment)
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    partition
}

#[tokio::test]
async fn months_are_made_ahead_once_by_however_many() {
    let test = testing::database().await;
    let months = "SELECT count(*) FROM pg_catalog.pg_class
                  WHERE relispartition AND relkind = 'r' AND relname ~ '_y[0-9]{4}m[0-9]{2}$'";
    let tables = "SELECT count(*) FROM pg_catalog.pg_class
                  WHERE relkind = 'p' AND relnamespace = 'countersign'::regnamespace";
    let tables = count(test.admin(), tables).await;
    assert!(tables >= 6, "{tables} tables are kept by month");
    // Last month, this one, and three to come.
    assert_eq!(count(test.admin(), months).await, tables * 5);
    let drop = "SELECT format('DROP TABLE countersign.%I', max(relname))
                FROM pg_catalog.pg_class WHERE relname ~ '^usage_logs_y[0-9]{4}m[0-9]{2}$'";
    let drop: String = sqlx::query_scalar(drop).fetch_one(test.admin()).await.unwrap();
    sqlx::query(AssertSqlSafe(drop)).execute(test.admin()).await.unwrap();
    let many = futures::future::join_all((0..4).map(|_| partitions::make_ahead(&test.db))).await;
    let made: i32 = many.into_iter().map(Result::unwrap).sum();
    assert_eq!(made, 1);
    assert_eq!(count(test.admin(), months).await, tables * 5);
    let mut admin = test.admin().acquire().await.unwrap();
    assert_eq!(db::catalogue::breaches(&mut admin).await.unwrap(), []);
}

#[tokio::test]
async fn a_row_lies_in_the_month_of_its_id_and_is_never_refused() {
    let test = testing::database().await;
    let now: String =
        sqlx::query_scalar("SELECT to_char(now() AT TIME ZONE 'UTC', '\"y\"YYYY\"m\"MM')")
            .fetch_one(test.admin())
            .await
            .unwrap();
    let present = used_at(test.admin(), test.tenant, "now").await;
    assert_eq!(present, format!("countersign.usage_logs_{now}"));
    for far in ["2001-01-01 00:00:00+00", "2101-01-01 00:00:00+00"] {
        let place = used_at(test.admin(), test.tenant, far).await;
        assert_eq!(place, "countersign.usage_logs_rest");
    }
}

/// A server that was off for long: its first rows of a month came before the month's partition.
#[tokio::test]
async fn a_month_whose_rows_came_first_keeps_them_with_the_rest() {
    let test = testing::database().await;
    let drop: Vec<String> = sqlx::query_scalar(
        "SELECT format('DROP TABLE countersign.%I', relname)
         FROM pg_catalog.pg_class WHERE relname ~ '^usage_logs_y[0-9]{4}m[0-9]{2}$'",
    )
    .fetch_all(test.admin())
    .await
    .unwrap();
    for drop in drop {
        sqlx::query(AssertSqlSafe(drop)).execute(test.admin()).await.unwrap();
    }
    assert_eq!(used_at(test.admin(), test.tenant, "now").await, "countersign.usage_logs_rest");
    assert_eq!(partitions::make_ahead(&test.db).await.unwrap(), 4);
    assert_eq!(count(test.admin(), "SELECT count(*) FROM countersign.usage_logs").await, 1);
}
