//! The lenses against the contract: every field of the five source documents has its place.

use std::collections::{BTreeMap, BTreeSet};

use db::testing;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

/// The contract: a row for every object and field of the five documents.
const CONTRACT: &str = include_str!("contract/seed-model.json");

/// A row of the contract.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Promise {
    system: String,
    object: String,
    /// Empty for a constraint on the whole object.
    field: String,
    /// As the document words it.
    #[serde(rename = "type")]
    kind: String,
    note: String,
}

fn contract() -> Vec<Promise> {
    serde_json::from_str(CONTRACT).unwrap()
}

impl Promise {
    fn lens(&self) -> &'static str {
        match self.system.as_str() {
            "carapulse" => "lens_assistant",
            "governance" => "lens_governance",
            "aiops" => "lens_aiops",
            "arf" => "lens_decision",
            "driftguard" => "lens_drift",
            other => panic!("no lens for {other}"),
        }
    }

    /// An object given as a shape is a view of one document.
    fn shape(&self) -> bool {
        self.object.starts_with(|first: char| first.is_ascii_uppercase())
    }

    fn view(&self) -> String {
        let lens = self.lens();
        if self.shape() {
            format!("{lens}.{}_document", snake(&self.object))
        } else {
            format!("{lens}.{}", self.object)
        }
    }

    fn name(&self) -> String {
        format!("{} {}.{}", self.system, self.object, self.field)
    }

    /// The type the document gives its column, in PostgreSQL's words: an empty one where it gives
    /// none, `id` where it is an integer or a text that is a key.
    fn type_asked(&self) -> String {
        let lower = self.kind.to_lowercase();
        let word = lower.split([' ', ',', '(']).next().unwrap_or_default();
        let key = ["references", "foreignkey", "primary"].iter().any(|word| lower.contains(word))
            || (self.field.ends_with("_id") && word == "integer");
        match word {
            "" | "pk" | "fk" | "bigserial" | "serial" => "id".to_owned(),
            "text" | "string" | "varchar" | "integer" if key => "id".to_owned(),
            "string" | "varchar" => "text".to_owned(),
            "datetime" | "timestamptz" => "timestamp with time zone".to_owned(),
            "float" => "double precision".to_owned(),
            "array[string]" => "text[]".to_owned(),
            "array[integer]" => "integer[]".to_owned(),
            "execution_mode" | "runbook_status" | "execution_status" | "circuit_state"
            | "os_type" => format!("lens_aiops.{word}"),
            other => other.to_owned(),
        }
    }

    /// Whether a column of this type holds what the document asks for.
    fn fits(&self, actual: &str) -> bool {
        let named = |ends: &[&str]| ends.iter().any(|end| self.field.ends_with(end));
        match (self.type_asked().as_str(), actual) {
            // Document 000 gives its tables' columns names and no types.
            ("id", actual) if self.kind.is_empty() => match actual {
                "uuid" => named(&["_id"]),
                "timestamp with time zone" => named(&["_at"]),
                "jsonb" => named(&["_json"]),
                "text" => !named(&["_id", "_at", "_json"]),
                _ => false,
            },
            // A key of ours, a name from outside, or a number in the log.
            ("id", actual) => ["uuid", "text", "bigint"].contains(&actual),
            // A window opens and closes by a local clock.
            ("timestamp with time zone", "timestamp without time zone") => {
                self.object == "blackout_windows"
            }
            // Every other instant has a zone.
            ("timestamp", "timestamp with time zone")
            | ("time", "time without time zone")
            | ("json", "jsonb")
            | ("decimal", "double precision")
            | ("integer", "bigint")
            // Sorts by severity, not by letters.
            | ("text", "countersign.severity") => true,
            (asked, actual) => asked == actual,
        }
    }

    /// The words the document allows.
    fn words(&self) -> Option<BTreeSet<String>> {
        let (_, list) = self.kind.split_once(" in (").or_else(|| self.kind.split_once(" IN ("))?;
        let (list, _) = list.split_once(')')?;
        Some(list.split(',').map(|word| word.trim().trim_matches('\'').to_owned()).collect())
    }
}

/// `ContextRef` as `context_ref`.
fn snake(name: &str) -> String {
    name.char_indices().fold(String::new(), |mut snake, (at, letter)| {
        if letter.is_ascii_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        snake
    })
}

/// Where a constraint of a document holds in our tables.
const CONSTRAINTS: &[(&str, &str)] = &[
    ("governance users", "users_upn_key"),
    ("governance cost_timeseries", "cost_timeseries_day_key"),
    ("driftguard environments", "environments_slug_key"),
    ("driftguard iac_repositories", "iac_repositories_source_key"),
    ("driftguard iac_resources", "iac_resources_address_key"),
    ("driftguard drift_metrics_daily", "drift_metrics_daily_day_key"),
];

async fn try_out(connection: &mut PgConnection, query: String) -> Result<(), String> {
    let tried = sqlx::raw_sql(AssertSqlSafe(query)).execute(connection).await;
    tried.map(drop).map_err(|error| error.to_string())
}

