//! The rows of things that go.

use db::{Error, TenantTx};
use uuid::Uuid;

use crate::pack::Row;
use crate::subject::Subject;

/// Whether rows are looked at or taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// Looked at.
    Read,
    /// Taken out, unless a hold keeps them.
    Remove,
}

/// The name of the constraint that speaks for a hold.
pub const HOLD: &str = "legal_hold";

/// Rows taken at a time may be many, and large.
const LONGEST: &str = "SET LOCAL statement_timeout = '10min'";

/// The rows that belong to these roots of a kind, or lie in this range.
///
/// # Errors
/// When they cannot be read; to remove them also when a hold keeps them (constraint [`HOLD`]), or
/// something that came meanwhile refers to them.
pub async fn of(
    tx: &mut TenantTx,
    subject: &Subject,
    roots: &[Uuid],
    hand: Hand,
) -> Result<Vec<Row>, Error> {
    sqlx::query(LONGEST).execute(tx.conn()).await?;
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT table_name, line FROM countersign.retire($1, $2, $3, $4)")
            .bind(subject.name)
            .bind(subject.class.word())
            .bind(roots)
            .bind(hand == Hand::Remove)
            .fetch_all(tx.conn())
            .await?;
    rows.into_iter().map(|(table, json)| without_names(table, json)).collect()
}

/// What says who somebody is by name stays with the account: the archive has its id. Nobody could
/// take a name out of an object again.
const NAMES: (&str, &str) = ("approval_votes", "person");

fn without_names(table: String, json: String) -> Result<Row, Error> {
    if table != NAMES.0 {
        return Ok(Row { table, json });
    }
    let mut row: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&json).map_err(Error::internal)?;
    row.insert(NAMES.1.to_owned(), serde_json::Value::Null);
    let json = serde_json::Value::Object(row).to_string();
    Ok(Row { table, json })
}

/// Events of the log, from one place up to another, as they were signed and as they are shown.
///
/// # Errors
/// When they cannot be read.
pub async fn of_log(tx: &mut TenantTx, from: i64, end: i64) -> Result<Vec<Row>, Error> {
    let tenant = tx.tenant().uuid();
    sqlx::query(LONGEST).execute(tx.conn()).await?;
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT row_to_json(t)::text FROM countersign.audit_events t
         WHERE t.tenant_id = $1 AND t.seq >= $2 AND t.seq < $3
         ORDER BY t.seq",
    )
    .bind(tenant)
    .bind(from)
    .bind(end)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|json| Row { table: "audit_events".to_owned(), json }).collect())
}
