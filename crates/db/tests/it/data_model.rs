//! `docs/data-model.md` is what the catalogue says.

use std::path::Path;

use db::testing;
use sqlx::Row as _;

const HEAD: &str = "# The data model

Made from the catalogue's own comments by a test of `db`; `UPDATE_DOCS=1 cargo xtask test -p db
data_model` writes it anew. A new table says in its migration what it is (`COMMENT ON TABLE`), as
`what | source tables | how long its rows are to be kept`.

Every table is in schema `countersign`, is keyed by `(tenant_id, id)` unless its name says what else
it is keyed by, and is shut by row-level security. `lens_assistant` (000), `lens_governance` (001),
`lens_aiops` (002), `lens_decision` (003) and `lens_drift` (004) show it in the words of the five
source documents.

| table | what it is | source tables | kept |
|---|---|---|---|
";

#[tokio::test]
async fn the_data_model_page_is_what_the_catalogue_says() {
    let test = testing::database().await;
    let rows = sqlx::query(
        "SELECT c.relname::text AS name, obj_description(c.oid, 'pg_class') AS comment,
                c.relkind = 'p' AS monthly
         FROM pg_catalog.pg_class c
         WHERE c.relnamespace = 'countersign'::regnamespace AND c.relkind IN ('r', 'p')
           AND NOT c.relispartition AND c.relname <> '_sqlx_migrations'
         ORDER BY c.relname",
    )
    .fetch_all(test.admin())
    .await
    .unwrap();
    let mut page = HEAD.to_owned();
    for row in rows {
        let name: String = row.get("name");
        let comment: Option<String> = row.get("comment");
        let comment = comment.unwrap_or_else(|| panic!("{name} has no comment"));
        let parts: Vec<&str> = comment.split(" | ").collect();
        let [what, sources, kept] = parts.as_slice() else {
            panic!("{name}: `what | source tables | kept` is wanted, not {comment}")
        };
        let monthly: bool = row.get("monthly");
        assert_eq!(monthly, what.contains("by month"), "{name} says how it is partitioned");
        page.push_str(&format!("| `{name}` | {what} | {sources} | {kept} |\n"));
    }
    let path = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap())
        .join("../../docs/data-model.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page, "UPDATE_DOCS=1 writes it anew");
}