/// Whether the catalogue keeps a promise.
async fn kept(connection: &mut PgConnection, promise: &Promise) -> Result<(), String> {
    if promise.kind == "constraint" {
        let table = format!("{} {}", promise.system, promise.object);
        let (_, constraint) = CONSTRAINTS
            .iter()
            .find(|(of, _)| *of == table)
            .ok_or_else(|| format!("nothing stands for {}", promise.note))?;
        let found: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint
                            WHERE conname = $1 AND contype IN ('p', 'u'))",
        )
        .bind(*constraint)
        .fetch_one(connection)
        .await
        .unwrap();
        return if found { Ok(()) } else { Err(format!("{constraint} is not there")) };
    }
    let view = promise.view();
    if promise.shape() {
        // Its keys are looked at where there is a record.
        return try_out(connection, format!("SELECT document::jsonb FROM {view} LIMIT 0")).await;
    }
    let actual: Option<String> = sqlx::query_scalar(
        "SELECT pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
         WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped",
    )
    .bind(&view)
    .bind(&promise.field)
    .fetch_optional(&mut *connection)
    .await
    .unwrap();
    let actual = actual.ok_or_else(|| format!("{view} has no such column"))?;
    if !promise.fits(&actual) {
        return Err(format!("is {actual}, where the document says {}", promise.kind));
    }
    // As the application, which may read the lens and no more.
    try_out(connection, format!("SELECT \"{}\" FROM {view} LIMIT 0", promise.field)).await
}

#[tokio::test]
async fn every_field_of_the_five_documents_is_in_its_lens_with_a_type_that_fits() {
    let test = testing::database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let promises = contract();
    let mut broken = Vec::new();
    for promise in &promises {
        sqlx::query("SAVEPOINT one").execute(tx.conn()).await.unwrap();
        if let Err(why) = kept(tx.conn(), promise).await {
            broken.push(format!("{}: {why}", promise.name()));
            sqlx::query("ROLLBACK TO SAVEPOINT one").execute(tx.conn()).await.unwrap();
        }
    }
    println!("contract: {} rows checked, {} passed", promises.len(), promises.len() - broken.len());
    assert_eq!(broken, [] as [String; 0]);
    assert_eq!(promises.len(), 669, "the contract is whole");
}

#[tokio::test]
async fn a_lens_has_the_columns_of_its_document_and_no_other() {
    let test = testing::database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let mut promised: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for promise in contract().iter().filter(|promise| !promise.field.is_empty()) {
        let column = if promise.shape() { "document" } else { promise.field.as_str() };
        promised.entry(promise.view()).or_default().insert(column.to_owned());
    }
    // What the contract file lacks and the documents have.
    let more = [
        (
            "lens_aiops.execution_stats",
            "runbook_id runbook_name total_executions successful failed \
          avg_duration_ms last_execution",
        ),
        ("lens_assistant.config_document", "document"),
        ("lens_decision.usage_logs", "id api_key tenant_id endpoint units period timestamp"),
        ("lens_governance.queue_messages", "id tenant_id type params idempotency_key created_at"),
    ];
    for (view, columns) in more {
        promised.insert(view.to_owned(), columns.split_whitespace().map(str::to_owned).collect());
    }
    let rows = sqlx::query(
        "SELECT table_schema || '.' || table_name AS view, column_name::text AS name
         FROM information_schema.columns WHERE table_schema LIKE 'lens\\_%'",
    )
    .fetch_all(tx.conn())
    .await
    .unwrap();
    let mut there: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        there.entry(row.get("view")).or_default().insert(row.get("name"));
    }
    assert_eq!(there, promised);
}

#[tokio::test]
async fn the_lenses_can_only_be_read() {
    let test = testing::database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let writable: Vec<String> = sqlx::query_scalar(
        "SELECT n.nspname || '.' || c.relname
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname LIKE 'lens\\_%' AND c.relkind = 'v'
           AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')",
    )
    .fetch_all(tx.conn())
    .await
    .unwrap();
    assert_eq!(writable, [] as [String; 0]);
}

/// Every state of ours has a word in each document that names states.
#[tokio::test]
async fn every_state_has_a_word_the_documents_know() {
    let test = testing::database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::from([
        ("assistant", words("pending running failed succeeded rolled_back cancelled")),
        ("aiops", words("pending approved running completed failed cancelled timeout")),
        (
            "governance",
            contract()
                .iter()
                .find(|one| one.object == "actions" && one.field == "status")
                .and_then(Promise::words)
                .unwrap(),
        ),
    ]);
    let check: String = sqlx::query_scalar(
        "SELECT pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint
         WHERE conname = 'executions_state_word'",
    )
    .fetch_one(tx.conn())
    .await
    .unwrap();
    let states: Vec<&str> = check.split('\'').skip(1).step_by(2).collect();
    assert_eq!(states.len(), 18, "{check}");
    for (lens, known) in known {
        for state in &states {
            let word: Option<String> =
                sqlx::query_scalar("SELECT countersign.execution_word($1, $2)")
                    .bind(state)
                    .bind(lens)
                    .fetch_one(tx.conn())
                    .await
                    .unwrap();
            let word = word.unwrap_or_else(|| panic!("{lens} has no word for {state}"));
            assert!(known.contains(&word), "{lens} does not know {word}, which stands for {state}");
        }
    }
}

fn words(list: &str) -> BTreeSet<String> {
    list.split_whitespace().map(str::to_owned).collect()
}
