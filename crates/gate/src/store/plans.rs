//! Plans: written once, as the canonical bytes that are hashed, approved and run.

use db::TenantTx;
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::audit::{Event, Who};
use model::id::{ActorId, IntentId, PlanId, PlanStepId, RunbookId};
use model::plan::{BlastRadius, Plan, PlanStep};
use model::{Digest, Timestamp, canonical};
use serde_json::{Value, json};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::{count, digest, small};
use crate::error::Error;

/// A plan about to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewPlan<'a> {
    /// Its id.
    pub id: PlanId,
    /// The intent it is for.
    pub intent: IntentId,
    /// Its version: one more each time the same intent is planned again.
    pub version: u32,
    /// What would be done.
    pub plan: &'a Plan,
    /// How far it reaches.
    pub blast_radius: &'a BlastRadius,
    /// One line for people.
    pub summary: &'a str,
    /// Who wrote it: the author of the runbook's version.
    pub author: ActorId,
}

/// A plan as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPlan {
    /// Its id.
    pub id: PlanId,
    /// The intent it is for.
    pub intent: IntentId,
    /// Its version.
    pub version: u32,
    /// What would be done.
    pub plan: Plan,
    /// The hash as stored when it was decided on.
    pub plan_hash: Digest,
    /// The hash of the bytes as they are now. When it differs, somebody changed them.
    pub recomputed: Digest,
    /// How far it reaches.
    pub blast_radius: BlastRadius,
    /// One line for people.
    pub summary: String,
    /// The runbook.
    pub runbook: Option<RunbookId>,
    /// Its version.
    pub runbook_version: Option<u32>,
    /// Who wrote it.
    pub author: ActorId,
    /// When.
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    intent_id: Uuid,
    version: i32,
    plan_hash: Vec<u8>,
    document: Vec<u8>,
    summary: String,
    blast_radius: Json<BlastRadius>,
    runbook_id: Option<Uuid>,
    runbook_version: Option<i32>,
    author_actor_id: Uuid,
    created_at: SqlTimestamp,
}

/// Writes a plan, its steps and its audit event, and gives its hash.
///
/// # Errors
/// When a variable has no canonical form, or the version exists.
pub async fn insert(tx: &mut TenantTx, new: &NewPlan<'_>, who: Who) -> Result<Digest, Error> {
    let document = canonical::to_bytes(new.plan)?;
    let plan_hash = Digest::of(&document);
    sqlx::query(
        "INSERT INTO countersign.plans (tenant_id, id, intent_id, version, plan_hash, document,
           summary, blast_radius, runbook_id, runbook_version, author_actor_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(tx.tenant().uuid())
    .bind(new.id.uuid())
    .bind(new.intent.uuid())
    .bind(small("version", new.version)?)
    .bind(plan_hash.as_bytes().as_slice())
    .bind(document)
    .bind(new.summary)
    .bind(Json(new.blast_radius))
    .bind(new.plan.runbook.id.uuid())
    .bind(small("runbook.version", new.plan.runbook.version)?)
    .bind(new.author.uuid())
    .execute(tx.conn())
    .await?;
    insert_steps(tx, new.id, &new.plan.steps).await?;
    let event = Event::new(who, "plan.made", "plan", &new.id)
        .with("intent_id", new.intent.to_string())
        .with("plan_hash", plan_hash.to_string())
        .with("runbook_id", new.plan.runbook.id.to_string())
        .with("runbook_version", new.plan.runbook.version)
        .with("targets", new.blast_radius.targets);
    tx.audit(&event).await?;
    Ok(plan_hash)
}

async fn insert_steps(tx: &mut TenantTx, plan: PlanId, steps: &[PlanStep]) -> Result<(), Error> {
    let rows = steps.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "INSERT INTO countersign.plan_steps (tenant_id, id, plan_id, step_order, name, stage,
           action, tool, semantics, input, preconditions, rollback, evidence_required, limits)
         SELECT $1, id, $2, step_order, name, stage, action, tool, semantics, input, preconditions,
           rollback, evidence_required, limits
         FROM jsonb_to_recordset($3) AS step (id uuid, step_order integer, name text, stage text,
           action text, tool text, semantics text, input jsonb, preconditions jsonb, rollback jsonb,
           evidence_required jsonb, limits jsonb)",
    )
    .bind(tx.tenant().uuid())
    .bind(plan.uuid())
    .bind(Json(rows))
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn row(step: &PlanStep) -> Result<Value, Error> {
    let preconditions: Vec<Value> =
        step.condition.iter().map(|condition| json!({ "condition": condition })).collect();
    let tool = step.action.split('.').next().unwrap_or(&step.action);
    Ok(json!({
        "id": PlanStepId::generate().uuid(),
        "step_order": small("steps.order", step.order)?,
        "name": step.name,
        "stage": step.stage.word(),
        "action": step.action,
        "tool": tool,
        "semantics": step.semantics.word(),
        "input": step.scripts,
        "preconditions": preconditions,
        "rollback": (!step.undo.is_empty()).then_some(&step.undo),
        "evidence_required": step.evidence,
        "limits": {
            "timeout_s": step.timeout_s,
            "retry_count": step.retry_count,
            "retry_delay_s": step.retry_delay_s,
        },
    }))
}

/// A plan, with the hash of its bytes computed anew.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Corrupt`] when the bytes are no plan any more.
pub async fn get(tx: &mut TenantTx, id: PlanId) -> Result<StoredPlan, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, intent_id, version, plan_hash, document, summary, blast_radius, runbook_id,
           runbook_version, author_actor_id, created_at
         FROM countersign.plans
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    let row = row.ok_or_else(|| Error::NotFound { what: "plan", id: id.to_string() })?;
    Ok(StoredPlan {
        id: row.id.into(),
        intent: row.intent_id.into(),
        version: count("plan version", row.version)?,
        plan: serde_json::from_slice(&row.document)
            .map_err(|error| Error::corrupt("plan", &error))?,
        plan_hash: digest("plan hash", &row.plan_hash)?,
        recomputed: Digest::of(&row.document),
        blast_radius: row.blast_radius.0,
        summary: row.summary,
        runbook: row.runbook_id.map(Into::into),
        runbook_version: row
            .runbook_version
            .map(|version| count("runbook version", version))
            .transpose()?,
        author: row.author_actor_id.into(),
        created_at: row.created_at.to_jiff(),
    })
}
