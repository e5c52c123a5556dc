//! Changes of the past whose outcome somebody verified: what memory is made of.

use db::{Error, TenantTx};
use model::id::IntentId;
use serde_json::Value;
use uuid::Uuid;

/// The most that are looked through: the newest (document 003's memory holds as many).
const MOST: i64 = 1_000;

/// A change of the past, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// Which.
    pub intent: IntentId,
    /// What was asked for.
    pub payload: Value,
    /// Whether it worked.
    pub success: bool,
}

/// Verified changes of a type and category, the newest first. What was only reported is not among
/// them: nobody is to talk the gate into trusting them.
///
/// # Errors
/// When the database is not available.
pub async fn verified(
    tx: &mut TenantTx,
    intent_type: &str,
    category: &str,
) -> Result<Vec<Past>, Error> {
    let rows: Vec<(Uuid, Value, bool)> = sqlx::query_as(
        "SELECT i.id, i.payload, o.success
         FROM countersign.outcomes o
         JOIN countersign.intents i ON i.tenant_id = o.tenant_id AND i.id = o.intent_id
         WHERE o.tenant_id = $1 AND o.category = $2 AND o.verified AND i.intent_type = $3
         ORDER BY o.id DESC
         LIMIT $4",
    )
    .bind(tx.tenant().uuid())
    .bind(category)
    .bind(intent_type)
    .bind(MOST)
    .fetch_all(tx.conn())
    .await?;
    let past =
        |(id, payload, success): (Uuid, Value, bool)| Past { intent: id.into(), payload, success };
    Ok(rows.into_iter().map(past).collect())
}
