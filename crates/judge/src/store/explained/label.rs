//! What a person says of a finding's cause.

use db::{Error, TenantTx};
use model::id::{ActorId, CauseId, FindingId};
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use crate::drift::Cause;
use crate::drift::cause::Decider;

/// What a label changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labelled {
    /// The analysis it stands in.
    pub id: CauseId,
    /// What was said of the cause before, by whomever.
    pub before: Option<Cause>,
}

/// Takes a person's word for the cause of a finding; what the evidence says stays beside it.
///
/// # Errors
/// [`Error::NotFound`] when there is no such finding.
pub async fn label(
    tx: &mut TenantTx,
    finding: FindingId,
    cause: Cause,
    comment: Option<&str>,
    person: ActorId,
) -> Result<Labelled, Error> {
    let tenant = tx.tenant().uuid();
    let found: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM countersign.findings
         WHERE tenant_id = $1 AND id = $2
         FOR NO KEY UPDATE",
    )
    .bind(tenant)
    .bind(finding.uuid())
    .fetch_optional(tx.conn())
    .await?;
    found.ok_or(Error::NotFound)?;
    let before: Option<String> = sqlx::query_scalar(
        "SELECT cause_category FROM countersign.cause_analyses
         WHERE tenant_id = $1 AND finding_id = $2",
    )
    .bind(tenant)
    .bind(finding.uuid())
    .fetch_optional(tx.conn())
    .await?;
    let id: Uuid = sqlx::query_scalar(
        "INSERT INTO countersign.cause_analyses AS c (tenant_id, id, finding_id, cause_category,
           confidence_score, decided_by, labelled_by, labelled_at, label_comment)
         VALUES ($1, $2, $3, $4, 1, $5, $6, clock_timestamp(), $7)
         ON CONFLICT ON CONSTRAINT cause_analyses_finding_key DO UPDATE
         SET cause_category = excluded.cause_category, confidence_score = 1,
           -- How likely evidence and models found each cause stays beside it.
           decided_by = (c.decided_by - ARRAY['by', 'id', 'name', 'version']) || excluded.decided_by,
           labelled_by = excluded.labelled_by, labelled_at = excluded.labelled_at,
           label_comment = excluded.label_comment
         RETURNING id",
    )
    .bind(tenant)
    .bind(CauseId::generate().uuid())
    .bind(finding.uuid())
    .bind(cause.word())
    .bind(Json(json!(Decider::Person { id: person.to_string() })))
    .bind(person.uuid())
    .bind(comment)
    .fetch_one(tx.conn())
    .await?;
    let before = before.map(|word| word.parse().map_err(Error::internal)).transpose()?;
    Ok(Labelled { id: id.into(), before })
}
