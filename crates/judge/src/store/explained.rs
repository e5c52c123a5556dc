//! What is said of findings: why, what belongs to them, what to do. Written in batches; whatever others
//! said stays.

use std::collections::BTreeMap;

use db::{Error, TenantTx};
use model::Digest;
use model::id::{
    ActorId, CauseId, ContextId, CorrelationId, FindingId, RecommendationId, ResourceId,
};
use model::level::Severity;
use serde_json::{Value, json};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::drift::cause::Explained;
use crate::drift::correlate::context::Context;
use crate::drift::correlate::{Correlation, Rules};
use crate::drift::recommend::{Kind, Outcomes, Recommendation};
use crate::drift::{Cause, features, shown};

mod label;

pub use label::{Labelled, label};

/// What was said of a finding so far.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Of which drift, and by whom it was decided, as a hash.
    pub of: Option<Digest>,
    /// What, as a hash.
    pub told: Option<Digest>,
    /// A person's label.
    pub label: Option<(Cause, ActorId)>,
    /// An approved exception.
    pub exception: Option<String>,
    /// Whether there is advice of ours that holds, or that somebody took up.
    pub advised: bool,
}

#[derive(FromRow)]
struct SaidRow {
    id: Uuid,
    explained_of: Option<Vec<u8>>,
    explained_as: Option<Vec<u8>>,
    cause_category: Option<String>,
    labelled_by: Option<Uuid>,
    exception: Option<Uuid>,
    advised: bool,
}

/// What was said of each of these findings; nobody says anything else until this transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn said(
    tx: &mut TenantTx,
    findings: &[FindingId],
) -> Result<BTreeMap<FindingId, Said>, Error> {
    let tenant = tx.tenant().uuid();
    let ids: Vec<Uuid> = findings.iter().map(|id| id.uuid()).collect();
    // First the lock, then the look. In the order in which a scan writes them, so that the two wait
    // for each other and never both for ever.
    sqlx::query(
        "SELECT 1 FROM countersign.findings
         WHERE tenant_id = $1 AND id = ANY ($2)
         ORDER BY kind, fingerprint, began_at
         FOR NO KEY UPDATE",
    )
    .bind(tenant)
    .bind(&ids)
    .execute(tx.conn())
    .await?;
    let rows: Vec<SaidRow> = sqlx::query_as(include_str!("explained/said.sql"))
        .bind(tenant)
        .bind(&ids)
        .fetch_all(tx.conn())
        .await?;
    let digest = |bytes: Option<Vec<u8>>| Digest::try_from(bytes?.as_slice()).ok();
    rows.into_iter()
        .map(|row| {
            let label = match (row.labelled_by, row.cause_category) {
                (Some(by), Some(cause)) => {
                    Some((cause.parse().map_err(Error::internal)?, ActorId::from(by)))
                }
                _ => None,
            };
            let said = Said {
                of: digest(row.explained_of),
                told: digest(row.explained_as),
                label,
                exception: row.exception.map(|id| model::id::ExceptionId::from(id).to_string()),
                advised: row.advised,
            };
            Ok((row.id.into(), said))
        })
        .collect()
}

/// How recommendations of each kind turned out in this tenant: whether the drift was gone after one
/// was carried out.
///
/// # Errors
/// When the database fails.
pub async fn outcomes(tx: &mut TenantTx) -> Result<BTreeMap<Kind, Outcomes>, Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT r.recommendation_type, count(*) FILTER (WHERE f.status = 'fixed'),
           count(*) FILTER (WHERE f.status <> 'fixed')
         FROM countersign.recommendations r
         JOIN countersign.findings f ON f.tenant_id = r.tenant_id AND f.id = r.finding_id
         WHERE r.tenant_id = $1 AND r.kind = 'drift' AND r.implemented_at IS NOT NULL
         GROUP BY r.recommendation_type",
    )
    .bind(tenant)
    .fetch_all(tx.conn())
    .await?;
    let count = |rows: i64| u32::try_from(rows).unwrap_or(u32::MAX);
    rows.into_iter()
        .map(|(kind, good, bad)| {
            let outcomes = Outcomes { succeeded: count(good), failed: count(bad) };
            Ok((kind.parse().map_err(Error::internal)?, outcomes))
        })
        .collect()
}

/// An event that belongs to a finding, as it is kept.
#[derive(Debug, Clone)]
pub struct Belonging {
    kind: &'static str,
    system: String,
    id: String,
    score: f64,
    offset_seconds: f64,
    data: Value,
}

impl Belonging {
    /// A correlation, with a line of what its system says of the event.
    #[must_use]
    pub fn of(one: &Correlation<'_>, text: &str, actor: Option<&str>) -> Self {
        let event = one.event;
        let data = json!({
            "at": event.at, "until": event.until, "during": one.during, "matched": one.matched,
            "severity": event.severity, "summary": shown(text.lines().next().unwrap_or_default()),
            "actor": actor.map(shown),
        });
        Self {
            kind: event.kind.word(),
            system: event.system.clone(),
            id: event.id.clone(),
            score: one.score,
            offset_seconds: one.minutes() * 60.0,
            data,
        }
    }

    /// What tells it from others, for a hash.
    #[must_use]
    pub fn name(&self) -> Value {
        json!([self.kind, self.system, self.id, self.score, self.offset_seconds])
    }
}

