//! Decisions: written once, with the signed bytes.

use db::object::{self, Column, Holds, Kind, ListRequest};
use db::{Page, TenantTx};
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::audit::{Event, Who};
use model::id::{BundleId, DecisionId, IntentId, PlanId, RiskId};
use model::verdict::{ApprovalRequirement, Reason};
use model::{Digest, Timestamp};
use serde_json::{Map, Value};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::{count, digest, small};
use crate::decide::Decision;
use crate::error::Error;
use crate::gist::headlines;
use crate::guard::GuardResult;

/// A decision about to be written.
#[derive(Debug, Clone)]
pub struct NewDecision<'a> {
    /// Its id.
    pub id: DecisionId,
    /// The intent decided on.
    pub intent: IntentId,
    /// The plan decided on.
    pub plan: Option<PlanId>,
    /// The risk assessment it rests on.
    pub risk: RiskId,
    /// What was decided.
    pub decision: &'a Decision,
    /// The policy bundle, when it is a stored one.
    pub bundle: Option<BundleId>,
    /// Its hash.
    pub bundle_hash: Digest,
    /// What an approval would be bound to.
    pub bound_hash: Option<Digest>,
    /// The canonical bytes of the whole record.
    pub canon: Vec<u8>,
    /// The signature over them.
    pub signature: String,
    /// Whose key signed.
    pub key_fingerprint: String,
    /// The request it was asked with, as traces and the server's log name it.
    pub trace: Option<String>,
}

/// A decision as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDecision {
    /// Its id.
    pub id: DecisionId,
    /// The intent decided on.
    pub intent: IntentId,
    /// The plan decided on.
    pub plan: Option<PlanId>,
    /// The risk assessment it rests on.
    pub risk: RiskId,
    /// What was decided.
    pub decision: Decision,
    /// The policy bundle, when it is a stored one.
    pub bundle: Option<BundleId>,
    /// Its hash.
    pub bundle_hash: Digest,
    /// What an approval would be bound to.
    pub bound_hash: Option<Digest>,
    /// The canonical bytes of the whole record.
    pub canon: Vec<u8>,
    /// The signature over them.
    pub signature: String,
    /// Whose key signed.
    pub key_fingerprint: String,
    /// The request it was asked with.
    pub trace: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    intent_id: Uuid,
    plan_id: Option<Uuid>,
    risk_id: Uuid,
    verdict: String,
    reasons: Json<Vec<Reason>>,
    guard_results: Json<Vec<GuardResult>>,
    constraints: Json<Map<String, Value>>,
    ttl_s: Option<i32>,
    policy_bundle_id: Option<Uuid>,
    policy_hash: Vec<u8>,
    approval_requirement: Option<Json<ApprovalRequirement>>,
    bound_hash: Option<Vec<u8>>,
    canon: Vec<u8>,
    signature: String,
    key_fingerprint: String,
    trace_id: Option<String>,
    created_at: SqlTimestamp,
}

/// Writes a decision and its audit event.
///
/// # Errors
/// When the database does not take it.
pub async fn insert(tx: &mut TenantTx, new: &NewDecision<'_>, who: Who) -> Result<(), Error> {
    let decision = new.decision;
    sqlx::query(
        "INSERT INTO countersign.decisions (tenant_id, id, intent_id, plan_id, risk_id, verdict,
           reasons, guard_results, constraints, ttl_s, policy_bundle_id, policy_hash,
           approval_requirement, bound_hash, canon, signature, key_fingerprint, trace_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    )
    .bind(tx.tenant().uuid())
    .bind(new.id.uuid())
    .bind(new.intent.uuid())
    .bind(new.plan.map(PlanId::uuid))
    .bind(new.risk.uuid())
    .bind(decision.verdict.word())
    .bind(Json(&decision.reasons))
    .bind(Json(&decision.guards))
    .bind(Json(&decision.constraints))
    .bind(decision.ttl_s.map(|ttl_s| small("ttl_s", ttl_s)).transpose()?)
    .bind(new.bundle.map(BundleId::uuid))
    .bind(new.bundle_hash.as_bytes().as_slice())
    .bind(decision.approval.as_ref().map(Json))
    .bind(new.bound_hash.map(|hash| hash.as_bytes().to_vec()))
    .bind(&new.canon)
    .bind(&new.signature)
    .bind(&new.key_fingerprint)
    .bind(&new.trace)
    .execute(tx.conn())
    .await?;
    // The row has every reason; the event has what fits into it.
    let deciding = decision.reasons.iter().filter(|reason| reason.verdict == decision.verdict);
    let deciding = headlines(deciding);
    let mut event = Event::new(who, "decision.made", "decision", &new.id)
        .decided(decision.verdict)
        .with("intent_id", new.intent.to_string())
        .with("decision_sha256", Digest::of(&new.canon).to_string())
        .with("reasons", deciding.told);
    if deciding.more > 0 {
        event = event.with("more_reasons", deciding.more);
    }
    if let Some(bound) = new.bound_hash {
        event = event.with("bound_hash", bound.to_string());
    }
    tx.audit(&event).await?;
    Ok(())
}

