//! What each role beside the application's may do, right by right (T5, T11).

use std::collections::BTreeSet;
use std::path::Path;

use db::testing;
use sqlx::{AssertSqlSafe, PgConnection};

/// Every right of theirs; `UPDATE_DOCS=1` writes it anew, to be read in the diff.
const KNOWN: &str = "tests/it/grants.txt";

async fn rights(admin: &mut PgConnection) -> BTreeSet<String> {
    let rows: Vec<String> =
        sqlx::query_scalar(include_str!("grants.sql")).fetch_all(admin).await.unwrap();
    rows.into_iter().collect()
}

#[tokio::test]
async fn t5_no_role_may_do_more_or_less_than_is_written_down() {
    let test = testing::database().await;
    let mut admin = test.admin().acquire().await.unwrap();
    let found = rights(&mut admin).await;
    let path = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join(KNOWN);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let text: String = found.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, text).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let known: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let more: Vec<_> = found.difference(&known).collect();
    let less: Vec<_> = known.difference(&found).collect();
    assert!(more.is_empty() && less.is_empty(), "more: {more:#?}\nless: {less:#?}");
}

#[tokio::test]
async fn t5_a_right_that_is_widened_within_its_own_table_is_seen() {
    let test = testing::database().await;
    let mut connection = test.admin().acquire().await.unwrap();
    let before = rights(&mut connection).await;
    drop(connection);
    let cases = [
        (
            "GRANT SELECT ON countersign.tenants TO countersign_queue",
            "countersign_queue: SELECT countersign.tenants",
        ),
        (
            "GRANT SELECT (leaf) ON countersign.audit_events TO countersign_retention",
            "countersign_retention: SELECT countersign.audit_events (id, leaf, seq, tenant_id)",
        ),
        (
            "GRANT UPDATE (leaf) ON countersign.audit_events TO countersign_sequencer",
            "countersign_sequencer: UPDATE countersign.audit_events (leaf)",
        ),
        (
            "GRANT SELECT ON countersign.beta_state TO PUBLIC",
            "PUBLIC: SELECT countersign.beta_state",
        ),
        (
            "GRANT EXECUTE ON FUNCTION countersign.claim_job(text, interval, text[])
               TO countersign_report",
            "countersign_report: EXECUTE function countersign.claim_job",
        ),
        (
            "CREATE POLICY wide ON countersign.jobs TO countersign_sequencer USING (true)",
            "countersign_sequencer: policy wide on countersign.jobs for * using true check -",
        ),
    ];
    for (statement, right) in cases {
        let mut admin = test.admin().begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *admin).await.unwrap();
        let after = rights(&mut admin).await;
        let more: Vec<_> = after.difference(&before).collect();
        assert!(matches!(more[..], [one] if one.starts_with(right)), "{statement}: {more:?}");
        admin.rollback().await.unwrap();
    }
}

/// What each role must not do, and one thing it can.
const ROLES: [(&str, &[&str], &str); 3] = [
    (
        // Looks for work and takes it: who does what, and what it is, is nothing to it.
        "countersign_queue",
        &[
            "SELECT settings FROM countersign.tenants",
            "SELECT lease_owner FROM countersign.jobs",
            "SELECT plan_id FROM countersign.executions",
            "SELECT password_hash FROM countersign.users",
            "SELECT ciphertext FROM countersign.credentials",
            "SELECT canon FROM countersign.audit_events",
            "UPDATE countersign.executions SET state = 'approved'",
            "UPDATE countersign.approvals SET status = 'approved'",
            "INSERT INTO countersign.jobs DEFAULT VALUES",
            "DELETE FROM countersign.jobs",
        ],
        "SELECT lease_epoch FROM countersign.executions",
    ),
    (
        // Gives events their places: it changes none, and knows nobody.
        "countersign_sequencer",
        &[
            "UPDATE countersign.audit_events SET canon = canon",
            "DELETE FROM countersign.audit_events",
            "DELETE FROM countersign.audit_checkpoints",
            "UPDATE countersign.audit_checkpoints SET size = 0",
            "INSERT INTO countersign.audit_outbox DEFAULT VALUES",
            "UPDATE countersign.audit_heads SET minimum = 1",
            "SELECT name FROM countersign.tenants",
            "SELECT 1 FROM countersign.users",
            "SELECT key_hash FROM countersign.api_keys",
            "SELECT ciphertext FROM countersign.credentials",
            "INSERT INTO countersign.executions DEFAULT VALUES",
        ],
        "SELECT canon FROM countersign.audit_outbox",
    ),
    (
        // Takes out what is archived: it puts nothing in, and changes nothing that stays.
        "countersign_retention",
        &[
            "INSERT INTO countersign.findings DEFAULT VALUES",
            "UPDATE countersign.executions SET state = 'completed'",
            "UPDATE countersign.audit_events SET canon = canon",
            "SELECT canon FROM countersign.audit_events",
            "SELECT canon FROM countersign.audit_outbox",
            "DELETE FROM countersign.audit_checkpoints",
            "DELETE FROM countersign.legal_holds",
            "DELETE FROM countersign.archives",
            "SELECT body FROM countersign.audit_personal",
            "SELECT password_hash FROM countersign.users",
            "SELECT token_hash FROM countersign.user_sessions",
            "SELECT ciphertext FROM countersign.credentials",
            "SELECT wrapped FROM countersign.tenant_keys",
            "DELETE FROM countersign.users",
        ],
        "SELECT id FROM countersign.findings",
    ),
];

#[tokio::test]
async fn t11_each_role_of_the_background_can_do_its_own_work_and_nothing_beside_it() {
    let test = testing::database().await;
    let denied = async |role: &str, statement: &'static str| {
        let mut tx = test.admin().begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("SET LOCAL ROLE {role}")))
            .execute(&mut *tx)
            .await
            .unwrap();
        let error = sqlx::query(statement).execute(&mut *tx).await.err()?;
        Some(error.as_database_error()?.code()?.into_owned())
    };
    for (role, refused, able) in ROLES {
        for statement in refused {
            assert_eq!(
                denied(role, statement).await.as_deref(),
                Some("42501"),
                "{role}: {statement}"
            );
        }
        assert_eq!(denied(role, able).await, None, "{role}: {able}");
        // Nobody logs in as it, and no login can become it.
        let (login, members): (bool, i64) = sqlx::query_as(
            "SELECT rolcanlogin, (
               SELECT count(*) FROM pg_catalog.pg_roles m
               WHERE m.rolcanlogin AND NOT m.rolsuper AND m.rolname LIKE 'countersign\\_%'
                 AND pg_has_role(m.oid, r.oid, 'MEMBER'))
             FROM pg_catalog.pg_roles r WHERE rolname = $1",
        )
        .bind(role)
        .fetch_one(test.admin())
        .await
        .unwrap();
        assert_eq!((login, members), (false, 0), "{role}");
    }
}