/// What is to be said of a finding.
#[derive(Debug, Clone)]
pub struct ToSay {
    /// Which.
    pub finding: FindingId,
    /// The resource of the estate it is about.
    pub resource: Option<ResourceId>,
    /// What the resource is called.
    pub subject: String,
    /// How bad it is.
    pub severity: Severity,
    /// Why.
    pub explained: Explained,
    /// What was known around it in numbers.
    pub features: Vec<f64>,
    /// What belongs to it.
    pub belonging: Vec<Belonging>,
    /// What was going on.
    pub context: Vec<Context>,
    /// What to do.
    pub advice: Recommendation,
    /// The label it was explained with.
    pub labelled_by: Option<ActorId>,
    /// The drift and whoever decides, as a hash.
    pub of: Digest,
    /// All of this, as a hash.
    pub told: Digest,
}

/// Says it: takes the place of what this program said before.
///
/// # Errors
/// When the database fails.
pub async fn say(tx: &mut TenantTx, all: &[ToSay]) -> Result<(), Error> {
    if all.is_empty() {
        return Ok(());
    }
    let tenant = tx.tenant().uuid();
    let findings: Vec<Uuid> = all.iter().map(|one| one.finding.uuid()).collect();
    let causes: Vec<Value> = all.iter().map(cause).collect();
    sqlx::query(include_str!("explained/causes.sql"))
        .bind(tenant)
        .bind(Json(causes))
        .execute(tx.conn())
        .await?;
    let version = i32::try_from(Rules::shipped().version).unwrap_or(i32::MAX);
    let belonging: Vec<Value> = all.iter().flat_map(belonging).collect();
    sqlx::query(include_str!("explained/correlations.sql"))
        .bind(tenant)
        .bind(&findings)
        .bind(Json(belonging))
        .bind(version)
        .execute(tx.conn())
        .await?;
    let context: Vec<Value> = all.iter().flat_map(context).collect();
    sqlx::query(include_str!("explained/context.sql"))
        .bind(tenant)
        .bind(&findings)
        .bind(Json(context))
        .bind(version)
        .execute(tx.conn())
        .await?;
    let advice: Vec<Value> = all.iter().map(advice).collect();
    sqlx::query(include_str!("explained/recommendations.sql"))
        .bind(tenant)
        .bind(&findings)
        .bind(Json(advice))
        .execute(tx.conn())
        .await?;
    Ok(())
}

fn cause(one: &ToSay) -> Value {
    let explained = &one.explained;
    json!({
        "id": CauseId::generate().uuid(), "finding_id": one.finding.uuid(),
        "cause_category": explained.cause, "confidence_score": explained.confidence,
        "analysis": explained.analysis, "contributing_factors": explained.contributing_factors,
        "temporal_context": explained.temporal_context,
        "user_attribution": explained.user_attribution,
        "decided_by": decided(explained), "labelled_by": one.labelled_by.map(ActorId::uuid),
        "explained_of": one.of.to_string(), "explained_as": one.told.to_string(),
        "features_version": features::VERSION, "features": one.features,
    })
}

/// Who decided, and how likely each cause is beside what was said.
fn decided(explained: &Explained) -> Value {
    let mut decided = json!(explained.decided_by);
    if let Some(decided) = decided.as_object_mut() {
        decided.insert("likeliest".to_owned(), json!(explained.likeliest));
        decided.insert("posteriors".to_owned(), json!(explained.posteriors));
    }
    decided
}

fn belonging(one: &ToSay) -> impl Iterator<Item = Value> + '_ {
    one.belonging.iter().map(|event| {
        json!({
            "id": CorrelationId::generate().uuid(), "finding_id": one.finding.uuid(),
            "correlation_type": event.kind, "external_id": event.id,
            "external_system": event.system, "event_data": event.data,
            "correlation_score": event.score, "offset_seconds": event.offset_seconds,
        })
    })
}

/// A count of microseconds as a number of seconds.
fn seconds(micros: i64) -> f64 {
    jiff::SignedDuration::from_micros(micros).as_secs_f64()
}

fn context(one: &ToSay) -> impl Iterator<Item = Value> + '_ {
    one.context.iter().map(|context| {
        json!({
            "id": ContextId::generate().uuid(), "finding_id": one.finding.uuid(),
            "context_type": context.context_type, "context_data": context.context_data,
            "incident_impact": context.incident_impact,
            "seconds": seconds(context.time_window_micros),
        })
    })
}

fn advice(one: &ToSay) -> Value {
    let advice = &one.advice;
    let what = match advice.recommendation_type {
        Kind::AutoRevert => "make it as it is declared",
        Kind::CodifyIac => "declare it as it is",
        Kind::EscalateReview => "have those decide who answer for it",
        Kind::AcceptException => "leave it until its exception ends",
        Kind::ManualReview => "have somebody look",
    };
    json!({
        "id": RecommendationId::generate().uuid(), "finding_id": one.finding.uuid(),
        "resource_id": one.resource.map(ResourceId::uuid), "rule": advice.rule,
        "recommendation_type": advice.recommendation_type, "priority": advice.priority,
        "severity": one.severity, "title": format!("{}: {what}", shown(&one.subject)),
        "rationale": advice.rationale, "implementation_steps": advice.implementation_steps,
        "risk_assessment": advice.risk_assessment, "confidence": advice.confidence,
        "estimated_effort": advice.estimated_effort, "recommended_by": advice.recommended_by,
        "expires_after_hours": advice.expires_after_hours,
    })
}