/// A decision.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut TenantTx, id: DecisionId) -> Result<StoredDecision, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, intent_id, plan_id, risk_id, verdict, reasons, guard_results, constraints,
           ttl_s, policy_bundle_id, policy_hash, approval_requirement, bound_hash, canon,
           signature, key_fingerprint, trace_id, created_at
         FROM countersign.decisions
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    let row = row.ok_or_else(|| Error::NotFound { what: "decision", id: id.to_string() })?;
    Ok(StoredDecision {
        id: row.id.into(),
        intent: row.intent_id.into(),
        plan: row.plan_id.map(Into::into),
        risk: row.risk_id.into(),
        decision: Decision {
            verdict: row.verdict.parse().map_err(Error::unreadable("verdict"))?,
            reasons: row.reasons.0,
            guards: row.guard_results.0,
            constraints: row.constraints.0,
            approval: row.approval_requirement.map(|requirement| requirement.0),
            ttl_s: row.ttl_s.map(|ttl_s| count("ttl", ttl_s)).transpose()?,
        },
        bundle: row.policy_bundle_id.map(Into::into),
        bundle_hash: digest("policy hash", &row.policy_hash)?,
        bound_hash: row.bound_hash.map(|hash| digest("bound hash", &hash)).transpose()?,
        canon: row.canon,
        signature: row.signature,
        key_fingerprint: row.key_fingerprint,
        trace: row.trace_id,
        created_at: row.created_at.to_jiff(),
    })
}

/// By what decisions are listed.
pub const LISTED: Kind = Kind {
    word: "decision",
    table: "(SELECT d.tenant_id, d.id, d.intent_id, d.verdict, d.created_at, i.deterministic_id,
               i.intent_type, i.purpose, i.summary, i.environment_class, i.category, r.tier,
               o.success, o.id IS NOT NULL AS outcome
             FROM countersign.decisions d
             JOIN countersign.intents i ON i.tenant_id = d.tenant_id AND i.id = d.intent_id
             JOIN countersign.risk_assessments r ON r.tenant_id = d.tenant_id AND r.id = d.risk_id
             LEFT JOIN countersign.outcomes o ON o.tenant_id = i.tenant_id AND o.intent_id = i.id)",
    columns: &[
        Column::new("verdict", Holds::Text).filter(),
        Column::new("purpose", Holds::Text).filter(),
        Column::new("intent_id", Holds::Id).filter(),
        Column::new("intent_type", Holds::Text).filter(),
        Column::new("deterministic_id", Holds::Text).filter(),
        Column::new("environment_class", Holds::Text).filter(),
        Column::new("category", Holds::Text).filter(),
        Column::new("tier", Holds::Text).filter(),
        Column::new("outcome", Holds::Boolean).filter(),
        Column::new("success", Holds::Boolean).filter(),
        Column::new("summary", Holds::Text).search(),
        Column::new("created_at", Holds::Time).filter().age(),
    ],
    natural: &[],
};

/// A decision as listed.
#[derive(Debug, Clone, FromRow)]
pub struct Line {
    /// Its id.
    pub id: Uuid,
    /// The intent decided on.
    pub intent_id: Uuid,
    /// The requester's own name for it.
    pub deterministic_id: String,
    /// Its type.
    pub intent_type: String,
    /// Whether it was to be carried out here.
    pub purpose: String,
    /// In one line.
    pub summary: String,
    /// The strictest class touched.
    pub environment_class: String,
    /// The risk category.
    pub category: String,
    /// What was decided.
    pub verdict: String,
    /// The risk tier.
    pub tier: String,
    /// The risk score, as it was signed.
    pub score: Option<String>,
    /// Whether it worked, where an outcome is recorded.
    pub success: Option<bool>,
    /// When.
    pub created_at: SqlTimestamp,
}

/// A page of decisions, newest first unless sorted.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(tx: &mut TenantTx, wanted: &ListRequest) -> Result<Page<Line>, Error> {
    let statement = "SELECT d.id, d.intent_id, i.deterministic_id, i.intent_type, i.purpose,
           i.summary, i.environment_class, i.category, d.verdict, r.tier,
           r.components ->> 'score' AS score, o.success, d.created_at
         FROM countersign.decisions d
         JOIN countersign.intents i ON i.tenant_id = d.tenant_id AND i.id = d.intent_id
         JOIN countersign.risk_assessments r ON r.tenant_id = d.tenant_id AND r.id = d.risk_id
         LEFT JOIN countersign.outcomes o ON o.tenant_id = i.tenant_id AND o.intent_id = i.id
         WHERE d.tenant_id = $1 AND d.id = ANY ($2)";
    Ok(object::read(tx, &LISTED, wanted, statement, |row: &Line| row.id).await?)
}
