//! Risk assessments: written once, with every input, so that anybody can compute them again.

use db::TenantTx;
use model::Timestamp;
use model::id::{IntentId, PlanId, RiskId};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;

use super::Error;
use crate::counterfactual::Change;
use crate::risk::{Assessment, Record, RiskInput};

/// A stored assessment.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its id.
    pub id: RiskId,
    /// The intent it is about.
    pub intent_id: IntentId,
    /// The plan it is about.
    pub plan_id: Option<PlanId>,
    /// Inputs and result.
    pub record: Record,
    /// What would have had to differ for `allow`.
    pub counterfactual: Vec<Change>,
    /// When it was stored.
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: uuid::Uuid,
    intent_id: uuid::Uuid,
    plan_id: Option<uuid::Uuid>,
    inputs: Value,
    components: Value,
    counterfactual: Option<Value>,
    created_at: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let input: RiskInput = read("the inputs of a risk assessment", row.inputs)?;
        let assessment: Assessment = read("the parts of a risk assessment", row.components)?;
        let counterfactual = match row.counterfactual {
            Some(changes) => read("the counterfactual of a risk assessment", changes)?,
            None => Vec::new(),
        };
        Ok(Self {
            id: row.id.into(),
            intent_id: row.intent_id.into(),
            plan_id: row.plan_id.map(PlanId::from),
            record: Record { input, assessment },
            counterfactual,
            created_at: row.created_at.to_jiff(),
        })
    }
}

fn read<T: DeserializeOwned>(what: &'static str, value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|error| Error::unreadable(what, error))
}

/// Stores an assessment of an intent's plan.
///
/// The columns are for queries; the record is in `inputs` and `components`, with floats as strings.
///
/// # Errors
/// When there is no such intent or plan.
pub async fn insert(
    tx: &mut TenantTx,
    intent: IntentId,
    plan: Option<PlanId>,
    record: &Record,
    counterfactual: &[Change],
) -> Result<RiskId, Error> {
    let id = RiskId::generate();
    let tenant = tx.tenant();
    let assessment = &record.assessment;
    let interval = assessment.interval();
    sqlx::query(
        "INSERT INTO countersign.risk_assessments
           (tenant_id, id, intent_id, plan_id, tier, score, verdict, category, reasons, components,
            alpha, beta, interval_low, interval_high, loss_approve, loss_deny, loss_escalate, psi,
            memory_success_rate, memory_weight, counterfactual, constants, inputs)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20, $21, $22, $23)",
    )
    .bind(tenant.uuid())
    .bind(id.uuid())
    .bind(intent.uuid())
    .bind(plan.map(PlanId::uuid))
    .bind(assessment.tier.word())
    .bind(assessment.score.0)
    .bind(assessment.verdict.word())
    .bind(record.input.category.word())
    .bind(Json(&assessment.reasons))
    .bind(Json(assessment))
    .bind(assessment.estimate.alpha.0)
    .bind(assessment.estimate.beta.0)
    .bind(interval.low.0)
    .bind(interval.high.0)
    .bind(assessment.losses.approve.0)
    .bind(assessment.losses.deny.0)
    .bind(assessment.losses.escalate.0)
    .bind(assessment.psi.0)
    .bind(assessment.memory_success_rate().map(|rate| rate.0))
    .bind(assessment.memory_weight().map(|weight| weight.0))
    .bind(Json(counterfactual))
    .bind(&record.input.constants.name)
    .bind(Json(&record.input))
    .execute(tx.conn())
    .await
    .map_err(Error::query)?;
    Ok(id)
}

/// Reads an assessment.
///
/// # Errors
/// When there is no such assessment.
pub async fn get(tx: &mut TenantTx, id: RiskId) -> Result<Stored, Error> {
    let tenant = tx.tenant();
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, intent_id, plan_id, inputs, components, counterfactual, created_at
         FROM countersign.risk_assessments
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await
    .map_err(Error::query)?;
    row.ok_or(Error::NoAssessment(id))?.try_into()
}

/// The assessments of an intent, the last first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of_intent(
    tx: &mut TenantTx,
    intent: IntentId,
    most: u32,
) -> Result<Vec<Stored>, Error> {
    let tenant = tx.tenant();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, intent_id, plan_id, inputs, components, counterfactual, created_at
         FROM countersign.risk_assessments
         WHERE tenant_id = $1 AND intent_id = $2
         ORDER BY id DESC
         LIMIT $3",
    )
    .bind(tenant.uuid())
    .bind(intent.uuid())
    .bind(i64::from(most))
    .fetch_all(tx.conn())
    .await
    .map_err(Error::query)?;
    rows.into_iter().map(Stored::try_from).collect()
}
