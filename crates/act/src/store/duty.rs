//! Who asked for an execution, and how risky it was found.

use db::TenantTx;
use model::id::{ActorId, ExecutionId};
use model::level::Tier;

use super::rows::word;
use crate::duty::Asked;
use crate::error::Error;

#[derive(Debug, sqlx::FromRow)]
struct Row {
    people: Vec<String>,
    person: String,
    tier: Option<String>,
}

/// Who asked for an execution, and the person behind `settler`. Whatever has no assessment counts
/// as critical.
pub(crate) async fn asked(
    tx: &mut TenantTx,
    id: ExecutionId,
    settler: ActorId,
) -> Result<(Asked, String), Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT countersign.people_of(e.tenant_id, e.initiated_by)
             || COALESCE(countersign.people_of(i.tenant_id, i.requester_actor_id), '{}') AS people,
           countersign.person_of(e.tenant_id, $3) AS person,
           r.tier
         FROM countersign.executions e
         LEFT JOIN countersign.intents i ON i.tenant_id = e.tenant_id AND i.id = e.intent_id
         LEFT JOIN countersign.decisions d ON d.tenant_id = e.tenant_id AND d.id = e.decision_id
         LEFT JOIN countersign.risk_assessments r
           ON r.tenant_id = d.tenant_id AND r.id = d.risk_id
         WHERE e.tenant_id = $1 AND e.id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(settler.uuid())
    .fetch_optional(tx.conn())
    .await
    .map_err(db::Error::from)
    .map_err(Error::db("reading who asked for an execution"))?;
    let row = row.ok_or(Error::NotFound(id))?;
    let tier = row.tier.as_deref().map(|text| word("tier", text)).transpose()?;
    let asked =
        Asked { by: row.people.into_iter().collect(), tier: tier.unwrap_or(Tier::Critical) };
    Ok((asked, row.person))
}
