//! The catalogue gate: T5 and T12.

use db::catalogue::{Breach, breaches};
use db::testing;
use sqlx::AssertSqlSafe;

fn describe(breach: &Breach) -> String {
    format!("{}: {}", breach.object, breach.fault)
}

/// What the gate says after the administrator ran each statement; all are undone.
async fn check(cases: &[(&'static str, &[&str])]) {
    let test = testing::database().await;
    for (statement, expected) in cases {
        let mut admin = test.admin().begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(*statement)).execute(&mut *admin).await.unwrap();
        let found: Vec<String> = breaches(&mut admin).await.unwrap().iter().map(describe).collect();
        assert_eq!(found, *expected, "after {statement}");
        admin.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn t5_catalogue_gate_finds_no_hole_in_the_migrated_database() {
    check(&[("SELECT", &[])]).await;
}

#[tokio::test]
async fn t5_the_gate_can_be_read_by_the_application_itself() {
    let test = testing::database().await;
    let mut tx = test.db.across().await.unwrap();
    assert_eq!(breaches(tx.conn()).await.unwrap(), []);
}

#[tokio::test]
async fn t12_a_migration_that_forgets_the_protection_is_named() {
    check(&[
        (
            "CREATE TABLE countersign.loose (tenant_id uuid, id uuid UNIQUE,
               parent uuid CONSTRAINT to_anyone REFERENCES countersign.loose (id))",
            &[
                "loose: foreign key to_anyone does not start with tenant_id",
                "loose: has no primary key",
                "loose: has no restrictive tenant policy on the application",
                "loose: is not owned by countersign_owner",
                "loose: its tenant_id may be null",
                "loose: row-level security is not enabled",
                "loose: row-level security is not forced on its owner",
                "loose: unique index countersign.loose_id_key does not start with tenant_id",
            ],
        ),
        (
            "SET ROLE countersign_owner;
             CREATE TABLE countersign.loose (id uuid PRIMARY KEY)",
            &[
                "loose: has no restrictive tenant policy on the application",
                "loose: has no tenant_id",
                "loose: row-level security is not enabled",
                "loose: row-level security is not forced on its owner",
                "loose: unique index countersign.loose_pkey does not start with tenant_id",
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn t5_lifting_any_part_of_the_protection_is_named() {
    const OPEN: &str = "actors: has no restrictive tenant policy on the application";
    const REPORTS: &str = "actors: reports may read it past the tenant policy";
    check(&[
        (
            "ALTER TABLE countersign.actors DISABLE ROW LEVEL SECURITY",
            &["actors: row-level security is not enabled"],
        ),
        (
            "ALTER TABLE countersign.actors NO FORCE ROW LEVEL SECURITY",
            &["actors: row-level security is not forced on its owner"],
        ),
        (
            "ALTER TABLE countersign.actors OWNER TO countersign_queue",
            &["actors: is not owned by countersign_owner"],
        ),
        ("DROP POLICY tenant ON countersign.actors", &[OPEN, REPORTS]),
        ("ALTER POLICY tenant ON countersign.actors TO countersign_queue", &[OPEN, REPORTS]),
        ("ALTER POLICY tenant ON countersign.actors TO countersign_app", &[REPORTS]),
        (
            // Fails on a connection without a tenant, and is evaluated for every row.
            "ALTER POLICY tenant ON countersign.actors
             USING (tenant_id = current_setting('app.tenant_id')::uuid)",
            &[OPEN, REPORTS],
        ),
        (
            // One for reports that is there, and holds nobody back.
            "ALTER POLICY tenant ON countersign.actors TO countersign_app;
             CREATE POLICY reports ON countersign.actors AS RESTRICTIVE TO countersign_report
               USING (true)",
            &[REPORTS],
        ),
        (
            "CREATE POLICY wide ON countersign.actors USING (true)",
            &["actors: policy wide is open to PUBLIC"],
        ),
        (
            "CREATE POLICY wide ON countersign.actors TO countersign_queue USING (true)",
            &["actors: policy wide is open to countersign_queue"],
        ),
        // Of tables that another role may look into, too.
        (
            "CREATE POLICY wide ON countersign.users USING (true)",
            &["users: policy wide is open to PUBLIC"],
        ),
        (
            "CREATE POLICY wide ON countersign.findings TO countersign_sequencer USING (true)",
            &["findings: policy wide is open to countersign_sequencer"],
        ),
        (
            "CREATE TABLE public.loose (tenant_id uuid NOT NULL)",
            &["public.loose: names tenants outside the schema whose tables are protected"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn t5_every_grantee_of_every_object_is_checked() {
    check(&[
        (
            "GRANT TRUNCATE ON countersign.actors TO countersign_app",
            &["actors: TRUNCATE is granted to countersign_app"],
        ),
        (
            "GRANT REFERENCES (id), TRIGGER ON countersign.actors TO countersign_app",
            &[
                "actors: REFERENCES is granted to countersign_app",
                "actors: TRIGGER is granted to countersign_app",
            ],
        ),
        ("GRANT SELECT ON countersign.actors TO PUBLIC", &["actors: SELECT is granted to PUBLIC"]),
        (
            "GRANT SELECT (display_name) ON countersign.actors TO countersign_queue",
            &["actors: SELECT is granted to countersign_queue"],
        ),
        (
            "GRANT SELECT (password_hash) ON countersign.users TO countersign_retention",
            &["users: the secret in password_hash may be read by countersign_retention"],
        ),
        (
            "GRANT SELECT ON countersign.second_factors TO countersign_report",
            &["second_factors: the secret in ciphertext may be read by countersign_report"],
        ),
        (
            "ALTER TABLE countersign.invitations RENAME token_hash TO token",
            &["invitations: token_hash is named as a secret and is not there"],
        ),
        (
            "GRANT SELECT ON countersign.actors TO countersign_app WITH GRANT OPTION",
            &["actors: SELECT may be passed on by countersign_app"],
        ),
        (
            "GRANT INSERT ON countersign._sqlx_migrations TO countersign_app",
            &["_sqlx_migrations: may be written by countersign_app"],
        ),
        (
            "GRANT CREATE ON SCHEMA countersign TO countersign_app",
            &["schema countersign: CREATE is granted to countersign_app"],
        ),
        (
            "GRANT countersign_owner TO countersign_app",
            &["role countersign_app: may become countersign_owner"],
        ),
        (
            "ALTER ROLE countersign_app BYPASSRLS",
            &["role countersign_app: is a superuser, bypasses row-level security, \
               or may make roles"],
        ),
        ("ALTER ROLE countersign_queue LOGIN", &["role countersign_queue: may log in"]),
        (
            "GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean)
               TO countersign_app",
            &["pg_catalog.set_config: may be called by countersign_app"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn t5_views_and_functions_that_see_with_other_eyes_are_named() {
    check(&[
        (
            "CREATE VIEW countersign.peek AS SELECT * FROM countersign.actors",
            &["countersign.peek: is a view that sees with its owner's eyes, not its reader's"],
        ),
        (
            "CREATE MATERIALIZED VIEW public.peek AS SELECT * FROM countersign.actors",
            &["public.peek: is a materialized view or foreign table, which no policy binds"],
        ),
        (
            "CREATE FUNCTION public.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS
             'SELECT count(*) FROM countersign.actors'",
            &[
                "public.peek: is a SECURITY DEFINER function anybody may call",
                "public.peek: is a SECURITY DEFINER function nobody allowed",
                "public.peek: is a SECURITY DEFINER function without a search_path of its own",
            ],
        ),
        (
            "ALTER FUNCTION countersign.find_tenant(text) OWNER TO CURRENT_USER",
            &["countersign.find_tenant: is a SECURITY DEFINER function nobody allowed"],
        ),
        (
            "GRANT EXECUTE ON FUNCTION countersign.find_tenant(text) TO PUBLIC",
            &["countersign.find_tenant: is a SECURITY DEFINER function anybody may call"],
        ),
    ])
    .await;
}
